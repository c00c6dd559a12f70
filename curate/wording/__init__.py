"""What people read in place of a record: counts with their nouns, times, what a stage did."""

from curate.wording.columns import shown
from curate.wording.numbers import count, from_here, local_time, number, share
from curate.wording.stages import did

__all__ = ["count", "did", "from_here", "local_time", "number", "share", "shown"]
