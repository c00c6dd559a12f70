"""How well a head decides and ranks: macro-F1, rank correlation, accuracy."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


def macro_f1(decided: NDArray[np.int64], truth: Array) -> float:
    """The mean F1 of the values that are the most probable one of some row (rows x values)."""
    import numpy as np

    size, label = truth.shape[1], truth.argmax(axis=1)
    table = np.zeros((size, size))
    np.add.at(table, (label, decided), 1.0)
    both = table.sum(axis=0) + table.sum(axis=1)
    occurs = table.sum(axis=1) > 0
    return float((2 * np.diag(table)[occurs] / both[occurs]).mean())


def rank_correlation(predicted: Array, truth: Array) -> float:
    """Spearman's correlation; 0 where all are equal."""
    import numpy as np
    from scipy.stats import rankdata

    first, second = rankdata(predicted), rankdata(truth)
    if np.ptp(first) == 0 or np.ptp(second) == 0:
        return 0.0
    return float(np.corrcoef(first, second)[0, 1])


def score(kind: str, logits: Array, truth: Array) -> float:
    """Macro-F1 of choices, rank correlation of ratings' means, accuracy of preferences.

    Logits and posteriors are rows x values, of rows that people settled. Levels ascend.
    """
    import numpy as np

    if kind == "choice":
        return macro_f1(logits.argmax(axis=1), truth)
    if kind == "preference":
        return float(((logits[:, 0] > logits[:, 1]) == (truth[:, 0] > truth[:, 1])).mean())
    order = np.arange(truth.shape[1])
    shares = np.exp(logits - logits.max(axis=1, keepdims=True))
    means = shares @ order / shares.sum(axis=1)
    return rank_correlation(means, truth @ order)
