"""Settle disagreement: how far people agree, and what the answer probably is.

annotations ──agree──▶ labels · annotators
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Annotated, Any, Literal

from pydantic import Field

from curate import tables
from curate.agree import spans
from curate.agree.alpha import Alpha, krippendorff_alpha
from curate.agree.truth import Truth, dawid_skene, majority, mean_rating
from curate.errors import DataError
from curate.records import Question
from curate.rounds import Round
from curate.spec import Spec
from curate.workspace import Workspace

READS = ("annotations",)
WRITES = ("labels", "annotators")

Vote = tuple[str, str, Any]
"""(item, annotator, value)."""

MIN_PER_ANNOTATOR = 20
"""With fewer answers a confusion matrix is guesswork: `auto` then counts heads."""


class AgreeSpec(Spec):
    """How disagreement is settled."""

    method: Annotated[
        Literal["auto", "majority", "dawid_skene"],
        Field(description="`auto` is dawid_skene where every annotator has 20 answers."),
    ] = "auto"
    bootstrap: Annotated[
        int, Field(ge=0, description="Resamples of the items for the interval of alpha.")
    ] = 1000
    seed: Annotated[int, Field(description="Seed of the bootstrap.")] = 0


@dataclass(frozen=True)
class QuestionResult:
    """Agreement on one question."""

    question: str
    kind: str
    method: str
    answers: int
    items: int
    annotators: int
    undecided: int
    alpha: float | None
    alpha_low: float | None
    alpha_high: float | None


@dataclass(frozen=True)
class AgreeResult:
    """Agreement on every question, and how many labels came of it."""

    labels: int
    questions: tuple[QuestionResult, ...]
    pilots: tuple[QuestionResult, ...] = ()
    notes: tuple[str, ...] = ()


def run(workspace: Workspace, spec: AgreeSpec) -> AgreeResult:
    """Settle every question over all rounds but pilots; each annotator's newest round counts."""
    workspace.require("annotations")
    made = workspace.provenance("agree", spec, workspace.inputs(READS))
    votes, gold = collect(workspace), gold_shares(workspace)
    labels: list[dict[str, Any]] = []
    annotators: list[dict[str, Any]] = []
    results = []
    for question in workspace.questions():
        given = [row for row in votes if row["question"] == question.name]
        if not given or question.kind == "comment":
            continue
        truth, result = settle(question, given, spec)
        labels += _labels(question, truth)
        annotators += _annotators(question, truth, given, gold)
        results.append(result)
        for part, said in occurrences(question, given):
            truth, result = settle(part, said, spec)
            labels += _labels(part, truth)
            results.append(result)
    pilots = _pilots(workspace, spec)
    if not labels and not pilots:
        raise DataError(
            "nobody has answered yet", hint="run `curate pull` once people have labelled"
        )
    workspace.write("labels", tables.rows("labels", labels), made)
    workspace.write("annotators", tables.rows("annotators", annotators), made)
    return AgreeResult(len(labels), tuple(results), pilots)


def _pilots(workspace: Workspace, spec: AgreeSpec) -> tuple[QuestionResult, ...]:
    """Return how far people agreed in pilots; nothing of it becomes a label."""
    votes = collect(workspace, pilots=True)
    found = []
    for question in workspace.questions():
        given = [row for row in votes if row["question"] == question.name]
        if given and question.kind != "comment":
            found.append(settle(question, given, spec)[1])
    return tuple(found)


def collect(workspace: Workspace, *, pilots: bool = False) -> list[dict[str, Any]]:
    """Return the submitted answers of all rounds but pilots (or of pilots), out of JSON.

    An answer to a window is one to its document; gold items have their answer already. Of each
    (id, question, annotator) the newest round's answer counts.
    """
    kept: dict[tuple[str, str, str], dict[str, Any]] = {}
    for each in workspace.rounds:
        if (each.purpose == "pilot") != pilots:
            continue
        tasks = {row["id"]: row for row in each.sample().to_pylist()}
        for row in submitted(each):
            task = tasks.get(row["id"], {})
            if task.get("kind") == "gold":
                continue
            members = list(task.get("members") or ())
            id = str(members[0]) if len(members) == 1 else row["id"]
            kept[id, row["question"], row["annotator"]] = {**row, "id": id}
    return list(kept.values())


def submitted(each: Round) -> Iterator[dict[str, Any]]:
    """Yield a round's submitted answers, out of JSON."""
    for row in each.answers():
        if row["status"] == "submitted" and row["value"] is not None:
            yield {**row, "value": json.loads(row["value"])}


