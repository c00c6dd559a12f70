"""What a command did: a line for each stage, a record field by field, one JSON object."""

from __future__ import annotations

import json
import sys
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curate.console.screen import escaped, json_text, stderr, stdout, warnings
from curate.console.tables import COLOURS, is_cell, is_empty, items, table
from curate.rounding import rounded
from curate.saying import addressed
from curate.wording import count, did, from_here, number, shown

if TYPE_CHECKING:
    from curate.connections import Login
    from curate.run.stages import Step


def step(outcome: Step) -> None:
    """Print what the walk did at one stage, on stderr."""
    from curate.workspace.ledger import plain

    console = stderr()
    if outcome.result is None:
        colour = COLOURS.get(outcome.state, "dim")
        console.print(f"[dim]{outcome.stage:>8}[/dim]  [{colour}]{outcome.state}[/{colour}]")
        if outcome.state != "failed":  # the error itself is told at the end
            warnings(outcome.warnings)
        return
    words = did(outcome.stage, plain(outcome.result))
    duration = f"  [dim]{rounded(outcome.seconds, '.1f')} s[/dim]"
    console.print(f"[bold]{outcome.stage:>8}[/bold]  {escaped(words)}{duration}")
    for line in getattr(outcome.result, "notes", ()):
        console.print(f"          [dim]{escaped(addressed(line))}[/dim]")
    warnings(outcome.warnings)


def done(stage: str, result: Any, *, as_json: bool) -> None:
    """Print what a stage's command did: a line in words, then its tables; or a JSON object."""
    from curate.workspace.ledger import plain

    if as_json or not (words := did(stage, plain(result))):
        show(result, as_json=as_json)
        return
    stdout().print(f"[bold]{stage}[/bold]  {escaped(words)}")
    rest = {name: _for_people(stage, name, value) for name, value in items(result)}
    show({name: value for name, value in rest.items() if value is not None}, as_json=False)


TOLD = {
    "clean": ("reasons", "privacy"),
    "pull": ("rejected",),
    "agree": ("excluded",),
    "score": ("quality", "drift"),
    "evaluate": ("models", "holdout", "contaminated", "dynamic", "people"),
}
"""What a stage's line tells already, or what only `--json` tells."""


def _for_people(stage: str, name: str, value: Any) -> Any:
    """A field as a stage's command shows it below its line; None for one that it does not."""
    if name in TOLD.get(stage, ()):
        return None
    if is_cell(value):
        return value if name in ("url", "content_sha256", "sums_sha256") else None
    return shown(stage, name, value) if _is_rows(value) and _is_table(name) else value


def _is_table(name: str) -> bool:
    return name not in ("notes", "warnings", "story", "bias")


def show(result: Any, *, as_json: bool) -> None:
    """Print a result on stdout: as one JSON object, or for people, who get its warnings too.

    Counts that are zero are left out for people.
    """
    from curate.workspace.ledger import plain

    if as_json:
        sys.stdout.write(json_text(plain(result), indent=2) + "\n")
        return
    console = stdout()
    for name, value in _scalars(result):
        if not is_empty(value):
            console.print(f"{name.replace('_', ' '):>22}  {escaped(number(value))}")
    for name, value in items(result):
        if name == "warnings":
            warnings(value)
        elif isinstance(value, Mapping) and any(map(is_dataclass, value.values())):
            for key, record in value.items():
                known = key if record is not None else f"{key}: nothing is known"
                console.print(f"{name.replace('_', ' '):>22}  [bold]{escaped(known)}[/bold]")
                if record is not None:
                    show(record, as_json=False)
        elif isinstance(value, Mapping) and any(value.values()):
            shown = ((key, number(amount)) for key, amount in value.items() if amount)
            counts = ", ".join(f"{key} {amount}" for key, amount in shown)
            console.print(f"{name.replace('_', ' '):>22}  {escaped(counts)}")
        elif _is_rows(value):
            table(value, title=name.replace("_", " "))
        elif is_dataclass(value):
            show(value, as_json=False)
        elif isinstance(value, tuple):
            for line in value:
                console.print(f"{'':>22}  {escaped(addressed(str(line)))}")


def show_with(result: Any, name: str, rows: Iterable[Mapping[str, Any]]) -> None:
    """Print a result on stdout as one JSON object, with many `rows` under one more `name`.

    Rows are written as they come, one a line, so they need no memory.
    """
    from curate.workspace.ledger import plain

    head = json_text(plain(result), indent=2)
    sys.stdout.write(f"{head[:-2]},\n  {json.dumps(name)}: [")
    for place, row in enumerate(rows):
        line = json_text(plain(row))
        sys.stdout.write(f"{',' if place else ''}\n    {line}")
    sys.stdout.write("\n  ]\n}\n")


def made(root: Path, stages: Collection[str]) -> None:
    """Print where the results of a run lie that people want to see."""
    places = {"export": ("the mixture", "export"), "report": ("the report", "report.html")}
    shown = [places[stage] for stage in stages if stage in places]
    for name, path in shown:
        if (root / path).exists():
            stderr().print(f"  {name:<11}  {escaped(from_here(root / path))}")


@dataclass(frozen=True)
class Page:
    """Where people label: the server, whom it is for (empty: everybody), and a login.

    In a folder without a server, `answers` is the file that takes answers, and `example` a line.
    """

    backend: str
    about: str
    login: Login
    answers: str = ""
    example: str = ""


def waiting(result: Any, pages: Sequence[Page]) -> None:
    """Print who is waited for, where they label (a line a page), and how to continue."""
    stderr().print(
        f"\n[bold cyan]Waiting for people:[/bold cyan] {result.complete} of "
        f"{count(result.tasks, 'text')} complete in round {result.round}."
    )
    following("curate run", pages)


def following(command: str, pages: Sequence[Page]) -> None:
    """Print the next command; before it, where people label and with which login."""
    console = stderr()
    for page in pages:
        address = f"{page.login.url}  ({page.about})" if page.about else page.login.url
        console.print(f"  {'texts' if page.answers else 'label here':<11}  {escaped(address)}")
        if page.answers:
            console.print(f"  answers      {escaped(page.answers)}, a line each:")
            console.print(f"               {escaped(page.example)}")
    if pages and pages[0].login.user:
        login = pages[0].login
        console.print(
            f"  login        {escaped(login.user or '')}  {escaped(login.password or '')}"
        )
    if pages and pages[0].login.listed:
        console.print(f"  logins       `curate server accounts list --server {pages[0].backend}`")
    ends = "  (`curate round close` ends the round early)" if pages else ""
    then = "then" if pages else "next"
    console.print(f"  {then:<11}  {escaped(addressed(f'`{command}`{ends}'))}")


def _scalars(result: Any) -> list[tuple[str, Any]]:
    return [(name, value) for name, value in items(result) if is_cell(value)]


def _is_rows(value: Any) -> bool:
    return isinstance(value, tuple | list) and bool(value) and not is_cell(value[0])
