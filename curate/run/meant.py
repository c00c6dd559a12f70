"""How a round is meant to be pushed: overrides that last until it has been sent."""

from __future__ import annotations

from collections.abc import Sequence

from curate.storage import Provenance
from curate.workspace import Workspace


def remember(workspace: Workspace, number: int, overrides: Sequence[str]) -> None:
    """Write down how a round is to be pushed before it exists, because a push may fail."""
    of_push = [override for override in overrides if override.startswith("push.")]
    if of_push:
        made = Provenance("meant", {"set": of_push}, {}, "")
        workspace.ledger.append(made, {}, {"round": number}, 0.0)


def meant(workspace: Workspace) -> tuple[str, ...]:
    """The overrides of `push` that the newest round was opened with, until it is sent."""
    rounds = workspace.rounds.asking()
    line = workspace.ledger.last("meant")
    if not rounds or line is None or rounds[-1].push is not None or rounds[-1].closed:
        return ()
    return tuple(line["spec"]["set"]) if line["result"]["round"] == rounds[-1].number else ()
