"""The manifest: files, sums, groups, and what the export was made of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from curate import __version__, storage
from curate.errors import DataError
from curate.export.asked import Asked
from curate.export.labels import BY, LabelCounts
from curate.export.phases import Phases
from curate.export.spec import ExportSpec
from curate.workspace import Workspace

POOL_TOKENIZER, BUDGET_TOKENIZER = "tokenizer.json", "budget-tokenizer.json"
"""What a copied tokenizer is called: that of the pool, and that which counts the budget."""

SHARES = (
    *("wanted", "promised", "promised_low", "promised_high", "realised", "expected"),
    *("estimated", "estimated_low", "estimated_high", "labels", "low", "high"),
)
COUNTS = ("earlier", "tokens", "pool_tokens", "documents", "epochs")


@dataclass(frozen=True)
class Written:
    """The shards that were written: entries by phase, the digest of all lines, their labels."""

    by_phase: Mapping[str | None, list[dict[str, Any]]]
    content_sha256: str
    labels: LabelCounts

    @property
    def files(self) -> list[dict[str, Any]]:
        """The entries of all shards, in order."""
        return [file for files in self.by_phase.values() for file in files]


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
    """The manifest; `asked` are the questions whose labels the lines have.

    `phases`, `earlier`, `budget_tokenizer` and `extra_tokens` stand in it only where a mixture has
    them. Raises DataError where an earlier part, or the budget of a phase, is not there.
    """
    mix = workspace.tables.made("mix")
    phases = Phases.of(workspace)
    names = ("group", *(("phase",) if phases.names else ()), *SHARES, *COUNTS, "bound")
    return {
        "files": written.files,
        **({"phases": list(_phases(workspace, written))} if phases.names else {}),
        "groups": workspace.tables.read("groups", names).to_pylist(),
        "labels": [
            {"question": question.name, "kind": question.kind}
            | {name: written.labels[question.name, name] for name in BY}
            for question in asked
        ],
        "layout": spec.layout,
        **_counting(workspace),
        "budget": mix.facts["budget"],
        "max_epochs": most_epochs(mix.spec),
        "seed": mix.spec.get("seed"),
        **_earlier(workspace),
        "content_sha256": written.content_sha256,
        "curate_version": __version__,
    }


def _phases(workspace: Workspace, written: Written) -> Iterator[dict[str, Any]]:
    """Yield what the manifest says of each phase; its tokens are as the pool counts.

    Raises DataError where the mixture was made before phases told their budgets.
    """
    phases = workspace.tables.made("mix").facts.get("phases")
    if phases is None:
        raise DataError(
            "the mixture does not tell the budgets of its phases", hint="run `curate mix` again"
        )
    for phase in phases:
        files = written.by_phase.get(phase["name"], [])
        yield {
            "name": phase["name"],
            "budget": phase["budget"],
            "files": [file["path"] for file in files],
            "documents": sum(file["documents"] for file in files),
            "tokens": sum(file["tokens"] for file in files),
        }


def most_epochs(mix: Mapping[str, Any]) -> int:
    """The copies of a document at most, by the settings of a mixture: its phases and limits too."""
    phases = mix.get("phases") or [{}]
    return max(epochs for phase in phases for epochs in _epochs(mix, phase))


def _epochs(mix: Mapping[str, Any], phase: Mapping[str, Any]) -> Iterator[int]:
    """Yield every `max_epochs` that applies to a phase; what it leaves out is as in the mixture."""
    yield phase.get("max_epochs") or mix["max_epochs"]
    limits = mix["limits"] if phase.get("limits") is None else phase["limits"]
    yield from (limit["max_epochs"] for limit in limits.values() if limit.get("max_epochs"))


def _tokenizers(workspace: Workspace) -> tuple[str, str]:
    """The tokenizers of the pool and of the budget; files by their whole path."""
    own = str(workspace.tables.made("pool").facts["tokenizer"])
    name = workspace.tables.made("mix").spec.get("tokenizer") or own
    is_file = name.endswith(".json")
    return own, str(workspace.path(name).resolve()) if is_file else name


def tokenizer_files(workspace: Workspace) -> dict[str, str]:
    """The tokenizers that are copied beside the shards: the name there, and the path."""
    own, budgets = _tokenizers(workspace)
    files = {POOL_TOKENIZER: own, **({BUDGET_TOKENIZER: budgets} if budgets != own else {})}
    return {name: path for name, path in files.items() if path.endswith(".json")}


def _counting(workspace: Workspace) -> dict[str, Any]:
    """How the pool counts tokens and, where that differs, how the budget does."""
    own, budgets = _tokenizers(workspace)
    extra = workspace.tables.made("mix").spec.get("extra_tokens", 0)
    told: dict[str, Any] = {"tokenizer": POOL_TOKENIZER if own.endswith(".json") else own}
    if budgets != own:
        told["budget_tokenizer"] = BUDGET_TOKENIZER if budgets.endswith(".json") else budgets
    return {**told, **({"extra_tokens": extra} if extra else {})}


def _earlier(workspace: Workspace) -> dict[str, Any]:
    """The `content_sha256` of the earlier parts, in the order of the recipe."""
    names = workspace.tables.made("mix").spec.get("earlier") or ()
    return {"earlier": [_content(workspace.path(name)) for name in names]} if names else {}


def _content(path: Path) -> str:
    manifest = storage.read_json(path)
    if manifest is None:
        raise DataError(
            f"the mixture came after {path}, which is gone",
            hint="bring it back, or run `curate mix` again",
        )
    return str(manifest["content_sha256"])
