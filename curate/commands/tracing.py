"""Commands that follow a document back and a label on, and that compare two mixtures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from curate import console
from curate.commands.completing import people_ids, source_names
from curate.commands.options import HERE, Json, Root, open_workspace, plain_app
from curate.errors import RecipeError

if TYPE_CHECKING:
    import pyarrow as pa

    from curate.trace.backward import By, Hanging
    from curate.trace.results import Answer, Trace, TracedMedium

trace = plain_app()

SHOWN = 20
"""The documents that a terminal shows."""

Output = Annotated[
    Path | None, typer.Option(help="A CSV file that gets every document, one a line.")
]


@trace.command("trace")
def trace_command(
    id: Annotated[
        str | None, typer.Argument(help="A document: its id, or the beginning of it.")
    ] = None,
    source: Annotated[
        str | None, typer.Option(help="What depends on a source.", autocompletion=source_names)
    ] = None,
    annotator: Annotated[
        str | None, typer.Option(help="On the answers of a person.", autocompletion=people_ids)
    ] = None,
    guideline: Annotated[str | None, typer.Option(help="On a guideline: digest or name.")] = None,
    label: Annotated[str | None, typer.Option(help="On a label: VALUE or QUESTION=VALUE.")] = None,
    output: Output = None,
    root: Root = HERE,
    as_json: Json = False,
) -> None:
    """Show where a document came from and why it is drawn, or what depends on a source or a label.

    Example: curate trace 7afec6c5
    Example: curate trace --annotator a3 --output documents.csv
    """
    workspace = open_workspace(root)
    workspace.about()  # raises MissingInput if the folder is no workspace
    options = {"source": source, "annotator": annotator, "guideline": guideline, "label": label}
    given = {by: name for by, name in options.items() if name is not None}
    if (id is not None) + len(given) != 1:
        hint = "an id, or one of --source, --annotator, --guideline and --label"
        raise RecipeError("trace: name one thing", hint=hint)
    if id is None:
        by, name = next(iter(given.items()))
        _backward(root, by, name, output, as_json)  # type: ignore[arg-type]
        return
    if output is not None:
        raise RecipeError("--output has no effect beside an id", hint="leave it out")
    from curate.trace.forward import trace as forward

    result = forward(workspace, id)
    if as_json:
        console.show(result, as_json=True)
    else:
        _show_trace(result)


# ── forward


def _show_trace(result: Trace) -> None:
    """Show a trace in sections, in the order in which the document went through the stages."""
    head = {"id": result.id, "state": result.state.replace("_", " "), "says": result.says}
    about = asdict(result.origin) if result.origin else {}
    about["also"] = ", ".join(about.get("also", ()))
    console.show(
        {**head, **{name: value for name, value in about.items() if value != ""}}, as_json=False
    )
    sections: dict[str, list[Mapping[str, Any]]] = {
        "media": [_medium(one) for one in result.media],
        "copies": [asdict(one) for one in result.duplicates],
        "clean": [asdict(one) for one in result.checks],
        "edits": list(result.edits[:SHOWN]),
        "answers": [_answer(one) for one in result.answers],
        "labels": [_without(asdict(one), "label") for one in result.labels],
        **(_of_score(result) if result.score else {}),
        "lines of the export": [asdict(one) for one in result.lines],
    }
    for title, rows in sections.items():
        if rows:
            console.table(rows, title=title)
    for weight in result.weights:
        console.show(weight, as_json=False)
    for line in result.notes:
        console.note(line)


def _medium(medium: TracedMedium) -> Mapping[str, Any]:
    """A medium as a terminal shows it: the beginning of its sum."""
    own = _without(asdict(medium), "sha256", "bytes")
    return {**own, "sha256": (medium.sha256 or "")[:8]}


def _answer(answer: Answer) -> Mapping[str, Any]:
    """An answer as a terminal shows it: digests as a person would name them."""
    own = _without(asdict(answer), "form", "label", "at", "blind")
    return {**own, "guideline": (answer.guideline or "")[:8], "why": answer.why or "counts"}


def _without(row: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in names}


def _of_score(result: Trace) -> dict[str, list[Mapping[str, Any]]]:
    assert result.score is not None
    own = asdict(result.score)
    names = ("quality", "low", "high", "abstained", "out_of_fold", "is_teacher")
    return {
        "score": [{name: own[name] for name in names}],
        "predictions": own["predictions"],
        "answers that taught the heads": own["teachers"],
        "nearest labelled documents": own["nearest"],
    }


# ── backward


def _backward(root: Path, by: By, name: str, output: Path | None, as_json: bool) -> None:
    from curate.trace.backward import Backward

    look = Backward.of(open_workspace(root), by, name)
    result = look.result()
    if output is not None:
        console.write_csv(output, _rows(look.documents()))
    if as_json:
        console.show_with(result, "found", _rows(look.documents()))
        return
    _show_hanging(result)
    rows = list(islice(_rows(look.documents()), SHOWN))
    if rows:
        console.table(rows, title="documents")
    if result.documents > len(rows):
        console.note(f"{result.documents - len(rows):,} more: --json and --output have them all")


def _rows(tables: Iterator[pa.Table]) -> Iterator[dict[str, Any]]:
    for table in tables:
        for batch in table.to_batches(max_chunksize=1_000):
            yield from batch.to_pylist()


def _show_hanging(result: Hanging) -> None:
    own = {name: value for name, value in vars(result).items() if isinstance(value, str | int)}
    console.show(own, as_json=False)
    if result.shards:
        console.table(result.shards, title="shards of the export")
    if result.today is not None and result.without is not None:
        if result.without.problem:
            console.note(f"without it no mixture can be made: {result.without.problem}")
        else:
            console.table(_moves(result), title="promised shares")
            console.table([vars(result.without.change)], title="what would change")
    for line in result.notes:
        console.note(line)


def _moves(result: Hanging) -> list[dict[str, Any]]:
    """A row for each group of either mixture: its share today and without, the moves first."""
    assert result.today is not None
    assert result.without is not None
    today, without = (
        {one.group: one.promised for one in case.groups} for case in (result.today, result.without)
    )
    groups = sorted(
        dict.fromkeys([*today, *without]),
        key=lambda group: -abs(without.get(group, 0.0) - today.get(group, 0.0)),
    )
    return [
        {"group": group, "today": today.get(group), "without": without.get(group)}
        for group in groups[:SHOWN]
    ]
