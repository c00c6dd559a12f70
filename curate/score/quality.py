"""Quality of a document: a function of its predicted answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from curate.errors import RecipeError
from curate.records import Question
from curate.score.learning import Scored
from curate.score.spec import ScoreSpec

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def quality_function(
    spec: ScoreSpec, question: Question
) -> Callable[[NDArray[np.float64]], NDArray[np.float64]] | None:
    """Return the function from probabilities (documents x values) to quality; None without one.

    Raises RecipeError if the recipe names a value that the question lacks, or leaves one out.
    """
    import numpy as np

    values, quality = question.labels, spec.quality
    if quality is None and question.kind != "rating":
        return None
    if quality is not None and quality.clarity is not None:
        places = [_place(name, values) for name in quality.clarity]
        return lambda probabilities: probabilities[:, places].max(axis=1)
    if quality is not None and quality.values is not None:
        for name in quality.values:
            _place(name, values)
        missing = [value for value in values if value not in quality.values]
        if missing:
            raise RecipeError(f"score.quality.values: what is the quality of {missing[0]}?")
        weights = np.array([quality.values[value] for value in values])
    else:
        weights = np.linspace(0, 1, len(values))
    return lambda probabilities: probabilities @ weights


def _place(name: str, values: tuple[str, ...]) -> int:
    if name not in values:
        raise RecipeError(
            f"score.quality: the question has no value {name}", hint=", ".join(values)
        )
    return values.index(name)


def quality_rows(
    scored: Scored,
    quality_of: Callable[[NDArray[np.float64]], NDArray[np.float64]] | None,
    resamples: int,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]] | None:
    """Return quality and its 5 % and 95 % quantiles over bootstrap heads; None without quality."""
    import numpy as np

    if quality_of is None:
        return None
    samples = np.stack([quality_of(sample) for sample in scored.resampled(resamples)])
    middle = quality_of(scored.probabilities)
    # A document in every resample has no prediction by them: its interval is the quality itself.
    always = np.isnan(samples).all(axis=0)
    samples[:, always] = middle[always]
    low, high = np.nanquantile(samples, [0.05, 0.95], axis=0)
    return middle, np.fmin(low, middle), np.fmax(high, middle)
