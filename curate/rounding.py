"""Numbers rounded for people: never to a false 0, and never to a false 100 %."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from math import floor, isfinite, log10
from string import Formatter
from typing import Any

MOST_DECIMALS = 12
"""What reads as 0 with so many decimals is 0."""

_FIXED = re.compile(r"([+,]*)\.(\d+)([f%])")
"""A format with fixed decimals."""


def rounded(value: float, form: str) -> str:
    """A number by a format such as `.2f`, `+.3f` or `.1%`, with more decimals where it needs them.

    It has more decimals if it would read as 0 and is not, or as 100 % and is not. A 0 has no sign.
    """
    match = _FIXED.fullmatch(form)
    if match is None or not isfinite(value):
        return format(value, form)
    signs, decimals, kind = match[1], int(match[2]), match[3]
    for more in range(decimals, MOST_DECIMALS + 1):
        text = format(value, f"{signs}.{more}{kind}")
        if not _misleads(value, text):
            return text
    return format(round(abs(value)), form).lstrip("+")


def _misleads(value: float, text: str) -> bool:
    """Whether a number reads as 0, or a share as 100 %, without being that; `-0` does too."""
    is_share = text.endswith("%")
    read = abs(float(text.rstrip("%").replace(",", ""))) / (100 if is_share else 1)
    if read == 0:
        return value != 0 or text[0] in "+-"
    return is_share and read == 1 and abs(value) != 1


def filled(template: str, figures: Mapping[str, Any]) -> str:
    """A template of `str.format`, its numbers `rounded`."""
    return _ROUNDING.vformat(template, (), figures)


class _Rounding(Formatter):
    def format_field(self, value: Any, format_spec: str) -> str:
        is_fraction = isinstance(value, float)
        return rounded(value, format_spec) if is_fraction else format(value, format_spec)


_ROUNDING = _Rounding()


def together(values: Sequence[float], sign: str = "") -> list[str]:
    """Numbers with as many decimals each: two digits of the largest, at least one decimal.

    There are more decimals where all lie on one side of 0 and one of them would read as 0.
    """
    largest, least = max(map(abs, values)), min(map(abs, values))
    decimals = min(MOST_DECIMALS, max(1, 1 - floor(log10(largest)))) if largest else 2
    if min(values) > 0 or max(values) < 0:
        while decimals < MOST_DECIMALS and not float(f"{least:.{decimals}f}"):
            decimals += 1
    texts = [f"{value:{sign}.{decimals}f}" for value in values]
    return [text if float(text) else text.lstrip("+-") for text in texts]
