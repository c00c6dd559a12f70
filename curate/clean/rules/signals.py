"""Signals: numbers measured on a text, each with the range in which the text passes."""

from __future__ import annotations

from dataclasses import dataclass

Range = tuple[float | None, float | None]
"""`(low, high)`: the bounds themselves pass, None leaves a side open."""


@dataclass(frozen=True)
class Signal:
    """The meaning of a number, and the bounds between which a text passes."""

    about: str
    low: float | None = None
    high: float | None = None

    @property
    def range(self) -> Range:
        """The range in which a text passes."""
        return self.low, self.high
