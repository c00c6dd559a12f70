"""Annotation servers behind one protocol; the laws it obeys stand in `tests/backends/contract.py`.

Only `backends/x.py` imports the SDK of x.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Protocol

from curate.errors import ProjectMismatch
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

    def push(self, project: Project, tasks: Iterable[Task]) -> Iterator[str]:
        """Send what is not there yet; yield the ids newly created. Raises PartialPush."""
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
