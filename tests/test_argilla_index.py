"""The embedded Argilla's index, fed by triggers, on tables that look like Argilla's."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from curate.servers.argilla import index as module
from curate.servers.argilla.conditions import (
    OfMetadata,
    OfRecord,
    OfResponse,
    OfSuggestion,
    Range,
    Sort,
    Terms,
)
from curate.servers.argilla.index import Index
from curate.servers.argilla.query import parse
from curate.servers.argilla.search import Text, Wanted, search, similar
from curate.servers.argilla.statuses import settle

TABLES = """
CREATE TABLE datasets(id TEXT PRIMARY KEY, status TEXT, distribution TEXT);
CREATE TABLE fields(dataset_id TEXT, name TEXT, settings TEXT, inserted_at TEXT);
CREATE TABLE questions(id TEXT PRIMARY KEY, dataset_id TEXT, name TEXT, settings TEXT);
CREATE TABLE records(id TEXT PRIMARY KEY, dataset_id TEXT, external_id TEXT, fields TEXT,
    metadata TEXT, status TEXT DEFAULT 'pending', inserted_at TEXT, updated_at TEXT);
CREATE TABLE responses(record_id TEXT, user_id TEXT, status TEXT, "values" TEXT);
CREATE TABLE suggestions(record_id TEXT, question_id TEXT, value TEXT, score TEXT, agent TEXT,
    type TEXT);
CREATE TABLE vectors(id TEXT PRIMARY KEY, vector_settings_id TEXT, record_id TEXT, value TEXT);
INSERT INTO datasets VALUES ('d', 'ready', '{"min_submitted": 1}');
INSERT INTO fields VALUES ('d', 'text', '{"type": "text"}', '1'),
    ('d', 'talk', '{"type": "chat"}', '2'), ('d', 'picture', '{"type": "image"}', '3');
"""


class Argilla:
    """The database as another program, Argilla itself, writes it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.write = sqlite3.connect(path, isolation_level=None).execute

    def put(self, record: str, **fields: Any) -> None:
        self.write(
            "INSERT INTO records(id, dataset_id, fields, inserted_at) VALUES (?, 'd', ?, ?)"
            " ON CONFLICT(id) DO UPDATE SET fields = excluded.fields",
            (record, json.dumps(fields), record),
        )

    def vector(self, record: str, *value: float) -> None:
        self.write(
            "INSERT INTO vectors VALUES (?, 's', ?, ?)"
            " ON CONFLICT(id) DO UPDATE SET value = excluded.value",
            (f"v-{record}", record, json.dumps(value)),
        )


@pytest.fixture
def argilla(tmp_path: Path) -> Iterator[Argilla]:
    path = tmp_path / "argilla.db"
    with sqlite3.connect(path) as connection:
        connection.executescript(TABLES)
    connection.close()
    argilla = Argilla(path)
    yield argilla
    argilla.write.__self__.close()  # type: ignore[attr-defined]


@pytest.fixture
def index(argilla: Argilla) -> Iterator[Index]:
    index = Index(argilla.path)
    index.prepare()
    yield index
    index.close()


def found(index: Index, text: str, field: str | None = None) -> list[str]:
    query = parse(text)
    assert query is not None
    wanted = Wanted("d", text=Text(query, field))
    return sorted(record for record, _ in search(index, wanted).records)


def waiting(argilla: Argilla) -> int:
    return int(argilla.write("SELECT count(*) FROM curate_changes").fetchone()[0])


def test_what_another_program_writes_is_found(argilla: Argilla, index: Index) -> None:
    argilla.put("1", text="one apple")
    argilla.put("2", text="two pears", talk=[{"role": "user", "content": "about apples"}])
    assert waiting(argilla) == 2
    assert found(index, "apple*") == ["1", "2"]
    assert waiting(argilla) == 0
    assert found(index, "apple*", "text") == ["1"]
    assert found(index, "pears apples") == ["2"]
    argilla.put("1", text="one plum")
    assert found(index, "apple*") == ["2"]
    argilla.write("DELETE FROM records WHERE id = '2'")
    assert found(index, "apple*") == []
    assert found(index, "plum") == ["1"]


