"""Examples of why documents were dropped: those nearest to each limit, on both sides of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from heapq import nsmallest
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from curate.clean.deciding import JUDGED_IN, ByLanguage, outside
from curate.clean.explaining import bounds_of
from curate.clean.instruments.privacy.instrument import SIGNALS as PRIVATE
from curate.clean.rules.signals import Range
from curate.clean.spec import CleanSpec
from curate.clean.verdicts import limits_by_language, limits_of
from curate.engine import in_order
from curate.storage import read_parquet
from curate.workspace import Workspace
from curate.workspace.examples import BothSides, Near

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

REASONS = 8
"""The most frequent reasons have examples."""

EACH_SIDE = 3
NEAR_DUPLICATE = "near_duplicate"


class Side(NamedTuple):
    """One side of a limit."""

    reason: str
    limit: str
    is_failed: bool


class Found(NamedTuple):
    """A document on a side; the smaller `distance`, the nearer to the limit."""

    distance: float
    shard: int
    row: int
    near: Near


def examples_of(
    workspace: Workspace, spec: CleanSpec, reasons: Mapping[str, int]
) -> list[BothSides]:
    """The documents nearest to the limits of the most frequent reasons; `reasons` are counts.

    A document that holds what `privacy` drops, or cannot mask, is no example. A near-duplicate
    stands beside the document that was kept. Reads the columns of the signals, shard by shard.
    """
    most = [*reasons][:REASONS]
    limits = {name: bounds for name, bounds in limits_of(spec).items() if name in most}
    others = tuple(name for name in most if name not in limits)
    scan = _Scan(limits, limits_by_language(spec), others)
    found: dict[Side, list[Found]] = defaultdict(list)
    shards = list(enumerate(workspace.tables.shards("clean")))
    for own in in_order(workspace.engine.each(scan, shards)) if most else ():
        for side, rows in own.items():
            found[side] = nsmallest(EACH_SIDE, [*found[side], *rows])
    pairs = dict.fromkeys((side.reason, side.limit) for side in found)
    both = [_both_sides(found, *pair) for pair in pairs]
    return sorted((own for own in both if own.fails), key=lambda own: most.index(own.reason))


def _both_sides(found: Mapping[Side, Sequence[Found]], reason: str, limit: str) -> BothSides:
    fails, passes = (
        tuple(own.near for own in found.get(Side(reason, limit, is_failed), ()))
        for is_failed in (True, False)
    )
    return BothSides(reason, limit, fails, passes)


@dataclass(frozen=True)
class _Scan:
    """Finds the nearest documents of a shard; `others` are the reasons without a limit."""

    limits: Mapping[str, Range]
    by_language: ByLanguage
    others: tuple[str, ...]

    def __call__(self, shard: tuple[int, Path]) -> dict[Side, list[Found]]:
        import pyarrow.parquet as pq

        number, path = shard
        optional = {JUDGED_IN, *PRIVATE} & set(pq.read_schema(path).names)
        columns = ["id", "kept", "reason", "duplicate_of", "similarity"]
        table = read_parquet(path, columns=[*columns, *self.limits, *sorted(optional)])
        may_be_shown = _may_be_shown(table)
        found = dict(self._near_limits(table, number, may_be_shown))
        for reason in self.others:
            found |= _without_limit(table, number, may_be_shown, reason)
        return found

    def _near_limits(
        self, table: pa.Table, number: int, may_be_shown: NDArray[np.bool_]
    ) -> Iterator[tuple[Side, list[Found]]]:
        import numpy as np
        import pyarrow.compute as pc

        kept = table["kept"].to_numpy()
        for signal, word, bound, where, among in bounds_of(table, self.limits, self.by_language):
            values = table[signal].to_numpy()
            failed = outside(values, (bound, None) if word == "min" else (None, bound))
            dropped = pc.fill_null(pc.equal(table["reason"], signal), False).to_numpy()
            for is_failed, own in ((True, failed & dropped), (False, ~failed & kept)):
                rows = np.flatnonzero(own & among & may_be_shown & ~np.isnan(values))
                side = Side(signal, f"{word} {bound:g}{where}", is_failed)
                yield side, _nearest(table, number, rows, np.abs(values - bound), values)


def _without_limit(
    table: pa.Table, number: int, may_be_shown: NDArray[np.bool_], reason: str
) -> dict[Side, list[Found]]:
    """The first documents that went for another reason; of near-duplicates the least similar."""
    import numpy as np
    import pyarrow.compute as pc

    dropped = pc.fill_null(pc.equal(table["reason"], reason), False).to_numpy() & may_be_shown
    rows = np.flatnonzero(dropped)
    if reason != NEAR_DUPLICATE:
        found = [Found(0.0, number, row, Near(table["id"][row].as_py(), None))
                 for row in rows[:EACH_SIDE].tolist()]  # fmt: skip
        return {Side(reason, "", True): found}
    similarity = np.asarray(table["similarity"].to_numpy(), np.float64)
    found = _nearest(table, number, rows, similarity, similarity)
    kept = [own._replace(near=Near(table["duplicate_of"][own.row].as_py(), own.near.value))
            for own in found]  # fmt: skip
    return {Side(reason, "", True): found, Side(reason, "", False): kept}


def _nearest(
    table: pa.Table,
    number: int,
    rows: NDArray[np.int64],
    distance: NDArray[np.float64],
    values: NDArray[np.float64],
) -> list[Found]:
    import numpy as np

    order = np.argsort(distance[rows], kind="stable")[:EACH_SIDE]
    near = partial(_found, table, number, distance, values)
    return [near(row) for row in rows[order].tolist()]


def _found(
    table: pa.Table,
    number: int,
    distance: NDArray[np.float64],
    values: NDArray[np.float64],
    row: int,
) -> Found:
    near = Near(table["id"][row].as_py(), float(values[row]))
    return Found(float(distance[row]), number, row, near)


def _may_be_shown(table: pa.Table) -> NDArray[np.bool_]:
    """Which rows hold nothing private, masked or not."""
    import numpy as np

    shown = np.ones(table.num_rows, bool)
    for name in PRIVATE:
        if name in table.column_names:
            shown &= ~(table[name].to_numpy() > 0)
    return shown
