"""Label configs become forms, or are refused with the tag and its line."""

import json
from pathlib import Path

import pytest

from curate.backends.fits import fits
from curate.errors import FormError
from curate.forms import complaint, known_forms, load_form, parse_form
from tests.command import command

WHOLE = """<View>
  <Header value="Look"/>
  <Text name="body" value="$text"/>
  <Choices name="topic" toName="body" required="true">
    <Choice value="新闻" alias="news"/><View><Choice value="code"/></View>
  </Choices>
  <Choices name="flags" toName="body" choice="multiple"><Choice value="spam"/></Choices>
  <Rating name="quality" toName="body" maxRating="4"/>
  <TextArea name="note" toName="body"/>
  <Labels name="spans" toName="body">
    <Label value="PERSON"/><Label value="组织" alias="ORG"/>
  </Labels>
</View>"""


def test_every_kind_of_question():
    form = parse_form(WHOLE, name="whole")
    assert form.fields == ("text",)
    assert [(q.name, q.kind, q.labels, q.required) for q in form.questions] == [
        ("topic", "choice", ("news", "code"), True),
        ("flags", "choices", ("spam",), False),
        ("quality", "rating", ("1", "2", "3", "4"), False),
        ("note", "comment", (), False),
        ("spans", "entities", ("PERSON", "ORG"), False),
    ]
    assert form.question("topic").shown == ("新闻", "code")
    with pytest.raises(KeyError):
        form.question("absent")


def test_a_preference_compares_two_fields():
    form = parse_form(
        '<View><Text name="a" value="$first"/><Text name="b" value="$second"/>'
        '<Pairwise name="better" toName="a, b"/></View>',
        name="pair",
    )
    assert form.fields == ("first", "second")
    assert form.questions[0].labels == ("first", "second")


def form_with(inside):
    return f'<View>\n  <Text name="t" value="$text"/>\n  {inside}\n</View>'


CHOICE = '<Choice value="x"/>'


@pytest.mark.parametrize(
    ("xml", "words"),
    [
        ("<View>\n<Oops", "line 2: "),
        (form_with('<Audio name="i" value="$s" sync="v"/>'), "attribute that curate does not know"),
        (
            form_with(
                f'<Video name="i" value="$text"/><Choices name="c" toName="t">{CHOICE}</Choices>'
            ),
            "line 3: <Video> shows $text, which <Text> shows too",
        ),
        (form_with('<Paragraphs name="i" value="$s"/>'), "<Paragraphs> cannot be read by curate"),
        (form_with(""), "line 1: <View> asks nothing"),
        (
            form_with(f'<Choices name="c" toName="u">{CHOICE}</Choices>'),
            "line 3: <Choices> is about u",
        ),
        (form_with(f'<Choices toName="t">{CHOICE}</Choices>'), "line 3: <Choices> has no name"),
        (form_with(f'<Choices name="c">{CHOICE}</Choices>'), "line 3: <Choices> has no toName"),
        (form_with('<Choices name="c" toName="t"/>'), "line 3: <Choices> offers no <Choice>"),
        (
            form_with(f'<Choices name="c" toName="t">{CHOICE}{CHOICE}</Choices>'),
            "line 3: <Choice> repeats x",
        ),
        (
            form_with(f'<Choices name="c" toName="t" choice="many">{CHOICE}</Choices>'),
            'line 3: <Choices> choice="many" is not known',
        ),
        (f"<Choices name='c' toName='t'>{CHOICE}</Choices>", "line 1: <Choices> stands outermost"),
        (
            form_with(f'<Choices name="t" toName="t">{CHOICE}</Choices>'),
            "line 3: <Choices> has the name t of line 2",
        ),
        (
            form_with('<Choices name="c" toName="t"><Label value="x"/></Choices>'),
            "line 3: <Label> belongs in <Labels>",
        ),
        (
            form_with('<Rating name="r" toName="t" maxRating="1"/>'),
            'line 3: <Rating> maxRating="1"',
        ),
        (
            form_with('<Rating name="r" toName="t" maxRating="x"/>'),
            'line 3: <Rating> maxRating="x"',
        ),
        (
            form_with('<TextArea name="n" toName="t" perRegion="true"/>'),
            "cannot be asked per region",
        ),
        (
            form_with(f'<Choices name="c" toName="t" perRegion="true">{CHOICE}</Choices>'),
            "line 3: <Choices> cannot be asked per region",
        ),
        (
            form_with('<Rating name="r" toName="t" perRegion="true"/>'),
            "line 3: <Rating> cannot be asked per region",
        ),
        (
            form_with('<Pairwise name="p" toName="t"/>'),
            "line 3: <Pairwise> must compare two fields",
        ),
        (
            form_with(f"{CHOICE}<Rating name='r' toName='t'/>"),
            "line 3: <Choice> belongs in <Choices>",
        ),
        ('<View><Text name="t" value="text"/></View>', "must show one field"),
        ('<View><Text name="t" value="$a $b"/></View>', "must show one field"),
        (
            '<!DOCTYPE View [<!ENTITY e "boom">]>\n<View><Header value="&e;"/></View>',
            "line 1: a form must not declare a DOCTYPE",
        ),
        ('<!DOCTYPE View SYSTEM "x.dtd"><View/>', "line 1: a form must not declare a DOCTYPE"),
        (
            form_with('<Text name="t" value="$other"/><Rating name="r" toName="t"/>'),
            "line 3: <Text> has the name t of line 2",
        ),
        *(
            (form_with(f'<Rating name="r" toName="t" maxRating="{top}"/>'), "from 2 to 100")
            for top in ("²", "５", "101", "9" * 5000)
        ),
        (
            '<View><Text name="t" value="$a">\n<Rating name="r" toName="t"/></Text></View>',
            "line 2: <Rating> cannot stand in <Text>",
        ),
        (
            form_with(
                f'<Choices name="c" toName="t">{CHOICE}<View>\n'
                f'<Choices name="d" toName="t">{CHOICE}</Choices></View></Choices>'
            ),
            "line 4: <Choices> cannot stand in <Choices>",
        ),
    ],
)
def test_what_cannot_be_read_is_refused(xml, words):
    with pytest.raises(FormError) as caught:
        parse_form(xml, name="broken")
    assert words in caught.value.message


