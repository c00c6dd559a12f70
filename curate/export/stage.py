"""Run `export`: the shards, what lies beside them, and the manifest last."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curate import __version__, storage, yamls
from curate.errors import DataError
from curate.export import order, spilling
from curate.export.card import write_documents
from curate.export.documents import Reader
from curate.export.drawn import Count, Drawn, bins_for, has_scores, read_drawn, shards_of
from curate.export.draws import DRAW, draw_schema, write_draw
from curate.export.extras import Extras
from curate.export.formats import Format
from curate.export.formats.lines import columns_shown
from curate.export.formatting import about_format, format_of
from curate.export.given import MISSING, Given
from curate.export.holding import HELD_OUT
from curate.export.manifest import Written, manifest_of, tokenizer_files
from curate.export.media.beside import CopyMedia
from curate.export.media.bringing import Bringing
from curate.export.media.telling import check_format, told
from curate.export.order import Plan, find_edges
from curate.export.originals import find_originals
from curate.export.parts import Layout
from curate.export.spec import ExportSpec
from curate.export.spilling import Spill, SpillCounts, spill_schema, spilled
from curate.export.sums import SUMS, write_manifest, write_sums
from curate.export.timing import write_keys
from curate.export.trainers import trainer_files
from curate.export.writing import WriteUnit, draw_path, write_shards
from curate.rounds import Round
from curate.stage import Cost, Stage, if_mixed
from curate.tokens import number_of
from curate.walking import files_below
from curate.warning import StageWarning, warn
from curate.workspace import Workspace
from curate.workspace.documents import DocumentShard

if TYPE_CHECKING:
    import pyarrow as pa

READS = ("pool", "clean", "scores", "labels", "mix", "groups")
WRITES = ("export",)


@dataclass(frozen=True)
class ExportResult:
    """What was written; `folder` is relative to the workspace.

    `sums_sha256` is the sum of SHA256SUMS, for `curate verify --against`.
    """

    folder: str
    files: int
    documents: int
    tokens: int
    content_sha256: str
    sums_sha256: str = ""
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


def run(workspace: Workspace, spec: ExportSpec, given: Given | None = None) -> ExportResult:
    """Write the drawn documents. The manifest comes last: where it is, the export is whole.

    Their order is that of `spec`, or one that is given. An export that was killed goes on where it
    stopped. Raises DataError where mix or scores are not of the documents that `clean` keeps, or
    nothing is drawn.
    """
    workspace.tables.require("mix", "groups")
    shards = shards_of(workspace)
    layout = Layout.of(workspace, spec)
    about, extras = about_format(workspace, spec), Extras.of(workspace, spec)
    with _workshop(workspace, spec) as workshop:
        bring = Bringing(workspace.path("."), workshop.places)
        format = format_of(workspace, spec, bring)
        bins = bins_for(_drawn_lines(workspace))
        count = Count(workshop.keys, spec.seed, layout, bins)
        drawn = read_drawn(workspace, shards, count)
        if not sum(drawn.training(layout).values()):
            raise DataError("the mixture draws no document", hint="run `curate mix` again")
        plan = _order(workspace, spec, shards, drawn, layout, workshop, given)
        if spec.original:
            found = find_originals(workspace, shards, layout, workshop.originals)
            extras = replace(extras, originals=found)
        reader = Reader.of(workspace, layout, extras, has_labels=spec.format != "tokens")
        copy = CopyMedia(bring, workshop.folder) if format.media == "beside" else None
        spills = _spill(workspace, spec, shards, drawn, plan, reader, format, workshop)
        written = _write_shards(
            workspace, spec, spills, drawn, plan, reader, format, copy, workshop
        )
        manifest = manifest_of(workspace, spec, written, reader.asked, about)
        format.beside(workshop.folder, manifest, reader.schema)
        recipe = effective_recipe(workspace, spec) if given is None else given.recipe
        if given is not None and given.missing:
            storage.write_text(workshop.folder / MISSING, given.missing)
        shown = columns_shown(format.shown(reader.schema))
        _write_beside(workspace, recipe, workshop.folder, drawn, manifest, shown)
        storage.remove(workshop.units)  # its marks tell of shards that are about to move
        storage.swap(workshop.folder, workspace.root / "export")
    return ExportResult(
        folder="export",
        files=len(written.files) + len(written.validation),
        documents=sum(file["documents"] for file in written.files),
        tokens=sum(file["tokens"] for file in written.files),
        content_sha256=manifest["content_sha256"],
        sums_sha256=storage.sha256_of(workspace.root / "export" / SUMS),
        warnings=_doubts(workspace),
    )


def _drawn_lines(workspace: Workspace) -> int:
    import pyarrow.compute as pc

    return int(pc.sum(workspace.tables.read("groups", ["documents"])["documents"]).as_py())


def _doubts(workspace: Workspace) -> tuple[StageWarning, ...]:
    """What the export was not made of, although it is there."""
    newer = workspace.freshness.newer_answers("export")
    if has_scores(workspace) or not workspace.tables.stored("scores"):
        return newer
    words = "scores are left out: the mixture was made without them (`curate mix` uses them)"
    return (*newer, warn("export.left_out", words, table="scores"))


@dataclass(frozen=True)
class _Workshop:
    """Where an export is made: the folder that will be `export`, and those of scratch files."""

    folder: Path
    keys: Path
    spills: Path
    units: Path
    originals: Path
    places: Path


@dataclass(frozen=True)
class _Spills:
    """The files of spilled lines, their columns, and what they hold."""

    paths: tuple[Path, ...]
    schema: pa.Schema
    counts: SpillCounts


FOLDERS = ("export", "keys", "spills", "units", "originals", "places")
"""The names of a workshop's folders."""


