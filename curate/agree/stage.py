"""Run `agree`: settle every question, and measure how far people agree on it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from curate import tables
from curate.agree.agreement.alpha import krippendorff_alpha
from curate.agree.annotators import annotator_rows, gold_shares
from curate.agree.kinds import KINDS
from curate.agree.labels import label_rows
from curate.agree.spec import AgreeSpec
from curate.agree.truth.methods import Truth
from curate.agree.votes import Vote, collect, occurrences
from curate.errors import NothingToDo
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
    """Agreement on every question, and the numbers of labels, answers and people; pilots apart."""

    labels: int
    answers: int
    annotators: int
    questions: tuple[QuestionResult, ...]
    pilots: tuple[QuestionResult, ...] = ()
    notes: tuple[str, ...] = ()


def run(workspace: Workspace, spec: AgreeSpec) -> AgreeResult:
    """Settle every question over all rounds but pilots; an annotator's newest answer counts.

    Raises NothingToDo if nobody has answered yet, or with comments alone.
    """
    workspace.tables.require("annotations")
    provenance = workspace.freshness.provenance(
        "agree",
        spec,
        workspace.tables.fingerprints(READS),
        answers=workspace.rounds.answers(),
        rounds=[round.number for round in workspace.rounds.all() if round.count_answers()],
    )
    votes, gold = collect(workspace), gold_shares(workspace)
    labels: list[dict[str, Any]] = []
    annotators: list[dict[str, Any]] = []
    results = []
    for question in workspace.rounds.questions():
        answers = [row for row in votes if row["question"] == question.name]
        if not answers or question.kind not in KINDS:
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
        raise _nothing(has_answers=bool(votes))
    workspace.tables.write("labels", tables.rows("labels", labels), provenance)
    workspace.tables.write("annotators", tables.rows("annotators", annotators), provenance)
    people = {vote["annotator"] for vote in votes}
    return AgreeResult(len(labels), len(votes), len(people), tuple(results), pilots)


def _nothing(*, has_answers: bool) -> NothingToDo:
    if has_answers:
        return NothingToDo("the answers are comments alone: there is nothing to settle")
    return NothingToDo(
        "nobody has answered yet", hint="run `curate pull` once people have labelled"
    )


def _pilots(workspace: Workspace, spec: AgreeSpec) -> tuple[QuestionResult, ...]:
    """Return the agreement in pilots; their answers never become labels."""
    votes = collect(workspace, pilots=True)
    results = []
    for question in workspace.rounds.questions():
        answers = [row for row in votes if row["question"] == question.name]
        if answers and question.kind in KINDS:
            results.append(settle(question, answers, spec)[1])
    return tuple(results)


def settle(
    question: Question, answers: Sequence[dict[str, Any]], spec: AgreeSpec
) -> tuple[Truth, QuestionResult]:
    """The settled answers to one question, and the agreement on them."""
    kind = KINDS[question.kind]
    votes = kind.votes([(row["id"], row["annotator"], row["value"]) for row in answers])
    method = kind.method or _method(votes, spec)
    truth = kind.settle(question, votes, method)
    alpha = None
    if kind.level is not None:
        alpha = krippendorff_alpha(votes, kind.level, resamples=spec.bootstrap, seed=spec.seed)
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


def _method(votes: Sequence[Vote], spec: AgreeSpec) -> str:
    if spec.method != "auto":
        return spec.method
    counts = Counter(annotator for _, annotator, _ in votes)
    is_enough = len(counts) > 2 and min(counts.values()) >= MIN_PER_ANNOTATOR
    return "dawid_skene" if is_enough else "majority"


STAGE = Stage(
    name="agree",
    spec=AgreeSpec,
    run=run,
    reads=READS,
    writes=WRITES,
    examples=("curate agree --method dawid_skene",),
    takes_part=if_answered,
    optional=True,
)
