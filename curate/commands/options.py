"""The options that commands share, and how they open a workspace."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from curate import console

if TYPE_CHECKING:
    from curate.workspace import Workspace

Root = Annotated[
    Path, typer.Option("-w", "--workspace", envvar="CURATE_WORKSPACE", help="The run's folder.")
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Wait = Annotated[float, typer.Option(help="Seconds to wait for another command to end.")]
Text = Annotated[str | None, typer.Option()]
Whole = Annotated[int | None, typer.Option()]
Real = Annotated[float | None, typer.Option()]
Names = Annotated[list[str] | None, typer.Option()]
Switch = Annotated[bool | None, typer.Option()]
EngineName = Annotated[
    str | None, typer.Option(envvar="CURATE_ENGINE", help="What bulk work runs on: local or ray.")
]
Workers = Annotated[
    int | None,
    typer.Option(min=1, envvar="CURATE_WORKERS", help="How many processes; default all cores."),
]
HERE = Path()


def open_workspace(root: Path, *, accept_withdrawals: bool = False) -> Workspace:
    """Return a workspace that can connect to servers and shows its progress."""
    from curate.connections import Connections
    from curate.workspace import Workspace

    connections = Connections(root, console.watch, accept_withdrawals=accept_withdrawals)
    return Workspace(root, connect=connections, watch=console.watch)


def work_on(workspace: Workspace, engine: str | None, workers: int | None) -> None:
    """Let a workspace do its bulk work on an engine; without a name, on this machine."""
    from curate.engine import choose

    workspace.engine = choose(engine, workers)
