"""Tasks as Argilla records."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from curate.backends.argilla.text import stored
from curate.backends.argilla.values import image_complaint, write_suggestions
from curate.errors import DataError
from curate.records import Form, Project, Task


def record(form: Form, task: Task, questions: Mapping[str, str]) -> dict[str, Any]:
    """A task as a record: our id, the fields that the form shows, the suggestions, and no more.

    `questions` maps question names to the server's ids. Raises DataError for an image or a
    suggestion that cannot be shown.
    """
    body: dict[str, Any] = {"external_id": task.id, "fields": _fields(form, task)}
    if task.suggestions:
        suggestions = write_suggestions(form, task.suggestions, texts(form, task), questions)
        body["suggestions"] = suggestions
    return body


def _fields(form: Form, task: Task) -> dict[str, str]:
    """The fields that the form shows, as the server stores them."""
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
    """The texts and images that the form shows, by field."""
    return {name: task.fields.get(name, "") for name in form.fields}


def refuse_own_overlap(project: Project, tasks: Iterable[Task]) -> None:
    """Raise DataError for a task with another overlap: Argilla has one for all tasks."""
    for task in tasks:
        if task.overlap not in (None, project.overlap):
            raise DataError(
                f"Argilla asks {project.overlap or 'all'} people about every text, "
                f"and {task.id} wants {task.overlap}",
                hint="`push: {overlap: all}`, or `push: {assign: person}`",
            )


def characters(body: Mapping[str, Any]) -> int:
    """The length of a record's texts and images; 0 for a record that only adds answers."""
    return sum(map(len, body.get("fields", {}).values()))
