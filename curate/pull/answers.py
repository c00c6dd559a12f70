"""One answer on its way home: checked, led back to the document, laid out as a row."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from curate.forms import complaint
from curate.records import Annotation, Form, moment
from curate.rounds import Batch, Round
from curate.rounds.views import View
from curate.text import canonical


def checked(each: Annotation, form: Form, views: Mapping[str, View]) -> Annotation:
    """Return the answer as it is kept, or marked as rejected with the reason it cannot be meant.

    A draft stays one, whatever it says: it must not take the place of what was submitted before.
    """
    if each.status not in ("submitted", "draft"):
        return each
    value, reason = _home(each, form, views)
    wrong = reason is not None and each.status == "submitted"
    return replace(each, value=value, reason=reason, status="rejected" if wrong else each.status)


def _home(each: Annotation, form: Form, views: Mapping[str, View]) -> tuple[Any, str | None]:
    if each.id not in views:
        return each.value, "not a task of this round"
    view = views[each.id]
    if reason := complaint(form, each.question, each.value, view.fields):
        return each.value, reason
    return view.home(each.value, form.question(each.question).kind)


def answer_row(
    each: Annotation, ids: Mapping[str, str], current: Round, batch: Batch
) -> dict[str, Any]:
    return {
        "id": each.id,
        "question": each.question,
        "annotator": ids.get(each.account, each.account),
        "value": None if each.value is None else _json(each.value),
        "status": each.status,
        "reason": each.reason,
        "at": moment(each.at),
        "seconds": each.seconds,
        "backend": batch.project.backend,
        "project": batch.project.name,
        "round": current.number,
        "form": batch.project.form.digest,
        "guideline": batch.guideline,
        "blind": True,
    }


def _json(value: Any) -> str:
    """Return a value as JSON that can be stored: a lone surrogate becomes U+FFFD."""
    return canonical(json.dumps(value, ensure_ascii=False))


def annotation(row: Mapping[str, Any], form: Form, views: Mapping[str, View]) -> Annotation:
    """Return an answer that is at home as its server has it."""
    value = None if row["value"] is None else json.loads(row["value"])
    if value is not None and row["reason"] is None:
        value = views[row["id"]].shown(value, form.question(row["question"]).kind)
    at = row["at"].isoformat() if row["at"] else None
    return Annotation(
        row["id"], row["question"], row["annotator"], value, row["status"], at, row["seconds"]
    )


def key_of(row: Mapping[str, Any]) -> tuple[str, str, str]:
    return row["id"], row["question"], row["annotator"]


def event(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return (*key_of(row), row["value"], row["status"], row["reason"], row["at"])


def is_new(
    row: Mapping[str, Any], before: Mapping[str, Any] | None, seen: set[tuple[Any, ...]]
) -> bool:
    """Whether an answer is not at home yet; one without a time is if it says what stands there."""
    if before is None or (before["status"] == "withdrawn" != row["status"]):
        return True
    if row["at"] is None:
        return any(row[name] != before[name] for name in ("value", "status", "reason"))
    return event(row) not in seen


def was_put_back(
    row: Mapping[str, Any], before: Mapping[str, Any] | None, restored: str | None
) -> bool:
    """Whether an answer is what `push --restore` put there: the one at home, at another time."""
    if before is None or restored is None or row["at"] is None:
        return False
    same = all(row[name] == before[name] for name in ("value", "status"))
    time = moment(restored)
    return same and time is not None and bool(row["at"] <= time)
