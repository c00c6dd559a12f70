"""Gopher's quality filter, by hand; and the tokens that it and its like count."""

from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curate.clean.rules import tokenizing
from curate.clean.rules.features import Features
from curate.clean.rules.gopher_quality import SIGNALS, measure
from curate.clean.rules.tokenizing import Lexicon, split


@pytest.mark.parametrize(
    ("piece", "tokens"),
    [
        ("word", "word"),
        ("Hello,", "Hello ,"),
        ("(see", "( see"),
        ("don't", "do n't"),
        ("it's", "it 's"),
        ("John's.", "John 's ."),
        ("e.g.,", "e.g. ,"),
        ("U.S.", "U.S."),
        ("well-known", "well - known"),
        ("and/or", "and/or"),
        ("input/output", "input / output"),
        ("wait...", "wait ..."),
        ("3.14", "3.14"),
        ("10km", "10 km"),
        ("$5", "$ 5"),
        ("end.Start", "end . Start"),
        ("https://example.org/a-b?c=d", "https://example.org/a-b?c=d"),
        ("“Quoted”", "“ Quoted ”"),
        ("...", "..."),
        ("***", "* * *"),
        (":)", ":)"),
    ],
)
def test_a_piece_is_split_as_treebanks_do(piece, tokens):
    assert list(split(piece)) == tokens.split()


@given(st.text(st.characters(exclude_categories=("Z", "C")), min_size=1, max_size=12))
def test_tokens_are_the_piece_taken_apart(piece):
    assert "".join(split(piece)) == piece
    assert all(split(piece))


@given(st.text("[](\"'_=.$%a5k—-+s", min_size=1, max_size=40))
def test_marks_taken_off_together_are_marks_taken_off_one_by_one(piece):
    wanted = split(piece)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tokenizing, "LONG", 1)
        assert split(piece) == wanted


@pytest.mark.parametrize(("run", "tokens"), [("[(", 2), ("+", 1), ("..(", 2), ("'s", 1), ("+(", 2)])
def test_a_piece_of_marks_alone_takes_no_square_of_its_length(run, tokens):
    began = process_time()
    assert len(split(run * 100_000)) == pytest.approx(tokens * 100_000, abs=100_001)
    assert process_time() - began < 5


def test_a_lexicon_forgets_before_it_grows_too_large(monkeypatch):
    monkeypatch.setattr(Lexicon, "MOST", 3)
    lexicon = Lexicon()
    for word in ["one", "two", "three", "four"]:
        lexicon[word]
    lexicon.tidy()
    assert len(lexicon) == 0
    assert lexicon["five,"][0] == (0, 1)


def test_a_lexicon_forgets_long_pieces(monkeypatch):
    monkeypatch.setattr(Lexicon, "MOST_CHARACTERS", 8)
    lexicon = Lexicon()
    lexicon["a-long-piece"]
    lexicon.tidy()
    assert len(lexicon) == 0


def test_quality_by_hand():
    text = "- The cat, with a hat...\nand #1 dog…\n\nWell."
    found = measure(Features(text, "en"))
    # - The cat , with a hat ... and # 1 dog … Well .  → 15 tokens, of them 9 words
    assert found == {
        "words": 9,
        "mean_word_length": pytest.approx((3 + 3 + 4 + 1 + 3 + 3 + 1 + 3 + 4) / 9),
        "hashes": pytest.approx(1 / 15),
        "ellipses": pytest.approx(2 / 15),
        "bullet_lines": pytest.approx(1 / 4),
        "ellipsis_lines": pytest.approx(2 / 4),
        "lettered": pytest.approx(8 / 15),
        "stop_words": 2,  # with, and: "The" is another word
    }


def test_a_text_without_words_has_numbers_too():
    for text in ("", " \n", "...", "#"):
        assert measure(Features(text, "en"))["words"] == 0


def test_the_limits_are_those_of_the_paper():
    assert {name: signal.range for name, signal in SIGNALS.items()} == {
        "words": (50, 100_000),
        "mean_word_length": (3, 10),
        "hashes": (None, 0.1),
        "ellipses": (None, 0.1),
        "bullet_lines": (None, 0.9),
        "ellipsis_lines": (None, 0.3),
        "lettered": (0.8, None),
        "stop_words": (2, None),
    }


@pytest.mark.parametrize("end", ["'s", "’s", ")", "'s)", "!'s", ".)", "km"])
def test_marks_behind_a_long_piece_are_taken_as_one_by_one(end, monkeypatch):
    pieces = [start + end * times for start in ("a", "1", "a.b", "'") for times in (60, 97, 140)]
    at_once = [tokenizing._split(piece) for piece in pieces]
    monkeypatch.setattr(tokenizing, "LONG", 1 << 30)
    assert at_once == [tokenizing._split(piece) for piece in pieces]
