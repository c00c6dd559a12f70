"""Learn every question from its labels: one model each, with its predictions out of fold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from curate.errors import NothingToDo, RecipeError
from curate.heads import InPieces, Learned, Lesson, Options, Pieces, Predicted, learn
from curate.progress import Advance
from curate.records import Question
from curate.score.labelled import Labelled
from curate.score.labels import Answered, Labels, labels_of
from curate.score.spec import ScoreSpec
from curate.warning import StageWarning, warn

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

Vectors = Mapping[str, "NDArray[np.float32]"]
"""Encoder → the vectors of the labelled documents: documents x dimension."""


@dataclass(frozen=True)
class Model:
    """What was learned of one question, and from which labels."""

    labels: Labels
    learned: Learned

    @property
    def name(self) -> str:
        """The name of the question."""
        return self.labels.question.name

    @property
    def out_of_fold(self) -> Predicted:
        """The predictions of the labels, in their order, by heads that never saw them."""
        return self.learned.out_of_fold

    @property
    def in_pieces(self) -> InPieces:
        """The same of the pieces that the labelled documents are scored in."""
        import numpy as np

        own = self.out_of_fold
        return self.learned.in_pieces or InPieces(own, np.arange(len(own.decided) + 1))


def teachable(
    questions: Mapping[str, Question],
    answered: Mapping[str, Mapping[str, Answered]],
    labelled: Labelled,
) -> tuple[list[Labels], tuple[StageWarning, ...]]:
    """The labels of every question that can be learned, and warnings of the others.

    Raises NothingToDo if none can be learned.
    """
    learnable, refused = [], {}
    for name, question in questions.items():
        try:
            learnable.append(labels_of(question, answered[name], labelled))
        except NothingToDo as error:
            refused[name] = error
    if not learnable:
        raise next(iter(refused.values()))
    words = "{question} is not learned: {why}"
    return learnable, tuple(
        warn("score.not_learned", words, question=name, why=error.message)
        for name, error in refused.items()
    )


def learn_all(
    spec: ScoreSpec,
    labels: Sequence[Labels],
    labelled: Labelled,
    vectors: Vectors,
    resamples: int,
    advance: Advance,
    pieces: Pieces | None = None,
) -> list[Model]:
    """Learn each question from its labels, with so many heads from resampled labels.

    `pieces` are those of all labelled documents, where these are not scored as a whole.
    """
    models, options = [], options_of(spec, resamples)
    for own in labels:
        models.append(Model(own, learn(lesson_of(spec, own, labelled, vectors, pieces), options)))
        advance(1)
    return models


def options_of(spec: ScoreSpec, resamples: int) -> Options:
    """The settings of the heads."""
    return Options(
        features=spec.features,
        class_weights=spec.class_weights,
        calibration=spec.calibration,
        calibrate_by_group=spec.calibrate_by is not None,
        centred=spec.centre_by is not None,
        folds=spec.folds,
        resamples=resamples,
        seed=spec.seed,
    )


def lesson_of(
    spec: ScoreSpec,
    labels: Labels,
    labelled: Labelled,
    vectors: Vectors,
    pieces: Pieces | None = None,
) -> Lesson:
    """The lesson of a question. The group of a comparison is that of its first document."""
    members = labels.members
    groups = {name: own[members[:, 0]] for name, own in labelled.groups.items()}
    if labels.is_of_documents:
        own, in_pieces = members[:, 0], pieces and pieces.take(members[:, 0])
        texts: Sequence[str] | Sequence[tuple[str, str]] = [labelled.texts[row] for row in own]
    else:
        own, in_pieces = members, None
        texts = [(labelled.texts[first], labelled.texts[second]) for first, second in members]
    return Lesson(
        kind=labels.question.kind,  # type: ignore[arg-type]
        values=labels.values,
        ids=labels.ids,
        truth=labels.truth,
        settled=labels.settled,
        vectors={encoder: of_documents[own] for encoder, of_documents in vectors.items()},
        texts=texts,
        groups=groups[spec.calibrate_by or "source"],
        background=labelled.background,
        centres=groups[spec.centre_by] if spec.centre_by else None,
        pieces=in_pieces,
    )


def require_learned(names: Sequence[str], labels: Sequence[Labels]) -> None:
    """Raise RecipeError if quality needs a question that cannot be learned."""
    learned = {own.question.name for own in labels}
    for name in names:
        if name not in learned:
            raise RecipeError(
                f"score.quality: {name} cannot be learned, and quality follows from it",
                hint="label more texts, or leave it out of the quality",
            )


def facts_of(models: Sequence[Model]) -> dict[str, Any]:
    """What the record of `scores` says of every question."""
    return {
        model.name: {
            "kind": model.labels.question.kind,
            "values": list(model.learned.values),
            "encoder": model.learned.encoder,
            "features": model.learned.choice.features,
        }
        for model in models
    }
