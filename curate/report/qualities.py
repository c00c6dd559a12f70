"""The quality of candidates and of drawn documents, by group: counts, means and exact quartiles.

One pass joins `mix` with `scores`, adds up, and writes numbers as scratch. The quartiles are found
in these (see `quartiles`), and then the documents that stand for each group (see `picks`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import nan
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curate.mixture.selection import ascending
from curate.report.folding import encoded, of_shards, read
from curate.report.picks import Picks, Place, picks
from curate.report.quartiles import Values, quartiles
from curate.workspace import Workspace
from curate.workspace.documents import check_qualities

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Spread:
    """Documents of one group: their number, and the mean and the quartiles of their quality.

    Documents without a quality count in the number alone. Mean and quartiles may be NaN.
    """

    documents: int
    mean: float
    quartiles: tuple[float, ...]


@dataclass(frozen=True)
class GroupQuality:
    """The candidates of a group, and those of them that were drawn."""

    group: str
    candidates: Spread
    drawn: Spread


@dataclass(frozen=True)
class Qualities:
    """The quality of every group, the documents that stand for the largest, and tokens by quality.

    `tokens` has a row for each group of `groups`, in their order: tokens by `BINS` of quality.
    `labelled` are the groups of the documents that were asked for.
    """

    groups: tuple[GroupQuality, ...] = ()
    picks: Mapping[str, Picks] = field(default_factory=dict)
    tokens: tuple[tuple[int, ...], ...] = ()
    labelled: Mapping[str, str] = field(default_factory=dict)


BINS = 100
"""Parts of the range of quality, from 0 to 1, in which tokens are counted."""

PICKED = 8
"""The groups with the most documents drawn have examples."""


def qualities_of(workspace: Workspace, folder: Path, labelled: Iterable[str] = ()) -> Qualities:
    """The quality of every group, by name; nothing where no document has a quality.

    `labelled` are documents whose groups are wanted. `folder` is for scratch files.
    """
    groups, pieces = _scanned(workspace, folder, frozenset(labelled))
    if not groups:
        return Qualities()
    place_of = {own.group: place for place, own in enumerate(groups)}
    chosen = sorted(groups, key=lambda own: (-own.drawn.documents, own.group))[:PICKED]
    medians = {place_of[own.group]: own.candidates.quartiles[1] for own in chosen}
    places = [
        Place(piece.path, piece.mix, tuple(place_of[name] for name in piece.groups))
        for piece in pieces
    ]
    found = picks(workspace.engine, places, medians)
    tokens = _tokens(pieces, place_of)
    return Qualities(
        tuple(groups),
        {own.group: found[place_of[own.group]] for own in chosen},
        tuple(map(tuple, tokens.tolist())),
        {id: group for piece in pieces for id, group in piece.labelled},
    )


def quality_by_group(workspace: Workspace, folder: Path) -> list[GroupQuality]:
    """The quality of every group, by name; empty where no document has a quality.

    A candidate that `scores` does not hold is left out. `folder` is for scratch files.
    """
    return _scanned(workspace, folder, frozenset())[0]


def _scanned(
    workspace: Workspace, folder: Path, labelled: frozenset[str]
) -> tuple[list[GroupQuality], list[Piece]]:
    folder.mkdir()
    scan = _Scan(workspace.tables.folder("scores"), folder, labelled)
    pieces = [piece for piece in of_shards(workspace, "reading quality", "mix", scan) if piece]
    names = sorted({name for piece in pieces for name in piece.groups})
    if not any(piece.has_quality for piece in pieces):
        return [], []
    place_of = {name: place for place, name in enumerate(names)}
    sums = _summed(pieces, place_of)
    files = [
        Values(number, piece.path, tuple(place_of[name] for name in piece.groups))
        for number, piece in enumerate(pieces)
    ]
    with workspace.watch("finding quartiles", None):
        quarters = quartiles(workspace.engine, files, sums[:, :, 1].astype(int).ravel().tolist())
    rows = zip(sums.reshape(-1, 3).tolist(), quarters, strict=True)
    spreads = [
        Spread(int(documents), total / known if known else nan, quarter)
        for (documents, known, total), quarter in rows
    ]
    return list(map(GroupQuality, names, spreads[::2], spreads[1::2])), pieces


@dataclass(frozen=True)
class Piece:
    """What is known of one shard: its scratch file, its groups, and their sums.

    `sums` is groups x (candidates, drawn) x (documents, known, total of quality), `tokens` is
    groups x BINS. `mix` is the shard of the mixture; `labelled` are (document, group).
    """

    path: Path
    mix: Path
    groups: tuple[str, ...]
    sums: NDArray[np.float64]
    tokens: NDArray[np.int64]
    has_quality: bool
    labelled: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class _Scan:
    """Joins a shard of `mix` with that of `scores`; None where scores have no such shard."""

    scores: Path
    folder: Path
    labelled: frozenset[str] = frozenset()

    def __call__(self, path: Path) -> tuple[int, Piece | None]:
        import numpy as np
        import pyarrow as pa
        import pyarrow.compute as pc

        mix = read(path, "id", "group", "copies", "size")
        if not (self.scores / path.name).exists():
            return mix.num_rows, None
        scores = read(self.scores / path.name, "id", "quality")
        check_qualities(scores)
        quality_of = np.asarray(scores["quality"].to_numpy(), np.float64)
        places = pc.index_in(mix["id"], value_set=scores["id"])
        is_scored = pc.is_valid(places)
        rows, quality = mix.filter(is_scored), quality_of[places.drop_null()]
        names, group = encoded(rows["group"])
        drawn = rows["copies"].to_numpy() > 0
        target = self.folder / f"{path.stem}.arrow"
        numbers = {
            **{"group": group, "drawn": drawn, "key": ascending(quality)},
            **{"quality": quality, "row": np.flatnonzero(is_scored.to_numpy()).astype(np.int32)},
        }
        _write(target, pa.table(numbers).filter(~np.isnan(quality)))
        masks = (drawn | True, drawn)
        sums = np.stack([_sums(group, quality, mask, len(names)) for mask in masks], axis=1)
        has_quality = not np.isnan(quality_of).all()
        tokens = _binned(group, quality, rows["size"].to_numpy(), len(names))
        own = rows.filter(pc.is_in(rows["id"], pa.array(sorted(self.labelled), pa.string())))
        labelled = tuple(zip(own["id"].to_pylist(), own["group"].to_pylist(), strict=True))
        piece = Piece(target, path, tuple(names), sums, tokens, has_quality, labelled)
        return mix.num_rows, piece


def _binned(
    group: NDArray[Any], quality: NDArray[np.float64], size: NDArray[np.int64], groups: int
) -> NDArray[np.int64]:
    """Tokens of the documents with a quality: groups x BINS."""
    import numpy as np

    known = ~np.isnan(quality)
    bins = np.minimum((quality[known] * BINS).astype(np.int64), BINS - 1)
    places = group[known].astype(np.int64) * BINS + bins
    counts = np.bincount(places, size[known], groups * BINS)
    return np.asarray(counts, np.int64).reshape(groups, BINS)


def _tokens(pieces: Sequence[Piece], place_of: Mapping[str, int]) -> NDArray[np.int64]:
    """The tokens of all pieces: groups x BINS."""
    import numpy as np

    total = np.zeros((len(place_of), BINS), np.int64)
    for piece in pieces:
        total[[place_of[name] for name in piece.groups]] += piece.tokens
    return total


def _sums(
    group: NDArray[Any], quality: NDArray[np.float64], mask: NDArray[np.bool_], groups: int
) -> NDArray[np.float64]:
    """Documents, documents with a quality, and the total of their quality, for each group."""
    import numpy as np

    known = mask & ~np.isnan(quality)
    documents = np.bincount(group[mask], minlength=groups)
    numbers = np.bincount(group[known], minlength=groups)
    return np.stack([documents, numbers, np.bincount(group[known], quality[known], groups)], 1)


def _summed(pieces: Sequence[Piece], place_of: dict[str, int]) -> NDArray[np.float64]:
    """The sums of all pieces, in their order."""
    import numpy as np

    total = np.zeros((len(place_of), 2, 3))
    for piece in pieces:
        total[[place_of[name] for name in piece.groups]] += piece.sums
    return total


def _write(path: Path, table: pa.Table) -> None:
    import pyarrow as pa

    with pa.ipc.new_file(str(path), table.schema) as writer:
        writer.write_table(table)
