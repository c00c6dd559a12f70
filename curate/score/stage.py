"""Learn from people's labels what a good document is, and score every document.

    labels · clean ──score──▶ vectors · scores

Labelled documents are predicted by heads that never saw their labels (out of fold).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from curate import storage
from curate.embed import VectorShard, embed
from curate.engine import in_order
from curate.errors import NothingToDo
from curate.metrics import Classification, classification
from curate.names import unknown
from curate.records import Question
from curate.score.doubts import doubts
from curate.score.heads import LEARNERS
from curate.score.labels import Labels, assign_folds, read_labels
from curate.score.learning import Learned, Lesson, Predictions, learn_heads
from curate.score.predicting import Predict, ShardToScore
from curate.score.quality import quality_function
from curate.score.scaling import Scale, measure
from curate.score.spec import ScoreSpec
from curate.score.threads import one_thread
from curate.stage import Cost, Stage, if_learnable
from curate.storage import Provenance
from curate.warning import StageWarning
from curate.workspace import Workspace

READS = ("pool", "clean", "labels")
WRITES = ("scores",)

PROBED = 64
"""Documents that a dry run embeds to foresee the time of all."""


@dataclass(frozen=True)
class ScoreResult:
    """The question learned, the metrics out of fold, and the numbers of documents.

    Of the documents `labelled`, some are `undecided`: they count by their posterior, and are in no
    metric.
    """

    question: str
    encoder: str
    documents: int
    labelled: int
    undecided: int
    encoded: int
    strength: float
    temperature: float
    metrics: Classification
    mean_quality: float | None
    notes: tuple[str, ...] = ()
    warnings: tuple[StageWarning, ...] = ()


def run(workspace: Workspace, spec: ScoreSpec) -> ScoreResult:
    """Embed the kept documents, learn the question, and write quality and predictions.

    Raises RecipeError for an unknown question, NothingToDo for one that cannot be learned.
    """
    workspace.tables.require(*READS)
    inputs = workspace.tables.fingerprints(READS)
    question = _question(workspace, spec)
    quality_function(spec, question)  # what the recipe asks for is checked before the long work
    labels = read_labels(workspace, question)
    embedded = embed(workspace, spec.encoder)
    shards = embedded.shards(workspace)
    learned, labelled = _learn(spec, question, labels, measure(workspace, shards), shards)
    made = workspace.freshness.provenance(
        "score",
        spec,
        inputs,
        encoder=embedded.encoder,
        question=question.name,
        kind=question.kind,
        values=list(question.labels),
    )
    with _building(workspace, made, embedded.table) as folder:
        items = _with_labels(shards, labels, labelled)
        quality = _predict(workspace, Predict(folder, learned), items, embedded.documents)
    truth = labels.truth[labels.settled]
    metrics = classification(truth, labelled.probabilities[labels.settled], question.labels)
    told = doubts(question.name, metrics, truth, question.labels, labels.lost)
    return ScoreResult(
        question=question.name,
        encoder=embedded.encoder,
        documents=embedded.documents,
        labelled=len(labels.ids),
        undecided=int((~labels.settled).sum()),
        encoded=embedded.encoded,
        strength=learned.heads.inverse_strength,
        temperature=learned.heads.temperature,
        metrics=metrics,
        mean_quality=quality / embedded.documents if learned.quality else None,
        notes=_notes(embedded.note, labels),
        warnings=(*workspace.freshness.newer_answers("score"), *told),
    )


def _question(workspace: Workspace, spec: ScoreSpec) -> Question:
    questions = workspace.rounds.questions()
    parts = (part for question in questions for part in question.parts())
    learnable = {
        question.name: question for question in (*questions, *parts) if question.kind in LEARNERS
    }
    if not learnable:
        raise NothingToDo("the form asks nothing that can be learned", hint="Choices or Rating")
    name = spec.question or next(iter(learnable))
    if name not in learnable:
        raise unknown(f"score.question: no question {name} that can be learned", name, learnable)
    return learnable[name]


def _notes(encoder: str, labels: Labels) -> tuple[str, ...]:
    undecided = int((~labels.settled).sum())
    tied = (
        f"{undecided} labelled documents are undecided: they count by their posterior, get no "
        "predicted value, and are in no metric"
    )
    return tuple(note for note in (encoder, tied if undecided else "") if note)


def _learn(
    spec: ScoreSpec,
    question: Question,
    labels: Labels,
    scale: Scale,
    shards: Sequence[VectorShard],
) -> tuple[Learned, Predictions]:
    """Learn a question; return what was learned, and the predictions of labelled documents.

    Neither depends on the order of the documents.
    """
    import numpy as np

    parts = [shards[place].read(rows) for place, rows in labels.by_shard().items()]
    vectors, folds = scale.scaled(np.concatenate(parts)), assign_folds(labels.ids, spec)
    # Resamples are drawn by place: in the order of the ids they do not depend on that of the pool.
    order = np.argsort(labels.ids)
    lesson = Lesson(vectors[order], labels.truth[order], folds[order])
    learn = LEARNERS[question.kind](question.labels)
    quality = quality_function(spec, question)
    rng = np.random.default_rng(spec.seed)
    with one_thread():
        heads, labelled = learn_heads(learn, lesson, quality, spec.resamples, rng)
    learned = Learned(question.name, question.labels, scale, heads, quality)
    return learned, labelled.take(np.argsort(order))


def _predict(
    workspace: Workspace, predict: Predict, shards: Sequence[ShardToScore], documents: int
) -> float:
    """Write the scores of every shard; the sum of their qualities."""
    total = 0.0
    with workspace.watch("scoring", documents) as advance:
        for rows, quality in in_order(workspace.engine.each(predict, shards)):
            total += quality
            advance(rows)
    return total


def _with_labels(
    shards: Sequence[VectorShard], labels: Labels, labelled: Predictions
) -> list[ShardToScore]:
    """The shards with the predictions of their labelled documents."""
    import numpy as np

    return [
        ShardToScore(shard, labels.rows[own], labelled.take(own), labels.settled[own])
        for place, shard in enumerate(shards)
        for own in [np.flatnonzero(labels.shards == place)]
    ]


@contextmanager
def _building(workspace: Workspace, made: Provenance, vectors: str) -> Iterator[Path]:
    """Yield the folder of the scores, empty if an unfinished one is of other vectors."""
    content = workspace.tables.fingerprint(vectors)
    with workspace.tables.building("scores", made) as folder:
        of = folder / "_vectors.json"
        if storage.read_json(of) != content:
            for path in storage.shards(folder):
                path.unlink()
            storage.write_json(of, content)
        yield folder
        of.unlink()


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
    optional=True,
    bulk=True,
    cost=Cost(_embed, writes="vectors", alone=True, documents=PROBED),
)