def gold_shares(workspace: Workspace) -> dict[tuple[str, str], float]:
    """Return, by (annotator, question), the share of gold items that were answered rightly."""
    right: dict[tuple[str, str], list[bool]] = defaultdict(list)
    for each in workspace.rounds:
        known = each.gold()
        for row in submitted(each) if known else ():
            if row["question"] in known.get(row["id"], {}):
                truth = known[row["id"]][row["question"]]
                right[row["annotator"], row["question"]].append(_same(row["value"], truth))
    return {key: sum(flags) / len(flags) for key, flags in right.items()}


def _same(value: Any, truth: Any) -> bool:
    if not (isinstance(value, list) and isinstance(truth, list)):
        return bool(value == truth)
    ordered = [sorted(json.dumps(each, sort_keys=True) for each in one) for one in (value, truth)]
    return ordered[0] == ordered[1]


def occurrences(
    question: Question, answers: Sequence[dict[str, Any]]
) -> Iterator[tuple[Question, list[dict[str, Any]]]]:
    """Yield what answers to a question with several labels say of each: does it occur?"""
    for part, label in zip(question.parts(), question.labels, strict=False):
        yield part, [{**row, "value": _occurs(label, row["value"])} for row in answers]


def _occurs(label: str, value: Sequence[Any]) -> str:
    found = (each["label"] if isinstance(each, dict) else each for each in value)
    return "present" if label in found else "absent"


def settle(
    question: Question, answers: Sequence[dict[str, Any]], spec: AgreeSpec
) -> tuple[Truth, QuestionResult]:
    """Return the settled answers to one question and how far people agreed on them."""
    votes: list[Vote] = [(row["id"], row["annotator"], row["value"]) for row in answers]
    method = _method(question, votes, spec)
    if question.kind == "rating":
        truth, alpha = mean_rating(votes), _alpha(votes, spec, "interval")
    elif question.kind == "entities":
        truth, alpha = spans.majority_spans(votes), None
    else:
        flat = [(i, a, json.dumps(sorted(v))) for i, a, v in votes] if _many(question) else votes
        offered = () if _many(question) else question.labels
        # A tie, or what an older form offered: it was said, whatever is asked now.
        values = (*offered, *sorted({value for *_, value in flat} - {*offered}))
        truth = (dawid_skene if method == "dawid_skene" else majority)(flat, values)
        alpha = _alpha(flat, spec, "nominal")
    result = QuestionResult(
        question=question.name,
        kind=question.kind,
        method=method,
        answers=len(votes),
        items=len({item for item, _, _ in votes}),
        annotators=len({annotator for _, annotator, _ in votes}),
        undecided=sum(label.undecided for label in truth.labels),
        alpha=alpha.value if alpha else None,
        alpha_low=alpha.low if alpha else None,
        alpha_high=alpha.high if alpha else None,
    )
    return truth, result


def _many(question: Question) -> bool:
    return question.kind == "choices"


def _method(question: Question, votes: Sequence[Vote], spec: AgreeSpec) -> str:
    if question.kind == "rating":
        return "mean"
    if question.kind == "entities":
        return "majority"
    if spec.method != "auto":
        return spec.method
    counts: dict[str, int] = defaultdict(int)
    for _, annotator, _ in votes:
        counts[annotator] += 1
    enough = len(counts) > 2 and min(counts.values()) >= MIN_PER_ANNOTATOR
    return "dawid_skene" if enough else "majority"


def _alpha(
    votes: Sequence[Vote], spec: AgreeSpec, level: Literal["nominal", "interval"]
) -> Alpha | None:
    return krippendorff_alpha(votes, level, resamples=spec.bootstrap, seed=spec.seed)


def _labels(question: Question, truth: Truth) -> list[dict[str, Any]]:
    decode = json.loads if _many(question) else (lambda value: value)
    return [
        {
            "id": label.item,
            "question": question.name,
            "value": json.dumps(decode(label.value), ensure_ascii=False),
            "posterior": json.dumps(label.posterior, ensure_ascii=False),
            "confidence": label.confidence,
            "votes": label.votes,
            "agreement": label.agreement,
            "method": truth.method,
            "undecided": label.undecided,
        }
        for label in truth.labels
    ]


def _annotators(
    question: Question,
    truth: Truth,
    answers: Sequence[dict[str, Any]],
    gold: Mapping[tuple[str, str], float],
) -> list[dict[str, Any]]:
    seconds: dict[str, list[float]] = defaultdict(list)
    counts: dict[str, int] = defaultdict(int)
    for row in answers:
        counts[row["annotator"]] += 1
        if row["seconds"] is not None:
            seconds[row["annotator"]].append(row["seconds"])
    return [
        {
            "annotator": annotator,
            "question": question.name,
            "answers": counts[annotator],
            "skill": truth.skill.get(annotator),
            "bias": truth.bias.get(annotator),
            "seconds": median(seconds[annotator]) if seconds[annotator] else None,
            "gold_right": gold.get((annotator, question.name)),
        }
        for annotator in sorted(counts)
    ]
