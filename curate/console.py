"""Every word, table and progress bar that is shown; only this file imports rich.

stdout is data (`--json` prints one object), stderr is narration.
"""

from __future__ import annotations

import csv
import json
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curate.cells import guarded
from curate.errors import CurateError, RecipeError
from curate.saying import addressed
from curate.storage import replacing

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from curate.connections import Login
    from curate.progress import Advance
    from curate.rounds import Batch
    from curate.run.stages import Step
    from curate.warning import StageWarning


def _stderr() -> Console:
    from rich.console import Console

    return Console(stderr=True, highlight=False, soft_wrap=True)


_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""What moves the cursor, colours or turns a line around; names from outside may hold it."""


def harmless(text: str) -> str:
    """The text with a U+FFFD for every character that a terminal would obey."""
    return _CONTROL.sub("\ufffd", text)


def error(problem: CurateError) -> None:
    """Show an expected error: one line and a hint."""
    console = _stderr()
    console.print("error:", style="bold red", end=" ")
    console.print(harmless(problem.message), markup=False)
    if problem.hint:
        console.print("hint:", style="bold", end=" ")
        console.print(harmless(addressed(problem.hint)), markup=False)


def error_plainly(problem: CurateError) -> None:
    """Show an expected error without rich, which can be what there was no memory for."""
    message, hint = harmless(problem.message), harmless(addressed(problem.hint))
    sys.stderr.write(f"error: {message}\nhint: {hint}\n")


def note(text: str) -> None:
    """Print a line on stderr."""
    _stderr().print(harmless(addressed(text)), markup=False)


def ask(question: str, *, hint: str) -> str:
    """Ask a person on the terminal. Raises CurateError with the hint if there is no terminal."""
    if not sys.stdin.isatty():
        raise CurateError("there is nobody to ask here, and nothing was done", hint=hint)
    sys.stderr.write(question)
    sys.stderr.flush()
    return sys.stdin.readline().strip()


@contextmanager
def watch(label: str, total: int | None) -> Iterator[Advance]:
    """Show the progress of one piece of work on stderr: amount, speed and time left.

    Nothing is shown if stderr is not a terminal.
    """
    console = _stderr()
    if not console.is_terminal:
        yield lambda n: None
        return
    from rich import progress

    columns = (
        progress.TextColumn("  {task.description}"),
        progress.BarColumn(),
        progress.MofNCompleteColumn(),
        progress.TextColumn("{task.fields[rate]}"),
        progress.TimeRemainingColumn(),
    )
    with progress.Progress(*columns, console=console, transient=True) as bar:
        task_id = bar.add_task(label, total=total, rate="")

        def advance(n: int) -> None:
            bar.advance(task_id, n)
            (task,) = bar.tasks
            bar.update(task_id, rate=f"{task.speed:,.0f}/s" if task.speed else "")

        yield advance


def step(outcome: Step) -> None:
    """Print what the walk did at one stage, on stderr."""
    console = _stderr()
    if outcome.result is None:
        console.print(f"[dim]{outcome.stage:>8}  {outcome.state}[/dim]")
        if outcome.state != "failed":  # the error itself is told at the end
            warnings(outcome.warnings)
        return
    duration = f"  [dim]{outcome.seconds:.1f} s[/dim]"
    console.print(f"[bold]{outcome.stage:>8}[/bold]  {_summary(outcome.result)}{duration}")
    for line in getattr(outcome.result, "notes", ()):
        console.print(f"          [dim]{_escaped(addressed(line))}[/dim]")
    warnings(outcome.warnings)


def warnings(shown: Sequence[StageWarning]) -> None:
    """Print warnings on stderr, a line each."""
    for warning in shown:
        _stderr().print(f"[yellow]warning:[/yellow] {_escaped(addressed(warning.words))}")


def _summary(result: Any) -> str:
    parts = []
    for name, value in _scalars(result):
        if value is not None and name not in ("notes", "content_sha256", "folder", "url"):
            parts.append(f"{name.replace('_', ' ')} {_escaped(_number(value))}")
    return " · ".join(parts)


def show(result: Any, *, as_json: bool) -> None:
    """Print a result on stdout: as one JSON object, or for people, who get its warnings too."""
    from curate.workspace.ledger import plain

    if as_json:
        sys.stdout.write(json.dumps(plain(result), ensure_ascii=False, indent=2) + "\n")
        return
    from rich.console import Console

    console = Console(highlight=False, soft_wrap=True)
    for name, value in _scalars(result):
        if value is not None:
            console.print(f"{name.replace('_', ' '):>22}  {_escaped(_number(value))}")
    for name, value in _items(result):
        if name == "warnings":
            warnings(value)
        elif isinstance(value, Mapping) and any(map(is_dataclass, value.values())):
            for key, record in value.items():
                known = key if record is not None else f"{key}: nothing is known"
                console.print(f"{name.replace('_', ' '):>22}  [bold]{_escaped(known)}[/bold]")
                if record is not None:
                    show(record, as_json=False)
        elif isinstance(value, Mapping) and value:
            counts = ", ".join(f"{key} {_number(number)}" for key, number in value.items())
            console.print(f"{name.replace('_', ' '):>22}  {_escaped(counts)}")
        elif _is_rows(value):
            table(value, title=name.replace("_", " "))
        elif is_dataclass(value):
            show(value, as_json=False)
        elif isinstance(value, tuple):
            for line in value:
                console.print(f"{'':>22}  {_escaped(addressed(str(line)))}")


def show_with(result: Any, name: str, rows: Iterable[Mapping[str, Any]]) -> None:
    """Print a result on stdout as one JSON object, with many `rows` under one more `name`.

    Rows are written as they come, one a line, so they need no memory.
    """
    from curate.workspace.ledger import plain

    head = json.dumps(plain(result), ensure_ascii=False, indent=2)
    sys.stdout.write(f"{head[:-2]},\n  {json.dumps(name)}: [")
    for number, row in enumerate(rows):
        line = json.dumps(plain(row), ensure_ascii=False)
        sys.stdout.write(f"{',' if number else ''}\n    {line}")
    sys.stdout.write("\n  ]\n}\n")


def write_csv(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write rows of one kind to a CSV file, which is there once it is whole. A list is JSON.

    Raises RecipeError for a folder, or one that is not there.
    """
    if path.is_dir() or not path.absolute().parent.is_dir():
        raise RecipeError(f"{path} cannot be written", hint="name a file in a folder that is there")
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        for number, row in enumerate(rows):
            if not number:
                writer.writerow(row)
            writer.writerow(_cell(value) for value in row.values())


