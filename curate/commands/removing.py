"""Ask before documents are taken down, and show what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from curate import console
from curate.commands.options import HERE, Json, Root, Wait, open_workspace, plain_app
from curate.errors import CurateError

if TYPE_CHECKING:
    from curate.workspace import Workspace

SHOWN = 20
"""So many documents of each kind are listed."""

remove = plain_app()


@remove.command("remove")
def remove_command(
    reason: Annotated[str, typer.Option(help="Why, for the record.")] = "",
    ids: Annotated[Path | None, typer.Option(help="A file with one id a line.")] = None,
    domain: Annotated[str | None, typer.Option(help="Of the address a document is from.")] = None,
    url: Annotated[str | None, typer.Option(help="How that address begins.")] = None,
    only: Annotated[bool, typer.Option("--only", help="Leave near-duplicates.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    check: Annotated[bool, typer.Option("--check", help="Say what exports hold today.")] = False,
    workspace: Root = HERE,
    as_json: Json = False,
    wait: Wait = 0,
) -> None:
    """Take documents down for ever, with their copies: texts, vectors, server tasks. It asks.

    Example: curate remove --domain example.org --reason "asked by the owner"
    """
    opened = open_workspace(workspace)
    with opened.lock.hold("remove", wait=wait):
        if check:
            checked(opened, as_json)
        else:
            named = {"ids": ids, "domain": domain, "url": url}
            taken_down(opened, reason, named, only, yes, as_json)


def taken_down(
    workspace: Workspace,
    reason: str,
    named: Mapping[str, Any],
    only: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """List what goes, ask, and take it down. Raises CurateError where the answer is no."""
    from curate.takedown import naming, takedown

    takedown.check_reason(reason)
    ids = naming.find(workspace, **named)
    found = [
        each for each in naming.cluster(workspace, ids) if not only or each.why != "near_duplicate"
    ]
    if not ids:
        raise CurateError("nothing here is named by that", hint="nothing was done")
    for why, some in groupby(found, key=lambda each: each.why.replace("_", " ")):
        kind = list(some)
        for each in kind[:SHOWN]:
            console.note(f"{each.id}  {each.source}  {each.origin}  {why}")
        if len(kind) > SHOWN:
            console.note(f"and {len(kind) - SHOWN:,} more: {why}")
    if not only and not naming.knows_near(workspace):
        console.note("`clean` has not looked for near-duplicates here: none of them are named")
    number = len({*ids, *(each.id for each in found)})
    console.note(
        f"{number:,} documents go, copies and near-duplicates with them: texts, vectors, tasks on "
        "servers, and an export that holds one. Answers stay, by id. It cannot be undone."
    )
    if not yes and console.ask(f"Type {number} to take them down: ", hint="add --yes") != str(
        number
    ):
        raise CurateError("nothing was taken down", hint="it is only if you type the number")
    made = takedown.run(workspace, found, ids, reason)
    console.show(made, as_json=as_json)
    if not as_json:
        for held in made.exports:
            console.note(_told(held))


def checked(workspace: Workspace, as_json: bool) -> None:
    """Show, for each request, which exports held its documents and what today's holds."""
    from curate.takedown import takedown

    told = takedown.check(workspace)
    if as_json:
        console.show({"removals": told}, as_json=True)
        return
    for each in told:
        after = each["after"]
        today = "no export has been made since"
        if after is not None:
            today = f"the export of today, {after['content_sha256'][:12]}, holds {after['holds']}"
        held = "; ".join(map(_told, each["exports"])) or "no export held any"
        console.note(f"{each['record']}  {each['reason']}: {held}; {today}")


def _told(held: Mapping[str, Any]) -> str:
    shards = ", ".join(f"{len(ids):,} in {name}" for name, ids in held["shards"].items())
    return f"the export {held['content_sha256'][:12]} held {shards}"
