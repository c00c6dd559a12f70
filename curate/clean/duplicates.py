"""Near-duplicates: MinHash signatures, LSH candidates, verified Jaccard similarity.

    signatures ──by band──▶ pairs ──by document──▶ distinct pairs ──by group──▶ verified ──▶ gone

Signatures are a cache; only a verified pair counts (Broder 1997; bands of LSH: Indyk and Motwani
1998). 128 permutations in 32 bands of 4: a pair of similarity .5 is a candidate in 87 % of cases,
one of .7 in 99.98 %. Pairs that share a band by chance grow with the square of a corpus: one bit of
every permutation (Li and König 2010) travels along and sorts most of them out at once. Hashes and
places are shuffled, never text; beside one bucket a worker, memory holds some 50 bytes for each
pair that is alike.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from operator import add
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from curate import storage
from curate.clean.shingling import blocks, flat, jaccard, sets
from curate.engine import Advance, Engine, buckets_for
from curate.engine.shuffling import bucket_of
from curate.text import apply_edits

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

PERMUTATIONS, BANDS, SEED = 128, 32, 42
KEY_WORDS, BIT_WORDS = BANDS, PERMUTATIONS // 64
SIGNATURE_BYTES = 8 * (KEY_WORDS + BIT_WORDS)

DOUBT = 3.5
"""A pair is compared unless its bits say, by so many standard deviations, that it is not alike."""

_ALL_PAIRS = 20
"""Up to this size every pair of a bucket is a candidate; beyond, pairs with its first and next."""

BUCKET_BYTES = 16 << 20
"""So many bytes of shingles does a worker compare at once."""

GROUP = 1024
"""Up to so many later documents are compared with one at once."""


# ── signatures


def signatures(texts: Sequence[str]) -> list[bytes | None]:
    """Return the keys of each text's bands and its bits; None where nothing can be shared."""
    import numpy as np
    from rensa import RMinHash

    found: list[bytes | None] = []
    for block in blocks(texts):
        hashes, offsets = flat(block)
        places = offsets.astype(np.uint64)
        matrix = RMinHash.digest_matrix_from_flat_token_hashes(hashes, places, PERMUTATIONS, SEED)
        values = np.asarray(matrix.to_rows(), np.uint32).reshape(-1, PERMUTATIONS)
        empty = (offsets[1:] == offsets[:-1]).tolist()
        data = np.hstack([band_keys(values), bits(values)]).tobytes()
        found += [
            None if nothing else data[at * SIGNATURE_BYTES : (at + 1) * SIGNATURE_BYTES]
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


def bits(matrix: NDArray[np.uint32]) -> NDArray[np.uint64]:
    """Return one bit of each value of a signature: (n, permutations) to (n, permutations / 64).

    Equal values have equal bits, others do in half of all cases.
    """
    import numpy as np

    mixed = matrix * np.uint32(0x9E3779B1)
    mixed ^= mixed >> np.uint32(15)
    mixed *= np.uint32(0x85EBCA77)
    return np.packbits(mixed >> np.uint32(31) == 1, axis=1).view(np.uint64)


def least_equal(threshold: float) -> int:
    """Return how many of their bits a pair has in common at least, if it is as alike as that."""
    share = (1 + min(threshold, 1.0)) / 2
    spread = (share * (1 - share) / PERMUTATIONS) ** 0.5
    return int(PERMUTATIONS * (share - DOUBT * spread))


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
        """Return (key, order, place, bits) for each band of each document that passed."""
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
        words = np.frombuffer(data, np.uint64).reshape(-1, KEY_WORDS + BIT_WORDS)
        places = np.uint64(self.number << 32) | rows.astype(np.uint64)
        each = {"order": self.orders()[rows], "place": places}
        each |= {f"bits_{at}": words[:, KEY_WORDS + at] for at in range(BIT_WORDS)}
        return pa.table(
            {
                "key": words[:, :KEY_WORDS].ravel(),
                **{name: np.repeat(values, BANDS) for name, values in each.items()},
            }
        )

    def names(self, rows: Sequence[int]) -> tuple[list[str], list[str | None]]:
        """Return ids and sources of some rows; an older corpus has no sources."""
        import pyarrow.parquet as pq

        columns = ["id", *(["source"] if self.reasons is not None else ())]
        table = pq.read_table(self.texts, columns=columns).take(rows)
        sources = table["source"].to_pylist() if self.reasons is not None else [None] * len(rows)
        return table["id"].to_pylist(), sources

    def contents(self, rows: Sequence[int]) -> list[str]:
        """Return the texts of some rows as they read after edits."""
        import pyarrow.parquet as pq

        texts: list[str] = (
            pq.read_table(self.texts, columns=["text"])["text"].take(rows).to_pylist()
        )
        if self.measured is None:
            return texts
        edits = pq.read_table(self.measured, columns=["edits"])["edits"].take(rows)
        if edits.null_count == len(edits):
            return texts
        return [
            apply_edits(text, (tuple(edit.values()) for edit in each or ()))
            for text, each in zip(texts, edits.to_pylist(), strict=True)
        ]


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


@dataclass(frozen=True)
class Pairs:
    """Pairs the documents that share a key, but those whose bits say that they are not alike."""

    equal: int

    def __call__(self, bands: pa.Table) -> pa.Table:
        """Return pairs, given all rows of some keys; pure.

        Rows are (late, late_order, early, early_order): the early one has precedence.
        """
        import numpy as np
        import pyarrow as pa

        key = bands["key"].to_numpy()
        ordered = np.sort(key)
        shared = np.unique(ordered[1:][ordered[1:] == ordered[:-1]])
        at = np.minimum(np.searchsorted(shared, key), max(0, len(shared) - 1))
        rows = np.flatnonzero(shared[at] == key) if len(shared) else np.empty(0, np.int64)
        key, order, place = (bands[name].to_numpy()[rows] for name in ("key", "order", "place"))
        sort = np.lexsort((place, order, key))
        key, order, place, rows = key[sort], order[sort], place[sort], rows[sort]
        early, late = _within(key)
        differ = np.zeros(len(early), np.int64)
        for word in range(BIT_WORDS):
            own = bands[f"bits_{word}"].to_numpy()[rows]
            differ += np.bitwise_count(own[early] ^ own[late])
        alike = differ <= PERMUTATIONS - self.equal
        early, late = early[alike], late[alike]
        return distinct(
            pa.table(
                {
                    "late": place[late],
                    "late_order": order[late],
                    "early": place[early],
                    "early_order": order[early],
                }
            )
        )


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


def distinct(pairs: pa.Table) -> pa.Table:
    """Return every pair once, given all pairs of some early documents, in their order; pure."""
    import numpy as np

    early, late = pairs["early"].to_numpy(), pairs["late"].to_numpy()
    sort = np.lexsort((late, early))
    early, late = early[sort], late[sort]
    new = np.ones(len(sort), bool)
    new[1:] = (late[1:] != late[:-1]) | (early[1:] != early[:-1])
    return pairs.take(sort[new])


def grouped(pairs: pa.Table) -> pa.Table:
    """Return every pair once, with the group in which it is compared; pure.

    A group is one early document and up to `GROUP` later ones, so that none grows with the pool.
    """
    import numpy as np
    import pyarrow as pa

    pairs = distinct(pairs)
    early = pairs["early"].to_numpy()
    first = np.ones(len(early), bool)
    first[1:] = early[1:] != early[:-1]
    starts = np.flatnonzero(first)
    within = np.arange(len(early)) - np.repeat(starts, np.diff(np.append(starts, len(early))))
    part = (within // GROUP).astype(np.uint64)
    return pairs.append_column("group", pa.array(early ^ (part << np.uint64(40))))


# ── groups: what is compared meets


def lent(pairs: Path) -> pa.Table:
    """Return (shard, place, group) of every document that some pairs need to be compared."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pq.read_table(pairs, columns=["late", "early", "group"])
    group = table["group"].to_numpy()
    places = np.concatenate([table["late"].to_numpy(), table["early"].to_numpy()])
    shards = (places >> np.uint64(32)).astype(np.int64)
    return pa.table({"shard": shards, "place": places, "group": np.concatenate([group, group])})


def once_each(members: pa.Table) -> pa.Table:
    """Return what shards have to lend, each document once for each group; pure."""
    import numpy as np

    place, group = members["place"].to_numpy(), members["group"].to_numpy()
    sort = np.lexsort((group, place))
    place, group = place[sort], group[sort]
    new = np.ones(len(sort), bool)
    new[1:] = (place[1:] != place[:-1]) | (group[1:] != group[:-1])
    return members.take(sort[new])


def tally(members: pa.Table) -> Counter[int]:
    """Count what each shard has to lend; pure."""
    import pyarrow.compute as pc

    found = pc.value_counts(members["shard"])
    return Counter(dict(zip(found.field(0).to_pylist(), found.field(1).to_pylist(), strict=True)))


class Kind(Protocol):
    """What is compared: shingles of texts, or something else with a signature of bands and bits."""

    def type(self) -> pa.DataType:
        """Return the Arrow type of one element."""
        ...

    def contents(self, shard: Shard, rows: Sequence[int]) -> list[NDArray[Any]]:
        """Return what stands for some rows of a shard."""
        ...

    def similarity(self, one: NDArray[Any], other: NDArray[Any]) -> float:
        """Return how alike two are, at most 1."""
        ...

    def least_equal(self, threshold: float) -> int:
        """Return how many of their bits two share at least, if they are as alike as that."""
        ...

    def bytes(self, shard: Shard) -> int:
        """Return about how many bytes stand for a document of a shard."""
        ...


@dataclass(frozen=True)
class Shingles:
    """Compares texts by the Jaccard similarity of their shingles."""

    def type(self) -> pa.DataType:
        """Return the type of a hash."""
        import pyarrow as pa

        return pa.uint64()

    def contents(self, shard: Shard, rows: Sequence[int]) -> list[NDArray[Any]]:
        """Return the distinct shingles of each text, sorted."""
        return list(sets(shard.contents(rows)))

    def similarity(self, one: NDArray[Any], other: NDArray[Any]) -> float:
        """Return the Jaccard similarity."""
        return jaccard(one, other)

    def least_equal(self, threshold: float) -> int:
        """Return how many bits are equal at least: of bits of unequal values, half are."""
        return least_equal(threshold)

    def bytes(self, shard: Shard) -> int:
        """Return 8 bytes for each byte of a text."""
        import pyarrow.parquet as pq

        about = pq.read_metadata(shard.texts)
        groups = [about.row_group(at) for at in range(about.num_row_groups)]
        size = sum(_leaf(group, "text").total_uncompressed_size for group in groups)
        return 8 * int(size) // max(1, int(about.num_rows))


def meeting_schema(element: pa.DataType) -> pa.Schema:
    """Return the schema in which pairs and their documents meet: one or the other in each row."""
    import pyarrow as pa

    return pa.schema(
        [
            ("group", pa.uint64()),
            ("late", pa.uint64()),
            ("late_order", pa.uint64()),
            ("early", pa.uint64()),
            ("early_order", pa.uint64()),
            ("place", pa.uint64()),
            ("id", pa.string()),
            ("source", pa.string()),
            ("content", pa.large_list(element)),
        ]
    )


@dataclass(frozen=True)
class Meet:
    """Loads what meets: a file of pairs, or what stands for a shard's documents.

    `members` say, by shard, which documents are needed in which groups.
    """

    members: Sequence[Path]
    kind: Kind

    def __call__(self, item: Path | Shard) -> pa.Table:
        """Return rows of `meeting_schema`."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        known: dict[str, Any]
        if isinstance(item, Path):
            table = pq.read_table(item)
            known = dict(zip(table.column_names, table.columns, strict=True))
        else:
            known = self._documents(item)
        rows, schema = len(known["group"]), meeting_schema(self.kind.type())
        columns = [known.get(field.name, pa.nulls(rows, field.type)) for field in schema]
        return pa.table(columns, schema=schema)

    def _documents(self, shard: Shard) -> dict[str, Any]:
        import numpy as np
        import pyarrow as pa

        lent = _of_shard(self.members, shard.number)
        wanted = (lent["place"].to_numpy() & np.uint64(0xFFFFFFFF)).astype(np.int64)
        group = lent["group"].to_numpy()
        rows, where = np.unique(wanted, return_inverse=True)
        ids, sources = shard.names(rows.tolist())
        found = self.kind.contents(shard, rows.tolist())
        offsets = np.concatenate([[0], np.cumsum([len(each) for each in found])]).astype(np.int64)
        content = pa.LargeListArray.from_arrays(pa.array(offsets), pa.array(np.concatenate(found)))
        at = pa.array(where)
        return {
            "group": pa.array(group),
            "place": pa.array(np.uint64(shard.number << 32) | wanted.astype(np.uint64)),
            "id": pa.array(ids, pa.string()).take(at),
            "source": pa.array(sources, pa.string()).take(at),
            "content": content.take(at),
        }


def verified_schema() -> pa.Schema:
    """Return the schema of pairs that are alike indeed."""
    import pyarrow as pa

    return pa.schema(
        [
            ("late", pa.uint64()),
            ("late_order", pa.uint64()),
            ("early", pa.uint64()),
            ("early_order", pa.uint64()),
            ("similarity", pa.float64()),
            ("kept", pa.string()),
            ("id", pa.string()),
            ("kept_source", pa.string()),
            ("source", pa.string()),
        ]
    )


@dataclass(frozen=True)
class Compare:
    """Compares the pairs of some groups, given their documents; pure.

    Shards from number `own` on are of older corpora: they yield to nobody.
    """

    threshold: float
    own: int
    kind: Kind

    def __call__(self, rows: pa.Table) -> pa.Table:
        """Return rows of `verified_schema`."""
        import pyarrow as pa
        import pyarrow.compute as pc

        is_pair = pc.is_null(rows["id"])
        pairs = rows.filter(is_pair)
        documents = rows.select(["place", "id", "source", "content"]).filter(pc.invert(is_pair))
        where = {place: at for at, place in enumerate(documents["place"].to_pylist())}
        lists = documents["content"].combine_chunks()
        content, ends = lists.values.to_numpy(), lists.offsets.to_numpy()
        ones, others, rows_, found = [], [], [], []
        late, early = pairs["late"].to_pylist(), pairs["early"].to_pylist()
        for row, (one, other) in enumerate(zip(late, early, strict=True)):
            if one >> 32 >= self.own:
                continue
            at, there = where[one], where[other]
            similarity = self.kind.similarity(
                content[ends[at] : ends[at + 1]], content[ends[there] : ends[there + 1]]
            )
            if similarity > self.threshold - 1e-12:
                ones.append(at)
                others.append(there)
                rows_.append(row)
                found.append(similarity)
        at, kept = pa.array(ones, pa.int64()), pa.array(others, pa.int64())
        table = pairs.select(["late", "late_order", "early", "early_order"]).take(
            pa.array(rows_, pa.int64())
        )
        columns = [
            *table.columns,
            pa.array(found, pa.float64()),
            documents["id"].take(kept),
            documents["id"].take(at),
            documents["source"].take(kept),
            documents["source"].take(at),
        ]
        return pa.table(columns, schema=verified_schema())


# ── who yields


def settle(verified: Sequence[Path], target: Path) -> Path:
    """Write (late, early) of every document that yields and of what it yields to, by `late`.

    Only a document that stays itself makes another one go, so every chain ends at one that is
    kept. Of several, the likest is named, the earlier where they tie.
    """
    import numpy as np
    import pyarrow as pa

    places, ranks, late, early = _ranks(verified)
    similarity = _column(verified, "similarity")
    order = np.lexsort((early, late))
    best, chosen = np.zeros(len(places)), np.full(len(places), -1, np.int64)
    for start in range(0, len(order), 1 << 17):
        some = order[start : start + (1 << 17)]
        rows = zip(
            late[some].tolist(), early[some].tolist(), similarity[some].tolist(), strict=True
        )
        for one, other, alike in rows:
            if chosen[other] < 0 and alike > best[one]:
                best[one], chosen[one] = alike, other
    ranked = places[np.argsort(ranks)]
    gone = np.flatnonzero(chosen >= 0)
    found = pa.table({"late": ranked[gone], "early": ranked[chosen[gone]]})
    storage.write_parquet(target, found.sort_by("late"))
    return target


def _ranks(
    verified: Sequence[Path],
) -> tuple[NDArray[np.uint64], NDArray[np.uint32], NDArray[np.uint32], NDArray[np.uint32]]:
    """Return the places of all documents in pairs, ascending, and their ranks by precedence.

    Then, for each pair, the ranks of the late and of the early document. Column by column, since
    this is the one step that holds all pairs.
    """
    import numpy as np

    places = np.union1d(*(np.unique(_column(verified, name)) for name in ("late", "early")))
    orders = np.zeros(len(places), np.uint64)
    sides = []
    for name in ("late", "early"):
        sides.append(np.searchsorted(places, _column(verified, name)).astype(np.uint32))
        orders[sides[-1]] = _column(verified, f"{name}_order")
    ranks = np.empty(len(places), np.uint32)
    ranks[np.lexsort((places, orders))] = np.arange(len(places), dtype=np.uint32)
    return places, ranks, ranks[sides[0]], ranks[sides[1]]


def _column(paths: Sequence[Path], name: str) -> NDArray[Any]:
    import numpy as np
    import pyarrow.parquet as pq

    parts = [pq.read_table(path, columns=[name])[name].to_numpy() for path in paths]
    return np.concatenate(parts)


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
class Chosen:
    """Loads, of verified pairs, those that were settled."""

    settled: Path

    def __call__(self, verified: Path) -> pa.Table:
        """Return rows of `gone_schema`."""
        import numpy as np
        import pyarrow as pa
        import pyarrow.parquet as pq

        pairs, settled = pq.read_table(verified), pq.read_table(self.settled)
        late, kept_for = settled["late"].to_numpy(), settled["early"].to_numpy()
        mine = pairs["late"].to_numpy()
        if not len(late):
            return gone_schema().empty_table()
        at = np.minimum(np.searchsorted(late, mine), len(late) - 1)
        right = (late[at] == mine) & (kept_for[at] == pairs["early"].to_numpy())
        pairs = pairs.filter(pa.array(right))
        places = pairs["late"].to_numpy()
        added = {
            "shard": pa.array((places >> np.uint64(32)).astype(np.int64)),
            "row": pa.array((places & np.uint64(0xFFFFFFFF)).astype(np.int64)),
        }
        schema = gone_schema()
        columns = [added[n] if n in added else pairs[n] for n in schema.names]
        return pa.table(columns, schema=schema)


def by_shard(rows: pa.Table) -> pa.Table:
    """Return a bucket of what yields, in the order of shards and rows; pure."""
    return rows.sort_by([("shard", "ascending"), ("row", "ascending")])


def by_cluster(rows: pa.Table) -> pa.Table:
    """Return a bucket of what yields, in the order of what is kept; pure."""
    return rows.drop_columns(["shard", "row"]).sort_by([("kept", "ascending"), ("id", "ascending")])


# ── the whole


@dataclass(frozen=True)
class Gone:
    """What yields: `clusters` by what is kept, `changed` by shard."""

    clusters: Sequence[Path] = ()
    changed: Sequence[Sequence[Path]] = ()

    def __add__(self, other: Gone) -> Gone:
        """Return what yields for either reason."""
        return Gone((*self.clusters, *other.clusters), (*self.changed, *other.changed))

    def of(self, number: int) -> pa.Table:
        """Return what yields in the shard of that number, by row."""
        import pyarrow as pa

        none = gone_schema().empty_table()
        return pa.concat_tables([_of_shard(each, number) for each in self.changed] or [none])


def _of_shard(buckets: Sequence[Path], number: int) -> pa.Table:
    """Return the rows of one shard out of what was shuffled by shards."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    (bucket,) = bucket_of(pa.array([number], pa.int64()), len(buckets))
    return pq.read_table(buckets[bucket], filters=[("shard", "=", number)])


def near_duplicates(
    engine: Engine,
    shards: Sequence[Shard],
    threshold: float,
    folder: Path,
    *,
    older: Sequence[Shard] = (),
    kind: Kind = Shingles(),
    advance: Advance = lambda n: None,
) -> Gone:
    """Settle the near-duplicates among shards and against older ones; `folder` is for scaffolds.

    Shards are numbered in their order, the older ones after them. `advance` is told documents.
    """
    rows = sum(_rows(each.signed) for each in (*shards, *older))
    every = [*shards, *older]
    banded = engine.shuffle(
        Pairs(kind.least_equal(threshold)),
        every,
        folder / "bands",
        key="key",
        buckets=buckets_for(rows * BANDS),
        load=load_keys,
        advance=lambda keys: advance(keys // BANDS),
    )
    found = engine.shuffle(
        grouped, banded, folder / "pairs", key="early", buckets=buckets_for(sum(map(_rows, banded)))
    )
    number = sum(map(_rows, found))
    if not number:
        return Gone()
    members = engine.shuffle(
        once_each,
        found,
        folder / "members",
        key="shard",
        buckets=buckets_for(2 * number),
        load=lent,
    )
    counts = engine.reduce(tally, members, add) or Counter()
    involved = [shard for shard in every if counts[shard.number]]
    verified = engine.shuffle(
        Compare(threshold, len(shards), kind),
        [*found, *involved],
        folder / "verified",
        key="group",
        buckets=1
        + sum(counts[each.number] * kind.bytes(each) for each in involved) // BUCKET_BYTES,
        load=Meet(members, kind),
    )
    chosen = Chosen(settle(verified, folder / "settled.parquet"))
    buckets = buckets_for(sum(map(_rows, verified)), width=160)
    changed = engine.shuffle(
        by_shard, verified, folder / "gone", key="shard", buckets=buckets, load=chosen
    )
    clusters = engine.shuffle(
        by_cluster, verified, folder / "clusters", key="kept", buckets=buckets, load=chosen
    )
    return Gone(clusters, [changed])


def _rows(path: Path) -> int:
    import pyarrow.parquet as pq

    return int(pq.read_metadata(path).num_rows)


def _leaf(group: Any, name: str) -> Any:
    columns = (group.column(at) for at in range(group.num_columns))
    return next(column for column in columns if column.path_in_schema == name)
