"""Engines run bulk work: in worker processes on this machine, or on Ray. Stages do not know which.

Stages hand over pure functions and lists of shards. Every engine has its own `each`: one function
over picklable items, a bounded number in flight. `bulk` builds `map`, `shuffle` and `reduce` on it,
over files. So all engines write the same bytes, and all go on where they stopped.
"""

from curate.engine.bulk import Bulk, Load, Marking, Transform, buckets_for, in_order, read_shard
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
    "in_order",
    "read_shard",
]
