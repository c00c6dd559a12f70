"""`curate clean --explain` and `--what-if`: show what limits do, without writing anything."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
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
    for (signal, limit), near in groupby(examples, lambda each: (each.signal, each.limit)):
        rows = [
            {"value": each.value, "": each.side, "source": each.source, "text": each.text}
            for each in sorted(near, key=lambda each: each.value)
        ]
        console.table(rows, title=f"{signal}: {limit}")
    if name and not examples:
        console.note(f"no limit of {name} was asked of any document: --what-if tries one")
    if outcomes:
        console.table(outcomes)
