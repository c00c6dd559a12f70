"""Which comments repeat a text that is taken down."""

import pytest

from curate.takedown.quoting import LETTERS, _quotes

TEXT = "The bread was stale, and the soup had gone cold."


@pytest.mark.parametrize(
    ("typed", "quotes"),
    [
        (f"He writes: {TEXT.upper()}", True),
        ("so 'the  bread was\nstale, and' is a complaint", True),
        (TEXT[:LETTERS], True),
        (TEXT[: LETTERS - 1], False),
        ("a complaint about bread", False),
        ("", False),
    ],
)
def test_a_comment_quotes_a_text_by_a_run_of_characters(typed, quotes):
    assert _quotes(typed, TEXT) is quotes


def test_a_short_text_must_stand_whole():
    assert _quotes("he says Never again. twice", "Never again.")
    assert not _quotes("he says never", "Never again.")
    assert not _quotes("anything", "")
