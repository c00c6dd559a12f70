"""Spans of another tool, brought into the text that people saw: the canonical one, as it is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from curate.pull.formats.made import Made
from curate.pull.joining import Target
from curate.pull.offsets import Marked, Range, place, respelled, units_of
from curate.records import Form
from curate.text import canonical, canonical_offset

WORDS = "text"
"""The key under which a span has its words on its way home."""


def marked_in(made: Made, target: Target, form: Form) -> Iterator[Marked]:
    """Yield the spans of a row whose offsets may count several things."""
    if made.loose:
        return
    for question in form.questions:
        value = made.answers.get(question.name)
        if question.kind == "entities" and isinstance(value, list):
            for span in filter(_is_span, value):
                text = _text(span, made, target, question.fields[0])
                yield Marked(text, span["start"], span["end"], span.get(WORDS))


def at_home(value: Any, made: Made, target: Target, default: str, reading: str) -> Any:
    """Spans of a tool as spans of what people saw. `reading` is what the offsets count."""
    if not isinstance(value, list):
        return value
    return [_span(span, made, target, default, reading) for span in value]


def _is_span(span: Any) -> bool:
    return isinstance(span, dict) and all(type(span.get(end)) is int for end in ("start", "end"))


def _text(span: Mapping[str, Any], made: Made, target: Target, default: str) -> str:
    """The text that a span is of: the tool's own, or what people saw."""
    name = span.get("field") or default
    return made.texts.get(name, target.view.fields.get(name, ""))


def _span(span: Any, made: Made, target: Target, default: str, reading: str) -> Any:
    if not isinstance(span, dict):
        return span
    plain = {name: value for name, value in span.items() if name != WORDS}
    if not _is_span(span):
        return plain
    name = span.get("field") or default
    text = target.view.fields.get(name, "")
    start, end = _edges(span, made, target, default, reading)
    if made.loose:
        start, end = _among_letters(canonical(made.texts.get(name, text)), text, start, end)
    return {**plain, "start": start, "end": end}


def _edges(
    span: Mapping[str, Any], made: Made, target: Target, default: str, reading: str
) -> Range:
    """The place of a span in the canonical text; where there is none, its offsets as they are."""
    name = span.get("field") or default
    raw, text = _text(span, made, target, default), target.view.fields.get(name, "")
    own: Range = (span["start"], span["end"])
    own = own if made.loose else place(units_of(reading, raw), *own) or own
    start, end = (canonical_offset(raw, edge) for edge in own)
    if made.loose or canonical(raw) == text:
        return start, end
    return respelled(canonical(raw), text, start, end) or (start, end)


def _among_letters(loose: str, text: str, start: int, end: int) -> Range:
    """The place in `text` of a range of `loose`, which has the same letters."""
    places = [at for at, letter in enumerate(text) if not letter.isspace()]
    before = len("".join(loose[:start].split()))
    within = len("".join(loose[start:end].split()))
    if not within or before + within > len(places):
        return start, end
    return places[before], places[before + within - 1] + 1


def is_same_text(made: Made, target: Target, fields: Iterable[str]) -> bool:
    """Whether the tool had the text of these fields, as far as it says what it had.

    How accents are composed does not count, nor does white space where the tool cut it away.
    """
    for name in fields:
        raw, text = made.texts.get(name), target.view.fields.get(name, "")
        if raw is None:
            continue
        own = canonical(raw)
        if made.loose and "".join(own.split()) != "".join(text.split()):
            return False
        if not made.loose and own != text and respelled(own, text, 0, len(own)) is None:
            return False
    return True
