"""What a stage takes, as a function of the number of documents, from a few runs on a probe."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from curate.pool.work import ROWS_PER_SHARD

MB = 2**20

WORKER = 80
"""The memory of a worker process that has loaded no model, in MB."""

START = 0.5
"""Seconds until worker processes have started, and have loaded what a stage needs."""

COPIES = 8
"""How many copies of the texts of its shard a worker may hold, in one form or another."""


@dataclass(frozen=True)
class StageEstimate:
    """What one stage takes, in seconds and MB; it frees `scratch_mb` of disk at its end.

    `memory_mb` is the most that all of its processes hold at once.
    """

    stage: str
    seconds: float
    disk_mb: float
    scratch_mb: float
    memory_mb: float

    def __add__(self, other: StageEstimate) -> StageEstimate:
        """What both parts of one stage take, one after the other."""
        return StageEstimate(
            self.stage,
            round(self.seconds + other.seconds, 1),
            round(self.disk_mb + other.disk_mb, 2),
            round(self.scratch_mb + other.scratch_mb, 2),
            max(self.memory_mb, other.memory_mb),
        )


@dataclass(frozen=True)
class Memory:
    """Memory of a stage: MB of the parent, of a worker, and of what each holds of one shard.

    `grows` is in bytes a document, and in the parent alone.
    """

    parent: float = 0.0
    worker: float = 0.0
    held: float = 0.0
    grows: float = 0.0

    def of(self, documents: int, workers: int) -> float:
        """MB of all processes; without workers the parent loads and does what they would."""
        grown = self.held + documents * self.grows / MB
        if not workers:
            return max(self.parent, self.worker) + grown
        return self.parent + grown + workers * (self.worker + self.held)


@dataclass(frozen=True)
class Rate:
    """What a stage takes: a fixed time in seconds, and seconds and bytes for each document.

    `scratch` is disk that it frees at its end, in bytes a document. `alone`: one process does it.
    `fixed_bytes` is disk that does not grow. Beyond `most` documents nothing grows.
    """

    stage: str
    fixed: float
    seconds: float
    bytes: float
    scratch: float = 0.0
    alone: bool = False
    fixed_bytes: float = 0.0
    memory: Memory = Memory()
    most: float = float("inf")

    def of(self, documents: int, workers: int) -> StageEstimate:
        """What the stage takes for this many documents."""
        processes = 1 if self.alone else workers
        growing = min(documents, self.most)
        # One shard needs no workers.
        workers = processes if processes > 1 and documents > ROWS_PER_SHARD else 0
        fixed = self.fixed + (START if workers else 0.0)
        return StageEstimate(
            self.stage,
            round(fixed + growing * self.seconds / processes, 1),
            round((self.fixed_bytes + growing * self.bytes) / MB, 2),
            round(growing * self.scratch / MB, 2),
            round(self.memory.of(round(growing), workers)),
        )


@dataclass(frozen=True)
class Run:
    """What a stage took on a probe of `documents`.

    Seconds of CPU and of the clock, bytes written, MB of the process before and after, and the most
    MB that it held in between, beyond those.
    """

    documents: int
    seconds: float
    elapsed: float
    bytes: int
    before: float
    after: float
    held: float

    @property
    def loaded(self) -> float:
        """The MB that the process kept."""
        return max(0.0, self.after - self.before)


def timed(work: Callable[[], object], documents: int, writes: Path) -> Run:
    """Do some work that fills a file or folder; the result is what it took."""
    before = _reset_peak()
    clock, started = time.perf_counter(), time.process_time()
    work()
    seconds, elapsed = time.process_time() - started, time.perf_counter() - clock
    after = resident()
    paths = [writes] if writes.is_file() else writes.rglob("*")
    size = sum(path.stat().st_size for path in paths if path.is_file())
    return Run(
        documents, seconds, elapsed, size, before, after, max(0.0, _peak() - max(before, after))
    )


def line(few: float, many: float, run_few: Run, run_many: Run) -> tuple[float, float]:
    """The fixed part and the growth of a quantity that two runs took; none is negative."""
    difference = run_many.documents - run_few.documents
    if difference <= 0:
        return 0.0, many / run_many.documents
    growth = max(0.0, many - few) / difference
    return max(0.0, many - growth * run_many.documents), growth


# ── the memory of this process


def resident() -> float:
    """The memory of this process, in MB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1]) if os.name == "posix" else 0
    return pages * os.sysconf("SC_PAGE_SIZE") / MB


def _reset_peak() -> float:
    """Forget the peak of this process (on Linux); the memory that it has now, in MB."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")
    return resident()


def _peak() -> float:
    """The most memory since the last reset, in MB; 0 where the system does not tell."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(text.split()[1]) / 1024 for text in lines if text.startswith("VmHWM")), 0.0)
