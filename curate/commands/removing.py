"""Ask before documents are taken down, and show what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby
from typing import TYPE_CHECKING, Any

from curate import console
from curate.errors import CurateError

if TYPE_CHECKING:
    from curate.workspace import Workspace

SHOWN = 20
"""So many of each kind are listed."""


def taken_down(
    here: Workspace, reason: str, named: Mapping[str, Any], only: bool, yes: bool, as_json: bool
) -> None:
    """List what goes, ask, and take it down. Raises CurateError where the answer is no."""
    from curate.takedown import naming, takedown

    takedown.check_reason(reason)
    ids = naming.find(here, **named)
    found = [each for each in naming.cluster(here, ids) if not only or each.why != "near_duplicate"]
    if not ids:
        raise CurateError("nothing here is named by that", hint="nothing was done")
    for why, some in groupby(found, key=lambda each: each.why.replace("_", " ")):
        kind = list(some)
        for each in kind[:SHOWN]:
            console.note(f"{each.id}  {each.source}  {each.origin}  {why}")
        if len(kind) > SHOWN:
            console.note(f"and {len(kind) - SHOWN:,} more: {why}")
    if not only and not naming.knows_near(here):
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
    made = takedown.run(here, found, ids, reason)
    console.show(made, as_json=as_json)
    if not as_json:
        for held in made.exports:
            console.note(_told(held))


def checked(here: Workspace, as_json: bool) -> None:
    """Show, for each request, which exports held its documents and what today's holds."""
    from curate.takedown import takedown

    told = takedown.check(here)
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
