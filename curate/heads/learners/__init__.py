"""The learners: one file each; all are linear with an L2 penalty, and learn from soft labels."""

from curate.heads.learners.linear import ROUGH, TOLERANCE, Linear, Taught
from curate.heads.learners.protocol import Learner
from curate.heads.learners.table import LEARNERS, learners_of

__all__ = ["LEARNERS", "ROUGH", "TOLERANCE", "Learner", "Linear", "Taught", "learners_of"]