def test_the_digest_is_of_the_form_and_not_of_its_white_space():
    form = parse_form(WHOLE, name="whole")
    assert parse_form(WHOLE.replace("\n", "\n\n  "), name="other").digest == form.digest
    changed = [
        WHOLE.replace("code", "prose"),
        WHOLE.replace('maxRating="4"', 'maxRating="5"'),
        WHOLE.replace("Look", "Look twice"),
        WHOLE.replace(' required="true"', ""),
    ]
    assert len({form.digest, *(parse_form(xml, name="x").digest for xml in changed)}) == 5


def test_the_forms_that_come_with_curate():
    known = known_forms()
    assert {"sentiment", "sentiment_zh", "quality"} <= set(known)
    for name in known:
        assert load_form(name).questions
    english, chinese = load_form("sentiment"), load_form("sentiment_zh")
    assert english.questions[0].labels == ("negative", "neutral", "positive")
    assert chinese.questions[0].labels == ("negative", "positive")
    assert chinese.questions[0].shown == ("负面", "正面")


def test_the_workspaces_own_form_comes_first(tmp_path):
    (tmp_path / "label_configs").mkdir()
    own = tmp_path / "label_configs" / "sentiment.xml"
    own.write_text(form_with('<Rating name="stars" toName="t"/>'))
    assert load_form("sentiment", tmp_path).questions[0].name == "stars"
    assert load_form("label_configs/sentiment.xml", tmp_path).questions[0].name == "stars"
    assert load_form(str(own), Path("/elsewhere")).questions[0].name == "stars"
    assert "quality" in known_forms(tmp_path)


def test_a_form_that_is_not_there(tmp_path):
    with pytest.raises(FormError, match="no form named absent") as caught:
        load_form("absent", tmp_path)
    assert "adequacy" in caught.value.hint
    with pytest.raises(FormError, match="no form at"):
        load_form("absent.xml", tmp_path)
    (tmp_path / "bad.xml").write_text("<View/>")
    with pytest.raises(FormError, match=r"^bad\.xml, line 1: <View> asks nothing"):
        load_form("bad.xml", tmp_path)


