"""Conversion between Label Studio's results and our values; no server, no SDK.

    kind         result item                                                  value
    choice       choices    {"choices": ["news"]}                             "news"
    choices      choices    {"choices": ["spam", "toxic"]}                    ["spam", "toxic"]
    rating       rating     {"rating": 4}                                     4
    comment      textarea   {"text": ["good"]}                                "good"
    entities     labels     {"start": 6, "end": 12, "labels": ["PERSON"]}     [{"start", "end", "label"}]
    regions      labels     {"start": 0.5, "end": 2, "labels": ["speech"]}    [{"start", "end", "label"}]
    boxes        rectanglelabels  see `areas.py`                              [{"x", "y", "width", …}]
    preference   pairwise   {"selected": "right"}                             the second field's name
                 choices    {"choices": ["tie"]}                              "tie"

The server checks none of this. Offsets are Python code points of the pushed text (measured in the
browser on hostile texts). The `text` beside them is not reliable, so it is not read.
"""  # noqa: E501

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from xml.etree import ElementTree

from curate.areas import EDGES
from curate.backends.label_studio import page
from curate.backends.label_studio.areas import Unreadable, read_areas, write_area
from curate.backends.label_studio.client import RECORD
from curate.errors import DataError
from curate.forms import brief, brief_name, complaint
from curate.forms.tags import OBJECTS
from curate.records import MARKS, Annotation, Form, Question, Suggestion

Item = Mapping[str, Any]
Texts = Mapping[str, str]

TYPES = {
    "Choices": "choices",
    "Rating": "rating",
    "TextArea": "textarea",
    "Labels": "labels",
    "RectangleLabels": "rectanglelabels",
    "Pairwise": "pairwise",
}
"""Tag → the type of its result items."""

SIDES = ("left", "right")


def refusals(form: Form) -> tuple[str, ...]:
    """The reasons why Label Studio cannot ask a form as it is meant; empty if it can.

    Measured: the server cannot require marks or Pairwise: people may submit without an answer.
    """
    reasons = [
        f"line {question.line}: <{question.tag}> {question.name} is required, "
        "and people can leave it open"
        for question in form.questions
        if question.required and (question.kind in MARKS or question.tag == "Pairwise")
    ]
    if RECORD in form.fields:
        reasons.append(f"a field cannot be named {RECORD}: it holds curate's ids")
    return (*reasons, *page.refusals(form))


def remarks(form: Form) -> tuple[str, ...]:
    """What may surprise people about spans; measured: a run of Chinese counts as one word."""
    span_questions = [question for question in form.questions if question.kind == "entities"]
    span_fields = {field for question in span_questions for field in question.fields}
    return tuple(
        f"what is marked in ${field} grows to a whole {tag.attrib['granularity']}"
        + (", as which a run of Chinese counts" if tag.attrib["granularity"] == "word" else "")
        for tag in ElementTree.fromstring(form.xml).iter("Text")
        if (field := tag.attrib["value"].removeprefix("$")) in span_fields
        and tag.attrib.get("granularity", "symbol") != "symbol"
    )


def read_result(form: Form, result: Any, texts: Texts) -> dict[str, tuple[Any, str | None]]:
    """Question → its value, and what is wrong with it (None if nothing is).

    Every question of the form is there, with None if it was left open. Selecting nothing in a
    multi-choice or span question is an answer: an empty list. Spans are in order. A wrong value
    stays as the server has it. A value for no question of the form stands under its own name, with
    a complaint.
    """
    if not isinstance(result, list) or not all(isinstance(item, dict) for item in result):
        wrong = "the result is not a list of answers"
        return {question.name: (result, wrong) for question in form.questions}
    by_name: dict[str, list[Item]] = {question.name: [] for question in form.questions}
    for item in result:
        by_name.setdefault(str(item.get("from_name") or item.get("type")), []).append(item)
    return {name: _read(form, name, items, texts) for name, items in by_name.items()}


def _read(form: Form, name: str, items: list[Item], texts: Texts) -> tuple[Any, str | None]:
    if name not in (question.name for question in form.questions):
        return items, f"the form does not ask {brief_name(name)}"
    question = form.question(name)
    try:
        value = _value(form, question, items)
    except Unreadable as unreadable:
        return items, str(unreadable)
    wrong = complaint(form, name, value, texts)
    return (items, wrong) if wrong else (value, None)


def _value(form: Form, question: Question, items: list[Item]) -> Any:
    expected = TYPES[question.tag]
    for item in items:
        if item.get("type") != expected or not isinstance(item.get("value"), dict):
            raise Unreadable(
                f"{question.name} is answered by {brief_name(item.get('type'))}, not {expected}"
            )
    if question.kind == "entities":
        return _entities(form, question, items)
    if question.kind in EDGES:
        return read_areas(question, items, shown_fields(form))
    if question.kind == "choices" and not items:
        return []
    if len(items) > 1:
        raise Unreadable(f"{question.name} is answered {len(items)} times")
    return _READERS[_shape(question)](question, items[0]["value"]) if items else None


def _shape(question: Question) -> str:
    return "choices" if question.kind == "choices" else question.tag


def _one(values: Any, what: str) -> Any:
    if not isinstance(values, list) or len(values) != 1:
        raise Unreadable(f"{brief(values)} is not one {what}")
    return values[0]


def _choice(question: Question, value: Item) -> Any:
    return _one(value.get("choices"), "choice")


