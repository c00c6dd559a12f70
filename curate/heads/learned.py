"""What was learned of one question: a small value of arrays that predicts, and its predictions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from curate.heads.calibration import Grouped
from curate.heads.choosing import Choice
from curate.heads.features import Characters, Space
from curate.heads.fitting import Head
from curate.heads.learners import LEARNERS
from curate.heads.lesson import Kind, pieces_at

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


@dataclass(frozen=True)
class Predicted:
    """Calibrated probabilities (rows x values), the predicted value (its place), and the spread.

    `samples` are the probabilities by resampled heads, heads x rows x values: NaN where a head saw
    the label of a row. For preferences the one column is the probability to be preferred: of a
    document to an average one, of a labelled pair of its first to its second.
    """

    probabilities: Array
    decided: NDArray[np.int64]
    samples: Array

    def take(self, rows: NDArray[np.int64]) -> Predicted:
        """The predictions of some rows."""
        return Predicted(self.probabilities[rows], self.decided[rows], self.samples[:, rows])


@dataclass(frozen=True)
class InPieces:
    """The predictions of the pieces of labelled texts, by heads that saw no label of their text.

    `starts` are where the pieces of each text start; their number stands at the end.
    """

    predicted: Predicted
    starts: NDArray[np.int64]

    def take(self, rows: NDArray[np.int64]) -> InPieces:
        """The pieces of some texts, in their order."""
        places, starts = pieces_at(self.starts, rows)
        return InPieces(self.predicted.take(places), starts)

    def means(self) -> Predicted:
        """The predictions of the texts: the means over their pieces."""
        import numpy as np

        if len(self.starts) - 1 == self.starts[-1]:
            return self.predicted
        own, counts = self.predicted, np.diff(self.starts)[:, None]
        probabilities = np.add.reduceat(own.probabilities, self.starts[:-1], axis=0) / counts
        samples = np.add.reduceat(own.samples, self.starts[:-1], axis=1) / counts
        return Predicted(probabilities, probabilities.argmax(axis=1), samples)


@dataclass(frozen=True)
class Weights:
    """The weights of all heads side by side, the chosen head first, then the resampled ones.

    `vectors` are dimensions x (heads · directions), `columns` likewise for the columns of the
    characters; `bias` is heads x outputs.
    """

    vectors: NDArray[np.float32] | None
    columns: NDArray[np.float32] | None
    bias: Array

    @classmethod
    def of(cls, space: Space, heads: Sequence[Head]) -> Weights:
        """The weights of heads for features as they are."""
        import numpy as np

        directions = heads[0].linear.weights.shape[1]
        primal = space.primal(np.hstack([head.linear.weights for head in heads]))
        shift = primal.bias.reshape(len(heads), directions)
        return cls(
            None if primal.vectors is None else primal.vectors.astype(np.float32),
            None if primal.characters is None else primal.characters.astype(np.float32),
            np.stack([head.bias for head in heads]) + shift,
        )

    def outputs(self, vectors: Any, characters: Any) -> Array:
        """The outputs of all heads: rows x heads x outputs."""
        import numpy as np

        total: Any = 0.0
        if self.vectors is not None:
            total = total + vectors @ self.vectors
        if self.columns is not None:
            total = total + characters @ self.columns
        heads = total.reshape(len(total), len(self.bias), -1)
        return np.asarray(heads + self.bias, np.float64)


@dataclass(frozen=True)
class Learned:
    """What was learned of one question; it travels to workers.

    `values` are in the order of the probabilities. `log_weights` are added to the logits where a
    value is decided (0, or the class weights). `out_of_fold` holds the predictions of the labelled
    rows, by heads and calibrators that did not see their labels; `in_pieces` those of the pieces of
    which they are the means, if there are any. These are not stored.
    """

    kind: Kind
    values: tuple[str, ...]
    choice: Choice
    weights: Weights
    characters: Characters | None
    calibrator: Grouped
    log_weights: Array
    out_of_fold: Predicted
    in_pieces: InPieces | None = None

    @property
    def encoder(self) -> str | None:
        """The encoder whose vectors are read, if any."""
        return self.choice.encoder

    @property
    def reads_text(self) -> bool:
        """Whether texts are read."""
        return self.characters is not None

    def predict(
        self,
        vectors: Mapping[str, NDArray[np.float32]],
        texts: Sequence[str] | None,
        groups: NDArray[np.str_] | None,
    ) -> Predicted:
        """Predict documents: vectors by encoder (rows x dimension), texts if they are read.

        A preference's probability is that of being preferred to an average document.
        """
        import numpy as np

        own = vectors[self.encoder] if self.encoder else None
        characters = self.characters(texts or ()) if self.characters else None
        outputs = self.weights.outputs(own, characters)
        logits = LEARNERS[self.choice.learner](self.values).logits(outputs)
        probabilities = self.calibrator(logits, groups)
        if self.kind == "preference":
            probabilities = probabilities[..., :1]
        decided = np.argmax(logits[:, 0] + self.log_weights, axis=1)
        return Predicted(probabilities[:, 0], decided, np.moveaxis(probabilities[:, 1:], 1, 0))
