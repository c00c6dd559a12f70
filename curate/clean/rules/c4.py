"""C4's heuristics (Raffel et al. 2020, JMLR 21:140, section 2.2; as their code applies them).

A line is removed if it does not end in a terminal mark, has fewer than three words or a word of
more than 1,000 characters, or mentions JavaScript, cookies or policies. Citation marks, and the
white space around a line, are removed from the other lines. The set returns all this as `edits`.

A page is dropped if fewer than five sentences are left, or if a line that passes the checks of
marks and words says "lorem ipsum" or holds a curly bracket. With `bad_words`, a page that holds any
of them is dropped too.

Written for English. In other languages with a norm (see `norms`) a line may end in any script's
marks of sentences and quotations. In languages without one only `bad_words` are counted. Text
without spaces between words is neither measured nor edited here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from curate.clean.rules.features import Features
from curate.clean.rules.signals import Signal
from curate.clean.rules.tokenizing import PLAIN, TERMINAL, Lexicon, words_of
from curate.errors import RecipeError
from curate.names import absent
from curate.scripts import ENDS, STARTS
from curate.spec import Spec
from curate.text import Edit

if TYPE_CHECKING:
    from curate.workspace import Workspace

MIN_WORDS, MAX_WORD_LENGTH = 3, 1000
POLICIES = (
    *("terms of use", "privacy policy", "cookie policy"),
    *("uses cookies", "use of cookies", "use cookies"),
)

SIGNALS: Mapping[str, Signal] = {
    "lorem_ipsum": Signal("lines that say lorem ipsum", high=0),
    "curly_brackets": Signal("lines that hold a curly bracket", high=0),
    "sentences": Signal("sentences in the lines that stay", low=5),
    "bad_words": Signal("occurrences of the words of a list, where one is given", high=0),
    "lines_kept": Signal("share of the lines, blank ones aside, that stay"),
}

_CITATION = re.compile(r"\[\d*]|\[edit]|\[citation needed]")
_MARKS = (".", "?", "!", '"', "'")
_OTHER_MARKS = (*_MARKS, *sorted(TERMINAL | set("”’»›“‘」")))
"""The marks of a line's end in other languages than English. German closes quotations by “."""


class C4Spec(Spec):
    """The settings of the set `c4`."""

    terminal_marks: Annotated[
        bool, Field(description="Remove lines that do not end in a terminal mark.")
    ] = True
    remove_lines: Annotated[
        bool, Field(description="Remove the lines; otherwise only count what would be left.")
    ] = True
    bad_words: Annotated[
        str | None, Field(description="A file of words, one a line, that no page may hold.")
    ] = None


@dataclass(frozen=True)
class Line:
    """A kept line: its range without the white space around it, and its citation marks."""

    start: int
    end: int
    citations: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True)
class Page:
    """The kept lines of a page, and the counts over them."""

    lines: list[Line]
    sentences: int
    lorem_ipsum: int
    curly_brackets: int


@dataclass(frozen=True)
class Prepared:
    """The settings, with the words of the list in place of its path."""

    terminal_marks: bool = True
    remove_lines: bool = True
    bad_words: tuple[str, ...] | None = None


def prepare(workspace: Workspace, settings: C4Spec) -> Prepared:
    """Read the list of words. Raises RecipeError if its file does not exist."""
    words = None
    if settings.bad_words is not None:
        path = workspace.path(settings.bad_words)
        if not path.is_file():
            raise absent(f"clean.c4.bad_words: no file {path}", path, hint="It has a word a line")
        try:
            lines = path.read_text(encoding="utf-8-sig").lower().split("\n")
        except UnicodeDecodeError:
            raise RecipeError(
                f"clean.c4.bad_words: {path} is not UTF-8", hint="save it as UTF-8"
            ) from None
        words = tuple(sorted({line.strip() for line in lines} - {""}))
    return Prepared(settings.terminal_marks, settings.remove_lines, words)


