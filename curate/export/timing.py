"""The times of all lines, out of core: entries in bins of their noise, then keys shard by shard.

Entries of a kind lie in the order of their noise. A bin holds the entries of all shards whose noise
is in one interval: the sums of the bins before it are known, so bins are put in order one by one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curate.engine import Engine
from curate.export.drawn import Drawn, bin_edges, entries_path, noise_path
from curate.export.order import key_path, line_keys
from curate.export.parts import Entries, Layout
from curate.export.spreading import Kind, Place, places_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def before_path(folder: Path, number: int) -> Path:
    """Where the tokens before each entry of a shard lie, in the order of their noise."""
    return folder / f"before-{number:05}.npy"


def write_keys(
    engine: Engine,
    folder: Path,
    shards: Sequence[int],
    layout: Layout,
    drawn: Drawn,
    seed: int,
    bins: int,
) -> None:
    """Write the keys of the lines of every shard, from its entries in the same folder.

    `shards` are the numbers of the shards.
    """
    import numpy as np

    for number in shards:
        entries = np.load(entries_path(folder, number), mmap_mode="r")
        np.save(before_path(folder, number), np.zeros(len(entries)))
    for _ in engine.each(PlaceBin(folder, tuple(shards)), _bins(drawn, bins)):
        pass
    places = places_of(drawn.kinds(), seed)
    for _ in engine.each(KeyShard(folder, layout, places), shards):
        pass


@dataclass(frozen=True)
class Bin:
    """An interval of noise, `low` not included in the one before, and the tokens before it."""

    low: float
    high: float
    before: Mapping[Kind, int]


def _bins(drawn: Drawn, bins: int) -> list[Bin]:
    """All bins, with the tokens of each kind in the bins before them."""
    sums = {kind: [0] * bins for kind in drawn.kinds()}
    for (number, kind), own in drawn.bins.items():
        sums[kind][number] = own.tokens
    before = {kind: [0, *accumulate(own)] for kind, own in sums.items()}
    edges = pairwise(bin_edges(bins).tolist())
    return [
        Bin(low, high, {kind: own[number] for kind, own in before.items()})
        for number, (low, high) in enumerate(edges)
    ]


@dataclass(frozen=True)
class PlaceBin:
    """Writes the tokens of the same kind before each entry of one bin."""

    folder: Path
    shards: tuple[int, ...]

    def __call__(self, bin: Bin) -> None:
        """Do so for one bin: bins write different places of the same files."""
        import numpy as np

        slices, noises, entries = [], [], []
        for shard in self.shards:
            noise = np.load(noise_path(self.folder, shard), mmap_mode="r")
            own = slice(*np.searchsorted(noise, (bin.low, bin.high)).tolist())
            slices.append(own)
            noises.append(noise[own])
            entries.append(np.load(entries_path(self.folder, shard), mmap_mode="r")[own])
        if not sum(map(len, noises)):
            return
        before = _before(np.concatenate(noises), np.concatenate(entries), bin.before)
        ends = np.cumsum([len(noise) for noise in noises])
        for shard, own, part in zip(self.shards, slices, np.split(before, ends[:-1]), strict=True):
            if len(part):
                stored = np.load(before_path(self.folder, shard), mmap_mode="r+")
                stored[own] = part
                stored.flush()


def _before(
    noise: NDArray[np.float64], entries: NDArray[Any], first: Mapping[Kind, int]
) -> NDArray[np.float64]:
    """The tokens of the same kind before each entry, in the order of their noise."""
    import numpy as np

    order = np.lexsort((noise, entries["copies"], entries["sequence"]))
    own = entries[order]
    starts = np.flatnonzero(
        (np.diff(own["sequence"], prepend=-1) != 0) | (np.diff(own["copies"], prepend=-1) != 0)
    )
    sums = np.cumsum(own["tokens"]) - own["tokens"]
    kinds = zip(own["sequence"][starts].tolist(), own["copies"][starts].tolist(), strict=True)
    offsets = [
        first[kind] - before for kind, before in zip(kinds, sums[starts].tolist(), strict=True)
    ]
    before = np.empty(len(own))
    before[order] = sums + np.repeat(offsets, np.diff(starts, append=len(own)))
    return before


@dataclass(frozen=True)
class KeyShard:
    """Writes the keys of a shard's lines, in the order of the pool."""

    folder: Path
    layout: Layout
    places: Mapping[Kind, Place]

    def __call__(self, number: int) -> None:
        """Do so for the shard of that number."""
        import numpy as np

        stored = np.load(entries_path(self.folder, number))
        before = np.load(before_path(self.folder, number))
        order = np.argsort(stored["entry"])
        stored, before = stored[order], before[order]
        entries = Entries(
            np.arange(len(stored)),
            stored["sequence"].astype(np.int64),
            stored["copies"].astype(np.int64),
        )
        lines = self.layout.lines(entries)
        times = np.load(noise_path(self.folder, number))[order][lines.entry]
        if not self.layout.by_group:
            self._spread(times, lines.entry, lines.passed, stored, before)
        np.save(key_path(self.folder, number), line_keys(times, lines.part))

    def _spread(
        self,
        times: NDArray[np.float64],
        entry: NDArray[np.int64],
        passed: NDArray[np.int64],
        stored: NDArray[Any],
        before: NDArray[np.float64],
    ) -> None:
        """Set the times of all lines but those of the holdout."""
        import numpy as np

        kinds = np.stack([stored["sequence"], stored["copies"]], axis=1)
        names, own = np.unique(kinds, axis=0, return_inverse=True)
        own = own.ravel()[entry]
        for number, (sequence, copies) in enumerate(names.tolist()):
            rows = np.flatnonzero(own == number)
            if sequence != self.layout.holdout:
                of = entry[rows]
                place = self.places[sequence, copies]
                times[rows] = place.times(before[of], stored["tokens"][of], passed[rows])
