"""A round owns what people saw and said: frozen when sampled and first pushed, then append-only.

rounds/01/  spec.json  sample.parquet  texts.parquet  gold.json         frozen by `sample`
            form.xml  guidelines.md  tasks.parquet  project.json      frozen by the first `push`
            annotations/0001.parquet …                                appended by `pull`
            erased.json                                               tasks taken down
            closed.json                                               the end
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curate import storage, tables
from curate.forms import parse_form
from curate.people import accounts
from curate.records import Form, Project
from curate.rounds.answers import KEY, newest
from curate.rounds.batch import Batch, plain
from curate.rounds.erasing import blanked, unsuggested
from curate.rounds.views import View

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class Round:
    """One round of asking people."""

    number: int
    folder: Path

    # ── frozen by sample

    @cached_property
    def spec(self) -> dict[str, Any]:
        """Return purpose, settings, and the frame that the propensities refer to."""
        return dict(storage.read_json(self.folder / "spec.json"))

    @property
    def purpose(self) -> str:
        """Return why people are asked: label, pilot, review, relabel or import."""
        return str(self.spec["purpose"])

    def sample(self) -> pa.Table:
        """Return the round's tasks."""
        import pyarrow.parquet as pq

        return pq.read_table(self.folder / "sample.parquet")

    def texts(self) -> dict[str, Mapping[str, str]]:
        """Return, by task, the fields as shown."""
        return {id: view.fields for id, view in self.views().items()}

    def views(self) -> dict[str, View]:
        """Return, by task, what it shows and how that leads back to documents."""
        import pyarrow.parquet as pq

        places = {row["id"]: row for row in self.sample().to_pylist()}
        return {
            row["id"]: View(
                dict(json.loads(row["fields"])),
                tuple(places[row["id"]]["members"] or ()),
                places[row["id"]]["start"] or 0,
                **_stored_edits(row["edits"]),
            )
            for row in pq.read_table(self.folder / "texts.parquet").to_pylist()
        }

    def documents(self) -> dict[str, tuple[str, ...]]:
        """Return, by task, the documents that it shows."""
        rows = self.sample().select(["id", "members"]).to_pylist()
        return {row["id"]: tuple(row["members"] or (row["id"],)) for row in rows}

    def gold(self) -> dict[str, dict[str, Any]]:
        """Return the known answers, question → value, by task; they never leave home."""
        return {id: each["answers"] for id, each in self.gold_items().items()}

    def gold_items(self) -> dict[str, dict[str, Any]]:
        """Return, by task, the known `answers` and what else is known `about` it."""
        return dict(storage.read_json(self.folder / "gold.json") or {})

    # ── frozen by push

    @property
    def form(self) -> Form:
        """Return the form in force."""
        path = self.folder / "form.xml"
        return parse_form(path.read_text(encoding="utf-8"), name=self.push["form"])

    @property
    def push(self) -> Any:
        """Return what the first push froze, or None before it."""
        return storage.read_json(self.folder / "project.json")

    @property
    def batches(self) -> tuple[Batch, ...]:
        """Return the batches, each a project on the server; none before the first push."""
        record, form = self.push, None if self.push is None else self.form
        names = self._renamed
        return tuple(
            Batch(
                name=each["name"],
                project=Project(**{**each["project"], "form": form}),
                people=each["people"] and tuple(names.get(id, id) for id in each["people"]),
                guidelines=(self.folder / each["guidelines"]).read_text(encoding="utf-8"),
                restored=each.get("restored"),
            )
            for each in (record["batches"] if record else ())
        )

    @property
    def project(self) -> Project | None:
        """Return the project of the first batch, or None before the first push."""
        return self.batches[0].project if self.push else None

    def tasks(self) -> list[dict[str, Any]]:
        """Return the rows of the table `tasks`: what each batch asks; empty before a push."""
        import pyarrow.parquet as pq

        path = self.folder / "tasks.parquet"
        return pq.read_table(path).to_pylist() if path.exists() else []

    def freeze_push(
        self,
        record: Mapping[str, Any],
        form: Form,
        batches: Sequence[Batch],
        asked: list[dict[str, Any]],
    ) -> None:
        """Write down what is sent where; the round counts as pushed once all of it is there."""
        storage.write_text(self.folder / "form.xml", form.xml)
        storage.write_parquet(self.folder / "tasks.parquet", tables.rows("tasks", asked))
        names = [
            f"guidelines-{n}.md" if batch.name else "guidelines.md"
            for n, batch in enumerate(batches, 1)
        ]
        for name, batch in zip(names, batches, strict=True):
            storage.write_text(self.folder / name, batch.guidelines)
        written = [batch.record(name) for name, batch in zip(names, batches, strict=True)]
        whole = {**record, "form": form.name, "form_digest": form.digest, "batches": written}
        storage.write_json(self.folder / "project.json", whole)

    def replace_project(self, batch: str | None, project: Project, *, restored: str) -> None:
        """Point a batch to the project that its answers were put back to, and say when."""
        record = self.push
        for each in record["batches"]:
            if each["name"] == batch:
                each |= {"project": plain(project), "restored": restored}
        storage.write_json(self.folder / "project.json", record)

    # ── answers

    def append(self, answers: list[dict[str, Any]], cursors: Mapping[str, str]) -> None:
        """Add answers as one more file; nothing that is there is touched.

        `cursors` say where the next pull of each project goes on.
        """
        folder = self.folder / "annotations"
        number = max((int(path.stem) for path in storage.shards(folder)), default=0) + 1
        table = tables.rows("annotations", answers)
        table = table.replace_schema_metadata({"cursors": json.dumps(dict(cursors))})
        storage.write_parquet(folder / f"{number:04}.parquet", table)

    @property
    def cursors(self) -> dict[str, str]:
        """Return where the next pull of each project goes on."""
        import pyarrow.parquet as pq

        files = storage.shards(self.folder / "annotations")
        metadata = (pq.read_schema(files[-1]).metadata or {}) if files else {}
        return dict(json.loads(metadata.get(b"cursors", b"{}")))

    def history(self) -> list[dict[str, Any]]:
        """Return every answer ever pulled, oldest first, under the ids of today's people.yaml."""
        import pyarrow.parquet as pq

        files, names = storage.shards(self.folder / "annotations"), self._renamed
        return [
            {**row, "annotator": names.get(row["annotator"], row["annotator"])}
            for path in files
            for row in pq.read_table(path).to_pylist()
        ]

    @property
    def _renamed(self) -> dict[str, str]:
        return accounts.renamed(self.folder.parent.parent)

    def answers(self, *, by_project: bool = False) -> list[dict[str, Any]]:
        """Return the newest answer of each (id, question, annotator); or of each in each project.

        Whoever sees several parts of a round may have answered the same task in two of them.
        """
        return newest(self.history(), ("project", *KEY) if by_project else KEY)

    # ── what was taken down

    @property
    def erased(self) -> frozenset[str]:
        """Return the tasks whose texts were taken down; their answers stay."""
        return frozenset((storage.read_json(self.folder / "erased.json") or {}).get("tasks", ()))

    @property
    def left_on_server(self) -> frozenset[str]:
        """Return those of them that the server has not been told of yet."""
        return frozenset((storage.read_json(self.folder / "erased.json") or {}).get("left", ()))

    def erase(self, ids: Iterable[str], *, left: Iterable[str] = ()) -> None:
        """Blank the texts of some tasks, and what was suggested for them.

        `left` are those that the server still holds.
        """
        import pyarrow as pa
        import pyarrow.parquet as pq

        gone = self.erased | set(ids)
        for name, blank in (("texts", blanked), ("tasks", unsuggested)):
            path = self.folder / f"{name}.parquet"
            if path.exists():
                table = pq.read_table(path)
                rows = [blank(row) if row["id"] in gone else row for row in table.to_pylist()]
                fresh = pa.Table.from_pylist(rows, schema=table.schema)
                storage.write_parquet(path, fresh)
        record = {"tasks": sorted(gone), "left": sorted(set(left))}
        storage.write_json(self.folder / "erased.json", record)

    # ── the end

    @property
    def closed(self) -> dict[str, Any] | None:
        """Return when and why the round ended, or None while it is open."""
        record = storage.read_json(self.folder / "closed.json")
        return dict(record) if record else None

    def close(self, record: Mapping[str, Any]) -> None:
        """End the round."""
        storage.write_json(self.folder / "closed.json", dict(record))

    def fingerprint(self, what: str) -> str | None:
        """Return a digest of the round's `sample`, `tasks`, `project` or `annotations`."""
        if what == "annotations":
            files = storage.shards(self.folder / "annotations")
            marks = [storage.file_digest(path) for path in files]
            said = [marks, self.closed, *filter(None, [self._renamed])]
            return storage.digest(said) if marks else None
        names = {
            "sample": "sample.parquet",
            "tasks": "tasks.parquet",
            "project": "project.json",
        }
        path = self.folder / names[what]
        return storage.file_digest(path) if path.exists() else None


def _stored_edits(stored: str | None) -> dict[str, Any]:
    edits = json.loads(stored or "[]")
    if isinstance(edits, list):
        return {"edits": tuple(map(tuple, edits))}
    return {"by_field": {name: tuple(map(tuple, each)) for name, each in edits.items()}}