def _cell(value: Any) -> Any:
    """A value of a CSV file."""
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False)
    return guarded(value) if isinstance(value, str) else value


def table(rows: Sequence[Any], *, title: str = "") -> None:
    """Print dataclasses or mappings of one kind as a table on stdout.

    Columns that do not fit beside each other follow in further tables, which begin with the first
    column again. No number and no address is cut.
    """
    from rich.console import Console

    records = [dict(_items(row)) for row in rows]
    names = [name for name in records[0] if any(_is_cell(record[name]) for record in records)]
    names = [name for name in names if any(record[name] is not None for record in records)]
    console = Console(highlight=False)
    columns = [_Column.of(name, [record[name] for record in records]) for name in names]
    for number, some in enumerate(_beside(columns, console.width)):
        console.print(_grid(some, console.width, "" if number else title))


@dataclass(frozen=True)
class _Column:
    """A column of a table.

    `least` is the width that cuts no number and no word of the header, `most` all it can fill.
    """

    header: str
    cells: tuple[str, ...]
    is_number: bool
    least: int
    most: int

    @staticmethod
    def of(name: str, values: Sequence[Any]) -> _Column:
        from rich.cells import cell_len

        cells = tuple(harmless(_number(value)) for value in values)
        is_number = isinstance(values[0], int | float)
        words = cells if is_number else tuple(word for cell in cells for word in cell.split())
        widest = max(map(cell_len, words), default=1)
        header = max(map(len, name.split("_")))
        least = max(header, widest if is_number else min(widest, WORD))
        most = max(least, len(name), *map(cell_len, cells))
        return _Column(name.replace("_", " "), cells, is_number, least, most)


