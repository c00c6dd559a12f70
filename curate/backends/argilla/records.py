"""Tasks as Argilla records."""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping
from typing import Any

from curate.backends.argilla.client import external_id
from curate.backends.argilla.text import stored
from curate.backends.argilla.values import image_complaint, write_suggestions
from curate.backends.showing import names_in, shown
from curate.errors import DataError
from curate.records import Form, Project, Task
from curate.servers.shelf import PLACE, Shelf


def record(
    project: Project, task: Task, questions: Mapping[str, str], shelf: Shelf | None = None
) -> dict[str, Any]:
    """A task as a record: our id, the fields that the form shows, the suggestions, and no more.

    `questions` maps question names to the server's ids. Raises DataError for a medium or a
    suggestion that cannot be shown.
    """
    form = project.form
    fields = _fields(form, task, shown(form, task, shelf, project.key))
    body: dict[str, Any] = {"external_id": task.id, "fields": fields}
    if task.suggestions:
        suggestions = write_suggestions(form, task.suggestions, texts(form, task), questions)
        body["suggestions"] = suggestions
    return body


def _fields(form: Form, task: Task, texts: Mapping[str, str]) -> dict[str, str]:
    """The fields that the form shows, as the server stores them."""
    fields = {}
    for name, value in texts.items():
        medium = form.medium(name)
        if medium is None:
            fields[name] = stored(value)
        elif medium != "image":
            fields[name] = player(medium, value)
        elif not PLACE.fullmatch(value) and (complaint := image_complaint(value)):
            raise DataError(
                f"the image ${name} of {task.id} cannot be shown: {complaint}",
                hint="give a web address, or the image itself as data:image/png;base64,…",
            )
        else:
            fields[name] = value
    return fields


def player(medium: str, address: str) -> str:
    """A player for a sound or a film: all of its HTML is ours."""
    own = html.escape(address, quote=True)
    return f'<{medium} controls preload="metadata" width="100%" src="{own}"></{medium}>'


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


# ── what the server has


def keys_of(record: Mapping[str, Any]) -> tuple[str, tuple[str, set[str]]]:
    """Our id of a record, and the server's with the names of the media that it shows."""
    return external_id(record), (str(record["id"]), names_in([record["fields"]]))


def status_of(record: Mapping[str, Any]) -> tuple[str, str]:
    """Our id of a record, and whether the server counts it as completed."""
    return external_id(record), str(record["status"])


def people_of(record: Mapping[str, Any]) -> tuple[str, set[str]]:
    """Our id of a record, and the user ids of the people that answered it."""
    return external_id(record), {str(response["user_id"]) for response in record["responses"]}


def refuse_unknown_tasks(ids: Iterable[str]) -> None:
    """Raise DataError for an answer without its task."""
    for id in ids:
        raise DataError(f"an answer to {id} cannot be put back without its task")
