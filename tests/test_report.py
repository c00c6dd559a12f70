"""The page: complete, self-contained, and safe to open whatever the texts say."""

import re

import pytest

from curate.report import charts

EVIL = "<script>alert('x')</script>"


def page(run):
    return (run.root / "report.html").read_text(encoding="utf-8")


def test_the_page_tells_the_whole_run(whole):
    html = page(whole)
    for heading in (
        *("From rows to documents", "Agreement", "Annotators", "The model of sentiment"),
        *("Calibration", "Quality by group", "The mixture", "Does it help?", "Provenance"),
    ):
        assert f"<h2>{heading}</h2>" in html
    assert html.count("<svg") >= 6
    for group in whole.rows("groups"):
        assert group["group"] in html


def test_nothing_is_fetched_from_anywhere(whole):
    html = page(whole)
    assert not re.search(r"""(src|href)\s*=\s*["']?(https?:)?//""", html)
    assert "<script" not in html
    assert "@import" not in html


def test_names_are_shown_never_run(offline):
    offline.lines(f"{EVIL.replace('/', '∕')}.jsonl", ["A plain text of several words."] * 2)
    offline.lines("other.jsonl", ["A plain text of several words.", "And one that is its own."])
    offline.pool()
    offline.run("clean")
    offline.run("mix")
    offline.run("report", title=EVIL)
    html = page(offline)
    assert "<script" not in html
    assert "&lt;script&gt;" in html


def test_copies_between_sources_are_told(offline):
    offline.lines("a.jsonl", ["One text that stands twice.", "Only here, in this source."])
    offline.lines("b.jsonl", ["One text that stands twice.", "Only here in this source!"])
    offline.pool()
    offline.run("clean")
    offline.run("report")
    html = page(offline)
    assert "1 texts stand in two sources, letter for letter; 2 if punctuation" in html


@pytest.mark.parametrize("name", ["中文", "a & b", '"quoted"', EVIL])
def test_charts_escape_what_they_draw(name):
    svg = charts.bars([{"group": name, "documents": 3}], "group", "documents")
    assert svg.startswith("<svg")
    assert "<script" not in svg
    if name == "中文":
        assert name in svg


def test_a_page_needs_the_tables_and_not_the_ledger(whole):
    (whole.root / "ledger.jsonl").unlink()
    whole.run("report")
    for words in ("From rows to documents", "Learned from 40 labelled texts", "tokens drawn for"):
        assert words in page(whole)
