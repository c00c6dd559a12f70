"""Limits of shares: what one is, and the error where no shares keep them all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

TOLERANCE = 1e-9
"""How far shares may be from their limits, from a sum of 1, and from the optimum."""

EPOCHS = "max_epochs"
"""What limits a cell by its supply."""


class Infeasible(ValueError):
    """No shares are within the limits; `hint` says what would make room."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


@dataclass(frozen=True)
class Limit:
    """The least and the greatest sum of the shares of some cells.

    Attributes:
        name: As in the recipe: `source=web`, `host=example.org`, or the name of a group.
        cells: The numbers of the cells that it covers, ascending, each once.
        low: The least sum, a share of the budget.
        high: The greatest sum.
        is_written: Whether the recipe names it. Limits that `*` stands for are not, and have no
            price.
        low_name: What the recipe calls `low`.
        high_name: What the recipe calls `high`.
    """

    name: str
    cells: NDArray[np.int64]
    low: float = 0.0
    high: float = 1.0
    is_written: bool = True
    low_name: str = "min"
    high_name: str = "max"

    def side(self, is_low: bool) -> str:
        """What the recipe calls a side."""
        return self.low_name if is_low else self.high_name
