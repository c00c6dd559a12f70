"""Why a question cannot be estimated, and what is doubtful about the estimates."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from curate.annotated.answers import Answers
from curate.estimate.reading import Corpus
from curate.estimate.results import EstimateRow
from curate.rounds.design import Design
from curate.warning import StageWarning, warn
from curate.workspace import Workspace

GROWN = 0.02
"""A corpus that differs by more from what rounds drew from is another one."""


@dataclass(frozen=True)
class Fault:
    """Why a question cannot be estimated, and what helps."""

    question: str
    words: str
    hint: str


def fault_of(answers: Answers, design: Design) -> Fault | None:
    """Why labels say nothing of the corpus; None if they do."""
    name = answers.question.name
    if not answers.ids:
        return Fault(name, f"nobody has answered {name}", "`curate agree` settles the answers")
    if not design.asked:
        words = f"no label of {name} was drawn by chance: imports, pilots and relabelled texts "
        return Fault(name, words + "stand for no others", "`curate sample` draws a round")
    if not design.answered:
        words = f"no text that was drawn by chance has a label of {name}"
        return Fault(name, words, "`curate pull` and `curate agree` bring answers home")
    if not len(design.ids):
        words = f"every label of {name} was picked with certainty: none stands for others"
        return Fault(name, words, "sample a round with a random share")
    if answers.question.is_part and any(design.windows):
        words = f"{name}: people saw windows of long texts, and the rest of these is unknown"
        return Fault(name, words, "show whole texts, without sample.window")
    return None


def warnings_of(
    workspace: Workspace,
    own: Sequence[tuple[Answers, Design]],
    corpus: Corpus,
    faults: Sequence[Fault],
    rows: Sequence[EstimateRow],
) -> tuple[StageWarning, ...]:
    """All that is doubtful, in the order of its weight."""
    left_out = tuple(
        warn("estimate.left_out", "left out: {why} ({hint})", why=fault.words, hint=fault.hint)
        for fault in faults
        if fault.question not in {answers.question.name for answers, _ in own}
        and not fault.words.startswith("nobody")
    )
    return (
        *workspace.freshness.newer_answers("estimate"),
        *_without_scores(workspace, rows),
        *left_out,
        *(warning for answers, design in own for warning in _of(answers, design, corpus)),
    )


def _without_scores(workspace: Workspace, rows: Sequence[EstimateRow]) -> Iterator[StageWarning]:
    if workspace.tables.stored("scores"):
        yield from workspace.freshness.left_out("estimate", "scores")
    alone = list(dict.fromkeys(row.question for row in rows if row.powered is None))
    if alone:
        words = "{questions}: there are no predictions, so intervals use only labels and are wide"
        yield warn("estimate.no_predictions", words, questions=alone)


def _of(answers: Answers, design: Design, corpus: Corpus) -> Iterator[StageWarning]:
    """What is doubtful about the labels of one question."""
    name = answers.question.name
    if design.answered < design.asked:
        words = (
            "{question}: {missing:,} of {asked:,} texts that were sent have no label; the others "
            "of their round and stratum stand for them"
        )
        figures = {"missing": design.asked - design.answered, "asked": design.asked}
        yield warn("estimate.unanswered", words, question=name, **figures)
    others = len(set(answers.ids) - set(design.ids))
    if others:
        words = (
            "{question}: {others:,} labelled documents stand for no others (imports, relabelled "
            "texts and the like); they are in no estimate"
        )
        yield warn("estimate.not_drawn", words, question=name, others=others)
    if any(design.windows):
        words = "{question}: people saw a random window of long texts, and the estimate is of those"
        yield warn("estimate.windows", words, question=name)
    stood_for, documents = float(design.weights.sum()), corpus.whole.documents
    if abs(stood_for - documents) > GROWN * documents + 1:
        words = (
            "{question}: the labels stand for {stood_for:,} documents, the corpus has "
            "{documents:,}: it has changed since the rounds drew, or others were sent besides"
        )
        sizes = {"stood_for": round(stood_for), "documents": documents}
        yield warn("estimate.other_corpus", words, question=name, **sizes)
