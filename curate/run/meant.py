"""The overrides of `push` that a round is opened with: they last until it has been sent."""

from __future__ import annotations

from collections.abc import Sequence

from curate.storage import Provenance
from curate.workspace import Workspace


def remember(workspace: Workspace, number: int, overrides: Sequence[str]) -> None:
    """Write down the overrides of `push`, before the round exists, because its push may fail."""
    push_overrides = [override for override in overrides if override.startswith("push.")]
    if push_overrides:
        provenance = Provenance("meant", {"set": push_overrides}, {}, "")
        workspace.ledger.append(provenance, {}, {"round": number}, 0.0)


def meant(workspace: Workspace) -> tuple[str, ...]:
    """The overrides of `push` that the newest round was opened with; none once it is sent."""
    rounds = workspace.rounds.asking()
    line = workspace.ledger.last("meant")
    if not rounds or line is None or rounds[-1].push is not None or rounds[-1].closed:
        return ()
    return tuple(line["spec"]["set"]) if line["result"]["round"] == rounds[-1].number else ()
