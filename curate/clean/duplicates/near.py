"""Near-duplicates: MinHash signatures, LSH candidates, verified Jaccard similarity.

    signatures ──by band──▶ pairs ──by document──▶ distinct pairs ──by group──▶ verified ──▶ gone
    minhash                 pairing                                 comparing              settling

Signatures are a cache; only a verified pair counts. Hashes and places are shuffled, never text;
beside one bucket a worker, memory holds some 70 bytes for each pair that is alike.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from operator import add
from pathlib import Path

from curate.clean.duplicates.comparing import Compare, Kind, Meet, Shingles, lent, once_each, tally
from curate.clean.duplicates.minhash import BANDS, signatures
from curate.clean.duplicates.pairing import Pairs, grouped, load_keys
from curate.clean.duplicates.settling import Chosen, Gone, by_cluster, by_shard, settle
from curate.clean.duplicates.shards import Shard
from curate.engine import Engine, buckets_for
from curate.progress import Advance

__all__ = ["Gone", "Kind", "Shard", "near_duplicates", "signatures"]

BUCKET_BYTES = 16 << 20
"""So many bytes of shingles does a worker compare at once."""

TEXTS = Shingles()


def near_duplicates(
    engine: Engine,
    shards: Sequence[Shard],
    threshold: float,
    folder: Path,
    *,
    older: Sequence[Shard] = (),
    kind: Kind = TEXTS,
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
