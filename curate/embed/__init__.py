"""Text → vectors, behind a one-method protocol; saved in blocks and cached by content."""

from curate.embed.vectors import Embedded, embed

__all__ = [
    "Embedded",
    "embed",
]
