"""Hostile files: no row or file costs more than itself, and none costs the square of its length."""

import json
from time import process_time

import pytest

from curate.sources.readers.html import MOST_ATTRIBUTES, main_text
from curate.sources.reading import SourceSpec, parts, read

PROSE = "<p>The river was low that summer, and people walked across it to the market.</p>"


def rows(folder, **settings):
    source = SourceSpec(paths=(str(folder),), **settings)
    return [row for part in parts([source], folder) for row in read(source, part, strict=False)]


def test_a_tag_of_countless_attributes_is_refused_at_once():
    tag = "<div " + " ".join(f"a{number}='b>'" for number in range(100_000)) + ">"
    began = process_time()
    with pytest.raises(ValueError, match="more than 1,000 attributes"):
        main_text(f"<html><body>{tag}{PROSE * 5}</div></body></html>")
    assert process_time() - began < 5


@pytest.mark.parametrize(
    "start",
    [
        "<div class='" + "a " * 2000 + "'>",
        '<script>if (a<b) {"' + " c = d;" * 2000 + '"}</script>',
        "<div " + " ".join(f"a{number}" for number in range(MOST_ATTRIBUTES - 1)) + ">",
        "<br/>" * 2000,
    ],
)
def test_what_only_looks_like_attributes_is_read(start):
    assert main_text(f"<html><body>{start}{PROSE * 5}</body></html>")


def test_a_wide_table_does_not_repeat_its_columns_in_each_reason(tmp_path):
    names = ",".join(f"column_{number}" for number in range(2000))
    (tmp_path / "wide.csv").write_text(names + "\n" + "x\n" * 5000)
    (tmp_path / "wide.jsonl").write_text(
        (json.dumps({f"{name}_{'x' * 50}": 1 for name in names.split(",")}) + "\n") * 20
    )
    began = process_time()
    bad = rows(tmp_path)
    assert process_time() - began < 5
    assert len(bad) == 5020
    assert max(len(row.reason) for row in bad) <= 301
    assert bad[0].reason == "not as many cells as columns"
    assert bad[-1].reason.startswith("no column text (there are: column_0_x")
