"""How bulk work runs: worker processes on this machine, or Ray. Nothing else knows.

Stages hand over pure functions and lists of shards. Every engine runs `each` (one function over
picklable items, a bounded number in flight); `map`, `shuffle` and `reduce` are built on it in
`bulk`, over files, so that all engines write the same bytes and all go on where they stopped.
"""

from curate.engine.bulk import Bulk, Load, Marking, Transform, buckets_for, read_shard
from curate.engine.engine import ENGINES, Engine, choose
from curate.engine.local import Local

__all__ = [
    "ENGINES",
    "Bulk",
    "Engine",
    "Load",
    "Local",
    "Marking",
    "Transform",
    "buckets_for",
    "choose",
    "read_shard",
]
