"""Estimate every question from labels, their design and the documents; write estimates.json."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from curate import storage
from curate.errors import DataError
from curate.estimate.answers import Answers, answers_of, estimable
from curate.estimate.measuring import Part, measured, targets
from curate.estimate.reading import Corpus, Group, read_corpus
from curate.estimate.results import EstimateResult, EstimateRow
from curate.estimate.telling import Fault, fault_of, warnings_of
from curate.names import unknown
from curate.records import now
from curate.rounds.design import Design, design_rows
from curate.workspace import Workspace
from curate.workspace.ledger import plain

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

FILE = "estimates.json"
READS = ("pool", "clean", "labels", "sample", "scores")
GROUPS = ("source", "language", "license")


@dataclass(frozen=True)
class Estimable:
    """A question with its labels, and those of them that stand for the corpus."""

    answers: Answers
    design: Design


def run(workspace: Workspace, by: str = "source") -> EstimateResult:
    """Estimate shares and means in the corpus and in its groups, and write estimates.json.

    Raises RecipeError for a column that makes no groups, MissingInput without labels, StaleInput if
    labels or documents are outdated, and DataError if no label stands for the corpus. Scores that
    are outdated or not there are done without.
    """
    if by not in GROUPS:
        raise unknown(f"--by: no groups by {by}", by, GROUPS)
    workspace.tables.require("pool", "clean", "labels")
    workspace.freshness.check("clean", "labels")
    has_scores = workspace.freshness.fits("scores", "clean", "labels")
    own, faults = _estimable(workspace)
    if not own:
        raise _nothing(faults)
    columns = _columns(workspace, own) if has_scores else {}
    ids = {id for question in own for id in question.answers.ids}
    corpus = read_corpus(workspace, by, [*columns], ids)
    if not corpus.groups:
        raise DataError("no document is left to estimate for", hint="`clean` drops all of them")
    rows = tuple(row for question in own for row in _rows(question, corpus, columns))
    result = EstimateResult(
        by,
        corpus.whole.documents,
        rows,
        workspace.tables.fingerprints(READS),
        warnings_of(workspace, [(one.answers, one.design) for one in own], corpus, faults, rows),
    )
    record = {"made": now(), **plain(result)}
    storage.write_json(workspace.root / FILE, record)
    return result


def _estimable(workspace: Workspace) -> tuple[list[Estimable], list[Fault]]:
    """The questions that can be estimated, and why each of the others cannot."""
    labels = workspace.tables.read("labels")
    rounds = workspace.rounds.all()
    own, faults = [], []
    for question in estimable(workspace.rounds.questions()):
        answers = answers_of(question, labels)
        design = design_rows(rounds, answers.windows)
        fault = fault_of(answers, design)
        if fault:
            faults.append(fault)
        else:
            own.append(Estimable(answers, design))
    return own, faults


def _nothing(faults: Sequence[Fault]) -> DataError:
    if not faults:
        return DataError(
            "people were asked nothing that has a share or a mean",
            hint="ask a choice or a rating: comparisons and comments have neither",
        )
    return DataError(faults[0].words, hint=faults[0].hint)


def _columns(workspace: Workspace, own: Sequence[Estimable]) -> dict[str, tuple[str, str]]:
    """The columns of scores with a value's probability: column → question and value."""
    learned = workspace.tables.made("scores").facts.get("questions", {})
    return {
        f"{name}:{value}": (name, value)
        for name in (one.answers.question.name for one in own)
        for value in learned.get(name, {}).get("values", ())
    }


def _rows(
    own: Estimable, corpus: Corpus, columns: Mapping[str, tuple[str, str]]
) -> Iterator[EstimateRow]:
    """The rows of a question."""
    name = own.answers.question.name
    places = {
        value: place for place, (question, value) in enumerate(columns.values()) if question == name
    }
    answers = own.answers.only(corpus.group_of)
    drawn = [row for row, id in enumerate(own.design.ids) if id in corpus.group_of]
    ids = [own.design.ids[row] for row in drawn]
    groups = [corpus.group_of[id] for id in ids]
    predicted = _predicted(answers.ids, corpus, places)
    rows = answers.rows(ids)
    for target in targets(answers, predicted):
        parts = list(_parts(corpus, places, answers))
        yield from measured(target.at(rows), own.design.weights[drawn], groups, parts)


def _predicted(ids: Sequence[str], corpus: Corpus, places: Mapping[str, int]) -> dict[str, Array]:
    """The predictions of labelled documents, by value; an unknown one is the mean of all."""
    import numpy as np

    if not places:
        return {}
    means = _means(corpus.whole)
    own = np.stack([corpus.predicted[id] for id in ids]) if ids else np.zeros((0, len(means)))
    own = np.where(np.isnan(own), means, own)
    return {value: own[:, place] for value, place in places.items()}


def _means(group: Group) -> Array:
    import numpy as np

    return np.asarray(group.sums / np.maximum(group.known, 1))


def _parts(corpus: Corpus, places: Mapping[str, int], answers: Answers) -> Iterator[Part]:
    """The corpus, then its groups by name, with their mean predictions by value."""
    named = [(None, corpus.whole), *sorted(corpus.groups.items())]
    for name, group in named:
        means = _means(group)
        by_value = {value: float(means[places[value]]) if value in places else 0.0
                    for value in answers.values}  # fmt: skip
        if answers.is_rating:
            mean = sum(float(value) * share for value, share in by_value.items())
            by_value = {"": mean}
        yield Part(name, group.documents, by_value)
