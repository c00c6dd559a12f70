"""`curate mix --what-if`: show what other settings would make of the mixture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from curate import console

if TYPE_CHECKING:
    from curate.run.whatif import WhatIf
    from curate.workspace import Workspace

MOST = 30
"""The groups that a terminal shows: those whose shares move most."""


def supposed(workspace: Workspace, wishes: Sequence[str], as_json: bool) -> None:
    """Show the mixtures that `wishes` would make beside today's. Nothing is written."""
    from curate.run.whatif import what_if

    result = what_if(workspace, wishes)
    if as_json:
        console.show(result, as_json=True)
        return
    rows = _shares(result)
    console.table(rows[:MOST], title="promised shares")
    if len(rows) > MOST:
        console.note(f"{len(rows) - MOST:,} more groups move less: --json has them all")
    console.table(_changes(result), title="what would change")
    for case in result.cases:
        if case.problem:
            console.note(f"{case.name}: {case.problem}")
    console.warnings(result.warnings)


def _shares(result: WhatIf) -> list[dict[str, Any]]:
    """A row for each group of any mixture; where there are many, those that move most first."""
    made = [case for case in result.cases if not case.problem]
    shares = {case.name: {one.group: one.promised for one in case.groups} for case in made}
    groups = list(dict.fromkeys(group for own in shares.values() for group in own))
    if len(groups) > MOST:
        moves = {
            group: max(own.get(group, 0.0) for own in shares.values())
            - min(own.get(group, 0.0) for own in shares.values())
            for group in groups
        }
        groups.sort(key=lambda group: -moves[group])
    return [
        {"group": group, **{name: own.get(group) for name, own in shares.items()}}
        for group in groups
    ]


def _changes(result: WhatIf) -> list[dict[str, Any]]:
    """A row for each figure of the mixtures that can be made: size, and what differs from today."""
    figures = {
        case.name: {"tokens": case.tokens, "documents": case.documents, **asdict(case.change)}
        for case in result.cases
        if not case.problem
    }
    return [
        {"": name.replace("_", " "), **{case: own[name] for case, own in figures.items()}}
        for name in figures[result.cases[0].name]
    ]
