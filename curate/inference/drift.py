"""Whether the labelled texts look like the corpus: two tests on embeddings, by permutation.

A classifier learns to tell labelled texts from others (C2ST; Lopez-Paz and Oquab 2017, arXiv
1610.06545). It is a ridge regression, which is learned again for every permutation; out of fold its
AUC is .5 if there is nothing to tell. The maximum mean discrepancy compares mean embeddings under a
Gaussian kernel of the median distance (MMD; Gretton et al. 2012, JMLR 13). The first sees a shift
of the mean, the second also one of the spread.

A design draws unequally. So a labelled text is kept with a probability in proportion to its weight:
what is kept is a sample of equal propensities without copies, as permutations need it. Texts of
the corpus that are kept themselves do not count twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from curate import chance

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float32]

LEVEL = 0.01
PERMUTATIONS = 999
FOLDS = 5
LEAST, MOST = 20, 1_000
"""The fewest texts of either sample, and the most that are compared."""


@dataclass(frozen=True)
class Drift:
    """How far labelled texts differ from the corpus.

    `labelled` and `corpus` count the texts that were compared. `auc` is the classifier's, `mmd` the
    squared discrepancy, without bias; each has the share of permutations that reach it.
    """

    labelled: int
    corpus: int
    auc: float
    auc_p_value: float
    mmd: float
    mmd_p_value: float

    @property
    def p_value(self) -> float:
        """Twice the smaller of both p-values (Bonferroni)."""
        return min(1.0, 2 * min(self.auc_p_value, self.mmd_p_value))

    @property
    def is_told(self) -> bool:
        """Whether the samples differ, at the level of 1 %."""
        return self.p_value < LEVEL


def drift(
    ids: Sequence[str],
    vectors: Array,
    weights: NDArray[np.float64],
    corpus_ids: Sequence[str],
    corpus: Array,
    *,
    seed: int = 0,
    permutations: int = PERMUTATIONS,
) -> Drift | None:
    """Compare labelled texts with texts of the corpus, both rows x dimension.

    `ids`, `vectors` and `weights` (1 / propensity) are of design rows alone. The corpus is a random
    sample of all texts, labelled ones included. None if fewer than 20 of either are left.
    """
    import numpy as np

    kept = kept_by_weight(ids, weights, seed)
    kept_ids = {ids[row] for row in kept}
    rest = [row for row, id in enumerate(corpus_ids) if id not in kept_ids]
    others = _at_most(corpus_ids, np.array(rest, np.int64), seed)
    if min(len(kept), len(others)) < LEAST:
        return None
    pooled = np.concatenate([vectors[kept], corpus[others]]).astype(np.float32)
    pooled = (pooled - pooled.mean(axis=0)) / (pooled.std() or 1.0)
    rng = np.random.default_rng(seed)
    members = _permuted(len(kept), len(pooled), permutations, rng)
    aucs, mmds = _aucs(pooled, members, rng), _discrepancies(pooled, members)
    return Drift(
        labelled=len(kept),
        corpus=len(others),
        auc=float(aucs[0]),
        auc_p_value=_p_value(aucs),
        mmd=float(mmds[0]),
        mmd_p_value=_p_value(mmds),
    )


def kept_by_weight(
    ids: Sequence[str], weights: NDArray[np.float64], seed: int
) -> NDArray[np.int64]:
    """The rows that are kept, with probability weight / largest weight; at most 1,000, by hash.

    They come in the order of their ids.
    """
    import numpy as np

    if not len(ids):
        return np.empty(0, np.int64)
    is_kept = chance.uniform(ids, seed, "drift") <= weights / weights.max()
    return _at_most(ids, np.flatnonzero(is_kept), seed)


def _at_most(ids: Sequence[str], rows: NDArray[np.int64], seed: int) -> NDArray[np.int64]:
    """At most 1,000 of the rows, those of the smallest hashes, in the order of their ids."""
    import numpy as np

    own = [ids[row] for row in rows.tolist()]
    first = np.argsort(chance.uniform(own, seed, "drift of"), kind="stable")[:MOST]
    return rows[sorted(first.tolist(), key=lambda place: own[place])]


def _permuted(labelled: int, size: int, permutations: int, rng: np.random.Generator) -> Array:
    """Whether a text counts as labelled: texts x (as it is, then each permutation)."""
    import numpy as np

    members = np.zeros((size, permutations + 1), np.float32)
    members[:labelled, 0] = 1
    for place in range(1, permutations + 1):
        members[rng.permutation(size)[:labelled], place] = 1
    return members


def _p_value(statistics: NDArray[np.float64]) -> float:
    """The share of permutations (behind the first entry) that reach it; it counts itself."""
    return float((statistics >= statistics[0]).mean())


def _aucs(pooled: Array, members: Array, rng: np.random.Generator) -> NDArray[np.float64]:
    """The AUC out of fold of a ridge regression on each column of `members`."""
    import numpy as np

    folds = rng.permutation(len(pooled)) % FOLDS
    scores = np.empty_like(members)
    for fold in range(FOLDS):
        inside = folds == fold
        known, wanted = pooled[~inside], members[~inside]
        gram = known.T @ known
        gram[np.diag_indices_from(gram)] += len(known) * np.float32(pooled.var() or 1.0)
        weights = np.linalg.solve(gram, known.T @ (wanted - wanted.mean(axis=0)))
        scores[inside] = pooled[inside] @ weights
    ranks = _rank_sums(scores, members)
    number = float(members[:, 0].sum())
    pairs = number * (len(members) - number)
    return np.asarray((ranks - number * (number + 1) / 2) / pairs, np.float64)


def _rank_sums(scores: Array, members: Array) -> NDArray[np.float64]:
    """The sum of the members' ranks in each column of scores; scores that tie share their ranks.

    Members are 0 or 1. Integers in the order of the scores, with the member as the last bit, sort
    in a quarter of the time of `rankdata`, which is asked about the columns with ties.
    """
    import numpy as np
    from scipy.stats import rankdata

    bits = (scores.T + np.float32(0)).view(np.int32)  # -0 is 0
    ordered = np.where(bits < 0, bits ^ np.int32(0x7FFFFFFF), bits).astype(np.int64)
    keys = np.sort(2 * ordered + members.T.astype(np.int64), axis=1)
    sums = np.asarray((keys & 1) @ np.arange(1.0, len(scores) + 1))
    tied = ((keys[:, 1:] >> 1) == (keys[:, :-1] >> 1)).any(axis=1)
    if tied.any():
        ranks = rankdata(scores[:, tied], axis=0)
        sums[tied] = (ranks * members[:, tied]).sum(axis=0)
    return sums


def _discrepancies(pooled: Array, members: Array) -> NDArray[np.float64]:
    """The unbiased squared MMD of each column of `members` (Gretton et al. 2012, equation 3)."""
    import numpy as np

    kernel = _kernel(pooled)
    first, second = float(members[:, 0].sum()), float((1 - members[:, 0]).sum())
    towards = kernel @ members
    within = (members * towards).sum(axis=0, dtype=np.float64)
    across = ((1 - members) * towards).sum(axis=0, dtype=np.float64)
    rest = kernel.sum(dtype=np.float64) - within - 2 * across
    return np.asarray(
        within / (first * (first - 1))
        + rest / (second * (second - 1))
        - 2 * across / (first * second)
    )


def _kernel(pooled: Array) -> Array:
    """exp(-d² / (2 · median d²)) of all pairs, with a diagonal of 0."""
    import numpy as np

    squares = (pooled**2).sum(axis=1)
    distances = np.maximum(squares[:, None] + squares - 2 * pooled @ pooled.T, 0)
    median = float(np.median(distances[~np.tri(len(pooled), dtype=bool)])) or 1.0
    kernel = np.exp(-distances / (2 * median))
    np.fill_diagonal(kernel, 0)
    return np.asarray(kernel, np.float32)
