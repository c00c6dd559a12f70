"""What the page says first: a sentence for each of the questions that a reader has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from curate import storage
from curate.report.section import Say, result_of, say
from curate.report.sections.measures import named
from curate.workspace import Workspace

Mood = Literal["good", "bad", "unsure"]

WEAK = 0.67
"""Below this alpha labels are weak evidence (Krippendorff 2004)."""

BETTER, WORSE = "better than", "worse than"


@dataclass(frozen=True)
class Point:
    """A sentence of the verdict, and whether it is good news."""

    mood: Mood
    words: Say


def verdict(workspace: Workspace, warnings: int) -> list[Point]:
    """Corpus, people, model, mixture, its proof, and how many warnings there are."""
    evaluation = storage.read_json(workspace.root / "evaluate.json") or {}
    return [
        *_corpus(workspace),
        *_people(workspace),
        *_model(evaluation, _doubted(workspace)),
        *_mixture(workspace, evaluation),
        _warned(warnings),
    ]


def _corpus(workspace: Workspace) -> Iterator[Point]:
    clean = result_of(workspace, "clean")
    if not clean:
        return
    documents, kept = clean["documents"], clean["kept"]
    if kept == documents:
        yield Point("good", say("verdict.corpus_all", documents=documents))
        return
    reason = next(iter(clean.get("reasons") or {}), "")
    words = say("verdict.corpus", kept=kept, documents=documents, reason=reason)
    yield Point("good" if 2 * kept >= documents else "unsure", words)


def _people(workspace: Workspace) -> Iterator[Point]:
    for own in result_of(workspace, "labels").get("questions", []):
        if ":" in own["question"]:
            continue
        if own["annotators"] == 1:
            yield Point("unsure", say("verdict.alone", question=own["question"]))
        elif own["alpha"] is not None:
            agrees = own["alpha"] >= WEAK
            key = "verdict.agreement" if agrees else "verdict.disagreement"
            words = say(key, question=own["question"], alpha=own["alpha"], interval=_ends(own))
            yield Point("good" if agrees else "bad", words)


def _ends(own: Mapping[str, Any]) -> Say | str:
    """The interval of alpha that is to be quoted."""
    side = "others" if own.get("headline") == "people like these" else "alpha"
    low, high = own.get(f"{side}_low"), own.get(f"{side}_high")
    if low is None or high is None:
        return ""
    return say("verdict.interval", low=low, high=high)


DOUBTS = ("score.no_better", "score.unfit")
"""The warnings of `score` that stand against good news of a model."""


def _doubted(workspace: Workspace) -> frozenset[str]:
    """The questions whose model `score` doubts itself."""
    warnings = workspace.lineage.warnings("score")
    named = [own.figures.get("question") for own in warnings if own.key in DOUBTS]
    return frozenset(str(question) for question in named)


def _model(evaluation: Mapping[str, Any], doubted: frozenset[str]) -> Iterator[Point]:
    people: Mapping[str, Mapping[str, Any]] = evaluation.get("people") or {}
    for question, own in people.items():
        first = next(iter(own["measures"]), None)
        if first is None or first["trivial"] is None or first["value"] is None:
            continue
        low, high = first["better_low"], first["better_high"]
        is_better = low is not None and high is not None and low > 0
        is_sure = is_better and question not in doubted
        better = "verdict.model_better" if is_sure else "verdict.model_doubted"
        key = better if is_better else "verdict.model_unsure"
        words = say(
            key,
            question=question,
            measure=named(first["measure"]),
            value=first["value"],
            trivial=first["trivial"],
        )
        yield Point("good" if is_sure else "unsure", words)


def _mixture(workspace: Workspace, evaluation: Mapping[str, Any]) -> Iterator[Point]:
    mix = result_of(workspace, "mix")
    if not mix:
        yield Point("unsure", say("verdict.no_mixture"))
        return
    is_met = abs(mix["tokens"] - mix["budget"]) <= 0.05 * mix["budget"]
    words = say("verdict.drawn", tokens=mix["tokens"], budget=mix["budget"])
    yield Point("good" if is_met else "unsure", words)
    comparisons = evaluation.get("comparisons") or ()
    if not comparisons:
        has_run = bool(evaluation)
        yield Point(
            "unsure", say("verdict.why_not_compared" if has_run else "verdict.not_compared")
        )
    verdicts: dict[str, set[str]] = {}
    for own in comparisons:
        verdicts.setdefault(own["arm"], set()).add(own["verdict"])
    arms: dict[tuple[Mood, str], list[str]] = {}
    for arm, found in verdicts.items():
        arms.setdefault(_mood(BETTER in found, WORSE in found), []).append(arm)
    for (mood, key), names in arms.items():
        yield Point(mood, say(key, arms=names))


def _mood(is_better: bool, is_worse: bool) -> tuple[Mood, str]:
    if is_better and is_worse:
        return "unsure", "verdict.mixed"
    if is_better or is_worse:
        return ("good", "verdict.better") if is_better else ("bad", "verdict.worse")
    return "unsure", "verdict.alike"


def _warned(warnings: int) -> Point:
    if not warnings:
        return Point("good", say("verdict.no_warnings"))
    if warnings == 1:
        return Point("unsure", say("verdict.one_warning"))
    return Point("unsure", say("verdict.warnings", count=warnings))
