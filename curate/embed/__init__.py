"""Text → vectors, behind a one-method protocol; saved in blocks and cached by content.

Vectors are made in fixed blocks: the kept rows of 1,024 consecutive rows of the pool. What a block
holds is a function of the pool and not of what is missing, since the composition of a batch moves
some encoders by 2e-7; so an interrupted run that goes on is the same run.
"""

from curate.embed.vectors import Embedded, embed

__all__ = [
    "Embedded",
    "embed",
]