@contextmanager
def _workshop(workspace: Workspace, spec: ExportSpec) -> Iterator[_Workshop]:
    """Yield the folders of this export, with what a killed run of it left; others are removed.

    Its scratch files are removed at the end, unless it did not come so far.
    """
    building = workspace.root / ".building"
    cuts = (order.PIECE_BYTES, spilling.SPILLS)
    identity = [spec.settings(), inputs(workspace, spec), cuts, __version__]
    scratch = building / f"export-{storage.digest(identity)[:12]}"
    for other in building.glob("export*"):
        if other != scratch:
            storage.remove(other)
    workshop = _Workshop(*(scratch / name for name in FOLDERS))
    for folder in vars(workshop).values():
        folder.mkdir(parents=True, exist_ok=True)
    yield workshop
    storage.remove(scratch)


def _order(
    workspace: Workspace,
    spec: ExportSpec,
    shards: Sequence[DocumentShard],
    drawn: Drawn,
    layout: Layout,
    workshop: _Workshop,
    given: Given | None,
) -> Plan:
    """Write the keys of all lines; how these are cut into shards."""
    numbers = [shard.number for shard in shards]
    if given is not None:
        given.write_keys(workspace.engine, workshop.keys, numbers, layout)
        return given.plan(layout, drawn)
    bins = bins_for(_drawn_lines(workspace))
    write_keys(workspace.engine, workshop.keys, numbers, layout, drawn, spec.seed, bins)
    return Plan.of(list(_planned(spec, layout, drawn)))


def _spill(
    workspace: Workspace,
    spec: ExportSpec,
    shards: Sequence[DocumentShard],
    drawn: Drawn,
    plan: Plan,
    reader: Reader,
    format: Format,
    workshop: _Workshop,
) -> _Spills:
    """Read every document once. DataError where the format cannot hold the media of some."""
    edges = find_edges(workshop.keys, [shard.number for shard in shards], plan.starts[1:])
    spills = spilled(shards, workshop.spills)
    spill = Spill(reader, workshop.keys, edges, spill_schema(reader.schema, reader.layout))
    total = SpillCounts()
    with workspace.watch("reading", drawn.lines.total()) as advance:
        for _, counts in workspace.engine.each(spill, spills):
            advance(counts.lines)
            total.add(counts)
    check_format(format, spec, total.media)
    return _Spills(tuple(path for _, path in spills), spill.schema, total)


