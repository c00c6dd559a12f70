"""Write the mixture for training: shuffled shards, labels beside the text, manifest last.

    mix · groups · labels · scores ──export──▶ export/

Weights are spent: the shards are read once, in order.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from curate import __version__, chance, storage, tables
from curate.errors import DataError
from curate.export.card import dataset_card
from curate.spec import Spec
from curate.views import View
from curate.workspace import Workspace

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

READS = ("pool", "clean", "scores", "labels", "mix", "groups")
WRITES = ("export",)

Document = dict[str, Any]


class ExportSpec(Spec):
    """How the mixture is written."""

    format: Annotated[Literal["jsonl", "parquet"], Field(description="Of the shards.")] = "jsonl"
    layout: Annotated[
        Literal["mixed"], Field(description="`mixed`: drawn and shuffled, to read in order.")
    ] = "mixed"
    shard_documents: Annotated[int, Field(ge=1, description="Documents in a shard.")] = 50_000
    seed: Annotated[int, Field(description="Seed of the shuffle.")] = 0


@dataclass(frozen=True)
class ExportResult:
    """What was written."""

    folder: str
    files: int
    documents: int
    tokens: int
    content_sha256: str


def inputs(workspace: Workspace, spec: ExportSpec) -> dict[str, str | None]:
    """Return what an export is made of: tables, and the settings that it records beside them."""
    found = workspace.inputs(READS)
    if found["mix"] is not None:
        found["recipe"] = storage.digest(effective_recipe(workspace, spec))
    return found


def run(workspace: Workspace, spec: ExportSpec) -> ExportResult:
    """Write the drawn documents; the manifest comes last, so that its presence means whole."""
    workspace.require("mix", "groups")
    draw = _draw(workspace)
    order = shuffled(draw, spec.seed)
    labels = _labels(workspace, set(draw["id"]))
    folder = workspace.root / ".building" / "export"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    content = sha256()
    files = []
    with workspace.watch("exporting", len(order)) as advance:
        for number, start in enumerate(range(0, max(1, len(order)), spec.shard_documents)):
            part = order[start : start + spec.shard_documents]
            documents = list(_documents(workspace, part, draw, labels))
            path = folder / f"data-{number:05}.{spec.format}"
            _write(path, documents)
            for document in documents:
                content.update(content_line(document))
            tokens = sum(int(draw["tokens"][id]) for id, _ in part)
            files.append(_entry(path, len(documents), tokens))
            advance(len(documents))
    manifest = _manifest(workspace, spec, files, content.hexdigest())
    _write_beside(workspace, spec, folder, draw, manifest)
    storage.swap(folder, workspace.root / "export")
    return ExportResult(
        folder="export",
        files=len(files),
        documents=sum(file["documents"] for file in files),
        tokens=sum(file["tokens"] for file in files),
        content_sha256=content.hexdigest(),
    )


def content_line(document: Mapping[str, Any]) -> bytes:
    """Return what a document adds to the manifest's `content_sha256`."""
    content = [document["id"], document["copy"], document["text"]]
    return json.dumps(content, ensure_ascii=False).encode() + b"\n"


def shuffled(draw: pd.DataFrame, seed: int) -> list[tuple[str, int]]:
    """Return (id, copy number from 1) of every line, in the order of hash(id, copy, seed)."""
    import numpy as np

    drawn = draw[draw["copies"] > 0]
    pairs = [
        (id, copy)
        for id, n in zip(drawn["id"], drawn["copies"], strict=True)
        for copy in range(1, n + 1)
    ]
    noise = chance.uniform((f"{id} {copy}" for id, copy in pairs), seed, "shuffle")
    return [pairs[place] for place in np.argsort(noise, kind="stable")]


def _draw(workspace: Workspace) -> pd.DataFrame:
    mix = workspace.read("mix").to_pandas()
    tokens = workspace.document_table(("id", "source", "tokens")).to_pandas()
    draw: pd.DataFrame = mix.merge(tokens, on="id", validate="one_to_one")
    if len(draw) < len(mix):
        raise DataError("the mixture is not of what `clean` keeps", hint="run `curate mix` again")
    if workspace.stored("scores"):
        quality = workspace.read("scores", ["id", "quality"]).to_pandas()
        draw = draw.merge(quality, on="id", how="left")
    else:
        draw["quality"] = float("nan")
    return draw.set_index("id", drop=False)


def _labels(workspace: Workspace, ids: set[str]) -> dict[str, dict[str, Any]]:
    """Return id → question → {value, posterior, by}: people's labels, else a model's."""
    found: dict[str, dict[str, Any]] = {}
    scores = workspace.stored("scores")
    if scores:
        facts = scores.made.facts
        question, values = facts["question"], facts["values"]
        column, read = tables.predicted(question), float if facts.get("kind") == "rating" else str
        columns = [f"{question}:{value}" for value in values]
        table = workspace.read("scores", ["id", column, *columns])
        for row in table.to_pylist():
            if row["id"] in ids:
                posterior = dict(zip(values, (round(row[c], 6) for c in columns), strict=True))
                label = {"value": read(row[column]), "posterior": posterior, "by": "model"}
                found[row["id"]] = {question: label}
    if workspace.stored("labels"):
        for row in workspace.read("labels").to_pylist():
            if row["id"] in ids:
                label = {
                    "value": json.loads(row["value"]),
                    "posterior": json.loads(row["posterior"]),
                    "by": "people",
                }
                found.setdefault(row["id"], {})[row["question"]] = label
    return found


