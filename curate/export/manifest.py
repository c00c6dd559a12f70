"""The manifest: files, sums, groups, and what the export was made of."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from curate import __version__, storage
from curate.export.spec import ExportSpec
from curate.workspace import Workspace


def entry(path: Path, documents: int, tokens: int) -> dict[str, Any]:
    """What the manifest says of one shard; `tokens` are those of its documents."""
    return {
        "path": path.name,
        "documents": documents,
        "tokens": tokens,
        "sha256": storage.sha256_of(path),
    }


def manifest_of(
    workspace: Workspace, spec: ExportSpec, files: list[dict[str, Any]], content: str
) -> dict[str, Any]:
    """The manifest; `files` are the entries of the shards, `content` the digest of all lines."""
    mix, pool = workspace.tables.made("mix"), workspace.tables.made("pool")
    names = (
        *("group", "wanted", "promised", "realised", "expected", "tokens", "documents", "epochs"),
        *("low", "high", "bound"),
    )
    tokenizer = str(pool.facts["tokenizer"])
    return {
        "files": files,
        "groups": workspace.tables.read("groups", names).to_pylist(),
        "layout": spec.layout,
        "tokenizer": "tokenizer.json" if tokenizer.endswith(".json") else tokenizer,
        "budget": mix.facts["budget"],
        "max_epochs": mix.spec["max_epochs"],
        "seed": mix.spec.get("seed"),
        "content_sha256": content,
        "curate_version": __version__,
    }
