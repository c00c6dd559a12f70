"""One answer on its way home: checked, mapped back to the document, and made a row."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from curate.fetching.media import MediumShown, Shown, is_same_text
from curate.forms import complaint
from curate.records import MARKS, Annotation, Form, moment
from curate.rounds import Batch, Round
from curate.rounds.views import View
from curate.text import canonical

NO_MEDIA: Shown = MappingProxyType({})


def check_answer(
    answer: Annotation, form: Form, views: Mapping[str, View], media: Shown = NO_MEDIA
) -> Annotation:
    """The answer with its value mapped home; rejected, with the reason, if it is not valid.

    A draft stays a draft even if it is not valid: a rejected answer would replace the submission
    before it.
    """
    if answer.status not in ("submitted", "draft"):
        return answer
    value, reason = _map_home(answer, form, views, media.get(answer.id, {}))
    status = "rejected" if reason is not None and answer.status == "submitted" else answer.status
    return replace(answer, value=value, reason=reason, status=status)


def _map_home(
    answer: Annotation, form: Form, views: Mapping[str, View], media: Mapping[str, MediumShown]
) -> tuple[Any, str | None]:
    """The value in terms of documents, and why it cannot be kept (None: it can).

    Where several fields are shown, a mark says in which it is: each field has its own edits.
    """
    if answer.id not in views:
        return answer.value, "not a task of this round"
    view = views[answer.id]
    for name, text in (answer.shown or {}).items():
        is_known = name in media and media[name].is_at(text)
        if not is_known and not is_same_text(text, view.fields.get(name, "")):
            return answer.value, "the text of its task was changed on the server"
    value = _on_page(answer, form, view)
    if reason := complaint(form, answer.question, value, view.fields):
        return answer.value, reason
    question = form.question(answer.question)
    if question.kind in MARKS and len(view.fields) > 1 and value is not None:
        value = [{**span, "field": span.get("field") or question.fields[0]} for span in value]
    return view.home(value, question.kind)


def _on_page(answer: Annotation, form: Form, view: View) -> Any:
    """The value as the page has it: a preference may name the document, as tables do."""
    kinds = {question.name: question.kind for question in form.questions}
    is_preference = kinds.get(answer.question) == "preference" and isinstance(answer.value, str)
    return view.shown(answer.value, "preference") if is_preference else answer.value


def answer_row(
    answer: Annotation, ids: Mapping[str, str], current: Round, batch: Batch
) -> dict[str, Any]:
    """The answer as a row of the table `annotations`. `ids` maps accounts to people."""
    return {
        "id": answer.id,
        "question": answer.question,
        "annotator": ids.get(answer.account, answer.account),
        "value": None if answer.value is None else _json(answer.value),
        "status": answer.status,
        "reason": answer.reason,
        "at": moment(answer.at),
        "seconds": answer.seconds,
        "backend": batch.project.backend,
        "project": batch.project.name,
        "round": current.number,
        "form": batch.project.form.digest,
        "guideline": batch.guideline,
        "blind": True,
    }


def _json(value: Any) -> str:
    """The value as JSON that can be stored: a lone surrogate becomes U+FFFD."""
    return canonical(json.dumps(value, ensure_ascii=False))


def annotation_of(row: Mapping[str, Any], form: Form, views: Mapping[str, View]) -> Annotation:
    """The answer of a stored row, with its value as on the page and the id as its account."""
    value = None if row["value"] is None else json.loads(row["value"])
    if value is not None and row["reason"] is None:
        value = views[row["id"]].shown(value, form.question(row["question"]).kind)
    at = row["at"].isoformat() if row["at"] else None
    return Annotation(
        row["id"], row["question"], row["annotator"], value, row["status"], at, row["seconds"]
    )


def key_of(row: Mapping[str, Any]) -> tuple[str, str, str]:
    """The task, the question and the annotator of a row."""
    return row["id"], row["question"], row["annotator"]


def event_of(row: Mapping[str, Any]) -> tuple[Any, ...]:
    """The key, value, status, reason and time of a row: equal for an answer pulled twice."""
    return (*key_of(row), row["value"], row["status"], row["reason"], row["at"])


def is_new(
    row: Mapping[str, Any], before: Mapping[str, Any] | None, events: set[tuple[Any, ...]]
) -> bool:
    """Whether an answer is not stored yet. `before` is the newest stored row of its key.

    An answer after a withdrawal is new. One without a time, or of a time before the stored one, is
    new if its value, status or reason has changed: it was stored with a later time than its own.
    An answer that was stored before is old: the server's data were put back to an earlier state.
    """
    if before is None or (before["status"] == "withdrawn" != row["status"]):
        return True
    has_changed = any(row[name] != before[name] for name in ("value", "status", "reason"))
    if row["at"] is None:
        return has_changed
    is_later = before["at"] is None or row["at"] > before["at"]
    return (has_changed or is_later) and event_of(row) not in events


def was_put_back(
    row: Mapping[str, Any], before: Mapping[str, Any] | None, restored: str | None
) -> bool:
    """Whether `push --restore` put the answer back: `before` again, not later than `restored`."""
    if before is None or restored is None or row["at"] is None:
        return False
    same = all(row[name] == before[name] for name in ("value", "status"))
    time = moment(restored)
    return same and time is not None and bool(row["at"] <= time)
