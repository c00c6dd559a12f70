"""What a signal is: a number measured of a text, and the range in which the text passes."""

from __future__ import annotations

from dataclasses import dataclass

Range = tuple[float | None, float | None]
"""`(low, high)`, both of which pass; None is open."""


@dataclass(frozen=True)
class Signal:
    """What a number says of a text, and from where to where the text passes."""

    about: str
    low: float | None = None
    high: float | None = None

    @property
    def range(self) -> Range:
        """Return the range in which a text passes."""
        return self.low, self.high
