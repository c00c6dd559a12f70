"""What Label Studio's page makes of a form: names, keys, empty submissions, guidelines."""

from xml.etree import ElementTree

import pytest

from curate.backends.fits import fits
from curate.backends.label_studio import page
from curate.backends.label_studio.values import read_result, refusals, write_items
from curate.forms import parse_form


def form(objects, controls):
    return parse_form(f"<View>{objects}{controls}</View>", name="mine")


TEXT = '<Text name="t" value="${}"/>'
CHOICE = '<Choices name="{}" toName="t"{}>{}</Choices>'


def choices(name, options, more="", hotkeys=()):
    keys = {option: f' hotkey="{key}"' for option, key in zip(options, hotkeys, strict=False)}
    inside = "".join(f'<Choice value="{o}"{keys.get(o, "")}/>' for o in options)
    return CHOICE.format(name, more, inside)


# ── names of fields


@pytest.mark.parametrize(
    ("field", "alias"),
    [
        ("问题", "field_1"),
        ("вопрос", "field_1"),
        ("prénom", "field_1"),
        ("質問_1", "field_1"),
        ("body", "body"),
        ("Title_2", "Title_2"),
    ],
)
def test_the_server_gets_names_that_its_page_can_read(field, alias):
    asked = form(TEXT.format(field), choices("c", "ab"))
    assert page.aliases(asked) == {field: alias}
    sent = parse_form(page.label_config(asked), name="")
    assert sent.fields == (alias,)
    assert sent.questions[0].labels == asked.questions[0].labels
    assert page.shown_data(asked, {field: "x", "other": "y"}) == {alias: "x"}
    assert page.texts_of(asked, {alias: "x", "record_id": "r"}) == {field: "x"}
    assert page.texts_of(asked, {field: "from an earlier version"}) == {
        field: "from an earlier version"
    }


def test_an_alias_is_no_other_field():
    objects = (
        '<Text name="t" value="$甲"/><Text name="u" value="$乙"/><Text name="v" value="$field_1"/>'
    )
    asked = form(objects, choices("c", "ab"))
    assert page.aliases(asked) == {"甲": "field_2", "乙": "field_3", "field_1": "field_1"}


def test_lists_of_marks_are_hidden_where_nothing_is_marked_and_that_is_no_change():
    asked = form(TEXT.format("text"), choices("c", "ab"))
    sent = page.label_config(asked)
    style = f"<Style>{page.NO_PANELS}</Style></View>"
    assert sent.endswith(style)
    assert page.asks(sent, asked)
    assert page.asks(sent.replace(style, "</View>"), asked)  # as earlier versions sent it
    label = '<Label value="A"/>'
    for shown, marks in (
        (TEXT.format("text"), f'<Labels name="m" toName="t">{label}</Labels>'),
        ('<Audio name="t" value="$sound"/>', f'<Labels name="m" toName="t">{label}</Labels>'),
        (
            '<Image name="t" value="$picture"/>',
            f'<RectangleLabels name="m" toName="t" canRotate="false">{label}</RectangleLabels>',
        ),
    ):
        assert "<Style" not in page.label_config(form(shown, choices("c", "ab") + marks))


def test_answers_come_home_under_the_names_of_the_columns():
    objects = '<Text name="q" value="$甲"/><Text name="a" value="$乙"/>'
    spans_of_both = '<Labels name="s" toName="q,a"><Label value="人"/></Labels>'
    asked = form(objects, '<Pairwise name="p" toName="q,a"/>' + spans_of_both)
    spans = [{"start": 0, "end": 1, "label": "人", "field": "乙"}]
    result = [*write_items(asked, "p", "乙"), *write_items(asked, "s", spans)]
    assert "甲" not in str(result)
    read = read_result(asked, result, {"甲": "一二", "乙": "三四"})
    assert read == {"p": ("乙", None), "s": (spans, None)}


def test_the_form_on_the_server_is_the_rounds_own():
    asked = form(TEXT.format("正文"), choices("c", "ab"))
    assert page.asks(page.label_config(asked), asked)
    assert page.asks(asked.xml, asked)
    assert not page.asks(page.label_config(asked).replace('value="a"', 'value="z"'), asked)


# ── keys and empty submissions


def notes(asked, server="label_studio"):
    (fit,) = [fit for fit in fits(asked) if fit.server == server]
    assert fit.can
    return " · ".join(fit.notes)


@pytest.mark.parametrize(
    ("control", "told"),
    [
        (choices("c", "ab", ' required="true"'), False),
        (choices("c", "ab"), True),
        ('<Rating name="c" toName="t"/>', True),
        ('<Rating name="c" toName="t" required="true"/>', False),
        ('<TextArea name="c" toName="t"/>', True),
        ('<Labels name="c" toName="t"><Label value="P"/></Labels>', True),
    ],
)
def test_what_can_be_submitted_empty_is_named(control, told):
    asked = form(TEXT.format("text"), control)
    assert ("can be submitted empty: c" in notes(asked)) is told


MANY = [f"option {number}" for number in range(len(page.KEYS) + 1)]


