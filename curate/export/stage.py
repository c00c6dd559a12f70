"""Run `export`: the shards, what lies beside them, and the manifest last."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curate import storage, yamls
from curate.errors import DataError
from curate.export.card import dataset_card
from curate.export.documents import Reader
from curate.export.drawn import Drawn, has_scores, read_drawn, shards_of, write_draw
from curate.export.labels import LabelCounts
from curate.export.manifest import Written, manifest_of, tokenizer_files
from curate.export.order import Plan, find_edges
from curate.export.spec import ExportSpec
from curate.export.spilling import Spill, spill_schema, spilled
from curate.export.writing import WriteUnit, write_shards
from curate.rounds import Round
from curate.stage import Cost, Stage, if_mixed
from curate.warning import StageWarning, warn
from curate.workspace import Workspace
from curate.workspace.documents import DocumentShard

if TYPE_CHECKING:
    import pyarrow as pa

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
    warnings: tuple[StageWarning, ...] = ()


def needed(workspace: Workspace, spec: ExportSpec) -> tuple[str, ...]:
    """The tables of an export: scores only if the mixture was made with them.

    Of outdated scores the mixture is to be made again first, perhaps without them.
    """
    is_scored = has_scores(workspace) and not workspace.freshness.outdated("scores")
    scores = ("scores",) if is_scored else ()
    return ("pool", "clean", *scores, "mix", "groups")


def inputs(workspace: Workspace, spec: ExportSpec) -> dict[str, str | None]:
    """The fingerprints of what an export is made of: tables, and the recipe written beside them."""
    fingerprints = workspace.tables.fingerprints((*needed(workspace, spec), "labels"))
    if fingerprints["mix"] is not None:
        fingerprints["recipe"] = storage.digest(effective_recipe(workspace, spec))
    return fingerprints


def run(workspace: Workspace, spec: ExportSpec) -> ExportResult:
    """Write the drawn documents. The manifest comes last: where it is, the export is whole.

    Raises DataError where mix or scores are not of the documents that `clean` keeps, or nothing is
    drawn.
    """
    workspace.tables.require("mix", "groups")
    shards = shards_of(workspace)
    with _workshop(workspace) as workshop:
        drawn = read_drawn(workspace, shards, spec.seed, workshop.keys)
        if not drawn.lines.total():
            raise DataError("the mixture draws no document", hint="run `curate mix` again")
        reader = Reader.of(workspace)
        written = _write_shards(workspace, spec, shards, drawn, reader, workshop)
        manifest = manifest_of(workspace, spec, written, reader.asked)
        _write_beside(workspace, spec, workshop.folder, shards, drawn, manifest, reader.schema)
        storage.swap(workshop.folder, workspace.root / "export")
    return ExportResult(
        folder="export",
        files=len(written.files),
        documents=drawn.lines.total(),
        tokens=drawn.tokens.total(),
        content_sha256=written.content_sha256,
        warnings=_doubts(workspace),
    )


def _doubts(workspace: Workspace) -> tuple[StageWarning, ...]:
    """What the export was not made of, although it is there."""
    newer = workspace.freshness.newer_answers("export")
    if has_scores(workspace) or not workspace.tables.stored("scores"):
        return newer
    words = "scores are left out: the mixture was made without them (`curate mix` uses them)"
    return (*newer, warn("export.left_out", words, table="scores"))


@dataclass(frozen=True)
class _Workshop:
    """Where an export is made: the folder that will be `export`, and three for scratch files."""

    folder: Path
    keys: Path
    spills: Path
    contents: Path


@contextmanager
def _workshop(workspace: Workspace) -> Iterator[_Workshop]:
    """Yield empty folders; what a killed export left is removed, and scratch files at the end."""
    building = workspace.root / ".building"
    scratch = building / "export-scratch"
    workshop = _Workshop(
        building / "export", scratch / "keys", scratch / "spills", scratch / "contents"
    )
    for folder in (workshop.folder, scratch):
        shutil.rmtree(folder, ignore_errors=True)
    for folder in (workshop.folder, workshop.keys, workshop.spills, workshop.contents):
        folder.mkdir(parents=True)
    try:
        yield workshop
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _write_shards(
    workspace: Workspace,
    spec: ExportSpec,
    shards: Sequence[DocumentShard],
    drawn: Drawn,
    reader: Reader,
    workshop: _Workshop,
) -> Written:
    """Read every document once and write all shards."""
    parts = [
        (name, drawn.lines[number], drawn.tokens[number])
        for number, name in enumerate(reader.phases.parts)
    ]
    plan = Plan.of_parts(parts, spec.shard_documents)
    numbers = [shard.number for shard in shards]
    edges = find_edges(workshop.keys, numbers, plan.starts[1:])
    spills = spilled(shards, workshop.spills)
    spill = Spill(reader, workshop.keys, edges, spill_schema(reader.schema))
    labels = LabelCounts()
    lines = drawn.lines.total()
    with workspace.watch("reading", lines) as advance:
        for _, (read, counts) in workspace.engine.each(spill, spills):
            advance(read)
            labels.update(counts)
    write = WriteUnit(
        spills=tuple(path for _, path in spills),
        schema=reader.schema,
        pieces=len(plan.starts),
        folder=workshop.folder,
        contents=workshop.contents,
        format=spec.format,
        shard_lines=spec.shard_documents,
    )
    files, content = write_shards(workspace, write, plan.units, lines)
    return Written(files, content, labels)


def _write_beside(
    workspace: Workspace,
    spec: ExportSpec,
    folder: Path,
    shards: Sequence[DocumentShard],
    drawn: Drawn,
    manifest: dict[str, Any],
    schema: pa.Schema,
) -> None:
    """Write draw, inputs, recipe, tokenizer, card, checksums and, last, the manifest."""
    pool = workspace.tables.made("pool")
    write_draw(workspace, shards, folder / "draw.parquet")
    storage.write_json(folder / "inputs.json", list(pool.facts["files"]))
    recipe = yamls.text_of(effective_recipe(workspace, spec))
    storage.write_text(folder / "recipe.yaml", recipe)
    for name, path in tokenizer_files(workspace).items():
        shutil.copyfile(path, folder / name)
    storage.write_text(folder / "README.md", dataset_card(workspace, manifest, drawn, schema))
    known = {file["path"]: file["sha256"] for file in manifest["files"]}
    paths = sorted(folder.iterdir())
    sums = (f"{known.get(path.name) or storage.sha256_of(path)}  {path.name}\n" for path in paths)
    storage.write_text(folder / "SHA256SUMS", "".join(sums))
    storage.write_json(folder / "manifest.json", manifest)


def effective_recipe(workspace: Workspace, spec: ExportSpec) -> dict[str, Any]:
    """The settings that made this export, as a recipe with all defaults written out."""
    recipe: dict[str, Any] = {}
    for stage in ("pool", "clean"):
        recipe[stage] = dict(workspace.tables.made(stage).spec)
    asked = _last_asked(workspace)
    if asked is not None:
        recipe["sample"], recipe["push"] = asked.spec["sample"], asked.sent["spec"]
    score = (("score", "scores"),) if has_scores(workspace) else ()
    for stage, table in (("agree", "labels"), *score, ("mix", "mix")):
        stored = workspace.tables.stored(table)
        if stored:
            recipe[stage] = dict(stored.made.spec)
    recipe["export"] = spec.settings()
    return recipe


def _last_asked(workspace: Workspace) -> Round | None:
    """The last round that people were asked in and of which the labels are; None without any."""
    labels = workspace.tables.stored("labels")
    rounds = [round for round in workspace.rounds.asking() if round.push]
    if labels is not None and "rounds" in labels.made.facts:
        rounds = [round for round in rounds if round.number in labels.made.facts["rounds"]]
    return rounds[-1] if rounds else None


STAGE = Stage(
    name="export",
    spec=ExportSpec,
    run=run,
    reads=READS,
    writes=WRITES,
    examples=("curate export --format parquet",),
    takes_part=if_mixed,
    needs=needed,
    inputs=inputs,
    bulk=True,
    cost=Cost(run, writes="export", spills=True),
)
