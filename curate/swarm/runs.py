"""The runs that a fit learns from: a table of shares and a table of losses, as CSV."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from curate.cells import unguarded
from curate.errors import DataError
from curate.mixture.regression.baselines import judged_groups, own_weight, own_weights
from curate.names import absent, unknown

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

IDS = ("run", "index", "id", "name")
"""A first column of such a name says which run a row is of."""

ROUNDED = 0.01
"""Shares may be rounded: their sum is this near to 1, and they are scaled to it."""

LEAST_RUNS = 12
STRANGE = 10.0
NORMAL = 0.6745
"""The median absolute deviation of a normal distribution, in standard deviations."""

FORM = "a header, then a row a run: `run,web,code` and `run,loss of web,loss of code`"


@dataclass(frozen=True)
class Runs:
    """Runs that were trained.

    Attributes:
        groups: The names of the columns of shares.
        metrics: The names of the losses; lower is better.
        shares: (runs, groups); each row sums to 1.
        losses: (runs, metrics).
        weights: What each metric weighs in the objective; they sum to 1.
        ids: The names of the runs, or their numbers from 1.
    """

    groups: tuple[str, ...]
    metrics: tuple[str, ...]
    shares: Array
    losses: Array
    weights: Array
    ids: tuple[str, ...]

    @cached_property
    def judged(self) -> dict[str, str]:
        """The group that each metric judges, for metrics named like a group."""
        return judged_groups(self.groups, self.metrics)

    @property
    def objective(self) -> Array:
        """The weighted mean of the losses of each run."""
        return self.losses @ self.weights

    def own_by_metric(self, shares: Array) -> Array:
        """The own weight of mixtures by metric, as a loss; NaN for metrics without a group."""
        return own_weights(shares, self.groups, self.metrics, self.judged)

    def own(self, shares: Array) -> Array | None:
        """The own weight of mixtures, as a loss; None if no metric is named like a group."""
        return own_weight(self.own_by_metric(shares), self.weights)


@dataclass(frozen=True)
class Table:
    """A table of numbers: its file, the names of its columns, and of its rows if they have any."""

    path: Path
    names: tuple[str, ...]
    values: Array
    ids: tuple[str, ...] | None


def read_runs(mixtures: Path, metrics: Path, judge: Mapping[str, float] | None = None) -> Runs:
    """The runs of two CSV files; `judge` are the weights of metrics, by default all the same.

    Rows are joined by the first column where both files name runs there, else by their order.
    Raises DataError for what is no such table, RecipeError for an unknown metric.
    """
    import numpy as np

    given, reached = read_table(mixtures), read_table(metrics)
    shares = _scaled(given)
    if given.ids and reached.ids:
        losses = reached.values[_places(given, reached)]
    elif len(shares) == len(reached.values):
        losses = reached.values
    else:
        words = f"{mixtures} has {len(shares):,} runs, {metrics} {len(reached.values):,}"
        raise DataError(words, hint=f"name the runs in a first column: {', '.join(IDS)}")
    if len(shares) < LEAST_RUNS:
        raise DataError(
            f"{mixtures} has {len(shares)} runs, too few to judge a fit",
            hint=f"train at least {LEAST_RUNS}, better four for each group",
        )
    ids = given.ids or tuple(map(str, range(1, len(shares) + 1)))
    weights = _weights(reached.names, judge or dict.fromkeys(reached.names, 1.0), str(metrics))
    return Runs(given.names, reached.names, np.asarray(shares), losses, weights, ids)


def check_losses(runs: Runs) -> tuple[str, ...]:
    """A note for each run whose objective lies far from all others: most likely it failed.

    Far are `STRANGE` robust standard deviations (of the median absolute deviation); of 1,024 runs
    of RegMix none is further than 6. Raises DataError where all runs reached the same.
    """
    import numpy as np

    objective = runs.objective
    if not np.ptp(objective):
        raise DataError(
            f"all {len(objective)} runs reached the same loss: there is nothing to fit",
            hint="train them for longer, or judge them by other losses",
        )
    middle = float(np.median(objective))
    apart = np.abs(objective - middle)
    spread = float(np.median(apart)) / NORMAL
    return tuple(
        f"run {runs.ids[place]} has a loss of {objective[place]:.4g}, far from all others "
        f"(median {middle:.4g}): leave it out if it failed"
        for place in np.flatnonzero(apart > STRANGE * spread).tolist()
        if spread
    )


def runs_of(
    shares: Mapping[str, Mapping[str, float]],
    losses: Mapping[str, Mapping[str, float]],
    judge: Mapping[str, float] | None = None,
) -> Runs:
    """The runs of a workspace: shares by run and group, losses by run and metric.

    There is a run at least, and all have the same groups and metrics. Raises RecipeError for an
    unknown metric.
    """
    import numpy as np

    groups = tuple(next(iter(shares.values())))
    metrics = tuple(next(iter(losses.values())))
    by_run = np.array([[own[group] for group in groups] for own in shares.values()])
    reached = np.array([[losses[run][metric] for metric in metrics] for run in shares])
    weights = _weights(metrics, judge or dict.fromkeys(metrics, 1.0), "the swarm")
    scaled = by_run / by_run.sum(axis=1, keepdims=True)
    return Runs(groups, metrics, scaled, reached, weights, tuple(shares))


def read_table(path: Path) -> Table:
    """A table of numbers with names. Raises DataError for anything else."""
    import numpy as np

    if not path.is_file():
        raise absent(f"no file {path}", path, kind=DataError)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = [row for row in csv.reader(file) if row]
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path} is not CSV: {error}", hint=FORM) from None
    if len(rows) < 2:
        raise DataError(f"{path} has no rows", hint=FORM)
    header, *lines = rows
    has_ids = header[0].strip().casefold() in IDS
    names = tuple(unguarded(name.strip()) for name in header[has_ids:])
    _refuse_names(path, names)
    values = [_numbers(path, number, header, row, has_ids) for number, row in enumerate(lines, 2)]
    ids = tuple(unguarded(row[0].strip()) for row in lines) if has_ids else None
    twice = next((one for place, one in enumerate(ids or ()) if one in (ids or ())[:place]), None)
    if twice is not None:
        raise DataError(f"{path}: the run {twice} appears twice", hint="leave one out")
    return Table(path, names, np.array(values), ids)


def _refuse_names(path: Path, names: Sequence[str]) -> None:
    """Raise DataError for no columns, one without a name, and one name twice."""
    if not names or "" in names:
        raise DataError(f"{path}: a column has no name, or there is none", hint=FORM)
    for place, name in enumerate(names):
        if name in names[:place]:
            raise DataError(f"{path}: the column {name} appears twice", hint="leave one out")


def _numbers(
    path: Path, number: int, header: Sequence[str], row: Sequence[str], has_ids: bool
) -> list[float]:
    """The numbers of a line. Raises DataError for a cell that is none, or not finite."""
    from math import isfinite

    if len(row) != len(header):
        words = f"{path}:{number} has {len(row)} cells, and {len(header)} columns have a name"
        raise DataError(words, hint=FORM)
    found = []
    for name, cell in list(zip(header, row, strict=True))[has_ids:]:
        try:
            value = float(cell)
        except ValueError:
            raise DataError(
                f"{path}:{number}: {name} is {cell!r}, not a number", hint=FORM
            ) from None
        if not isfinite(value):
            raise DataError(
                f"{path}:{number}: {name} is {cell}",
                hint="the run failed: leave its row out",
            )
        found.append(value)
    return found


def _scaled(table: Table) -> Array:
    """Shares that sum to 1. Raises DataError for a share below 0, or a sum further off than .01."""
    totals = table.values.sum(axis=1)
    for number, (row, total) in enumerate(zip(table.values, totals, strict=True), 2):
        if row.min() < 0:
            name = table.names[row.argmin()]
            raise DataError(f"{table.path}:{number}: the share of {name} is below 0", hint=FORM)
        if abs(total - 1) > ROUNDED:
            raise DataError(
                f"{table.path}:{number}: the shares sum to {total:.4g}, not 1",
                hint="every column but the first is the share of a group",
            )
    scaled: Array = table.values / totals[:, None]
    return scaled


def _places(given: Table, reached: Table) -> list[int]:
    """The row of the losses of each run. Raises DataError for a run that only one file has."""
    places = {id: place for place, id in enumerate(reached.ids or ())}
    for one, other, ids in (
        (given, reached, places),
        (reached, given, dict.fromkeys(given.ids or ())),
    ):
        for id in one.ids or ():
            if id not in ids:
                words = f"{one.path} has a run {id}, and {other.path} has none"
                raise unknown(words, id, ids, kind=DataError)
    return [places[id] for id in given.ids or ()]


def _weights(metrics: Sequence[str], judge: Mapping[str, float], where: str) -> Array:
    """The weight of each metric. Raises RecipeError for one that is not there."""
    import numpy as np

    for name in judge:
        if name not in metrics:
            raise unknown(f"--judge {name}: {where} has no such loss", name, metrics)
    weights = np.array([judge.get(name, 0.0) for name in metrics])
    return np.asarray(weights / weights.sum())
