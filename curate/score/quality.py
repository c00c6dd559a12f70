"""Quality of a document: a function of its predicted answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from curate.errors import RecipeError
from curate.names import unknown
from curate.records import Question
from curate.score.spec import ScoreSpec

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

Quality = Callable[["Array"], "Array"]
"""Probabilities (documents x values) → quality."""

QUANTILES = (0.05, 0.95)
"""The ends of the spread of a quality over heads that were learned from resampled labels.

Of 20 heads they hold about 82 % of further heads, about 69 % where a document is labelled, since
only the heads that did not see its label count. They say how far heads differ, not what people
answer: on eight sets with ratings they held 26 to 38 % of people's answers.
"""


@dataclass(frozen=True)
class Clarity:
    """The largest probability of some values, by their places."""

    places: tuple[int, ...]

    def __call__(self, probabilities: Array) -> Array:
        """The quality of each document."""
        return probabilities[:, list(self.places)].max(axis=1)  # type: ignore[no-any-return]


@dataclass(frozen=True)
class Expectation:
    """The expected worth, given that of each value: 0 to 1."""

    worth: Array

    def __call__(self, probabilities: Array) -> Array:
        """The quality of each document."""
        import numpy as np

        # Probabilities may sum to a little more than 1.
        return np.asarray(np.clip(probabilities @ self.worth, 0.0, 1.0))


def quality_function(spec: ScoreSpec, question: Question) -> Quality | None:
    """Return the function from probabilities (documents x values) to quality; None without one.

    Raises RecipeError if the recipe names a value that the question lacks, or leaves one out.
    """
    import numpy as np

    values, quality = question.labels, spec.quality
    if quality is None:
        steps = np.linspace(0, 1, len(values), dtype=np.float64)
        return Expectation(steps) if question.kind == "rating" else None
    if quality.clarity is not None:
        return Clarity(tuple(_place(name, values) for name in quality.clarity))
    worth = quality.values or {}
    for name in worth:
        _place(name, values)
    missing = [value for value in values if value not in worth]
    if missing:
        raise RecipeError(f"score.quality.values: what is the quality of {missing[0]}?")
    return Expectation(np.array([worth[value] for value in values]))


def _place(name: str, values: tuple[str, ...]) -> int:
    if name not in values:
        raise unknown(f"score.quality: the question has no value {name}", name, values)
    return values.index(name)


def spread(middle: Array, samples: Array) -> Array:
    """The quality with the quantiles QUANTILES of the heads' qualities: 3 x documents.

    `samples` are the qualities by each head, heads x documents; NaN where a head saw the label. A
    document that all have seen has no prediction by them: both ends are the quality itself.
    """
    import numpy as np

    unknown = np.isnan(samples)
    if unknown.any():
        low, high = np.nanquantile(np.where(unknown.all(axis=0), middle, samples), QUANTILES, 0)
    else:
        low, high = np.quantile(samples, QUANTILES, axis=0)
    return np.stack([middle, np.fmin(low, middle), np.fmax(high, middle)])
