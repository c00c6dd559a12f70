"""The page's language: keys and figures as words, numbers as text."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from curate.report.section import Column, Key, Say
from curate.report.spec import Language
from curate.report.words.columns import COLUMNS
from curate.report.words.sentences import SENTENCES
from curate.report.words.values import VALUES
from curate.report.words.warnings import WARNINGS, listed
from curate.rounding import filled, rounded
from curate.warning import StageWarning

PLACE = {"en": 0, "zh": 1}
"""Where a language stands in a pair of words."""


@dataclass(frozen=True)
class Lexicon:
    """Says keys in one language."""

    language: Language

    @property
    def tag(self) -> str:
        """The language as HTML names it."""
        return "zh-Hans" if self.language == "zh" else "en"

    def say(self, own: Say) -> str:
        """A sentence with its figures. Raises KeyError for a key that has no words."""
        figures = {name: self._figure(value) for name, value in own.figures}
        return filled(SENTENCES[own.key][PLACE[self.language]], figures)

    def paragraph(self, sentences: Sequence[Say]) -> str:
        """Sentences one after the other."""
        return self._sentences([*map(self.say, sentences)])

    def column(self, name: Column) -> str:
        """The heading of a column; one that nobody named stands as it is."""
        if isinstance(name, Say):
            return self.say(name)
        return COLUMNS.get(name, (name, name))[PLACE[self.language]]

    def word(self, key: str) -> str:
        """A word among the values."""
        return VALUES.get(key, (key, key))[PLACE[self.language]]

    def _figure(self, value: Any) -> Any:
        if isinstance(value, Say):
            return self.say(value)
        if isinstance(value, Key):
            return self.word(value)
        if isinstance(value, StageWarning):
            return self.warning(value)
        if isinstance(value, list | tuple):
            if any(isinstance(one, StageWarning) for one in value):
                return self._sentences([*map(self.sentence, value)])
            words = [str(self._figure(one)) for one in value]
            if words and all(map(_is_ended, words)):
                return self._sentences(words)
            return self._listed(words)
        return value

    def _sentences(self, sentences: Sequence[str]) -> str:
        return ("" if self.language == "zh" else " ").join(sentences)

    def sentence(self, own: Any) -> str:
        """What a stage says as a sentence of the page: a capital letter first, a full stop last.

        A name at the beginning, as of a source, keeps its letters.
        """
        words = str(self._figure(own))
        if isinstance(own, StageWarning) and words == own.words and not _begins_with_a_name(own):
            words = words[:1].upper() + words[1:]
        if _is_ended(words):
            return words
        return f"{words}{'。' if self.language == 'zh' else '.'}"

    def _listed(self, words: Sequence[str]) -> str:
        """Words after each other, further apart where one of them has a comma of its own."""
        comma, semicolon = ("、", "；") if self.language == "zh" else (", ", "; ")
        has_comma = any(mark in own for own in words for mark in (",", "，"))
        return (semicolon if has_comma and len(words) > 1 else comma).join(words)

    def shown(self, value: Any) -> str:
        """A value as a table shows it: a dash for None, three decimals for a float."""
        if value is None:
            return "–"
        if isinstance(value, bool):
            return self.word("yes" if value else "no")
        if isinstance(value, int):
            return f"{value:,}"
        if isinstance(value, float):
            return "–" if value != value else rounded(value, ".3f")
        return str(self._figure(value))

    def drawn(self, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Rows of a chart with their keys as words."""
        return [{name: self._figure(value) for name, value in row.items()} for row in rows]

    def warning(self, own: StageWarning) -> str:
        """A sentence of a stage; in its own words where this language has none for its figures."""
        words = WARNINGS.get(own.key) if self.language == "zh" else None
        if words is None:
            return own.words
        try:
            return words(own.figures) if callable(words) else filled(words, _shown(own.figures))
        except (KeyError, ValueError, IndexError, TypeError, AttributeError):
            return own.words  # made by an older version, with other figures


def _begins_with_a_name(own: StageWarning) -> bool:
    """Whether the first word is of a figure of the sentence."""
    values = [
        one
        for value in own.figures.values()
        for one in (value if isinstance(value, list | tuple) else [value])
    ]
    first = own.words.split(maxsplit=1)[0].rstrip(",:;")
    return first in {str(value).split(maxsplit=1)[0] for value in values if str(value).strip()}


def _is_ended(words: str) -> bool:
    return words.endswith((".", "!", "?", "。", "！", "？"))


def _shown(figures: Mapping[str, Any]) -> dict[str, Any]:
    """The figures as Chinese sentences show them: of a list the first names."""
    return {
        name: listed(value) if isinstance(value, list | tuple) else value
        for name, value in figures.items()
    }


def anchor(key: str) -> str:
    """A key as a part of an address."""
    return re.sub(r"[^a-z0-9]+", "-", key.lower()).strip("-")
