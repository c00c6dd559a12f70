"""What Argilla shows to people: who sees a dataset, and which records have left all queues."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from curate.backends.argilla.client import Client, known_user, well_formed
from curate.backends.argilla.records import status_of
from curate.errors import BackendUnavailable
from curate.records import Unserved, User


def members(client: Client, dataset: str) -> dict[str, str]:
    """User name → id of everyone in the dataset's workspace."""
    with well_formed():
        workspace = UUID(client.dataset(dataset)["workspace_id"])
    return {user.username: str(user.id) for user in client.users(workspace)}


def who_sees(client: Client, dataset: str) -> tuple[User, ...]:
    """The members of the dataset's workspace, and the server's owners."""
    own = members(client, dataset).keys()
    return tuple(
        known_user(user) for user in client.users() if user.username in own or user.role == "owner"
    )


def set_overlap(client: Client, dataset: str, overlap: int) -> bool:
    """Let the server ask so many people about every record; return whether it asked others."""
    distribution = {"strategy": "overlap", "min_submitted": overlap}
    if client.dataset(dataset).get("distribution") == distribution:
        return False
    try:
        client.request("PATCH", f"datasets/{dataset}", body={"distribution": distribution})
    except BackendUnavailable:  # a server that cannot queue jobs changes it, yet says 500
        if client.dataset(dataset).get("distribution") != distribution:
            raise
    return True


def unserved(client: Client, dataset: str, missing: Mapping[str, int], tasks: int) -> Unserved:
    """The tasks of `missing` that the server counts as complete, or lacks.

    It has one overlap for all of them, so it cannot be told to ask more. `tasks` is the number of
    records that the dataset should have.
    """
    progress = client.request("GET", f"datasets/{dataset}/progress")
    with well_formed():
        is_whole = progress["total"] == tasks
        is_plain = is_whole and progress["completed"] <= tasks - len(missing)
    if is_plain or not missing:
        return Unserved()
    statuses = dict(client.records(dataset, status_of, responses=False))
    return Unserved(
        counted=tuple(id for id in sorted(missing) if statuses.get(id) == "completed"),
        gone=tuple(id for id in sorted(missing) if id not in statuses),
    )
