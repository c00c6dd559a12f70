"""What a run will take, told from a probe: time, disk and memory of each stage, before it runs.

A thousand documents from all over the sources go through the real stages in a folder that is thrown
away; the run's own folder is only read. Costs are linear in the documents, but for a fixed part
that a smaller probe tells apart. An estimate is good to within a factor of two.
"""

from __future__ import annotations

import json
import os
import tempfile
import time
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

from curate import tables
from curate.embed import embed
from curate.engine import Local
from curate.errors import DataError
from curate.pool.sources import Bad, File, Part, Row, SourceSpec, content, find, read
from curate.pool.spec import PoolSpec
from curate.pool.work import ROWS_PER_SHARD
from curate.run.recipe import Recipe
from curate.run.stages import run_stage, takes_part
from curate.workspace import Workspace

DOCUMENTS, WARM, EMBEDDED = 1000, 100, 64
FILES = 50
"""Over so many files are they spread, or over more where each holds few."""

SCRATCH = 1400
"""Bytes a document that near-duplicates take while they are looked for."""

COPIES_OF_A_SHARD = 8
"""How often a worker may hold the texts of its shard, in one form or another."""


@dataclass(frozen=True)
class StageEstimate:
    """What one stage takes; `scratch` is disk that it gives back."""

    stage: str
    seconds: float
    disk_mb: float
    scratch_mb: float


