"""The sizes of a GPT-2: one dial, and all that follows from it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Size:
    """The shape of a GPT-2, the tokens it sees, and the highest rate of Adam's steps.

    `width` is that of a token's vector; an inner layer is four times as wide.
    """

    width: int
    layers: int
    heads: int
    context: int
    rate: float


SIZES = {
    "tiny": Size(128, 4, 4, 128, 3e-3),
    "small": Size(256, 6, 8, 256, 1e-3),
    "medium": Size(512, 8, 8, 512, 6e-4),
}
"""On bytes 842,624, 4,870,400 and 25,613,824 parameters."""
