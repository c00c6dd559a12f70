"""The rule sets there are: what each measures, what it lets pass, and what it removes.

A rule set is a module of its own, named after its paper. It exposes `SIGNALS` (name → what it
says and where a text passes) and `measure(features)`, which returns the signals in their order.
One that also takes lines out of a text, or has settings of its own in the recipe, exposes
`prepare(workspace, settings)` and `measure(features, prepared)`, which returns the removals too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from curate.clean import c4, fineweb, gopher_quality, gopher_repetition, length
from curate.clean.features import Features
from curate.clean.signals import Range, Signal
from curate.text import Edit

if TYPE_CHECKING:
    from curate.workspace import Workspace

RuleName = Literal["length", "gopher_quality", "gopher_repetition", "c4", "fineweb"]

Measure = Callable[[Features, Any], tuple[Mapping[str, float], list[Edit]]]


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


def _plain(measure: Callable[[Features], Mapping[str, float]]) -> Measure:
    return lambda features, prepared: (measure(features), [])


RULES: dict[RuleName, Rule] = {
    "length": Rule(length.SIGNALS, _plain(length.measure)),
    "gopher_quality": Rule(gopher_quality.SIGNALS, _plain(gopher_quality.measure), spaced=True),
    "gopher_repetition": Rule(
        gopher_repetition.SIGNALS, _plain(gopher_repetition.measure), spaced=True
    ),
    "c4": Rule(c4.SIGNALS, c4.measure, spaced=True, prepare=c4.prepare),
    "fineweb": Rule(fineweb.SIGNALS, _plain(fineweb.measure), spaced=True),
}


def prepared(workspace: Workspace, spec: Any) -> tuple[tuple[RuleName, Any], ...]:
    """Return the rule sets that the settings of `clean` name, each with what it has prepared."""
    found = []
    for name in spec.rules:
        prepare = RULES[name].prepare
        found.append((name, prepare(workspace, getattr(spec, name)) if prepare else None))
    return tuple(found)


def columns(rules: Iterable[RuleName]) -> dict[str, Signal]:
    """Return the signals of the rule sets by the names of their columns, `rule:signal`."""
    return {
        f"{rule}:{name}": signal for rule in rules for name, signal in RULES[rule].signals.items()
    }


def ranges(rules: Iterable[RuleName]) -> dict[str, Range]:
    """Return where a text passes, by column, in the order of the verdict."""
    return {name: signal.range for name, signal in columns(rules).items()}
