"""Label configs: real Label Studio XML, read into a `Form`.

A few tags and attributes are understood, and everything else is refused with its name and line: a
question that we would read wrongly must not reach people (see `forms/tags.py`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Any

from curate.errors import FormError
from curate.forms.tags import CONTROLS, OBJECTS, Tag, options, read
from curate.records import Form, Kind, Question

__all__ = [
    "CONTROLS",
    "OBJECTS",
    "TIE",
    "complaint",
    "folders",
    "known_forms",
    "load_form",
    "parse_form",
]

TIE = "tie"
"""The preference for neither."""

MOST_STARS = 100
"""The highest rating that a page can be expected to draw."""


def folders(workspace: Path | None = None) -> list[Path]:
    """Return where forms are looked for: the workspace's own, then those that come with curate."""
    here = Path(__file__).parent.parent
    shipped = [here.parent / "label_configs", here / "label_configs"]
    own = [workspace / "label_configs"] if workspace else []
    return [folder for folder in (*own, *shipped) if folder.is_dir()]


def known_forms(workspace: Path | None = None) -> dict[str, Path]:
    """Return every form by name; the workspace's own come before those shipped."""
    found: dict[str, Path] = {}
    for folder in folders(workspace):
        for path in sorted(folder.glob("*.xml")):
            found.setdefault(path.stem, path)
    return found


def load_form(name: str, workspace: Path | None = None) -> Form:
    """Return the form of that name, or of that path if it ends in `.xml`."""
    if name.endswith(".xml"):
        path = (workspace or Path()) / name
    else:
        known = known_forms(workspace)
        if name not in known:
            raise FormError(f"no form named {name}", hint=f"there are: {', '.join(known)}")
        path = known[name]
    if not path.is_file():
        raise FormError(f"no form at {path}", hint="`curate forms list` names those there are")
    try:
        return parse_form(path.read_text(encoding="utf-8-sig"), name=path.stem)
    except UnicodeDecodeError:
        raise FormError(f"{path.name} is not in UTF-8", hint="save it as UTF-8") from None
    except FormError as error:
        raise FormError(f"{path.name}, {error.message}", hint=error.hint) from None


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


# ── answers


def complaint(form: Form, question: str, value: Any, fields: Mapping[str, str]) -> str | None:
    """Return what is wrong with an answer, or None; an open answer (None) is never wrong.

    `fields` are the texts as shown. The shapes are the public ones: a choice is a string, choices
    a list of strings, a rating a number, a comment a string, a preference a field, a member or
    `tie`, entities a list of `{"start", "end", "label"}` in code points.
    """
    if question not in (each.name for each in form.questions):
        return f"the form has no question {question}"
    asked = form.question(question)
    return None if value is None else _CHECKS[asked.kind](asked, value, fields)


def _check_choice(asked: Question, value: Any, fields: Mapping[str, str]) -> str | None:
    return None if value in asked.labels else f"{value!r} is none of the choices"


def _check_choices(asked: Question, value: Any, fields: Mapping[str, str]) -> str | None:
    if not isinstance(value, list):
        return "choices are a list"
    wrong = [each for each in value if each not in asked.labels]
    if wrong:
        return f"{wrong[0]!r} is none of the choices"
    twice = [each for each in asked.labels if value.count(each) > 1]
    return f"{twice[0]!r} is chosen twice" if twice else None


def _check_rating(asked: Question, value: Any, fields: Mapping[str, str]) -> str | None:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    top = len(asked.labels)
    known = number and value in range(1, top + 1)
    return None if known else f"{value!r} is no number from 1 to {top}"


def _check_comment(asked: Question, value: Any, fields: Mapping[str, str]) -> str | None:
    return None if isinstance(value, str) else "a comment is text"


def _check_preference(asked: Question, value: Any, fields: Mapping[str, str]) -> str | None:
    known = asked.labels
    return None if value in known else f"{value!r} is none of {', '.join(known)}"


def _check_entities(asked: Question, value: Any, fields: Mapping[str, str]) -> str | None:
    if not isinstance(value, list):
        return "entities are a list"
    for span in value:
        if not isinstance(span, dict) or not {"start", "end", "label"} <= span.keys():
            return "an entity has start, end and label"
        if span["label"] not in asked.labels:
            return f"{span['label']!r} is none of the labels"
        field = span.get("field", asked.fields[0])
        if field not in asked.fields or field not in fields:
            return f"{asked.name} marks no field {field}"
        text, start, end = fields[field], span["start"], span["end"]
        if not (type(start) is type(end) is int and 0 <= start < end <= len(text)):
            return f"the span {start}:{end} does not lie in the text"
    return None


_CHECKS: dict[Kind, Callable[[Question, Any, Mapping[str, str]], str | None]] = {
    "choice": _check_choice,
    "choices": _check_choices,
    "rating": _check_rating,
    "comment": _check_comment,
    "preference": _check_preference,
    "entities": _check_entities,
}


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
