"""The pages on which the people of a round label, with a login to each."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curate import console
from curate.wording import from_here

if TYPE_CHECKING:
    from curate.console import Page
    from curate.rounds import Batch, Round
    from curate.workspace import Workspace


def pages_of(workspace: Workspace) -> list[Page]:
    """The page of each part of the newest round. No server is started."""
    from curate.connections import Connections
    from curate.people.accounts import named_among
    from curate.people.people import load

    connections = Connections(workspace.root, console.watch)
    people, current = load(workspace.root), workspace.rounds.current()
    pages = []
    for batch in current.batches:
        backend, url = batch.project.backend, batch.project.url
        login = connections.login(backend, url, named=bool(named_among(people, backend)))
        names = ", ".join(batch.people or ())
        about = ": ".join(dict.fromkeys(filter(None, (batch.name, names))))
        page = console.Page(backend, about, login)
        pages.append(_of_folder(page, current, batch) if backend == "folder" else page)
    return pages


def _of_folder(page: Page, current: Round, batch: Batch) -> Page:
    """The files in the place of a page: tasks, answers, and how a line of these reads."""
    folder = Path(page.login.url)
    question = current.form.questions[0]
    task = next((task["id"] for task in current.tasks() if task["batch"] == batch.name), "…")
    value: Any = {"choice": question.labels[:1], "rating": [1]}.get(question.kind, ["…"])[0]
    row = {"id": task, "question": question.name, "annotator": "me", "value": value}
    example = json.dumps(row, ensure_ascii=False)
    login = replace(page.login, url=from_here(folder / "tasks.jsonl"))
    return replace(page, login=login, answers=from_here(folder / "answers.jsonl"), example=example)
