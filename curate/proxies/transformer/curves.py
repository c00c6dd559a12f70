"""What the curve of a training says: whether it overfits, and when it is time to stop.

A training overfits where the last loss held out lies more than 1 % above its least, and the loss on
texts trained on has fallen since: it then learns its texts by heart. A loss held out that rises
together with the other one is no overfitting, but a rate that is too high.
"""

from __future__ import annotations

from collections.abc import Sequence

from curate.proxies.proxy import Mark

RISEN = 0.01
"""From this share of its least on, a loss held out has risen."""


def best_of(curve: Sequence[Mark]) -> Mark:
    """The mark with the least loss held out; of equal ones the first."""
    return min(curve, key=lambda mark: mark.validation)


def overfits(curve: Sequence[Mark]) -> bool:
    """Whether the loss held out has risen while that in training fell."""
    best, last = best_of(curve), curve[-1]
    return last.validation > best.validation * (1 + RISEN) and last.training < best.training


def is_time_to_stop(curve: Sequence[Mark], patience: int | None) -> bool:
    """Whether the last `patience` marks brought no new least loss held out; never without one."""
    return patience is not None and len(curve) - 1 - curve.index(best_of(curve)) >= patience


def marked_steps(steps: int, marks: int) -> tuple[int, ...]:
    """The steps after which a training is measured: 0, the last, and those between, evenly."""
    return tuple(sorted({round(number * steps / marks) for number in range(marks + 1)}))
