"""The rule sets there are: what each measures, what it lets pass, and what it removes.

A rule set is a module of its own, named after its paper. It exposes `SIGNALS` (name → what it
says and where a text passes) and `measure(features)`; one that also takes lines out of a text
exposes `removes(features)`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from curate.clean import gopher_repetition, length
from curate.clean.features import Features
from curate.clean.signals import Range, Signal
from curate.text import Edit

RuleName = Literal["length", "gopher_repetition"]


@dataclass(frozen=True)
class Rule:
    """A rule set: its signals in the order of its verdict, and the function that measures them."""

    signals: Mapping[str, Signal]
    measure: Callable[[Features], Mapping[str, float]]
    removes: Callable[[Features], list[Edit]] | None = None


RULES: dict[RuleName, Rule] = {
    "length": Rule(length.SIGNALS, length.measure),
    "gopher_repetition": Rule(gopher_repetition.SIGNALS, gopher_repetition.measure),
}


def columns(rules: Iterable[RuleName]) -> dict[str, Signal]:
    """Return the signals of the rule sets by the names of their columns, `rule:signal`."""
    return {
        f"{rule}:{name}": signal for rule in rules for name, signal in RULES[rule].signals.items()
    }


def ranges(rules: Iterable[RuleName]) -> dict[str, Range]:
    """Return where a text passes, by column, in the order of the verdict."""
    return {name: signal.range for name, signal in columns(rules).items()}