def test_a_file_is_read_as_utf_8_with_or_without_a_mark(tmp_path):
    own = tmp_path / "own.xml"
    own.write_text(WHOLE, encoding="utf-8-sig")
    assert load_form("own.xml", tmp_path).xml == WHOLE
    own.write_text(WHOLE, encoding="gb18030")
    with pytest.raises(FormError, match=r"own\.xml is not in UTF-8") as caught:
        load_form("own.xml", tmp_path)
    assert caught.value.hint


# ── answers

FIELDS = {"text": "Anna 北京 👋"}


@pytest.mark.parametrize(
    ("question", "value", "words"),
    [
        ("topic", "news", None),
        ("topic", "新闻", "is not one of the choices"),  # the alias is the value
        ("topic", ["news"], "is not one of the choices"),
        ("topic", {"a": 1}, "is not one of the choices"),
        ("topic", None, None),
        ("flags", ["spam"], None),
        ("flags", [], None),
        ("flags", "spam", "choices are a list"),
        ("flags", ["spam", "ham"], "'ham' is not one of the choices"),
        ("flags", ["spam", "spam"], "'spam' is chosen twice"),
        ("quality", 1, None),
        ("quality", 4.0, None),
        ("quality", 0, "is not a number from 1 to 4"),
        ("quality", 5, "is not a number from 1 to 4"),
        ("quality", 3.5, "is not a number from 1 to 4"),
        ("quality", "3", "is not a number from 1 to 4"),
        ("quality", True, "is not a number from 1 to 4"),
        ("quality", float("nan"), "is not a number from 1 to 4"),
        ("note", "fine", None),
        ("note", 5, "a comment is text"),
        ("spans", [], None),
        ("spans", [{"start": 0, "end": 4, "label": "PERSON"}], None),
        ("spans", [{"start": 5, "end": 9, "label": "ORG", "field": "text"}], None),
        ("spans", [{"start": 5, "end": 10, "label": "ORG"}], "is not within the text"),
        ("spans", [{"start": 2, "end": 2, "label": "ORG"}], "is not within the text"),
        ("spans", [{"start": -1, "end": 2, "label": "ORG"}], "is not within the text"),
        ("spans", [{"start": 0.0, "end": 2, "label": "ORG"}], "is not within the text"),
        ("spans", [{"start": 0, "end": 2, "label": "组织"}], "is not one of the labels"),
        ("spans", [{"start": 0, "end": 2}], "has start, end and label"),
        ("spans", ["Anna"], "has start, end and label"),
        ("spans", {"start": 0}, "entities are a list"),
        (
            "spans",
            [{"start": 0, "end": 1, "label": "ORG", "field": "title"}],
            "marks no field title",
        ),
        ("spans", [{"start": 0, "end": 1, "label": "ORG", "field": ["text"]}], "marks no field"),
        ("mood", "good", "the form has no question mood"),
    ],
)
def test_an_answer_is_checked(question, value, words):
    found = complaint(parse_form(WHOLE, name="whole"), question, value, FIELDS)
    assert (found is None) if words is None else (words in found)


def test_spans_lie_in_a_field_that_they_are_asked_about():
    form = parse_form(
        '<View><Text name="t" value="$a"/><Text name="u" value="$b"/>'
        '<Labels name="spans" toName="u"><Label value="X"/></Labels></View>',
        name="two",
    )
    span, texts = {"start": 0, "end": 1, "label": "X"}, {"a": "one", "b": "two"}
    assert complaint(form, "spans", [span], texts) is None
    assert complaint(form, "spans", [{**span, "field": "b"}], texts) is None
    assert complaint(form, "spans", [{**span, "field": "a"}], texts) == "spans marks no field a"


PAIR = (
    '<View><Text name="p" value="$prompt"/><Text name="a" value="$first"/>'
    '<Text name="b" value="$second"/>{}</View>'
)


def test_a_preference_is_a_field():
    form = parse_form(PAIR.format('<Pairwise name="better" toName="a,b"/>'), name="pair")
    for value in ("first", "second"):
        assert complaint(form, "better", value, {}) is None
    assert "is not one of first, second" in complaint(form, "better", "tie", {})