@pytest.mark.parametrize(
    ("control", "told"),
    [
        (choices("c", "ab"), False),
        (choices("c", MANY[:-1]), False),
        (choices("c", MANY), True),
        (choices("c", MANY, hotkeys=["f1", "f2"]), False),
        (choices("d", MANY[:-1]) + choices("c", "ab"), True),
        (choices("d", MANY[:-1]) + choices("c", "ab", hotkeys=["f1", "f2"]), False),
        ('<Rating name="c" toName="t"/>', False),
        ('<TextArea name="c" toName="t"/>', True),
        ('<Labels name="c" toName="t"><Label value="P"/></Labels>', True),
    ],
)
def test_what_needs_a_mouse_is_named(control, told):
    asked = form(TEXT.format("text"), control)
    assert ("cannot be answered by keyboard: c" in notes(asked)) is told


def test_argilla_names_the_same_of_its_own_page():
    controls = choices("c", "ab", ' required="true"') + '<TextArea name="n" toName="t"/>'
    spans = '<Labels name="s" toName="t"><Label value="P"/></Labels>'
    told = notes(form(TEXT.format("text"), controls + spans), "argilla")
    assert "can be submitted empty: n, s" in told
    assert "cannot be answered by keyboard: s" in told


def test_an_alias_is_told():
    asked = form(TEXT.format("正文"), choices("c", "ab"))
    assert "$正文 is sent as $field_1" in notes(asked)
    assert "field_1" not in notes(asked, "argilla")


@pytest.mark.parametrize(
    ("word", "field"),
    [("US$.", "$."), ("5$.", "$."), ("$.50", "$.50"), ("a ${x}", "${x}"), ("in $[0]", "$[0]")],
)
def test_what_the_page_takes_for_a_field_is_refused(word, field):
    option = form(TEXT.format("text"), choices("c", [word, "b"]))
    header = form(f'<Header value="{word}"/>' + TEXT.format("text"), choices("c", "ab"))
    for asked, tag in ((option, "Choice"), (header, "Header")):
        (reason,) = refusals(asked)
        assert reason.startswith(f"line 1: <{tag}> value={word!r}: the page takes {field} for a")


@pytest.mark.parametrize("word", ["5 $", "$ 5", "cash$", "5$?", "$，", "$"])
def test_a_dollar_by_itself_is_a_dollar(word):
    assert refusals(form(TEXT.format("text"), choices("c", [word, "b"]))) == ()


@pytest.mark.parametrize(
    ("key", "complaint"),
    [
        ("ctrl+enter", "ctrl+enter, which submits the text on the page"),
        ("Enter+Ctrl", "Enter+Ctrl, which submits the text on the page"),
        ("control+space", "control+space, which skips the text on the page"),
        ("Backspace", "Backspace, which deletes a mark on the page"),
        ("1,2", "'1,2': give one key, without spaces and commas"),
        (" 1", "' 1': give one key, without spaces and commas"),
        ("shift+a", None),
        ("f1", None),
        ("enter", None),
    ],
)
def test_a_key_that_does_two_things_is_refused(key, complaint):
    asked = form(TEXT.format("text"), choices("c", "ab", hotkeys=[key]))
    reasons = (f"line 1: <Choice> has the hotkey {complaint}",) if complaint else ()
    assert refusals(asked) == reasons


# ── guidelines


@pytest.mark.parametrize(
    ("markdown", "html"),
    [
        ("# Tone", "<h1>Tone</h1>"),
        ("Be *fair*.", "<p>Be <em>fair</em>.</p>"),
        ("- one\n- two", "<ul>\n<li>one</li>\n<li>two</li>\n</ul>"),
        ("one\ntwo", "<p>one<br />\ntwo</p>"),
        ("[rules](https://example.org)", '<p><a href="https://example.org">rules</a></p>'),
        ("", ""),
        # a mark beside Chinese without a space
        ("**注意：**请读", "<p><strong>注意</strong>：请读</p>"),
        ("请看**“甲”。**乙", "<p>请看“<strong>甲</strong>”。乙</p>"),
        ("**甲**与**乙！**丙", "<p><strong>甲</strong>与<strong>乙</strong>！丙</p>"),
        ("**Note:** read", "<p><strong>Note:</strong> read</p>"),
        ("`**a：**b`", "<p><code>**a：**b</code></p>"),
        ("```\n**a：**b\n```", "<pre><code>**a：**b\n</code></pre>"),
        ("**[甲](https://e.org)**乙", '<p>**<a href="https://e.org">甲</a>**乙</p>'),
        ("2 ** 3", "<p>2 ** 3</p>"),
    ],
)
def test_guidelines_are_rendered(markdown, html):
    assert page.instructions(markdown) == html


def test_a_table_is_rendered():
    table = page.instructions("|a|b|\n|-|-|\n|1|2|")
    root = ElementTree.fromstring(f"<div>{table}</div>")
    assert [cell.text for cell in root.iter("td")] == ["1", "2"]


@pytest.mark.parametrize(
    "markdown",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "[x](javascript:alert(1))",
        "![x](https://example.org/a.png)",
        "<style>body {display: none}</style>",
    ],
)
def test_nothing_in_guidelines_runs(markdown):
    root = ElementTree.fromstring(f"<div>{page.instructions(markdown)}</div>")
    assert {tag.tag for tag in root.iter()} <= {"div", "p", "a"}
    assert all("javascript" not in tag.get("href", "") for tag in root.iter())