def _documents(
    workspace: Workspace,
    part: list[tuple[str, int]],
    draw: pd.DataFrame,
    labels: Mapping[str, dict[str, Any]],
) -> Iterator[Document]:
    """Yield the documents of one shard, in its order."""
    import pyarrow as pa
    import pyarrow.compute as pc

    wanted = pa.array(sorted({id for id, _ in part}), pa.string())
    columns = ("id", "text", "source", "license", "fields", "edits")
    found = {}
    for table in workspace.documents(columns):
        for row in table.filter(pc.is_in(table["id"], wanted)).to_pylist():
            found[row["id"]] = row
    edited = [id for id, row in found.items() if row["edits"] or row["fields"]]
    shown = workspace.find_views(edited) if edited else {}
    groups, quality = draw["group"].to_dict(), draw["quality"].to_dict()
    for id, copy in part:
        row = found[id]
        document: Document = {
            "id": id,
            "text": row["text"],
            "source": row["source"],
            "group": groups[id],
            "copy": copy,
            "license": row["license"],
            "quality": None if isnan(quality[id]) else round(float(quality[id]), 6),
            "labels": labels.get(id, {}),
        }
        if row["fields"]:
            document["fields"] = dict(shown[id].fields)
        if row["edits"]:
            document["edited"] = True
            document["labels"] = _placed(document["labels"], shown[id])
        yield document


def _placed(labels: Mapping[str, Any], view: View) -> dict[str, Any]:
    """Return labels with their spans where the edited text has them.

    A span of which an edit took a part has no place there: it is left out, and `unplaced` says how
    many are.
    """
    placed: dict[str, Any] = {}
    for question, label in labels.items():
        value = label["value"]
        if isinstance(value, list) and value and isinstance(value[0], dict):
            spans = [moved for span in value if (moved := view.shown_span(span))]
            label = {**label, "value": spans}
            if len(spans) < len(value):
                label["unplaced"] = len(value) - len(spans)
        placed[question] = label
    return placed


def _write(path: Path, documents: Iterable[Document]) -> None:
    if path.suffix == ".jsonl":
        with path.open("w", encoding="utf-8") as file:
            file.writelines(json.dumps(each, ensure_ascii=False) + "\n" for each in documents)
        return
    storage.write_parquet(path, _as_table(documents))


def _as_table(documents: Iterable[Document]) -> pa.Table:
    """Return documents as columns; labels and fields are JSON, since their keys differ."""
    import pyarrow as pa

    schema = pa.schema(
        [
            *((name, pa.string()) for name in ("id", "text", "source", "group", "license")),
            ("copy", pa.int32()),
            ("quality", pa.float64()),
            ("labels", pa.string()),
            ("fields", pa.string()),
            ("edited", pa.bool_()),
        ]
    )
    rows = [
        {
            **document,
            "labels": json.dumps(document["labels"], ensure_ascii=False),
            "fields": json.dumps(document["fields"], ensure_ascii=False)
            if "fields" in document
            else None,
        }
        for document in documents
    ]
    return pa.Table.from_pylist(rows, schema=schema)


def _entry(path: Path, documents: int, tokens: int) -> dict[str, Any]:
    return {
        "path": path.name,
        "documents": documents,
        "tokens": tokens,
        "sha256": storage.sha256_of(path),
    }


def _manifest(
    workspace: Workspace, spec: ExportSpec, files: list[dict[str, Any]], content: str
) -> dict[str, Any]:
    mix, pool = workspace.made("mix"), workspace.made("pool")
    names = (
        *("group", "wanted", "promised", "realised", "expected", "tokens", "documents", "epochs"),
        *("low", "high", "bound"),
    )
    tokenizer = str(pool.facts["tokenizer"])
    return {
        "files": files,
        "groups": workspace.read("groups", names).to_pylist(),
        "layout": spec.layout,
        "tokenizer": "tokenizer.json" if tokenizer.endswith(".json") else tokenizer,
        "budget": mix.facts["budget"],
        "max_epochs": mix.spec["max_epochs"],
        "seed": mix.spec["seed"],
        "content_sha256": content,
        "curate_version": __version__,
    }


def _write_beside(
    workspace: Workspace,
    spec: ExportSpec,
    folder: Path,
    draw: pd.DataFrame,
    manifest: dict[str, Any],
) -> None:
    import pyarrow as pa
    import yaml

    pool = workspace.made("pool")
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
    """Return the settings that made this export, defaults written out, as a recipe."""
    recipe: dict[str, Any] = {}
    for stage in ("pool", "clean"):
        recipe[stage] = dict(workspace.made(stage).spec)
    asked = [each for each in workspace.rounds if each.purpose != "import" and each.push]
    if asked:
        recipe["sample"], recipe["push"] = asked[-1].spec["sample"], asked[-1].push["spec"]
    for stage, table in (("agree", "labels"), ("score", "scores"), ("mix", "mix")):
        stored = workspace.stored(table)
        if stored:
            recipe[stage] = dict(stored.made.spec)
    recipe["export"] = spec.settings()
    return recipe
