"""Text → vectors, behind a one-method protocol; saved in blocks and cached by content."""

from curate.embed.blocks import VectorShard
from curate.embed.vectors import Vectors, embed

__all__ = [
    "VectorShard",
    "Vectors",
    "embed",
]
