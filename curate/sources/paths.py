"""Values within a row by their path, such as `meta.spdx` or `choices.0.message`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import islice
from typing import Any

from curate.names import suggestion

MISSING = object()
"""The value at a path that leads nowhere."""

MOST_NAMES = 50
"""So many columns of a row are looked at to say what was meant by a column that it lacks."""

Steps = tuple[str | int, ...]
"""A path in its steps: the keys of mappings, and the places of lists."""


def look(row: Any, path: str) -> Any:
    """The value at a path (`choices.0.message`), or MISSING; a column of that exact name wins."""
    if isinstance(row, Mapping) and path in row:
        return row[path]
    at = row
    for step in path.split("."):
        if isinstance(at, Mapping) and step in at:
            at = at[step]
        elif isinstance(at, Sequence) and not isinstance(at, str | bytes) and _within(at, step):
            at = at[int(step)]
        else:
            return MISSING
    return at


def _within(values: Sequence[Any], step: str) -> bool:
    return step.isascii() and step.isdigit() and int(step) < len(values)


def without(row: Mapping[str, Any], paths: Sequence[str]) -> dict[str, Any]:
    """A row without the values at some paths; all other values stay."""
    rest = {key: value for key, value in row.items() if key not in paths}
    for path in paths:
        if path not in row and look(rest, path) is not MISSING:
            head, *steps = path.split(".")
            rest[head] = _pruned(rest[head], steps)
    return {key: value for key, value in rest.items() if value is not MISSING}


def _pruned(value: Any, steps: Sequence[str]) -> Any:
    if not steps:
        return MISSING
    if isinstance(value, Mapping):
        inner = _pruned(value[steps[0]], steps[1:])
        pairs = ((key, inner if key == steps[0] else item) for key, item in value.items())
        return {key: item for key, item in pairs if item is not MISSING}
    inner = _pruned(value[int(steps[0])], steps[1:])
    place = int(steps[0])
    inner = None if inner is MISSING else inner  # the items after it keep their places
    return [inner if at == place else item for at, item in enumerate(value)]


def with_value(row: Mapping[str, Any], path: str, value: Any) -> dict[str, Any]:
    """A row with another value at a path that `look` finds; the row itself stays as it is."""
    if path in row:
        return {**row, path: value}
    head, *steps = path.split(".")
    return {**row, head: _replaced(row[head], steps, value)}


def _replaced(value: Any, steps: Sequence[str], new: Any) -> Any:
    if not steps:
        return new
    head, *rest = steps
    if isinstance(value, Mapping):
        return {**value, head: _replaced(value[head], rest, new)}
    place = int(head)
    return [_replaced(item, rest, new) if at == place else item for at, item in enumerate(value)]


def with_value_at(value: Any, steps: Steps, new: Any) -> Any:
    """A value with another one at a path in it; lists and mappings on the way are made.

    `value` is changed where it holds lists or mappings. The places of a list come in order.
    """
    if not steps:
        return new
    head, *rest = steps
    if isinstance(head, int):
        items = value if isinstance(value, list) else []
        items.extend([None] * (head + 1 - len(items)))
        items[head] = with_value_at(items[head], tuple(rest), new)
        return items
    mapping = value if isinstance(value, dict) else {}
    mapping[head] = with_value_at(mapping.get(head), tuple(rest), new)
    return mapping


def no_column(path: str, row: Mapping[str, Any]) -> ValueError:
    """The error of a path that leads nowhere; its first step may be misspelt."""
    names, head = tuple(map(str, islice(row, MOST_NAMES))), path.partition(".")[0]
    hint = f"there are: {', '.join(names)}" if head in row else _suggested(head, names)
    return ValueError(f"no column {path} ({hint})")


_suggested = lru_cache(maxsize=64)(suggestion)
"""Rows of one file mostly lack the same column: what was meant is looked for once."""
