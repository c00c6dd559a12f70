"""Options from a Spec: every setting that fits on a command line, unset by default.

Option > recipe > default of the Spec. Nested settings live in recipes only.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from inspect import Parameter
from operator import getitem
from pathlib import Path
from types import NoneType
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

import typer

from curate.commands.completing import Complete, Values, form_names
from curate.spec import MayBePath, Spec

MANY = "many"
"""Marks a kind whose option can be repeated."""

GROUPS = ("source", "language", "license", "host", "cluster", "quality_bucket")

COMPLETIONS: dict[str, Complete] = {
    "form": form_names,
    "groups": Values(GROUPS),
    "bias": Values(GROUPS[:4]),
}
"""The completions of settings that name what lies on disk."""

_ANNOTATED: Any = Annotated
"""`Annotated` as a value: a type that is made at run time."""

ON_COMMAND_LINE: dict[Any, Any] = {
    (MANY, str): list[str],
    str: str,
    float: float,
    int: int,
    bool: bool,
}
"""Kind of value → type of the option. A setting with several kinds has the first of these."""


def kinds(annotation: Any) -> set[Any]:
    """The plain types of a field: those of each part of a union, and of the values of a Literal."""
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return kinds(parts[0])
    if origin is Literal:
        return {type(value) for value in parts}
    if origin in (tuple, list):
        return {(MANY, kind) for kind in kinds(parts[0])}
    if origin is not None and origin is not dict:
        return {kind for part in parts for kind in kinds(part)}
    return {origin or annotation}


def literals(annotation: Any) -> tuple[str, ...]:
    """The words that a field takes, in their order; empty for a field that takes any text.

    Words beside which a number or a path can stand are named too.
    """
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return tuple(value for value in parts if isinstance(value, str))
    if origin is Annotated:
        return literals(parts[0])
    return tuple(dict.fromkeys(word for part in parts for word in literals(part)))


def told(description: str | None, words: tuple[str, ...]) -> str:
    """The help of an option: what it is, and the words that it takes."""
    if not words or all(f" {word}" in f" {description}" for word in words):
        return description or ""
    return f"{description} Values: {', '.join(words)}."


def option_type(annotation: Any) -> Any:
    """The type of the option for a field; None if it does not fit on a command line."""
    plain = kinds(annotation) - {NoneType, dict}  # one value for each source lives in recipes
    plain = {kind for kind in plain if not _is_spec(kind)} or plain  # and so do nested settings
    if not plain or not plain <= ON_COMMAND_LINE.keys():
        return None
    return next(option for kind, option in ON_COMMAND_LINE.items() if kind in plain)


def _is_spec(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, Spec)


def options(spec: type[Spec]) -> Iterator[Parameter]:
    """Yield a parameter for every setting of a Spec that can be an option."""
    hints = get_type_hints(spec, include_extras=True)
    for name, field in spec.model_fields.items():
        if value_type := option_type(hints[name]):
            chosen = literals(hints[name])
            complete = COMPLETIONS.get(name) or (Values(chosen) if chosen else None)
            option = typer.Option(help=told(field.description, chosen), autocompletion=complete)
            annotation = getitem(_ANNOTATED, (value_type | None, option))
            yield Parameter(name, Parameter.KEYWORD_ONLY, default=None, annotation=annotation)


def from_command_line(spec: type[Spec], arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The settings that are not None; their paths are relative to the current folder."""
    values = {name: value for name, value in arguments.items() if value is not None}
    for name, field in spec.model_fields.items():
        for mark in field.metadata:
            if name in values and isinstance(mark, MayBePath):
                values[name] = _from_here(values[name], mark)
    return values


def _from_here(value: Any, mark: MayBePath) -> Any:
    """An absolute path, from the current folder; a value that is no path stays as it is."""
    if isinstance(value, list):
        return [_from_here(item, mark) for item in value]
    return str(Path(value).expanduser().resolve()) if value and mark.is_path(value) else value
