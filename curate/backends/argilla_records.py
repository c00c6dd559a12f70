"""Tasks as Argilla's records, and how many of them go at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from curate.backends.argilla_text import stored
from curate.backends.argilla_values import image_complaint, write_suggestions
from curate.errors import DataError
from curate.records import Form, Project, Task

BATCH = 500
"""How many records the server takes at once."""

FIRST_BATCH = 100
BATCH_SECONDS = 0.4
BATCH_CHARACTERS = 8_000_000
"""A batch is sized so that people who label meanwhile wait no longer than this for the server."""


def record(form: Form, task: Task, questions: Mapping[str, str]) -> dict[str, Any]:
    """Return a task as a record: our id, what the form shows, and no more.

    `questions` holds the server's ids, by name. Raises DataError for what cannot be shown.
    """
    made: dict[str, Any] = {"external_id": task.id, "fields": _fields(form, task)}
    if task.suggestions:
        suggestions = write_suggestions(form, task.suggestions, texts(form, task), questions)
        made["suggestions"] = suggestions
    return made


def _fields(form: Form, task: Task) -> dict[str, str]:
    """Return what the form shows of a task, as the server stores it."""
    fields = {}
    for name in form.fields:
        value = task.fields.get(name, "")
        if name in form.images:
            if complaint := image_complaint(value):
                raise DataError(
                    f"the image ${name} of {task.id} cannot be shown: {complaint}",
                    hint="give a web address, or the image itself as data:image/png;base64,…",
                )
            fields[name] = value
        else:
            fields[name] = stored(value)
    return fields


def texts(form: Form, task: Task) -> dict[str, str]:
    """Return the texts and images of a task that the form shows."""
    return {name: task.fields.get(name, "") for name in form.fields}


def refuse_own_overlap(project: Project, tasks: Iterable[Task]) -> None:
    """Raise DataError for a task that wants another overlap: Argilla has one for all."""
    for task in tasks:
        if task.overlap not in (None, project.overlap):
            raise DataError(
                f"Argilla asks {project.overlap or 'all'} people about every text, "
                f"and {task.id} wants {task.overlap}",
                hint="`push: {overlap: all}`, or `push: {assign: person}`",
            )


class Pace:
    """How many records to send at once, from how long the server took for the last."""

    def __init__(self) -> None:
        self.most = BATCH
        self.size = min(FIRST_BATCH, BATCH)

    def next(self, records: Sequence[dict[str, Any]], start: int) -> Sequence[dict[str, Any]]:
        """Return the next batch: at least one record, and no more characters than may be."""
        characters = 0
        for end in range(start, min(start + self.size, len(records))):
            characters += sum(map(len, records[end].get("fields", {}).values()))
            if characters > BATCH_CHARACTERS and end > start:
                return records[start:end]
        return records[start : start + self.size]

    def took(self, number: int, seconds: float) -> None:
        """Learn from a batch; grow twofold at most."""
        fitting = int(number * BATCH_SECONDS / max(seconds, 0.001))
        self.size = min(max(10, min(fitting, 2 * self.size)), self.most)

    def halve(self, number: int) -> bool:
        """Never send so many again, for they were too large; return whether fewer can be."""
        self.most = self.size = max(1, number // 2)
        return number > 1
