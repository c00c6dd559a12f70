"""Predictions of labelled texts, or of their pieces, by heads that never saw the text's label."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from curate.heads.calibration import Grouped
from curate.heads.choosing import Chosen
from curate.heads.fitting import Head
from curate.heads.foretelling import Material
from curate.heads.learned import InPieces, Predicted, Weights
from curate.heads.lesson import Lesson, Pieces

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


@dataclass(frozen=True)
class Settled:
    """What was chosen on some rows: a candidate, its head and calibrator, the decision's weights.

    The head is the mean of the heads of the folds, whose calibration is known. A head of all rows
    would be surer than these: the outputs of regularised heads grow with their number of rows.
    """

    chosen: Chosen
    head: Head
    calibrator: Grouped
    class_weight: str
    log_weights: Array


@dataclass(frozen=True)
class Resampled:
    """Heads of resampled labels, and how often each holds each row: heads x rows."""

    material: Material
    heads: Sequence[Head]
    counts: NDArray[np.int64]


@dataclass(frozen=True)
class Targets:
    """What is predicted: labelled texts, or their `pieces`; `owners` are the rows of their texts.

    `columns` are the character n-grams of the pieces.
    """

    owners: NDArray[np.int64]
    pieces: Pieces | None
    columns: Any

    @classmethod
    def of(cls, lesson: Lesson, materials: Sequence[Material]) -> Targets:
        """The texts of a lesson, or their pieces if it has any."""
        import numpy as np

        pieces = lesson.pieces
        if pieces is None:
            return cls(np.arange(len(lesson.ids)), None, None)
        characters = next((m.space.characters for m in materials if m.space.characters), None)
        columns = None if characters is None else characters(pieces.texts)
        return cls(pieces.owners(), pieces, columns)

    def logits(self, material: Material, head: Head, places: NDArray[np.int64]) -> Array:
        """The logits of some targets by a head: places x values."""
        if self.pieces is None:
            return material.learner.logits(head.outputs(material.taught.features[places]))
        space = material.space
        vectors = self.pieces.vectors[space.encoder][places] if space.encoder else None
        columns = self.columns[places] if space.characters else None
        outputs = Weights.of(space, [head]).outputs(vectors, columns)[:, 0]
        return material.learner.logits(outputs)

    def samples(self, resampled: Resampled) -> Array:
        """The logits by resampled heads: heads x targets x values; NaN where one saw the text."""
        import numpy as np

        values = resampled.material.taught.truth.shape[1]
        logits = np.full((len(resampled.heads), len(self.owners), values), np.nan)
        for own, head, counts in zip(logits, resampled.heads, resampled.counts, strict=True):
            unseen = np.flatnonzero(counts[self.owners] == 0)
            own[unseen] = self.logits(resampled.material, head, unseen)
        return logits


def out_of_fold(
    lesson: Lesson,
    materials: Sequence[Material],
    nested: Sequence[Settled],
    folds: NDArray[np.int64],
    resampled: Resampled,
) -> InPieces:
    """The predictions of labelled texts in pieces; all that predicts a fold was made of the others.

    Where the lesson has no pieces, each text is one.
    """
    import numpy as np

    targets = Targets.of(lesson, materials)
    samples = targets.samples(resampled)
    groups, fold_of = lesson.groups[targets.owners], folds[targets.owners]
    probabilities, decided = np.empty(samples.shape[1:]), np.empty(len(fold_of), np.int64)
    for fold, settled in enumerate(nested):
        inside = np.flatnonzero(fold_of == fold)
        logits = targets.logits(materials[settled.chosen.candidate], settled.head, inside)
        probabilities[inside] = settled.calibrator(logits, groups[inside])
        decided[inside] = np.argmax(logits + settled.log_weights, axis=1)
        own = settled.calibrator(np.moveaxis(samples[:, inside], 1, 0), groups[inside])
        samples[:, inside] = np.moveaxis(own, 0, 1)
    columns = 1 if lesson.kind == "preference" else samples.shape[-1]
    predicted = Predicted(probabilities[:, :columns], decided, samples[..., :columns])
    starts = np.arange(len(folds) + 1) if lesson.pieces is None else lesson.pieces.starts
    return InPieces(predicted, starts)
