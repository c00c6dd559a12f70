"""Walk folders of any depth: Python's own walks end in an error some thousand folders down."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

Told = Callable[[OSError], object]


def walk(
    folder: str | Path, told: Told | None = None
) -> Iterator[tuple[str, list[str], list[str]]]:
    """Yield each folder from above, with the names of the folders and of the files in it.

    Folders that are taken out of the first list are not walked, and no links are. `told` is called
    with the error of each folder that cannot be read, one whose path is too long for instance.
    """
    waiting = [str(folder)]
    while waiting:
        parent = waiting.pop()
        folders: list[str] = []
        files: list[str] = []
        try:
            with os.scandir(parent) as entries:
                for entry in entries:
                    (folders if _is_folder(entry) else files).append(entry.name)
        except OSError as error:
            if told is not None:
                told(error)
            continue
        yield parent, folders, files
        paths = [f"{parent.rstrip('/')}/{name}" for name in reversed(folders)]
        waiting += [path for path in paths if not os.path.islink(path)]  # noqa: PTH114 (a Path a folder takes seconds)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that cannot be followed
        return False


def below(folder: Path, told: Told | None = None) -> Iterator[Path]:
    """Yield everything below a folder, at any depth: files, folders, links."""
    for parent, folders, files in walk(folder, told):
        for name in (*folders, *files):
            yield Path(parent, name)


def files_below(folder: Path) -> Iterator[Path]:
    """Yield the files below a folder, at any depth, and links to files."""
    return (path for path in below(folder) if os.path.isfile(path))  # noqa: PTH113 (no error)
