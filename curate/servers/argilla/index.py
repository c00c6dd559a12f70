"""The search index beside Argilla's own tables, in the same SQLite file: words and vectors.

    records, vectors ──triggers──▶ curate_changes ──refresh──▶ curate_words, curate_vectors

Every write of a record also writes its id into `curate_changes`, in the same transaction. An answer
that needs the index processes these changes first. So the index cannot drift, even after a kill.
The triggers are plain SQL: any other program may write the file too.
"""

from __future__ import annotations

import json
import logging
import sqlite3
import threading
import time
from array import array
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import blake2b
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curate.servers.argilla.query import EVERY
from curate.servers.argilla.words import unescaped, words

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

EDITION = 1
"""Increase it when tables or words change: an index of another edition is built again."""

BATCH = 500
EMPTY_LOG = "PRAGMA wal_checkpoint(TRUNCATE)"
TRIES = 20
"""How often the log of writes is emptied, if somebody reads just then."""

LOG = logging.getLogger("curate")
MATRICES = 4
TABLES = ("curate_changes", "curate_documents", "curate_words", "curate_vectors")
TRIGGERS = [
    (table, event.split()[0], kind, "OLD" if event == "DELETE" else "NEW", event)
    for table, kind, column in (("records", "record", "fields"), ("vectors", "vector", "value"))
    for event in ("INSERT", f"UPDATE OF {column}", "DELETE")
]
SCHEMA = """
CREATE TABLE IF NOT EXISTS curate_changes(
    number INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, id TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS curate_documents(
    number INTEGER PRIMARY KEY, record_id TEXT NOT NULL, field TEXT, is_whole INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS curate_documents_record ON curate_documents(record_id);
CREATE VIRTUAL TABLE IF NOT EXISTS curate_words USING fts5(words, tokenize = 'ascii');
CREATE TABLE IF NOT EXISTS curate_vectors(
    id TEXT PRIMARY KEY, settings_id TEXT NOT NULL, record_id TEXT NOT NULL,
    value BLOB NOT NULL, change INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS curate_vectors_settings ON curate_vectors(settings_id);
CREATE INDEX IF NOT EXISTS curate_records_dataset ON records(dataset_id, inserted_at, id);
""" + "".join(
    f"CREATE TRIGGER IF NOT EXISTS curate_{table}_{name.lower()} AFTER {event} ON {table} BEGIN"
    f" INSERT INTO curate_changes(kind, id) VALUES ('{kind}', {row}.id); END;\n"
    for table, name, kind, row, event in TRIGGERS
)
MISSED = """
INSERT INTO curate_changes(kind, id) SELECT 'record', id FROM records
    WHERE id NOT IN (SELECT record_id FROM curate_documents UNION SELECT id FROM curate_changes);
INSERT INTO curate_changes(kind, id) SELECT 'vector', id FROM vectors
    WHERE id NOT IN (SELECT id FROM curate_vectors UNION SELECT id FROM curate_changes);
"""

FIELDS = """
SELECT r.id, r.fields, f.name, json_extract(f.settings, '$.type')
    FROM records r LEFT JOIN fields f
    ON f.dataset_id = r.dataset_id AND json_extract(f.settings, '$.type') <> 'image'
    WHERE r.id IN ({}) ORDER BY r.id, f.inserted_at
"""


@dataclass(frozen=True)
class Document:
    """The words of one field of a record, or of the whole record."""

    record: str
    field: str | None
    is_whole: bool
    words: str


