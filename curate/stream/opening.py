"""Open an export that lies by group: its groups, their shares, and the lengths of documents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curate import storage
from curate.errors import DataError, RecipeError
from curate.names import unknown
from curate.stream.blocks import Group, blocks_of, columns_of

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Opened:
    """The groups of one phase, their shares of tokens, its budget in tokens, and its folder."""

    groups: list[Group]
    weights: tuple[float, ...]
    budget: int
    folder: Path


def open_export(path: Path, phase: str | None, columns: Sequence[str] | None, seed: int) -> Opened:
    """Open an export.

    Raises DataError where it is none, lies in another layout or format, or has no document left to
    draw, and RecipeError for an unknown phase or column.
    """
    folder = path.parent if path.name == "manifest.json" else path
    manifest = storage.read_json(folder / "manifest.json")
    if manifest is None:
        raise DataError(f"{folder} holds no export", hint="make one with `curate export`")
    if manifest["layout"] != "by_group":
        raise DataError(
            f"{folder} has layout {manifest['layout']}: read its lines in order",
            hint="for a stream export with `layout: by_group`",
        )
    _check_phase(manifest, phase)
    own = [group for group in manifest["groups"] if group.get("phase") == phase]
    own = [group for group in own if group["stored_documents"] and group["tokens"]]
    if not own:
        raise DataError(f"{folder}: there is nothing to draw")
    lengths = _lengths(folder)
    groups = [_group(folder, manifest, group, lengths, seed) for group in own]
    _check_columns(groups, columns)
    budget = sum(group["tokens"] for group in own)
    shares = tuple(group["tokens"] / budget for group in own)
    return Opened(groups, shares, budget, folder.absolute())


def _check_phase(manifest: Mapping[str, Any], phase: str | None) -> None:
    phases = [own["name"] for own in manifest.get("phases", ())]
    if phases and phase is None:
        raise RecipeError("the mixture has phases: name one", hint=f"there are: {phases}")
    if phase is not None and phase not in phases:
        raise unknown(f"the mixture has no phase {phase}", phase, phases)


def _lengths(folder: Path) -> dict[str, NDArray[np.int64]]:
    """The tokens of the documents of each shard, in order, as the budget counts them."""
    import numpy as np

    table: pa.Table = storage.read_parquet(folder / "draw.parquet", ["shard", "size"])
    if not table.num_rows:
        return {}
    shards = table["shard"].combine_chunks().dictionary_encode()
    places = shards.indices.to_numpy()
    sizes = table["size"].to_numpy().astype(np.int64)
    starts = np.flatnonzero(np.diff(places, prepend=-1))
    names = shards.dictionary.to_pylist()
    parts = np.split(sizes, starts[1:])
    return {names[places[start]]: part for start, part in zip(starts, parts, strict=True)}


def _group(
    folder: Path,
    manifest: Mapping[str, Any],
    group: Mapping[str, Any],
    lengths: Mapping[str, NDArray[np.int64]],
    seed: int,
) -> Group:
    import numpy as np

    files = [file for file in manifest["files"] if file["path"].startswith(group["folder"])]
    blocks = [
        block for file in files for block in blocks_of(folder / file["path"], file["documents"])
    ]
    tokens = np.concatenate([lengths[file["path"]] for file in files])
    return Group(group["group"], blocks, tokens, seed)


def _check_columns(groups: Sequence[Group], columns: Sequence[str] | None) -> None:
    """Raise RecipeError for a column that documents do not have."""
    if columns:
        known = columns_of(groups[0].blocks[0].path)
        for name in columns:
            if name not in known:
                raise unknown(f"documents have no column {name}", name, known)
