"""`python docs/generate.py`: write the reference pages from the code, and the list of options.

`pages()` gives the pages by their path under docs/, `stage_options()` the list that completions
answer from. A test compares both with what lies there.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

from curate import STAGES, errors, tables  # noqa: E402
from curate.clean.rules.registry import RULES  # noqa: E402
from curate.commands import listing, stages  # noqa: E402
from curate.commands.app import SECTIONS, load  # noqa: E402
from curate.run.recipe import json_schema  # noqa: E402

MADE = "<!-- Made by `python docs/generate.py` from the code: do not edit. -->"


def pages() -> dict[str, str]:
    """The reference pages by their path under docs/."""
    made = {
        "reference/commands.md": ("Commands", _commands()),
        "reference/recipe.md": ("Recipe keys", _recipe()),
        "reference/tables.md": ("Tables", _tables()),
        "reference/rules.md": ("Rules of `clean`", _rules()),
        "reference/exit-codes.md": ("Exit codes and errors", _exit_codes()),
    }
    return {path: _page(title, lines) for path, (title, lines) in made.items()}


def stage_options() -> str:
    """The options of every stage's command, as JSON."""
    options = {name: [*listing.listed(stages.parameters(name))] for name in STAGES}
    return json.dumps(options, indent=1) + "\n"


def main() -> None:
    """Write every page, and the list."""
    listing.LIST.write_text(stage_options(), encoding="utf-8")
    for path, text in pages().items():
        (HERE / path).parent.mkdir(exist_ok=True)
        (HERE / path).write_text(text, encoding="utf-8")


def _page(title: str, lines: Iterator[str]) -> str:
    return "\n".join([f"# {title}", "", MADE, "", *lines]).rstrip() + "\n"


def _table(header: tuple[str, ...], rows: Iterator[tuple[str, ...]]) -> Iterator[str]:
    yield f"| {' | '.join(header)} |"
    yield f"|{'---|' * len(header)}"
    for row in rows:
        yield f"| {' | '.join(map(_cell, row))} |"
    yield ""


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", r"\|").replace("<", "&lt;")


# ── commands


def _commands() -> Iterator[str]:
    for section, names in SECTIONS.items():
        yield f"## {section}\n"
        for name in names:
            yield from _command(("curate", name), load(name))


def _command(path: tuple[str, ...], known: Any) -> Iterator[str]:
    if hasattr(known, "commands"):
        for name, below in known.commands.items():
            yield from _command((*path, name), below)
        return
    yield f"### {' '.join(path)}\n"
    summary, *rest = (known.help or "").strip().split("\n\n")
    yield " ".join(summary.split()) + "\n"
    examples = []
    for paragraph in rest:
        lines = [line.strip() for line in paragraph.splitlines()]
        examples += [line.removeprefix("Example: ") for line in lines if _is_example(line)]
        if words := " ".join(line for line in lines if not _is_example(line)):
            yield words + "\n"
    if examples:
        yield "\n".join(["```console", *examples, "```", ""])
    yield from _table(("option", "what it is"), _options(known))


def _is_example(line: str) -> bool:
    return line.startswith("Example: ")


def _options(known: Any) -> Iterator[tuple[str, ...]]:
    for option in known.params:
        names = [*option.opts, *option.secondary_opts]
        shown = f"`{option.name.upper()}`" if not names[0].startswith("-") else _code(names)
        yield shown, getattr(option, "help", None) or ""


