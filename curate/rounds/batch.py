"""A part of a round, with a project of its own on the server."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, NotRequired, TypedDict

from curate.records import Project


class BatchRecord(TypedDict):
    """A batch in project.json; `guidelines` is the name of the file that holds its guideline."""

    name: str | None
    project: dict[str, Any]
    people: Sequence[str] | None
    guidelines: str
    guideline_digest: str | None
    restored: NotRequired[str]


@dataclass(frozen=True)
class Batch:
    """A part of a round with a project of its own: its people and the guideline they follow.

    `name` is None where a round is not split. `people` is None where everybody can be asked.
    `restored` is the time at which answers were last put back: the server's times before it are
    not those at which people answered.
    """

    name: str | None
    project: Project
    people: tuple[str, ...] | None = None
    guidelines: str = ""
    restored: str | None = None

    @property
    def guideline(self) -> str | None:
        """The digest of the guideline; None for an empty one."""
        return text_digest(self.guidelines)

    def record(self, guidelines: str) -> BatchRecord:
        """The batch as plain JSON values; `guidelines` is the name of its file."""
        return {
            "name": self.name,
            "project": project_record(self.project),
            "people": self.people,
            "guidelines": guidelines,
            "guideline_digest": self.guideline,
        }


def text_digest(text: str) -> str | None:
    """The digest of a guideline; None for an empty one."""
    return blake2b(text.encode(), digest_size=16).hexdigest() if text else None


def project_record(project: Project) -> dict[str, Any]:
    """A project as plain JSON values, without its form and what was seen of it just now."""
    return {name: value for name, value in vars(project).items() if name not in ("form", "altered")}
