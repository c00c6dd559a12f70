"""The options of stages, as `stage_options.json` lists them: what a completion answers from.

The real commands are made of settings, which load pydantic and much of a stage. A completion
answers while somebody types, so it reads this list. `python docs/generate.py` writes it from the
commands.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from inspect import Parameter, Signature
from operator import getitem
from pathlib import Path
from typing import Annotated, Any, get_args, get_origin

import typer

from curate.commands import completing
from curate.commands.completing import Values

LIST = Path(__file__).with_name("stage_options.json")

TYPES: dict[str, Any] = {"flag": bool, "one": str, "several": list[str]}
"""Kind of an option → its type. A completion needs no more than whether a value follows."""

_ANNOTATED: Any = Annotated


def listed(parameters: Iterable[Parameter]) -> Iterator[dict[str, Any]]:
    """Yield the options of a command, as JSON: name, flags, kind, help and what completes it."""
    for parameter in parameters:
        value_type, option = get_args(parameter.annotation)
        yield {
            "name": parameter.name,
            "flags": _flags(option),
            "kind": _kind(value_type),
            "has_default": parameter.default is not None,
            "help": option.help,
            **_completion(option.autocompletion),
        }


def _flags(option: Any) -> list[str]:
    """The flags of an option that names them. Typer takes the first for a default, as written."""
    first = [option.default] if isinstance(option.default, str) else []
    return [*first, *(option.param_decls or ())]


def _kind(value_type: Any) -> str:
    types = {value_type, *get_args(value_type)}
    if any(get_origin(kind) is list for kind in types):
        return "several"
    return "flag" if bool in types else "one"


def _completion(complete: Any) -> dict[str, Any]:
    """The words that complete an option, or the function of `completing` that finds them."""
    if complete is None:
        return {}
    return {"words": complete.names} if isinstance(complete, Values) else {"by": complete.__name__}


def command(name: str) -> Any:
    """The command of a stage with its options and completions; it cannot run."""
    options = json.loads(LIST.read_text(encoding="utf-8"))[name]

    def call(**values: Any) -> None: ...

    call.__signature__ = Signature([*map(_parameter, options)])  # type: ignore[attr-defined]
    app = typer.Typer(add_completion=False, rich_markup_mode=None)
    app.command(name)(call)
    return typer.main.get_command(app)


def _parameter(option: dict[str, Any]) -> Parameter:
    """The parameter of a listed option."""
    words, by = option.get("words"), option.get("by")
    complete = Values(tuple(words)) if words else getattr(completing, by) if by else None
    typed = typer.Option(*option["flags"], help=option["help"], autocompletion=complete)
    kind, is_flag = TYPES[option["kind"]], option["kind"] == "flag"
    default = False if is_flag and option["has_default"] else None
    annotation = getitem(_ANNOTATED, (kind if default is False else kind | None, typed))
    return Parameter(option["name"], Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
