"""The rule sets there are: what each measures, what it lets pass, and what it removes.

A rule set is a module of its own, named after its paper. It exposes `SIGNALS` (name → what it
says and where a text passes) and `measure`: of one text, in the order of its signals; or of many
at once. One that also takes lines out of a text, or has settings of its own in the recipe, exposes
`prepare(workspace, settings)`, and its `measure(features, prepared)` returns the removals too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from curate.clean.by_source import known, of_source
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
"""Rule sets in order: the same for all sources, or source → its own."""

Removed = list[list[Edit]]
Measure = Callable[[Sequence[Features], Any], tuple["NDArray[np.float64]", Removed]]
"""Texts and what the set has prepared → one row of signals each, and what is removed from each."""


@dataclass(frozen=True)
class Rule:
    """A rule set: its signals in the order of its verdict, and the function that measures them.

    `spaced` says for which scripts it is: with spaces between words, without, or any (None). A
    text of another script is not measured, its signals are NaN, and the set lets it pass.
    """

    signals: Mapping[str, Signal]
    measure: Measure
    spaced: bool | None = None
    prepare: Callable[[Workspace, Any], Any] | None = None

    def fits(self, features: Features) -> bool:
        """Whether the set is for the script of a text."""
        return self.spaced is None or self.spaced is not features.unspaced


def _each(measure: Callable[[Features], Mapping[str, float]]) -> Measure:
    """Measure text by text."""

    def many(batch: Sequence[Features], prepared: Any) -> tuple[NDArray[np.float64], Removed]:
        return _rows([measure(each) for each in batch]), [[] for _ in batch]

    return many


def _each_with(
    measure: Callable[[Features, Any], tuple[Mapping[str, float], list[Edit]]],
) -> Measure:
    """Measure text by text, by what was prepared; removals come with the signals."""

    def many(batch: Sequence[Features], prepared: Any) -> tuple[NDArray[np.float64], Removed]:
        found = [measure(each, prepared) for each in batch]
        return _rows([signals for signals, _ in found]), [removed for _, removed in found]

    return many


def _together(measure: Callable[[Sequence[Features]], NDArray[np.float64]]) -> Measure:
    """Measure many texts at once."""
    return lambda batch, prepared: (measure(batch), [[] for _ in batch])


def _rows(signals: Sequence[Mapping[str, float]]) -> NDArray[np.float64]:
    import numpy as np

    return np.array([[*each.values()] for each in signals], float)


RULES: dict[RuleName, Rule] = {
    "length": Rule(length.SIGNALS, _each(length.measure)),
    "lines": Rule(lines.SIGNALS, _each_with(lines.measure), spaced=True, prepare=lines.prepare),
    "gopher_quality": Rule(gopher_quality.SIGNALS, _each(gopher_quality.measure), spaced=True),
    "gopher_repetition": Rule(
        gopher_repetition.SIGNALS, _together(gopher_repetition.measure), spaced=True
    ),
    "c4": Rule(c4.SIGNALS, _each_with(c4.measure), spaced=True, prepare=c4.prepare),
    "fineweb": Rule(fineweb.SIGNALS, _each(fineweb.measure), spaced=True),
    "code": Rule(code.SIGNALS, _each(code.measure)),
    "cjk": Rule(cjk.SIGNALS, _each(cjk.measure), spaced=False),
}


def prepared(workspace: Workspace, spec: Any) -> tuple[tuple[RuleName, Any], ...]:
    """Return the rule sets that the settings of `clean` name, each with what it has prepared."""
    if isinstance(spec.rules, dict):
        known(workspace, spec.rules, "clean.rules")
    found = []
    for name in named(spec.rules):
        prepare = RULES[name].prepare
        found.append((name, prepare(workspace, getattr(spec, name)) if prepare else None))
    return tuple(found)


def named(rules: Rules) -> tuple[RuleName, ...]:
    """Return every set that some source has."""
    lists = rules.values() if isinstance(rules, dict) else [rules]
    return tuple(dict.fromkeys(name for each in lists for name in each))


def rows_by_rules(rules: Rules, sources: Sequence[str]) -> dict[tuple[RuleName, ...], list[int]]:
    """Return the rows that each list of sets is for, by the source of every row."""
    found: dict[tuple[RuleName, ...], list[int]] = {}
    for row, source in enumerate(sources):
        own = (of_source(rules, source) or ()) if isinstance(rules, dict) else rules
        found.setdefault(own, []).append(row)
    return found


def columns(rules: Iterable[RuleName]) -> dict[str, Signal]:
    """Return the signals of the rule sets by the names of their columns, `rule:signal`."""
    return {
        f"{rule}:{name}": signal for rule in rules for name, signal in RULES[rule].signals.items()
    }


def ranges(rules: Iterable[RuleName]) -> dict[str, Range]:
    """Return where a text passes, by column, in the order of the verdict."""
    return {name: signal.range for name, signal in columns(rules).items()}
