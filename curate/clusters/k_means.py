"""k-means over unit vectors (Lloyd 1982; k-means++, Arthur and Vassilvitskii 2007)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from curate.threads import one_thread

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

STARTS = 3
"""The best of so many runs from other first centres is taken."""

ITERATIONS = 50


def centres(vectors: NDArray[np.float32], number: int, seed: int) -> NDArray[np.float32]:
    """The centres of clusters of some documents, the largest cluster first: clusters x dimension.

    `vectors` are documents x dimension, at least one. Their lengths do not count. There are fewer
    than `number` clusters where fewer documents differ. The order of equally large clusters is that
    of their first documents.
    """
    import numpy as np

    unit = directions(vectors)
    with one_thread():  # several threads would add up in another order
        found, cluster = _fitted(unit, min(number, len(unit)), seed)
    present, firsts, sizes = np.unique(cluster, return_index=True, return_counts=True)
    order = np.lexsort((firsts, -sizes))
    return np.asarray(found[present[order]], np.float32)


def _fitted(
    unit: NDArray[np.float32], number: int, seed: int
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """The centres of the clusters, and the cluster of each vector."""
    import warnings

    from sklearn.cluster import KMeans
    from sklearn.exceptions import ConvergenceWarning

    model = KMeans(
        number, n_init=STARTS, max_iter=ITERATIONS, random_state=seed % 2**32, copy_x=False
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # equal vectors: fewer clusters
        cluster = model.fit_predict(unit)
    return model.cluster_centers_, cluster


def nearest(vectors: NDArray[np.float32], centres: NDArray[np.float32]) -> NDArray[np.int64]:
    """The number of the centre that is nearest to each vector; the first of equally near ones.

    `vectors` are documents x dimension of any length, `centres` are clusters x dimension.
    """
    import numpy as np

    # |v - c|² = |v|² - 2 v·c + |c|², and |v|² is the same for all centres.
    distances = (centres**2).sum(axis=1) - 2 * (directions(vectors) @ centres.T)
    return np.asarray(distances.argmin(axis=1), np.int64)


def directions(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """The vectors at length 1; one of zeros stays."""
    import numpy as np

    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.where(lengths > 0, lengths, 1), np.float32)
