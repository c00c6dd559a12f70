"""The words and the query language of the embedded Argilla's search box."""

from __future__ import annotations

import html
import sqlite3
from collections.abc import Iterator
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curate.backends.argilla.text import shown, stored
from curate.servers.argilla.query import (
    EVERY,
    MAX_TURNS,
    MAX_WORDS,
    Group,
    Not,
    Phrase,
    expression,
    parse,
)
from curate.servers.argilla.words import unescaped, words


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("The Quick, brown FOX!", ["the", "quick", "brown", "fox"]),
        ("don't foo_bar e-mail", ["don", "t", "foo", "bar", "e", "mail"]),
        ("3.14 is ½", ["3", "14", "is", "1", "2"]),
        ("閱讀書", ["閱", "讀", "書"]),
        ("タワーABC 한국어", ["タ", "ワ", "ー", "abc", "한국어"]),
        ("हिन्दी नहीं", ["हिन्दी", "नहीं"]),
        ("cafe\u0301 ＡＢＣ Straße", ["café", "abc", "strasse"]),
        ("ok\U0001f600\U0001f600", ["ok", "\U0001f600", "\U0001f600"]),
        ("-- \x00\ue000 ...", []),
        ("a\ud800b", ["a", "b"]),
    ],
)
def test_words(text: str, found: list[str]) -> None:
    assert words(text) == found


@given(st.text())
def test_escaping_changes_no_words(text: str) -> None:
    assert unescaped(html.escape(text)) == text
    assert unescaped(stored(text)) == shown(text)
    assert unescaped(html.escape(text, quote=False)) in (text, unescaped(text))


@given(st.text())
def test_words_of_words_are_the_words(text: str) -> None:
    found = words(text)
    assert words(" ".join(found)) == found
    assert EVERY not in found


A, B, C = Phrase(("a",)), Phrase(("b",)), Phrase(("c",))


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("a b", Group("AND", (A, B))),
        ("a + b c", Group("AND", (A, B, C))),
        ("a | b c", Group("AND", (Group("OR", (A, B)), C))),
        ("a (b | c)", Group("AND", (A, Group("OR", (B, C))))),
        ("a -b", Group("AND", (A, Not(B)))),
        ("--a", A),
        ("-(a b)", Not(Group("AND", (A, B)))),
        ('"a b"', Phrase(("a", "b"))),
        ('"a b"~3 c~2', Group("AND", (Phrase(("a", "b")), C))),
        ("a* b", Group("AND", (Phrase(("a",), True), B))),
        (r"a\* b", Group("AND", (A, B))),
        (r"a\-b", Phrase(("a", "b"))),
        ("a-b", Phrase(("a", "b"))),
        ("中文", Phrase(("中", "文"))),
        ('a "b', Group("AND", (A, B))),
        ("(a", A),
        ("a) b", Group("AND", (A, B))),
        ("a !!! b", Group("AND", (A, B))),
        ("!!!", None),
        ("", None),
        ("- | + ( )", None),
        ("-)", None),
    ],
)
def test_queries(text: str, query: object) -> None:
    assert parse(text) == query


def test_too_much_is_refused() -> None:
    with pytest.raises(ValueError, match="words"):
        parse("a " * (MAX_WORDS + 1))
    with pytest.raises(ValueError, match="brackets"):
        parse("a | b c " * MAX_TURNS)
    assert parse("a " * MAX_WORDS)


@pytest.fixture(scope="module")
def table() -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE VIRTUAL TABLE t USING fts5(words, tokenize = 'ascii')")
    for text in ("a b c", "b c", "don t stop", "中 文"):
        connection.execute("INSERT INTO t VALUES (?)", (f"{EVERY} {text}",))
    yield connection
    connection.close()


def matches(table: sqlite3.Connection, text: str) -> list[int]:
    query = parse(text)
    assert query is not None
    found = table.execute("SELECT rowid FROM t WHERE t MATCH ? ORDER BY 1", (expression(query),))
    return [row for (row,) in found]


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("b", [1, 2]),
        ("b -a", [2]),
        ("-a", [2, 3, 4]),
        ("-a -b", [3, 4]),
        ("-(b c)", [3, 4]),
        ("-(-b)", [1, 2]),
        ("a | -b", [1, 3, 4]),
        ('"a b"', [1]),
        ('"a c"', []),
        ("don't", [3]),
        ("sto*", [3]),
        ("中文", [4]),
        ("文中", []),
    ],
)
def test_expressions(table: sqlite3.Connection, text: str, rows: list[int]) -> None:
    assert matches(table, text) == rows


def test_the_largest_queries_are_not_too_deep_for_sqlite(table: sqlite3.Connection) -> None:
    deepest = "a"
    for _ in range(MAX_TURNS):
        deepest = f"-({deepest})"
    assert matches(table, deepest)
    turns = " ".join("-a |" if turn % 2 else "-b" for turn in range(MAX_TURNS))
    assert matches(table, turns)
    assert matches(table, " ".join(["-(b", "c)"] * (MAX_TURNS // 2)))
    assert matches(table, "a " * MAX_WORDS) == [1]
    assert matches(table, "b|" * MAX_WORDS) == [1, 2]


@given(st.text(alphabet=st.sampled_from('ab中 ()|+-"*\\~2\U0001f600\x00'), max_size=40))
def test_every_query_is_understood(table: sqlite3.Connection, text: str) -> None:
    with suppress(ValueError):
        if query := parse(text):
            table.execute("SELECT * FROM t WHERE t MATCH ?", (expression(query),)).fetchall()
