"""The nearest shares that keep within the limits.

    minimise KL(w || wanted)   subject to   low ≤ w ≤ min(high, supply),  Σ w = 1

The solution is w = clip(λ · wanted, low, high) with one λ, found by bisection.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


class Infeasible(ValueError):
    """No shares keep within the limits."""


@dataclass(frozen=True)
class Projected:
    """Shares, the limits they keep, and which limit holds each group: min, max or max_epochs."""

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
    """Return the shares nearest to `wanted` in KL divergence. Raises Infeasible.

    `supply` is the largest share that a group's tokens allow. A group that is wanted at 0 stays
    there unless its `low` is above.
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
    shares = {g: _clip(factor * w, low[g], top[g]) for g, w in wanted.items()}
    total = sum(shares.values())
    shares = {group: share / total for group, share in shares.items()}
    bound = {g: _bound(factor * w, low[g], top[g], supply[g]) for g, w in wanted.items()}
    return Projected(shares, dict(low), top, bound)


def _factor(
    wanted: Mapping[str, float], low: Mapping[str, float], top: Mapping[str, float]
) -> float:
    def filled(factor: float) -> float:
        return sum(_clip(factor * w, low[g], top[g]) for g, w in wanted.items())

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
