"""A form as Argilla's fields and questions, and what Argilla cannot express; no SDK.

    Text      text field, plain            choice, preference   label question
    Image     image field                  choices              multi-label question
    Audio     a player in a text field     comment              text question
    Video     a player in a text field     entities             span question about one text
    Header    a question's title           rating               rating question, 1 to 10 at most
    Style     nothing

Two things differ from Label Studio; `remarks` names them. Argilla needs at least one required
question: if the form requires none, the one that burdens people least becomes required. If that is
a list of choices, it gets one more choice, for none of them.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator, Mapping
from hashlib import blake2b
from typing import Any
from xml.etree import ElementTree

from curate.areas import EDGES
from curate.backends.strong import readable
from curate.errors import FormError
from curate.records import MARKS, Form, Question

NAME, TITLE, DESCRIPTION, VALUE, TEXT = 200, 500, 1000, 200, 500
"""The most characters in a name, a title, a description, and an option's value and text."""

OPTIONS = 500
"""The most options that a question may have, unless the server was set up otherwise."""

VISIBLE = 3
"""With this many options or more, a question can say how many to show at once: we say all."""

TOP = 10
"""The highest possible rating."""

LEAST_BURDEN = (MARKS, ("choice", "rating", "preference"), ("choices",), ("comment",))
"""The order of kinds in which to require a question if the form requires none. Marking nothing is
an answer, a single choice nearly always has one, and choices get one more for none."""

Body = dict[str, Any]


def refusals(form: Form) -> tuple[str, ...]:
    """What Argilla cannot express of a form, with tag and line; empty if it can express all."""
    return tuple(_refusals(form))


def check(form: Form) -> None:
    """Raise FormError if Argilla cannot express the form."""
    for refusal in refusals(form):
        raise FormError(refusal, hint="change the form, or send it to another backend")


def remarks(form: Form) -> tuple[str, ...]:
    """What will differ on Argilla from what the form says."""
    return tuple(_remarks(form))


def _remarks(form: Form) -> Iterator[str]:
    question = made_required(form)
    if question is not None and question.kind == "choices":
        words = _word_for_none(question)
        yield f"{question.name} also offers “{words}”: Argilla requires an answer to it"
    elif question is not None and question.kind != "entities":
        yield f"{question.name} must be answered: Argilla wants one question that must be"
    names = [other.name for other in form.questions if other.name not in required(form)]
    spans = [other.name for other in form.questions if other.kind == "entities"]
    if names:
        yield f"can be submitted empty: {', '.join(names)}"
    if spans:
        yield f"cannot be answered by keyboard: {', '.join(spans)}"


def made_required(form: Form) -> Question | None:
    """The question that becomes required on Argilla; None if the form itself requires one."""
    if any(question.required for question in form.questions):
        return None
    candidates = (
        question for kinds in LEAST_BURDEN for question in form.questions if question.kind in kinds
    )
    return next(candidates)


def required(form: Form) -> frozenset[str]:
    """The names of the questions that must be answered."""
    compulsory = made_required(form)
    return frozenset(
        question.name for question in form.questions if question.required or question == compulsory
    )


def none_of_these(form: Form) -> tuple[str, str] | None:
    """The name of the question that gets a choice for none, and that choice's value; or None."""
    question = made_required(form)
    if question is None or question.kind != "choices":
        return None
    value = "none"
    while value in question.labels:
        value += "_"
    return question.name, value


def settings(form: Form) -> dict[str, list[Body]]:
    """The form's fields and questions as the server takes them. Raises FormError."""
    check(form)
    titles = _titles(form)
    return {
        "fields": [_field(form, name, titles) for name in form.fields],
        "questions": [_question(form, question, titles) for question in form.questions],
    }


def same(expected: Mapping[str, Any], actual: Any) -> bool:
    """Whether the server's JSON has all that is expected; it adds ids, times and defaults."""
    if isinstance(expected, Mapping):
        return isinstance(actual, Mapping) and all(
            name in actual and same(value, actual[name]) for name, value in expected.items()
        )
    if isinstance(expected, list):
        if not isinstance(actual, list) or len(actual) != len(expected):
            return False
        return all(same(*pair) for pair in zip(expected, actual, strict=True))
    return bool(expected == actual)


