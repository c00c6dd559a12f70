"""Boilerplate lines: what is told of a line, and what is taken out of a page."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curate.clean.measuring import measure_texts
from curate.clean.rules.features import Features
from curate.clean.rules.lines import NAMES, OWN, PAGE, WEIGHTS, describe, measure, probabilities
from curate.clean.rules.registry import RULES
from curate.text import apply_edits

STORY = (
    "The river had risen in the night, and by the morning the lower fields lay under water.",
    "My uncle went out with two of the neighbours to bring in the horses before it was too late.",
    "They came back at noon, wet to the skin, with every animal that had been on the far side.",
)
MENU = ("Home", "Shop | Login", "RSS 2.0", "12.03.2019 14:55")


def left(text, keep=0.4):
    return apply_edits(text, measure(Features(text), keep)[1])


def test_a_menu_goes_and_the_story_stays():
    page = "\n".join((*MENU, "", *STORY, "", "© 2019 www.example.org"))
    rest = left(page)
    assert all(line in rest for line in STORY)
    assert not any(line in rest.split("\n") for line in MENU)
    signals, edits = measure(Features(page), 0.4)
    assert signals["share_kept"] == pytest.approx(3 / 8)
    assert signals["chars_kept"] == sum(map(len, STORY))
    assert [page[a:b].strip() for a, b, _ in edits] == [*MENU, "© 2019 www.example.org"]


def test_a_short_text_is_no_page():
    assert left("Login") == "Login"
    assert left("Home\nLogin") == "Home\nLogin"
    assert PAGE == 3


def test_a_line_without_spaces_between_words_stays():
    chinese = "昨天夜里下了一场大雨，河水涨了许多，村口的小桥已经看不见了。"
    page = "\n".join((*MENU, chinese, *STORY))
    assert left(page).split("\n") == [chinese, *STORY]
    assert measure_texts([f"{chinese}\n" * 5], [(RULES["lines"], 0.4)])[1] == [[]]


def test_the_probability_can_be_chosen():
    page = "\n".join((*MENU, *STORY))
    assert left(page, keep=0) == page
    assert left(page, keep=1) == ""
    assert measure(Features(page), 1)[0]["chars_kept"] == 0


def test_what_is_told_of_a_line():
    table = describe(["Home", "It rained, and we stayed in.", "Home"])
    told = [dict(zip(NAMES, row, strict=True)) for row in table.tolist()]
    assert told[1] | dict.fromkeys(NAMES[len(OWN) :]) == {
        **dict.fromkeys(NAMES),
        "log_chars": pytest.approx(np.log1p(28)),
        "terminal": 1,
        "ellipsis": 0,
        "digits": 0,
        "capitals": pytest.approx(1 / 21),
        "capitalised_words": pytest.approx(1 / 6),
        "site": 0,
        "comma_or_colon_at_end": 0,
        "commas": pytest.approx(1 / 6),
        "marks": pytest.approx(2 / 28),
        "chars_per_word": pytest.approx(28 / 6),
        "small_letter_first": 0,
    }
    assert [row["repeated"] for row in told] == [1, 0, 1]
    assert [row["lines_before"] for row in told] == [0, 1, 2]
    assert told[0]["terminal_1"] == pytest.approx(1 / 2)
    assert told[0]["terminal_3"] == pytest.approx(1 / 3)
    assert told[0]["longest_behind"] == told[1]["log_chars"]


def test_every_number_has_a_weight():
    assert tuple(WEIGHTS) == NAMES


@given(st.lists(st.text("aB. |1", min_size=1, max_size=30).filter(str.strip), min_size=1))
def test_probabilities(lines):
    likely = probabilities(lines)
    assert likely.shape == (len(lines),)
    assert ((likely > 0) & (likely < 1)).all()


@given(st.lists(st.sampled_from([*MENU, *STORY, "", " "])))
def test_what_stays_is_whole_lines_in_order(lines):
    text = "\n".join(lines)
    rest = iter(line for line in lines if line.strip())
    for line in left(text).split("\n"):
        if line.strip():
            assert any(line == each for each in rest)


def test_the_stage_counts_what_is_left(offline):
    page = "\n".join((*MENU, *STORY))
    offline.lines("pages.jsonl", [page, "\n".join(MENU)])
    offline.pool()
    made = offline.run("clean", rules=["lines"])
    assert made.reasons == {"lines:chars_kept": 1}
    assert made.tokens == len("\n".join(STORY))
    assert offline.run("clean", rules=["lines"], lines={"keep": 0.0}).measured == 2
