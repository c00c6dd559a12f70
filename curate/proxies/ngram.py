"""A byte n-gram language model as the smallest proxy: seconds for many mixtures.

Orders 0 to 5, interpolated from the bottom: p_k = (count + α_k · p_{k-1}) / (context count + α_k)
(MacKay and Peto 1995). Only the keys of the held-out text are counted, so counts are exact. They
come from the documents really drawn: scaled counts of a whole domain would include documents
that were left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from curate.proxies.proxy import Learned, mean_by_source

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

ALPHA = (1, 4, 16, 32, 32, 32)
"""α_k for orders 0 to 5: how much the order below weighs. Chosen on code, prose and Chinese."""

BLOCK = 1 << 20
"""So many bytes of the candidates are matched at once, to bound memory."""


class Corpus:
    """Candidates and held-out texts by source, indexed once.

    Every mixture is then a weighted count. `names` are those of the sources; `source` is the number
    of each held-out text's source, `bytes` its size.
    """

    def __init__(self, candidates: Sequence[str], holdout: Mapping[str, Sequence[str]]) -> None:
        import numpy as np

        train, self._owner = _bytes(candidates)
        texts = [(number, text) for number, own in enumerate(holdout.values()) for text in own]
        valid, self._text = _bytes([text for _, text in texts])
        self.names = tuple(holdout)
        self.source = np.array([number for number, _ in texts], np.int64)
        self.bytes = np.bincount(self._text, minlength=len(texts))
        self._orders = [_match(train, valid, order) for order in range(len(ALPHA))]

    def learn(self, copies: NDArray[np.int64], seed: int) -> Learned:
        """Count the candidates, each as often as `copies` says, and measure. Nothing is random."""
        return Learned(self.losses(copies))

    def losses(self, copies: NDArray[np.int64]) -> NDArray[np.float64]:
        """The loss on each held-out text as a whole, in nats; 0 on an empty one.

        `copies` says how often each candidate is read.
        """
        import numpy as np

        weights = copies.astype(np.float64)[self._owner]
        p = np.full(len(self._text), 1 / 256)
        for alpha, (context, gram) in zip(ALPHA, self._orders, strict=True):
            p = (gram.counts(weights) + alpha * p) / (context.counts(weights) + alpha)
        return np.asarray(np.bincount(self._text, -np.log(p), len(self.bytes)), np.float64)

    def cross_entropy(self, copies: NDArray[np.int64]) -> dict[str, float]:
        """The mean loss on each source with a held-out byte, in nats per byte."""
        return self.by_source(self.losses(copies))

    def by_source(self, losses: NDArray[np.float64]) -> dict[str, float]:
        """The mean of each source with a held-out byte, in nats per byte, from each text's loss."""
        return mean_by_source(self.names, self.source, self.bytes, losses)


class _Match:
    """Training and held-out keys as numbers of the `size` distinct held-out keys.

    A training key that is not among them has the number `size`.
    """

    def __init__(
        self, train: NDArray[np.unsignedinteger[Any]], valid: NDArray[np.int64], size: int
    ) -> None:
        self._train, self._valid, self._size = train, valid, size

    def counts(self, weights: NDArray[np.float64]) -> NDArray[np.float64]:
        """The weighted count of each held-out byte's key in training."""
        import numpy as np

        total = np.bincount(self._train, weights, minlength=self._size + 1)
        return np.asarray(total[self._valid])


def _match(train: _Text, valid: _Text, order: int) -> tuple[_Match, _Match]:
    """The contexts of one order, and these with the byte after them, in training and held out."""
    import numpy as np

    known = [np.unique(keys, return_inverse=True) for keys in _keys(*valid, order)]
    data, offset = train
    numbers = [np.empty(len(data), np.min_scalar_type(len(distinct))) for distinct, _ in known]
    for start in range(0, len(data), BLOCK):
        first, end = max(0, start - order), start + BLOCK
        both = _keys(data[first:end], offset[first:end], order)
        for (distinct, _), keys, column in zip(known, both, numbers, strict=True):
            column[start:end] = _numbered(keys[start - first :], distinct)
    contexts, grams = (
        _Match(column, places, len(distinct))
        for (distinct, places), column in zip(known, numbers, strict=True)
    )
    return contexts, grams


def _numbered(keys: NDArray[np.uint64], distinct: NDArray[np.uint64]) -> NDArray[np.int64]:
    """The place of each key among the distinct ones; their number for a key that is not there."""
    import numpy as np

    size = len(distinct)
    if not size:
        return np.zeros(len(keys), np.int64)
    numbers = np.searchsorted(distinct, keys)
    numbers[numbers == size] = 0
    return np.where(distinct[numbers] == keys, numbers, size)


_Text = tuple["NDArray[np.uint8]", "NDArray[np.int32]"]
"""The bytes of all texts, and each byte's offset in its own text."""


def _bytes(texts: Sequence[str]) -> tuple[_Text, NDArray[np.int32]]:
    """The bytes of all texts with their offsets, and the number of the text each belongs to."""
    import numpy as np

    encoded = [text.encode() for text in texts]
    sizes = np.array([len(part) for part in encoded], np.int64)
    data = np.frombuffer(b"".join(encoded), np.uint8)
    starts = np.repeat((np.cumsum(sizes) - sizes).astype(np.int32), sizes)
    owner = np.repeat(np.arange(len(texts), dtype=np.int32), sizes)
    return (data, np.arange(len(data), dtype=np.int32) - starts), owner


def _keys(
    data: NDArray[np.uint8], offset: NDArray[np.int32], order: int
) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """A 64-bit key of the `order` bytes before each byte, and one of these and the byte itself."""
    import numpy as np

    key: NDArray[np.uint64] = np.full(len(data), order + 1, np.uint64)
    for back in range(1, order + 1):
        previous = np.zeros(len(data), np.uint64)
        previous[back:] = data[:-back].astype(np.uint64) + np.uint64(1)
        previous[offset < back] = 0
        key = _mixed(key + previous * np.uint64(0x9E3779B97F4A7C15))
    gram = _mixed(key ^ (data.astype(np.uint64) + np.uint64(1)) * np.uint64(0xBF58476D1CE4E5B9))
    return key, gram


def _mixed(key: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Spread the bits (the finaliser of SplitMix64, Steele et al. 2014)."""
    import numpy as np

    key = (key ^ (key >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    key = (key ^ (key >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return key ^ (key >> np.uint64(31))
