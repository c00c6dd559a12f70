"""The order that a draw lists, as an export follows it: keys of lines, and the shards."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curate.engine import Engine
from curate.errors import DataError
from curate.export.drawn import Drawn, entries_path, noise_path
from curate.export.order import Plan, key_path
from curate.export.parts import Entries, Layout
from curate.replay.tables import ranks_path

if TYPE_CHECKING:
    from numpy.typing import NDArray

NUMBER = re.compile(r"(?:^|/)data-(\d+)")
"""The number of a shard, in its path."""

HELD_OUT = 1 << 62
"""Keys of the holdout's lines begin here."""


@dataclass(frozen=True)
class Listed:
    """The order of a draw. `shards` are those that have lines, in order, with lines and tokens.

    `ranks` is the folder with the places of lines, `held_out` the number of the validation's
    shards. `recipe` is that of the export that is written again, `missing` the text of a file that
    lists what is not there.
    """

    ranks: Path
    shards: tuple[tuple[str, int, int], ...]
    held_out: int
    recipe: Mapping[str, Any]
    missing: str

    def write_keys(
        self, engine: Engine, folder: Path, numbers: Sequence[int], layout: Layout
    ) -> None:
        """Write the keys of the lines of every shard, whose entries lie in the same folder."""
        for _ in engine.each(KeyShard(self.ranks, folder, layout), numbers):
            pass

    def plan(self, layout: Layout, drawn: Drawn) -> Plan:
        """The shards as they were; the holdout is cut into as many as before."""
        return Plan.of([*self._trained(layout), *self._validation(layout, drawn)])

    def _trained(self, layout: Layout) -> Iterator[tuple[int, int, int, int, int]]:
        for path, lines, tokens in self.shards:
            yield _part(path, layout), lines, tokens, _number(path), 1

    def _validation(self, layout: Layout, drawn: Drawn) -> Iterator[tuple[int, int, int, int, int]]:
        last = len(layout.parts) - 1
        lines = drawn.lines[last]
        if lines:
            yield last, lines, drawn.tokens[last], 0, min(lines, max(1, self.held_out))


def _number(path: str) -> int:
    match = NUMBER.search(path)
    if match is None:
        raise DataError(f"draw.parquet: {path} is not a shard")
    return int(match[1])


def _part(path: str, layout: Layout) -> int:
    """The number of the part that a shard is of, by its folder and the phase in its name.

    A format may have put all of them into a folder more.
    """
    number = _number(path)
    stems = {
        f"{part.stem(number)}.": place
        for place, part in enumerate(layout.parts)
        if not part.is_validation
    }
    own = [stem for stem in stems if f"/{stem}" in f"/{path}"]
    if not own:
        raise DataError(f"draw.parquet: {path} is not a shard of this layout")
    return stems[max(own, key=len)]  # a phase may be called as another one begins


@dataclass(frozen=True)
class KeyShard:
    """Writes the keys of a shard's lines, in the order of the pool: the ranks that are listed."""

    ranks: Path
    folder: Path
    layout: Layout

    def __call__(self, number: int) -> None:
        """Do so for the shard of that number. Raises DataError where the draw is of other lines."""
        import numpy as np

        stored = np.load(entries_path(self.folder, number))
        noise = np.load(noise_path(self.folder, number))
        order = np.argsort(stored["entry"])
        entries, noise = _entries(stored[order]), noise[order]
        lines = self.layout.lines(entries)
        is_trained = entries.sequence[lines.entry] != self.layout.holdout
        ranks = np.load(ranks_path(self.ranks, number))
        if len(ranks) != is_trained.sum():
            raise DataError("draw.parquet does not list each copy of its documents once")
        keys = (noise[lines.entry] * (1 << 52)).astype(np.uint64) + np.uint64(HELD_OUT)
        keys[is_trained] = ranks.astype(np.uint64)
        np.save(key_path(self.folder, number), keys)


def _entries(stored: NDArray[Any]) -> Entries:
    import numpy as np

    columns = (stored[name].astype(np.int64) for name in ("sequence", "copies"))
    return Entries(np.arange(len(stored)), *columns)
