"""What `clean` asked of a document, and how nearly it passed: the bounds beside the values."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from curate.clean.by_source import of_source
from curate.clean.deciding import JUDGED_IN, ByLanguage, outside
from curate.clean.duplicates.spec import PassagesSpec
from curate.clean.instruments import registry
from curate.clean.instruments.contamination import PASSAGE, SHARE
from curate.clean.instruments.registry import UsedInstrument
from curate.clean.instruments.relevance import SCORE
from curate.clean.passages.applying import REASON
from curate.clean.passages.applying import SHARE as PASSAGES
from curate.clean.rules.signals import Range
from curate.clean.spec import CleanSpec
from curate.clean.verdicts import limits_by_language, limits_of
from curate.trace.results import Check
from curate.workspace import Workspace

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class Asked:
    """What the table clean was decided by: the ranges of signals, and the instruments in order."""

    spec: CleanSpec
    limits: Mapping[str, Range]
    by_language: ByLanguage
    instruments: tuple[UsedInstrument, ...]

    @staticmethod
    def of(workspace: Workspace) -> Asked:
        """As the record of the table says; instruments are settled by the table itself."""
        spec = CleanSpec.model_validate(dict(workspace.tables.made("clean").spec))
        settled = registry.deciding(spec, workspace.tables.shards("clean"))
        return Asked(spec, limits_of(spec), limits_by_language(spec), tuple(settled))

    def checks(self, measured: pa.Table) -> Iterator[Check]:
        """Yield every check of a document, in the order of the verdict.

        `measured` is its row: id, source, license, language and batch of the pool, and the row of
        clean.
        """
        row = measured.to_pylist()[0]
        rules = self.spec.rules
        own = (of_source(rules, row["source"]) or ()) if isinstance(rules, dict) else rules
        for rule in own:
            for signal, bounds in self.limits.items():
                if signal.split(":")[0] == rule:
                    own_bounds = self.by_language.get(signal, {}).get(row.get(JUDGED_IN), bounds)
                    yield _signal(signal, row.get(signal), own_bounds)
        for used in self.instruments:
            yield from _instrument(used, measured, row)
        if self.spec.near is not None or self.spec.semantic is not None:
            yield _near(self.spec, row)
        if self.spec.passages is not None:
            yield _passages(self.spec.passages, row)


def _signal(name: str, value: float | None, bounds: Range) -> Check:
    import numpy as np

    low, high = bounds
    if value is None or math.isnan(value):
        return Check(name, None, low, high, None, passes=True)
    failed = bool(outside(np.array([value], np.float32), bounds)[0])
    margins = _margins(value, np.float32, low, high)
    return Check(name, value, low, high, min(margins, default=None), passes=not failed)


def _margins(value: float, kind: Any, low: float | None, high: float | None) -> list[float]:
    """The distances to the bounds, at the precision in which they are compared."""
    sides = [
        None if low is None else value - kind(low),
        None if high is None else kind(high) - value,
    ]
    return [float(side) for side in sides if side is not None]


def _instrument(
    used: UsedInstrument, measured: pa.Table, row: Mapping[str, Any]
) -> Iterator[Check]:
    """Yield the check of an instrument: with a number where it has one, else in words."""
    settings: Any = used.settings
    passes = not bool(used.instrument.fails(measured, settings)[0])
    if used.name == "contamination":
        yield from _contaminated(row, settings)
    elif used.name == "relevance":
        value, low = _number(row[SCORE]), settings.min
        margin = None if low is None or value is None else value - low
        yield Check(SCORE, value, low, None, margin, passes)
    elif used.name == "privacy":
        kinds = {name: row[name] for name in row if name.startswith("privacy:") and row[name]}
        told = ", ".join(f"{name.removeprefix('privacy:')} {kinds[name]:g}" for name in kinds)
        dropped = ", ".join(settings.kinds("drop"))
        yield Check("privacy", told or "nothing found", None, None, None, passes, _none_of(dropped))
    else:
        value = row[used.name]
        yield Check(used.name, value, None, None, None, passes, _allowed(settings, row["source"]))


def _contaminated(row: Mapping[str, Any], settings: Any) -> Iterator[Check]:
    """Yield the largest share of an item, and the longest passage, each beside its limit."""
    for name, high in ((SHARE, settings.share), (PASSAGE, settings.passage)):
        value = row.get(name)
        if value is not None and high is not None:
            yield Check(name, value, None, high, high - value, passes=value < high)


def _number(value: float | None) -> float | None:
    return None if value is None or math.isnan(value) else value


def _none_of(kinds: str) -> str | None:
    return f"none of {kinds}" if kinds else None


def _allowed(settings: Any, source: str) -> str | None:
    """The languages or licences that pass in a source; None where all do."""
    allow: Mapping[str, Sequence[str]] | Sequence[str] | None = settings.allow
    own = of_source(allow, source) if isinstance(allow, Mapping) else allow
    return ", ".join(own) if own else None


def _near(spec: CleanSpec, row: Mapping[str, Any]) -> Check:
    """Whether a document went as a near-duplicate of another, by its words or its meaning.

    Where both were looked for, the table does not say which it was: there is no bound then.
    """
    meaning = spec.semantic.similarity if spec.semantic is not None else None
    words = spec.near.similarity if spec.near is not None else None
    bounds = [own for own in (words, meaning) if own is not None]
    bound, similarity = bounds[0] if len(bounds) == 1 else None, row["similarity"]
    margin = None if similarity is None or bound is None else bound - similarity
    passes = row["reason"] != "near_duplicate"
    return Check("near_duplicate", similarity, None, bound, margin, passes)


def _passages(spec: PassagesSpec, row: Mapping[str, Any]) -> Check:
    """The share of a document that others hold too, and whether it went because little was left."""
    passes = row["reason"] != REASON
    asked = f"keeps {spec.least:,} words or more" if spec.action == "remove" else None
    return Check(PASSAGES, _number(row.get(PASSAGES)), None, None, None, passes, asked)
