"""A round as a value: its frozen records are loaded once, its tables are read on demand.

rounds/01/  spec.json  sample.parquet  texts.parquet  gold.json         frozen by `sample`
            form.xml  guidelines.md  tasks.parquet  project.json      frozen by the first `push`
            annotations/0001.parquet …                                appended by `pull`
            erased.json                                               tasks taken down
            closed.json                                               the end
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from curate import storage
from curate.people import accounts
from curate.records import Form, Project, now
from curate.rounds import erasing, sent
from curate.rounds.answers import (
    KEY,
    Answer,
    append,
    count_rows,
    count_submissions,
    newest,
    read_cursors,
    read_history,
    replace_answers,
    submissions,
)
from curate.rounds.batch import Batch
from curate.rounds.freezing import read_views
from curate.rounds.opened import Closed, Opened
from curate.rounds.sent import Sent
from curate.rounds.views import View

if TYPE_CHECKING:
    import pyarrow as pa

FILES = {"sample": "sample.parquet", "tasks": "tasks.parquet", "project": "project.json"}
"""The files of a round that have a fingerprint of their own."""


@dataclass(frozen=True)
class Round:
    """One round of asking people.

    `spec` is what `sample` froze. `push` and `batches` are what the first push froze (None and
    empty before it). `closed` is None while the round is open. `names` maps ids of people that were
    replaced in people.yaml to today's.
    """

    number: int
    folder: Path
    spec: Opened = field(default_factory=Opened)
    push: Sent | None = None
    batches: tuple[Batch, ...] = ()
    taken_down: erasing.Erased = field(default_factory=erasing.Erased)
    closed: Closed | None = None
    names: Mapping[str, str] = field(default_factory=dict)

    @staticmethod
    def load(number: int, folder: Path) -> Round:
        """Read a round's frozen records from its folder."""
        frozen = storage.read_record(folder / "project.json", "spec", "form", "batches")
        push = None if frozen is None else cast("Sent", frozen)
        if push is None and storage.shards(folder / "annotations"):
            raise storage.damaged(folder / "project.json", "it is gone")
        spec = storage.read_record(folder / "spec.json", "purpose")
        if spec is None:
            raise storage.damaged(folder / "spec.json", "it is gone")
        closed = storage.read_record(folder / "closed.json")
        names = accounts.renamed(folder.parent.parent)
        return Round(
            number=number,
            folder=folder,
            spec=cast("Opened", spec),
            push=push,
            batches=() if push is None else sent.read_batches(folder, push, names),
            taken_down=erasing.Erased.read(folder),
            closed=None if closed is None else cast("Closed", closed),
            names=names,
        )

    def fingerprint(self, name: str) -> str | None:
        """A digest of the round's `sample`, `tasks`, `project` or `annotations`; None if absent."""
        if name == "annotations":
            self.check_answers()
            digests = [storage.file_digest(path) for path in storage.shards(self._answers)]
            # `names` replaces ids in the answers; it is left out while it is empty.
            content = [digests, self.closed, *([self.names] if self.names else ())]
            return storage.digest(content) if digests else None
        path = self.folder / FILES[name]
        return storage.file_digest(path) if path.exists() else None

    # ── frozen by sample

    @property
    def purpose(self) -> str:
        """Why people are asked: label, pilot, review, relabel or import."""
        return self.spec["purpose"]

    def sample(self) -> pa.Table:
        """Read the round's tasks: the table `sample`."""
        return storage.read_parquet(self.folder / "sample.parquet")

    def texts(self) -> dict[str, Mapping[str, str]]:
        """Read the fields of each task as shown, by its id."""
        return {id: view.fields for id, view in self.views().items()}

    def views(self) -> dict[str, View]:
        """Read the view of each task, by its id."""
        return read_views(self.folder, self.sample())

    def documents(self) -> dict[str, tuple[str, ...]]:
        """Read the ids of the documents that each task shows, by its id."""
        rows = self.sample().select(["id", "members"]).to_pylist()
        return {row["id"]: tuple(row["members"] or (row["id"],)) for row in rows}

    def gold(self) -> dict[str, dict[str, Any]]:
        """Read the known answers (question → value) by task id; they never reach a server."""
        return {id: item["answers"] for id, item in self.gold_items().items()}

    def gold_items(self) -> dict[str, dict[str, Any]]:
        """Read, by task id, the known `answers` and other facts `about` the task."""
        return storage.read_record(self.folder / "gold.json") or {}

    # ── frozen by push

    @property
    def sent(self) -> Sent:
        """What the first push froze. Only for a round that was pushed."""
        assert self.push is not None, f"round {self.number} has not been pushed"
        return self.push

    @property
    def form(self) -> Form:
        """The form in force. Only for a round that was pushed."""
        return self.batches[0].project.form

    @property
    def project(self) -> Project | None:
        """The project of the first batch; None before the first push."""
        return self.batches[0].project if self.batches else None

    def tasks(self) -> list[dict[str, Any]]:
        """Read the rows of the table `tasks`: what each batch asks; none before a push."""
        if self.push is None:  # a push that was killed may have left the table
            return []
        rows: list[dict[str, Any]] = storage.read_parquet(self.folder / "tasks.parquet").to_pylist()
        return rows

    def freeze_push(
        self,
        spec: Mapping[str, Any],
        form: Form,
        batches: Sequence[Batch],
        tasks: list[dict[str, Any]],
    ) -> Round:
        """Write down what is sent where, and load the round again."""
        sent.freeze_sent(self.folder, spec, form, batches, tasks, now())
        return Round.load(self.number, self.folder)

    def replace_project(self, batch: str | None, project: Project, *, restored: str) -> Round:
        """Point a batch to the project that its answers were put back to at the time `restored`."""
        sent.replace_project(self.folder, self.sent, batch, project, restored)
        return Round.load(self.number, self.folder)

    @property
    def required(self) -> frozenset[str]:
        """The names of the questions that must be answered; none before the first push."""
        questions = self.form.questions if self.batches else ()
        return frozenset(question.name for question in questions if question.required)

    @property
    def wanted(self) -> frozenset[str]:
        """The questions without which a text is not answered; an import brings what it has."""
        return frozenset() if self.purpose == "import" else self.required

    # ── answers

    @property
    def _answers(self) -> Path:
        return self.folder / "annotations"

    def append(self, rows: list[dict[str, Any]], cursors: Mapping[str, str]) -> None:
        """Add answers as one more file; existing files are not touched.

        `cursors` say where the next pull of each project continues.
        """
        append(self._answers, rows, cursors)

    def cursors(self) -> dict[str, str]:
        """Read where the next pull of each project continues."""
        return read_cursors(self._answers)

    def history(self) -> list[dict[str, Any]]:
        """Read every answer ever pulled, oldest first, under the ids of today's people.yaml."""
        return read_history(self._answers, self.names)

    def count_answers(self) -> int:
        """The number of answers ever pulled: it grows whenever an answer is new or has changed."""
        return count_rows(self._answers)

    def count_submissions(self) -> int:
        """The number of submissions ever pulled; one that comes again, changed, is one more."""
        return count_submissions(self._answers)

    def check_answers(self) -> None:
        """Raise DataError if answers that came home are gone from the round's folder."""
        expected = (self.closed or {}).get("answers", 0)
        present = count_rows(self._answers)
        if present < expected:
            why = f"it holds {present:,} answers, and held {expected:,} when the round ended"
            raise storage.damaged(self._answers, why)

    def answers(self, *, by_project: bool = False) -> list[dict[str, Any]]:
        """Read the newest answer of each (id, question, annotator), and project if `by_project`.

        A person who sees several parts of a round may have answered a task in two of them.
        """
        key = ("project", *KEY) if by_project else KEY
        return newest(self.history(), key)

    def statuses(self) -> dict[tuple[str, str], str]:
        """The status of each submission, by task and annotator; texts taken down have none."""
        rows = (row for row in self.answers() if row["id"] not in self.erased)
        return submissions(rows, self.required)

    # ── the end

    @property
    def erased(self) -> frozenset[str]:
        """The tasks whose texts were taken down."""
        return self.taken_down.tasks

    def erase_answers(
        self, marks: Collection[tuple[str, str]], erased: Callable[[Answer], dict[str, Any]]
    ) -> int:
        """Put `erased` of them in place of answers, and never take them again; return their number.

        `marks` are those of `answers.said`. Only a takedown may ask for it.
        """
        known = Round.load(self.number, self.folder).taken_down
        replace(known, answers=known.answers | set(marks)).write(self.folder)
        return replace_answers(self._answers, marks, erased)

    def erase(self, ids: Iterable[str], *, left: Iterable[str] = ()) -> Round:
        """Blank the texts and suggestions of tasks; the server still holds those of `left`."""
        tasks = self.erased | set(ids)
        erasing.blank(self.folder, tasks)
        replace(self.taken_down, tasks=tasks, left=frozenset(left)).write(self.folder)
        return Round.load(self.number, self.folder)

    def close(self, record: Closed) -> Round:
        """Write down the end of the round."""
        storage.write_json(self.folder / "closed.json", dict(record))
        return replace(self, closed=record)
