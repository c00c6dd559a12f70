"""The two sides of a comparison: workspaces with a mixture, or exports, alone or in their place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from curate import storage, yamls
from curate.errors import DataError, MissingInput
from curate.export.made import TABLE_OF, made_of
from curate.names import absent
from curate.workspace import Workspace


@dataclass(frozen=True)
class Side:
    """One side: its name as a person wrote it, and what is read of it.

    `export` is the folder of an export. `workspace` knows the documents behind it: it is None for
    an export that does not lie in the workspace that it was made from, as it is now.
    """

    name: str
    export: Path | None
    workspace: Workspace | None

    @staticmethod
    def of(path: Path) -> Side:
        """The side at a path: a workspace, or an export.

        Raises MissingInput where neither is there, StaleInput for an outdated mixture.
        """
        folder = path.parent if path.name == "manifest.json" else path
        if (folder / "manifest.json").is_file() and (folder / "draw.parquet").is_file():
            return Side(str(path), folder, _home(folder))
        if not folder.is_dir():
            raise absent(f"diff: no folder {path}", path, kind=MissingInput)
        workspace = Workspace(folder)
        if not (folder / "workspace.json").is_file():
            hint = "name a workspace with a mixture, or an export"
            raise MissingInput(f"diff: {path} is neither a workspace nor an export", hint=hint)
        workspace.tables.require("pool", "clean", "mix", "groups")
        workspace.freshness.check("pool", "clean", "mix", "groups")
        return Side(str(path), None, workspace)

    @property
    def groups(self) -> list[Mapping[str, Any]]:
        """The groups: promised and realised shares, tokens as the budget counts, documents."""
        if self.export is not None:
            return list(self.manifest["groups"])
        assert self.workspace is not None
        return list(self.workspace.tables.read("groups", GROUPS).to_pylist())

    @property
    def manifest(self) -> Mapping[str, Any]:
        """The manifest of an export. Raises DataError for what is none."""
        assert self.export is not None
        manifest = storage.read_json(self.export / "manifest.json")
        if not isinstance(manifest, dict) or not isinstance(manifest.get("groups"), list):
            raise DataError(f"{self.name}: manifest.json is not that of an export")
        return manifest

    @property
    def tokenizer(self) -> str:
        """What counts the tokens of the pool."""
        if self.export is not None:
            return str(self.manifest.get("tokenizer"))
        assert self.workspace is not None
        own = str(self.workspace.tables.made("pool").facts["tokenizer"])
        return "tokenizer.json" if own.endswith(".json") else own

    @property
    def phases(self) -> tuple[str, ...]:
        """The names of the phases, in order; none where the mixture is one whole."""
        if self.export is not None:
            return tuple(str(phase["name"]) for phase in self.manifest.get("phases", ()))
        assert self.workspace is not None
        phases = self.workspace.tables.made("mix").spec.get("phases") or ()
        return tuple(str(phase["name"]) for phase in phases)

    @property
    def contents(self) -> dict[str, str | None]:
        """The digest of what each stage made, by stage, as far as it is known."""
        if self.export is not None:
            manifest = self.manifest
            made = dict(manifest.get("made_of", {}))
            return {**made, "export": manifest["content_sha256"]}
        assert self.workspace is not None
        return made_of(self.workspace)

    @property
    def settings(self) -> dict[str, Any]:
        """The settings of each stage, as a recipe."""
        if self.export is not None:
            path = self.export / "recipe.yaml"
            return dict(yamls.parse(path.read_bytes(), str(path))) if path.is_file() else {}
        assert self.workspace is not None
        stored = {stage: self.workspace.tables.stored(name) for stage, name in TABLE_OF.items()}
        return {stage: dict(own.made.spec) for stage, own in stored.items() if own is not None}


GROUPS = ("group", "phase", "promised", "realised", "tokens", "documents")


def _home(folder: Path) -> Workspace | None:
    """The workspace that an export was made from, if it lies there and nothing has changed."""
    root = folder.absolute().parent
    if folder.name != "export" or not (root / "workspace.json").is_file():
        return None
    workspace = Workspace(root)
    names = ("pool", "clean", "mix", "groups", "export")
    return workspace if workspace.freshness.fits(*names) else None
