"""The manifest: files, sums, groups, and what the export was made of."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from curate import __version__, storage
from curate.export.asked import Asked
from curate.export.labels import BY, LabelCounts
from curate.export.spec import ExportSpec
from curate.workspace import Workspace


@dataclass(frozen=True)
class Written:
    """The shards that were written: their entries, the digest of all lines, and their labels."""

    files: list[dict[str, Any]]
    content_sha256: str
    labels: LabelCounts


def entry(path: Path, documents: int, tokens: int) -> dict[str, Any]:
    """What the manifest says of one shard; `tokens` are those of its documents."""
    return {
        "path": path.name,
        "documents": documents,
        "tokens": tokens,
        "sha256": storage.sha256_of(path),
    }


def manifest_of(
    workspace: Workspace, spec: ExportSpec, written: Written, asked: Iterable[Asked]
) -> dict[str, Any]:
    """The manifest; `asked` are the questions whose labels the lines have."""
    mix, pool = workspace.tables.made("mix"), workspace.tables.made("pool")
    names = (
        *("group", "wanted", "promised", "realised", "expected", "tokens", "documents", "epochs"),
        *("low", "high", "bound", "earlier", "pool_tokens", "phase"),
    )
    tokenizer = str(pool.facts["tokenizer"])
    return {
        "files": written.files,
        "groups": workspace.tables.read("groups", names).to_pylist(),
        "labels": [
            {"question": question.name, "kind": question.kind}
            | {name: written.labels[question.name, name] for name in BY}
            for question in asked
        ],
        "layout": spec.layout,
        "tokenizer": "tokenizer.json" if tokenizer.endswith(".json") else tokenizer,
        "budget": mix.facts["budget"],
        "max_epochs": mix.spec["max_epochs"],
        "seed": mix.spec.get("seed"),
        "content_sha256": written.content_sha256,
        "curate_version": __version__,
    }
