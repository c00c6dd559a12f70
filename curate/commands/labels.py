"""The command that shows the settled labels, and writes them to a file."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from curate import console
from curate.areas import kind_of, spoken
from curate.commands.options import HERE, Json, Root, open_workspace, plain_app

if TYPE_CHECKING:
    from curate.labels.settled import PersonSaid, SettledLabel

labels = plain_app()

SHOWN, LETTERS = 20, 60
"""A terminal shows so many labels, and so many characters of a text."""


@labels.command("labels")
def labels_command(
    root: Root = HERE,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="A .csv, .jsonl or .parquet file.")
    ] = None,
    disputed: Annotated[
        int | None, typer.Option(min=1, help="Only this many, those that people disagree on most.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Show the settled labels, or those most disputed: text, value, who said what.

    Example: curate labels -o labels.csv

    Example: curate labels --disputed 20
    """
    from curate.annotated.disputes import disputed as most_disputed
    from curate.labels.settled import rows_of, settled_labels
    from curate.labels.writing import check_place, write

    workspace = open_workspace(root)
    if output is not None:
        check_place(output)
    rows = {(row["id"], row["question"]): row for row in rows_of(workspace)}
    if disputed is not None:
        first = most_disputed(workspace)[:disputed]
        rows = {key: rows[key] for key in ((row["id"], row["question"]) for row in first)}
    settled = settled_labels(workspace, rows.values())
    if output is not None:
        write(output, settled)
    counts = {"labels": len(settled), "undecided": sum(label.undecided for label in settled)}
    if as_json:
        console.show_with(counts, "rows", map(asdict, settled))
        return
    console.show(counts, as_json=False)
    if settled:
        shown = settled if disputed is not None else settled[:SHOWN]
        console.table([_told(label) for label in shown])
        if len(shown) < len(settled):
            console.note(f"{len(settled) - len(shown):,} more: --json and --output have them all")
    elif disputed is not None:
        console.note("nobody disagrees")


def _told(label: SettledLabel) -> dict[str, Any]:
    line = " ".join(label.text.split())
    text = line if len(line) <= LETTERS else f"{line[:LETTERS]}…"
    value = "undecided" if label.undecided else _spoken(label.value, label.text)
    comments = "; ".join(f"{said.annotator}: {said.value}" for said in label.comments)
    return {
        "text": text,
        "question": label.question,
        "value": value,
        "who said what": _by_value(label.answers, label.text),
        "confidence": label.confidence,
        "comments": comments or None,
    }


def _by_value(answers: Iterable[PersonSaid], text: str) -> str:
    people: dict[str, list[str]] = defaultdict(list)
    for said in answers:
        people[_spoken(_in_order(said.value), text)].append(said.annotator)
    first: Sequence[tuple[str, list[str]]] = sorted(people.items(), key=lambda own: -len(own[1]))
    return "; ".join(f"{value}: {', '.join(sorted(own))}" for value, own in first)


def _in_order(value: Any) -> Any:
    """A set of labels in one order, whatever the order in which somebody chose them."""
    is_set = isinstance(value, list) and all(isinstance(entry, str) for entry in value)
    return sorted(value) if is_set else value


def _spoken(value: Any, text: str) -> str:
    """A value as a person reads it: spans with their words."""
    if not isinstance(value, list):
        return str(value) if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    words = [_mark(one, text) if isinstance(one, dict) else str(one) for one in value]
    return ", ".join(words) or "nothing"


def _mark(mark: dict[str, Any], text: str) -> str:
    kind = kind_of(mark)
    return f"{mark['label']} {_words(mark, text)}" if kind == "entities" else spoken(kind, mark)


def _words(span: dict[str, Any], text: str) -> str:
    """The words of a span; its place where several fields are one text."""
    if span.get("field") not in (None, "text"):
        return f"{span['field']} {span['start']}:{span['end']}"
    return repr(text[span["start"] : span["end"]])
