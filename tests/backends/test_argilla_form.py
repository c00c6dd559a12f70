"""Forms in Argilla's terms: fields, questions, titles, and what it cannot ask."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curate.backends.argilla.form import (
    check,
    guide,
    made_required,
    none_of_these,
    refusals,
    remarks,
    required,
    same,
    settings,
    slug,
)
from curate.errors import FormError
from curate.forms import parse_form
from curate.records import Form
from tests.backends.contract import FORM, PAIR, TIED, TOPIC

SHIPPED = sorted((Path(__file__).parents[2] / "label_configs").glob("*.xml"))


def form(inside: str) -> Form:
    return parse_form(f'<View><Text name="t" value="$text"/>{inside}</View>', name="test")


def choices(name: str, *options: str, more: str = "") -> str:
    inner = "".join(f'<Choice value="{option}"/>' for option in options)
    return f'<Choices name="{name}" toName="t" {more}>{inner}</Choices>'


def questions(form: Form) -> dict[str, Any]:
    return {each["name"]: each for each in settings(form)["questions"]}


def titles(form: Form) -> dict[str, str]:
    return {each["name"]: each["title"] for part in settings(form).values() for each in part}


def test_every_kind_has_its_question() -> None:
    asked = {name: each["settings"] for name, each in questions(FORM).items()}
    assert asked["topic"] == {
        "type": "label_selection",
        "options": [{"value": "news", "text": "新闻"}, {"value": "code", "text": "code"}],
    }
    assert asked["flags"]["type"] == "multi_label_selection"
    assert asked["flags"]["visible_options"] == 3
    assert asked["quality"] == {"type": "rating", "options": [{"value": n} for n in range(1, 6)]}
    assert asked["note"] == {"type": "text", "use_markdown": False}
    assert asked["spans"]["field"] == "text"
    assert asked["spans"]["allow_overlapping"]
    (field,) = settings(FORM)["fields"]
    assert field["settings"] == {"type": "text", "use_markdown": False}


def test_a_preference_offers_the_fields_by_their_titles() -> None:
    better = parse_form(
        """<View>
          <Header value="Which is better?"/>
          <View><Header value="Answer A"/><Text name="a" value="$first"/></View>
          <View><Text name="b" value="$second"/></View>
          <Pairwise name="better" toName="a,b"/>
        </View>""",
        name="better",
    )
    assert titles(better) == {
        "first": "Answer A",
        "second": "Second",
        "better": "Which is better?",
    }
    assert questions(better)["better"]["settings"]["options"] == [
        {"value": "first", "text": "Answer A"},
        {"value": "second", "text": "Second"},
    ]
    options = questions(TIED)["better"]["settings"]["options"]
    assert [option["value"] for option in options] == ["first", "second", "tie"]


def test_an_image_is_an_image() -> None:
    pictured = parse_form(
        '<View><Image name="i" value="$picture"/><Rating name="q" toName="i"/></View>', name="p"
    )
    assert settings(pictured)["fields"][0]["settings"] == {"type": "image"}


def test_a_header_is_the_title_of_the_first_question_after_it() -> None:
    asked = form(
        '<Header value=" How  good? "/>'
        '<Rating name="quality" toName="t"/>'
        '<TextArea name="note" toName="t" placeholder="a &lt; b"/>'
        f'<View><Header value="Inside"/><View>{choices("a", "x", "y")}</View></View>'
        f"{choices('b', 'x', 'y')}"
    )
    assert titles(asked) == {
        "text": "Text",
        "quality": "How good?",
        "note": "a < b",
        "a": "Inside",
        "b": "B",
    }
    assert "description" not in questions(asked)["note"]


def test_a_hint_beside_a_title_is_a_description() -> None:
    asked = form(
        '<Header value="Why?"/><TextArea name="my_note" toName="t" placeholder="a &lt; b"/>'
    )
    assert titles(asked) == {"text": "Text", "my_note": "Why?"}
    assert questions(asked)["my_note"]["description"] == "a &lt; b"
    silent = form('<TextArea name="my_note" toName="t" placeholder=" "/>')
    assert titles(silent)["my_note"] == "My note"
    assert "description" not in questions(silent)["my_note"]


# ── one question must be required


@pytest.mark.parametrize(
    ("inside", "which"),
    [
        (choices("a", "x", "y") + choices("b", "x", "y", more='required="true"'), None),
        ('<Rating name="q" toName="t"/><TextArea name="n" toName="t"/>', "q"),
        ('<TextArea name="n" toName="t"/><Rating name="q" toName="t"/>', "q"),
        (choices("m", "x", "y", more='choice="multiple"') + choices("a", "x", "y"), "a"),
        (f'{choices("a", "x", "y")}<Labels name="s" toName="t"><Label value="P"/></Labels>', "s"),
        ('<TextArea name="n" toName="t"/>' + choices("m", "x", "y", more='choice="multiple"'), "m"),
        ('<TextArea name="n" toName="t"/><TextArea name="o" toName="t"/>', "n"),
    ],
)
def test_the_question_that_it_burdens_least_is_required(inside: str, which: str | None) -> None:
    asked = form(inside)
    burdened = made_required(asked)
    assert (burdened.name if burdened else None) == which
    names = {name for name, each in questions(asked).items() if each["required"]}
    assert names == required(asked)
    assert len(names) == 1
    burdens = [remark for remark in remarks(asked) if "Argilla" in remark]
    assert bool(burdens) == (which not in (None, "s"))


def test_choices_that_must_be_answered_offer_none() -> None:
    asked = form(choices("flags", "none", "垃圾", more='choice="multiple"'))
    assert none_of_these(asked) == ("flags", "none_")
    options = questions(asked)["flags"]["settings"]["options"]
    assert options[-1] == {"value": "none_", "text": "以上都不是"}
    assert "以上都不是" in remarks(asked)[0]
    assert none_of_these(FORM) is None
    assert none_of_these(TOPIC) is None


# ── refusals


@pytest.mark.parametrize(
    ("inside", "complaint"),
    [
        (choices("c", "one"), "line 1: <Choices> offers 1 option"),
        (
            choices("c", *map(str, range(500)), more='choice="multiple"'),
            "line 1: <Choices> offers 501 options",  # with the one for none
        ),
        (choices("c", *map(str, range(501))), "line 1: <Choices> offers 501 options"),
        (choices("c", "x", "y" * 201), "line 1: <Choices> offers “yyy.*an option of 201"),
        ('<Rating name="r" toName="t" maxRating="11"/>', "line 1: <Rating> rates up to 11"),
        (f'<Rating name="{"r" * 201}" toName="t"/>', "has a name of 201 characters"),
        (
            '<Labels name="s" toName="t"><Label value="P"/></Labels>\n'
            '<Labels name="u" toName="t"><Label value="P"/></Labels>',
            r"line 2: <Labels> marks spans in \$text, as another does",
        ),
    ],
)
def test_what_argilla_cannot_ask_is_refused_with_its_line(inside: str, complaint: str) -> None:
    asked = form(inside)
    with pytest.raises(FormError, match=complaint) as caught:
        check(asked)
    assert caught.value.hint
    assert refusals(asked)[0] == caught.value.message


def test_spans_in_two_texts_are_refused() -> None:
    assert refusals(PAIR) == ("line 4: <Labels> marks spans in 2 texts, which Argilla cannot do",)
    with pytest.raises(FormError):
        settings(PAIR)


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_every_form_that_is_shipped_can_be_asked(path: Path) -> None:
    asked = parse_form(path.read_text(encoding="utf-8"), name=path.stem)
    if {question.kind for question in asked.questions} & {"boxes", "regions"}:
        (reason,) = refusals(asked)
        assert reason.endswith(", which Argilla cannot do")
        return
    assert refusals(asked) == ()
    made = settings(asked)
    assert [each["name"] for each in made["fields"]] == list(asked.fields)
    assert [each["name"] for each in made["questions"]] == [each.name for each in asked.questions]
    assert any(each["required"] for each in made["questions"])


# ── what the server has


def test_what_the_server_adds_makes_no_difference() -> None:
    wanted = settings(FORM)["questions"][0]
    theirs = {**wanted, "id": "1", "settings": {**wanted["settings"], "visible_options": None}}
    assert same(wanted, theirs)
    assert not same(wanted, {**theirs, "required": False})
    assert not same(wanted, {**theirs, "settings": {"type": "label_selection", "options": []}})
    assert not same(wanted, {})
    assert not same([1], {"0": 1})


# ── names and guidelines


@given(st.text(min_size=1, max_size=300))
def test_a_slug_is_what_argilla_takes(name: str) -> None:
    made = slug(name)
    assert 0 < len(made) <= 120
    assert made.isascii()
    assert made.replace("-", "").replace("_", "").isalnum()
    assert slug(made) == made


def test_a_slug_is_unique_and_keeps_the_rounds_end() -> None:
    assert slug("news-0a1b2c3d-r01") == "news-0a1b2c3d-r01"
    names = ["新闻-0a1b2c3d-r01", "影评-0a1b2c3d-r01", "a b", "a-b", "a_b", "x" * 300, "x" * 301]
    assert len({slug(name) for name in names}) == len(names)
    assert slug(names[0]).endswith("0a1b2c3d-r01")
    assert slug("x" * 300 + "-r07").endswith("-r07")


def test_guidelines_keep_their_markdown_and_lose_their_html() -> None:
    assert guide("# A\n> *b* `c` <https://d.org> 1 < 2") == (
        "# A\n> *b* `c` &lt;https://d.org> 1 < 2"
    )
    assert guide("`<b>` ``a`<i>`` <b> `x") == "`<\u200bb>` ``a`<\u200bi>`` &lt;b> `x"
    assert guide("<img src=x onerror=alert(1)></p><!--") == (
        "&lt;img src=x onerror=alert(1)>&lt;/p>&lt;!--"
    )