def measure(features: Features, settings: Prepared) -> tuple[dict[str, float], list[Edit]]:
    """The signals of a text, and the edits that remove lines and citation marks."""
    bad_words = float("nan")
    if settings.bad_words is not None:
        bad_words = len(_any_of(settings.bad_words).findall(features.text.lower()))
    if features.norm is None:
        return dict.fromkeys(SIGNALS, float("nan")) | {"bad_words": bad_words}, []
    page = read(features, terminal_marks=settings.terminal_marks)
    signals = {
        "lorem_ipsum": page.lorem_ipsum,
        "curly_brackets": page.curly_brackets,
        "sentences": page.sentences,
        "bad_words": bad_words,
        "lines_kept": len(page.lines) / (len(features.lines) or 1),
    }
    return signals, removals(features.text, page.lines) if settings.remove_lines else []


def read(features: Features, *, terminal_marks: bool) -> Page:
    """The lines of a text that are kept, and the counts over them."""
    lines: list[Line] = []
    lexicon = features.lexicon
    marks_of_ends = _MARKS if features.norm is None or features.norm.is_english else _OTHER_MARKS
    sentences = lorem = curly = at = 0
    for whole in features.text.splitlines(keepends=True):
        start, at = at, at + len(whole)
        line = whole.strip()
        if not line:
            continue
        bare = _CITATION.sub("", line) if "[" in line else line
        if terminal_marks and (not bare.endswith(marks_of_ends) or bare.endswith("...")):
            continue
        words = words_of(line)
        if len(words) < MIN_WORDS or (
            len(line) > MAX_WORD_LENGTH and max(map(len, words)) > MAX_WORD_LENGTH
        ):
            continue
        lower = bare.lower()
        if "lorem ipsum" in lower:
            lorem += 1
        elif "javascript" in lower:
            continue
        elif "{" in bare:
            curly += 1
        elif any(phrase in lower for phrase in POLICIES):
            continue
        sentences += sentences_in(line.split() if bare is line else lexicon.pieces(bare), lexicon)
        start += whole.index(line)
        marks = [mark.span() for mark in _CITATION.finditer(line)] if bare is not line else ()
        spans = tuple((start + first, start + last) for first, last in marks)
        lines.append(Line(start, start + len(line), spans))
    return Page(lines, sentences, lorem, curly)


def sentences_in(pieces: Sequence[str], lexicon: Lexicon) -> int:
    """The number of sentences in the pieces of a line."""
    count, ended = int(bool(pieces)), False
    endings = lexicon.endings
    for piece in pieces:
        ending = endings.get(piece, PLAIN)
        if ended:
            count += ending[2]
            ended = ending[3]
        else:
            count += ending[0]
            ended = ending[1]
    return count


def removals(text: str, lines: Iterable[Line]) -> list[Edit]:
    """The edits that leave only `lines` of a text, with one line end between two of them."""
    edits: list[Edit] = []
    at = 0
    for line in lines:
        edits += [(first, last, "") for first, last in _gap(text, at, line.start) if first < last]
        edits += [(first, last, "") for first, last in line.citations]
        at = line.end
    return [*edits, (at, len(text), "")] if at < len(text) else edits


def _gap(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield the ranges to remove between two kept lines: all but one line end."""
    if start == 0:
        yield 0, end
        return
    line_end = text.find("\n", start, end)
    if line_end < 0:  # a line end of another kind
        line_end = next(place for place in range(start, end) if text[place].splitlines() == [""])
    yield from ((start, line_end), (line_end + 1, end))


@lru_cache(maxsize=8)
def _any_of(words: tuple[str, ...]) -> re.Pattern[str]:
    """A pattern that matches any of the words as a whole word."""
    choices = "|".join(map(re.escape, words))
    return re.compile(rf"{STARTS}(?:{choices}){ENDS}") if words else re.compile(r"(?!)")
