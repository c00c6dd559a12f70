"""What dynamic mixing knows after a step: tokens, losses and weights of every group."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, astuple, dataclass, replace
from itertools import chain
from typing import Any

from curate.finite import is_number, shown
from curate.mixture.dynamic.curves import Curve

Numbers = tuple[float, ...]
"""One for each group, in the order of the groups."""

Points = tuple[tuple[float, float], ...]
"""(tokens of the group so far, its loss), in the order of the steps."""

WHOLE, MOST = 128, 256
"""Of more points than MOST the last WHOLE stay, and of those before them every other one."""

LEAST, GREATEST = 1e-60, 1e60
"""Fewer tokens of a step are none. Losses and tokens beyond the greatest are refused.

Their squares and products, and curves through them, have to stay far from what overflows.
"""


@dataclass(frozen=True)
class Settings:
    """How losses become weights; `OnlineMixer` says what each means."""

    prior: Numbers
    floor: float
    rate: float
    spread: float
    smoothing: float
    warm_up: int
    refit: int
    window: int


@dataclass(frozen=True)
class Seen:
    """What one step told: tokens of each group, its loss and the reference's; None is not known."""

    tokens: Numbers
    losses: tuple[float | None, ...]
    reference: tuple[float | None, ...]


@dataclass(frozen=True)
class State:
    """What is known after some steps.

    Attributes:
        weights: The weights in force.
        step: The number of steps.
        average: The mean of the weights over the steps.
        tokens: The tokens of each group so far.
        excess: Of `doremi`: the last excess loss of each group, at least 0.
        credit: Of `ado`: the running share of each group in the tokens (h).
        wishes: Of `ado`: the running mean of the shares that the curves ask for.
        wished: Of `ado`: how many of these the mean is of, the prior counted.
        points: The losses of each group over its tokens.
        curves: Of `ado`: the curve of each group, None before there is one.
        fitted: Of `ado`: the step of the last fit, 0 before there is one.
        falls: Of `loss`: the last fall of each group's loss per token, None before there is one.
    """

    weights: Numbers
    average: Numbers
    tokens: Numbers
    excess: Numbers
    credit: Numbers
    wishes: Numbers
    points: tuple[Points, ...]
    curves: tuple[Curve | None, ...]
    falls: tuple[float | None, ...]
    step: int = 0
    wished: int = 1
    fitted: int = 0

    @staticmethod
    def at_start(weights: Numbers, prior: Numbers) -> State:
        """The state before the first step."""
        zeros, nothing = (0.0,) * len(prior), (None,) * len(prior)
        return State(
            weights, weights, zeros, zeros, prior, prior, ((),) * len(prior), nothing, nothing
        )

    def with_seen(self, seen: Seen) -> State:
        """The state with the tokens and losses of one more step; the weights stay."""
        total = sum(seen.tokens)
        tokens = tuple(old + new for old, new in zip(self.tokens, seen.tokens, strict=True))
        credit = self.credit
        if total > 0:
            pairs = zip(credit, seen.tokens, strict=True)
            credit = tuple(0.9 * old + 0.1 * new / total for old, new in pairs)
        told = zip(self.points, tokens, seen.losses, strict=True)
        points = tuple(
            old if loss is None else thinned((*old, (count, loss))) for old, count, loss in told
        )
        return replace(self, step=self.step + 1, tokens=tokens, credit=credit, points=points)

    def with_weights(self, weights: Numbers) -> State:
        """The state with other weights, which are those of its step."""
        pairs = zip(self.average, weights, strict=True)
        average = tuple(old + (new - old) / self.step for old, new in pairs)
        return replace(self, weights=weights, average=average)

    def plain(self) -> dict[str, Any]:
        """The state as lists, numbers and mappings."""
        plain = asdict(self)
        plain["points"] = [[list(point) for point in own] for own in self.points]
        return {key: list(own) if isinstance(own, tuple) else own for key, own in plain.items()}

    @staticmethod
    def of_plain(plain: Mapping[str, Any]) -> State:
        """The state of `plain()`. Raises KeyError, TypeError or ValueError where it is none."""
        own: dict[str, Any] = {
            key: tuple(each) if isinstance(each, list) else each for key, each in plain.items()
        }
        own["points"] = tuple(tuple((n, loss) for n, loss in each) for each in own["points"])
        own["curves"] = tuple(None if curve is None else Curve(**curve) for curve in own["curves"])
        state = State(**own)
        state.check()
        return state

    def check(self) -> None:
        """Raise ValueError for what no state can hold."""
        for name, least in (("step", 0), ("fitted", 0), ("wished", 1)):
            count = getattr(self, name)
            if type(count) is not int or not least <= count < 1 << 53:
                raise ValueError(f"{name} is {shown(count)}, not a whole number from {least} on")
        by_group = [getattr(self, name) for name in (*BY_GROUP, "points", "curves", "falls")]
        if {len(own) if isinstance(own, tuple) else -1 for own in by_group} != {len(self.weights)}:
            raise ValueError("it has other numbers of groups in it")
        curves = [astuple(curve) for curve in self.curves if curve is not None]
        falls = [fall for fall in self.falls if fall is not None]
        numbers: dict[str, Iterable[Any]] = {
            **{name: getattr(self, name) for name in BY_GROUP},
            "points": chain.from_iterable(chain.from_iterable(self.points)),
            "curves": chain.from_iterable(curves),
            "falls": falls,
        }
        for name, values in numbers.items():
            if not all(map(is_number, values)):
                raise ValueError(f"{name} has something in it that is not a finite number")
        not_below_0 = (*(getattr(self, name) for name in BY_GROUP), *curves)
        if any(value < 0 for values in not_below_0 for value in values):
            raise ValueError("it has a number below 0 in it")
        if any(n < 0 or n > GREATEST * self.step for own in self.points for n, _ in own):
            raise ValueError("points are of other tokens than its steps can have")


BY_GROUP = ("weights", "average", "tokens", "excess", "credit", "wishes")
"""What has a number from 0 on for every group."""


def thinned(points: Points) -> Points:
    """The points, of which old ones are left out where they are too many."""
    if len(points) <= MOST:
        return points
    return (*points[:-WHOLE:2], *points[-WHOLE:])


def shares(weights: Sequence[float]) -> Numbers:
    """The weights divided by their sum, which is above 0 and may be beyond every float."""
    most = max(weights)
    parts = [float(weight) / most for weight in weights]
    total = sum(parts)
    return tuple(part / total for part in parts)
