"""Learn from people what good documents are, and say it of every document.

    labels · clean ──score──▶ vectors · scores

Labelled documents are predicted by heads that never saw their labels (out of fold).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field, model_validator

from curate import chance, tables
from curate.embed import embed
from curate.errors import DataError, RecipeError
from curate.metrics import Classification, classification
from curate.records import Question
from curate.score.heads import LEARNERS, Scored, fit
from curate.spec import Spec
from curate.workspace import Workspace

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

READS = ("pool", "clean", "labels")
WRITES = ("scores",)

MIN_LABELS = 10


class QualitySpec(Spec):
    """How quality follows from the predicted answers; it lies between 0 and 1."""

    values: Annotated[
        dict[str, float] | None, Field(description="Value → quality; the expectation is taken.")
    ] = None
    clarity: Annotated[
        tuple[str, ...] | None, Field(description="The largest of these classes' probabilities.")
    ] = None

    @model_validator(mode="after")
    def _one(self) -> QualitySpec:
        if (self.values is None) == (self.clarity is None):
            raise ValueError("give either `values` or `clarity`")
        return self


class ScoreSpec(Spec):
    """Which question is learned, by which encoder, and what quality means."""

    question: Annotated[
        str | None, Field(description="The question to learn; by default the form's first.")
    ] = None
    quality: Annotated[
        QualitySpec | None, Field(description="By default a rating scaled to 0..1; else none.")
    ] = None
    encoder: Annotated[
        str, Field(description="auto, minilm, use-m3, chargram, or a SentenceTransformer.")
    ] = "auto"
    folds: Annotated[int, Field(ge=2, description="Folds for labelled documents.")] = 5
    resamples: Annotated[int, Field(ge=2, description="Heads behind the interval.")] = 20
    seed: Annotated[int, Field(description="Seed of folds and resamples.")] = 0


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
    posteriors, held = _posteriors(workspace, question), _held_out(workspace)
    embedded = embed(workspace, spec.encoder)
    ids, vectors = embedded.vectors(workspace)
    lost = len(posteriors.keys() - held - set(ids))
    posteriors = {id: each for id, each in posteriors.items() if id not in held}
    rows, truth = _labelled(ids, posteriors, question)
    folds = _folds([ids[row] for row in rows], spec)
    learn = LEARNERS[question.kind](question.labels)
    with threadpool_limits(1):  # on small matrices threads only wait for each other
        scored = fit(learn, vectors, rows, truth, folds, np.random.default_rng(spec.seed))
        quality = _quality(scored, quality_of, spec.resamples)
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


def quality_function(
    spec: ScoreSpec, question: Question
) -> Callable[[NDArray[np.float64]], NDArray[np.float64]] | None:
    """Return what turns probabilities, documents x values, into quality; None if nothing does.

    Raises RecipeError where the recipe names a value that the question does not have.
    """
    import numpy as np

    values, given = question.labels, spec.quality
    if given is None and question.kind != "rating":
        return None
    if given is not None and given.clarity is not None:
        places = [_place(name, values) for name in given.clarity]
        return lambda probabilities: probabilities[:, places].max(axis=1)
    if given is not None and given.values is not None:
        for name in given.values:
            _place(name, values)
        missing = [value for value in values if value not in given.values]
        if missing:
            raise RecipeError(f"score.quality.values: what is the quality of {missing[0]}?")
        weights = np.array([given.values[value] for value in values])
    else:
        weights = np.linspace(0, 1, len(values))
    return lambda probabilities: probabilities @ weights


def _place(name: str, values: tuple[str, ...]) -> int:
    if name not in values:
        raise RecipeError(
            f"score.quality: the question has no value {name}", hint=", ".join(values)
        )
    return values.index(name)


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


def _posteriors(workspace: Workspace, question: Question) -> dict[str, dict[str, float]]:
    rows = workspace.read("labels", ["id", "question", "posterior"]).to_pylist()
    return {r["id"]: json.loads(r["posterior"]) for r in rows if r["question"] == question.name}


def _held_out(workspace: Workspace) -> set[str]:
    """Return the documents kept to measure on: a label that was brought in teaches nothing."""
    pool = workspace.read("pool", ["id", "holdout"])
    return set(pool.filter(pool["holdout"])["id"].to_pylist())


def _notes(encoder: str, lost: int) -> tuple[str, ...]:
    dropped = f"{lost} labelled documents teach nothing, since `clean` has dropped them"
    return tuple(note for note in (encoder, dropped if lost else "") if note)


def _labelled(
    ids: list[str], posteriors: dict[str, dict[str, float]], question: Question
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the rows of labelled documents and their posteriors, documents x values."""
    import numpy as np

    # An answer that the form no longer offers teaches nothing.
    able = {id for id, each in posteriors.items() if any(each.get(v, 0) for v in question.labels)}
    rows = [row for row, id in enumerate(ids) if id in able]
    if len(rows) < MIN_LABELS:
        raise DataError(
            f"{len(rows)} labelled documents are too few to learn from",
            hint=f"label at least {MIN_LABELS}",
        )
    known = [posteriors[ids[row]] for row in rows]
    truth = np.array([[each.get(value, 0.0) for value in question.labels] for each in known])
    truth /= truth.sum(axis=1, keepdims=True)
    if len(set(truth.argmax(axis=1).tolist())) < 2:
        raise DataError(
            f"all labels of {question.name} are the same: there is nothing to learn",
            hint="label more texts, or chosen otherwise",
        )
    return np.array(rows, np.int64), truth


def _folds(ids: list[str], spec: ScoreSpec) -> NDArray[np.int64]:
    import numpy as np

    order = np.argsort(chance.uniform(ids, spec.seed, "fold"))
    folds = np.empty(len(ids), np.int64)
    folds[order] = np.arange(len(ids)) % spec.folds
    return folds


def _quality(
    scored: Scored,
    quality_of: Callable[[NDArray[np.float64]], NDArray[np.float64]] | None,
    resamples: int,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]] | None:
    """Return quality and its 5 % and 95 % quantiles over bootstrap heads."""
    import numpy as np

    if quality_of is None:
        return None
    spread = np.stack([quality_of(each) for each in scored.resampled(resamples)])
    middle = quality_of(scored.probabilities)
    always = np.isnan(spread).all(axis=0)  # in every resample: nothing but its own prediction
    spread[:, always] = middle[always]
    low, high = np.nanquantile(spread, [0.05, 0.95], axis=0)
    return middle, np.fmin(low, middle), np.fmax(high, middle)


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
