"""Near-duplicates: MinHash signatures, LSH candidates, verified Jaccard similarity.

    signatures ──by band──▶ pairs ──by document──▶ distinct pairs ──by component──▶ who yields

Signatures are a cache; only a verified pair counts (Broder 1997; bands of LSH: Indyk and Motwani
1998). 128 permutations in 32 bands of 4: a pair of similarity .5 is a candidate in 87 % of cases,
one of .7 in 99.98 %. Hashes and places are shuffled, never text; beside one bucket a worker, memory
holds 32 bytes for each pair of candidates.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curate import storage
from curate.clean.shingling import blocks, flat, jaccard, sets
from curate.engine import Engine, buckets_for
from curate.engine.shuffling import bucket_of
from curate.text import apply_edits

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

PERMUTATIONS, BANDS, SEED = 128, 32, 42
KEY_BYTES = 8 * BANDS

_ALL_PAIRS = 20
"""Up to this size every pair of a bucket is a candidate; beyond, pairs with its first and next."""

BUCKET_BYTES = 64 << 20
"""So many bytes of shingles does a worker compare at once."""

SCAFFOLD = ("bands", "pairs", "linked", "settled", "gone")


# ── signatures


def signatures(texts: Sequence[str]) -> list[bytes | None]:
    """Return the keys of each text's bands, 8 bytes a band; None where nothing can be shared."""
    import numpy as np
    from rensa import RMinHash

    found: list[bytes | None] = []
    for block in blocks(texts):
        hashes, offsets = flat(block)
        places = offsets.astype(np.uint64)
        matrix = RMinHash.digest_matrix_from_flat_token_hashes(hashes, places, PERMUTATIONS, SEED)
        keys = band_keys(np.asarray(matrix.to_rows(), np.uint32).reshape(-1, PERMUTATIONS))
        empty = (offsets[1:] == offsets[:-1]).tolist()
        data = keys.tobytes()
        found += [
            None if nothing else data[at * KEY_BYTES : (at + 1) * KEY_BYTES]
            for at, nothing in enumerate(empty)
        ]
    return found


def band_keys(matrix: NDArray[np.uint32]) -> NDArray[np.uint64]:
    """Return a 64-bit key for each band of each signature; bands never share a key but by chance.

    Shapes: (n, permutations) to (n, bands).
    """
    import numpy as np

    width = matrix.shape[1] // BANDS
    keys = np.tile(np.arange(1, BANDS + 1, dtype=np.uint64), (len(matrix), 1))
    parts = matrix.reshape(len(matrix), BANDS, width)
    for at in range(width):
        keys = (keys ^ parts[:, :, at]) * np.uint64(0x9E3779B97F4A7C15)
        keys ^= keys >> np.uint64(29)
    return keys


# ── documents, wherever they lie


@dataclass(frozen=True)
class Shard:
    """A shard of documents among which near-duplicates are looked for; picklable.

    `signed` holds `_signature`; `measured` the edits and `reasons` the reasons, both null for a
    shard of an older corpus, which yields to nobody. `ranks` are the sources in their order.
    """

    number: int
    texts: Path
    signed: Path
    measured: Path | None
    reasons: Path | None
    ranks: dict[str, int]

    def orders(self) -> NDArray[np.uint64]:
        """Return the precedence of each document: batch, source, then the first bits of its id."""
        import numpy as np
        import pyarrow.parquet as pq

        if self.reasons is None:
            table = pq.read_table(self.texts, columns=["id"])
            batch = rank = np.zeros(table.num_rows, np.uint64)
        else:
            table = pq.read_table(self.texts, columns=["id", "source", "batch"])
            batch = np.minimum(table["batch"].to_numpy(), 1023).astype(np.uint64)
            ranks = [min(self.ranks[source], 65535) for source in table["source"].to_pylist()]
            rank = np.array(ranks, np.uint64)
        first = [_prefix(id) for id in table["id"].to_pylist()]
        low = np.array(first, np.uint64)
        return np.asarray(batch << np.uint64(54) | rank << np.uint64(38) | low)

    def keys(self) -> pa.Table:
        """Return (key, order, place) for each band of each document that passed."""
        import numpy as np
        import pyarrow as pa
        import pyarrow.parquet as pq

        signed = pq.read_table(self.signed, columns=["_signature"])["_signature"].combine_chunks()
        able = signed.is_valid().to_numpy(zero_copy_only=False)
        if self.reasons is not None:
            able = (
                able
                & pq.read_table(self.reasons, columns=["reason"])["reason"].is_null().to_numpy()
            )
        rows = np.flatnonzero(able)
        data = b"".join(signed.take(pa.array(rows)).to_pylist())
        keys = np.frombuffer(data, np.uint64)
        return pa.table(
            {
                "key": keys,
                "order": np.repeat(self.orders()[rows], BANDS),
                "place": np.repeat(np.uint64(self.number << 32) | rows.astype(np.uint64), BANDS),
            }
        )

    def contents(self, rows: Sequence[int]) -> tuple[list[str], list[str], list[str | None]]:
        """Return ids, texts as they read after edits, and sources of some rows."""
        import pyarrow.parquet as pq

        names = ["id", "text", *(["source"] if self.reasons is not None else ())]
        table = pq.read_table(self.texts, columns=names).take(rows)
        texts: list[str] = table["text"].to_pylist()
        if self.measured is not None:
            edits = pq.read_table(self.measured, columns=["edits"])["edits"].take(rows)
            if edits.null_count < len(edits):
                texts = [
                    apply_edits(text, (tuple(edit.values()) for edit in each or ()))
                    for text, each in zip(texts, edits.to_pylist(), strict=True)
                ]
        sources = table["source"].to_pylist() if "source" in names else [None] * len(texts)
        return table["id"].to_pylist(), texts, sources


