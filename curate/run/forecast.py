"""An estimate of what a run takes, measured on a probe: time, disk and memory of each stage.

A thousand documents from all over the sources go through the real stages in a temporary folder.
The run's own folder is only read. A stage's `cost` says how it is measured. Costs are linear in
the documents, plus a fixed part that is measured with a smaller probe. At 20,000 and at 1,000,000
documents, memory and the time of stages over two seconds were within a factor of two.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import reduce
from operator import add
from pathlib import Path

from curate.run.probe import DOCUMENTS, probed
from curate.run.rates import StageEstimate
from curate.run.recipe import Recipe
from curate.run.trying import RUNS, Trial, stages_of, try_stages
from curate.workspace import Workspace


@dataclass(frozen=True)
class Estimate:
    """What a run takes, for about `documents` documents, estimated from the `probed` ones.

    `memory_mb` is that of the stage that needs the most.
    """

    documents: int
    source_mb: float
    probed: int
    workers: int
    seconds: float
    disk_mb: float
    memory_mb: float
    stages: tuple[StageEstimate, ...]
    notes: tuple[str, ...]


def estimate(recipe: Recipe, workspace: Workspace) -> Estimate:
    """What the run of a recipe takes in a workspace; nothing is written there.

    What a stage behind `clean` raises on the probe is a note. Other errors are raised.
    """
    with workspace.watch("probing the sources", None):
        probe = probed(recipe.pool, workspace.root)
    documents = max(1, round(probe.documents * recipe.pool.share))
    stages = stages_of(recipe, workspace.root)
    with tempfile.TemporaryDirectory(prefix="curate-probe-") as folder:
        trial = Trial(recipe, workspace.root, Path(folder), probe, documents)
        with workspace.watch("trying the stages", len(RUNS) * len(stages)) as advance:
            try_stages(trial, stages, advance)
    workers = workspace.engine.workers
    estimates = tuple(
        reduce(add, (rate.of(documents, workers) for rate in trial.rates[stage.name]))
        for stage in stages
        if stage.name in trial.rates
    )
    return Estimate(
        documents=documents,
        source_mb=round(probe.bytes / 2**20, 1),
        probed=len(probe.rows),
        workers=workers,
        seconds=round(sum(stage.seconds for stage in estimates), 1),
        disk_mb=round(sum(stage.disk_mb for stage in estimates), 2),
        memory_mb=max(stage.memory_mb for stage in estimates),
        stages=estimates,
        notes=(*trial.notes, *_notes(recipe)),
    )


def _notes(recipe: Recipe) -> Iterator[str]:
    if any(source.database or source.dataset for source in recipe.pool.sources):
        yield f"a query or a hub does not say how much it holds: counted up to {DOCUMENTS:,} rows"
    if recipe.asks_people():
        yield "people's time, and the stages that only handle their answers, are not in it"
    yield (
        "memory, and the time of stages over two seconds, are good to within a factor of two; "
        "other programs on this machine slow it down"
    )
