"""The mean quality: the recipe's definition, applied to people's answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from curate.annotated.answers import Answers
from curate.annotated.qualities import quality_truth
from curate.annotated.quality import Quality
from curate.estimate.measuring import Target

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

COLUMN = "quality"
"""The column of scores."""

NAME = "quality of scores"
"""How its rows are called: a question may be called `quality`."""


def quality_target(
    quality: Quality, answers: Mapping[str, Answers], ids: Sequence[str], predicted: Array
) -> Target:
    """The mean quality of labelled documents, by people's answers and by prediction."""
    truth = quality_truth(quality, answers, ids)
    return Target(NAME, None, 0.0, 1.0, truth, truth, predicted)
