"""The parts of a text that the rule sets measure, each computed on first use and shared."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property

from curate import scripts
from curate import text as texts
from curate.clean.detecting import Likely, candidates
from curate.clean.media.seen import NOTHING, Seen
from curate.clean.rules.norms import Norm, norm_of
from curate.clean.rules.tokenizing import Lexicon, counts

_BLANK_LINES = re.compile(r"\n{2,}")
_UNSPACED = re.compile(scripts.UNSPACED)
_LEXICON = Lexicon()


def tidy() -> None:
    """Empty the table of pieces if it is large. Token ids of existing `Features` become invalid."""
    _LEXICON.tidy()


UNSPACED = 0.3
"""From this share of characters of such scripts on, a text counts as written without spaces."""


def unspaced(text: str) -> bool:
    """Whether a text is written without spaces between words."""
    return not text.isascii() and len(_UNSPACED.findall(text)) >= UNSPACED * len(text)


class Features:
    """One text and its parts.

    `language` is the declared one, a BCP 47 tag. After an edit, `origin` is the text before it.
    `detected` is the likeliest language, if a rule set has asked the model.
    `seen` is what was seen of the media beside the text.
    """

    def __init__(
        self,
        text: str,
        language: str | None = None,
        origin: Features | None = None,
        seen: Seen = NOTHING,
    ) -> None:
        self.text = text
        self.seen = seen
        self._declared = language
        self._origin = origin
        self.detected: Likely | None = None

    @cached_property
    def norm(self) -> Norm | None:
        """The norm of the language of the whole text; None if there is none."""
        if self._origin is not None:
            return self._origin.norm
        return norm_of(self.text, self._declared, self._detect)

    def _detect(self, text: str) -> list[Likely]:
        found = candidates(text)
        self.detected = found[0]
        return found

    @property
    def judged_as(self) -> str | None:
        """The language of the norm, if a rule set has asked for it and there is one."""
        norm: Norm | None = self.__dict__.get("norm")
        return norm.language if norm else None

    def edited(self, text: str) -> Features:
        """The text after an edit; its language is that of the whole."""
        return Features(text, origin=self._origin or self, seen=self.seen)

    @cached_property
    def words(self) -> list[str]:
        """The words without marks (see `text.words`)."""
        return texts.words(self.text)

    @cached_property
    def unspaced(self) -> bool:
        """Whether the text is written without spaces between words."""
        return unspaced(self.text)

    @cached_property
    def ideographs(self) -> int:
        """The number of characters that are a word each, and a token each."""
        return scripts.ideographs(self.text)

    @cached_property
    def lines(self) -> list[str]:
        """The lines that are not blank."""
        return [line for line in self.text.split("\n") if line and not line.isspace()]

    @cached_property
    def broken_lines(self) -> list[str]:
        """The text split at runs of line ends.

        A text that begins or ends with a line end has an empty first or last part.
        """
        text = self.text
        parts = text.split("\n")
        inner = [line for line in parts if line]
        if len(inner) == len(parts):
            return parts
        front = [] if parts[0] else [""]
        back = [] if parts[-1] or len(parts) == 1 else [""]
        return [*front, *inner, *back]

    @cached_property
    def paragraphs(self) -> list[str]:
        """The text split at blank lines. An empty text is one paragraph."""
        text = self.text.strip()
        return _BLANK_LINES.split(text) if "\n\n" in text else [text]

    @property
    def lexicon(self) -> Lexicon:
        """The table of pieces, which holds all pieces of this text."""
        self._pieces  # noqa: B018
        return _LEXICON

    @cached_property
    def _pieces(self) -> tuple[list[int], int, int, int]:
        """The token ids; the numbers of words, of their characters, of tokens with a letter."""
        pieces = list(map(_LEXICON.__getitem__, self.text.split()))
        tokens = [token for piece in pieces for token in piece[0]]
        return tokens, *counts(sum([piece[1] for piece in pieces]))

    @cached_property
    def tokens(self) -> list[int]:
        """The ids of the tokens, punctuation included (see `tokenizing`)."""
        return self._pieces[0]

    @property
    def word_tokens(self) -> int:
        """The number of tokens that are more than punctuation."""
        return self._pieces[1]

    @property
    def word_token_chars(self) -> int:
        """The number of characters in `word_tokens`."""
        return self._pieces[2]

    @property
    def lettered_tokens(self) -> int:
        """The number of tokens that hold a letter."""
        return self._pieces[3]

    @cached_property
    def token_lengths(self) -> list[int]:
        """The number of characters of each token."""
        tokens, lengths = self.tokens, _LEXICON.lengths
        return [lengths[token] for token in tokens]

    def count_words(self, spellings: Mapping[str, str]) -> int:
        """The number of words of which a spelling is a token; `spellings` has the word of each."""
        ids, present = _LEXICON.ids, set(self.tokens)
        return len({word for token, word in spellings.items() if ids.get(token) in present})
