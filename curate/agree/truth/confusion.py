"""Models of confusion: how often a person gives each value where another one is true.

Truth and confusion are estimated together by EM, in log space (Dawid and Skene 1979, Applied
Statistics 28). The models differ in how they smooth a person's counts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from curate.agree.truth.coded import Coded

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

Maximise = Callable[["Array", int], "Array"]
"""Expected counts (people x true x given) and the number of the round, from 1 → rows.

Rows are probabilities of the values given: people x true x given.
"""

TOLERANCE = 1e-5
MAX_ROUNDS = 100


@dataclass(frozen=True)
class Confusion:
    """A fitted model: posterior (items x values), rows (people x true x given), prevalence."""

    posterior: Array
    rows: Array
    prevalence: Array


def fit(
    coded: Coded,
    maximise: Maximise,
    *,
    prior: float,
    least: int = 1,
    tolerance: float = TOLERANCE,
    rounds: int = MAX_ROUNDS,
) -> Confusion:
    """Fit by EM, from the shares of the answers on.

    `prior` is added to the expected number of items of each value. EM stops when the mean log
    evidence of an answer changes by less than `tolerance`, though not before round `least`.
    """
    import numpy as np

    posterior, previous = coded.shares(), -np.inf
    for number in range(1, rounds + 1):
        prevalence = posterior.sum(axis=0) + prior
        prevalence /= prevalence.sum()
        rows = maximise(expected_counts(coded, posterior), number)
        posterior, evidence = _expect(coded, rows, prevalence)
        if number >= least and abs(evidence - previous) < tolerance:
            break
        previous = evidence
    return Confusion(posterior, rows, prevalence)


def expected_counts(coded: Coded, posterior: Array) -> Array:
    """How often each person gave a value where another is true: people x true x given."""
    import numpy as np

    people, size = len(coded.people), len(coded.values)
    given = coded.person * size + coded.value
    counts = summed(posterior[coded.item], given, people * size)
    return np.ascontiguousarray(counts.reshape(people, size, size).transpose(0, 2, 1))


def _expect(coded: Coded, rows: Array, prevalence: Array) -> tuple[Array, float]:
    """The posterior, and the mean log evidence of an answer."""
    import numpy as np

    votes = np.log(rows)[coded.person, :, coded.value]
    logs = np.log(prevalence) + summed(votes, coded.item, len(coded.items))
    posterior, evidence = normalised(logs)
    return posterior, float(evidence.sum()) / len(coded.item)


def summed(rows: Array, group: NDArray[np.integer[Any]], groups: int) -> Array:
    """The sum of the rows of each group: groups x columns; `np.add.at` takes twice as long."""
    import numpy as np

    return np.stack([np.bincount(group, column, minlength=groups) for column in rows.T], axis=1)


def normalised(logs: Array) -> tuple[Array, Array]:
    """Log weights as probabilities of each row, and the log of each row's sum."""
    import numpy as np

    top = logs.max(axis=1, keepdims=True)
    sums = top + np.log(np.exp(logs - top).sum(axis=1, keepdims=True))
    return np.exp(logs - sums), sums[:, 0]