def test_a_change_that_comes_while_another_is_worked_off_is_not_lost(
    argilla: Argilla, index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    argilla.put("1", text="old")
    read = module._documents

    def read_and_change(*arguments: Any) -> Any:
        documents = list(read(*arguments))
        monkeypatch.undo()
        argilla.put("1", text="new")
        return documents

    monkeypatch.setattr(module, "_documents", read_and_change)
    index.refresh()
    assert waiting(argilla) == 1
    assert found(index, "old") == []
    assert found(index, "new") == ["1"]


def test_a_kill_in_between_leaves_the_change(
    argilla: Argilla, index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: Any) -> None:
        raise KeyboardInterrupt

    argilla.put("1", text="apple")
    with monkeypatch.context() as patch:
        patch.setattr(module, "_add", killed)
        with pytest.raises(KeyboardInterrupt):
            index.refresh()
    again = Index(argilla.path)
    assert found(again, "apple") == ["1"]
    again.close()


def test_odd_values_do_not_stop_the_index(argilla: Argilla, index: Index) -> None:
    argilla.put("1", text="broken \ud800 surrogate")
    argilla.put("2", text=None, talk=None, picture="apple.png")
    argilla.put("3", text="plain", unknown="apple")
    argilla.put("4", text={"nested": "apple"})
    assert found(index, "surrogate") == ["1"]
    assert found(index, "apple") == ["4"]
    assert found(index, "-apple") == ["1", "2", "3"]


def test_many_changes_are_worked_off_in_parts(argilla: Argilla, index: Index) -> None:
    for number in range(2 * module.BATCH + 7):
        argilla.put(f"{number:04}", text=f"apple {number}")
    assert len(found(index, f"apple {module.BATCH}")) == 1
    assert waiting(argilla) == 0


def test_an_index_of_another_edition_is_made_anew(argilla: Argilla, index: Index) -> None:
    argilla.put("1", text="apple")
    argilla.vector("1", 1, 0)
    index.refresh()
    argilla.write("UPDATE curate_words SET words = 'wrong'")
    argilla.write(f"PRAGMA user_version = {module.EDITION + 1}")
    index.prepare()
    assert found(index, "apple") == ["1"]
    assert index.matrix("s")[0] == ["1"]
    index.prepare()
    assert waiting(argilla) == 0


def near(index: Index, *vector: float, **how: Any) -> list[tuple[str, float]]:
    found = similar(index, Wanted("d"), "s", vector, **how)
    return [(record, round(score, 2)) for record, score in found.records]


def test_neighbours_and_their_scores(argilla: Argilla, index: Index) -> None:
    for record, vector in (("1", (2, 0)), ("2", (0, 3)), ("3", (-1, 0)), ("4", (0, 0))):
        argilla.put(record, text="x")
        argilla.vector(record, *vector)
    assert near(index, 5, 0) == [("1", 1.0), ("2", 0.5), ("4", 0.5), ("3", 0.0)]
    assert near(index, 5, 0, but="1", limit=1) == [("2", 0.5)]
    assert near(index, 5, 0, threshold=0.6) == [("1", 1.0)]
    assert similar(index, Wanted("d"), "s", (5, 0), threshold=0.6).total == 4
    assert near(index, 0, 0)[0][1] == 0.5
    with pytest.raises(ValueError, match="3 numbers, not 2"):
        near(index, 1, 2, 3)
    argilla.write("DELETE FROM vectors WHERE id = 'v-1'")
    argilla.vector("3", 1, 0)
    assert near(index, 5, 0)[0] == ("3", 1.0)


def test_vectors_that_change_places_are_seen(argilla: Argilla, index: Index) -> None:
    for record in ("1", "2"):
        argilla.put(record, text="x")
    for first, second in (((1, 0), (0, 1)), ((0, 1), (1, 0))) * 2:
        argilla.vector("1", *first)
        argilla.vector("2", *second)
        assert near(index, *first)[0] == ("1", 1.0)
    assert index.matrix("s")[1].dtype == np.float32


def test_statuses_are_settled(argilla: Argilla, index: Index) -> None:
    for record in ("1", "2", "3"):
        argilla.put(record, text="x")
    argilla.write("INSERT INTO responses VALUES ('1', 'u', 'submitted', '{}')")
    argilla.write("INSERT INTO responses VALUES ('2', 'u', 'draft', '{}')")
    argilla.write("UPDATE records SET status = 'completed' WHERE id = '3'")
    assert settle(index, "another") == 0
    assert settle(index, "d") == 2
    assert settle(index) == 0
    rows = argilla.write("SELECT status FROM records ORDER BY id").fetchall()
    assert rows == [("completed",), ("pending",), ("pending",)]


TERMS_ONLY = [
    OfRecord("id"),
    OfSuggestion("q", "agent"),
    OfSuggestion("q", "type"),
    OfResponse(None, "u"),
    OfResponse(None, None),
]
SCOPES = [
    *(OfRecord(name) for name in ("external_id", "status", "inserted_at", "updated_at")),
    OfMetadata("m"),
    OfSuggestion("q", "value"),
    OfSuggestion("q", "score"),
    OfResponse("q", None),
    OfResponse("q", "u"),
]


@pytest.mark.parametrize("scope", [*TERMS_ONLY, *SCOPES])
def test_every_scope_can_be_filtered_and_sorted_by(index: Index, scope: Any) -> None:
    value = "2026-01-01" if str(getattr(scope, "name", "")).endswith("_at") else "1"
    ranges = [Range(scope, value, value), Range(scope, None, value)] if scope in SCOPES else []
    wanted = Wanted("d", [Terms(scope, [value, value]), *ranges])
    for is_descending in (False, True):
        assert search(index, wanted, sorts=[Sort(scope, is_descending)] * 2, user="u").total == 0


@pytest.mark.parametrize("scope", TERMS_ONLY)
def test_what_has_no_range_is_refused(index: Index, scope: Any) -> None:
    with pytest.raises(ValueError, match="has no range"):
        search(index, Wanted("d", [Range(scope, 1, 2)]))


def test_a_deleted_text_stays_in_no_file(argilla: Argilla, index: Index) -> None:
    for number in range(200):
        argilla.put(f"r{number}", text=f"xylophone{number}")
    index.refresh()
    argilla.write("PRAGMA secure_delete = ON")
    argilla.write("DELETE FROM records")
    index.forget()
    files = [path.read_bytes() for path in argilla.path.parent.iterdir()]
    assert not any(b"xylophone" in content for content in files)
    assert found(index, "xylophone1") == []
