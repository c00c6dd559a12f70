"""Commands about rounds of asking people."""

from __future__ import annotations

from typing import Annotated

import typer

from curate import console
from curate.commands.completing import round_numbers
from curate.commands.options import HERE, Json, Root, Wait, open_workspace, plain_app
from curate.commands.rows import of_round

round = plain_app("Rounds of asking people.")


@round.command("list")
def round_list(root: Root = HERE, as_json: Json = False) -> None:
    """List the rounds and how far they are.

    Example: curate round list
    """
    from curate.rounds.standing import overview

    rounds = overview(open_workspace(root).rounds.all())
    if as_json:
        console.show({"rounds": rounds}, as_json=True)
    elif rounds:
        console.table([of_round(own) for own in rounds])
    else:
        console.note("there is no round yet: `curate sample` draws the texts of the first")


@round.command("close")
def round_close(
    number: Annotated[
        int | None,
        typer.Argument(
            help="Its number; by default the newest open round.", autocompletion=round_numbers
        ),
    ] = None,
    offline: Annotated[
        bool, typer.Option("--offline", help="With the answers at home; no server is asked.")
    ] = False,
    root: Root = HERE,
    as_json: Json = False,
    wait: Wait = 0,
) -> None:
    """End a round early: answers are fetched first, the other tasks are withdrawn.

    Example: curate round close
    """
    from curate.pull.stage import close_round

    workspace = open_workspace(root)
    workspace.require()
    with workspace.lock.hold("round close", wait=wait):
        console.done("pull", close_round(workspace, number, offline=offline), as_json=as_json)
