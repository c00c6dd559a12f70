"""Run `agree`: settle every question, and measure how far people agree on it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from curate import tables
from curate.agree.annotators import annotator_rows, gold_shares
from curate.agree.doubts import doubts
from curate.agree.kinds import SETTLED, Settled, settled
from curate.agree.labels import label_rows
from curate.agree.results import PersonResult, QuestionResult, measured, sentences
from curate.agree.spec import AgreeSpec
from curate.agree.votes import Answer, collect
from curate.errors import NothingToDo
from curate.names import unknown
from curate.records import Kind, Question
from curate.stage import Stage, if_answered
from curate.warning import StageWarning, warn
from curate.workspace import Workspace

READS = ("annotations",)
WRITES = ("labels", "annotators")

NONE_LEFT = "the answers that were settled before are gone: no label is left"


@dataclass(frozen=True)
class AgreeResult:
    """Agreement on every question, and the numbers of labels, answers and people; pilots apart.

    `undecided` is the number of labels that have no value, `people` says how good everybody is.
    `excluded` are the answers that the settings leave out, by person or guideline. An answer is
    all that a person says of a text, however many questions the form asks; a comment alone is none.
    """

    labels: int
    undecided: int
    answers: int
    annotators: int
    questions: tuple[QuestionResult, ...]
    people: tuple[PersonResult, ...] = ()
    excluded: dict[str, int] = field(default_factory=dict)
    pilots: tuple[QuestionResult, ...] = ()
    notes: tuple[str, ...] = ()
    warnings: tuple[StageWarning, ...] = ()


def run(workspace: Workspace, spec: AgreeSpec) -> AgreeResult:
    """Settle every question over all rounds but pilots; an annotator's newest answer counts.

    Where all answers were withdrawn that there were labels of, no label is left. Raises NothingToDo
    if nobody has answered yet, or with comments alone, and RecipeError for people to exclude who
    have not answered.
    """
    workspace.tables.require("annotations")
    provenance = workspace.freshness.provenance(
        "agree",
        spec,
        workspace.tables.fingerprints(READS),
        submissions=workspace.rounds.count_submissions(),
        rounds=[round.number for round in workspace.rounds.all() if round.count_answers()],
    )
    asked = workspace.rounds.questions()
    kinds = {question.name: question.kind for question in asked}
    everything, of_pilots = collect(workspace), collect(workspace, pilots=True)
    _check_excluded(spec, [*everything, *of_pilots])
    collected, gold = _counting(everything, spec), gold_shares(workspace)
    answers = _of_kinds(collected, kinds)
    labels: list[dict[str, Any]] = []
    annotators: list[dict[str, Any]] = []
    results = []
    for whole, *parts in _settled(asked, answers, spec):
        annotators += annotator_rows(whole, gold)
        for one in (whole, *parts):
            labels += label_rows(one)
            results.append(measured(one, spec))
    pilots = tuple(
        measured(whole, spec)
        for whole, *_ in _settled(asked, _of_kinds(_counting(of_pilots, spec), kinds), spec)
    )
    is_empty = not labels and not pilots
    if is_empty and workspace.tables.stored("labels") is None:
        raise _nothing(has_answers=bool(answers))
    workspace.tables.write("labels", tables.rows("labels", labels), provenance)
    workspace.tables.write("annotators", tables.rows("annotators", annotators), provenance)
    return AgreeResult(
        labels=len(labels),
        undecided=sum(row["undecided"] for row in labels),
        answers=len({(own.task, own.annotator) for own in answers if own.kind in SETTLED}),
        annotators=len({answer.annotator for answer in answers}),
        questions=tuple(results),
        people=tuple(map(PersonResult.of, annotators)),
        excluded=_excluded(everything, spec),
        pilots=pilots,
        notes=tuple(line for result in (*results, *pilots) for line in sentences(result)),
        warnings=(
            *([warn("agree.none_left", NONE_LEFT)] if is_empty else ()),
            *_asked_otherwise(collected, kinds),
            *doubts(results),
        ),
    )


def _check_excluded(spec: AgreeSpec, answers: Sequence[Answer]) -> None:
    """Raise RecipeError for the first person, or guideline, to exclude that has no answers."""
    people = sorted({answer.annotator for answer in answers})
    guidelines = sorted({answer.guideline for answer in answers if answer.guideline})
    for name in spec.exclude if answers else ():
        if name not in people:
            raise unknown(f"agree.exclude: nobody called {name} has answered", name, people)
    for name in spec.exclude_guidelines if answers else ():
        if not any(digest.startswith(name) for digest in guidelines):
            complaint = f"agree.exclude_guidelines: no answer was given under {name}"
            raise unknown(complaint, name, guidelines)


def _counting(answers: Sequence[Answer], spec: AgreeSpec) -> list[Answer]:
    """The answers that count: of people, and under guidelines, that are not excluded."""
    return [answer for answer in answers if spec.counts(answer.annotator, answer.guideline)]


def _excluded(answers: Sequence[Answer], spec: AgreeSpec) -> dict[str, int]:
    """The number of answers that are left out, by the person or the guideline that was named."""
    left_out: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for answer in answers:
        if not spec.counts(answer.annotator, answer.guideline):
            is_named = answer.annotator in spec.exclude
            name = answer.annotator if is_named else f"guideline {answer.guideline}"
            left_out[name].add((answer.task, answer.annotator))
    return {name: len(submissions) for name, submissions in left_out.items()}


def _of_kinds(answers: Sequence[Answer], kinds: Mapping[str, Kind]) -> list[Answer]:
    """The answers to questions that are still of the kind that they were asked as."""
    return [answer for answer in answers if answer.kind == kinds[answer.question]]


def _asked_otherwise(answers: Sequence[Answer], kinds: Mapping[str, Kind]) -> list[StageWarning]:
    """A warning for answers to questions that a later form asks as another kind."""
    others = [answer.question for answer in answers if answer.kind != kinds[answer.question]]
    words = (
        "{answers} answers to {questions} are left out: a later form asks it as another kind; "
        "give a changed question another name"
    )
    questions = list(dict.fromkeys(others))
    warning = warn("agree.other_kind", words, answers=len(others), questions=questions)
    return [warning] if others else []


def _nothing(*, has_answers: bool) -> NothingToDo:
    if has_answers:
        return NothingToDo("the answers are only comments: there is nothing to settle")
    return NothingToDo(
        "nobody has answered yet", hint="run `curate pull` once people have labelled"
    )


def _settled(
    asked: Sequence[Question], answers: Sequence[Answer], spec: AgreeSpec
) -> list[list[Settled]]:
    """Every question with answers, and its parts."""
    own = {
        question.name: [one for one in answers if one.question == question.name]
        for question in asked
    }
    return [
        settled(question, own[question.name], spec.method)
        for question in asked
        if own[question.name] and question.kind in SETTLED
    ]


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
