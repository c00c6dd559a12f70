"""Reads the tags of a label config into a `Form`: its fields and its questions."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b
from typing import Any

from curate.forms.tags import CONTROLS, LOOKS, OBJECTS, Tag, options, read
from curate.records import Form, Kind, Question

TIE = "tie"
"""The preference value for neither side."""

MOST_STARS = 100
"""The most stars that a page can be expected to draw."""


def parse_form(xml: str, *, name: str) -> Form:
    """Read a label config. Raises FormError with the tag and its line."""
    tags = read(xml)
    field_of = {tag.get("name"): _variable(tag) for tag in tags if tag.name in OBJECTS}
    images = {tag.get("name") for tag in tags if tag.name == "Image"}
    questions = tuple(_question(tag, field_of, images) for tag in tags if tag.name in CONTROLS)
    if not questions:
        raise tags[0].error("asks nothing", hint=f"add {', '.join(CONTROLS)}")
    fields = tuple(dict.fromkeys(field_of.values()))
    pictures = tuple(dict.fromkeys(field_of[image] for image in field_of if image in images))
    return Form(name, fields, questions, xml, _digest(tags), pictures, _meaning(tags))


def _variable(tag: Tag) -> str:
    tag.one_of("granularity", ("symbol", "word", "sentence", "paragraph"), "symbol")
    value = tag.get("value")
    if not re.fullmatch(r"\$\w+", value):
        raise tag.error(f'must show one field, as in value="$text", not {value!r}')
    return value[1:]


def _question(tag: Tag, field_of: dict[str, str], images: set[str]) -> Question:
    name = tag.get("name")
    if not re.fullmatch(r"\w[\w-]*", name):
        raise tag.error(f"cannot be named {name!r}", hint="letters, digits, _ and -")
    targets = [part.strip() for part in tag.get("toName").split(",")]
    for target in targets:
        if target not in field_of:
            raise tag.error(f"is about {target}, which the form does not show")
        if target in images and tag.name == "Labels":
            raise tag.error(f"marks spans of text, and {target} is an image")
    if len(targets) > 1 and tag.name not in ("Labels", "Pairwise"):
        # measured: the page displays such an answer, but does not store it
        raise tag.error("can be about one thing", hint="name one of them in toName")
    fields = tuple(field_of[target] for target in targets)
    kind, values, words = _KINDS[tag.name](tag, fields)
    if kind == "choice" and _compares(values, set(field_of.values())):
        kind = "preference"
    required = tag.attributes.get("required") == "true"
    return Question(name, kind, fields, values, words, required, tag.name, tag.line)


def _compares(values: Sequence[str], fields: set[str]) -> bool:
    """Whether choices are two of the fields, perhaps with a tie: that is a preference."""
    sides = [value for value in values if value != TIE]
    return len(sides) == 2 and fields.issuperset(sides)


_Parts = tuple[Kind, tuple[str, ...], tuple[str, ...]]


def _choices(tag: Tag, fields: tuple[str, ...]) -> _Parts:
    mode = tag.one_of("choice", ("single", "single-radio", "multiple"), "single")
    return ("choices" if mode == "multiple" else "choice", *options(tag, "Choice"))


def _entities(tag: Tag, fields: tuple[str, ...]) -> _Parts:
    tag.one_of("choice", ("single", "multiple"), "single")
    return ("entities", *options(tag, "Label"))


def _rating(tag: Tag, fields: tuple[str, ...]) -> _Parts:
    top = tag.attributes.get("maxRating", "5")
    if not re.fullmatch("[0-9]{1,3}", top) or not 2 <= int(top) <= MOST_STARS:
        raise tag.error(f'maxRating="{top}" is not a number from 2 to {MOST_STARS}')
    values = tuple(str(value) for value in range(1, int(top) + 1))
    return "rating", values, values


def _comment(tag: Tag, fields: tuple[str, ...]) -> _Parts:
    return "comment", (), ()


def _preference(tag: Tag, fields: tuple[str, ...]) -> _Parts:
    if len(set(fields)) != 2 or len(fields) != 2:
        raise tag.error("must compare two fields")
    return "preference", fields, fields


_KINDS = {
    "Choices": _choices,
    "Labels": _entities,
    "Rating": _rating,
    "TextArea": _comment,
    "Pairwise": _preference,
}


def _digest(tags: list[Tag]) -> str:
    """A hash of all that people read, without white space; equal forms have the same one.

    The text of <Style> does not count: looks may change while a round is open.
    """
    return _hash(_words(tag, tag.attributes) for tag in tags)


def _meaning(tags: list[Tag]) -> str:
    """A hash of what is asked, in which words, without the looks: hotkeys, sizes, colours."""
    return _hash(
        _words(tag, {name: tag.attributes[name] for name in tag.attributes if name not in LOOKS})
        for tag in tags
        if tag.name not in ("View", "Style", "Collapse")
    )


def _words(tag: Tag, attributes: Mapping[str, str]) -> list[Any]:
    words = "" if tag.name == "Style" else " ".join(tag.text.split())
    return [tag.name, sorted(attributes.items()), *([words] if words else [])]


def _hash(content: Iterable[list[Any]]) -> str:
    return blake2b(json.dumps([*content]).encode(), digest_size=16).hexdigest()
