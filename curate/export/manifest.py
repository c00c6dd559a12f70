"""The manifest: files, sums, groups, and what the export was made of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from curate import __version__, storage
from curate.errors import DataError
from curate.export.asked import Asked
from curate.export.labels import BY, LabelCounts
from curate.export.made import made_of
from curate.export.parts import Layout, Part
from curate.export.spec import ExportSpec
from curate.workspace import Workspace

POOL_TOKENIZER, BUDGET_TOKENIZER = "tokenizer.json", "budget-tokenizer.json"
"""What a copied tokenizer is called: that of the pool, and that which counts the budget."""

SHARES = (
    *("wanted", "promised", "promised_low", "promised_high", "realised", "expected"),
    *("estimated", "estimated_low", "estimated_high", "labels", "low", "high"),
)
COUNTS = ("earlier", "tokens", "pool_tokens", "documents", "epochs")


LAYOUTS = {
    "mixed": "The weights of this export are spent, so read its lines once and in order: who "
    "weights or repeats its groups again trains on another mixture than the promised one.",
    "by_group": "The weights of this export are not spent, since each document lies once in the "
    "folder of its group: who reads the folders without the weights in `trainers/` trains on the "
    "supply, and not on the promised mixture.",
}
"""What an export is, by its layout, and what goes wrong if it is read as the other."""


@dataclass(frozen=True)
class Shards:
    """What is said of the shards of each part that has some, and of their content.

    Beside what the manifest says of a shard, `size` are its tokens as the budget counts.
    """

    by_part: Mapping[int, list[dict[str, Any]]]
    content_sha256: str
    validation_sha256: str


@dataclass(frozen=True)
class Written:
    """What was written: the shards, the labels of their lines, and how they are laid out.

    `largest` is the longest candidate of each sequence, in tokens as the budget counts them.
    `media` is what the manifest says of media, empty without any.
    """

    shards: Shards
    labels: LabelCounts
    layout: Layout
    largest: Mapping[int, int]
    media: Mapping[str, Any] = field(default_factory=dict)

    @property
    def files(self) -> list[dict[str, Any]]:
        """The entries of all shards to train on, in order."""
        return [file for part, files in self._by_part() for file in self._told(part, files)]

    @property
    def validation(self) -> list[dict[str, Any]]:
        """The entries of the shards of the holdout."""
        return [
            _without_size(file)
            for number, files in self.shards.by_part.items()
            for file in files
            if self.layout.parts[number].is_validation
        ]

    def of_phase(self, name: str) -> list[dict[str, Any]]:
        """The entries of the shards of a phase."""
        return [file for part, files in self._by_part() for file in files if part.phase == name]

    def _by_part(self) -> Iterator[tuple[Part, list[dict[str, Any]]]]:
        for number, files in self.shards.by_part.items():
            if not self.layout.parts[number].is_validation:
                yield self.layout.parts[number], files

    def _told(self, part: Part, files: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        about = {"phase": part.phase, "group": part.group} if part.group is not None else {}
        known = {name: value for name, value in about.items() if value is not None}
        yield from (_without_size(file) | known for file in files)


def _without_size(file: Mapping[str, Any]) -> dict[str, Any]:
    """What the manifest says of a shard: its tokens as the budget counts are those of its group."""
    return {name: value for name, value in file.items() if name != "size"}


def entry(path: Path, name: str, documents: int, tokens: int) -> dict[str, Any]:
    """What the manifest says of one shard; `tokens` are those of its documents."""
    return {
        "path": name,
        "documents": documents,
        "tokens": tokens,
        "sha256": storage.sha256_of(path),
    }


def manifest_of(
    workspace: Workspace,
    spec: ExportSpec,
    written: Written,
    asked: Iterable[Asked],
    format: Mapping[str, Any],
) -> dict[str, Any]:
    """The manifest; `asked` are the questions whose labels the lines have, `format` tells theirs.

    `phases`, `validation`, `media`, `earlier`, `budget_tokenizer` and `extra_tokens` stand in it
    only where an export has them. Raises DataError where an earlier part, or the budget of a phase,
    is not there.
    """
    mix = workspace.tables.made("mix")
    phases = written.layout.phases
    return {
        "about": LAYOUTS[spec.layout],
        "layout": spec.layout,
        **format,
        "files": written.files,
        **({"validation": _validation(written)} if written.validation else {}),
        **({"media": dict(written.media)} if written.media else {}),
        **({"phases": list(_phases(workspace, written))} if phases else {}),
        "groups": list(_groups(workspace, written)),
        "labels": [
            {"question": question.name, "kind": question.kind}
            | {name: written.labels[question.name, name] for name in BY}
            for question in asked
        ],
        **_counting(workspace),
        "budget": mix.facts["budget"],
        "max_epochs": most_epochs(mix.spec),
        "seed": mix.spec.get("seed"),
        **_earlier(workspace),
        "content_sha256": written.shards.content_sha256,
        "made_of": made_of(workspace),
        "curate_version": __version__,
    }


def _validation(written: Written) -> dict[str, Any]:
    """What the manifest says of the holdout."""
    files = written.validation
    return {
        "files": files,
        "documents": sum(file["documents"] for file in files),
        "tokens": sum(file["tokens"] for file in files),
        "content_sha256": written.shards.validation_sha256,
    }


def _groups(workspace: Workspace, written: Written) -> Iterator[dict[str, Any]]:
    """Yield what the manifest says of each group.

    `longest` are the tokens of its longest candidate, drawn or not, as the budget counts them. By
    group it also names the folder and what lies there: `stored_tokens` as the pool counts,
    `stored_size` as the budget does.
    """
    layout = written.layout
    names = ("group", *(("phase",) if layout.phases else ()), *SHARES, *COUNTS, "bound")
    sequences = {pair: number for number, pair in enumerate(zip(*layout.names(), strict=True))}
    for group in workspace.tables.read("groups", names).to_pylist():
        number = sequences[group.get("phase"), group["group"]]
        yield {**group, "longest": written.largest.get(number, 0), **_folder(written, number)}


def _folder(written: Written, number: int) -> dict[str, Any]:
    """Where a group lies, in a layout by group; a group without documents has no shards."""
    part = written.layout.parts[number] if written.layout.by_group else Part()
    files = written.shards.by_part.get(number, [])
    if not part.folder:
        return {}
    return {
        "folder": part.folder,
        "stored_documents": sum(file["documents"] for file in files),
        "stored_tokens": sum(file["tokens"] for file in files),
        "stored_size": sum(file["size"] for file in files),
    }


def _phases(workspace: Workspace, written: Written) -> Iterator[dict[str, Any]]:
    """Yield what the manifest says of each phase; its tokens are as the pool counts.

    Raises DataError where the mixture was made before phases told their budgets.
    """
    phases = workspace.tables.made("mix").facts.get("phases")
    if phases is None:
        raise DataError(
            "the mixture does not say the budgets of its phases", hint="run `curate mix` again"
        )
    for phase in phases:
        files = written.of_phase(phase["name"])
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


def tokenizers_of(workspace: Workspace) -> tuple[str, str]:
    """The tokenizers of the pool and of the budget; files by their whole path."""
    own = str(workspace.tables.made("pool").facts["tokenizer"])
    name = workspace.tables.made("mix").spec.get("tokenizer") or own
    is_file = name.endswith(".json")
    return own, str(workspace.path(name).resolve()) if is_file else name


def tokenizer_files(workspace: Workspace) -> dict[str, str]:
    """The tokenizers that are copied beside the shards: the name there, and the path."""
    own, budgets = tokenizers_of(workspace)
    files = {POOL_TOKENIZER: own, **({BUDGET_TOKENIZER: budgets} if budgets != own else {})}
    return {name: path for name, path in files.items() if path.endswith(".json")}


def _counting(workspace: Workspace) -> dict[str, Any]:
    """How the pool counts tokens and, where that differs, how the budget does; those of media."""
    own, budgets = tokenizers_of(workspace)
    extra = workspace.tables.made("mix").spec.get("extra_tokens", 0)
    told: dict[str, Any] = {"tokenizer": POOL_TOKENIZER if own.endswith(".json") else own}
    if budgets != own:
        told["budget_tokenizer"] = BUDGET_TOKENIZER if budgets.endswith(".json") else budgets
    of_media = workspace.tables.made("pool").spec.get("media_tokens")
    told |= {"media_tokens": of_media} if of_media else {}
    unit = workspace.tables.made("mix").facts.get("unit", "tokens")
    told |= {"budget_unit": unit} if unit != "tokens" else {}
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
