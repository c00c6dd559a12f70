"""`curate clean --explain` and `--what-if`: show what limits do, without writing anything."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from curate import console

if TYPE_CHECKING:
    from curate.workspace import Workspace


def explained(workspace: Workspace, name: str | None, wishes: Sequence[str], as_json: bool) -> None:
    """Show examples on both sides of limits, or what other limits would keep."""
    from curate.clean.explaining import explain, what_if

    examples = explain(workspace, name) if name else []
    outcomes = what_if(workspace, wishes) if wishes else []
    if as_json:
        console.show({"examples": examples, "outcomes": outcomes}, as_json=True)
        return
    if examples:
        console.table(examples)
    elif name:
        console.note(f"no document has a value near a limit of {name}")
    if outcomes:
        console.table(outcomes)