def _choices(question: Question, value: Item) -> Any:
    """The choices in the form's order, whatever the order of the clicks; may be empty."""
    choices = value.get("choices")
    if not isinstance(choices, list) or not all(isinstance(choice, str) for choice in choices):
        raise Unreadable(f"{brief(choices)} is not a list of choices")
    in_form = [label for label in question.labels if label in choices]
    return in_form + [choice for choice in choices if choice not in question.labels]


def _rating(question: Question, value: Item) -> Any:
    return value.get("rating")


def _comment(question: Question, value: Item) -> Any:
    lines = value.get("text")
    lines = [lines] if isinstance(lines, str) else lines
    if not isinstance(lines, list) or not all(isinstance(line, str) for line in lines):
        raise Unreadable(f"{brief(lines)} is not a text")
    return "\n".join(lines) or None


def _preference(question: Question, value: Item) -> Any:
    selected = value.get("selected")
    return dict(zip(SIDES, question.labels, strict=True)).get(str(selected), selected)


def _entities(form: Form, question: Question, items: list[Item]) -> list[dict[str, Any]]:
    """The spans in order; an empty list if the person marked none."""
    fields = shown_fields(form)
    spans: list[dict[str, Any]] = []
    for item in items:
        value, labels = item["value"], item["value"].get("labels")
        if not isinstance(labels, list) or not labels:
            raise Unreadable("a span has no label")
        span = {"start": value.get("start"), "end": value.get("end")}
        if type(span["start"]) is not int or type(span["end"]) is not int:
            raise Unreadable(f"the span {brief([span['start'], span['end']])} has no whole offsets")
        field = {"field": fields.get(str(item.get("to_name")))} if len(form.fields) > 1 else {}
        spans.extend({**span, "label": label, **field} for label in labels)
    return sorted(spans, key=lambda span: (span["start"], span["end"], str(span["label"])))


_READERS: dict[str, Callable[[Question, Item], Any]] = {
    "Choices": _choice,
    "choices": _choices,
    "Rating": _rating,
    "TextArea": _comment,
    "Pairwise": _preference,
}


# ── from our values to results


def write_prediction(
    form: Form, suggestions: Sequence[Suggestion], texts: Texts, model: str
) -> dict[str, Any]:
    """Suggestions as one prediction. Raises DataError for one that does not fit the form.

    A project shows the predictions of only one model version, so all go under one name.
    """
    names = [suggestion.question for suggestion in suggestions]
    items: list[dict[str, Any]] = []
    for suggestion in suggestions:
        wrong = complaint(form, suggestion.question, suggestion.value, texts)
        if wrong is None and names.count(suggestion.question) > 1:
            wrong = f"two suggestions for {suggestion.question}"
        if wrong:
            raise DataError(f"a suggestion cannot be shown: {wrong}")
        items += write_items(form, suggestion.question, suggestion.value)
    scores = [suggestion.score for suggestion in suggestions if suggestion.score is not None]
    prediction: dict[str, Any] = {"model_version": model, "result": items}
    return {**prediction, "score": min(scores)} if scores else prediction


def write_annotation(form: Form, answers: Sequence[Annotation]) -> dict[str, Any]:
    """One person's answers to one task, as the server stores them."""
    skipped = all(answer.status != "submitted" for answer in answers)
    items: list[dict[str, Any]] = []
    for answer in () if skipped else answers:
        items += write_items(form, answer.question, answer.value)
    seconds = [answer.seconds for answer in answers if answer.seconds is not None]
    annotation: dict[str, Any] = {"result": items, "was_cancelled": skipped}
    return {**annotation, "lead_time": max(seconds)} if seconds else annotation


def write_items(form: Form, name: str, value: Any) -> list[dict[str, Any]]:
    """The result items of a value; none for an open answer or an empty one."""
    question = form.question(name)
    tags = {field: tag for tag, field in reversed(shown_fields(form).items())}
    if value in (None, "", []):
        return []
    if question.kind in MARKS:
        values = [
            (tags[mark.get("field") or question.fields[0]], _mark(question, mark)) for mark in value
        ]
    else:
        target = name if question.tag == "Pairwise" else tags[question.fields[0]]
        values = [(target, _WRITERS[_shape(question)](question, value))]
    return [
        {"from_name": name, "to_name": target, "type": TYPES[question.tag], "value": body}
        for target, body in values
    ]


def _mark(question: Question, mark: Item) -> dict[str, Any]:
    if question.kind in EDGES:
        return write_area(question.kind, mark)
    return {"start": mark["start"], "end": mark["end"], "labels": [mark["label"]]}


_WRITERS: dict[str, Callable[[Question, Any], dict[str, Any]]] = {
    "Choices": lambda question, value: {"choices": [value]},
    "choices": lambda question, value: {"choices": list(value)},
    "Rating": lambda question, value: {"rating": value},
    "TextArea": lambda question, value: {"text": [value]},
    "Pairwise": lambda question, value: {"selected": SIDES[question.labels.index(value)]},
}


def shown_fields(form: Form) -> dict[str, str]:
    """Tag name → field, for every text and medium that the form shows."""
    tags = (tag for tag in ElementTree.fromstring(form.xml).iter() if tag.tag in OBJECTS)
    return {tag.attrib["name"]: tag.attrib["value"].removeprefix("$") for tag in tags}
