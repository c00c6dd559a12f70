"""What the terminal shows: no character that it would obey, and tables that fit."""

import json
import re

import pytest
from rich.cells import cell_len

from curate import console, yamls
from curate.errors import CurateError
from curate.warning import warn

HOSTILE = ("\x1b[2J\x1b]0;owned\x07a.txt", "a\rb.txt", "a\u202egnp.exe", "\x9b31mred", "a\x08\x08b")


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_moves_no_cursor(capsys, name):
    console.error(CurateError(f"{name}: no such file", hint=f"see {name}"))
    console.error_plainly(CurateError(f"{name}: no such file", hint=f"see {name}"))
    console.note(name)
    console.warnings([warn("pool.some", "{name} is odd", name=name)])
    console.table([{"file": name, "rows": 3}], title=name)
    console.show({"files": (name,)}, as_json=False)
    shown = "".join(capsys.readouterr())
    assert "\ufffd" in shown
    assert not set(shown) & set("\x1b\r\x07\x08\x9b\u202e")


@pytest.mark.parametrize("name", [*HOSTILE, "a\u2066b", "a\u200fb\u200e", "a\u061cb", "plain 字"])
def test_json_on_the_terminal_is_the_same_value_and_moves_no_cursor(capsys, name):
    console.show({"files": (name,), name: 1}, as_json=True)
    shown = capsys.readouterr().out
    assert json.loads(shown) == {"files": [name], name: 1}
    assert not set(shown) & set("\x1b\r\x07\x08\x9b\u202e\u2066\u200e\u200f\u061c")
    console.show_with({"n": 1}, "rows", [{"name": name}])
    shown = capsys.readouterr().out
    assert json.loads(shown) == {"n": 1, "rows": [{"name": name}]}
    assert not set(shown) & set("\x1b\r\x07\x08\x9b\u202e\u2066\u200e\u200f\u061c")


@pytest.mark.parametrize(
    "name", ["a\u202egnp.exe", "a\u2066b", "\x9b31m", "字 \u200f ب", "\u061cx"]
)
def test_yaml_that_is_written_turns_no_line_around(name):
    text = yamls.text_of({"sources": [{"name": name}], name: 1})
    assert yamls.parse(text, "recipe.yaml") == {"sources": [{"name": name}], name: 1}
    inline = yamls.inline({"name": name})
    assert yamls.parse(inline, "here") == {"name": name}
    assert not set(text + inline) & set("\u202e\u2066\x9b\u200f\u061c")
    assert "字" in yamls.text_of({"name": "字"})


# ── tables

ROWS = [
    {"question": "mood", "method": "mean of four", "answers": 1234567, "alpha": -0.01234},
    {"question": "一个很长的问题", "method": "majority", "answers": 3, "alpha": 0.5},
]
WIDE = [
    row | {f"further_column_{number}": 10**number for number in range(8)} | {"why": "x y " * 30}
    for row in ROWS
]


@pytest.mark.parametrize("width", [34, 60, 80, 200])
@pytest.mark.parametrize("rows", [ROWS, WIDE])
def test_a_table_fits_the_terminal_and_cuts_no_number(capsys, monkeypatch, rows, width):
    monkeypatch.setenv("COLUMNS", str(width))
    console.table(rows, title="questions")
    shown = capsys.readouterr().out
    assert max(map(cell_len, shown.splitlines())) <= width
    words = re.split(r"[\s│]+", shown)
    for row in rows:
        for value in row.values():
            if isinstance(value, int):
                assert f"{value:,}" in words
    assert {"-0.01234", "0.5"} <= set(words)
    assert "…" not in shown


def test_columns_that_do_not_fit_follow_beside_the_first(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    console.table(ROWS)
    (head,) = [line for line in capsys.readouterr().out.splitlines() if "question" in line]
    assert re.findall(r"\w+", head) == ["question", "method", "answers", "alpha"]
    console.table(WIDE)
    heads = [line for line in capsys.readouterr().out.splitlines() if "question" in line]
    assert len(heads) > 1
    assert all(line.lstrip("┃ ").startswith("question") for line in heads)


def test_a_word_longer_than_the_terminal_is_folded_whole(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    address = "https://example.org/" + "".join(map(str, range(40)))
    console.table([{"page": address, "rows": 7}])
    shown = capsys.readouterr().out
    assert address in re.sub(r"[\s│]|\b7\b", "", shown)
