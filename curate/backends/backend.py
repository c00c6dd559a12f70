"""Annotation servers behind one protocol; the laws it obeys stand in `tests/backends/contract.py`.

Only `backends/x.py` imports the SDK of x.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Protocol

from curate.errors import DataError, ProjectMismatch
from curate.records import Annotation, Form, Key, Progress, Project, Pulled, Server, Task


class Backend(Protocol):
    """An annotation server: Label Studio, Argilla, or a folder of files."""

    name: str

    def ping(self) -> Server:
        """Return who answers. Raises BackendUnavailable or NotAllowed."""
        ...

    def ensure_project(
        self, name: str, form: Form, *, overlap: int | None, guidelines: str
    ) -> Project:
        """Find the project of that name or create it; `overlap` None asks everyone.

        Raises ProjectMismatch rather than altering a form that is live.
        """
        ...

    def open_project(self, project: Project) -> Project:
        """Return the project if it is still the one given. Raises ProjectMismatch."""
        ...

    def accounts(self) -> tuple[str, ...]:
        """Return everyone who can be asked; the key's own account only if there is nobody else."""
        ...

    def admit(self, project: Project, accounts: Collection[str]) -> None:
        """See that these people can label in the project. Raises DataError for an unknown one."""
        ...

    def push(self, project: Project, tasks: Iterable[Task]) -> Iterator[str]:
        """Send what is not there yet; yield the ids newly created. Raises PartialPush."""
        ...

    def erase(self, project: Project, ids: Collection[str]) -> int:
        """Remove tasks with their texts and answers; return how many were there.

        What is not there is gone already. A later pull says nothing of their answers but that they
        are gone, to whom still counts on them.
        """
        ...

    def restore(
        self, project: Project, tasks: Iterable[Task], answers: Iterable[Annotation]
    ) -> int:
        """Put answers that are at home back under their accounts, with their tasks.

        What the server has already stays as it is: after a kill, run it again. Only answers that
        were submitted, skipped or discarded are given. Return how many were put back. Raises
        DataError, before anything is sent, for an account that the server does not know.
        """
        ...

    def pull(self, project: Project, *, cursor: str | None, known: Mapping[Key, str]) -> Pulled:
        """Return answers that are new or changed since `cursor`.

        `known` maps the keys at home to their marks (see `Annotation.mark`); one of them that is
        gone from the server comes back with the status `withdrawn`.
        """
        ...

    def progress(self, project: Project) -> Progress:
        """Return, by account, how many tasks it last submitted, skipped or began."""
        ...


def refuse_losses(gone: Iterable[Annotation], known: Mapping[Key, str], project: str) -> None:
    """Raise ProjectMismatch if more than 5 % of the submitted answers, and over two, are gone."""
    submitted = {key for key, mark in known.items() if mark.startswith("submitted|")}
    lost = len(submitted.intersection(each.key for each in gone))
    if lost > max(2, 0.05 * len(submitted)):
        raise ProjectMismatch(
            f"{lost} of {len(submitted)} answers are gone from {project}; nothing was withdrawn",
            hint="see who removed them; `curate pull --accept-withdrawals` if that was meant",
        )


def refuse_strangers(accounts: Iterable[str], known: Collection[str], server: str) -> None:
    """Raise DataError if a server does not know one of the accounts."""
    strangers = sorted(set(accounts) - set(known))
    if strangers:
        names = ", ".join(strangers)
        raise DataError(
            f"{server} has no account {names}",
            hint="add it with `curate server accounts add`, or name another in people.yaml",
        )
