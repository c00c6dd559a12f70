"""Settle disagreement: how far people agree, and the most probable answer.

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
from curate.stage import Stage, if_answered
from curate.workspace import Workspace

READS = ("annotations",)
WRITES = ("labels", "annotators")

MIN_PER_ANNOTATOR = 20
"""With fewer answers a confusion matrix is unreliable: `auto` then takes the majority."""


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
    """Agreement on every question, and the number of labels; pilots stand apart."""

    labels: int
    questions: tuple[QuestionResult, ...]
    pilots: tuple[QuestionResult, ...] = ()
    notes: tuple[str, ...] = ()


def run(workspace: Workspace, spec: AgreeSpec) -> AgreeResult:
    """Settle every question over all rounds but pilots; an annotator's newest answer counts.

    Raises DataError if nobody has answered yet.
    """
    workspace.tables.require("annotations")
    provenance = workspace.freshness.provenance("agree", spec, workspace.tables.fingerprints(READS))
    votes, gold = collect(workspace), gold_shares(workspace)
    labels: list[dict[str, Any]] = []
    annotators: list[dict[str, Any]] = []
    results = []
    for question in workspace.rounds.questions():
        answers = [row for row in votes if row["question"] == question.name]
        if not answers or question.kind == "comment":
            continue
        truth, result = settle(question, answers, spec)
        labels += label_rows(question, truth)
        annotators += annotator_rows(question, truth, answers, gold)
        results.append(result)
        for part, part_answers in occurrences(question, answers):
            truth, result = settle(part, part_answers, spec)
            labels += label_rows(part, truth)
            results.append(result)
    pilots = _pilots(workspace, spec)
    if not labels and not pilots:
        raise DataError(
            "nobody has answered yet", hint="run `curate pull` once people have labelled"
        )
    workspace.tables.write("labels", tables.rows("labels", labels), provenance)
    workspace.tables.write("annotators", tables.rows("annotators", annotators), provenance)
    return AgreeResult(len(labels), tuple(results), pilots)


def _pilots(workspace: Workspace, spec: AgreeSpec) -> tuple[QuestionResult, ...]:
    """Return the agreement in pilots; their answers never become labels."""
    votes = collect(workspace, pilots=True)
    results = []
    for question in workspace.rounds.questions():
        answers = [row for row in votes if row["question"] == question.name]
        if answers and question.kind != "comment":
            results.append(settle(question, answers, spec)[1])
    return tuple(results)


def settle(
    question: Question, answers: Sequence[dict[str, Any]], spec: AgreeSpec
) -> tuple[Truth, QuestionResult]:
    """Return the settled answers to one question, and the agreement on them."""
    votes: list[Vote] = [(row["id"], row["annotator"], row["value"]) for row in answers]
    method = _method(question, votes, spec)
    if question.kind == "rating":
        truth, alpha = mean_rating(votes), _alpha(votes, spec, "interval")
    elif question.kind == "entities":
        truth, alpha = spans.majority_spans(votes), None
    else:
        flat = (
            [(item, annotator, json.dumps(sorted(value))) for item, annotator, value in votes]
            if takes_many(question)
            else votes
        )
        offered = () if takes_many(question) else question.labels
        # Answers that the form does not list count too: a tie, or a choice of an older form.
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


STAGE = Stage(
    name="agree",
    spec=AgreeSpec,
    run=run,
    reads=READS,
    writes=WRITES,
    examples=("curate agree --method dawid_skene",),
    takes_part=if_answered,
)
