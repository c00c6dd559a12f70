"""The options that commands share, and the opening of a workspace."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from curate import console
from curate.commands.completing import Values
from curate.errors import RecipeError
from curate.saying import speak_of

if TYPE_CHECKING:
    from curate.workspace import Workspace

Root = Annotated[
    Path,
    typer.Option(
        "-w",
        "--workspace",
        envvar="CURATE_WORKSPACE",
        help="The run's folder.",
        callback=speak_of,
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Wait = Annotated[float, typer.Option(min=0, help="Seconds to wait for another command to end.")]
EngineName = Annotated[
    str | None,
    typer.Option(
        envvar="CURATE_ENGINE",
        help="What bulk work runs on: local or ray.",
        autocompletion=Values(("local", "ray")),
    ),
]
Workers = Annotated[
    int | None,
    typer.Option(min=1, envvar="CURATE_WORKERS", help="How many processes; default all cores."),
]
HERE = Path()
"""The current folder: the default of every workspace."""


def plain_app(help: str | None = None) -> typer.Typer:
    """A group of commands, or one command, with plain help; `help` says what a group is about."""
    return typer.Typer(
        help=help, no_args_is_help=help is not None, add_completion=False, rich_markup_mode=None
    )


def open_workspace(root: Path, *, accept_withdrawals: bool = False) -> Workspace:
    """A workspace that can connect to servers and shows its progress."""
    from curate.connections import Connections
    from curate.run.stages import maker
    from curate.workspace import Workspace

    connections = Connections(root, console.watch, accept_withdrawals=accept_withdrawals)
    return Workspace(root, connect=connections, watch=console.watch, maker=maker)


def refuse_beside(option: str, others: Iterable[str]) -> None:
    """Raise RecipeError for the first of `others`, given beside an option that leaves it unused."""
    for name in others:
        raise RecipeError(
            f"--{name.replace('_', '-')} has no effect beside {option}", hint="leave it out"
        )


@contextmanager
def working_on(workspace: Workspace, engine: str | None, workers: int | None) -> Iterator[None]:
    """Do a workspace's bulk work on an engine; without a name, on this machine's processes.

    The engine lets go of its workers at the end.
    """
    from curate.engine import choose
    from curate.engine.lean import keep_pandas_away

    keep_pandas_away()
    workspace.engine = choose(engine, workers)
    try:
        yield
    finally:
        workspace.engine.close()
