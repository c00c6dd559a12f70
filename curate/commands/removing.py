"""The command that takes documents down: it asks first, and shows the result."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from curate import console
from curate.commands.options import HERE, Json, Root, Wait, open_workspace, plain_app, refuse_beside
from curate.errors import CurateError

if TYPE_CHECKING:
    from curate.workspace import Workspace

SHOWN = 20
"""The most documents of a kind that are listed."""

remove = plain_app()


@remove.command("remove")
def remove_command(
    reason: Annotated[str, typer.Option(help="Why, for the record.")] = "",
    ids: Annotated[Path | None, typer.Option(help="A file with one id a line.")] = None,
    domain: Annotated[str | None, typer.Option(help="Of the address a document is from.")] = None,
    url: Annotated[str | None, typer.Option(help="The beginning of that address.")] = None,
    only: Annotated[bool, typer.Option("--only", help="Leave near-duplicates.")] = False,
    comments: Annotated[
        bool, typer.Option("--comments", help="Erase answers that quote a text, too.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    check: Annotated[bool, typer.Option("--check", help="Say what exports hold today.")] = False,
    root: Root = HERE,
    as_json: Json = False,
    wait: Wait = 0,
) -> None:
    """Take documents down for ever, with their copies: texts, vectors, server tasks. It asks.

    Example: curate remove --domain example.org --reason "asked by the owner"
    """
    workspace = open_workspace(root)
    workspace.require()
    request = {"ids": ids, "domain": domain, "url": url}
    if check:
        others = {"reason": reason, **request, "only": only, "comments": comments, "yes": yes}
        refuse_beside("--check", (name for name, value in others.items() if value))
    with workspace.lock.hold("remove", wait=wait):
        if check:
            checked(workspace, as_json)
        elif comments and not any(request.values()):
            erased(workspace, yes, as_json)
        else:
            taken_down(
                workspace,
                reason,
                request,
                only=only,
                comments=comments,
                yes=yes,
                as_json=as_json,
            )


def taken_down(
    workspace: Workspace,
    reason: str,
    request: Mapping[str, Any],
    *,
    only: bool = False,
    comments: bool = False,
    yes: bool = False,
    as_json: bool = False,
) -> None:
    """List the documents that `request` names, ask, and take them down.

    `request` holds the arguments of `naming.find`. Raises CurateError if the answer is no.
    """
    from curate.takedown import naming, takedown

    takedown.check_reason(reason)
    ids = naming.find(workspace, **request)
    documents = [
        document
        for document in naming.cluster(workspace, ids)
        if not only or document.why != "near_duplicate"
    ]
    if not ids:
        raise CurateError("no document here matches that", hint="nothing was done")
    for kind, group in groupby(documents, key=lambda document: document.why.replace("_", " ")):
        members = list(group)
        for document in members[:SHOWN]:
            console.note(f"{document.id}  {document.source}  {document.origin}  {kind}")
        if len(members) > SHOWN:
            console.note(f"and {len(members) - SHOWN:,} more: {kind}")
    if not only and not naming.knows_near(workspace):
        console.note("`clean` has not looked for near-duplicates here: none of them are named")
    number = len({*ids, *(document.id for document in documents)})
    console.note(
        f"{number:,} documents go, copies and near-duplicates with them: texts, vectors, tasks on "
        "servers, an export that holds one, and the report. Answers stay, by id. It cannot be "
        "undone."
    )
    _confirm(number, "take them down", yes)
    result = takedown.run(workspace, documents, ids, reason, comments=comments)
    console.show(result, as_json=as_json)
    if not as_json:
        for export in result.exports:
            console.note(_export_line(export))


def erased(workspace: Workspace, yes: bool, as_json: bool) -> None:
    """Erase the answers that earlier requests named; ask before. Raises CurateError if none is."""
    from curate.takedown import takedown

    quoting = takedown.named_comments(workspace)
    if not quoting:
        raise CurateError("no request has named an answer", hint="nothing was done")
    for name in sorted({quotation.name for quotation in quoting}):
        console.note(name)
    _confirm(len(quoting), "erase these answers", yes)
    console.show({"comments": takedown.erase_named(workspace)}, as_json=as_json)


def _confirm(number: int, what: str, yes: bool) -> None:
    """Ask for the number that is done away with, unless `yes`. Raises CurateError if it differs."""
    if yes:
        return
    if console.ask(f"Type {number} to {what}: ", hint="add --yes") != str(number):
        raise CurateError("nothing was done", hint="type the number to confirm, or add --yes")


def checked(workspace: Workspace, as_json: bool) -> None:
    """Show, for each request, the exports that held its documents, and what today's holds."""
    from curate.takedown import takedown

    removals = takedown.check(workspace)
    if as_json:
        console.show({"removals": removals}, as_json=True)
        return
    for removal in removals:
        after = removal["after"]
        today = "no export has been made since"
        if after is not None:
            today = f"the export of today, {after['content_sha256'][:12]}, holds {after['holds']}"
        exports = "; ".join(map(_export_line, removal["exports"])) or "no export held any"
        console.note(f"{removal['record']}  {removal['reason']}: {exports}; {today}")


def _export_line(export: Mapping[str, Any]) -> str:
    shards = ", ".join(f"{len(ids):,} in {name}" for name, ids in export["shards"].items())
    return f"the export {export['content_sha256'][:12]} held {shards}"
