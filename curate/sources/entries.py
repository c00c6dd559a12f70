"""What a path of a source leads to, before it is known how it is read."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Entry:
    """A file or folder that a path leads to.

    Attributes:
        address: An absolute path, or an address.
        folder: The address of the folder that was walked, if a folder was named.
        within: The address of the folder in which a glob begins, if a glob was given.
        skip: Why it is not read.
        format: Its format, where the folder says it.
        split: Its split, where the folder says it.
    """

    address: str
    size: int
    modified: int
    folder: str = ""
    skip: str = ""
    format: str = ""
    split: str | None = None
    within: str = ""

    @property
    def unit(self) -> str:
        """The address of what is a source of its own: the folder that was walked, or the file."""
        return self.folder or self.address

    @property
    def is_named(self) -> bool:
        """Whether a path names this very file."""
        return not (self.folder or self.within)
