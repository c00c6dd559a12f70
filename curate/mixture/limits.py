"""The limits of the groups' shares: whether any shares keep them, and the words for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

TOLERANCE = 1e-9
"""How far shares may be from their limits, from a sum of 1, and from the optimum."""

NAMED = 5
"""So many groups are named in an error."""


_ROOM = {
    "max": "raise `max` in `mix.limits`",
    "max_epochs": "lower `mix.budget`, or raise `mix.max_epochs`",
}
"""What makes room for a group, by the limit that it has reached."""


class Infeasible(ValueError):
    """No shares are within the limits; `hint` says what would make room."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


@dataclass(frozen=True)
class Limits:
    """The limits of the groups, arrays in the order of their names.

    `low` and `high` are those of the recipe, `supply` is the largest share that a group's tokens
    allow.
    """

    names: tuple[str, ...]
    low: Array
    high: Array
    supply: Array
    is_wanted: NDArray[np.bool_]

    @cached_property
    def top(self) -> Array:
        """The largest share of each group; 0 for one that is neither wanted nor has a `min`."""
        import numpy as np

        return np.where(self.is_wanted | (self.low > 0), np.minimum(self.high, self.supply), 0.0)

    def check(self) -> None:
        """Raise Infeasible where no shares are within the limits."""
        for place in (self.low > self.top + TOLERANCE).nonzero()[0]:
            most, why = self.top[place], self._name_of_top(place)
            raise Infeasible(
                f"{self.names[place]} must have {self.low[place]:.2%} (min) "
                f"and can have {most:.2%} ({why})",
                f"lower the `min` of {self.names[place]}, or {_ROOM[why]}",
            )
        if self.low.sum() > 1 + TOLERANCE:
            places = self.low.nonzero()[0]
            least = [f"{self.names[place]} {self.low[place]:.2%}" for place in places]
            raise Infeasible(
                f"the smallest shares sum to {self.low.sum():.2%} (min): {_listed(least)}",
                "lower `min` in `mix.limits`",
            )
        if self.top.sum() < 1 - TOLERANCE:
            self._refuse_tops()

    def _refuse_tops(self) -> None:
        """Raise Infeasible: the largest shares together are too small."""
        places = (self.is_wanted | (self.low > 0)).nonzero()[0].tolist()
        why_of = {place: self._name_of_top(place) for place in places}
        most = [f"{self.names[place]} {self.top[place]:.2%} ({why_of[place]})" for place in places]
        hints = [_ROOM[why] for why in sorted(set(why_of.values()), reverse=True)]
        outside = ~self.is_wanted & (self.low == 0) & (self.high > 0) & (self.supply > 0)
        hints += [f"give {self.names[place]} a `min`" for place in outside.nonzero()[0][:1]]
        raise Infeasible(
            f"the groups can fill {self.top.sum():.2%} of it: {_listed(most)}",
            ", or ".join(hints) or "no group has a share",
        )

    def bound(self, sought: Array) -> list[str | None]:
        """The name of the limit that moved each group from the share that it sought."""
        return [self._bound(place, float(share)) for place, share in enumerate(sought)]

    def _bound(self, place: int, sought: float) -> str | None:
        if sought > self.top[place] * (1 + TOLERANCE):
            return self._name_of_top(place)
        has_entered = self.low[place] > 0 and not self.is_wanted[place]
        return "min" if has_entered or sought < self.low[place] * (1 - TOLERANCE) else None

    def _name_of_top(self, place: int) -> str:
        return "max_epochs" if self.supply[place] <= self.high[place] else "max"


def _listed(items: Sequence[str]) -> str:
    more = f" and {len(items) - NAMED} more" if len(items) > NAMED else ""
    return ", ".join(items[:NAMED]) + more
