"""The table `doubtful`: every settled label of a learned question, the most doubtful first."""

from curate.score.doubting.every import find_doubtful
from curate.score.doubting.ranking import Doubtful, DoubtfulLabel
from curate.score.doubting.spans import told

__all__ = ["Doubtful", "DoubtfulLabel", "find_doubtful", "told"]
