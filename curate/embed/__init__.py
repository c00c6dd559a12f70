"""Text → vectors, behind a one-method protocol; saved in blocks and cached by content."""

from curate.embed.blocks import VectorShard
from curate.embed.contents import Pieces, pieces_of, windows
from curate.embed.vectors import Vectors, candidates, embed, encode, encoder_of, found

__all__ = [
    "Pieces",
    "VectorShard",
    "Vectors",
    "candidates",
    "embed",
    "encode",
    "encoder_of",
    "found",
    "pieces_of",
    "windows",
]
