"""Decide from the measurements: the reason is the first check, in order, that a document fails.

No text is read here, so deciding again with another threshold is fast.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from curate.clean.instruments.registry import UsedInstrument
from curate.clean.rules.registry import RuleName, Rules, rows_by_rules
from curate.clean.rules.signals import Range

JUDGED_IN = "rules_language"

ByLanguage = Mapping[str, Mapping[str, Range]]
"""Signal → language → the range in which its texts pass, for languages with one of their own."""

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray


def decide(
    measurements: pa.Table,
    *,
    rules: Rules,
    limits: Mapping[str, Range],
    instruments: Sequence[UsedInstrument],
    by_language: ByLanguage | None = None,
) -> pa.Array:
    """The reason why each document is dropped, null where it passes.

    `rules` are the rule sets of each source, in the order of the verdict. `limits` are the ranges
    of their signals, and `by_language` those of languages with others. The instruments follow, in
    their order.
    """
    import numpy as np
    import pyarrow as pa

    names = [*limits, *(section.name for section in instruments)]
    verdicts: list[NDArray[np.bool_]] = [
        *(
            failing(measurements, name, bounds, (by_language or {}).get(name, {}))
            for name, bounds in limits.items()
        ),
        *(section.instrument.fails(measurements, section.settings) for section in instruments),
    ]
    first_failed = np.full(measurements.num_rows, -1)
    for rule_names, rows in rows_by_rules(rules, measurements["source"].to_pylist()).items():
        indices = np.array(rows)
        for place in reversed(_order(rule_names, [*limits], len(names))):
            first_failed[indices[verdicts[place][indices]]] = place
    return pa.array(names, pa.string()).take(pa.array(first_failed, mask=first_failed < 0))


def _order(rule_names: Sequence[RuleName], signals: Sequence[str], n: int) -> list[int]:
    """The places of the rule sets' signals, set by set, then those of the instruments."""
    places = [
        place
        for rule_name in rule_names
        for place, signal in enumerate(signals)
        if signal.split(":")[0] == rule_name
    ]
    return [*places, *range(len(signals), n)]


def failing(
    measurements: pa.Table, signal: str, bounds: Range, others: Mapping[str, Range]
) -> NDArray[np.bool_]:
    """Which documents fail a signal; `others` are the ranges of languages with another."""
    values = measurements[signal].to_numpy()
    failed = outside(values, bounds)
    for language, rows in rows_by_language(measurements, others).items():
        failed[rows] = outside(values[rows], others[language])
    return failed


def rows_by_language(
    measurements: pa.Table, languages: Collection[str]
) -> dict[str, NDArray[np.int64]]:
    """The rows that the rule sets judge in each of the languages, of those that occur."""
    import numpy as np

    if not languages or JUDGED_IN not in measurements.column_names:
        return {}
    column = measurements[JUDGED_IN].combine_chunks().dictionary_encode()
    codes = column.indices.fill_null(-1).to_numpy()
    names = column.dictionary.to_pylist()
    return {
        name: np.flatnonzero(codes == code) for code, name in enumerate(names) if name in languages
    }


def outside(values: NDArray[np.float32], bounds: Range) -> NDArray[np.bool_]:
    """Which values lie outside a range. NaN (could not be measured) never does.

    Limits are rounded to the signals' precision (float32): a share of exactly .3 passes a limit
    of .3.
    """
    import numpy as np

    low, high = bounds
    failed = np.zeros(len(values), bool)
    if low is not None:
        failed |= values < np.float32(low)
    if high is not None:
        failed |= values > np.float32(high)
    return failed
