"""Run `export`: the shards, what lies beside them, and the manifest last."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curate import storage
from curate.export.card import dataset_card
from curate.export.documents import content_line, read_documents, read_labels
from curate.export.formats import FORMATS
from curate.export.manifest import entry, manifest_of
from curate.export.order import read_draw, shuffled
from curate.export.spec import ExportSpec
from curate.stage import Stage, if_mixed
from curate.workspace import Workspace

if TYPE_CHECKING:
    import pandas as pd

READS = ("pool", "clean", "scores", "labels", "mix", "groups")
WRITES = ("export",)


@dataclass(frozen=True)
class ExportResult:
    """What was written; `folder` is relative to the workspace."""

    folder: str
    files: int
    documents: int
    tokens: int
    content_sha256: str


def inputs(workspace: Workspace, spec: ExportSpec) -> dict[str, str | None]:
    """The fingerprints of what an export is made of: tables, and the recipe written beside them."""
    fingerprints = workspace.tables.fingerprints(READS)
    if fingerprints["mix"] is not None:
        fingerprints["recipe"] = storage.digest(effective_recipe(workspace, spec))
    return fingerprints


def run(workspace: Workspace, spec: ExportSpec) -> ExportResult:
    """Write the drawn documents. The manifest comes last: where it is, the export is whole."""
    workspace.tables.require("mix", "groups")
    draw = read_draw(workspace)
    order = shuffled(draw, spec.seed)
    labels = read_labels(workspace, set(draw["id"]))
    folder = workspace.root / ".building" / "export"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    content = sha256()
    files = []
    with workspace.watch("exporting", len(order)) as advance:
        for number, start in enumerate(range(0, max(1, len(order)), spec.shard_documents)):
            part = order[start : start + spec.shard_documents]
            documents = list(read_documents(workspace, part, draw, labels))
            path = folder / f"data-{number:05}.{spec.format}"
            FORMATS[spec.format].write(path, documents)
            for document in documents:
                content.update(content_line(document))
            tokens = sum(int(draw["tokens"][id]) for id, _ in part)
            files.append(entry(path, len(documents), tokens))
            advance(len(documents))
    manifest = manifest_of(workspace, spec, files, content.hexdigest())
    _write_beside(workspace, spec, folder, draw, manifest)
    storage.swap(folder, workspace.root / "export")
    return ExportResult(
        folder="export",
        files=len(files),
        documents=sum(file["documents"] for file in files),
        tokens=sum(file["tokens"] for file in files),
        content_sha256=content.hexdigest(),
    )


def _write_beside(
    workspace: Workspace,
    spec: ExportSpec,
    folder: Path,
    draw: pd.DataFrame,
    manifest: dict[str, Any],
) -> None:
    """Write draw, inputs, recipe, tokenizer, card, checksums and, last, the manifest."""
    import pyarrow as pa
    import yaml

    pool = workspace.tables.made("pool")
    columns = ["id", "source", "group", "bucket", "tokens", "quality", "weight", "copies"]
    table = pa.Table.from_pandas(draw[columns].reset_index(drop=True), preserve_index=False)
    storage.write_parquet(folder / "draw.parquet", table.replace_schema_metadata(None))
    storage.write_json(folder / "inputs.json", list(pool.facts["files"]))
    recipe = yaml.safe_dump(effective_recipe(workspace, spec), allow_unicode=True, sort_keys=False)
    storage.write_text(folder / "recipe.yaml", recipe)
    if manifest["tokenizer"] == "tokenizer.json":
        shutil.copyfile(pool.facts["tokenizer"], folder / "tokenizer.json")
    storage.write_text(folder / "README.md", dataset_card(workspace, manifest))
    sums = (f"{storage.sha256_of(path)}  {path.name}\n" for path in sorted(folder.iterdir()))
    storage.write_text(folder / "SHA256SUMS", "".join(sums))
    storage.write_json(folder / "manifest.json", manifest)


def effective_recipe(workspace: Workspace, spec: ExportSpec) -> dict[str, Any]:
    """The settings that made this export, as a recipe with all defaults written out."""
    recipe: dict[str, Any] = {}
    for stage in ("pool", "clean"):
        recipe[stage] = dict(workspace.tables.made(stage).spec)
    pushed = [
        round_ for round_ in workspace.rounds.all() if round_.purpose != "import" and round_.push
    ]
    if pushed:
        recipe["sample"], recipe["push"] = pushed[-1].spec["sample"], pushed[-1].sent["spec"]
    for stage, table in (("agree", "labels"), ("score", "scores"), ("mix", "mix")):
        stored = workspace.tables.stored(table)
        if stored:
            recipe[stage] = dict(stored.made.spec)
    recipe["export"] = spec.settings()
    return recipe


STAGE = Stage(
    name="export",
    spec=ExportSpec,
    run=run,
    reads=READS,
    writes=WRITES,
    examples=("curate export --format parquet",),
    takes_part=if_mixed,
    inputs=inputs,
)
