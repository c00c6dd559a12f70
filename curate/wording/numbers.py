"""Numbers, counts with their nouns, and times as the reader's clock shows them."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path
from typing import Any

from curate.records import moment
from curate.rounding import rounded

TIME = "%Y-%m-%d %H:%M"


def number(value: Any) -> str:
    """A value for people: thousands apart, four figures of a fraction, yes or no."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int) or (isinstance(value, float) and value.is_integer()):
        return f"{int(value):,}"
    if isinstance(value, float):
        return f"{value:.4g}"
    return "" if value is None else str(value)


def count(amount: int, noun: str, plural: str = "") -> str:
    """A count with its noun: `1 text`, `1,200 texts`, `2 copies`."""
    return f"{amount:,} {noun if amount == 1 else plural or f'{noun}s'}"


def share(value: float) -> str:
    """A share as a percentage, as exact as it needs: `71 %`, `0.4 %`, `0.002 %`."""
    is_small = 0 < value < 0.01 or 0.99 < value < 1
    return f"{rounded(value, '.1%' if is_small else '.0%')[:-1]} %"


def local_time(at: str | None) -> str:
    """A time of the ledger (ISO 8601, UTC) by the reader's clock; a text that is none, as it is."""
    try:
        time = moment(at)
    except (TypeError, ValueError, OverflowError):
        return str(at)
    return time.astimezone().strftime(TIME) if isinstance(time, datetime) else ""


def from_here(path: Path) -> str:
    """A path as somebody in the current folder types it: relative where it lies below."""
    absolute = path.absolute()
    return os.path.relpath(absolute) if absolute.is_relative_to(Path.cwd()) else str(absolute)
