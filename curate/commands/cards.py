"""The command that prints the documents about an export: its card, and summaries for laws."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from curate import console
from curate.commands.options import (
    HERE,
    EngineName,
    Json,
    Root,
    Workers,
    open_workspace,
    plain_app,
    refuse_beside,
    working_on,
)

if TYPE_CHECKING:
    from curate.cards.summary import Summary

card = plain_app()


@card.command("card")
def card_command(
    eu: Annotated[bool, typer.Option("--eu", help="Summary for Europe's AI Act.")] = False,
    ab2013: Annotated[
        bool, typer.Option("--ab2013", help="The points of California's AB 2013.")
    ] = False,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write here; default is stdout.")
    ] = None,
    engine: EngineName = None,
    workers: Workers = None,
    root: Root = HERE,
    as_json: Json = False,
) -> None:
    """Print the dataset card of the export, or a summary of it that a law asks for.

    Summaries are filled from the tables. What no table knows is marked as a GAP, never guessed.

    Example: curate card -w my-run

    Example: curate card --eu -o summary.md
    """
    from curate.cards.californian import californian
    from curate.cards.european import european
    from curate.cards.summary import markdown
    from curate.summaries.gathering import gather, read_card

    if eu:
        refuse_beside("--eu", ["ab2013"] if ab2013 else [])
    workspace = open_workspace(root)
    workspace.require()
    if not (eu or ab2013):
        text = read_card(workspace)
        _tell(text, {"text": text}, output, as_json)
        return
    with working_on(workspace, engine, workers):
        facts = gather(workspace)
    summary = european(facts) if eu else californian(facts)
    _tell(markdown(summary), _plain(summary), output, as_json)


def _plain(summary: Summary) -> dict[str, object]:
    """A summary as JSON has it: with the number of its gaps."""
    return {
        "title": summary.title,
        "about": summary.about,
        "gaps": summary.gaps,
        "points": summary.points,
    }


def _tell(text: str, told: dict[str, object], output: Path | None, as_json: bool) -> None:
    """Write the text into a file or to stdout; with `--json`, stdout is one object."""
    from curate import storage

    if output is not None:
        storage.write_text(output, text)
        told = {"output": str(output), **told}
    if as_json:
        console.show(told, as_json=True)
    elif output is None:
        sys.stdout.write(text)
    else:
        gaps = f", with {told['gaps']} gaps" if "gaps" in told else ""
        console.note(f"{output} is written{gaps}")