def without_looks(body: Body) -> Body:
    """A question without what changes its looks alone: how many options it shows at once."""
    settings = body["settings"]
    shown = {name: value for name, value in settings.items() if name != "visible_options"}
    return {**body, "settings": shown}


# ── what cannot be expressed


def _refusals(form: Form) -> Iterator[str]:
    for name in form.fields:
        if len(name) > NAME:
            yield f"the field ${name[:40]}… has a name of more than {NAME} characters"
    span_fields: set[str] = set()
    none_choice = none_of_these(form)
    for question in form.questions:
        extra = 1 if none_choice and none_choice[0] == question.name else 0
        for complaint in _complaints(question, span_fields, extra):
            yield f"line {question.line}: <{question.tag}> {complaint}, which Argilla cannot do"
        if question.kind == "entities":
            span_fields.update(question.fields)


def _complaints(question: Question, span_fields: set[str], extra: int) -> Iterator[str]:
    """Yield what Argilla cannot do.

    `span_fields` have a span question already; `extra` is the number of choices for none.
    """
    if question.kind in EDGES:
        yield "draws boxes on pictures" if question.kind == "boxes" else "marks regions of sounds"
    if not 0 < len(question.name) <= NAME:
        yield f"has a name of {len(question.name)} characters"
    if question.kind == "entities" and len(question.fields) > 1:
        yield f"marks spans in {len(question.fields)} texts"
    if question.kind == "entities" and span_fields & set(question.fields):
        yield f"marks spans in ${question.fields[0]}, as another does"
    if question.kind == "rating" and len(question.labels) > TOP:
        yield f"rates up to {len(question.labels)}, above {TOP}"
    if question.kind in ("choice", "choices", "entities", "preference"):
        yield from _option_complaints(question, extra)


def _option_complaints(question: Question, extra: int) -> Iterator[str]:
    least, number = 1 if question.kind == "entities" else 2, len(question.labels) + extra
    if number < least:
        yield f"offers {number} option"
    if number > OPTIONS:
        yield f"offers {number} options, more than {OPTIONS}"
    for value, text in zip(question.labels, question.shown, strict=True):
        if not value or not text:
            yield "offers an option without a word"
        if len(value) > VALUE or len(text) > TEXT:
            yield f"offers “{text[:40]}…”, an option of {max(len(value), len(text))} characters"


# ── fields and questions


def _field(form: Form, name: str, titles: Mapping[str, str]) -> Body:
    medium = form.medium(name)
    plays = medium in ("audio", "video")
    type_settings: Body = {"type": "text", "use_markdown": plays}
    if medium == "image":
        type_settings = {"type": "image"}
    title = titles.get(f"${name}") or _spoken(name)
    return {"name": name, "title": title[:TITLE], "required": True, "settings": type_settings}


def _question(form: Form, question: Question, titles: Mapping[str, str]) -> Body:
    """A question as the server takes it.

    The page shows a hint only as an icon, so the hint is the title of a question without a header.
    """
    hint = _attributes(form, question.name).get("placeholder", "").strip()
    body: Body = {
        "name": question.name,
        "title": (titles.get(question.name) or hint or _spoken(question.name))[:TITLE],
        "required": question.name in required(form),
        "settings": _SETTINGS[question.kind](form, question, titles),
    }
    if hint and question.name in titles:
        body["description"] = html.escape(hint)[:DESCRIPTION]  # the page reads it as HTML
    return body


def _choice(form: Form, question: Question, titles: Mapping[str, str]) -> Body:
    return {"type": "label_selection", **_options(question)}


def _preference(form: Form, question: Question, titles: Mapping[str, str]) -> Body:
    """A choice between the compared fields, named by their titles on the page."""
    if question.tag != "Pairwise":
        return _choice(form, question, titles)
    field_titles = {name: titles.get(f"${name}") or _spoken(name) for name in question.labels}
    options = [{"value": name, "text": title} for name, title in field_titles.items()]
    return {"type": "label_selection", "options": options}


def _choices(form: Form, question: Question, titles: Mapping[str, str]) -> Body:
    none_choice = none_of_these(form)
    extra = {}
    if none_choice and none_choice[0] == question.name:
        extra = {none_choice[1]: _word_for_none(question)}
    return {
        "type": "multi_label_selection",
        "options_order": "natural",
        **_options(question, extra),
    }