def test_choices_between_two_fields_are_a_preference_perhaps_with_a_tie():
    choices = (
        '<Choices name="better" toName="p"><Choice value="A" alias="first"/>'
        '<Choice value="B" alias="second"/><Choice value="equal" alias="tie"/></Choices>'
    )
    form = parse_form(PAIR.format(choices), name="pair")
    (asked,) = form.questions
    assert (asked.kind, asked.fields, asked.tag) == ("preference", ("prompt",), "Choices")
    assert asked.shown == ("A", "B", "equal")
    for value in ("first", "second", "tie"):
        assert complaint(form, "better", value, {}) is None
    assert "is not one of first, second, tie" in complaint(form, "better", "A", {})


def test_an_image_is_shown_and_can_be_classified():
    form = parse_form(
        '<View><Image name="i" value="$image"/><Choices name="kind" toName="i">'
        '<Choice value="cat"/><Choice value="dog"/></Choices></View>',
        name="image",
    )
    assert (form.fields, form.images) == (("image",), ("image",))
    words = "line 1: <Labels> marks parts of <Text or Audio>, and i is <Image>"
    with pytest.raises(FormError, match=words):
        parse_form(
            '<View><Image name="i" value="$image"/><Labels name="x" toName="i">'
            '<Label value="A"/></Labels></View>',
            name="image",
        )


MEDIA = (
    '<View><Text name="t" value="$text"/><Image name="i" value="$picture" {image}/>'
    '<Audio name="s" value="$sound"/><Video name="v" value="$film"/>{asked}</View>'
)


def of_media(asked, image=""):
    return parse_form(MEDIA.format(asked=asked, image=image), name="media")


def marks(tag, target, more=""):
    return f'<{tag} name="m" toName="{target}" {more}><Label value="A" alias="a"/></{tag}>'


def test_media_are_told_from_texts():
    form = of_media('<Rating name="r" toName="s"/>')
    assert form.fields == ("text", "picture", "sound", "film")
    assert form.media == (("picture", "image"), ("sound", "audio"), ("film", "video"))
    assert form.images == ("picture",)
    assert [form.medium(field) for field in form.fields] == [None, "image", "audio", "video"]


def test_marks_are_of_the_kind_of_what_they_are_on():
    still = 'canRotate="false"'
    assert of_media(marks("Labels", "t")).questions[0].kind == "entities"
    assert of_media(marks("Labels", "s")).questions[0].kind == "regions"
    boxes = of_media(marks("RectangleLabels", "i", still)).questions[0]
    assert (boxes.kind, boxes.labels, boxes.fields) == ("boxes", ("a",), ("picture",))
    assert [part.name for part in boxes.parts()] == ["m:a"]
    refused = {
        marks("Labels", "v"): "marks parts of <Text or Audio>, and v is <Video>",
        marks("RectangleLabels", "t", still): "marks parts of <Image>, and t is <Text>",
        marks("RectangleLabels", "i"): 'must have canRotate="false"',
        marks("RectangleLabels", "i", 'canRotate="true"'): 'must have canRotate="false"',
        marks("Labels", "t,s"): "marks a text and a sound",
        marks("RectangleLabels", "i", f'{still} model="x"'): "does not know: model",
    }
    for asked, words in refused.items():
        with pytest.raises(FormError) as caught:
            of_media(asked)
        assert words in caught.value.message
    with pytest.raises(FormError, match="can be turned, and boxes lie on it"):
        of_media(marks("RectangleLabels", "i", still), 'rotateControl="true"')


@pytest.mark.parametrize(
    ("tag", "target", "value", "words"),
    [
        ("Labels", "s", [{"start": 0.5, "end": 2, "label": "a"}], None),
        ("Labels", "s", [], None),
        ("Labels", "s", [{"start": 2, "end": 1, "label": "a"}], "is not a stretch of time"),
        ("Labels", "s", [{"start": 0, "end": 1}], "regions have labels"),
        ("Labels", "s", [{"start": 0, "end": 1, "label": "b"}], "'b' is not one of the labels"),
        ("Labels", "s", [{"start": 0, "end": 1, "label": "a", "field": "text"}], "marks no field"),
        ("Labels", "s", {"start": 0}, "regions are a list"),
        ("RectangleLabels", "i", [{"x": 1, "y": 1, "width": 5, "height": 5, "label": "a"}], None),
        ("RectangleLabels", "i", [{"x": 1, "y": 1, "width": 5, "label": "a"}], "are numbers"),
        ("RectangleLabels", "i", 7, "boxes are a list"),
    ],
)
def test_regions_and_boxes_are_checked(tag, target, value, words):
    form = of_media(marks(tag, target, 'canRotate="false"' if tag != "Labels" else ""))
    said = complaint(form, "m", value, dict.fromkeys(form.fields, "x"))
    assert said is None if words is None else words in said


