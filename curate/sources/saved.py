"""Data sets as `datasets` saves them: a folder of Arrow files, or one folder for each split."""

from __future__ import annotations

import json
from pathlib import Path

from curate.errors import DataError


def saved(folder: Path) -> list[Path] | None:
    """The Arrow files of a data set that `datasets` saved, or None for any other folder."""
    splits, state = folder / "dataset_dict.json", folder / "state.json"
    try:
        if splits.is_file():
            names = json.loads(splits.read_bytes())["splits"]
            return [path for name in names for path in _of_split(_inside(folder, name))]
        return _of_split(folder) if state.is_file() else None
    except (ValueError, KeyError, TypeError, RecursionError, OSError) as error:
        raise DataError(f"{folder}: not what `datasets` saves ({error})") from None


def _of_split(folder: Path) -> list[Path]:
    state = folder / "state.json"
    files = json.loads(state.read_bytes())["_data_files"] if state.is_file() else ()
    return [_inside(folder, file["filename"]) for file in files]


def _inside(folder: Path, name: str) -> Path:
    """What a folder holds under a name. ValueError for a path that leads elsewhere."""
    if name in ("", ".", "..") or "/" in name:
        raise ValueError(f"{name!r} is no name")
    return folder / name