def _code(names: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


# ── recipe keys


def _recipe() -> Iterator[str]:
    schema = json_schema()
    yield "`curate recipe schema` prints the same as JSON Schema, for editors.\n"
    yield "## Of the whole recipe\n"
    top = {name: field for name, field in schema["properties"].items() if name not in STAGES}
    yield from _keys(top)
    for stage in STAGES:
        yield f"## {stage}\n"
        yield from _model(schema["properties"][stage], schema["$defs"], {stage})


def _model(field: Mapping[str, Any], models: Mapping[str, Any], seen: set[str]) -> Iterator[str]:
    for name in _references(field):
        model = models[name]
        yield " ".join(model.get("description", "").split()) + "\n"
        yield from _keys(model.get("properties", {}))
        for key, below in model.get("properties", {}).items():
            nested = [other for other in _references(below) if other not in seen]
            for other in nested:
                seen.add(other)
                yield f"### {other}, in `{key}`\n"
                yield from _model({"$ref": f"#/$defs/{other}"}, models, seen)


def _references(field: Any) -> list[str]:
    """The names of the models within a field, in order."""
    if isinstance(field, dict):
        own = [field["$ref"].rsplit("/", 1)[-1]] if "$ref" in field else []
        return [*own, *(name for value in field.values() for name in _references(value))]
    if isinstance(field, list):
        return [name for value in field for name in _references(value)]
    return []


def _keys(properties: Mapping[str, Any]) -> Iterator[str]:
    rows = (
        (f"`{name}`", _kind(field), _default(field), field.get("description", ""))
        for name, field in properties.items()
    )
    yield from _table(("key", "value", "default", "what it is"), rows)


def _kind(field: Mapping[str, Any]) -> str:
    """The values that a field takes, in words."""
    if "$ref" in field:
        return field["$ref"].rsplit("/", 1)[-1]
    if "enum" in field:
        return " ".join(f"`{value}`" for value in field["enum"])
    if "const" in field:
        return f"`{field['const']}`"
    if options := field.get("anyOf") or field.get("oneOf"):
        return ", or ".join(dict.fromkeys(map(_kind, options)))
    kind = field.get("type", "any")
    if kind == "array":
        items = field.get("items") or {"anyOf": field.get("prefixItems") or [{}]}
        return f"list of {_kind(items)}"
    if kind == "object" and isinstance(field.get("additionalProperties"), dict):
        return f"name → {_kind(field['additionalProperties'])}"
    if isinstance(kind, list):
        return ", or ".join(kind)
    return {"string": "text", "integer": "whole number", "boolean": "true, false"}.get(kind, kind)


def _default(field: Mapping[str, Any]) -> str:
    if "default" not in field or isinstance(field["default"], dict):
        return ""
    value = field["default"]
    return "" if value is None else f"`{str(value).lower() if isinstance(value, bool) else value}`"


# ── tables, rules, exit codes


def _tables() -> Iterator[str]:
    yield "A table is a folder of Parquet shards, or one Parquet file; pandas can read both.\n"
    for table in tables.TABLES.values():
        yield f"## {table.name}\n"
        kinds = {"folder": "folder of shards", "file": "file", "round": "in `rounds/NN`"}
        yield f"{' '.join(table.about.split())} ({kinds[table.kind]})\n"
        rows = ((f"`{own.name}`", f"`{own.type}`", own.about) for own in table.columns)
        yield from _table(("column", "type", "what it holds"), rows)
        if table.open_columns:
            yield " ".join(table.open_columns.split()) + "\n"


def _rules() -> Iterator[str]:
    yield "A document passes a set where every signal lies in its range; bounds count as inside.\n"
    for name, rule in RULES.items():
        yield f"## {name}\n"
        rows = (
            (f"`{signal}`", _bound(own.low), _bound(own.high), own.about)
            for signal, own in rule.signals.items()
        )
        yield from _table(("signal", "least", "most", "what it measures"), rows)


def _bound(value: float | None) -> str:
    return "" if value is None else f"{value:,}"


CODES = {
    0: "done",
    1: "an error: one line, and a hint",
    2: "a recipe or an option that cannot be used as written",
    3: "people are still answering: label, then run it again",
}


def _exit_codes() -> Iterator[str]:
    yield from _table(("code", "meaning"), ((str(code), words) for code, words in CODES.items()))
    yield "Every error is one line and a hint; nothing that was done is lost.\n"
    known = [own for own in vars(errors).values() if isinstance(own, type)]
    rows = (
        (f"`{own.__name__}`", str(own.exit_code), str(own.__doc__).splitlines()[0])
        for own in known
        if issubclass(own, errors.CurateError)
    )
    yield from _table(("error", "code", "what happened"), rows)


if __name__ == "__main__":
    main()