# What the server takes and then answers wrongly, or not at all: each was tried there.


def choices(inside="", **attributes):
    more = "".join(f' {name}="{value}"' for name, value in attributes.items())
    return form_with(f'<Choices name="c" toName="t"{more}>{inside}</Choices>')


A, B = '<Choice value="A"/>', '<Choice value="B"/>'


@pytest.mark.parametrize(
    ("xml", "words"),
    [
        (choices(A + B, requird="true"), "does not know: requird"),
        (choices(A + B, toname="t"), "does not know: toname"),
        (choices(A + B, required="yes"), 'required="yes" is not known'),
        (choices(A + B, perRegion="true"), "cannot be asked per region"),
        (choices(A + B, perregion="true"), "cannot be asked per region"),
        (choices(A + B, perItem="true"), "cannot be asked per item"),
        (choices(A + B, visibleWhen="choice-selected"), "cannot depend on another answer"),
        (choices(A + B, whenTagName="d"), "cannot depend on another answer (whenTagName)"),
        (choices(value="$options"), "cannot take its options from the data"),
        (choices('<Choice value="A" selected="true"/>'), "before anybody looked (selected)"),
        (choices('<Choice value="A" html="&lt;i&gt;B"/>'), "must show its value"),
        (choices('<Choice value="A"><Choice value="B"/></Choice>'), "cannot stand in <Choice>"),
        (choices('<Choice value=""/>'), "line 3: <Choice> has an empty value"),
        (choices('<Choice value="A" alias=""/>'), "line 3: <Choice> has an empty alias"),
        (choices('<Choice value=" A"/>'), "has white space around it"),
        (choices('<Choice value="costs $5"/>'), "what follows a $ is taken for a field"),
        (choices('<Choice value="A" alias="$x"/>'), "what follows a $ is taken for a field"),
        (choices('<Choice value="A" alias="x"/><Choice value="B" alias="x"/>'), "repeats x"),
        (choices('<Choice value="A" alias="x"/><Choice value="A"/>'), "looks like another: A"),
        (
            choices('<Choice value="A" alias="B"/><Choice value="B" alias="C"/>'),
            "has the alias B, which is another's value",
        ),
        (
            choices('<Choice value="A" hotkey="x"/>\n<Choice value="B" hotkey="X"/>'),
            "line 4: <Choice> has the hotkey x of line 3",
        ),
        (form_with('<Choices name="" toName="t"/>'), "line 3: <Choices> has an empty name"),
        (form_with('<Choices name="a b" toName="t"/>'), "cannot be named 'a b'"),
        (form_with('<Rating name="r" toName="t" defaultValue="3"/>'), "before anybody looked"),
        (form_with('<TextArea name="n" toName="t" value="$text"/>'), "before anybody looked"),
        (form_with('<TextArea name="n" toName="t" value="good"/>'), "before anybody looked"),
        (form_with('<Header value="About $text"/>'), "what follows a $ is taken for a field"),
        (
            '<View><Text name="t" value="$a"/><Text name="u" value="$b"/>'
            f'<Choices name="c" toName="t,u">{A}</Choices></View>',
            "line 1: <Choices> can be about one thing",
        ),
        (
            '<View><Text name="t" value="$a"/><Pairwise name="p" toName="t,t"/></View>',
            "must compare two fields",
        ),
        (
            '<View visibleWhen="choice-selected"><Text name="t" value="$a"/></View>',
            "line 1: <View> cannot depend on another answer",
        ),
        ('<View><Text name="t" value="$a" valueType="url"/></View>', "fetch its text"),
        ('<View><Text name="t" value="$a" encoding="base64"/></View>', "spans are counted"),
        ('<View><Text name="t" value="$a" granularity="line"/></View>', "is not known"),
        ('<View><Image name="t" valueList="$a"/></View>', "must show one field"),
    ],
)
def test_what_a_server_would_take_in_silence_is_refused(xml, words):
    with pytest.raises(FormError) as caught:
        parse_form(xml, name="silent")
    assert caught.value.message.startswith("line ")
    assert words in caught.value.message


