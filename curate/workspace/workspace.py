"""The folder on disk: typed tables, freshness, the ledger, and one writer at a time.

    my-run/
      recipe.yaml  workspace.json  people.yaml
      pool/ clean/ vectors/<encoder>/ scores/ mix/          folders of Parquet, manifest last
      duplicates.parquet labels.parquet annotators.parquet groups.parquet
      rounds/01/ …                                          what people saw and said
      export/  evaluate.json  report.html  ledger.jsonl

Rounds cannot be recomputed; everything else is a cache that may be deleted.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING, Any

from curate import __version__, storage, tables
from curate.engine import Engine, Local
from curate.errors import CurateError, MissingInput, WorkspaceBusy
from curate.progress import Watch, unwatched
from curate.records import Question, now
from curate.rounds import Round
from curate.rounds.views import View
from curate.spec import Spec
from curate.storage import Provenance, Stored
from curate.text import Edit
from curate.workspace.documents import Kept, joined_shard, same_rows, stored_edits, view
from curate.workspace.ledger import last_byte, plain
from curate.workspace.lock import locked
from curate.workspace.tables import FILES, MAKERS

if TYPE_CHECKING:
    import pyarrow as pa

    from curate.backends import Backend


def _no_backend(name: str) -> Backend:
    raise CurateError(f"this workspace was opened without a way to connect to {name}")


class Workspace:
    """A run's folder, and what a stage needs from above: engine, backends, progress."""

    def __init__(
        self,
        root: Path,
        *,
        engine: Engine | None = None,
        connect: Callable[[str], Backend] = _no_backend,
        watch: Watch = unwatched,
    ) -> None:
        self.root = Path(root).resolve()  # named the same from wherever a command is given
        self.engine = engine or Local()
        self.connect = connect
        self.watch = watch

    # ── identity

    def init(self, name: str) -> None:
        """Make the folder a workspace; one that is already keeps its id."""
        if not (self.root / "workspace.json").exists():
            about = {"id": token_hex(4), "name": name, "created": now(), "version": __version__}
            storage.write_json(self.root / "workspace.json", about)

    @property
    def about(self) -> dict[str, str]:
        """Return the workspace's random id, name and time of creation."""
        about = storage.read_json(self.root / "workspace.json")
        if about is None:
            raise MissingInput(
                f"{self.root} is not a workspace",
                hint="make one with `curate init DIR` or `curate run RECIPE -w DIR`",
            )
        return dict(about)

    def path(self, name: str) -> Path:
        """Return a recipe's path: relative ones are relative to the workspace."""
        return self.root / Path(name).expanduser()

    # ── tables

    def folder(self, name: str) -> Path:
        """Return where a table lies; `vectors/minilm` names the vectors of one encoder."""
        kind = tables.TABLES[name.split("/")[0]].kind
        return self.root / (name if kind == "folder" else f"{name}.parquet")

    def stored(self, name: str) -> Stored | None:
        """Return the record of a table, or None if it has not been made."""
        path = self.folder(name)
        return storage.stored_file(path) if path.suffix else storage.stored_folder(path)

    def rows(self, name: str) -> int:
        """Return how many rows a table has. Raises MissingInput."""
        self.require(name)
        stored = self.stored(name)
        assert stored is not None
        return stored.rows

    def made(self, name: str) -> Provenance:
        """Return how a table was made. Raises MissingInput."""
        self.require(name)
        stored = self.stored(name)
        assert stored is not None
        return stored.made

    def require(self, *names: str) -> None:
        """Raise MissingInput, naming the command to run, for what has not been made."""
        for name in names:
            if self.fingerprint(name) is None:
                stage = MAKERS[name.split("/")[0]]
                raise MissingInput(
                    f"{name} has not been made yet", hint=f"run `curate {stage}` first"
                )

    def shards(self, name: str) -> list[Path]:
        """Return the shards of a folder table, in order."""
        self.require(name)
        return storage.shards(self.folder(name))

    def read(self, name: str, columns: Sequence[str] | None = None) -> pa.Table:
        """Return a table, or some of its columns, in memory."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        self.require(name)
        path, chosen = self.folder(name), list(columns) if columns is not None else None
        paths = [path] if path.suffix else storage.shards(path)
        parts = [pq.read_table(part, columns=chosen) for part in paths]
        if not parts:
            schema = tables.schema(name.split("/")[0], *(chosen or ()))
            return schema.empty_table()
        return pa.concat_tables(parts).replace_schema_metadata(None)

    def documents(
        self, columns: Sequence[str] = ("id", "text"), *, dropped: bool = False
    ) -> Iterator[pa.Table]:
        """Yield the documents that `clean` kept, shard by shard, as they read after its edits.

        `columns` are columns of pool or clean; `text` and `tokens` are of the edited text.
        """
        for pool, clean in zip(self.shards("pool"), self.shards("clean"), strict=True):
            yield joined_shard(pool, clean, list(columns), dropped)

    def document_table(self, columns: Sequence[str]) -> pa.Table:
        """Return the kept documents' columns as one table: for ids and numbers, not for text."""
        import pyarrow as pa

        parts = list(self.documents(columns))
        fields = {f.name: f for t in ("pool", "clean") for f in tables.schema(t, *columns)}
        schema = pa.schema(list(fields.values()))
        return pa.concat_tables(parts) if parts else schema.empty_table()

    def find_views(self, ids: Iterable[str], *, edited: bool = True) -> dict[str, View]:
        """Return what documents show whole, by id: as they read after edits, or as they came.

        `edited` needs the table clean, and finds only what it kept.
        """
        return {row["id"]: view(row, edits) for row, edits in self._found(ids, edited=edited)}

    def find_kept(self, ids: Iterable[str]) -> dict[str, Kept]:
        """Return documents that `clean` kept, by id."""
        return {
            row["id"]: Kept(view(row, edits), row["text"], edits)
            for row, edits in self._found(ids, edited=True)
        }

    def _found(
        self, ids: Iterable[str], *, edited: bool
    ) -> Iterator[tuple[dict[str, Any], tuple[Edit, ...]]]:
        import pyarrow as pa
        import pyarrow.compute as pc
        import pyarrow.parquet as pq

        columns = ["id", "text", "fields", "template", "media"]
        wanted = pa.array(sorted(set(ids)), pa.string())
        pools = self.shards("pool")
        cleans = self.shards("clean") if edited else [None] * len(pools)
        for pool, clean in zip(pools, cleans, strict=True):
            table = pq.read_table(pool, columns=columns)
            if clean is not None:
                verdicts = pq.read_table(clean, columns=["id", "kept", "edits"])
                same_rows(table, verdicts)
                table = table.append_column("edits", verdicts["edits"]).filter(verdicts["kept"])
            for row in table.filter(pc.is_in(table["id"], wanted)).to_pylist():
                yield row, stored_edits(row.get("edits"))

    def write(
        self, name: str, table: pa.Table, made: Provenance, *, rows_per_shard: int = 1 << 18
    ) -> None:
        """Write a whole table: a file, or a folder in shards."""
        path = self.folder(name)
        if path.suffix:
            storage.write_file_table(path, table, made)
            return
        with storage.building(path, made) as folder:
            for number, start in enumerate(range(0, max(1, table.num_rows), rows_per_shard)):
                part = table.slice(start, rows_per_shard)
                storage.write_parquet(folder / f"{number:05}.parquet", part)

    def building(self, name: str, made: Provenance) -> AbstractContextManager[Path]:
        """Yield the folder in which to write a table's shards; see `storage.building`."""
        return storage.building(self.folder(name), made)

    # ── rounds

    @property
    def rounds(self) -> list[Round]:
        """Return every round, oldest first."""
        folders = (self.root / "rounds").glob("[0-9][0-9]*")
        found = [Round(int(folder.name), folder) for folder in folders if folder.name.isdigit()]
        return sorted(found, key=lambda each: each.number)

    @property
    def next_number(self) -> int:
        """Return the number of the next round; one that was deleted is not used again."""
        return max((each.number for each in self.rounds), default=0) + 1

    @property
    def round(self) -> Round:
        """Return the newest round that asks people. Raises MissingInput."""
        asked = [each for each in self.rounds if each.purpose != "import"]
        if not asked:
            raise MissingInput("there is no round yet", hint="run `curate sample` first")
        return asked[-1]

    def questions(self) -> list[Question]:
        """Return the questions that people were asked; where one changed, its newest form."""
        pushed = [each for each in self.rounds if each.push is not None]
        return list({q.name: q for each in pushed for q in each.form.questions}.values())

    # ── freshness

    def fingerprint(self, name: str) -> str | None:
        """Return a digest of the content of a table, of all rounds' answers, or of a file."""
        if name in ("sample", "tasks", "project", "annotations"):
            parts = {each.number: each.fingerprint(name) for each in self.rounds}
            return storage.digest(parts) if any(parts.values()) else None
        if name in FILES:
            path = self.root / FILES[name]
            return storage.file_digest(path) if path.is_file() else None
        stored = self.stored(name)
        return stored.content if stored else None

    def provenance(
        self, stage: str, spec: Spec, inputs: dict[str, str | None], **facts: Any
    ) -> Provenance:
        """Return the record to lay beside what a stage makes."""
        return Provenance(stage, spec.settings(), inputs, __version__, facts)

    def inputs(self, names: Sequence[str]) -> dict[str, str | None]:
        """Return the fingerprints of a stage's inputs."""
        return {name: self.fingerprint(name) for name in names}

    def is_fresh(self, made: Provenance, writes: Sequence[str]) -> bool:
        """Whether everything a stage writes is there, made from the same settings and content."""
        line = self.last_run(made.stage)
        if line is None or (line["spec"], line["inputs"]) != (made.spec, made.inputs):
            return False
        for name in writes:
            if name in FILES:
                if line["outputs"].get(name) != self.fingerprint(name):
                    return False
            else:
                stored = self.stored(name)
                if stored is None or not stored.made.same_as(made):
                    return False
        return True

    # ── ledger

    def record(self, made: Provenance, writes: Sequence[str], result: Any, seconds: float) -> None:
        """Append one line to the ledger: what ran, on what, and what came of it."""
        line = {
            "stage": made.stage,
            "at": now(),
            "spec": made.spec,
            "inputs": made.inputs,
            "outputs": self.inputs(writes),
            "result": plain(result),
            "seconds": round(seconds, 3),
            "version": made.version,
        }
        with (self.root / "ledger.jsonl").open("ab+") as file:
            # A line cut short by a kill must not swallow the next one.
            if file.tell() and last_byte(file) != b"\n":
                file.write(b"\n")
            file.write(json.dumps(line, ensure_ascii=False).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())

    def ledger(self) -> list[dict[str, Any]]:
        """Return every whole line of the ledger, oldest first."""
        path = self.root / "ledger.jsonl"
        lines = []
        # In bytes: text would also be cut at other line ends, and not decode where it was torn.
        for line in path.read_bytes().split(b"\n") if path.exists() else ():
            try:
                lines.append(json.loads(line))
            except ValueError:
                continue  # cut short by a kill: the stage that wrote it counts as not run
        return lines

    def last_run(self, stage: str) -> dict[str, Any] | None:
        """Return the last ledger line of a stage."""
        return next((line for line in reversed(self.ledger()) if line["stage"] == stage), None)

    # ── one writer at a time

    @contextmanager
    def lock(self, command: str, *, wait: float = 0) -> Iterator[None]:
        """Hold the workspace for writing; WorkspaceBusy names who does if it stays taken."""
        self.root.mkdir(parents=True, exist_ok=True)
        with (self.root / ".lock").open("a+") as file:
            until = time.monotonic() + wait
            while not locked(file):
                if time.monotonic() >= until:
                    file.seek(0)
                    raise WorkspaceBusy(
                        f"{self.root} is in use by {file.read().strip() or 'another command'}",
                        hint="wait for it to end, or give --wait SECONDS",
                    )
                time.sleep(0.2)
            file.truncate(0)
            file.write(f"`curate {command}` (process {os.getpid()}, since {now()})\n")
            file.flush()
            try:
                yield
            finally:
                file.truncate(0)
