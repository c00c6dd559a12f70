"""Ask before documents are taken down, and show what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from curate import console
from curate.errors import CurateError

if TYPE_CHECKING:
    from curate.workspace import Workspace

SHOWN = 20


def taken_down(
    here: Workspace, reason: str, named: Mapping[str, Any], only: bool, yes: bool, as_json: bool
) -> None:
    """List what goes, ask, and take it down. Raises CurateError where the answer is no."""
    from curate import remove

    remove.check_reason(reason)
    ids = remove.find(here, **named)
    found = [each for each in remove.cluster(here, ids) if not only or each.why != "near_duplicate"]
    if not ids:
        raise CurateError("nothing here is named by that", hint="nothing was done")
    for each in found[:SHOWN]:
        console.note(f"{each.id}  {each.source}  {each.origin}  {each.why.replace('_', ' ')}")
    if len(found) > SHOWN:
        console.note(f"and {len(found) - SHOWN:,} more")
    number = len({*ids, *(each.id for each in found)})
    console.note(
        f"{number:,} documents go, copies and near-duplicates with them: texts, vectors, tasks on "
        "servers, and an export that holds one. Answers stay, by id. It cannot be undone."
    )
    if not yes and console.ask(f"Type {number} to take them down: ", hint="add --yes") != str(
        number
    ):
        raise CurateError("nothing was taken down", hint="it is only if you type the number")
    console.show(remove.run(here, found, ids, reason), as_json=as_json)


def checked(here: Workspace, as_json: bool) -> None:
    """Show, for each request, which exports held its documents and what today's holds."""
    from curate import remove

    console.show({"removals": remove.check(here)}, as_json=as_json)
