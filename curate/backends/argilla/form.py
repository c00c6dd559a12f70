"""A form as Argilla's fields and questions: what it shows, what it asks, what it cannot; no SDK.

    Text      text field, plain            choice, preference   label question
    Image     image field                  choices              multi-label question
    Header    a question's title           rating               rating question, 1 to 10 at most
    Style     nothing                      comment              text question
                                           entities             span question about one text

Two things differ from Label Studio, and `remarks` says so. Argilla wants at least one question to
be required: if the form requires none, the one is taken that this burdens least. Where that is a
list of choices, it gets one more, for none of them.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator, Mapping
from hashlib import blake2b
from typing import Any
from xml.etree import ElementTree

from curate.errors import FormError
from curate.records import Form, Question

NAME, TITLE, DESCRIPTION, VALUE, TEXT = 200, 500, 1000, 200, 500
"""How many characters the server takes in names and titles, and in an option's value and text."""

OPTIONS = 500
"""How many options a question may have, unless the server was set up otherwise."""

VISIBLE = 3
"""From how many options on the server may be told how many to show at once: we say all."""

TOP = 10
"""The highest rating there can be."""

LEAST_BURDEN = (("entities",), ("choice", "rating", "preference"), ("choices",), ("comment",))
"""Which kind of question to require if the form requires none: having marked nothing is an answer,
a single choice nearly always is one, and choices get another for none."""

Body = dict[str, Any]


def refusals(form: Form) -> tuple[str, ...]:
    """Return what Argilla cannot express of a form, with tag and line; nothing if it can all."""
    return tuple(_refusals(form))


def check(form: Form) -> None:
    """Raise FormError if Argilla cannot express the form."""
    for refusal in refusals(form):
        raise FormError(refusal, hint="change the form, or send it to another backend")


def remarks(form: Form) -> tuple[str, ...]:
    """Return what will be different on Argilla from what the form says."""
    burdened = compelled(form)
    if burdened is None or burdened.kind == "entities":
        return ()
    if burdened.kind == "choices":
        words = _word_for_none(burdened)
        return (f"{burdened.name} also offers “{words}”: Argilla requires an answer to it",)
    return (f"{burdened.name} must be answered: Argilla wants one question that must be",)


def compelled(form: Form) -> Question | None:
    """Return the question that is required though the form does not say so; None if none is."""
    if any(question.required for question in form.questions):
        return None
    found = (each for kinds in LEAST_BURDEN for each in form.questions if each.kind in kinds)
    return next(found)


def required(form: Form) -> frozenset[str]:
    """Return the names of the questions that must be answered."""
    burdened = compelled(form)
    return frozenset(each.name for each in form.questions if each.required or each == burdened)


def none_of_these(form: Form) -> tuple[str, str] | None:
    """Return the question that offers one more choice for none, and that choice's value."""
    burdened = compelled(form)
    if burdened is None or burdened.kind != "choices":
        return None
    value = "none"
    while value in burdened.labels:
        value += "_"
    return burdened.name, value


def settings(form: Form) -> dict[str, list[Body]]:
    """Return the form's fields and questions as the server takes them. Raises FormError."""
    check(form)
    titles = _titles(form)
    return {
        "fields": [_field(form, name, titles) for name in form.fields],
        "questions": [_question(form, each, titles) for each in form.questions],
    }


def same(wanted: Mapping[str, Any], found: Any) -> bool:
    """Whether what the server has says all that is wanted; it adds ids, times and defaults."""
    if isinstance(wanted, Mapping):
        return isinstance(found, Mapping) and all(
            name in found and same(value, found[name]) for name, value in wanted.items()
        )
    if isinstance(wanted, list):
        if not isinstance(found, list) or len(found) != len(wanted):
            return False
        return all(same(*pair) for pair in zip(wanted, found, strict=True))
    return bool(wanted == found)


# ── what cannot be expressed


def _refusals(form: Form) -> Iterator[str]:
    for name in form.fields:
        if len(name) > NAME:
            yield f"the field ${name[:40]}… has a name of more than {NAME} characters"
    marked: set[str] = set()
    nothing = none_of_these(form)
    for question in form.questions:
        more = 1 if nothing and nothing[0] == question.name else 0
        for complaint in _complaints(question, marked, more):
            yield f"line {question.line}: <{question.tag}> {complaint}, which Argilla cannot do"
        if question.kind == "entities":
            marked.update(question.fields)


def _complaints(question: Question, marked: set[str], more: int) -> Iterator[str]:
    """Yield what cannot be; `marked` are texts that others mark, `more` is the choice of none."""
    if not 0 < len(question.name) <= NAME:
        yield f"has a name of {len(question.name)} characters"
    if question.kind == "entities" and len(question.fields) > 1:
        yield f"marks spans in {len(question.fields)} texts"
    if question.kind == "entities" and marked & set(question.fields):
        yield f"marks spans in ${question.fields[0]}, as another does"
    if question.kind == "rating" and len(question.labels) > TOP:
        yield f"rates up to {len(question.labels)}, above {TOP}"
    if question.kind in ("choice", "choices", "entities", "preference"):
        yield from _option_complaints(question, more)


def _option_complaints(question: Question, more: int) -> Iterator[str]:
    least, options = 1 if question.kind == "entities" else 2, len(question.labels) + more
    if options < least:
        yield f"offers {options} option"
    if options > OPTIONS:
        yield f"offers {options} options, more than {OPTIONS}"
    for value, text in zip(question.labels, question.shown, strict=True):
        if not value or not text:
            yield "offers an option without a word"
        if len(value) > VALUE or len(text) > TEXT:
            yield f"offers “{text[:40]}…”, an option of {max(len(value), len(text))} characters"


