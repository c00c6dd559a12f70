"""What dynamic mixing knows after a step: tokens, losses and weights of every group."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from curate.finite import is_number
from curate.mixture.dynamic.curves import Curve

Numbers = tuple[float, ...]
"""One for each group, in the order of the groups."""

Points = tuple[tuple[float, float], ...]
"""(tokens of the group so far, its loss), in the order of the steps."""

WHOLE, MOST = 128, 256
"""Of more points than MOST the last WHOLE stay, and of those before them every other one."""


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
        own["curves"] = tuple(Curve(**curve) if curve else None for curve in own["curves"])
        lengths = {len(each) for each in own.values() if isinstance(each, tuple)}
        if len(lengths) != 1:
            raise ValueError("it has other numbers of groups in it")
        for name in ("weights", "average", "tokens", "excess", "credit", "wishes"):
            if not all(map(is_number, own[name])):
                raise ValueError(f"{name} has something in it that is no finite number")
        return State(**own)


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
