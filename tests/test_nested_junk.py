"""Brackets that nest too deep are told as no JSON, by everything that reads files of others."""

import pytest

from curate.backends.folder import _lines
from curate.errors import CurateError
from curate.pull.formats.files import json_lines, json_list
from curate.sample.gold import read_gold

DEEP = "[" * 200_000
READERS = {
    "answers": lambda path: list(_lines(path)),
    "lines of a tool": lambda path: list(json_lines(path)),
    "list of a tool": lambda path: list(json_list(path)),
    "gold": read_gold,
}


@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize("text", [DEEP, '{"a":' * 200_000, f'{{"text": "x", "value": {DEEP}}}'])
def test_nested_junk_is_told_as_no_json(tmp_path, name, text):
    path = tmp_path / "given.jsonl"
    path.write_text(text + "\n", encoding="utf-8")
    with pytest.raises(CurateError) as caught:
        READERS[name](path)
    assert "given.jsonl" in caught.value.message
    assert "JSON" in caught.value.message
    assert len(caught.value.message) < 300