def _prefix(id: str) -> int:
    """Return the first 38 bits of an id; an id of elsewhere is no number."""
    try:
        return int(id[:10], 16) >> 2
    except ValueError:
        return 0


# ── pairs


def load_keys(shard: Shard) -> pa.Table:
    """Return the bands' keys of a shard."""
    return shard.keys()


def pairs_of(bands: pa.Table) -> pa.Table:
    """Return the pairs of documents that share a key, given all rows of some keys; pure.

    Rows are (late, late_order, early, early_order): the early one has precedence.
    """
    import numpy as np

    key = bands["key"].to_numpy()
    ordered = np.sort(key)
    shared = np.unique(ordered[1:][ordered[1:] == ordered[:-1]])
    at = np.minimum(np.searchsorted(shared, key), max(0, len(shared) - 1))
    rows = np.flatnonzero(shared[at] == key) if len(shared) else np.empty(0, np.int64)
    key, order, place = (bands[name].to_numpy()[rows] for name in ("key", "order", "place"))
    sort = np.lexsort((place, order, key))
    key, order, place = key[sort], order[sort], place[sort]
    early, late = _within(key)
    return _as_pairs(place, order, early, late)


def _within(key: NDArray[np.uint64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return (earlier, later) positions of rows with the same key; keys are sorted."""
    import numpy as np

    first = np.ones(len(key), bool)
    first[1:] = key[1:] != key[:-1]
    starts = np.flatnonzero(first)
    sizes = np.diff(np.append(starts, len(key)))
    size, start = np.repeat(sizes, sizes), np.repeat(starts, sizes)
    at = np.arange(len(key))
    small = size <= _ALL_PAIRS
    early, late = [], []
    for step in range(1, _ALL_PAIRS):
        here = at[small & (at + step < start + size)]
        early.append(here)
        late.append(here + step)
    big = at[~small & (at > start)]
    early += [start[big], big - 1]
    late += [big, big]
    return np.concatenate(early), np.concatenate(late)


def _as_pairs(
    place: NDArray[np.uint64],
    order: NDArray[np.uint64],
    early: NDArray[np.int64],
    late: NDArray[np.int64],
) -> pa.Table:
    import pyarrow as pa

    table = pa.table(
        {
            "late": place[late],
            "late_order": order[late],
            "early": place[early],
            "early_order": order[early],
        }
    )
    return distinct(table)


def distinct(pairs: pa.Table) -> pa.Table:
    """Return every pair once, given all pairs of some late documents; pure."""
    import numpy as np

    late, early = pairs["late"].to_numpy(), pairs["early"].to_numpy()
    sort = np.lexsort((early, late))
    late, early = late[sort], early[sort]
    new = np.ones(len(sort), bool)
    new[1:] = (late[1:] != late[:-1]) | (early[1:] != early[:-1])
    return pairs.take(sort[new])


# ── components: whatever may be compared meets


@dataclass(frozen=True)
class Linked:
    """Pairs with the component they belong to, and the members of components, by place."""

    pairs: list[Path]
    members: Path
    counts: dict[int, int]

    def of(self, number: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return rows and components of the candidates in the shard of that number."""
        import numpy as np
        import pyarrow.parquet as pq

        low, high = number << 32, (number + 1) << 32
        limits = [("place", ">=", low), ("place", "<", high)]
        table = pq.read_table(self.members, filters=limits)
        rows = (table["place"].to_numpy() & np.uint64(0xFFFFFFFF)).astype(np.int64)
        return rows, table["component"].to_numpy()


def link(found: Sequence[Path], folder: Path) -> Linked:
    """Number the components that the pairs make, and write both down."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    pairs = pa.concat_tables([pq.read_table(path) for path in found])
    late, early = pairs["late"].to_numpy(), pairs["early"].to_numpy()
    places = np.unique(np.concatenate([late, early]))
    ends = np.searchsorted(places, late), np.searchsorted(places, early)
    graph = coo_array((np.ones(len(late), bool), ends), shape=(len(places), len(places)))
    _, component = connected_components(graph, directed=False)
    component = component.astype(np.int64)
    folder.mkdir(parents=True, exist_ok=True)
    members = pa.table({"place": places, "component": component})
    storage.write_parquet(folder / "members.parquet", members)
    pairs = pairs.append_column("component", pa.array(component[ends[0]]))
    paths = []
    for number, start in enumerate(range(0, pairs.num_rows, 1 << 20)):
        paths.append(folder / f"pairs-{number:05}.parquet")
        storage.write_parquet(paths[-1], pairs.slice(start, 1 << 20))
    shards, counts = np.unique(places >> np.uint64(32), return_counts=True)
    by_shard = dict(zip(shards.astype(int).tolist(), counts.tolist(), strict=True))
    return Linked(paths, folder / "members.parquet", by_shard)


def meeting_schema() -> pa.Schema:
    """Return the schema in which pairs and their documents meet: one or the other in each row."""
    import pyarrow as pa

    return pa.schema(
        [
            ("component", pa.int64()),
            ("place", pa.uint64()),
            ("order", pa.uint64()),
            ("early", pa.uint64()),
            ("early_order", pa.uint64()),
            ("id", pa.string()),
            ("source", pa.string()),
            ("shingles", pa.large_list(pa.uint64())),
        ]
    )


@dataclass(frozen=True)
class Meet:
    """Loads what meets: a file of pairs, or the shingles of a shard's candidates."""

    linked: Linked

    def __call__(self, item: Path | Shard) -> pa.Table:
        """Return rows of `meeting_schema`."""
        return self._pairs(item) if isinstance(item, Path) else self._documents(item)

    def _pairs(self, path: Path) -> pa.Table:
        import pyarrow as pa
        import pyarrow.parquet as pq

        table = pq.read_table(path)
        named = {"place": "late", "order": "late_order"}
        schema = meeting_schema()
        columns = [
            table[named.get(field.name, field.name)]
            if named.get(field.name, field.name) in table.column_names
            else pa.nulls(table.num_rows, field.type)
            for field in schema
        ]
        return pa.table(columns, schema=schema)

    def _documents(self, shard: Shard) -> pa.Table:
        import numpy as np
        import pyarrow as pa

        schema = meeting_schema()
        rows, component = self.linked.of(shard.number)
        ids, texts, sources = shard.contents(rows.tolist())
        found = sets(texts)
        offsets = np.concatenate([[0], np.cumsum([len(each) for each in found])]).astype(np.int64)
        values = np.concatenate(found) if found else np.empty(0, np.uint64)
        known: dict[str, Any] = {
            "component": component,
            "place": np.uint64(shard.number << 32) | rows.astype(np.uint64),
            "id": pa.array(ids, pa.string()),
            "source": pa.array(sources, pa.string()),
            "shingles": pa.LargeListArray.from_arrays(pa.array(offsets), pa.array(values)),
        }
        columns = [known.get(field.name, pa.nulls(len(rows), field.type)) for field in schema]
        return pa.table(columns, schema=schema)


def gone_schema() -> pa.Schema:
    """Return the schema of what yields, and to what."""
    import pyarrow as pa

    return pa.schema(
        [
            ("kept", pa.string()),
            ("id", pa.string()),
            ("similarity", pa.float64()),
            ("kept_source", pa.string()),
            ("source", pa.string()),
            ("shard", pa.int64()),
            ("row", pa.int64()),
        ]
    )


@dataclass(frozen=True)
class Settle:
    """Settles who yields, given all pairs and documents of some components; pure.

    Only a document that stays itself makes another one go, so every chain ends at one that is
    kept. Of several, the likest is named.
    """

    threshold: float
    own: int

    def __call__(self, rows: pa.Table) -> pa.Table:
        """Return rows of `gone_schema`; shards from number `own` on are older and stay."""
        import numpy as np
        import pyarrow as pa
        import pyarrow.compute as pc

        documents = rows.filter(pc.is_valid(rows["id"]))
        pairs = rows.filter(pc.is_null(rows["id"]))
        where = {place: at for at, place in enumerate(documents["place"].to_pylist())}
        lists = documents["shingles"].combine_chunks()
        shingles, ends = lists.values.to_numpy(), lists.offsets.to_numpy()
        columns = [pairs[name].to_numpy() for name in ("early", "early_order", "place", "order")]
        gone: dict[int, tuple[int, float]] = {}
        for at in np.lexsort(columns).tolist():
            early, late = int(columns[0][at]), int(columns[2][at])
            if early in gone or late >> 32 >= self.own:
                continue
            one, other = where[late], where[early]
            similarity = jaccard(
                shingles[ends[one] : ends[one + 1]], shingles[ends[other] : ends[other + 1]]
            )
            best = gone[late][1] if late in gone else self.threshold - 1e-12
            if similarity > best:
                gone[late] = (early, similarity)
        ids, sources = documents["id"].to_pylist(), documents["source"].to_pylist()
        found = [
            {
                "kept": ids[where[early]],
                "id": ids[where[late]],
                "similarity": similarity,
                "kept_source": sources[where[early]],
                "source": sources[where[late]],
                "shard": late >> 32,
                "row": late & 0xFFFFFFFF,
            }
            for late, (early, similarity) in gone.items()
        ]
        found.sort(key=lambda each: (each["kept"], each["id"]))
        return pa.Table.from_pylist(found, schema=gone_schema())


def by_shard(rows: pa.Table) -> pa.Table:
    """Return a bucket of what yields, in the order of shards and rows; pure."""
    return rows.sort_by([("shard", "ascending"), ("row", "ascending")])


# ── the whole


@dataclass(frozen=True)
class Gone:
    """What yields: `clusters` by what is kept, `changed` by shard."""

    clusters: Sequence[Path] = ()
    changed: Sequence[Path] = ()

    def of(self, number: int) -> pa.Table:
        """Return what yields in the shard of that number, by row."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        if not self.changed:
            return gone_schema().empty_table()
        (bucket,) = bucket_of(pa.array([number], pa.int64()), len(self.changed))
        return pq.read_table(self.changed[bucket], filters=[("shard", "=", number)])


def near_duplicates(
    engine: Engine,
    shards: Sequence[Shard],
    threshold: float,
    folder: Path,
    *,
    older: Sequence[Shard] = (),
) -> Gone:
    """Settle the near-duplicates among shards and against older ones; `folder` is for scaffolds.

    Shards are numbered in their order, the older ones after them.
    """
    rows = sum(_rows(each.signed) for each in (*shards, *older))
    every = [*shards, *older]
    banded = engine.shuffle(
        pairs_of,
        every,
        folder / "bands",
        key="key",
        buckets=buckets_for(rows * BANDS),
        load=load_keys,
    )
    found = engine.shuffle(
        distinct, banded, folder / "pairs", key="late", buckets=buckets_for(rows)
    )
    linked = link(found, folder / "linked")
    if not linked.pairs:
        return Gone()
    involved = [shard for shard in every if shard.number in linked.counts]
    settled = engine.shuffle(
        Settle(threshold, len(shards)),
        [*linked.pairs, *involved],
        folder / "settled",
        key="component",
        buckets=-(-_bytes(involved, linked.counts) // BUCKET_BYTES),
        load=Meet(linked),
    )
    changed = engine.shuffle(
        by_shard, settled, folder / "gone", key="shard", buckets=buckets_for(rows)
    )
    return Gone(settled, changed)


def _rows(path: Path) -> int:
    import pyarrow.parquet as pq

    return int(pq.read_metadata(path).num_rows)


def _bytes(shards: Sequence[Shard], counts: dict[int, int]) -> int:
    """Return about how many bytes the shingles of the candidates take: 8 for each byte of text."""
    import pyarrow.parquet as pq

    total = 0
    for shard in shards:
        about = pq.read_metadata(shard.texts)
        groups = [about.row_group(at) for at in range(about.num_row_groups)]
        size = sum(_leaf(group, "text").total_uncompressed_size for group in groups)
        total += 8 * size * counts[shard.number] // max(1, about.num_rows)
    return max(1, total)


def _leaf(group: Any, name: str) -> Any:
    columns = (group.column(at) for at in range(group.num_columns))
    return next(column for column in columns if column.path_in_schema == name)
