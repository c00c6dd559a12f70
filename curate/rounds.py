"""A round owns what people saw and said: frozen when sampled and first pushed, then append-only.

rounds/01/  spec.json  sample.parquet  texts.parquet                  frozen by `sample`
            form.xml  guidelines.md  project.json                     frozen by the first `push`
            annotations/0001.parquet …                                appended by `pull`
            closed.json                                               the end
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curate import storage, tables
from curate.forms import parse_form
from curate.records import Form, Project, replaces

if TYPE_CHECKING:
    import pyarrow as pa

Answer = Mapping[str, Any]
"""A row of the table `annotations`."""


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

    def texts(self) -> dict[str, dict[str, str]]:
        """Return, by task, the fields as shown."""
        import pyarrow.parquet as pq

        table = pq.read_table(self.folder / "texts.parquet")
        return {row["id"]: dict(json.loads(row["fields"])) for row in table.to_pylist()}

    # ── frozen by push

    @property
    def form(self) -> Form:
        """Return the form in force."""
        path = self.folder / "form.xml"
        return parse_form(path.read_text(encoding="utf-8"), name=self.push["form"])

    @property
    def guidelines(self) -> str:
        """Return the guideline in force."""
        path = self.folder / "guidelines.md"
        return path.read_text(encoding="utf-8") if path.exists() else ""

    @property
    def push(self) -> Any:
        """Return what the first push froze, or None before it."""
        return storage.read_json(self.folder / "project.json")

    @property
    def project(self) -> Project | None:
        """Return the round's project on its server, or None before the first push."""
        record = self.push
        if record is None:
            return None
        return Project(**{**record["project"], "form": self.form})

    # ── answers

    def append(self, answers: list[dict[str, Any]], cursor: str | None) -> None:
        """Add answers as one more file; nothing that is there is touched."""
        folder = self.folder / "annotations"
        number = max((int(path.stem) for path in storage.shards(folder)), default=0) + 1
        table = tables.rows("annotations", answers)
        table = table.replace_schema_metadata({"cursor": cursor or ""})
        storage.write_parquet(folder / f"{number:04}.parquet", table)

    @property
    def cursor(self) -> str | None:
        """Return where the next pull goes on."""
        import pyarrow.parquet as pq

        files = storage.shards(self.folder / "annotations")
        metadata = (pq.read_schema(files[-1]).metadata or {}) if files else {}
        return metadata.get(b"cursor", b"").decode() or None

    def history(self) -> list[dict[str, Any]]:
        """Return every answer ever pulled, oldest first."""
        import pyarrow.parquet as pq

        files = storage.shards(self.folder / "annotations")
        return [row for path in files for row in pq.read_table(path).to_pylist()]

    def answers(self) -> list[dict[str, Any]]:
        """Return the newest answer of each (id, question, annotator)."""
        return newest(self.history())

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
        """Return a digest of the round's `sample`, `project` or `annotations`."""
        if what == "annotations":
            files = storage.shards(self.folder / "annotations")
            marks = [storage.file_digest(path) for path in files]
            return storage.digest([marks, self.closed]) if marks else None
        names = {"sample": "sample.parquet", "project": "project.json"}
        path = self.folder / names[what]
        return storage.file_digest(path) if path.exists() else None


@contextmanager
def freeze(
    root: Path,
    number: int,
    about: Mapping[str, Any],
    sample: list[dict[str, Any]],
    texts: Mapping[str, Mapping[str, str]],
) -> Iterator[Path]:
    """Freeze a new round on disk; what is added to the folder yielded belongs to it from the start.

    The round is there whole or not at all.
    """
    import pyarrow as pa

    folder = root / ".building" / f"round-{number:02}"
    shutil.rmtree(folder, ignore_errors=True)
    storage.write_json(folder / "spec.json", dict(about))
    storage.write_parquet(folder / "sample.parquet", tables.rows("sample", sample))
    shown = [
        {"id": id, "fields": json.dumps([*fields.items()], ensure_ascii=False)}
        for id, fields in texts.items()
    ]
    names = pa.schema([("id", pa.string()), ("fields", pa.string())])
    storage.write_parquet(folder / "texts.parquet", pa.Table.from_pylist(shown, schema=names))
    yield folder
    storage.swap(folder, root / "rounds" / f"{number:02}")


def newest(rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Keep the newest answer of each key; a draft never shadows a submission; ties go to the later.

    A withdrawal counts as the newest word on its key whatever its time, and so does an answer that
    comes after it: the server has it again.
    """
    kept: dict[tuple[str, str, str], dict[str, Any]] = {}
    for row in rows:
        key = (row["id"], row["question"], row["annotator"])
        before = kept.get(key)
        if before is None or replaces(row["status"], row["at"], before["status"], before["at"]):
            kept[key] = row
    return list(kept.values())
