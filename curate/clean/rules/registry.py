"""All rule sets: what each measures, what it lets pass, and what it removes.

A rule set is a module, most often named after its paper. `SIGNALS` maps a signal's name to its
meaning and range. `measure` measures one text, in the order of `SIGNALS`, or many texts at once. A
rule set that removes lines, or has settings in the recipe, also has `prepare(workspace, settings)`.
Its `measure(features, prepared)` returns the removals too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from curate.clean.by_source import check_sources, of_source
from curate.clean.rules import (
    c4,
    cjk,
    code,
    fineweb,
    gopher_quality,
    gopher_repetition,
    length,
    lines,
)
from curate.clean.rules.features import Features
from curate.clean.rules.signals import Range, Signal
from curate.text import Edit

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from curate.workspace import Workspace

RuleName = Literal[
    "length", "lines", "gopher_quality", "gopher_repetition", "c4", "fineweb", "code", "cjk"
]

Rules = tuple[RuleName, ...] | dict[str, tuple[RuleName, ...]]
"""Rule sets in order: one list for all sources, or one per source."""

Removals = list[list[Edit]]
Measure = Callable[[Sequence[Features], Any], tuple["NDArray[np.float64]", Removals]]
"""Texts and the set's prepared value → signals (texts, signals), and the edits of each text."""


@dataclass(frozen=True)
class Rule:
    """A rule set: its signals in the order of its verdict, and the function that measures them.

    `spaced` is the kind of script it is for: with spaces between words, without, or any (None). If
    it is `normed`, it is for languages that have a norm, and for any otherwise. Another text is not
    measured: its signals are NaN, and it passes.
    """

    signals: Mapping[str, Signal]
    measure: Measure
    spaced: bool | None = None
    normed: bool = False
    prepare: Callable[[Workspace, Any], Any] | None = None

    def fits(self, features: Features) -> bool:
        """Whether the rule set is for the script and the language of a text."""
        if self.spaced is not None and self.spaced is features.unspaced:
            return False
        return not self.normed or features.norm is not None


def _per_text(measure: Callable[[Features], Mapping[str, float]]) -> Measure:
    """Turn a function of one text into a `Measure` without edits."""

    def many(batch: Sequence[Features], prepared: Any) -> tuple[NDArray[np.float64], Removals]:
        return _rows([measure(features) for features in batch]), [[] for _ in batch]

    return many


def _per_text_with_edits(
    measure: Callable[[Features, Any], tuple[Mapping[str, float], list[Edit]]],
) -> Measure:
    """Turn a function of one text and the prepared value into a `Measure`."""

    def many(batch: Sequence[Features], prepared: Any) -> tuple[NDArray[np.float64], Removals]:
        results = [measure(features, prepared) for features in batch]
        return _rows([signals for signals, _ in results]), [edits for _, edits in results]

    return many


def _together(measure: Callable[[Sequence[Features]], NDArray[np.float64]]) -> Measure:
    """Turn a function of many texts into a `Measure` without edits."""
    return lambda batch, prepared: (measure(batch), [[] for _ in batch])


def _rows(signals: Sequence[Mapping[str, float]]) -> NDArray[np.float64]:
    import numpy as np

    return np.array([[*row.values()] for row in signals], float)


RULES: dict[RuleName, Rule] = {
    "length": Rule(length.SIGNALS, _per_text(length.measure)),
    "lines": Rule(
        lines.SIGNALS, _per_text_with_edits(lines.measure), spaced=True, prepare=lines.prepare
    ),
    "gopher_quality": Rule(
        gopher_quality.SIGNALS, _per_text(gopher_quality.measure), spaced=True, normed=True
    ),
    "gopher_repetition": Rule(
        gopher_repetition.SIGNALS, _together(gopher_repetition.measure), spaced=True
    ),
    "c4": Rule(c4.SIGNALS, _per_text_with_edits(c4.measure), spaced=True, prepare=c4.prepare),
    "fineweb": Rule(fineweb.SIGNALS, _per_text(fineweb.measure), spaced=True, normed=True),
    "code": Rule(code.SIGNALS, _per_text(code.measure)),
    "cjk": Rule(cjk.SIGNALS, _per_text(cjk.measure), spaced=False),
}


def prepared(workspace: Workspace, spec: Any) -> tuple[tuple[RuleName, Any], ...]:
    """The rule sets that the settings of `clean` name, each with its prepared value."""
    if isinstance(spec.rules, dict):
        check_sources(workspace, spec.rules, "clean.rules")
    rule_sets = []
    for name in named(spec.rules):
        prepare = RULES[name].prepare
        rule_sets.append((name, prepare(workspace, getattr(spec, name)) if prepare else None))
    return tuple(rule_sets)


def named(rules: Rules) -> tuple[RuleName, ...]:
    """Every rule set of any source, once, in order."""
    lists = rules.values() if isinstance(rules, dict) else [rules]
    return tuple(dict.fromkeys(name for names in lists for name in names))


def rows_by_rules(rules: Rules, sources: Sequence[str]) -> dict[tuple[RuleName, ...], list[int]]:
    """The rows for each list of rule sets. `sources` has the source of every row."""
    rows: dict[tuple[RuleName, ...], list[int]] = {}
    for row, source in enumerate(sources):
        names = (of_source(rules, source) or ()) if isinstance(rules, dict) else rules
        rows.setdefault(names, []).append(row)
    return rows


def columns(rules: Iterable[RuleName]) -> dict[str, Signal]:
    """The signals of the rule sets by column name, `rule:signal`."""
    return {
        f"{rule}:{name}": signal for rule in rules for name, signal in RULES[rule].signals.items()
    }


def ranges(rules: Iterable[RuleName]) -> dict[str, Range]:
    """The range in which a text passes, by column, in the order of the verdict."""
    return {name: signal.range for name, signal in columns(rules).items()}
