"""Texts through Argilla: nothing is markup, and every span is exact."""

from __future__ import annotations

import html
from html.parser import HTMLParser

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from curate.backends.argilla.text import Offsets, restored, shown, stored
from tests.backends.contract import HOSTILE

SINGLE = "\r\n\t\0 &<>;#\"'aé好\u2028\ufeff\ufffe\ud83d\ude00🙂\U0001fffe\U0010ffff"
NASTY = st.sampled_from(
    [
        *SINGLE,
        "\r\n",
        "&amp;",
        "&#128578;",
        "&copy",
        "<script>",
        "</p>",
        "👩‍👩‍👧",
        "e\u0301",
        "שלום",
    ]
)
TEXTS = st.lists(st.one_of(NASTY, st.characters()), max_size=12).map("".join)
CANONICAL = TEXTS.map(shown)


class Page(HTMLParser):
    """Reads what is stored as a browser does: it counts the tags and keeps the text."""

    def __init__(self, stored: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags = 0
        self.text = ""
        self.feed(stored)
        self.close()

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags += 1

    handle_comment = handle_decl = handle_pi = handle_endtag = lambda self, data: self.mark()

    def mark(self) -> None:
        self.tags += 1

    def handle_data(self, data: str) -> None:
        self.text += data


def units(text: str) -> bytes:
    return text.encode("utf-16-le", "surrogatepass")


@given(TEXTS)
def test_nothing_is_markup_and_the_page_shows_the_text(text: str) -> None:
    page = Page(stored(text))
    assert page.tags == 0
    assert page.text.translate(DROPPED) == shown(text).translate(DROPPED)


DROPPED = {plane << 16 | last: None for plane in range(17) for last in (0xFFFE, 0xFFFF)}
"""Python's reader drops the references to noncharacters; browsers keep them."""


@given(CANONICAL)
def test_a_canonical_text_comes_back_as_it_was(text: str) -> None:
    assert shown(text) == text
    assert restored(stored(text)) == text


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_texts_come_back(text: str) -> None:
    assert restored(stored(text)) == text
    assert html.unescape(stored(text)) == text


@given(TEXTS)
@example("\r\n🙂\r\r\n<b>")
def test_every_span_is_exact(text: str) -> None:
    offsets, there = Offsets(text), units(shown(text))
    for start in range(len(text)):
        for end in range(start + 1, len(text) + 1):
            first, last = offsets.there(start, end)
            assert 0 <= first < last <= len(there) // 2
            marked = there[2 * first : 2 * last].decode("utf-16-le", "surrogatepass")
            assert marked == shown(text)[start:end]
            assert offsets.here(first, last) == (start, end)


@given(TEXTS)
def test_spans_are_exact_from_what_is_stored(text: str) -> None:
    assert len(restored(stored(text))) == len(text)
    assert Offsets(restored(stored(text))).there(0, len(text)) == Offsets(text).there(0, len(text))


@given(TEXTS)
def test_the_server_accepts_every_span_that_can_be_marked(text: str) -> None:
    assert len(units(shown(text))) // 2 <= len(stored(text))


@given(TEXTS)
def test_every_span_of_the_page_lies_in_the_text(text: str) -> None:
    offsets, length = Offsets(text), len(units(shown(text))) // 2
    for first in range(length):
        for last in range(first + 1, length + 1):
            start, end = offsets.here(first, last)
            assert 0 <= start < end <= len(text)
            back = offsets.there(start, end)
            assert back[0] <= first < last <= back[1]


def test_a_cut_character_is_taken_whole() -> None:
    offsets = Offsets("a🙂b")
    assert offsets.here(2, 4) == (1, 3)
    assert offsets.here(0, 2) == (0, 2)
    assert offsets.here(2, 3) == (1, 2)


@pytest.mark.parametrize("text", ["abc", "a🙂c", "a\r\nc"])
def test_what_lies_outside_the_text_stays_outside(text: str) -> None:
    start, end = Offsets(text).here(100, 105)
    assert start > len(text)
    assert end > start
    assert Offsets(text).here(-3, 2)[0] < 0
