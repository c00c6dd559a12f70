"""What to sample next: the cells of the corpus of which too few texts are labelled.

A cell is a source, a language, a cluster of embeddings, or a combination.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float32]


@dataclass(frozen=True)
class Missing:
    """A cell with its share of the corpus and of the labelled texts, by what these stand for.

    `texts` is how many more labels it would need to have its share. `deviations` is how far the
    share of labels lies below, in standard deviations of chance.
    """

    cell: str
    corpus: float
    labelled: float
    texts: int
    deviations: float


def missing(
    cells: Sequence[str],
    weights: NDArray[np.float64],
    corpus_cells: Sequence[str],
    *,
    most: int = 5,
) -> tuple[Missing, ...]:
    """The cells that labelled texts represent too little, the farthest below its share first.

    `cells` and `weights` (1 / propensity) are of labelled texts, `corpus_cells` of a random sample
    of all texts.
    """
    import numpy as np

    names, places = np.unique(np.array(corpus_cells), return_inverse=True)
    shares = np.bincount(places) / max(1, len(places))
    effective = _effective(weights)
    total = float(weights.sum()) or 1.0
    short = []
    for name, share in zip(names.tolist(), shares.tolist(), strict=True):
        own = float(weights[np.array(cells) == name].sum()) / total
        error = np.sqrt(share * (1 - share) * (1 / max(1.0, effective) + 1 / len(places)))
        if own < share:
            texts = max(1, round((share - own) * len(cells)))
            short.append(Missing(name, share, own, texts, float((share - own) / max(error, 1e-12))))
    return tuple(sorted(short, key=lambda cell: (-cell.deviations, cell.cell))[:most])


def _effective(weights: NDArray[np.float64]) -> float:
    """Kish's effective number of labels."""
    squares = float((weights**2).sum())
    return float(weights.sum()) ** 2 / squares if squares else 0.0


def clusters(
    vectors: Array, corpus: Array, *, number: int = 12, seed: int = 0
) -> tuple[list[str], list[str]]:
    """The k-means clusters of labelled texts and of the corpus, on which they are fitted.

    A cluster is named by its place, the largest first.
    """
    import numpy as np
    from sklearn.cluster import KMeans

    own = max(1, min(number, len(np.unique(corpus, axis=0))))
    model = KMeans(own, n_init=3, random_state=seed).fit(corpus.astype(np.float64))
    order = np.argsort(-np.bincount(model.labels_, minlength=own), kind="stable")
    names = np.empty(own, np.int64)
    names[order] = np.arange(own)
    places = model.predict(vectors.astype(np.float64)) if len(vectors) else np.empty(0, np.int64)
    return [f"cluster {names[place] + 1}" for place in places], [
        f"cluster {names[place] + 1}" for place in model.labels_
    ]
