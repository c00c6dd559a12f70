"""A summary for a law: numbered points, what is known of each, and what is a gap.

A value of plain words: they are quoted when they are written as Markdown, all of them. A gap is
what no table knows. It is marked, counted, and never guessed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from curate.cards.quoting import cell, inline, table
from curate.rounding import rounded

GAP = "GAP"
"""What marks a gap in the text."""

Row = tuple[str, ...]


@dataclass(frozen=True)
class Rows:
    """A table: a head, rows, and how many of the first columns hold words."""

    head: Row
    rows: tuple[Row, ...]
    words: int = 1


@dataclass(frozen=True)
class Point:
    """A point that a law asks for: its number and title, what is known, and what is not."""

    number: str
    title: str
    known: tuple[str, ...] = ()
    rows: Rows | None = None
    gaps: tuple[str, ...] = ()


@dataclass(frozen=True)
class Summary:
    """A whole summary; `about` says what it is, for which law."""

    title: str
    about: tuple[str, ...]
    points: tuple[Point, ...]

    @property
    def gaps(self) -> int:
        """How many gaps are left to fill."""
        return sum(len(point.gaps) for point in self.points)


def markdown(summary: Summary) -> str:
    """The summary as Markdown."""
    return "\n".join([f"# {inline(summary.title)}\n", *_opening(summary), *_points(summary)])


def _opening(summary: Summary) -> Iterator[str]:
    yield from (f"{inline(words)}\n" for words in summary.about)
    gaps = f"{summary.gaps} gaps are" if summary.gaps != 1 else "1 gap is"
    yield f"**{GAP}** marks what no table knows: {gaps} left to be filled in by hand.\n"


def _points(summary: Summary) -> Iterator[str]:
    for point in summary.points:
        depth = "###" if "." in point.number else "##"
        yield f"{depth} {inline(point.number)} {inline(point.title)}\n"
        yield from (f"{inline(words)}\n" for words in point.known)
        if point.rows and point.rows.rows:
            rows = [list(map(cell, row)) for row in point.rows.rows]
            yield table(point.rows.head, rows, point.rows.words)
        yield from (f"**{GAP}:** {inline(words)}\n" for words in point.gaps)


def shares(counts: Mapping[str, int], total: int, what: str, unknown: str, most: int) -> Rows:
    """Counts of tokens as a table: the largest, at most `most`; an empty name is `unknown`."""
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    rows = tuple(
        (name or unknown, percent(count, total), f"{count:,}") for name, count in ordered[:most]
    )
    return Rows((what, "share of tokens", "tokens"), rows)


def percent(part: int, whole: int) -> str:
    """A share, to two digits behind the point."""
    return rounded(part / max(1, whole), ".2%")


def listed(names: Iterable[str], most: int = 10) -> str:
    """Names with commas between, and how many more there are."""
    all_names: Sequence[str] = list(names)
    more = len(all_names) - most
    return ", ".join(all_names[:most]) + (f" and {more:,} more" if more > 0 else "")
