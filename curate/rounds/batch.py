"""A part of a round, with a project of its own on the server."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from curate.records import Project


@dataclass(frozen=True)
class Batch:
    """A part of a round with a project of its own: its people and the guideline they follow.

    `name` is None where a round is not split; `people` None are all who can be asked. `restored`
    says when answers were last put back: the server's times before that are not people's.
    """

    name: str | None
    project: Project
    people: tuple[str, ...] | None = None
    guidelines: str = ""
    restored: str | None = None

    @property
    def guideline(self) -> str | None:
        """Return the digest of the guideline; None for an empty one."""
        return text_digest(self.guidelines)

    def record(self, guidelines: str) -> dict[str, Any]:
        """Return the batch as plain JSON values; `guidelines` is the name of its file."""
        return {
            "name": self.name,
            "project": plain(self.project),
            "people": self.people,
            "guidelines": guidelines,
            "guideline_digest": self.guideline,
        }


def text_digest(text: str) -> str | None:
    """Return the digest of a guideline; None for an empty one."""
    return blake2b(text.encode(), digest_size=16).hexdigest() if text else None


def plain(project: Project) -> dict[str, Any]:
    return {name: value for name, value in vars(project).items() if name != "form"}