WORD = 20
"""The longest word of a text that a column is made wide enough for; longer ones are folded."""


def _beside(columns: Sequence[_Column], width: int) -> Iterator[list[_Column]]:
    """Yield columns that fit beside each other, the first of all columns with each."""
    some: list[_Column] = []
    for column in columns:
        if some and 1 + sum(own.least + 3 for own in (*some, column)) > width:
            yield some
            some = [columns[0]]
        some.append(column)
    yield some


def _widths(columns: Sequence[_Column], width: int) -> list[int]:
    """The width of each column: what is left of a line goes to those that need the least more."""
    widths = [column.least for column in columns]
    left = width - 1 - sum(own + 3 for own in widths)
    needs = sorted((column.most - column.least, place) for place, column in enumerate(columns))
    for rank, (need, place) in enumerate(needs):
        more = min(need, max(left, 0) // (len(needs) - rank))
        widths[place] += more
        left -= more
    return widths


def _grid(columns: Sequence[_Column], width: int, title: str) -> Table:
    from textwrap import fill

    from rich.markup import escape
    from rich.table import Table

    grid = Table(title=_escaped(title) or None, title_justify="left")
    for column, own in zip(columns, _widths(columns, width), strict=True):
        grid.add_column(
            fill(column.header, own),
            justify="right" if column.is_number else "left",
            width=own,
            overflow="fold",
        )
    for cells in zip(*(column.cells for column in columns), strict=True):
        grid.add_row(*map(escape, cells))
    return grid


def waiting(result: Any, batches: Sequence[Batch], logins: Sequence[Login]) -> None:
    """Print who is waited for, where they label (a line a batch), and how to continue."""
    console = _stderr()
    console.print(
        f"\n[bold]Waiting for people:[/bold] {result.complete} of {result.tasks} texts are "
        f"complete in round {result.round}."
    )
    for batch, login in zip(batches, logins, strict=True):
        people = ", ".join(batch.people or ())
        label = ": ".join(dict.fromkeys(filter(None, (batch.name, people))))
        address = f"{login.url}  ({label})" if label else login.url
        console.print(f"  label here   {_escaped(address)}")
    login, backend = logins[0], batches[0].project.backend
    if login.user:
        console.print(f"  login        {_escaped(login.user)}  {_escaped(login.password or '')}")
    if login.listed:
        console.print(f"  logins       `curate server accounts list --server {backend}`")
    then = "`curate run` again  (`curate round close` ends the round early)"
    console.print(f"  then         {_escaped(addressed(then))}")


def _items(result: Any) -> list[tuple[str, Any]]:
    if isinstance(result, Mapping):
        return list(result.items())
    return [(field.name, getattr(result, field.name)) for field in fields(result)]


def _scalars(result: Any) -> list[tuple[str, Any]]:
    return [(name, value) for name, value in _items(result) if _is_cell(value)]


def _is_cell(value: Any) -> bool:
    return value is None or isinstance(value, str | int | float | bool)


def _is_rows(value: Any) -> bool:
    return isinstance(value, tuple | list) and bool(value) and not _is_cell(value[0])


def _number(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int) or (isinstance(value, float) and value.is_integer()):
        return f"{int(value):,}"
    if isinstance(value, float):
        return f"{value:.4g}"
    return "" if value is None else str(value)


def _escaped(text: str) -> str:
    from rich.markup import escape

    return escape(harmless(text))
