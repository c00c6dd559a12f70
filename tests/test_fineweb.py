"""FineWeb's filters, by hand."""

import pytest

from curate.clean.rules.features import Features
from curate.clean.rules.fineweb import SIGNALS, measure

LONG = "This line is longer than thirty characters, and it ends."


def test_fineweb_by_hand():
    text = f"{LONG}\nHome\n  \nHome\nWhat?"
    found = measure(Features(text))
    assert found == {
        "punctuated_lines": pytest.approx(2 / 4),
        "short_lines": pytest.approx(3 / 4),
        "duplicate_line_chars": pytest.approx(4 / (len(text) - 4)),
        "line_ends": pytest.approx(4 / (12 + 4)),
    }


def test_thirty_characters_are_short():
    assert measure(Features("x" * 30))["short_lines"] == 1
    assert measure(Features("x" * 31))["short_lines"] == 0


def test_a_line_with_a_space_behind_its_stop_is_not_punctuated():
    assert measure(Features("Yes. "))["punctuated_lines"] == 0  # as the reference has it


def test_no_line_fails():
    assert measure(Features(" \n"))["punctuated_lines"] == 0


def test_the_limits_are_those_of_the_paper():
    assert {name: signal.range for name, signal in SIGNALS.items()} == {
        "punctuated_lines": (0.12, None),
        "short_lines": (None, 0.67),
        "duplicate_line_chars": (None, 0.01),
        "line_ends": (None, 0.3),
    }
