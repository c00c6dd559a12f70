"""Linear heads: from the labels of one question to calibrated predictions for any text.

A head reads embeddings, character n-grams, or both. Which, and how strongly it is regularised, is
chosen out of fold, in each question by itself (`choosing`). Labelled texts are predicted by heads,
choices and calibrators that never saw their labels. Nothing here knows a workspace.
"""

from curate.heads.learned import InPieces, Learned, Predicted
from curate.heads.learning import learn
from curate.heads.lesson import Lesson, Options, Pieces, pieces_at
from curate.heads.storing import load, save

__all__ = [
    "InPieces",
    "Learned",
    "Lesson",
    "Options",
    "Pieces",
    "Predicted",
    "learn",
    "load",
    "pieces_at",
    "save",
]
