"""Reads the tags of a label config into a `Form`: its fields and its questions."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b
from typing import Any

from curate.forms.tags import CONTROLS, LOOKS, OBJECTS, PLAIN, Tag, options, read, tree
from curate.records import MARKS, Form, Kind, MediumKind, Question

TIE = "tie"
"""The preference value for neither side."""

MEDIA: dict[str, MediumKind] = {"Image": "image", "Audio": "audio", "Video": "video"}
"""The tags that show a medium, and what each shows."""

MOST_STARS = 100
"""The most stars that a page can be expected to draw."""


def parse_form(xml: str, *, name: str) -> Form:
    """Read a label config. Raises FormError with the tag and its line."""
    tags = read(xml)
    field_of = {tag.get("name"): _variable(tag) for tag in tags if tag.name in OBJECTS}
    objects = {tag.get("name"): tag for tag in tags if tag.name in OBJECTS}
    questions = tuple(_question(tag, objects) for tag in tags if tag.name in CONTROLS)
    if not questions:
        raise tags[0].error("asks nothing", hint=f"add {', '.join(CONTROLS)}")
    fields = tuple(dict.fromkeys(field_of.values()))
    return Form(name, fields, questions, xml, _digest(tags), _media(tags), _meaning(tags))


def meaning_of(xml: str) -> str:
    """The meaning (see `Form`) of a label config that may look as no form of ours may.

    A server takes a key twice, and attributes that we do not know. Raises FormError for no XML.
    """
    return _meaning(tree(xml))


def _media(tags: list[Tag]) -> tuple[tuple[str, MediumKind], ...]:
    """The fields that are media, with their kinds. Raises FormError for one shown as two things."""
    shown: dict[str, str] = {}
    for tag in tags:
        if tag.name in OBJECTS:
            field = _variable(tag)
            if shown.setdefault(field, tag.name) != tag.name:
                raise tag.error(f"shows ${field}, which <{shown[field]}> shows too")
    return tuple((field, MEDIA[name]) for field, name in shown.items() if name in MEDIA)


def _variable(tag: Tag) -> str:
    tag.one_of("granularity", ("symbol", "word", "sentence", "paragraph"), "symbol")
    tag.one_of("decoder", ("webaudio",), "webaudio")
    value = tag.get("value")
    if not re.fullmatch(r"\$\w+", value):
        raise tag.error(f'must show one field, as in value="$text", not {value!r}')
    return value[1:]


def _question(tag: Tag, objects: Mapping[str, Tag]) -> Question:
    name = tag.get("name")
    if not re.fullmatch(r"\w[\w-]*", name):
        raise tag.error(f"cannot be named {name!r}", hint="letters, digits, _ and -")
    targets = [part.strip() for part in tag.get("toName").split(",")]
    for target in targets:
        if target not in objects:
            raise tag.error(f"is about {target}, which the form does not show")
    if len(targets) > 1 and tag.name not in ("Labels", "RectangleLabels", "Pairwise"):
        # measured: the page displays such an answer, but does not store it
        raise tag.error("can be about one thing", hint="name one of them in toName")
    fields = tuple(_variable(objects[target]) for target in targets)
    kind, values, words = _KINDS[tag.name](tag, fields)
    if kind in MARKS:
        kind = _kind_of_marks(tag, [objects[target] for target in targets])
    if kind == "choice" and _compares(values, {*map(_variable, objects.values())}):
        kind = "preference"
    required = tag.attributes.get("required") == "true"
    return Question(name, kind, fields, values, words, required, tag.name, tag.line)


MARKED: dict[tuple[str, str], Kind] = {
    ("Labels", "Text"): "entities",
    ("Labels", "Audio"): "regions",
    ("RectangleLabels", "Image"): "boxes",
}
"""What a tag marks in what another one shows."""


def _kind_of_marks(tag: Tag, targets: Sequence[Tag]) -> Kind:
    """Spans, regions or boxes. Raises FormError for what the page cannot mark there."""
    for target in targets:
        if (tag.name, target.name) not in MARKED:
            name = target.get("name")
            marked = " or ".join(shown for own, shown in MARKED if own == tag.name)
            raise tag.error(f"marks parts of <{marked}>, and {name} is <{target.name}>")
        if tag.name == "RectangleLabels" and target.attributes.get("rotateControl") == "true":
            raise target.error('can be turned, and boxes lie on it: rotateControl="false"')
    kinds = {MARKED[tag.name, target.name] for target in targets}
    if len(kinds) > 1:
        raise tag.error(
            "marks a text and a sound", hint="use two tags, one for the text and one for the sound"
        )
    return kinds.pop()


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


def _boxes(tag: Tag, fields: tuple[str, ...]) -> _Parts:
    tag.one_of("choice", ("single", "multiple"), "single")
    if tag.attributes.get("canRotate") != "false":
        raise tag.error(
            'must have canRotate="false"',
            hint="a turned box has other edges than it is stored with",
        )
    return ("boxes", *options(tag, "Label"))


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
    "RectangleLabels": _boxes,
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
        _words(tag, _asked(tag.attributes))
        for tag in tags
        if tag.name not in ("View", "Style", "Collapse") or _asked(tag.attributes)
    )


def _asked(attributes: Mapping[str, str]) -> dict[str, str]:
    """The attributes that say what is asked, and differ from what holds if nothing is said."""
    asked = {name: value for name, value in attributes.items() if name not in LOOKS}
    if asked.get("choice") == "single-radio":  # one choice, by buttons of another shape
        del asked["choice"]
    return {name: value for name, value in asked.items() if PLAIN.get(name) != value}


def _words(tag: Tag, attributes: Mapping[str, str]) -> list[Any]:
    words = "" if tag.name == "Style" else " ".join(tag.text.split())
    return [tag.name, sorted(attributes.items()), *([words] if words else [])]


def _hash(content: Iterable[list[Any]]) -> str:
    return blake2b(json.dumps([*content]).encode(), digest_size=16).hexdigest()
