"""The tables on disk: where they are, which have been made, and how to read and write one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from curate import older, storage, tables
from curate.errors import DataError, MissingInput
from curate.rounds import Rounds
from curate.storage import Provenance, Stored

if TYPE_CHECKING:
    import pyarrow as pa

FILES = {"export": "export/manifest.json", "evaluate": "evaluate.json", "report": "report.html"}
"""The files that stages write besides tables. One is fresh while its digest is the ledger's."""

OF_ROUNDS = ("sample", "tasks", "project", "annotations")
"""What is in the folders of the rounds."""

ROWS_PER_SHARD = 1 << 18
"""The most rows that `write` puts into a shard."""


@dataclass(frozen=True)
class Tables:
    """The tables under a workspace's root; `maker` names the stage that makes one."""

    root: Path
    rounds: Rounds
    maker: Callable[[str], str | None]

    def folder(self, name: str) -> Path:
        """The folder or file of a table; `vectors/minilm` are the vectors of one encoder."""
        kind = tables.TABLES[name.split("/")[0]].kind
        return self.root / (name if kind == "folder" else f"{name}.parquet")

    def stored(self, name: str) -> Stored | None:
        """Read the record of a table; None if it has not been made."""
        path = self.folder(name)
        if path.suffix:
            return storage.stored_file(path)
        is_cache = name.split("/")[0] == "vectors"
        return storage.stored_folder(path) if is_cache else storage.whole_folder(path)

    def is_made(self, name: str) -> bool:
        """Whether a stage makes a table of that name: not a part of the rounds, not a file."""
        return name in tables.TABLES and tables.TABLES[name].kind != "round"

    def record(self, name: str) -> Provenance | None:
        """Read how a table was made; None for what is no table, or has not been made."""
        stored = self.stored(name) if self.is_made(name) else None
        return stored.made if stored else None

    def rows(self, name: str) -> int:
        """Read the number of rows of a table. Raises MissingInput."""
        return self._required(name).rows

    def made(self, name: str) -> Provenance:
        """Read how a table was made. Raises MissingInput."""
        return self._required(name).made

    def _required(self, name: str) -> Stored:
        stored = self.stored(name)
        if stored is None:
            raise self._missing(name)
        return stored

    def require(self, *names: str) -> None:
        """Raise MissingInput for a table that has not been made, with the command that makes it.

        Raises DataError for a table with the types of an older version.
        """
        for name in names:
            if self.fingerprint(name) is None:
                raise self._missing(name)
            if name not in (*FILES, *OF_ROUNDS) and not self.has_types(name):
                hint = f"run `curate {self.maker(name.split('/')[0])}` again"
                raise DataError(f"{name} has the columns of an older version", hint=hint)

    def has_types(self, name: str) -> bool:
        """Whether the columns of a table on disk have their declared types, by its first file."""
        path = self.folder(name)
        parts = [path] if path.suffix else storage.shards(path)[:1]
        for part in parts:
            with storage.reading(part):
                if not _has_types(name.split("/")[0], part, storage.version_of(part)):
                    return False
        return True

    def _missing(self, name: str) -> MissingInput:
        stage = self.maker(name.split("/")[0])
        hint = f"run `curate {stage}` first" if stage else ""
        return MissingInput(f"{name} has not been made yet", hint=hint)

    def fingerprint(self, name: str) -> str | None:
        """A digest of the content of a table, a part of all rounds, or a file; None if absent."""
        if name in OF_ROUNDS:
            return self.rounds.fingerprint(name)
        if name in FILES:
            path = self.root / FILES[name]
            return storage.file_digest(path) if path.is_file() else None
        stored = self.stored(name)
        return stored.content if stored else None

    def fingerprints(self, names: Sequence[str]) -> dict[str, str | None]:
        """The fingerprints of several tables or files."""
        return {name: self.fingerprint(name) for name in names}

    def shards(self, name: str) -> list[Path]:
        """The shards of a folder table, in order. Raises what `require` does."""
        self.require(name)
        return storage.shards(self.folder(name))

    def read(self, name: str, columns: Sequence[str] | None = None) -> pa.Table:
        """Read a table, or some of its columns, into memory. Raises what `require` does."""
        import pyarrow as pa

        self.require(name)
        path, names = self.folder(name), list(columns) if columns is not None else None
        paths = [path] if path.suffix else storage.shards(path)
        parts = [storage.read_parquet(part, names) for part in paths]
        if not parts:
            return tables.schema(name.split("/")[0], *(names or ())).empty_table()
        return pa.concat_tables(parts).replace_schema_metadata(None)

    def write(
        self,
        name: str,
        table: pa.Table,
        provenance: Provenance,
        *,
        rows_per_shard: int = ROWS_PER_SHARD,
    ) -> None:
        """Write a whole table: a file, or a folder in shards."""
        path = self.folder(name)
        if path.suffix:
            storage.write_file_table(path, table, provenance)
            return
        with storage.building(path, provenance) as folder:
            for number, start in enumerate(range(0, max(1, table.num_rows), rows_per_shard)):
                part = table.slice(start, rows_per_shard)
                storage.write_parquet(folder / f"{number:05}.parquet", part)

    def building(self, name: str, provenance: Provenance) -> AbstractContextManager[Path]:
        """Yield the folder in which to write a table's shards; see `storage.building`."""
        return storage.building(self.folder(name), provenance)


@lru_cache(maxsize=256)
def _has_types(table: str, path: Path, version: tuple[int, ...]) -> bool:
    """Whether a file, in that version, has the declared types of a table; stages ask many times."""
    import pyarrow.parquet as pq

    return older.has_types(table, pq.read_schema(path))
