"""Gopher's repetition filter: by hand, by property, and beside a plain implementation."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curate.clean.rules import gopher_repetition
from curate.clean.rules.features import Features
from curate.clean.rules.gopher_repetition import SIGNALS


def measure(text):
    """Return the signals of a text between two others, which must not matter."""
    rows = gopher_repetition.measure([Features("a b a b"), Features(text), Features("")])
    return dict(zip(SIGNALS, rows[1].tolist(), strict=True))


def signal(text, name):
    return measure(text)[name]


def test_repeated_lines_and_paragraphs():
    text = "same\nsame\nother\n\nsame\n\nsame"
    assert signal(text, "duplicate_lines") == pytest.approx(3 / 5)
    assert signal(text, "duplicate_line_chars") == pytest.approx(3 * 4 / len(text))
    assert signal(text, "duplicate_paragraphs") == pytest.approx(1 / 3)
    assert signal(text, "duplicate_paragraph_chars") == pytest.approx(4 / len(text))


def test_the_top_n_gram_counts_with_its_spaces():
    text = "red cat red cat bluebird"
    assert signal(text, "top_2_gram") == pytest.approx(2 * len("red cat") / len(text))
    assert signal(text, "top_3_gram") == pytest.approx(len("red cat red") / len(text))
    assert signal("one two", "top_3_gram") == 0


def test_the_first_of_equals_is_the_top():
    text = "a b xxxx yyyy a b xxxx yyyy"
    assert signal(text, "top_2_gram") == pytest.approx(2 * len("a b") / len(text))


def test_a_short_text_fails_by_its_brevity():
    assert signal("one two three four", "top_4_gram") == 1


def test_repeated_n_grams_are_searched_from_the_left():
    five = "ab cd ef gh ij"
    text = f"{five} xx {five}"
    assert signal(text, "duplicate_5_grams") == pytest.approx(10 / len(text))
    assert signal(text, "duplicate_6_grams") == 0
    # Of twelve words the first two fives are one and the same: then come two more, ten characters.
    assert signal("a " * 12, "duplicate_5_grams") == pytest.approx(10 / 24)


def test_an_empty_text_repeats_nothing():
    assert set(measure("").values()) == {0.0}


def plainly(text):
    """Return the n-gram signals as one would write them down."""
    features = Features(text)
    tokens, lengths = features.tokens, features.lexicon.lengths
    found = {}
    for n in range(2, 11):
        grams = [tuple(tokens[at : at + n]) for at in range(len(tokens) - n + 1)]
        size = {gram: sum(lengths[token] for token in gram) for gram in grams}
        if n < 5:
            (top, count) = (Counter(grams).most_common(1) or [(None, 0)])[0]
            found[f"top_{n}_gram"] = count * (size.get(top, 0) + n - 1) / (len(text) or 1)
            continue
        seen, at, chars = set(), 0, 0
        while at < len(grams):
            chars += size[grams[at]] if grams[at] in seen else 0
            step = n if grams[at] in seen else 1
            seen.add(grams[at])
            at += step
        found[f"duplicate_{n}_grams"] = chars / (len(text) or 1)
    return found


@given(st.lists(st.sampled_from(["a", "b", "cc,", "d.", "e"]), max_size=60))
def test_runs_are_found_as_a_plain_search_finds_them(words):
    text = " ".join(words)
    found = measure(text)
    for name, value in plainly(text).items():
        assert found[name] == pytest.approx(value), name


@given(st.text("ab \n", max_size=60))
def test_repetition_is_a_share(text):
    assert all(0 <= value <= 1.1 or name.startswith("top") for name, value in measure(text).items())


def test_the_limits_are_those_of_the_paper():
    assert {name: signal.high for name, signal in SIGNALS.items()} == {
        **{"duplicate_lines": 0.30, "duplicate_paragraphs": 0.30},
        **{"duplicate_line_chars": 0.20, "duplicate_paragraph_chars": 0.20},
        **{"top_2_gram": 0.20, "top_3_gram": 0.18, "top_4_gram": 0.16},
        **{"duplicate_5_grams": 0.15, "duplicate_6_grams": 0.14, "duplicate_7_grams": 0.13},
        **{"duplicate_8_grams": 0.12, "duplicate_9_grams": 0.11, "duplicate_10_grams": 0.10},
    }
