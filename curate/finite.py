"""What counts as a number where people and other programs write one."""

from __future__ import annotations

from math import isfinite
from numbers import Real
from typing import Any

LONGEST = 40
"""So many characters of a value stand in a message."""


def is_number(value: Any) -> bool:
    """Whether it is a finite real number of Python or numpy; truth values and texts are none.

    A whole number beyond every float is none: JSON can hold one.
    """
    try:
        return isinstance(value, Real) and not isinstance(value, bool) and isfinite(value)
    except OverflowError:
        return False


def shown(value: Any) -> str:
    """A value that is no number as a message names it: its first characters."""
    text = str(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
