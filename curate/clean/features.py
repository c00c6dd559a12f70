"""What the rule sets measure a text by: words, lines, paragraphs, made once and shared."""

from __future__ import annotations

import re
from functools import cached_property

from curate import text as texts

_BLANK_LINES = re.compile(r"\n{2,}")


class Features:
    """One text and what is made of it, each part when it is first asked for."""

    def __init__(self, text: str) -> None:
        self.text = text

    @cached_property
    def words(self) -> list[str]:
        """The words; in scripts without spaces every character is one."""
        return texts.words(self.text)

    @cached_property
    def lines(self) -> list[str]:
        """The lines that are not blank."""
        return [line for line in self.text.split("\n") if line.strip()]

    @cached_property
    def paragraphs(self) -> list[str]:
        """The parts between blank lines."""
        return [part for part in _BLANK_LINES.split(self.text.strip()) if part]
