"""What Energon reads beside WebDataset shards, so that nothing is to be prepared there.

    data-00000.tar.idx       where each sample begins, and where the last one ends: 64-bit numbers
    .nv-meta/.info.json      the number of samples of each shard
    .nv-meta/split.yaml      the shards of each split
    .nv-meta/dataset.yaml    how samples are read: as they are, for a cooker of one's own

Checked with megatron-energon 7.4.1; `index.sqlite`, which it needs to look samples up by their key,
is left to `energon prepare`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from curate import storage, yamls

if TYPE_CHECKING:
    import pyarrow as pa

META = ".nv-meta"

DATASET = {"__module__": "megatron.energon", "__class__": "CrudeWebdataset"}


def index_path(shard: Path) -> Path:
    """Where the index of a shard lies."""
    return shard.with_name(f"{shard.name}.idx")


def write_index(shard: Path, starts: Sequence[int]) -> None:
    """Write where the samples of a shard begin, and where the last one ends."""
    index_path(shard).write_bytes(b"".join(start.to_bytes(8, "little") for start in starts))


def write_meta(folder: Path, manifest: Mapping[str, Any], schema: pa.Schema) -> None:
    """Describe every folder with shards: the export, or that of each group."""
    for place, splits in _folders(manifest).items():
        meta = folder / place / META
        counts = {PurePosixPath(path).name: n for own in splits.values() for path, n in own.items()}
        storage.write_json(meta / ".info.json", {"shard_counts": counts})
        parts = {name: [PurePosixPath(path).name for path in own] for name, own in splits.items()}
        text = yamls.text_of({"split_parts": parts, "exclude": []})
        storage.write_text(meta / "split.yaml", text)
        storage.write_text(meta / "dataset.yaml", yamls.text_of(DATASET))


def _folders(manifest: Mapping[str, Any]) -> dict[str, dict[str, dict[str, int]]]:
    """The shards of each split, with their samples, by the folder that they lie in."""
    folders: dict[str, dict[str, dict[str, int]]] = {}
    for split, file in _files(manifest):
        place = PurePosixPath(file["path"]).parent.as_posix()
        own = folders.setdefault(place, {}).setdefault(split, {})
        own[file["path"]] = file["documents"]
    return folders


def _files(manifest: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    yield from (("train", file) for file in manifest["files"])
    yield from (("val", file) for file in (manifest.get("validation") or {}).get("files", ()))
