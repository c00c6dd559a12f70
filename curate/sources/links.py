"""Links in the folder of a source: one that leaves the folder is not followed.

A cloned repository or an unpacked archive may hold a link to a secret of whoever reads it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import lru_cache

from curate.walking import walk

OUTSIDE = "a link that leaves the folder"
FOLDER = "a link to a folder, which is not followed"


def leaves(path: str, folder: str) -> bool:
    """Whether a path below a folder leads out of it by a link, its own or one on the way."""
    parent, name = os.path.split(path)
    real_parent = real(parent)
    real_path = f"{real_parent}/{name}"
    if name == ".." or os.path.islink(path):  # noqa: PTH114 (a Path a file takes seconds)
        real_path = os.path.realpath(path)
    return not real_path.startswith(f"{real(folder).rstrip('/')}/")


def linked_folders(folder: str) -> Iterator[tuple[str, str]]:
    """Yield the links to folders below a folder, each with the reason why it is not followed."""
    for parent, names, _ in walk(folder):
        for name in sorted(names):
            if reason := reason_of_link(f"{parent}/{name}", folder):
                yield f"{parent}/{name}", reason


def reason_of_link(path: str, folder: str) -> str:
    """Why a folder below another is not walked, if it is a link; else nothing."""
    if not os.path.islink(path):  # noqa: PTH114 (a Path a folder takes seconds)
        return ""
    return OUTSIDE if leaves(path, folder) else FOLDER


@lru_cache(maxsize=1024)
def real(folder: str) -> str:
    """The path of a folder without links."""
    return os.path.realpath(folder)
