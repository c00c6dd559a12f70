"""`curate clean --explain` and `--what-if`: show what limits do, without writing anything."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING

from curate import console

if TYPE_CHECKING:
    from curate.workspace import Workspace


def explained(workspace: Workspace, name: str | None, limits: Sequence[str], as_json: bool) -> None:
    """Show documents on both sides of the limits of `name`, or what other `limits` would keep."""
    from curate.clean.explaining import explain, what_if

    examples = explain(workspace, name) if name else []
    outcomes = what_if(workspace, limits) if limits else []
    if as_json:
        console.show({"examples": examples, "outcomes": outcomes}, as_json=True)
        return
    for (signal, limit), group in groupby(examples, attrgetter("signal", "limit")):
        rows = [
            {
                "value": example.value,
                "": example.side,
                "source": example.source,
                "text": example.text,
            }
            for example in sorted(group, key=attrgetter("value"))
        ]
        console.table(rows, title=f"{signal}: {limit}")
    if name and not examples:
        console.note(f"no limit of {name} was asked of any document: --what-if tries one")
    if outcomes:
        console.table(outcomes)
