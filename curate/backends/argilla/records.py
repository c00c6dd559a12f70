"""Tasks as Argilla's records."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from curate.backends.argilla.text import stored
from curate.backends.argilla.values import image_complaint, write_suggestions
from curate.errors import DataError
from curate.records import Form, Project, Task


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


def characters(record: Mapping[str, Any]) -> int:
    """Return how long a record's texts and images are; 0 if only answers are added to it."""
    return sum(map(len, record.get("fields", {}).values()))