# ── fields and questions


def _field(form: Form, name: str, titles: Mapping[str, str]) -> Body:
    image = name in form.images
    kind: Body = {"type": "image"} if image else {"type": "text", "use_markdown": False}
    title = titles.get(f"${name}") or _spoken(name)
    return {"name": name, "title": title[:TITLE], "required": True, "settings": kind}


def _question(form: Form, question: Question, titles: Mapping[str, str]) -> Body:
    """Return a question; its hint, of which the page shows but a sign, is its title if need be."""
    hint = _attributes(form, question.name).get("placeholder", "").strip()
    body: Body = {
        "name": question.name,
        "title": (titles.get(question.name) or hint or _spoken(question.name))[:TITLE],
        "required": question.name in required(form),
        "settings": _SETTINGS[question.kind](form, question, titles),
    }
    if hint and question.name in titles:
        body["description"] = html.escape(hint)[:DESCRIPTION]  # the page takes it as HTML
    return body


def _choice(form: Form, question: Question, titles: Mapping[str, str]) -> Body:
    return {"type": "label_selection", **_options(question)}


def _preference(form: Form, question: Question, titles: Mapping[str, str]) -> Body:
    """Return a choice between the fields compared, by the titles that they are shown under."""
    if question.tag != "Pairwise":
        return _choice(form, question, titles)
    shown = {name: titles.get(f"${name}") or _spoken(name) for name in question.labels}
    options = [{"value": name, "text": text} for name, text in shown.items()]
    return {"type": "label_selection", "options": options}


def _choices(form: Form, question: Question, titles: Mapping[str, str]) -> Body:
    nothing = none_of_these(form)
    more = {}
    if nothing and nothing[0] == question.name:
        more = {nothing[1]: _word_for_none(question)}
    return {
        "type": "multi_label_selection",
        "options_order": "natural",
        **_options(question, more),
    }


def _entities(form: Form, question: Question, titles: Mapping[str, str]) -> Body:
    """Return a span question; spans may overlap, as they may on Label Studio."""
    where = {"field": question.fields[0], "allow_overlapping": True}
    return {"type": "span", **where, **_options(question)}


def _rating(form: Form, question: Question, titles: Mapping[str, str]) -> Body:
    return {"type": "rating", "options": [{"value": int(each)} for each in question.labels]}


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


def _options(question: Question, more: Mapping[str, str] | None = None) -> Body:
    pairs = [*zip(question.labels, question.shown, strict=True), *(more or {}).items()]
    options = [{"value": value, "text": text} for value, text in pairs]
    all_of_them = {"visible_options": len(options)} if len(options) >= VISIBLE else {}
    return {"options": options, **all_of_them}


def _word_for_none(question: Question) -> str:
    chinese = any("\u4e00" <= letter <= "\u9fff" for word in question.shown for letter in word)
    return "以上都不是" if chinese else "None of these"


def guide(markdown: str) -> str:
    """Return guidelines in which no HTML is left: the page sanitises it only after it has run."""
    return re.sub("<(?=[A-Za-z/!?])", "&lt;", markdown)


# ── titles


def _titles(form: Form) -> dict[str, str]:
    """Return the titles of questions, by name, and of fields, by `$` and name.

    A question takes the nearest header before it that stands in its view or in one around it,
    unless a question has taken that. A field takes the header before it in a view that asks
    nothing.
    """
    questions = {question.name for question in form.questions}
    fields = {f"${name}" for name in form.fields}
    titles: dict[str, str] = {}
    headers: list[str] = []

    def walk(view: ElementTree.Element) -> None:
        asks = any(each.get("name") in questions for each in view.iter())
        headers.append("")
        for each in view:
            if each.tag == "Header":
                headers[-1] = " ".join(each.get("value", "").split())
            elif each.get("name") in questions:
                if title := next(filter(None, reversed(headers)), ""):
                    titles[each.attrib["name"]] = title
                    headers[:] = [""] * len(headers)
            elif each.get("value") in fields:
                if headers[-1] and not asks:
                    titles.setdefault(each.attrib["value"], headers[-1])
            else:
                walk(each)
        headers.pop()

    root = ElementTree.Element("View")
    root.append(ElementTree.fromstring(form.xml))
    walk(root)
    return titles


def _spoken(name: str) -> str:
    """Return a name as a title: `response_a` is “Response a”."""
    words = name.replace("_", " ").strip() or name
    return words[0].upper() + words[1:]


def _attributes(form: Form, name: str) -> Mapping[str, str]:
    """Return the attributes of the tag of that name."""
    tags = ElementTree.fromstring(form.xml).iter()
    return next((tag.attrib for tag in tags if tag.get("name") == name), {})


# ── names


def slug(name: str, length: int = 120) -> str:
    """Return a project's name as Argilla takes it: letters, digits, `-` and `_`; still unique.

    A name that must be changed is marked with a digest of the whole; its end, which says the
    round, is kept.
    """
    plain = re.sub("[^A-Za-z0-9_-]+", "-", name).strip("-_")
    if plain == name and len(name) <= length:
        return name
    mark = blake2b(name.encode(), digest_size=4).hexdigest()
    return f"{mark}-{plain[-(length - len(mark) - 1) :]}".rstrip("-")
