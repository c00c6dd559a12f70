"""What was learned of one question: a small value of arrays that predicts, and its predictions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from curate.heads.calibration import Grouped
from curate.heads.choosing import Choice
from curate.heads.features import Characters
from curate.heads.learners import LEARNERS
from curate.heads.lesson import Kind

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
class Weights:
    """The weights of all heads side by side, the chosen head first, then the resampled ones.

    `vectors` are dimensions x (heads · directions), `columns` likewise for the columns of the
    characters; `bias` is heads x outputs.
    """

    vectors: NDArray[np.float32] | None
    columns: NDArray[np.float32] | None
    bias: Array

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
    rows, by heads and calibrators that did not see their labels.
    """

    kind: Kind
    values: tuple[str, ...]
    choice: Choice
    weights: Weights
    characters: Characters | None
    calibrator: Grouped
    log_weights: Array
    out_of_fold: Predicted

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
