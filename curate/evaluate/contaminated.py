"""Near copies between the texts that a proxy reads and those it is judged on.

Both sides are left out: a proxy that has read a text knows it too well, whatever its mixture. Texts
are alike as `clean` says it: MinHash finds pairs, and the Jaccard similarity of their shingles
decides.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from curate.minhash import BANDS, BIT_WORDS, PERMUTATIONS, least_equal, signatures
from curate.progress import Advance
from curate.shingles import jaccard, sets
from curate.warning import StageWarning, warn

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Mask = NDArray[np.bool_]

NEAR = 0.7
"""The similarity from which a text is a near copy: the default of `clean`."""

BLOCK = 1_000
"""So many candidates are compared at once."""


@dataclass(frozen=True)
class Contaminated:
    """How many texts were left out as near copies: candidates, held-out texts, texts of files."""

    candidates: int = 0
    held_out: int = 0
    files: Mapping[str, int] = field(default_factory=dict)

    def __bool__(self) -> bool:
        """Whether any was."""
        return self.candidates > 0

    @property
    def words(self) -> str:
        """The counts in words."""
        files = "".join(f", {number:,} of {name}" for name, number in self.files.items() if number)
        return (
            f"{self.candidates:,} candidates and {self.held_out:,} held-out texts{files} are near "
            "copies of each other"
        )


def warnings_on_copies(contaminated: Contaminated) -> tuple[StageWarning, ...]:
    """A warning if texts were left out."""
    if not contaminated:
        return ()
    words = "{copies}: the proxy neither reads them nor is judged on them"
    counts = {
        "candidates": contaminated.candidates,
        "held_out": contaminated.held_out,
        "files": dict(contaminated.files),
    }
    return (warn("evaluate.contaminated", words, copies=contaminated.words, **counts),)


def near_copies(
    candidates: Sequence[str],
    judged: Mapping[str, Sequence[str]],
    advance: Advance = lambda n: None,
) -> tuple[Mask, dict[str, Mask]]:
    """Which candidates are near copies of a judged text, and which judged texts have one.

    `judged` are lists of texts by name.
    """
    import numpy as np

    texts = [text for own in judged.values() for text in own]
    index = _Index.of(texts)
    is_copy, has_copy = np.zeros(len(candidates), bool), np.zeros(len(texts), bool)
    for start in range(0, len(candidates), BLOCK):
        block = candidates[start : start + BLOCK]
        pairs = index.pairs(block)
        if len(pairs):
            shingles = dict(
                zip(np.unique(pairs[:, 0]).tolist(), _sets(block, pairs[:, 0]), strict=True)
            )
            for candidate, own in pairs.tolist():
                is_known = is_copy[start + candidate] and has_copy[own]
                if not is_known and jaccard(shingles[candidate], index.shingles(own)) >= NEAR:
                    is_copy[start + candidate] = has_copy[own] = True
        advance(len(block))
    ends = np.cumsum([len(own) for own in judged.values()])
    return is_copy, dict(zip(judged, np.split(has_copy, ends[:-1]), strict=True))


def _sets(texts: Sequence[str], rows: NDArray[np.int64]) -> list[NDArray[np.uint64]]:
    """The shingles of some texts, each once, in the order of their rows."""
    import numpy as np

    return sets([texts[row] for row in np.unique(rows).tolist()])


@dataclass(frozen=True)
class _Index:
    """The bands of judged texts, sorted by key, with the text each belongs to, and their bits."""

    texts: Sequence[str]
    key: NDArray[np.uint64]
    owner: NDArray[np.int64]
    bits: NDArray[np.uint64]
    known: dict[int, NDArray[np.uint64]] = field(default_factory=dict)

    @staticmethod
    def of(texts: Sequence[str]) -> _Index:
        """The index of texts; one without shingles is not in it."""
        import numpy as np

        rows, keys, bits = _signed(texts)
        order = np.argsort(keys.ravel(), kind="stable")
        of_text = np.zeros((len(texts), BIT_WORDS), np.uint64)
        of_text[rows] = bits
        return _Index(texts, keys.ravel()[order], np.repeat(rows, BANDS)[order], of_text)

    def pairs(self, candidates: Sequence[str]) -> NDArray[np.int64]:
        """The pairs (candidate, text) that share a band and enough bits, each once."""
        import numpy as np

        rows, keys, bits = _signed(candidates)
        first, end = (np.searchsorted(self.key, keys.ravel(), side) for side in ("left", "right"))
        sizes = end - first
        places = (
            np.repeat(first, sizes)
            + np.arange(sizes.sum())
            - np.repeat(np.cumsum(sizes) - sizes, sizes)
        )
        row = np.repeat(np.repeat(np.arange(len(rows)), BANDS), sizes)
        pairs = np.unique(np.stack([row, self.owner[places]], axis=1), axis=0)
        differ = np.bitwise_count(bits[pairs[:, 0]] ^ self.bits[pairs[:, 1]]).sum(axis=1)
        pairs = pairs[differ <= PERMUTATIONS - least_equal(NEAR)]
        return np.stack([rows[pairs[:, 0]], pairs[:, 1]], axis=1)

    def shingles(self, row: int) -> NDArray[np.uint64]:
        """The shingles of a text, kept once they are made."""
        if row not in self.known:
            (self.known[row],) = sets([self.texts[row]])
        return self.known[row]


def _signed(
    texts: Sequence[str],
) -> tuple[NDArray[np.int64], NDArray[np.uint64], NDArray[np.uint64]]:
    """The rows of texts that have shingles, the keys of their bands, and their bits."""
    import numpy as np

    packed = signatures(texts)
    rows = np.array([row for row, own in enumerate(packed) if own is not None], np.int64)
    joined = b"".join(own for own in packed if own is not None)
    words = np.frombuffer(joined, np.uint64).reshape(-1, BANDS + BIT_WORDS)
    return rows, words[:, :BANDS], words[:, BANDS:]
