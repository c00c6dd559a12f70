"""C4's heuristics (Raffel et al. 2020, JMLR 21:140, section 2.2; as their code applies them).

Lines go that do not end in a terminal mark, have fewer than three words or one of more than 1,000
characters, or speak of JavaScript, cookies or policies; marks of citations go from the others, and
so does the white space around them. What is left is what the set's `edits` leave. A page goes that
has fewer than five sentences left, or that says "lorem ipsum" or holds a curly bracket in a line
that ends and is long enough; with `bad_words`, one that holds any of them.

Written for text with spaces between words: what has none is neither measured nor edited here.
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
from curate.clean.rules.tokenizing import PLAIN, Lexicon
from curate.errors import RecipeError
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


class C4Spec(Spec):
    """How C4's lines and words are looked at."""

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
    """A line that stays: its range without the white space around it, and its citation marks."""

    start: int
    end: int
    citations: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True)
class Page:
    """What C4 makes of a page."""

    lines: list[Line]
    sentences: int
    lorem_ipsum: int
    curly_brackets: int


@dataclass(frozen=True)
class Prepared:
    """The settings, with the list of words read."""

    terminal_marks: bool = True
    remove_lines: bool = True
    bad_words: tuple[str, ...] | None = None


def prepare(workspace: Workspace, settings: C4Spec) -> Prepared:
    """Read the list of words. Raises RecipeError where there is none."""
    words = None
    if settings.bad_words is not None:
        path = workspace.path(settings.bad_words)
        if not path.is_file():
            raise RecipeError(f"clean.c4.bad_words: no file {path}", hint="one word a line")
        lines = path.read_text(encoding="utf-8").lower().split("\n")
        words = tuple(sorted({line.strip() for line in lines} - {""}))
    return Prepared(settings.terminal_marks, settings.remove_lines, words)


def measure(features: Features, settings: Prepared) -> tuple[dict[str, float], list[Edit]]:
    """Return the signals of a text, and what the set removes from it."""
    page = read(features, terminal_marks=settings.terminal_marks)
    found = {
        "lorem_ipsum": page.lorem_ipsum,
        "curly_brackets": page.curly_brackets,
        "sentences": page.sentences,
        "bad_words": float("nan"),
        "lines_kept": len(page.lines) / (len(features.lines) or 1),
    }
    if settings.bad_words is not None:
        found["bad_words"] = len(_listed(settings.bad_words).findall(features.text.lower()))
    return found, removals(features.text, page.lines) if settings.remove_lines else []


def read(features: Features, *, terminal_marks: bool) -> Page:
    """Return the lines of a text that stay, and what is counted over them."""
    kept: list[Line] = []
    lexicon = features.lexicon
    sentences = lorem = curly = at = 0
    for whole in features.text.splitlines(keepends=True):
        start, at = at, at + len(whole)
        line = whole.strip()
        if not line:
            continue
        bare = _CITATION.sub("", line) if "[" in line else line
        if terminal_marks and (not bare.endswith(_MARKS) or bare.endswith("...")):
            continue
        words = line.split()
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
        sentences += sentences_in(words if bare is line else lexicon.pieces(bare), lexicon)
        start += whole.index(line)
        marks = [mark.span() for mark in _CITATION.finditer(line)] if bare is not line else ()
        spans = tuple((start + first, start + last) for first, last in marks)
        kept.append(Line(start, start + len(line), spans))
    return Page(kept, sentences, lorem, curly)


def sentences_in(pieces: Sequence[str], lexicon: Lexicon) -> int:
    """Return the number of sentences in the pieces of a line."""
    count, ended = int(bool(pieces)), False
    endings = lexicon.endings
    for piece in pieces:
        after = endings.get(piece, PLAIN)
        if ended:
            count += after[2]
            ended = after[3]
        else:
            count += after[0]
            ended = after[1]
    return count


def removals(text: str, lines: Iterable[Line]) -> list[Edit]:
    """Return the edits that leave `lines` alone, with one line end between two of them."""
    edits: list[Edit] = []
    at = 0
    for line in lines:
        edits += [(first, last, "") for first, last in _gap(text, at, line.start) if first < last]
        edits += [(first, last, "") for first, last in line.citations]
        at = line.end
    return [*edits, (at, len(text), "")] if at < len(text) else edits


def _gap(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield what goes between two lines that stay: all but one line end."""
    if start == 0:
        yield 0, end
        return
    stays = text.find("\n", start, end)
    if stays < 0:  # a line end of another kind
        stays = next(place for place in range(start, end) if text[place].splitlines() == [""])
    yield from ((start, stays), (stays + 1, end))


@lru_cache(maxsize=8)
def _listed(words: tuple[str, ...]) -> re.Pattern[str]:
    listed = "|".join(map(re.escape, words))
    return re.compile(rf"(?<!\w)(?:{listed})(?!\w)") if words else re.compile(r"(?!)")
