"""Edits of a document, placed in the texts that it is made of: messages, or columns of a row.

A mask has its place if it lies whole within one of these texts. Else the document is refused: it is
never exported unmasked. A removed line is taken out of every text that it reaches into.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from curate.errors import DataError
from curate.text import Edit, apply_edits

Range = tuple[int, int]
"""A half-open range of code points of a document's canonical text."""

Words = Mapping[str, str]
"""What is masked: the words, and what stands in their place."""


class NoPlace(ValueError):
    """A mask that lies in none of the texts alone."""


def edits_within(ranges: Sequence[Range], edits: Sequence[Edit]) -> list[list[Edit]]:
    """The edits of each range, in code points of the range. Raises NoPlace for a mask without one.

    Ranges do not overlap. An empty removal changes nothing.
    """
    placed: list[list[Edit]] = [[] for _ in ranges]
    for start, end, replacement in edits:
        inside = [n for n, (low, high) in enumerate(ranges) if low <= start and end <= high]
        if replacement and not inside:
            raise NoPlace(f"a mask from {start} to {end} is not within one text")
        for number in inside[:1] if replacement else range(len(ranges)):
            low, high = ranges[number]
            first, last = max(start, low) - low, min(end, high) - low
            if replacement or first < last:
                placed[number].append((first, last, replacement))
    return placed


def edited_parts(text: str, ranges: Sequence[Range], edits: Sequence[Edit]) -> list[str]:
    """The text of each range after the edits. Raises NoPlace for a mask that lies in none."""
    if not edits:
        return [text[low:high] for low, high in ranges]
    placed = edits_within(ranges, edits)
    return [
        apply_edits(text[low:high], own) for (low, high), own in zip(ranges, placed, strict=True)
    ]


def masked_words(text: str, edits: Sequence[Edit]) -> dict[str, str]:
    """What the masks of a document cover, the longest first."""
    words = {text[start:end]: new for start, end, new in edits if new and text[start:end].strip()}
    return {word: words[word] for word in sorted(words, key=len, reverse=True)}


def masked(value: Any, words: Words) -> Any:
    """A value of JSON in which the same words are masked too, wherever they stand.

    Raises NoPlace if a key holds them.
    """
    if isinstance(value, str):
        for word, new in words.items():
            value = value.replace(word, new)
        return value
    if isinstance(value, Mapping):
        if any(word in str(key) for key in value for word in words):
            raise NoPlace("masked words stand in the name of a column")
        return {key: masked(item, words) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [masked(item, words) for item in value]
    return value


def refused(id: str, where: str, setting: str) -> DataError:
    """The error of a document whose edits have no place."""
    return DataError(
        f"{id}: an edit of `clean` cannot be placed in {where}",
        hint=f"leave `{setting}` out, or keep the document out by a rule of `clean`",
    )
