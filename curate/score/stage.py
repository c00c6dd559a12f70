"""Learn from people's labels what a good document is, and score every document.

    labels · clean ──score──▶ vectors · scores

Labelled documents are predicted by heads that never saw their labels (out of fold).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from curate import storage, tables
from curate.annotated.quality import Quality, quality_function
from curate.embed import Vectors, embed
from curate.engine import in_order
from curate.inference.drift import Drift
from curate.records import Question
from curate.score.doubting import Doubtful, DoubtfulLabel, find_doubtful, told
from curate.score.doubts import doubts, lost_labels, quality_doubts
from curate.score.drifting import look
from curate.score.embedding import embed_all, encoders_of, labelled_pieces, means_of, window_of
from curate.score.intervals import half_width
from curate.score.labelled import Labelled, find_labelled
from curate.score.labels import read_answered
from curate.score.learning import Model, facts_of, learn_all, require_learned, teachable
from curate.score.measuring import (
    Known,
    QualityScore,
    QuestionScore,
    figures_of,
    known_qualities,
    quality_score,
    question_score,
)
from curate.score.predicting import Predict, ShardToScore, items_of
from curate.score.questions import chosen
from curate.score.scorer import Scorer
from curate.score.spec import ScoreSpec
from curate.score.storing import save_scorer
from curate.score.summing import Summed
from curate.score.trusting import Trusts, trusts_of
from curate.stage import Cost, Stage, if_learnable
from curate.storage import Provenance
from curate.warning import StageWarning
from curate.workspace import Workspace

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

READS = ("pool", "clean", "labels")
WRITES = ("scores", "doubtful")

PROBED = 64
"""Documents that a dry run embeds to foresee the time of all."""


@dataclass(frozen=True)
class ScoreResult:
    """The questions learned with their figures out of fold, the quality, numbers of documents.

    `abstained` counts documents of groups whose probabilities do not fit their labels, `doubtful`
    labels that heads and neighbours contradict.
    """

    question: str
    encoder: str
    documents: int
    labelled: int
    encoded: int
    abstained: int
    mean_quality: float | None
    questions: tuple[QuestionScore, ...]
    quality: QualityScore
    drift: Drift | None
    doubtful: int
    most_doubtful: tuple[DoubtfulLabel, ...]
    notes: tuple[str, ...] = ()
    warnings: tuple[StageWarning, ...] = ()


def run(workspace: Workspace, spec: ScoreSpec) -> ScoreResult:
    """Embed the kept documents, learn the questions, and write quality and predictions.

    Raises RecipeError for an unknown question, NothingToDo if none can be learned.
    """
    workspace.tables.require(*READS)
    inputs = workspace.tables.fingerprints(READS)
    questions = chosen(spec.question, workspace.rounds.questions())
    quality = quality_function(spec.quality, questions)  # a fault is told before the long work
    learning = _learn(workspace, spec, questions, quality)
    known = known_qualities(quality, learning.models, spec.windows)
    scorer = _scorer(workspace, spec, learning, quality, known)
    names = dict.fromkeys((*learning.embedded, *scorer.encoders))
    embedded = embed_all(workspace, spec, names, learning.embedded)
    looked = look(workspace, learning.labelled, embedded, spec.seed)
    measured = tuple(map(question_score, learning.models))
    of_quality = quality_score(known, learning.labelled, scorer.half_width)
    facts = {
        "questions": facts_of(learning.models),
        "figures": figures_of(measured),
        "quality": asdict(of_quality) if known else None,
        "drift": looked.drift and asdict(looked.drift),
    }
    encoder = ", ".join(vectors.encoder for vectors in embedded.values()) or "characters"
    made = workspace.freshness.provenance("score", spec, inputs, encoder=encoder, **facts)
    with _building(workspace, made, embedded) as folder:
        save_scorer(folder, scorer, spec, _kinds(learning.models), embedded)
        vectors = {name: own.shards(workspace) for name, own in embedded.items()}
        shards = workspace.documents.shards()
        items = items_of(shards, vectors, learning.models, learning.labelled)
        summed = _predict(workspace, Predict(folder, scorer), items)
    doubtful = find_doubtful(workspace, spec, learning.models, learning.labelled, learning.vectors)
    workspace.tables.write("doubtful", tables.rows("doubtful", doubtful.rows()), made)
    of_quality = replace(of_quality, mean=summed.mean())
    return ScoreResult(
        question=", ".join(model.name for model in learning.models),
        encoder=encoder,
        documents=summed.documents,
        labelled=len(learning.teachers()),
        encoded=sum(vectors.encoded for vectors in embedded.values()),
        abstained=summed.abstained,
        mean_quality=summed.mean(),
        questions=measured,
        quality=of_quality,
        drift=looked.drift,
        doubtful=doubtful.wrong,
        most_doubtful=told(workspace, doubtful.shown()),
        notes=(*learning.notes, *_undecided(measured), *_wrong(doubtful)),
        warnings=(
            *workspace.freshness.newer_answers("score"),
            *looked.warnings(),
            *_doubts(learning, measured, of_quality, summed),
        ),
    )


# ── learning


@dataclass(frozen=True)
class _Learning:
    """What was learned, of which documents, and the vectors of all that were made on the way.

    `vectors` are those of the labelled documents; `trusts` say where probabilities fit labels.
    """

    models: list[Model]
    labelled: Labelled
    embedded: Mapping[str, Vectors]
    vectors: Mapping[str, NDArray[np.float32]]
    trusts: Trusts
    notes: tuple[str, ...]
    warnings: tuple[StageWarning, ...]

    def teachers(self) -> set[int]:
        """The labelled documents that some question is learned from."""
        return {row for model in self.models for row in model.labels.members.ravel().tolist()}


def _learn(
    workspace: Workspace,
    spec: ScoreSpec,
    questions: Mapping[str, Question],
    quality: Quality | None,
) -> _Learning:
    """Learn every question; where encoders are to choose from, the labelled texts decide."""
    answered = {name: read_answered(workspace, one) for name, one in questions.items()}
    ids = {id for labels in answered.values() for label in labels.values() for id in label.members}
    labelled = find_labelled(workspace, ids)
    labels, warnings = teachable(questions, answered, labelled)
    if quality is not None:
        require_learned(quality.questions, labels)
    names, reason = encoders_of(workspace, spec)
    embedded = embed_all(workspace, spec, names if len(names) == 1 else (), {})
    pieces = labelled_pieces(workspace, spec, labelled, names, embedded)
    vectors = means_of(pieces)
    resamples = spec.resamples if quality is not None else 0
    with workspace.watch("learning", len(labels)) as advance:
        in_pieces = pieces if spec.windows else None
        models = learn_all(spec, labels, labelled, vectors, resamples, advance, in_pieces)
    notes = (reason, *(own.note for own in embedded.values()))
    trusts = trusts_of(spec, models, labelled)
    told = tuple(filter(None, notes))
    return _Learning(models, labelled, embedded, vectors, trusts, told, warnings)


def _scorer(
    workspace: Workspace,
    spec: ScoreSpec,
    learning: _Learning,
    quality: Quality | None,
    known: Known | None,
) -> Scorer:
    """What predicts: a group abstains if a question that quality follows from is not trusted."""
    return Scorer(
        learned={model.name: model.learned for model in learning.models},
        quality=quality,
        windows=spec.windows,
        half_width=half_width(known, learning.labelled, workspace),
        group_by=spec.calibrate_by,
        abstaining=learning.trusts.abstaining(None if quality is None else quality.questions),
    )


def _kinds(models: Sequence[Model]) -> dict[str, str]:
    return {model.name: model.labels.question.kind for model in models}


# ── predicting


def _predict(workspace: Workspace, predict: Predict, shards: Sequence[ShardToScore]) -> Summed:
    """Write the scores of every shard; the sums of their qualities."""
    total, documents = Summed(), workspace.tables.rows("clean")
    with workspace.watch("scoring", documents) as advance:
        for part in in_order(workspace.engine.each(predict, shards)):
            total += part
            advance(part.documents)
    return total


@contextmanager
def _building(
    workspace: Workspace, made: Provenance, embedded: Mapping[str, Vectors]
) -> Iterator[Path]:
    """Yield the folder of the scores, empty if an unfinished one is of other vectors."""
    content = {own.table: workspace.tables.fingerprint(own.table) for own in embedded.values()}
    with workspace.tables.building("scores", made) as folder:
        of = folder / "_vectors.json"
        if storage.read_json(of) != content:
            for path in storage.shards(folder):
                path.unlink()
            storage.write_json(of, content)
        yield folder
        of.unlink()


# ── what is told


def _doubts(
    learning: _Learning,
    measured: Sequence[QuestionScore],
    of_quality: QualityScore,
    summed: Summed,
) -> Iterator[StageWarning]:
    yield from learning.warnings
    yield from lost_labels([model.labels for model in learning.models])
    for model, own in zip(learning.models, measured, strict=True):
        yield from doubts(own.metrics, model.labels)
    yield from learning.trusts.doubts(summed.abstained)
    yield from quality_doubts(of_quality, summed)


def _wrong(doubtful: Doubtful) -> Iterator[str]:
    if doubtful.wrong:
        yield (
            f"{doubtful.wrong} labels are doubtful (heads and neighbours contradict them): "
            "`curate sample --relabel doubtful` sends the first of them again"
        )


def _undecided(measured: Sequence[QuestionScore]) -> Iterator[str]:
    for own in measured:
        if own.undecided:
            yield (
                f"{own.undecided} labels of {own.question} are undecided: they count by their "
                "posterior, get no predicted value, and are in no metric"
            )


def _embed(workspace: Workspace, spec: ScoreSpec) -> None:
    names, _ = encoders_of(workspace, spec)
    embed(workspace, names[0] if names else spec.encoder, window_of(spec))


STAGE = Stage(
    name="score",
    spec=ScoreSpec,
    run=run,
    reads=READS,
    writes=WRITES,
    examples=("curate score --encoder minilm", "curate score --question sentiment"),
    takes_part=if_learnable,
    optional=True,
    bulk=True,
    cost=Cost(_embed, writes="vectors", alone=True, documents=PROBED),
)
