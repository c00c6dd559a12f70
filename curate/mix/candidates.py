"""The documents that can be drawn, read once: each shard's into a scratch file, with its facts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curate import chance, tokens
from curate.engine import Engine, in_order
from curate.errors import DataError, RecipeError
from curate.mix.before import Before
from curate.mix.budgets import Unit
from curate.mix.keys import flags, floats, trusted_quality
from curate.mix.limiting import Told
from curate.mix.spec import MixSpec
from curate.mixture.cells import Part
from curate.mixture.groups import Facts, Groups, Values, numbered
from curate.progress import Advance
from curate.rounding import rounded
from curate.tables import media_tokens
from curate.workspace import Workspace
from curate.workspace.documents import DocumentShard, is_candidate
from curate.workspace.readers import Reader

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Counting:
    """How the budget is counted: by a tokenizer (None: as the pool did), and tokens more a text.

    Or in items, each 1; or in thousandths of the seconds of audio and video.
    """

    tokenizer: str | None = None
    extra: int = 0
    unit: Unit = "tokens"

    @property
    def is_the_pools(self) -> bool:
        """Whether it is the pool's own count."""
        return self.tokenizer is None and not self.extra and self.unit == "tokens"

    def __call__(self, table: pa.Table) -> NDArray[np.int64]:
        """The size of every row."""
        import numpy as np

        if self.unit == "items":
            return np.ones(table.num_rows, np.int64)
        if self.unit == "seconds":
            return thousandths(table["media"])
        if self.tokenizer is None:
            counts = table["tokens"].to_numpy().astype(np.int64)
        else:
            count = tokens.counter(self.tokenizer)
            counts = np.array([count(text) for text in table["text"].to_pylist()], np.int64)
            counts = counts + np.array(media_tokens(table), np.int64)
        return np.asarray(counts + self.extra)


@dataclass(frozen=True)
class Piece:
    """The candidates of one shard: their scratch files, and their groups in its numbers.

    `matched` are the tokens of copies that earlier exports drew, by their groups there.
    """

    number: int
    path: Path
    groups: tuple[Values, ...]
    documents: int
    images: int
    matched: NDArray[np.int64] | None

    @property
    def cells(self) -> Part:
        """The distinct combinations of a group and the values that limits tell apart."""
        table = read(_cells_path(self.path))
        sums = ("group", "documents", "before")
        group, documents, before = (table[name].to_numpy() for name in sums)
        told, levels = (
            [table[name].combine_chunks() for name in table.column_names if name.startswith(start)]
            for start in ("value:", "level:")
        )
        return Part(group, tuple(told), _side_by_side(levels), documents, before)


def _cells_path(scratch: Path) -> Path:
    return scratch.with_suffix(".cells.arrow")


def _side_by_side(columns: Sequence[pa.Array]) -> NDArray[np.int64]:
    import numpy as np

    return np.stack([column.to_numpy() for column in columns], axis=1)


def _write_cells(scratch: Path, cells: Part) -> None:
    """Write the cells of a piece beside its rows."""
    import pyarrow as pa

    columns: dict[str, Any] = {"group": cells.group, "documents": cells.documents}
    columns["before"] = cells.before
    told, levels = enumerate(cells.values), enumerate(cells.levels.T)
    columns |= {f"value:{place}": column.dictionary_encode() for place, column in told}
    columns |= {f"level:{copies}": column for copies, column in levels}
    _write(_cells_path(scratch), pa.table(columns))


@dataclass(frozen=True)
class Scan:
    """Reads the candidates of a shard and writes those columns that the later passes need.

    The scratch file holds id, cell (a number), tokens (as the budget counts), pool_tokens, quality
    (NaN: unknown, or not trusted), whether it abstained and can be drawn, noise, and the columns
    `more`. `groups` read the values that make a group, `told` those that only limits tell apart.
    `before` are the copies drawn before (columns `had`, and `earlier` of earlier exports alone),
    `at_least` the quality below which nothing is drawn, `seed` that of the noise.
    """

    folder: Path
    groups: tuple[Reader, ...]
    told: Told
    more: tuple[str, ...]
    counting: Counting
    before: Before
    at_least: float | None
    seed: int

    def __call__(self, shard: DocumentShard) -> tuple[Piece, tuple[Facts, ...]]:
        """The piece of one shard, and the facts of its groups."""
        import numpy as np
        import pyarrow as pa

        kept = shard.read(self._columns(shard))
        images, table = images_alone(kept), candidates(kept)
        groups, group = numbered([reader(shard, table) for reader in self.groups], table.num_rows)
        tokens, quality = self.counting(table), trusted_quality(table)
        abstained = flags(table, "abstained")
        is_drawable = self._is_drawable(table, quality, tokens)
        supply, had = np.where(is_drawable, tokens, 0), self.before.of(shard, table["id"])
        copies = None if had is None else had.copies
        cell, cells = self.told.cells(shard, table, group, tokens, copies, is_drawable)
        columns: dict[str, Any] = {"id": table["id"], "cell": pa.array(cell, pa.int32())}
        columns |= {"tokens": tokens, "quality": quality, "abstained": abstained}
        columns["noise"] = chance.gumbel(table["id"].to_pylist(), self.seed, "draw")
        if self.at_least is not None or not is_drawable.all():
            columns["drawable"] = is_drawable
        if had is not None:
            columns |= {"had": had.copies, "earlier": had.earlier}
        if not self.counting.is_the_pools:
            columns["pool_tokens"] = table["tokens"]
        path = self.folder / f"{shard.number:05}.arrow"
        _write(path, pa.table(columns | {name: floats(table, name) for name in self.more}))
        _write_cells(path, cells)
        matched = None if had is None else had.matched
        piece = Piece(shard.number, path, groups, table.num_rows, images, matched)
        return piece, _facts(group, supply, quality, abstained, len(groups))

    def _is_drawable(
        self, table: pa.Table, quality: NDArray[np.float64], size: NDArray[np.int64]
    ) -> NDArray[np.bool_]:
        import numpy as np

        has_size = size > 0
        if self.at_least is None:
            return np.asarray(has_size)
        return np.asarray(((quality >= self.at_least) | flags(table, "abstained")) & has_size)

    def _columns(self, shard: DocumentShard) -> list[str]:
        quality = [name for name in ("quality", "abstained") if name in shard.scored()]
        read = [name for reader in (*self.groups, *self.told.readers) for name in reader.columns]
        text = ["text", "media_tokens"] if self.counting.tokenizer else []
        needed = ["id", "tokens", "holdout", "media", *quality, *text, *read, *self.more]
        known = {"quality", "abstained"} - set(quality)
        return [name for name in dict.fromkeys(needed) if name not in known]


