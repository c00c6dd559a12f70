"""The steps from signed shards to the documents that yield (see the package), as shuffles."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from operator import add
from pathlib import Path

from curate.clean.duplicates.comparing import (
    Compare,
    Kind,
    Meet,
    Shingles,
    members_of,
    once_each,
    tally,
)
from curate.clean.duplicates.pairing import Pairs, grouped, load_keys
from curate.clean.duplicates.settling import Chosen, Gone, by_cluster, by_shard, settle
from curate.clean.duplicates.shards import Shard
from curate.engine import Engine, buckets_for
from curate.minhash import BANDS, signatures
from curate.progress import Advance

__all__ = ["Gone", "Kind", "Shard", "near_duplicates", "signatures"]

BUCKET_BYTES = 16 << 20
"""Bytes of shingles that a worker compares at once."""

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
    """Settle the near-duplicates among shards and against older ones.

    Shards are numbered in their order, the older ones after them. Pairs count from the similarity
    `threshold` on. `folder` takes intermediate files. `advance` is called with numbers of
    documents.
    """
    all_shards = [*shards, *older]
    rows = sum(_rows(shard.signed) for shard in all_shards)
    band_pairs = engine.shuffle(
        Pairs(kind.least_equal(threshold)),
        all_shards,
        folder / "bands",
        key="key",
        buckets=buckets_for(rows * BANDS),
        load=load_keys,
        advance=lambda keys: advance(keys // BANDS),
    )
    pairs = engine.shuffle(
        grouped,
        band_pairs,
        folder / "pairs",
        key="early",
        buckets=buckets_for(sum(map(_rows, band_pairs))),
    )
    number = sum(map(_rows, pairs))
    if not number:
        return Gone()
    members = engine.shuffle(
        once_each,
        pairs,
        folder / "members",
        key="shard",
        buckets=buckets_for(2 * number),
        load=members_of,
    )
    counts = engine.reduce(tally, members, add) or Counter()
    involved = [shard for shard in all_shards if counts[shard.number]]
    verified = engine.shuffle(
        Compare(threshold, len(shards), kind),
        [*pairs, *involved],
        folder / "verified",
        key="group",
        buckets=1
        + sum(counts[shard.number] * kind.bytes(shard) for shard in involved) // BUCKET_BYTES,
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
