"""A server in a folder that shows media as the embedded ones do, for tests of a whole round."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from curate.backends.folder import FolderBackend
from curate.backends.showing import shown
from curate.records import Annotation, Project, Pulled, Task
from curate.servers.shelf import Shelf


def guess(addresses: Sequence[str]) -> list[Any]:
    """Suggest a box on every picture, and one beyond its edge."""
    assert all(address.endswith(".png") for address in addresses)
    box = {"x": 10.0, "y": 20.0, "width": 30.0, "height": 40.0, "label": "animal"}
    return [([box, {**box, "x": 80.0}], 0.5) for _ in addresses]


class PageServer(FolderBackend):
    """A folder whose tasks hold the addresses that a page opens, and whose answers say them."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.shelf = Shelf.of(root.parent / "home" / "media", "secret")

    def push(self, project: Project, tasks: Iterable[Task]) -> Iterator[str]:
        """Send tasks as a page gets them."""
        place = project.key.replace("/", "-")
        own = [replace(task, fields=shown(project.form, task, self.shelf, place)) for task in tasks]
        return super().push(project, own)

    def pull(self, project: Project, **more: Any) -> Pulled:
        """Fetch answers with what their tasks show now."""
        path = self.root / project.key / "tasks.jsonl"
        rows = {row["id"]: row for row in map(json.loads, path.read_text().splitlines())}
        pulled = super().pull(project, **more)
        return replace(
            pulled, annotations=tuple(_told(own, project, rows) for own in pulled.annotations)
        )


def _told(answer: Annotation, project: Project, rows: dict[str, Any]) -> Annotation:
    row = rows[answer.id]
    return replace(answer, shown={field: row[field] for field in project.form.fields})