class Index:
    """The index in one database; all threads may use it."""

    def __init__(self, database: Path) -> None:
        self._database = database
        self._idle: list[sqlite3.Connection] = []
        self._refreshing, self._loading = threading.Lock(), threading.Lock()
        self._matrices: dict[str, tuple[Any, list[str], NDArray[np.float32]]] = {}

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Yield a connection that sees one state of the database."""
        with self._connection() as connection:
            connection.execute("BEGIN")
            try:
                yield connection
            finally:
                connection.execute("COMMIT")

    def write(self, statement: str, values: Sequence[Any] = ()) -> int:
        """Run a statement in its own transaction; return the number of rows it changed."""
        with self._connection() as connection:
            return connection.execute(statement, values).rowcount

    def prepare(self) -> None:
        """Build the index unless it has this edition; let readers work while another writes."""
        with self._connection() as connection:
            connection.execute("PRAGMA journal_mode = WAL")
            if connection.execute("PRAGMA user_version").fetchone() != (EDITION,):
                drop = "".join(f"DROP TABLE IF EXISTS {table};" for table in TABLES)
                edition = f"PRAGMA user_version = {EDITION};"
                connection.executescript(f"BEGIN IMMEDIATE; {drop}{SCHEMA}{MISSED}{edition}COMMIT;")

    def refresh(self) -> None:
        """Bring the index up to date with all changes so far."""
        with self._refreshing, self._connection() as connection:
            (last,) = connection.execute("SELECT max(number) FROM curate_changes").fetchone()
            while last and (changes := _changes(connection, last)):
                _work_off(connection, changes)

    def forget(self) -> None:
        """Let no deleted text stay in the files: not in the index, not in the log of writes.

        FTS5 keeps a deleted word until its segments are merged.
        """
        self.refresh()
        with self._connection() as connection:
            connection.execute("INSERT INTO curate_words(curate_words) VALUES ('optimize')")
            connection.execute("PRAGMA busy_timeout = 100")
            try:
                for _ in range(TRIES):
                    (is_busy, _, _) = connection.execute(EMPTY_LOG).fetchone()
                    if not is_busy:
                        return
                    time.sleep(0.1)
            finally:
                connection.execute("PRAGMA busy_timeout = 30000")
        LOG.warning("deleted texts stay in %s-wal for now: it is being read", self._database)

    def matrix(self, settings: str) -> tuple[list[str], NDArray[np.float32]]:
        """The records that have this kind of vector, and their unit vectors: records x numbers."""
        import numpy as np

        with self._loading, self.reading() as connection:
            version = connection.execute(
                "SELECT count(*), max(change) FROM curate_vectors WHERE settings_id = ?",
                (settings,),
            ).fetchone()
            cached = self._matrices.pop(settings, None)
            if cached is None or cached[0] != version:
                rows = connection.execute(
                    "SELECT record_id, value FROM curate_vectors WHERE settings_id = ?", (settings,)
                ).fetchall()
                flat = np.frombuffer(b"".join(value for _, value in rows), dtype=np.float32)
                vectors = flat.reshape(len(rows), -1 if rows else 0)
                cached = version, [record for record, _ in rows], _unit(vectors)
            self._matrices[settings] = cached
            while len(self._matrices) > MATRICES:
                self._matrices.pop(next(iter(self._matrices)))
        return cached[1:]

    def close(self) -> None:
        """Close the connections that nobody uses."""
        while self._idle:
            self._idle.pop().close()

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        try:
            connection = self._idle.pop()
        except IndexError:
            connection = self._connect()
        try:
            yield connection
        finally:
            self._idle.append(connection)

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self._database, timeout=30, isolation_level=None, check_same_thread=False
        )
        connection.execute("PRAGMA secure_delete = ON")
        connection.text_factory = lambda text: text.decode(errors="replace")
        connection.create_function("curate_shuffled", 2, _shuffled, deterministic=True)
        return connection


def _changes(connection: sqlite3.Connection, last: int) -> list[tuple[int, str, str]]:
    query = "SELECT number, kind, id FROM curate_changes WHERE number <= ? ORDER BY number LIMIT ?"
    return connection.execute(query, (last, BATCH)).fetchall()


def _work_off(connection: sqlite3.Connection, changes: Sequence[tuple[int, str, str]]) -> None:
    """Bring the index up to these changes; a write in between leaves another change."""
    records = sorted({key for _, kind, key in changes if kind == "record"})
    vectors = sorted({key for _, kind, key in changes if kind == "vector"})
    last = changes[-1][0]
    documents = list(_documents(connection, records))
    values = _values(connection, vectors, last)
    connection.execute("BEGIN IMMEDIATE")
    try:
        _forget(connection, records, vectors)
        for document in documents:
            _add(connection, document)
        connection.executemany("INSERT INTO curate_vectors VALUES (?, ?, ?, ?, ?)", values)
        connection.execute("DELETE FROM curate_changes WHERE number <= ?", (last,))
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def _documents(connection: sqlite3.Connection, records: Sequence[str]) -> Iterator[Document]:
    rows = connection.execute(FIELDS.format(_marks(records)), records).fetchall()
    for record, fields in groupby(rows, key=itemgetter(0)):
        yield from _documents_of(record, list(fields))


def _documents_of(
    record: str, fields: Sequence[tuple[str, str, str | None, str]]
) -> list[Document]:
    """The whole record and, if it has several fields, every field."""
    values = json.loads(fields[0][1]) or {}
    texts = {name: _words_of(values.get(name)) for _, _, name, _ in fields if name is not None}
    only_field = next(iter(texts)) if len(texts) == 1 else None
    whole = Document(record, only_field, True, " ".join(texts.values()) or EVERY)
    parts = (
        [] if only_field else [Document(record, name, False, text) for name, text in texts.items()]
    )
    return [whole, *parts]


def _words_of(value: Any) -> str:
    """The words of a field's value: a text, the messages of a chat, or any JSON."""
    if isinstance(value, list):
        value = "\n".join(str(message.get("content", "")) for message in value)
    elif not isinstance(value, str):
        value = json.dumps(value, ensure_ascii=False) if value else ""
    return " ".join([EVERY, *words(unescaped(value))])


def _values(
    connection: sqlite3.Connection, vectors: Sequence[str], change: int
) -> list[tuple[str, str, str, bytes, int]]:
    query = "SELECT id, vector_settings_id, record_id, value FROM vectors WHERE id IN ({})"
    rows = connection.execute(query.format(_marks(vectors)), vectors)
    return [
        (key, settings, record, array("f", json.loads(value)).tobytes(), change)
        for key, settings, record, value in rows
    ]


def _forget(connection: sqlite3.Connection, records: Sequence[str], vectors: Sequence[str]) -> None:
    numbers = f"SELECT number FROM curate_documents WHERE record_id IN ({_marks(records)})"
    connection.execute(f"DELETE FROM curate_words WHERE rowid IN ({numbers})", records)
    connection.execute(
        f"DELETE FROM curate_documents WHERE record_id IN ({_marks(records)})", records
    )
    connection.execute(f"DELETE FROM curate_vectors WHERE id IN ({_marks(vectors)})", vectors)


def _add(connection: sqlite3.Connection, document: Document) -> None:
    row = connection.execute(
        "INSERT INTO curate_documents(record_id, field, is_whole) VALUES (?, ?, ?)",
        (document.record, document.field, document.is_whole),
    )
    connection.execute(
        "INSERT INTO curate_words(rowid, words) VALUES (?, ?)", (row.lastrowid, document.words)
    )


def _marks(values: Sequence[Any]) -> str:
    return ", ".join("?" * len(values))


def _unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    import numpy as np

    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit: NDArray[np.float32] = vectors / np.where(lengths == 0, 1, lengths)
    return unit


def _shuffled(user: str, record: str) -> int:
    """The place of a record in a user's own order, which is always the same."""
    return int.from_bytes(blake2b((user + record).encode(), digest_size=7).digest())
