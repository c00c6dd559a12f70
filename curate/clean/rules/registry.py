"""All rule sets: what each measures, what it lets pass, and what it removes.

A rule set is a module, most often named after its paper. `SIGNALS` maps a signal's name to its
meaning and range. `measure` measures one text, in the order of `SIGNALS`, or many texts at once. A
rule set that removes lines, or has settings in the recipe, also has `prepare(workspace, settings)`.
Its `measure(features, prepared)` returns the removals too. A rule set for media has `see` in the
place of `measure`: see `curate.clean.media.looking`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from curate.clean.by_source import check_sources, of_source
from curate.clean.media.looking import Look
from curate.clean.rules import (
    audio,
    c4,
    caption,
    cjk,
    clip,
    code,
    fineweb,
    gopher_quality,
    gopher_repetition,
    image,
    length,
    lines,
    nudity,
    speech,
    video,
    writing,
)
from curate.clean.rules.features import Features
from curate.clean.rules.signals import Range, Signal
from curate.media.medium import Kind
from curate.text import Edit

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from curate.workspace import Workspace

RuleName = Literal[
    "length",
    "lines",
    "gopher_quality",
    "gopher_repetition",
    "c4",
    "fineweb",
    "code",
    "cjk",
    "image",
    "audio",
    "video",
    "caption",
    "speech",
    "nudity",
    "writing",
    "clip",
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
    measured: its signals are NaN, and it passes. Neither is a document of media alone, unless the
    set looks at such media (`look`). A set for captions measures texts that stand `beside` media.
    """

    signals: Mapping[str, Signal]
    measure: Measure
    spaced: bool | None = None
    normed: bool = False
    prepare: Callable[[Workspace, Any], Any] | None = None
    look: Look | None = None
    beside: bool = False

    def fits(self, features: Features) -> bool:
        """Whether the rule set is for a document: its media, or the script and language."""
        kinds = features.seen.kinds
        if self.look is not None:
            return self.look.name in features.seen.values
        if (kinds and not features.text.strip()) or (self.beside and not kinds):
            return False
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


def _seen(look: Look, prepare: Callable[[Workspace, Any], Any] | None = None) -> Rule:
    """The rule set that tells what was seen before."""

    def many(batch: Sequence[Features], prepared: Any) -> tuple[NDArray[np.float64], Removals]:
        values = [features.seen.values[look.name] for features in batch]
        return _rows([{name: row[name] for name in look.signals} for row in values]), [
            [] for _ in batch
        ]

    return Rule(look.signals, many, prepare=prepare, look=look)


def _rows(signals: Sequence[Mapping[str, float]]) -> NDArray[np.float64]:
    import numpy as np

    return np.array([[*row.values()] for row in signals], float)


PICTURES: tuple[Kind, ...] = ("image", "video")

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
    "image": _seen(Look("image", ("image",), image.SIGNALS, image.see), image.prepare),
    "audio": _seen(Look("audio", ("audio",), audio.SIGNALS, audio.see)),
    "video": _seen(Look("video", ("video",), video.SIGNALS, video.see)),
    "caption": Rule(caption.SIGNALS, _per_text(caption.measure), beside=True),
    "speech": _seen(Look("speech", ("audio",), speech.SIGNALS, speech.see), speech.prepare),
    "nudity": _seen(Look("nudity", PICTURES, nudity.SIGNALS, nudity.see), nudity.prepare),
    "writing": _seen(Look("writing", PICTURES, writing.SIGNALS, writing.see), writing.prepare),
    "clip": _seen(Look("clip", PICTURES, clip.SIGNALS, clip.see), clip.prepare),
}


def prepared(workspace: Workspace, spec: Any) -> tuple[tuple[RuleName, Any], ...]:
    """The rule sets that the settings of `clean` name, each with its prepared value."""
    if isinstance(spec.rules, dict):
        check_sources(workspace, spec.rules, "clean.rules")
    rule_sets = []
    for name in named(spec.rules):
        prepare = RULES[name].prepare
        settings = getattr(spec, name, None)
        rule_sets.append((name, prepare(workspace, settings) if prepare else None))
    return tuple(rule_sets)


def named(rules: Rules) -> tuple[RuleName, ...]:
    """Every rule set of any source, once, in order."""
    lists = rules.values() if isinstance(rules, dict) else [rules]
    return tuple(dict.fromkeys(name for names in lists for name in names))


def looks(rules: Iterable[RuleName], prepared: Mapping[RuleName, Any]) -> tuple[Look, ...]:
    """The rule sets among these that look at media, each with its prepared value."""
    sets = ((RULES[name].look, prepared[name]) for name in rules)
    return tuple(replace(look, prepared=value) for look, value in sets if look is not None)


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
