"""The nearest shares within the limits.

    minimise KL(w || wanted)   subject to   low ≤ w ≤ min(high, supply),  Σ w = 1

The solution is w = clip(λ · wanted, low, high) with one λ, found by bisection.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


class Infeasible(ValueError):
    """No shares are within the limits."""


@dataclass(frozen=True)
class Projected:
    """Shares, and the limits they keep.

    `high` is no more than the supply allows. `bound` names the limit that moved a group: min, max
    or max_epochs; None if none did.
    """

    shares: Mapping[str, float]
    low: Mapping[str, float]
    high: Mapping[str, float]
    bound: Mapping[str, str | None]


def project(
    wanted: Mapping[str, float],
    *,
    low: Mapping[str, float],
    high: Mapping[str, float],
    supply: Mapping[str, float],
) -> Projected:
    """The shares nearest to `wanted` in KL divergence. Raises Infeasible.

    `supply` is the largest share that a group's tokens allow. A group wanted at 0 stays at 0
    unless its `low` is above 0.
    """
    top = {}
    for group, share in wanted.items():
        most = min(high[group], supply[group])
        if low[group] > most + 1e-12:
            raise Infeasible(f"{group} must have {low[group]:.1%} and can have {most:.1%}")
        top[group] = most if share or low[group] else 0.0
    if sum(top.values()) < 1 - 1e-9:
        raise Infeasible(f"the groups wanted can fill {sum(top.values()):.2%} of it")
    if sum(low.values()) > 1 + 1e-9:
        raise Infeasible(f"the smallest shares sum to {sum(low.values()):.1%}")
    factor = _factor(wanted, low, top)
    shares = {
        group: _clip(factor * share, low[group], top[group]) for group, share in wanted.items()
    }
    total = sum(shares.values())
    shares = {group: share / total for group, share in shares.items()}
    bound = {
        group: _bound(factor * share, low[group], top[group], supply[group])
        for group, share in wanted.items()
    }
    return Projected(shares, dict(low), top, bound)


def _factor(
    wanted: Mapping[str, float], low: Mapping[str, float], top: Mapping[str, float]
) -> float:
    """The λ at which the clipped shares sum to 1, by bisection."""

    def filled(factor: float) -> float:
        return sum(_clip(factor * share, low[group], top[group]) for group, share in wanted.items())

    if abs(filled(1.0) - 1) < 1e-12:
        return 1.0
    small, large = 0.0, 1.0
    while filled(large) < 1 - 1e-12 and large < 1e15:
        large *= 2
    for _ in range(200):
        middle = (small + large) / 2
        small, large = (middle, large) if filled(middle) < 1 else (small, middle)
    return large


def _clip(value: float, low: float, high: float) -> float:
    return min(max(value, low), high)


def _bound(value: float, low: float, high: float, supply: float) -> str | None:
    if value < low - 1e-9:
        return "min"
    if value > high + 1e-9:
        return "max_epochs" if supply <= high + 1e-12 else "max"
    return None