def _entities(form: Form, question: Question, titles: Mapping[str, str]) -> Body:
    """A span question; spans may overlap, as on Label Studio."""
    target = {"field": question.fields[0], "allow_overlapping": True}
    return {"type": "span", **target, **_options(question)}


def _rating(form: Form, question: Question, titles: Mapping[str, str]) -> Body:
    return {"type": "rating", "options": [{"value": int(label)} for label in question.labels]}


def _comment(form: Form, question: Question, titles: Mapping[str, str]) -> Body:
    return {"type": "text", "use_markdown": False}


_SETTINGS: dict[str, Callable[[Form, Question, Mapping[str, str]], Body]] = {
    "choice": _choice,
    "choices": _choices,
    "rating": _rating,
    "comment": _comment,
    "entities": _entities,
    "preference": _preference,
}


def _options(question: Question, extra: Mapping[str, str] | None = None) -> Body:
    pairs = [*zip(question.labels, question.shown, strict=True), *(extra or {}).items()]
    options = [{"value": value, "text": text} for value, text in pairs]
    visible = {"visible_options": len(options)} if len(options) >= VISIBLE else {}
    return {"options": options, **visible}


def _word_for_none(question: Question) -> str:
    chinese = any("\u4e00" <= letter <= "\u9fff" for word in question.shown for letter in word)
    return "以上都不是" if chinese else "None of these"


# ── titles


def _titles(form: Form) -> dict[str, str]:
    """The titles of questions, by name, and of fields, by `$` and name.

    A question takes the nearest header before it in its own view or one around it, unless another
    question took it. A field takes the header before it in a view without questions.
    """
    questions = {question.name for question in form.questions}
    fields = {f"${name}" for name in form.fields}
    titles: dict[str, str] = {}
    headers: list[str] = []

    def walk(view: ElementTree.Element) -> None:
        asks = any(element.get("name") in questions for element in view.iter())
        headers.append("")
        for element in view:
            if element.tag == "Header":
                headers[-1] = " ".join(element.get("value", "").split())
            elif element.get("name") in questions:
                if title := next(filter(None, reversed(headers)), ""):
                    titles[element.attrib["name"]] = title
                    headers[:] = [""] * len(headers)
            elif element.get("value") in fields:
                if headers[-1] and not asks:
                    titles.setdefault(element.attrib["value"], headers[-1])
            else:
                walk(element)
        headers.pop()

    root = ElementTree.Element("View")
    root.append(ElementTree.fromstring(form.xml))
    walk(root)
    return titles


def _spoken(name: str) -> str:
    """A name as a title: `response_a` is “Response a”."""
    words = name.replace("_", " ").strip() or name
    return words[0].upper() + words[1:]


def _attributes(form: Form, name: str) -> Mapping[str, str]:
    """The attributes of the tag with that name."""
    tags = ElementTree.fromstring(form.xml).iter()
    return next((tag.attrib for tag in tags if tag.get("name") == name), {})


# ── project names and guidelines


def slug(name: str, length: int = 120) -> str:
    """A project's name as Argilla takes it: letters, digits, `-` and `_`; still unique.

    A name that must change starts with a digest of the whole name. Its end, which names the round,
    is kept.
    """
    plain = re.sub("[^A-Za-z0-9_-]+", "-", name).strip("-_")
    if plain == name and len(name) <= length:
        return name
    mark = blake2b(name.encode(), digest_size=4).hexdigest()
    return f"{mark}-{plain[-(length - len(mark) - 1) :]}".rstrip("-")


def guide(markdown: str) -> str:
    """The guidelines with HTML tags escaped: the page sanitises HTML only after it has run.

    Within code an escape would be shown as it is, so the tag is broken by a space without width.
    """
    return re.sub(
        rf"({_CODE})|{_TAG}",
        lambda part: re.sub(_TAG, "<\u200b", part[0]) if part[1] else "&lt;",
        readable(markdown),
        flags=re.DOTALL,
    )


_TAG = "<(?=[A-Za-z/!?])"
_CODE = r"(?<!`)(`+)(?!`).+?(?<!`)\2(?!`)"
