"""Heads on disk: arrays in an npz file, without pickle, and everything else in JSON."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from curate import storage
from curate.errors import DataError
from curate.heads.calibration import arrays_of, from_arrays
from curate.heads.choosing import Choice, Figures
from curate.heads.features import Characters
from curate.heads.learned import Learned, Predicted, Weights

FORMAT = 1
ARRAYS, ABOUT = "head.npz", "head.json"
PARTS = {"weights": Weights, "characters": Characters, "out_of_fold": Predicted}


def save(learned: Learned, folder: Path) -> None:
    """Write a head into a folder: `head.npz`, and `head.json` last."""
    import numpy as np

    about = {
        "format": FORMAT,
        "kind": learned.kind,
        "values": learned.values,
        "choice": asdict(learned.choice),
    }
    parts = {part: _arrays(getattr(learned, part)) for part in PARTS}
    parts["calibrator"] = arrays_of(learned.calibrator)
    arrays = {"log_weights": learned.log_weights} | {
        f"{part}.{name}": array for part, own in parts.items() for name, array in own.items()
    }
    with storage.replacing(folder / ARRAYS) as temporary, temporary.open("wb") as file:
        np.savez(file, **arrays)
    storage.write_json(folder / ABOUT, {**about, "arrays": storage.file_digest(folder / ARRAYS)})


def load(folder: Path) -> Learned:
    """Read a head from a folder.

    Raises DataError if there is none, or if it is damaged or of another format.
    """
    import numpy as np

    try:
        about = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
        if about["format"] != FORMAT:
            raise DataError(
                f"{folder}: the head has format {about['format']}, not {FORMAT}",
                hint="run `curate score` again",
            )
        if about["arrays"] != storage.file_digest(folder / ARRAYS):
            raise ValueError(f"{ARRAYS} is not the file that {ABOUT} was written with")
        with np.load(folder / ARRAYS, allow_pickle=False) as arrays:
            return _learned(about, dict(arrays))
    except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
        raise DataError(
            f"{folder} holds no head that can be read: {error}", hint="run `curate score` again"
        ) from None


def _arrays(part: Any) -> dict[str, Any]:
    """The arrays of a dataclass of arrays, by field; none of one that is absent."""
    if part is None:
        return {}
    own = {field.name: getattr(part, field.name) for field in fields(part)}
    return {name: array for name, array in own.items() if array is not None}


def _learned(about: Mapping[str, Any], arrays: Mapping[str, Any]) -> Learned:
    def part(name: str, kind: Any) -> Any:
        own = {field.name: arrays.get(f"{name}.{field.name}") for field in fields(kind)}
        return None if all(array is None for array in own.values()) else kind(**own)

    choice = about["choice"]
    figures = tuple(Figures(**own) for own in choice["candidates"])
    return Learned(
        kind=about["kind"],
        values=tuple(about["values"]),
        choice=Choice(**{**choice, "candidates": figures}),
        calibrator=from_arrays(
            {
                name.removeprefix("calibrator."): array
                for name, array in arrays.items()
                if name.startswith("calibrator.")
            }
        ),
        log_weights=arrays["log_weights"],
        **{name: part(name, kind) for name, kind in PARTS.items()},
    )
