"""The runs that were trained, a line each in swarm/runs.jsonl: append-only, whole lines alone."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from curate import storage
from curate.cells import guarded
from curate.errors import DataError
from curate.swarm.contents import Content

FOLDER = "swarm"
RUNS, MIXTURES, METRICS = "runs.jsonl", "mixtures.csv", "metrics.csv"


@dataclass(frozen=True)
class Trained:
    """A run that was trained.

    Attributes:
        run: Its id.
        shares: The share of each group in the tokens that were drawn.
        losses: The loss on the held-out texts of each source, in nats a byte by our proxies.
        seed: Seed of the draw and of the proxy.
        budget: The tokens of a run of the plan.
        proxy: The proxy's name.
        is_even: Whether documents of a group had the same chance, so that a part of the group has
            the share of its size.
        contents: What was in each group.
        holdout: The fingerprint of the held-out texts of each source.
        start: What names the weights that a transformer started from. None for one that started
            from those of before there was a name, and for other proxies.
    """

    run: str
    shares: Mapping[str, float]
    losses: Mapping[str, float]
    seed: int
    budget: float
    proxy: str
    is_even: bool
    contents: Mapping[str, Content]
    holdout: Mapping[str, str]
    start: str | None = None


def append(folder: Path, trained: Sequence[Trained]) -> None:
    """Append runs, each in one write that is on disk before this returns."""
    folder.mkdir(exist_ok=True)
    with (folder / RUNS).open("ab+") as file:
        # A line that a kill cut short must not join the next one.
        if file.tell() and not _ends_whole(file):
            file.write(b"\n")
        for run in trained:
            file.write(json.dumps(asdict(run), ensure_ascii=False).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())


def _ends_whole(file: Any) -> bool:
    file.seek(-1, os.SEEK_END)
    return bool(file.read(1) == b"\n")


def read(folder: Path) -> list[Trained]:
    """Every run of a whole line, oldest first. Raises DataError for a line of another form."""
    path = folder / RUNS
    runs: dict[str, Trained] = {}
    for number, line in enumerate(path.read_bytes().split(b"\n") if path.exists() else (), 1):
        try:
            row = json.loads(line)
        except ValueError:
            continue  # cut short by a kill: the run counts as not trained
        run = _trained(path, number, row)
        runs.setdefault(run.run, run)
    return list(runs.values())


def _trained(path: Path, number: int, row: Any) -> Trained:
    from pydantic import TypeAdapter, ValidationError

    try:
        return TypeAdapter(Trained).validate_python(row)
    except ValidationError:
        raise DataError(
            f"{path}:{number} is not a run", hint="remove the line, and train again"
        ) from None


def write_tables(folder: Path, trained: Sequence[Trained]) -> None:
    """Write all runs as two CSV files, for other programs; each is replaced as a whole."""
    for name, rows in (
        (MIXTURES, {own.run: own.shares for own in trained}),
        (METRICS, {own.run: own.losses for own in trained}),
    ):
        columns = sorted({column for own in rows.values() for column in own})
        text = io.StringIO()
        lines = csv.writer(text, lineterminator="\n")
        lines.writerow(["run", *map(guarded, columns)])
        empty = 0.0 if name == MIXTURES else ""
        lines.writerows([guarded(run), *(own.get(column, empty) for column in columns)]
                        for run, own in rows.items())  # fmt: skip
        storage.write_text(folder / name, text.getvalue())
