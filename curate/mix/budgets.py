"""Budgets as people write them: tokens, items, time, or a share of the supply."""

from __future__ import annotations

import re
from collections.abc import Iterable
from fractions import Fraction
from typing import Literal

from curate.rounding import rounded
from curate.tokens import number_of
from curate.yamls import HUGE

Unit = Literal["tokens", "items", "seconds"]
"""What a budget counts; amounts of `seconds` are thousandths of them."""

NO_BUDGET = (
    "is not a budget: give tokens (`20M`), a share (`25%`), items (`5000 items`) or time (`10 h`)"
)

THOUSANDTHS = {"s": 1000, "sec": 1000, "min": 60_000, "h": 3_600_000}
"""The units of time, and how many thousandths of a second each is."""

_OTHER = re.compile(r"\s*(\d+(?:\.\d+)?\s*[kKMGBT]?)\s*(items?|s|sec|min|h)\s*")


def unit_of(budget: str | int) -> Unit | None:
    """What a budget counts; None for a share of the supply, which is one of tokens."""
    match = _OTHER.fullmatch(str(budget))
    if match:
        return "items" if match[2].startswith("item") else "seconds"
    return None if str(budget).strip().endswith("%") else "tokens"


def one_unit(budgets: Iterable[str | int]) -> Unit:
    """What several budgets count; a share counts tokens. ValueError if they differ."""
    units = sorted({unit_of(budget) or "tokens" for budget in budgets})
    if len(units) > 1:
        raise ValueError(f"budgets count {' and '.join(units)}: write all of them in one unit")
    return units[0]


def amount_of(budget: str | int, supply: int) -> int:
    """The amount of a budget: `250000`, `20M`, `5000 items`, `10 h`, `25%` of the supply.

    Raises ValueError for anything else, and for a budget of 0.
    """
    if match := _OTHER.fullmatch(str(budget)):
        return _times(match[1], THOUSANDTHS.get(match[2], 1), budget)
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([kKMGBT%]?)\s*", str(budget))
    if not match or float(match[1]) <= 0:
        raise ValueError(f"{budget!r} {NO_BUDGET}")
    if match[2] != "%":
        return number_of(budget)
    return _bounded(Fraction(match[1]) * Fraction(supply, 100), budget)


def _times(number: str, unit: int, budget: str | int) -> int:
    """A number of items, or of units of time, which may be a fraction."""
    if re.fullmatch(r"[\d.]+", number.strip()):
        amount = Fraction(number.strip()) * unit
    else:
        amount = Fraction(number_of(number)) * unit
    if amount < 1:
        raise ValueError(f"{budget!r} {NO_BUDGET}")
    return _bounded(amount, budget)


def _bounded(amount: Fraction, budget: str | int) -> int:
    if amount >= HUGE:
        raise ValueError(f"{str(budget)[:20]} is more than any corpus holds")
    return round(amount)


def words(amount: int, unit: Unit) -> str:
    """An amount in words, as messages tell it."""
    return f"{rounded(amount / 1000, ',.1f')} s" if unit == "seconds" else f"{amount:,} {unit}"
