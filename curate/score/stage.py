"""Learn from people's labels what a good document is, and score every document.

    labels · clean ──score──▶ vectors · scores

Labelled documents are predicted by heads that never saw their labels (out of fold).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from curate import tables
from curate.embed import embed
from curate.errors import DataError, RecipeError
from curate.metrics import Classification, classification
from curate.records import Question
from curate.score.heads import LEARNERS
from curate.score.labels import assign_folds, held_out, labelled_rows, read_posteriors
from curate.score.learning import Scored, fit
from curate.score.quality import quality_function, quality_rows
from curate.score.spec import ScoreSpec
from curate.stage import Cost, Stage, if_learnable
from curate.workspace import Workspace

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

READS = ("pool", "clean", "labels")
WRITES = ("scores",)

PROBED = 64
"""Documents that a dry run embeds to foresee the time of all."""


@dataclass(frozen=True)
class ScoreResult:
    """The question learned, the metrics out of fold, and the numbers of documents."""

    question: str
    encoder: str
    documents: int
    labelled: int
    encoded: int
    strength: float
    temperature: float
    metrics: Classification
    mean_quality: float | None
    notes: tuple[str, ...] = ()


def run(workspace: Workspace, spec: ScoreSpec) -> ScoreResult:
    """Embed the kept documents, learn the question, and write quality and predictions.

    Raises RecipeError or DataError if the question cannot be learned.
    """
    import numpy as np
    from threadpoolctl import threadpool_limits

    workspace.tables.require(*READS)
    inputs = workspace.tables.fingerprints(READS)
    question = _question(workspace, spec)
    quality_of = quality_function(spec, question)
    posteriors, holdout = read_posteriors(workspace, question), held_out(workspace)
    embedded = embed(workspace, spec.encoder)
    ids, vectors = embedded.vectors(workspace)
    lost = len(posteriors.keys() - holdout - set(ids))
    posteriors = {id: posterior for id, posterior in posteriors.items() if id not in holdout}
    rows, truth = labelled_rows(ids, posteriors, question)
    folds = assign_folds([ids[row] for row in rows], spec)
    learn = LEARNERS[question.kind](question.labels)
    with threadpool_limits(1):  # on small matrices threads only wait for each other
        scored = fit(learn, vectors, rows, truth, folds, np.random.default_rng(spec.seed))
        quality = quality_rows(scored, quality_of, spec.resamples)
    provenance = workspace.freshness.provenance(
        "score",
        spec,
        inputs,
        encoder=embedded.encoder,
        question=question.name,
        kind=question.kind,
        values=list(question.labels),
    )
    workspace.tables.write("scores", _table(ids, rows, scored, question, quality), provenance)
    return ScoreResult(
        question=question.name,
        encoder=embedded.encoder,
        documents=len(ids),
        labelled=len(rows),
        encoded=embedded.encoded,
        strength=scored.inverse_strength,
        temperature=scored.temperature,
        metrics=classification(truth, scored.probabilities[rows], question.labels),
        mean_quality=None if quality is None else float(quality[0].mean()),
        notes=_notes(embedded.note, lost),
    )


def _question(workspace: Workspace, spec: ScoreSpec) -> Question:
    questions = workspace.rounds.questions()
    parts = (part for question in questions for part in question.parts())
    learnable = {
        question.name: question for question in (*questions, *parts) if question.kind in LEARNERS
    }
    if not learnable:
        raise DataError("the form asks nothing that can be learned", hint="Choices or Rating")
    name = spec.question or next(iter(learnable))
    if name not in learnable:
        raise RecipeError(
            f"score.question: no question {name} that can be learned",
            hint=f"there are: {', '.join(learnable)}",
        )
    return learnable[name]


def _notes(encoder: str, lost: int) -> tuple[str, ...]:
    dropped = f"{lost} labelled documents teach nothing, since `clean` has dropped them"
    return tuple(note for note in (encoder, dropped if lost else "") if note)


def _table(
    ids: list[str],
    rows: NDArray[np.int64],
    scored: Scored,
    question: Question,
    quality: tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]] | None,
) -> pa.Table:
    import numpy as np
    import pyarrow as pa

    out_of_fold = np.zeros(len(ids), bool)
    out_of_fold[rows] = True
    empty = pa.nulls(len(ids), pa.float64())
    best = scored.probabilities.argmax(axis=1)
    columns: dict[str, Any] = {
        "id": pa.array(ids, pa.string()),
        **dict(zip(("quality", "low", "high"), quality or (empty,) * 3, strict=True)),
        "out_of_fold": out_of_fold,
        tables.predicted(question.name): pa.array([question.labels[place] for place in best]),
    }
    for place, value in enumerate(question.labels):
        columns[f"{question.name}:{value}"] = scored.probabilities[:, place]
    return pa.table(columns)


def _embed(workspace: Workspace, spec: ScoreSpec) -> None:
    embed(workspace, spec.encoder)


STAGE = Stage(
    name="score",
    spec=ScoreSpec,
    run=run,
    reads=READS,
    writes=WRITES,
    examples=("curate score --encoder minilm",),
    takes_part=if_learnable,
    cost=Cost(_embed, writes="vectors", alone=True, documents=PROBED),
)
