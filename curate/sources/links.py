"""Links in the folder of a source: one that leaves the folder is not followed.

A cloned repository or an unpacked archive may hold a link to a secret of whoever reads it.
"""

from __future__ import annotations

import os
from functools import lru_cache

OUTSIDE = "a link that leaves the folder"


def leaves(path: str, folder: str) -> bool:
    """Whether a path below a folder leads out of it by a link, its own or one on the way."""
    parent, name = os.path.split(path)
    real_parent = real(parent)
    real_path = f"{real_parent}/{name}"
    if name == ".." or os.path.islink(path):  # noqa: PTH114 (a Path a file takes seconds)
        real_path = os.path.realpath(path)
    return not real_path.startswith(f"{real(folder).rstrip('/')}/")


@lru_cache(maxsize=1024)
def real(folder: str) -> str:
    """The path of a folder without links."""
    return os.path.realpath(folder)
