"""Learn from people what good documents are, and say it of every document.

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
from curate.workspace import Workspace

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

READS = ("pool", "clean", "labels")
WRITES = ("scores",)


@dataclass(frozen=True)
class ScoreResult:
    """What was learned, how well out of fold, and from how much."""

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
    """Embed what `clean` kept, learn the question, and write quality and predictions."""
    import numpy as np
    from threadpoolctl import threadpool_limits

    workspace.require(*READS)
    inputs = workspace.inputs(READS)
    question = _question(workspace, spec)
    quality_of = quality_function(spec, question)
    posteriors, held = read_posteriors(workspace, question), held_out(workspace)
    embedded = embed(workspace, spec.encoder)
    ids, vectors = embedded.vectors(workspace)
    lost = len(posteriors.keys() - held - set(ids))
    posteriors = {id: each for id, each in posteriors.items() if id not in held}
    rows, truth = labelled_rows(ids, posteriors, question)
    folds = assign_folds([ids[row] for row in rows], spec)
    learn = LEARNERS[question.kind](question.labels)
    with threadpool_limits(1):  # on small matrices threads only wait for each other
        scored = fit(learn, vectors, rows, truth, folds, np.random.default_rng(spec.seed))
        quality = quality_rows(scored, quality_of, spec.resamples)
    made = workspace.provenance(
        "score",
        spec,
        inputs,
        encoder=embedded.encoder,
        question=question.name,
        kind=question.kind,
        values=list(question.labels),
    )
    workspace.write("scores", _table(ids, rows, scored, question, quality), made)
    return ScoreResult(
        question=question.name,
        encoder=embedded.encoder,
        documents=len(ids),
        labelled=len(rows),
        encoded=embedded.encoded,
        strength=scored.strength,
        temperature=scored.temperature,
        metrics=classification(truth, scored.probabilities[rows], question.labels),
        mean_quality=None if quality is None else float(quality[0].mean()),
        notes=_notes(embedded.note, lost),
    )


def _question(workspace: Workspace, spec: ScoreSpec) -> Question:
    asked = workspace.questions()
    every = [*asked, *(part for question in asked for part in question.parts())]
    known = {q.name: q for q in every if q.kind in LEARNERS}
    if not known:
        raise DataError("the form asks nothing that can be learned", hint="Choices or Rating")
    name = spec.question or next(iter(known))
    if name not in known:
        raise RecipeError(
            f"score.question: no question {name} that can be learned",
            hint=f"there are: {', '.join(known)}",
        )
    return known[name]


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
    guess = scored.probabilities.argmax(axis=1)
    columns: dict[str, Any] = {
        "id": pa.array(ids, pa.string()),
        **dict(zip(("quality", "low", "high"), quality or (empty,) * 3, strict=True)),
        "out_of_fold": out_of_fold,
        tables.predicted(question.name): pa.array([question.labels[each] for each in guess]),
    }
    for place, value in enumerate(question.labels):
        columns[f"{question.name}:{value}"] = scored.probabilities[:, place]
    return pa.table(columns)