def test_a_misspelt_attribute_is_put_right():
    with pytest.raises(FormError) as caught:
        parse_form(choices(A + B, requird="true"), name="misspelt")
    assert caught.value.hint == "required?"


def test_what_is_switched_off_may_stand_there():
    off = 'perRegion="false" perItem="false" allowNested="false"'
    xml = form_with(
        f'<Choices name="c" toName="t" {off}><Choice value="A" selected="false"/></Choices>'
    )
    assert parse_form(xml, name="off").questions[0].labels == ("A",)


def test_several_of_two_fields_are_no_preference():
    chosen = (
        '<Choices name="better" toName="p" choice="multiple"><Choice value="first"/>'
        '<Choice value="second"/></Choices>'
    )
    assert parse_form(PAIR.format(chosen), name="pair").questions[0].kind == "choices"


def test_words_in_a_tag_count_and_looks_do_not():
    form = form_with(f"<Header>Why?</Header><Style>.a {{}}</Style>{CHOICES}")
    digest = parse_form(form, name="x").digest
    assert parse_form(form.replace("Why?", "How?"), name="x").digest != digest
    assert parse_form(form.replace(".a {}", ".a {max-height: 5em}"), name="x").digest == digest


CHOICES = f'<Choices name="c" toName="t">{A}{B}</Choices>'


# ── what comes with curate, and who can ask it


EXPECTED = {
    "audio": {"sound": "choice", "clarity": "rating", "note": "comment"},
    "boxes": {"boxes": "boxes"},
    "clipart": {"subject": "choice"},
    "comment": {"comment": "comment"},
    "comparison": {"better": "preference", "note": "comment"},
    "entities": {"entities": "entities"},
    "entities_zh": {"entities": "entities"},
    "flags": {"flags": "choices", "note": "comment"},
    "image": {"kind": "choice", "note": "comment"},
    "image_comparison": {"better": "preference", "note": "comment"},
    "preference": {"preference": "preference", "note": "comment"},
    "quality": {"quality": "rating", "note": "comment"},
    "regions": {"regions": "regions"},
    "review": {
        **{"entities": "entities", "topic": "choice", "flags": "choices"},
        **{"quality": "rating", "note": "comment"},
    },
    "adequacy": {"adequacy": "rating", "note": "comment"},
    "code_quality": {"quality": "rating", "note": "comment"},
    "faithfulness": {"faithfulness": "choice", "note": "comment"},
    "quality_zh": {"quality": "rating", "note": "comment"},
    "response": {"quality": "rating", "note": "comment"},
    "safety": {"safety": "choice", "note": "comment"},
    "sentiment": {"sentiment": "choice"},
    "sentiment_zh": {"sentiment": "choice"},
    "topic": {"topic": "choice", "note": "comment"},
    "video": {"scene": "choice", "quality": "rating", "note": "comment"},
}

OF_LABEL_STUDIO = {
    "boxes": "draws boxes on pictures, which Argilla cannot do",
    "regions": "marks regions of sounds, which Argilla cannot do",
}


def test_what_the_forms_that_come_with_curate_ask():
    found = {name: load_form(name) for name in known_forms()}
    asked = {name: {q.name: q.kind for q in form.questions} for name, form in found.items()}
    assert asked == EXPECTED
    assert found["preference"].question("preference").labels == ("response_a", "response_b", "tie")
    assert found["comparison"].question("better").labels == ("a", "b")
    assert found["entities_zh"].questions[0].shown == ("人名", "机构", "地名")


