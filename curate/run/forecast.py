"""An estimate of what a run takes, measured on a probe: time and disk of each stage, and memory.

A thousand documents from all over the sources go through the real stages in a temporary folder.
The run's own folder is only read. A stage's `cost` says how it is measured. Costs are linear in
the documents, plus a fixed part that is measured with a smaller probe. An estimate is good to
within a factor of two.
"""

from __future__ import annotations

import json
import os
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

from curate import tables
from curate.engine import Local
from curate.errors import DataError
from curate.pool.sources import Bad, File, Part, Row, SourceSpec, content, find, read
from curate.pool.spec import PoolSpec
from curate.pool.work import ROWS_PER_SHARD
from curate.run.recipe import Recipe
from curate.run.stages import every, run_stage, takes_part
from curate.spec import Spec
from curate.stage import Stage
from curate.workspace import Workspace

DOCUMENTS, WARM = 1000, 100
"""The documents of the probe, and of the smaller one that measures the fixed part."""

FILES = 50
"""The probe is spread over this many files, or over more if each file holds few documents."""

COPIES_OF_A_SHARD = 8
"""How many copies of the texts of its shard a worker may hold, in one form or another."""


@dataclass(frozen=True)
class StageEstimate:
    """What one stage takes, in seconds and MB; it frees `scratch_mb` of disk at its end."""

    stage: str
    seconds: float
    disk_mb: float
    scratch_mb: float


@dataclass(frozen=True)
class Estimate:
    """What a run takes, for about `documents` documents, estimated from the `probed` ones."""

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
    """Texts from all over the sources, and the estimated number of documents in the sources.

    `sources` holds the source of each text, and `names` all sources. `bytes` is the size of the
    source files.
    """

    texts: tuple[str, ...]
    sources: tuple[str, ...]
    names: frozenset[str]
    documents: int
    bytes: int

    def first(self, n: int) -> Probe:
        """The probe with only its first `n` texts."""
        return replace(self, texts=self.texts[:n], sources=self.sources[:n])


