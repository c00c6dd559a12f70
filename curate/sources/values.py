"""Values of a row: what JSON can hold of them, and languages out of lists and mappings."""

from __future__ import annotations

import ast
import json
import warnings
from collections.abc import Iterator, Mapping
from contextlib import suppress
from math import isfinite
from typing import Any

from curate.text import canonical

LANGUAGE_KEYS = ("language", "lang", "code", "tag", "iso", "id", "name")
"""The keys of a mapping that may name its language, the likeliest first."""

LONGEST_TAG = 500
"""A longer text is no list of languages."""

SEVERAL = "mul"
"""The BCP 47 tag of a text in several languages."""


def finite(value: Any) -> Any:
    """A value of JSON without numbers that JSON has no word for: they become null."""
    if isinstance(value, float):
        return value if isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [finite(item) for item in value]
    return value


def parsed(text: str) -> Any:
    """The list or mapping that a text writes, as JSON or as Python does; None for any other text.

    ValueError if it is nested too deeply.
    """
    text = text.strip()
    if text[:1] + text[-1:] not in ("[]", "{}"):
        return None
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    except ValueError:
        pass
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of escapes that Python does not know
            value = ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return None
    return value if isinstance(value, list | dict) else None


def is_empty(value: Any) -> bool:
    """Whether a value is null, a text of white space, or the number that stands for none (NaN)."""
    return not value.strip() if isinstance(value, str) else value is None or value != value


def language_of(value: Any) -> str | None:
    """The language that a value names: one of a list, or of a mapping; `mul` for several."""
    names = list(dict.fromkeys(_languages(value, 0)))
    return SEVERAL if len(names) > 1 else names[0] if names else None


def _languages(value: Any, depth: int) -> Iterator[str]:
    if isinstance(value, str) and len(value) <= LONGEST_TAG:
        with suppress(ValueError):
            found = parsed(value)
            value = value if found is None else found
    if isinstance(value, list | tuple) and depth < 2:
        for item in value:
            yield from _languages(item, depth + 1)
    elif isinstance(value, Mapping):
        own = (value[key] for key in LANGUAGE_KEYS if isinstance(value.get(key), str))
        yield from filter(None, [next(own, None)])
    elif not is_empty(value) and not isinstance(value, list | tuple):
        yield canonical(str(value))
