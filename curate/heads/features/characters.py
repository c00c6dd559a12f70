"""Character n-grams, hashed, as TF-IDF: any script, no vocabulary."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

NGRAMS = (1, 4)
WIDTH = 2**20
"""How many columns the n-grams are hashed into."""

LONGEST = 20_000
"""Only so many first characters of a text are read."""


@dataclass(frozen=True)
class Characters:
    """The weighting of texts: 1 + log(count), times idf, each row of norm 1.

    `columns` are those that occur in labelled texts, ascending; `idf` is theirs. All others have
    the idf `unseen`: they count in a text's norm alone.
    """

    columns: NDArray[np.int64]
    idf: NDArray[np.float64]
    unseen: NDArray[np.float64]

    @classmethod
    def fit(cls, texts: Sequence[str], background: Sequence[str] = ()) -> tuple[Characters, Any]:
        """The weighting of texts, and these texts weighted (sparse).

        The idf is that of the `background`, else of the texts themselves. The latter weighs down
        what two of these texts share. So they are less alike than each is to a new text, and what
        is calibrated on them does not hold for new ones.
        """
        import numpy as np

        counts = _counts(texts)
        columns = np.unique(counts.indices)
        known = _counts(background) if background else counts
        rows = known.shape[0]
        frequencies = np.bincount(known.indices, minlength=WIDTH)[columns]
        idf = np.log((1 + rows) / (1 + frequencies)) + 1
        own = cls(columns, idf, np.array(np.log(1 + rows) + 1))
        return own, own._weighted(counts)

    def __call__(self, texts: Sequence[str]) -> Any:
        """The weighted columns of texts: a sparse matrix, texts x `columns`."""
        return self._weighted(_counts(texts))

    def _weighted(self, counts: Any) -> Any:
        import numpy as np
        from sklearn.preprocessing import normalize

        idf = np.full(WIDTH, self.unseen)
        idf[self.columns] = self.idf
        counts.data = (1 + np.log(counts.data)) * idf[counts.indices]
        return normalize(counts, copy=False)[:, self.columns]


def _counts(texts: Sequence[str]) -> Any:
    from sklearn.feature_extraction.text import HashingVectorizer

    hashing = HashingVectorizer(
        analyzer="char",
        ngram_range=NGRAMS,
        n_features=WIDTH,
        alternate_sign=False,
        norm=None,
    )
    return hashing.transform([text[:LONGEST] for text in texts])