def estimate(recipe: Recipe, workspace: Workspace) -> Estimate:
    """What the run of a recipe takes in a workspace; nothing is written there."""
    probe = probed(recipe.pool, workspace.root)
    workers = workspace.engine.workers
    with tempfile.TemporaryDirectory(prefix="curate-probe-") as folder:
        rates = _rates(recipe, workspace.root, Path(folder), probe)
    documents = max(1, round(probe.documents * recipe.pool.share))
    stages = tuple(rate.of(documents, workers) for rate in rates)
    text_size = sum(len(text.encode()) for text in probe.texts) / len(probe.texts)
    shard = COPIES_OF_A_SHARD * min(ROWS_PER_SHARD, documents) * text_size / 2**20
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
    """About a thousand texts from all over the sources. Raises DataError if there are none."""
    files = find(spec.sources, root)
    step = max(1, -(-len(files) // FILES))
    rows_per_file = -(-DOCUMENTS // max(1, len(files[::step])))
    texts: list[str] = []
    sources: list[str] = []
    documents, bytes_seen = 0.0, 0
    for file in (file for start in range(step) for file in files[start::step]):
        if len(texts) >= DOCUMENTS:
            break
        bytes_seen += file.size
        source = spec.sources[file.source]
        rows = list(islice(_rows(source, file), rows_per_file + 1))
        texts += [content(row).text for row in rows[:rows_per_file]]
        sources += [file.name] * len(rows[:rows_per_file])
        documents += len(rows) if len(rows) <= rows_per_file else _row_count(file, rows)
    if not texts:
        raise DataError("the sources hold no document", hint="check the paths under `pool:`")
    size = sum(file.size for file in files)
    total = round(documents * (size / bytes_seen if bytes_seen else 1))
    names = frozenset(file.name for file in files)
    return Probe(tuple(texts), tuple(sources), names, total, size)


def _rows(source: SourceSpec, file: File) -> Iterator[Row]:
    part = Part(
        file.source, file.name, file.address, file.label, format=file.format, skip=file.skip
    )
    rows = read(source, part, strict=False)
    return (row for row in rows if not isinstance(row, Bad))


def _row_count(file: File, rows: Sequence[Row]) -> float:
    """About how many rows a file has, by the size of its first rows."""
    import pyarrow.parquet as pq

    if file.format == "parquet" and Path(file.address).is_file():
        return float(pq.read_metadata(file.address).num_rows)
    lines = "\n".join(_line(row) for row in rows).encode()
    is_packed = file.address.endswith((".gz", ".zst", ".xz", ".bz2"))
    row_size = len(zlib.compress(lines) if is_packed else lines) / len(rows)
    return max(len(rows), file.size / row_size)


def _line(row: Row) -> str:
    """A row as it probably is in the file."""
    values = {**dict(row.fields), **json.loads(row.meta or "{}")}
    return json.dumps(values, ensure_ascii=False)


# ── the stages on the probe


@dataclass(frozen=True)
class Rate:
    """What a stage costs: a fixed time in seconds, and seconds and bytes for each document.

    `scratch` is disk that it frees at its end, in bytes a document. `alone`: one process does it.
    """

    stage: str
    fixed: float
    seconds: float
    bytes: float
    scratch: float = 0.0
    alone: bool = False

    def of(self, documents: int, workers: int) -> StageEstimate:
        """What the stage takes for this many documents."""
        processes = 1 if self.alone else workers
        return StageEstimate(
            self.stage,
            round(self.fixed + documents * self.seconds / processes, 1),
            round(documents * self.bytes / 2**20, 2),
            round(documents * self.scratch / 2**20, 2),
        )


@dataclass(frozen=True)
class Run:
    """What a stage took on a probe, in seconds of CPU and bytes written."""

    seconds: float
    bytes: int


def _rates(recipe: Recipe, root: Path, folder: Path, probe: Probe) -> list[Rate]:
    stages = [stage for stage in every() if stage.cost and _will_run(recipe, root, stage)]
    linear = [stage for stage in stages if stage.cost and stage.cost.documents is None]
    parts = {"cold": probe.first(WARM), "few": probe.first(WARM), "many": probe}
    runs = {
        name: _run_all(recipe, root, folder / name, part, linear) for name, part in parts.items()
    }
    rates = [
        _linear_rate(recipe, stage, {name: run[stage.name] for name, run in runs.items()}, probe)
        for stage in linear
    ]
    sampled = [stage for stage in stages if stage not in linear]
    return rates + [_sampled_rate(recipe, root, folder, probe, stage) for stage in sampled]


def _will_run(recipe: Recipe, root: Path, stage: Stage[Any]) -> bool:
    """Whether the stage takes part now, or will once people have answered."""
    return recipe.asks_people() or takes_part(recipe, Workspace(root), stage.name)


def _linear_rate(recipe: Recipe, stage: Stage[Any], runs: Mapping[str, Run], probe: Probe) -> Rate:
    """The rate of a stage from the probe and two runs of a smaller one.

    The first run, `cold`, also loads what a stage loads only once.
    """
    assert stage.cost is not None
    documents, difference = len(probe.texts), len(probe.texts) - WARM
    if difference > 0:
        seconds = max(0.0, runs["many"].seconds - runs["few"].seconds) / difference
    else:
        seconds = runs["many"].seconds / documents
    fixed = max(0.0, runs["cold"].seconds - WARM * seconds)
    scratch = stage.cost.scratch(recipe.section(stage.name))
    size = runs["many"].bytes / documents
    return Rate(stage.name, fixed, seconds, size, scratch, stage.cost.alone)


def _sampled_rate(
    recipe: Recipe, root: Path, folder: Path, probe: Probe, stage: Stage[Any]
) -> Rate:
    """The rate of a stage from a few documents, which `clean` prepares without any rules."""
    assert stage.cost is not None
    part = probe.first(stage.cost.documents or DOCUMENTS)
    workspace = _probe_workspace(root, folder / stage.name)
    run_stage(workspace, "pool", _probe_pool(recipe, workspace.root, part))
    run_stage(workspace, "clean", recipe.clean.model_copy(update={"rules": (), "against": ()}))
    run = _timed(workspace, stage, recipe.section(stage.name), stage.cost.run)
    documents = len(part.texts)
    return Rate(
        stage.name, 0.0, run.seconds / documents, run.bytes / documents, alone=stage.cost.alone
    )


def _run_all(
    recipe: Recipe, root: Path, folder: Path, probe: Probe, stages: Sequence[Stage[Any]]
) -> dict[str, Run]:
    """Run stages on the texts of a probe; the result is by stage."""
    workspace = _probe_workspace(root, folder)
    specs = {"pool": _probe_pool(recipe, folder, probe)}
    return {
        stage.name: _timed(workspace, stage, specs.get(stage.name, recipe.section(stage.name)))
        for stage in stages
    }


def _timed(
    workspace: Workspace,
    stage: Stage[Any],
    spec: Spec,
    work: Callable[[Workspace, Any], Any] | None = None,
) -> Run:
    """Run a stage and write it into the ledger, or only do the `work` of the stage."""
    assert stage.cost is not None
    started = time.process_time()
    if work is None:
        run_stage(workspace, stage.name, spec)
    else:
        work(workspace, spec)
    files = (path for path in (workspace.root / stage.cost.writes).rglob("*") if path.is_file())
    return Run(time.process_time() - started, sum(path.stat().st_size for path in files))


def _probe_workspace(root: Path, folder: Path) -> Workspace:
    """A workspace for the probe, in which the recipe's relative paths still work."""
    folder.mkdir(parents=True)
    # The probe's stages write these: through a link they would write into the run's own folder.
    written = {*tables.TABLES, "rounds", "export", "recipe.yaml", "workspace.json", "ledger.jsonl"}
    for child in root.iterdir() if root.is_dir() else ():
        name = child.name.removesuffix(".parquet")
        if not child.name.startswith(".") and name not in written:
            (folder / child.name).symlink_to(child)
    workspace = Workspace(folder, engine=Local(1))
    workspace.init("probe")
    return workspace


def _probe_pool(recipe: Recipe, folder: Path, probe: Probe) -> PoolSpec:
    """Write the texts by source; the result is the settings of `pool` that read them.

    A source without texts gets an empty file if settings name it.
    """
    by_source = (recipe.clean.rules, recipe.clean.languages)
    names = (name for settings in by_source if isinstance(settings, Mapping) for name in settings)
    lines: dict[str, list[str]] = {name: [] for name in names if name in probe.names}
    for text, source in zip(probe.texts, probe.sources, strict=True):
        lines.setdefault(source, []).append(json.dumps({"text": text}) + "\n")
    sources = []
    for number, (name, rows) in enumerate(lines.items()):
        path = folder / f"curate-probe-{number}.jsonl"
        path.write_text("".join(rows), encoding="utf-8")
        sources.append(SourceSpec(name=name, paths=(path.name,)))
    return recipe.pool.model_copy(update={"sources": tuple(sources), "share": 1.0})


def _resident() -> float:
    """The memory of this process, in MB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1]) if os.name == "posix" else 0
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20