def _facts(
    group: NDArray[np.int64],
    supply: NDArray[np.int64],
    quality: NDArray[np.float64],
    abstained: NDArray[np.bool_],
    groups: int,
) -> tuple[Facts, ...]:
    """The facts of each group, by its number."""
    import numpy as np

    if np.isnan(quality).all():
        columns = (None, supply, abstained)
        sums = (np.bincount(group, own, groups).astype(np.int64).tolist() for own in columns)
        return tuple(
            Facts(documents, tokens, abstained=number)
            for documents, tokens, number in zip(*sums, strict=True)
        )
    order = np.argsort(group, kind="stable")
    ends = np.searchsorted(group[order], np.arange(1, groups))
    rows = np.split(order, ends) if groups else []
    return tuple(Facts.of(supply[own], quality[own], int(abstained[own].sum())) for own in rows)


def images_alone(table: pa.Table) -> int:
    """The number of documents that are media alone, and count no tokens."""
    import pyarrow.compute as pc

    open_to_all = table.filter(pc.invert(table["holdout"]))
    alone = pc.and_(pc.is_valid(open_to_all["media"]), pc.equal(open_to_all["tokens"], 0))
    return int(pc.sum(alone).as_py() or 0)


def candidates(table: pa.Table) -> pa.Table:
    """The documents that can be drawn, among those that `clean` kept."""
    import pyarrow.compute as pc

    columns = (table[name] for name in ("holdout", "tokens", "media"))
    return table.filter(is_candidate(pc.is_valid(table["id"]), *columns))


def thousandths(media: pa.ChunkedArray) -> NDArray[np.int64]:
    """Thousandths of the seconds of audio and video of each row; 0 without any."""
    import numpy as np
    import pyarrow.compute as pc

    seconds = pc.fill_null(pc.struct_field(pc.list_flatten(media), "seconds"), 0.0).to_numpy()
    rows = pc.list_parent_indices(media).to_numpy()
    sums = np.bincount(rows, seconds, len(media))
    return np.rint(1000 * sums).astype(np.int64)


def _write(path: Path, table: pa.Table) -> None:
    import pyarrow as pa

    with pa.ipc.new_file(str(path), table.schema) as writer:
        writer.write_table(table)


def read(path: Path) -> pa.Table:
    """The rows of a scratch file, mapped into memory."""
    import pyarrow as pa

    with pa.memory_map(str(path)) as file:
        return pa.ipc.open_file(file).read_all()


def scan(
    workspace: Workspace, shards: Sequence[DocumentShard], reads: Scan
) -> tuple[list[Piece], Groups]:
    """Read all candidates: the pieces in pool order, and their groups.

    Raises DataError where a document is a medium alone that counts nothing, or where none is left.
    """
    pieces: list[Piece] = []
    with workspace.watch("reading candidates", workspace.tables.rows("pool")) as advance:
        groups = Groups.of(_kept(workspace.engine, shards, reads, pieces, advance))
    images = sum(piece.images for piece in pieces)
    if images and reads.counting.unit == "tokens":
        raise DataError(
            f"{images} of the documents have only media, and so no tokens to mix",
            hint="say what they count, as in `pool: {media_tokens: {image: 576, audio: 25/s, "
            "video: 144/s}}`; or give a budget in items or time, as in `mix: {budget: 5000 items}`",
        )
    if not any(piece.documents for piece in pieces):
        raise DataError("no document is left to mix", hint="see the reasons in `clean`")
    return pieces, groups


def _kept(
    engine: Engine,
    shards: Sequence[DocumentShard],
    reads: Scan,
    pieces: list[Piece],
    advance: Advance,
) -> Iterator[tuple[Values, Facts]]:
    """Yield the groups of each shard with their facts, and keep the pieces.

    The pieces share the values of their groups.
    """
    known: dict[Values, Values] = {}
    for piece, facts in in_order(engine.each(reads, shards)):
        own = tuple(known.setdefault(values, values) for values in piece.groups)
        pieces.append(replace(piece, groups=own))
        advance(piece.documents)
        yield from zip(own, facts, strict=True)


def check_quality(groups: Groups, spec: MixSpec, *, is_needed: bool) -> None:
    """Raise if quality is needed and unknown everywhere, or a threshold lets nothing through."""
    if is_needed and not sum(facts.known for facts in groups.facts):
        raise RecipeError(
            "mix: the weights need quality, and `score` has none",
            hint="declare `score: {quality: …}`",
        )
    if not sum(facts.tokens for facts in groups.facts):
        high = max(facts.high for facts in groups.facts)
        raise DataError(
            f"no document has a quality of {spec.within.at_least:g} or more; the best has "
            f"{rounded(high, '.3f')}",
            hint="lower `mix.within.at_least`",
        )
