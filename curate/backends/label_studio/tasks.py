"""Tasks as Label Studio imports them."""

from __future__ import annotations

from typing import Any

from curate.backends.label_studio.client import RECORD
from curate.backends.label_studio.page import shown_data
from curate.backends.label_studio.values import write_prediction
from curate.backends.pace import Row
from curate.backends.showing import shown
from curate.records import Project, Task
from curate.servers.shelf import Shelf

MODEL = "curate"
"""The model version of all suggestions: a project shows only one version."""


def imported(project: Project, task: Task, shelf: Shelf | None) -> dict[str, Any]:
    """A task as it is imported: our id, what the form shows, the suggestions, and no more.

    Raises DataError for a medium or a suggestion that cannot be shown.
    """
    form = project.form
    fields = shown(form, task, shelf, project.key)
    row: dict[str, Any] = {"data": {RECORD: task.id, **shown_data(form, fields)}}
    if task.suggestions:
        row["predictions"] = [write_prediction(form, task.suggestions, fields, MODEL)]
    return row


def characters(row: Row) -> int:
    """The length of a task's fields."""
    return sum(len(str(value)) for value in row["data"].values())
