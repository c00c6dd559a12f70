"""Data sets that `datasets` saved: their Arrow files, and the splits that these are of."""

from __future__ import annotations

import json
from pathlib import Path

from curate.errors import DataError

SPLITS, STATE = "dataset_dict.json", "state.json"
"""The files that say so: of a folder of splits, and of one split."""


def saved_files(folder: Path) -> list[tuple[Path, str | None]] | None:
    """The Arrow files of a saved data set with their splits; None for any other folder.

    A folder that was saved as one split may not know its name.
    """
    try:
        if (folder / SPLITS).is_file():
            names = json.loads((folder / SPLITS).read_bytes())["splits"]
            return [file for name in names for file in _of_split(_inside(folder, name), name)]
        return _of_split(folder, None) if (folder / STATE).is_file() else None
    except (ValueError, KeyError, TypeError, RecursionError, OSError) as error:
        raise DataError(f"{folder}: not what `datasets` saves ({error})") from None


def _of_split(folder: Path, name: str | None) -> list[tuple[Path, str | None]]:
    path = folder / STATE
    state = json.loads(path.read_bytes()) if path.is_file() else {"_data_files": ()}
    split = name or state.get("_split")
    own = split if isinstance(split, str) and split.isidentifier() else name
    return [(_inside(folder, file["filename"]), own) for file in state["_data_files"]]


def _inside(folder: Path, name: str) -> Path:
    """What a folder holds under a name. ValueError for a path that leads elsewhere."""
    if name in ("", ".", "..") or "/" in name:
        raise ValueError(f"{name!r} is not a name")
    return folder / name
