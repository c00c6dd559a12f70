"""Label configs: real Label Studio XML, read into a `Form`.

A few tags and attributes are understood, and everything else is refused with its name and line: a
question that we would read wrongly must not reach people (see `forms/tags.py`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from hashlib import blake2b
from typing import Any

from curate.forms.tags import CONTROLS, OBJECTS, Tag, options, read
from curate.records import Form, Kind, Question

TIE = "tie"
"""The preference for neither."""

MOST_STARS = 100
"""The highest rating that a page can be expected to draw."""


def parse_form(xml: str, *, name: str) -> Form:
    """Read a label config. Raises FormError with the tag and its line."""
    tags = read(xml)
    shown = {tag.get("name"): _variable(tag) for tag in tags if tag.name in OBJECTS}
    images = {tag.get("name") for tag in tags if tag.name == "Image"}
    questions = tuple(_question(tag, shown, images) for tag in tags if tag.name in CONTROLS)
    if not questions:
        raise tags[0].error("asks nothing", hint=f"add {', '.join(CONTROLS)}")
    fields = tuple(dict.fromkeys(shown.values()))
    pictures = tuple(dict.fromkeys(shown[image] for image in shown if image in images))
    return Form(name, fields, questions, xml, _digest(tags), pictures)


def _variable(tag: Tag) -> str:
    tag.one_of("granularity", ("symbol", "word", "sentence", "paragraph"), "symbol")
    value = tag.get("value")
    if not re.fullmatch(r"\$\w+", value):
        raise tag.error(f'must show one field, as in value="$text", not {value!r}')
    return value[1:]


def _question(tag: Tag, shown: dict[str, str], images: set[str]) -> Question:
    name = tag.get("name")
    if not re.fullmatch(r"\w[\w-]*", name):
        raise tag.error(f"cannot be named {name!r}", hint="letters, digits, _ and -")
    targets = [part.strip() for part in tag.get("toName").split(",")]
    for target in targets:
        if target not in shown:
            raise tag.error(f"is about {target}, which the form does not show")
        if target in images and tag.name == "Labels":
            raise tag.error(f"marks spans of text, and {target} is an image")
    if len(targets) > 1 and tag.name not in ("Labels", "Pairwise"):
        # measured: such an answer is shown as given, and not stored
        raise tag.error("can be about one thing", hint="name one of them in toName")
    fields = tuple(shown[target] for target in targets)
    kind, values, words = _KINDS[tag.name](tag, fields)
    if kind == "choice" and _compares(values, set(shown.values())):
        kind = "preference"
    required = tag.attributes.get("required") == "true"
    return Question(name, kind, fields, values, words, required, tag.name, tag.line)


def _compares(values: Sequence[str], fields: set[str]) -> bool:
    """Whether choices are two of the fields shown, perhaps beside a tie: that is a preference."""
    sides = [value for value in values if value != TIE]
    return len(sides) == 2 and fields.issuperset(sides)


# ── the config


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
    """Return what makes two forms the same: all that people read, whatever the white space.

    What a <Style> says is no part of it: looks may be mended while a round is open.
    """
    content: list[list[Any]] = []
    for tag in tags:
        words = "" if tag.name == "Style" else " ".join(tag.text.split())
        content.append([tag.name, sorted(tag.attributes.items()), *([words] if words else [])])
    return blake2b(json.dumps(content).encode(), digest_size=16).hexdigest()
