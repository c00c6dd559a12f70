"""Rounded numbers say neither a false 0 nor a false 100 %."""

import ast
import re
from pathlib import Path

import pytest

import curate
from curate.report.lexicon import Lexicon
from curate.report.section import say
from curate.report.sections.mixture import _story
from curate.rounding import filled, rounded, together
from curate.warning import warn
from curate.wording import share


@pytest.mark.parametrize(
    ("value", "form", "text"),
    [
        (0.25, ".1%", "25.0%"),
        (0.0004, ".1%", "0.04%"),
        (0.9996, ".0%", "99.96%"),
        (1.0003, ".1%", "100.03%"),
        (1.0, ".0%", "100%"),
        (0.0, ".1%", "0.0%"),
        (-0.00001, "+.4f", "-0.00001"),
        (0.0, "+.4f", "0.0000"),
        (-0.0, ".3f", "0.000"),
        (1e-20, "+.3f", "0.000"),
        (0.00049, ".3f", "0.0005"),
        (0.3, ",.0f", "0.3"),
        (12345.6, ",.0f", "12,346"),
        (0.99996, ".3f", "1.000"),
        (0.00049, ".1g", "0.0005"),
        (float("nan"), ".3f", "nan"),
        (-float("inf"), ".1f", "-inf"),
    ],
)
def test_a_number_that_is_not_0_does_not_read_as_0(value, form, text):
    assert rounded(value, form) == text


def test_a_template_is_filled_with_rounded_numbers():
    figures = {"n": 1200, "p": 0.0000041, "name": "web", "left": 0.0}
    assert filled("{n:,} {p:.3f} {name} {left:.0%} {{}}", figures) == "1,200 0.000004 web 0% {}"


def test_numbers_of_one_bracket_have_the_same_decimals():
    assert together([0.62, 0.85, 0.394]) == ["0.62", "0.85", "0.39"]
    assert together([1.5, 0.004, 3.0]) == ["1.500", "0.004", "3.000"]
    assert together([0.2, -0.04, 2.4], "+") == ["+0.2", "0.0", "+2.4"]


@pytest.mark.parametrize(
    ("value", "words"),
    [(0.71, "71 %"), (0.004, "0.4 %"), (0.00002, "0.002 %"), (0.9999, "99.99 %"), (0.0, "0 %")],
)
def test_a_share_says_whether_there_is_any(value, words):
    assert share(value) == words


def test_a_warning_says_a_small_p_value_in_both_languages():
    figures = {"question": "mood", "labels": 90, "error": 0.21, "p_value": 0.0002}
    own = warn("score.unfit", "{question}: p = {p_value:.3f}", **figures)
    assert own.words == "mood: p = 0.0002"
    assert "p = 0.0002）" in Lexicon("zh").warning(own)


def test_the_page_tells_a_small_difference_of_perplexity_as_the_terminal_does():
    own = {"arm": "even", "judge": "pool", "verdict": "better than"}
    ends = {"difference": -0.00043, "low": -0.00061, "high": -0.00022}
    (said,) = _story({"comparisons": [{**own, **ends}]})
    assert Lexicon("en").say(said) == (
        "pool: better than even by 0.0004 nats per byte (-0.0006 to -0.0002); perplexity "
        "0.043 % lower."
    )


def test_a_table_of_the_page_shows_no_false_0():
    assert [Lexicon("en").shown(value) for value in (0.0, 0.00002, -0.00002, 0.5)] == (
        ["0.000", "0.00002", "-0.00002", "0.500"]
    )


def test_a_note_on_the_page_begins_with_a_capital_letter_but_for_a_name():
    notes = [
        warn("a.b", "nothing is held out of {sources}", sources=["web"]),
        warn("a.b", "{groups} hold too little", groups=["news", "web"]),
        warn("a.b", "`clean` drops {share:.0%}", share=0.6),
    ]
    english = Lexicon("en").say(say("judged.words", about=[], notes=notes))
    assert english.endswith(
        "Nothing is held out of web. news, web hold too little. `clean` drops 60%."
    )
    assert Lexicon("en").sentence(notes[0]) == "Nothing is held out of web."


FIXED = re.compile(r":[+,]*\.\d[f%]\}")

FILES = {
    "export/trainers.py": "weights in files of trainers",
    "media/counting.py": "tokens in a recipe",
    "rounding.py": "here it is done",
}
"""Where a number with fixed decimals is not what people read, or cannot be a false 0."""

LARGE = {
    "evaluate/arms.py": "tokens that every arm needs",
    "export/groups.py": "tokens more than one document",
    "media/probing.py": "seconds, beside what was promised",
    "media/sounds.py": "the seconds allowed",
    "mixture/drawing.py": "tokens of a budget",
    "servers/processes.py": "the seconds waited",
    "swarm/standing.py": "tokens of a budget",
    "console/screen.py": "speed of a progress bar",
}
"""Numbers that are far above what is rounded off."""


def test_what_people_read_is_rounded_in_one_place():
    root = Path(curate.__file__).parent
    fixed = set()
    for path in root.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        for node in ast.walk(ast.parse(text)) if FIXED.search(text) else ():
            if isinstance(node, ast.FormattedValue) and node.format_spec is not None:
                form = ast.unparse(node.format_spec).strip("f'\"")
                if FIXED.fullmatch(f":{form}}}"):
                    fixed.add(path.relative_to(root).as_posix())
    assert fixed <= {*FILES, *LARGE}, fixed - {*FILES, *LARGE}