@dataclass(frozen=True)
class Estimate:
    """What a run takes: of about so many documents, told from those of a probe."""

    documents: int
    source_mb: float
    probed: int
    workers: int
    seconds: float
    disk_mb: float
    memory_mb: float
    stages: tuple[StageEstimate, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Probe:
    """Texts from all over the sources, and how many documents these hold by that account.

    `names` are the sources, and `sources` holds that of each text.
    """

    texts: tuple[str, ...]
    sources: tuple[str, ...]
    names: frozenset[str]
    documents: int
    bytes: int

    def first(self, n: int) -> Probe:
        """Return the probe with its first texts alone."""
        return replace(self, texts=self.texts[:n], sources=self.sources[:n])


def estimate(recipe: Recipe, workspace: Workspace) -> Estimate:
    """Return what the run of a recipe in a workspace will take; nothing is written there."""
    probe = probed(recipe.pool, workspace.root)
    workers = workspace.engine.workers
    with tempfile.TemporaryDirectory(prefix="curate-probe-") as folder:
        rates = _rates(recipe, workspace.root, Path(folder), probe)
    documents = max(1, round(probe.documents * recipe.pool.share))
    stages = tuple(rate.of(documents, workers) for rate in rates)
    held = sum(len(text.encode()) for text in probe.texts) / len(probe.texts)
    shard = COPIES_OF_A_SHARD * min(ROWS_PER_SHARD, documents) * held / 2**20
    return Estimate(
        documents=documents,
        source_mb=round(probe.bytes / 2**20, 1),
        probed=len(probe.texts),
        workers=workers,
        seconds=round(sum(stage.seconds for stage in stages), 1),
        disk_mb=round(sum(stage.disk_mb for stage in stages), 2),
        memory_mb=round(_resident() + workers * (_resident() + shard)),
        stages=stages,
        notes=tuple(_notes(recipe)),
    )


def _notes(recipe: Recipe) -> Iterator[str]:
    if any(source.database or source.dataset for source in recipe.pool.sources):
        yield f"a query or a hub does not say how much it holds: counted up to {DOCUMENTS:,} rows"
    if recipe.asks_people():
        yield "people's time, and the stages that only handle their answers, are not in it"
    yield "good to within a factor of two; other programs on this machine slow it down"


# ── the probe


def probed(spec: PoolSpec, root: Path) -> Probe:
    """Return about a thousand texts from all over the sources. DataError where there are none."""
    files = find(spec.sources, root)
    step = max(1, -(-len(files) // FILES))
    wanted = -(-DOCUMENTS // max(1, len(files[::step])))
    texts: list[str] = []
    sources: list[str] = []
    documents, seen = 0.0, 0
    for file in (file for start in range(step) for file in files[start::step]):
        if len(texts) >= DOCUMENTS:
            break
        seen += file.size
        source = spec.sources[file.source]
        rows = list(islice(_rows(source, file), wanted + 1))
        texts += [content(row).text for row in rows[:wanted]]
        sources += [file.name] * len(rows[:wanted])
        documents += len(rows) if len(rows) <= wanted else _times(file, rows)
    if not texts:
        raise DataError("the sources hold no document", hint="check the paths under `pool:`")
    size = sum(file.size for file in files)
    many = round(documents * (size / seen if seen else 1))
    names = frozenset(file.name for file in files)
    return Probe(tuple(texts), tuple(sources), names, many, size)


def _rows(source: SourceSpec, file: File) -> Iterator[Row]:
    part = Part(
        file.source, file.name, file.address, file.label, format=file.format, skip=file.skip
    )
    found = read(source, part, strict=False)
    return (row for row in found if not isinstance(row, Bad))


def _times(file: File, rows: Sequence[Row]) -> float:
    """Return about how many rows a file has, by the size of some of them."""
    import pyarrow.parquet as pq

    if file.format == "parquet" and Path(file.address).is_file():
        return float(pq.read_metadata(file.address).num_rows)
    shown = "\n".join(_plain(row) for row in rows).encode()
    packed = file.address.endswith((".gz", ".zst", ".xz", ".bz2"))
    each = len(zlib.compress(shown) if packed else shown) / len(rows)
    return max(len(rows), file.size / each)


def _plain(row: Row) -> str:
    """Return a row as it probably stands in the file."""
    values = {**dict(row.fields), **json.loads(row.meta or "{}")}
    return json.dumps(values, ensure_ascii=False)


# ── the stages on the probe


@dataclass(frozen=True)
class Rate:
    """What a stage costs: a fixed time, and time and bytes for each document."""

    stage: str
    fixed: float
    seconds: float
    bytes: float
    scratch: float = 0.0
    alone: bool = False

    def of(self, documents: int, workers: int) -> StageEstimate:
        """Return what the stage takes for so many documents."""
        shared = 1 if self.alone else workers
        return StageEstimate(
            self.stage,
            round(self.fixed + documents * self.seconds / shared, 1),
            round(documents * self.bytes / 2**20, 2),
            round(documents * self.scratch / 2**20, 2),
        )


def _rates(recipe: Recipe, root: Path, folder: Path, probe: Probe) -> list[Rate]:
    cold = _run(recipe, root, folder / "cold", probe.first(WARM))
    few = _run(recipe, root, folder / "few", probe.first(WARM))
    many = _run(recipe, root, folder / "many", probe)
    n, more = len(probe.texts), max(1, len(probe.texts) - WARM)
    found = []
    for stage in ("pool", "clean"):
        each = max(0.0, many[stage][0] - few[stage][0]) / more if n > WARM else many[stage][0] / n
        near = stage == "clean" and recipe.clean.near_duplicates is not None
        fixed = max(0.0, cold[stage][0] - WARM * each)  # what is loaded once, too
        found.append(Rate(stage, fixed, each, many[stage][1] / n, SCRATCH if near else 0))
    if recipe.asks_people() or _scores(recipe, root):
        found.append(_embedding(recipe, root, folder / "vectors", probe.first(EMBEDDED)))
    return found


def _scores(recipe: Recipe, root: Path) -> bool:
    return (root / "workspace.json").exists() and takes_part(recipe, Workspace(root), "score")


def _prepared(root: Path, folder: Path) -> Workspace:
    """Return a workspace of the probe's own, in which the recipe's relative paths still lead."""
    folder.mkdir(parents=True)
    # The probe's stages write these: led to the run's own, they would write there.
    own = {*tables.TABLES, "rounds", "export", "recipe.yaml", "workspace.json", "ledger.jsonl"}
    for child in root.iterdir() if root.is_dir() else ():
        name = child.name.removesuffix(".parquet")
        if not child.name.startswith(".") and name not in own:
            (folder / child.name).symlink_to(child)
    where = Workspace(folder, engine=Local(1))
    where.init("probe")
    return where


def _pool(recipe: Recipe, folder: Path, probe: Probe) -> PoolSpec:
    """Write the texts by source, those too that settings name and the probe has no text of."""
    told = (recipe.clean.rules, recipe.clean.languages)
    named = (name for given in told if isinstance(given, Mapping) for name in given)
    lines: dict[str, list[str]] = {name: [] for name in named if name in probe.names}
    for text, source in zip(probe.texts, probe.sources, strict=True):
        lines.setdefault(source, []).append(json.dumps({"text": text}) + "\n")
    sources = []
    for number, (name, own) in enumerate(lines.items()):
        path = folder / f"curate-probe-{number}.jsonl"
        path.write_text("".join(own), encoding="utf-8")
        sources.append(SourceSpec(name=name, paths=(path.name,)))
    return recipe.pool.model_copy(update={"sources": tuple(sources), "share": 1.0})


def _run(recipe: Recipe, root: Path, folder: Path, probe: Probe) -> dict[str, tuple[float, int]]:
    """Return seconds and bytes of pool and clean on some texts."""
    where = _prepared(root, folder)
    found = {}
    specs: tuple[tuple[str, Any], ...] = (
        ("pool", _pool(recipe, folder, probe)),
        ("clean", recipe.clean),
    )
    for stage, spec in specs:
        started = time.process_time()
        run_stage(where, stage, spec)
        files = (each for each in (folder / stage).rglob("*") if each.is_file())
        found[stage] = time.process_time() - started, sum(each.stat().st_size for each in files)
    return found


def _embedding(recipe: Recipe, root: Path, folder: Path, probe: Probe) -> Rate:
    where = _prepared(root, folder)
    run_stage(where, "pool", _pool(recipe, folder, probe))
    run_stage(where, "clean", recipe.clean.model_copy(update={"rules": (), "against": ()}))
    started = time.process_time()
    embed(where, recipe.section("score").encoder)  # type: ignore[attr-defined]
    files = (each for each in (folder / "vectors").rglob("*.parquet"))
    size = sum(each.stat().st_size for each in files)
    seconds = (time.process_time() - started) / len(probe.texts)
    return Rate("score", 0.0, seconds, size / len(probe.texts), alone=True)


def _resident() -> float:
    """Return the memory that this process takes, in MB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1]) if os.name == "posix" else 0
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20