def _write_shards(
    workspace: Workspace,
    spec: ExportSpec,
    spills: _Spills,
    drawn: Drawn,
    plan: Plan,
    reader: Reader,
    format: Format,
    copy: CopyMedia | None,
    workshop: _Workshop,
) -> Written:
    """Write all shards."""
    layout = reader.layout
    write = WriteUnit(
        spills=spills.paths,
        spilled=spills.schema,
        lines=reader.schema,
        draw=draw_schema(layout),
        pieces=len(plan.starts),
        parts=layout.parts,
        folder=workshop.folder,
        scratch=workshop.units,
        format=format,
        media=copy if spills.counts.media else None,
    )
    written = write_shards(workspace, write, plan.units, drawn.lines.total())
    trained = [unit for unit in plan.units if not layout.parts[unit.part].is_validation]
    rows = (draw_path(workshop.units, unit) for unit in trained)
    write_draw(rows, write.draw, workshop.folder / DRAW)
    if spec.format == "tokens" and len(trained) < len(plan.units):
        held = (draw_path(workshop.units, unit) for unit in plan.units if unit not in trained)
        write_draw(held, write.draw, workshop.folder / HELD_OUT)
    media = told(spills.counts.media, workshop.folder, workshop.places)
    return Written(written, spills.counts.labels, layout, drawn.largest, media)


def _planned(
    spec: ExportSpec, layout: Layout, drawn: Drawn
) -> Iterator[tuple[int, int, int, int, int]]:
    """Yield each part with lines: number, lines, tokens, number of the first shard, and of shards.

    Phases in one folder are numbered one after the other.
    """
    total = sum(drawn.training(layout).values())
    first = 0
    for number, part in enumerate(layout.parts):
        lines, tokens = drawn.lines[number], drawn.tokens[number]
        if lines:
            shards = min(lines, shards_for(spec, lines, tokens, total))
            in_folder = first if not part.folder and not part.is_validation else 0
            yield number, lines, tokens, in_folder, shards
            first += shards


def shards_for(spec: ExportSpec, lines: int, tokens: int, total: int) -> int:
    """The number of shards of a part with so many lines and tokens, of `total` lines in all."""
    if spec.shards is not None:
        return max(1, round(spec.shards * lines / total))
    if spec.shard_tokens is not None:
        return max(1, round(tokens / number_of(spec.shard_tokens)))
    return -(-lines // spec.shard_documents)


def _write_beside(
    workspace: Workspace,
    recipe: Mapping[str, Any],
    folder: Path,
    drawn: Drawn,
    manifest: dict[str, Any],
    schema: pa.Schema,
) -> None:
    """Write inputs, recipe, tokenizer, documents, checksums and, last, the manifest."""
    pool = workspace.tables.made("pool")
    storage.write_json(folder / "inputs.json", list(pool.facts["files"]))
    storage.write_text(folder / "recipe.yaml", yamls.text_of(recipe))
    for name, path in tokenizer_files(workspace).items():
        shutil.copyfile(path, folder / name)
    for name, text in trainer_files(manifest):
        storage.write_text(folder / name, text)
    write_documents(workspace, folder, manifest, drawn, schema)
    validation = manifest.get("validation", {}).get("files", ())
    known = {file["path"]: file["sha256"] for file in (*manifest["files"], *validation)}
    names = sorted(path.relative_to(folder).as_posix() for path in _files(folder))
    write_sums(folder, names, known)
    write_manifest(folder, manifest)


def _files(folder: Path) -> Iterator[Path]:
    """Yield all files but the two that are written last; what a killed run left is removed."""
    for leftover in storage.leftovers(folder):
        leftover.unlink()
    last = {folder / "SHA256SUMS", folder / "manifest.json"}
    yield from (path for path in files_below(folder) if path not in last)


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
