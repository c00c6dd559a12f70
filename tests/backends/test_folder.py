"""The laws on a folder of files."""

import itertools
import json
import shutil
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from curate.backends.folder import FolderBackend
from curate.records import Project
from tests.backends.contract import Laws


class FolderHands:
    """Writes answers.jsonl as a person's script would."""

    accounts = ("ann", "bob", "cy")
    inexpressible = ()

    def __init__(self, root: Path) -> None:
        self.backend = FolderBackend(root)
        self.numbers = itertools.count(1)
        self.clock = datetime(2026, 1, 1, tzinfo=UTC)

    def name(self) -> str:
        return f"folder-0000-r{next(self.numbers):02}"

    def answer(self, project: Project, id: str, account: str, values: Mapping[str, Any]) -> None:
        for question, value in values.items():
            self._append(project, id, account, question, value, "submitted")

    def skip(self, project: Project, id: str, account: str) -> None:
        for question in project.form.questions:
            self._append(project, id, account, question.name, None, "skipped")

    def delete(self, project: Project, id: str, account: str) -> None:
        path = self._path(project)
        rows = [json.loads(line) for line in path.read_text().splitlines()]
        kept = [row for row in rows if (row["id"], row["annotator"]) != (id, account)]
        path.write_text("".join(json.dumps(row) + "\n" for row in kept))

    def stored(self, project: Project) -> list[tuple[str, dict[str, str]]]:
        path = self.backend.root / project.key / "tasks.jsonl"
        with path.open(encoding="utf-8") as file:
            rows = [json.loads(line) for line in file]
        return [(row.pop("id"), row) for row in rows]

    def lose(self, project: Project) -> None:
        shutil.rmtree(self.backend.root / project.key)

    def make_pages_small(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Do nothing: a file has no pages."""

    def _append(
        self, project: Project, id: str, account: str, question: str, value: Any, status: str
    ) -> None:
        self.clock += timedelta(seconds=1)
        row = {"id": id, "question": question, "annotator": account, "value": value}
        row |= {"status": status, "at": self.clock.isoformat(), "seconds": 1.5}
        with self._path(project).open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")

    def _path(self, project: Project) -> Path:
        return self.backend.root / project.key / "answers.jsonl"


@pytest.fixture
def hands(tmp_path: Path) -> FolderHands:
    return FolderHands(tmp_path)


class TestFolder(Laws):
    """Every law holds on files."""
