"""The texts in the middle of clusters: one of each kind that the candidates hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

from curate.sample.candidates import Candidates
from curate.sample.strategies.strategy import Chosen, compared
from curate.threads import one_thread

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

ITERATIONS = 20


def k_means(
    vectors: NDArray[np.float32], n: int, weights: NDArray[np.float64] | None = None
) -> NDArray[np.int64]:
    """The place nearest to the centre of each of n clusters, the heaviest cluster first.

    `vectors` are documents x dimensions; a document pulls at its centre with its weight (k-means++,
    Arthur and Vassilvitskii 2007; Lloyd 1982). Equal vectors make fewer clusters.
    """
    import numpy as np

    n = min(n, len(vectors))
    if not n:
        return np.zeros(0, np.int64)
    own = np.ones(len(vectors)) if weights is None else weights
    with one_thread():  # several threads would add up in another order
        centres, cluster = _clusters(vectors, n, own)
        distances = ((vectors - centres[cluster]) ** 2).sum(axis=1)
    order = np.lexsort((np.arange(len(vectors)), distances))
    clusters, firsts = np.unique(cluster[order], return_index=True)
    heavy = np.bincount(cluster, own, n)[clusters]
    return np.asarray(order[firsts][np.argsort(-heavy, kind="stable")])


def _clusters(
    vectors: NDArray[np.float32], n: int, weights: NDArray[np.float64]
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """The centres of n clusters, and the cluster of each vector."""
    import warnings

    from sklearn.cluster import KMeans
    from sklearn.exceptions import ConvergenceWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # equal vectors: fewer clusters
        model = KMeans(n, n_init=1, max_iter=ITERATIONS, random_state=0)
        cluster = model.fit_predict(vectors, sample_weight=weights)
    return model.cluster_centers_, cluster


def select(candidates: Candidates, n: int) -> NDArray[np.int64]:
    """The candidates nearest to the centres of n clusters."""
    assert candidates.vectors is not None
    return k_means(candidates.vectors, n)


STRATEGY = Chosen("random", compared, select, reads_vectors=True)
