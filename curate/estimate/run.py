"""Estimate every question from labels, their design and the documents; write estimates.json."""

from __future__ import annotations

from collections.abc import Sequence

from curate import storage
from curate.annotated.answers import answers_of, estimable
from curate.annotated.qualities import quality_of
from curate.errors import DataError
from curate.estimate.quality import COLUMN
from curate.estimate.reading import read_corpus
from curate.estimate.results import EstimateResult
from curate.estimate.rows import Estimable, rows_of, rows_of_quality
from curate.estimate.telling import Fault, fault_of, warnings_of
from curate.names import unknown
from curate.records import now
from curate.rounds.design import design_rows
from curate.workspace import Workspace
from curate.workspace.ledger import plain
from curate.workspace.predictions import predicted_questions

FILE = "estimates.json"
READS = ("pool", "clean", "labels", "sample", "scores")
GROUPS = ("source", "language", "license")


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
    answers = {one.answers.question.name: one.answers for one in own}
    quality = quality_of(workspace, answers) if has_scores else None
    ids = {id for question in own for id in question.answers.ids}
    corpus = read_corpus(workspace, by, [*columns, *([COLUMN] if quality else ())], ids)
    if not corpus.groups:
        raise DataError("no document is left to estimate for", hint="`clean` drops all of them")
    rows = [row for question in own for row in rows_of(question, corpus, columns)]
    if quality is not None:
        rows += rows_of_quality(quality, own, workspace.rounds.all(), corpus)
    result = EstimateResult(
        by,
        corpus.whole.documents,
        tuple(rows),
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
            "people were not asked about a share or a mean",
            hint="ask a choice or a rating: comparisons and comments have neither",
        )
    return DataError(faults[0].words, hint=faults[0].hint)


def _columns(workspace: Workspace, own: Sequence[Estimable]) -> dict[str, tuple[str, str]]:
    """The columns of scores with a value's probability: column → question and value."""
    names = {one.answers.question.name for one in own}
    return {
        column: (name, value)
        for name, learned in predicted_questions(workspace.tables).items()
        if name in names
        for column, value in zip(learned.columns, learned.values, strict=True)
    }
