"""The true shares of classes in a mixture, from labels behind it and from all predictions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from curate.inference.estimate import Estimate
from curate.inference.groups import Labelled, Unlabelled, share_of_draw

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


@dataclass(frozen=True)
class LabelledClasses:
    """Labelled documents of a question: truth and variances are documents x classes.

    predicted: documents x classes, by heads that never saw the label. weights: design weights.
    """

    truth: Array
    predicted: Array
    weights: Array
    variances: Array

    def of(self, place: int) -> Labelled:
        """Those of one class."""
        return Labelled(
            self.truth[:, place], self.predicted[:, place], self.weights, self.variances[:, place]
        )


def true_shares(
    labelled: LabelledClasses, drawn: Array, expected: Array, rest: Sequence[Unlabelled]
) -> list[Estimate]:
    """The share of each class in a mixture, 0 to 1, with its interval; none below two labels.

    `drawn` are the tokens of each labelled document in the mixture (copies · tokens), `expected`
    those on the mean over the noise of the draw, `rest` the sums over the unlabelled documents of
    the mixture, a class each. Both follow predictions out of fold. A document without copies says
    what its like are that are drawn: so all labels count, not those of drawn documents alone.
    """
    return [
        share_of_draw(labelled.of(place), drawn, expected, own).within(0, 1)
        for place, own in enumerate(rest)
    ]