@pytest.mark.parametrize("name", EXPECTED)
def test_a_form_that_comes_with_curate_can_be_asked_everywhere(name):
    form = load_form(name)
    _, argilla, _ = fits(form)
    assert [fit.can for fit in fits(form)] == [True, name not in OF_LABEL_STUDIO, True]
    assert OF_LABEL_STUDIO.get(name, "") in " ".join(argilla.notes)
    assert [fit.server for fit in fits(form)] == ["label_studio", "argilla", "folder"]
    assert "<Header " in form.xml
    assert "max-height" in form.xml or {kind for _, kind in form.media} & {"audio", "video"}
    options = form.xml.count("<Choice ") + form.xml.count("<Label ")
    assert form.xml.count("hotkey=") == options + form.xml.count("<Rating ")
    assert form.xml.count("requiredMessage=") == form.xml.count("required=")


def test_a_server_says_what_it_cannot_ask():
    labels = '<Labels name="l" toName="t" required="true"><Label value="A"/></Labels>'
    form = parse_form(form_with(labels).replace("$text", "$record_id"), name="own")
    label_studio, _, folder = fits(form)
    assert not label_studio.can
    assert "line 3: <Labels> l is required" in label_studio.notes[0]
    assert "record_id" in label_studio.notes[1]
    assert folder.can
    own_id = parse_form(form_with(CHOICES).replace("$text", "$id"), name="own")
    assert not fits(own_id)[2].can


def test_a_server_says_what_will_be_different():
    argilla = fits(load_form("flags"))[1]
    assert argilla.can
    assert "None of these" in argilla.notes[0]


@pytest.mark.parametrize("granularity", ["symbol", "word", "sentence"])
def test_label_studio_says_that_spans_will_grow(granularity):
    shown = f'<Text name="t" value="$text" granularity="{granularity}"/>'
    labels = '<Labels name="l" toName="t"><Label value="A"/></Labels>'
    label_studio = fits(parse_form(f"<View>{shown}{labels}</View>", name="own"))[0]
    assert label_studio.can
    growing = [note for note in label_studio.notes if "grows to a whole" in note]
    assert len(growing) == (granularity != "symbol")
    assert any("Chinese" in note for note in growing) == (granularity == "word")
    notes = fits(parse_form(f"<View>{shown}{CHOICES}</View>", name="own"))[0].notes
    assert not [note for note in notes if "grows" in note]


def test_the_command_names_tag_and_line_or_who_can_ask(monkeypatch, capsys, tmp_path):
    run = command(monkeypatch, capsys)
    monkeypatch.chdir(tmp_path)
    code, out, err = run("forms", "check", "review")
    assert code == 0
    assert "entities (entities), topic (choice)" in err
    assert "label_studio" in out
    code, out, _ = run("forms", "check", "preference", "--json")
    found = json.loads(out)
    assert (code, found["readable"]) == (0, True)
    assert found["servers"][2] == {"server": "folder", "can": True, "notes": []}
    assert found["questions"][0]["values"] == ["response_a", "response_b", "tie"]

    (tmp_path / "own.xml").write_text(choices(A + B, requird="true"))
    code, out, err = run("forms", "check", "own.xml", "-w", tmp_path / "elsewhere")
    assert (code, out) == (1, "")
    assert "own.xml, line 3: <Choices> has an attribute that curate does not know: requird" in err
    code, out, err = run("forms", "check", "own.xml", "--json")
    assert (code, err) == (1, "")
    assert json.loads(out) == {
        "form": "own.xml",
        "readable": False,
        "error": "own.xml, line 3: <Choices> has an attribute that curate does not know: requird",
        "hint": "required?",
    }
    assert run("forms", "check", "absent")[0] == 1
    shown = run("forms", "show", "topic")[1]
    assert "<Choices" in shown
    assert json.loads(run("forms", "show", "topic", "--json")[1]) == {"form": "topic", "xml": shown}


def test_a_form_that_cannot_be_read_is_listed_as_that(monkeypatch, capsys, tmp_path):
    run = command(monkeypatch, capsys)
    (tmp_path / "label_configs").mkdir()
    (tmp_path / "label_configs" / "mine.xml").write_text("<View>\n</Viev>")
    code, out, _ = run("forms", "list", "-w", tmp_path, "--json")
    asks = {each["form"]: each["asks"] for each in json.loads(out)["forms"]}
    assert (code, asks["topic"]) == (0, "topic (choice), note (comment)")
    assert asks["mine"] == "cannot be read: mine.xml, line 2: mismatched tag"
