"""Settle disagreement: how far people agree, and what the answer probably is.

annotations ──agree──▶ labels · annotators
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from curate import tables
from curate.agree.agreement.alpha import Alpha, krippendorff_alpha
from curate.agree.annotators import annotator_rows, gold_shares
from curate.agree.labels import label_rows
from curate.agree.spec import AgreeSpec
from curate.agree.truth import spans
from curate.agree.truth.methods import Truth, dawid_skene, majority, mean_rating
from curate.agree.votes import Vote, collect, occurrences, takes_many
from curate.errors import DataError
from curate.records import Question
from curate.workspace import Workspace

READS = ("annotations",)
WRITES = ("labels", "annotators")

MIN_PER_ANNOTATOR = 20
"""With fewer answers a confusion matrix is guesswork: `auto` then counts heads."""


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
        labels += label_rows(question, truth)
        annotators += annotator_rows(question, truth, given, gold)
        results.append(result)
        for part, said in occurrences(question, given):
            truth, result = settle(part, said, spec)
            labels += label_rows(part, truth)
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
        flat = (
            [(i, a, json.dumps(sorted(v))) for i, a, v in votes] if takes_many(question) else votes
        )
        offered = () if takes_many(question) else question.labels
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
