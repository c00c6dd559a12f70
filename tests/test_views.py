"""What people see leads back to the documents, whatever was edited, cut out or put side by side."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curate.rounds.views import View, cut, task_id, window
from curate.text import apply_edits

TEXT = "Call Anna at 555-1234 or 💬 write to anna@example.org, said Bo."
MASKS = ((13, 21, "[phone]"), (36, 52, "[mail]"))


def span(text, word, label="PERSON"):
    start = text.index(word)
    return {"start": start, "end": start + len(word), "label": label}


def test_spans_of_an_edited_text_are_those_of_the_canonical_one():
    view = View({"text": apply_edits(TEXT, MASKS)}, edits=MASKS)
    shown = view.fields["text"]
    assert "[phone]" in shown
    given = [span(shown, word) for word in ("Anna", "💬", "Bo", "[phone]")]
    home, wrong = view.home(given, "entities")
    assert wrong is None
    words = [TEXT[each["start"] : each["end"]] for each in home]
    assert words == ["Anna", "💬", "Bo", "555-1234"]
    assert view.shown(home, "entities") == given


@pytest.mark.parametrize("word", ["[pho", "one]", "phone", "at [ph", "one] or"])
def test_a_span_that_cuts_a_mask_stays_as_it_was(word):
    view = View({"text": apply_edits(TEXT, MASKS)}, edits=MASKS)
    given = [span(view.fields["text"], "Anna"), span(view.fields["text"], word)]
    assert view.home(given, "entities") == (given, "a span cuts a mask")


def test_a_removed_line_lies_in_no_span_beside_it():
    text = "one\nBUY NOW\ntwo"
    view = View({"text": "one\ntwo"}, edits=((4, 12, ""),))
    given = [span("one\ntwo", "one\n"), span("one\ntwo", "two"), span("one\ntwo", "ne\ntw")]
    home, _ = view.home(given, "entities")
    assert [text[each["start"] : each["end"]] for each in home] == [
        "one\n",
        "two",
        "ne\nBUY NOW\ntw",
    ]


def test_answers_to_a_comparison_name_the_documents():
    view = View({"a": "long", "b": "short"}, ("doc2", "doc1"))
    assert view.home("a", "preference") == ("doc2", None)
    assert view.home("tie", "preference") == ("tie", None)
    spans = [{"start": 0, "end": 2, "label": "ERROR", "field": "b"}]
    assert view.home(spans, "entities") == ([{**spans[0], "field": "doc1"}], None)
    for value, kind in (
        *(("b", "preference"), ("tie", "preference"), (None, "preference")),
        *((4, "rating"), (["a"], "choices"), (spans, "entities"), ([], "entities")),
    ):
        assert view.shown(view.home(value, kind)[0], kind) == value


@pytest.mark.parametrize("kind", ["choice", "comment"])
def test_what_speaks_of_no_side_is_left_as_it_is(kind):
    view = View({"a": "long", "b": "short"}, ("doc2", "doc1"))
    assert view.home("a", kind) == ("a", None)
    assert view.shown("doc2", kind) == "doc2"


def test_a_comparison_is_the_same_whoever_stands_left():
    assert task_id(["x", "y"]) == task_id(["y", "x"]) != task_id(["x", "z"])
    assert task_id(["x"], 0, 20) != task_id(["x"], 0, 21) != task_id(["x"])


@pytest.mark.parametrize("chance", [place / 50 for place in range(50)])
def test_a_window_holds_each_mask_whole_or_not_at_all(chance):
    """Not a part of what is masked shows at either end, wherever the window lies."""
    secrets = ("555-1234", "anna@example.org")
    assert [TEXT[low:high] for low, high, _ in MASKS] == list(secrets)
    start, end = window(len(TEXT), 20, chance, MASKS)
    for low, high, _ in MASKS:
        assert end <= low or high <= start or (start <= low and high <= end)
    shown, inside = cut(TEXT, start, end, MASKS)
    for secret in secrets:
        parts = {secret[at : at + 4] for at in range(len(secret) - 3)}
        assert not any(part in shown for part in parts)
    assert [new for *_, new in inside] == [
        new for low, high, new in MASKS if start <= low and high <= end
    ]


def test_windows_of_all_chances_end_before_within_and_behind_the_masks():
    ends = {window(len(TEXT), 20, place / 50, ())[1] for place in range(50)}
    for low, high, _ in MASKS:
        assert any(low < end < high for end in ends)  # else the test above would see nothing


@st.composite
def edited(draw):
    text = draw(st.text(st.characters(exclude_categories=("Cs",)), min_size=30, max_size=80))
    edges = sorted(draw(st.sets(st.integers(0, len(text)), max_size=6)))
    pairs = zip(edges[::2], edges[1::2], strict=False)
    return text, tuple((low, high, draw(st.sampled_from(["", "[x]", "█"]))) for low, high in pairs)


@given(edited(), st.floats(0, 0.999), st.integers(20, 60), st.data())
def test_every_span_outside_of_masks_comes_home_exactly(text_and_edits, chance, size, data):
    text, edits = text_and_edits
    start, end = window(len(text), size, chance, edits)
    assert end - start >= min(size, len(text))
    shown, inside = cut(text, start, end, edits)
    view = View({"text": shown}, ("doc",), start, inside)
    if not shown:
        return
    low = data.draw(st.integers(0, len(shown) - 1))
    high = data.draw(st.integers(low + 1, len(shown)))
    given_ = [{"start": low, "end": high, "label": "X"}]
    home, wrong = view.home(given_, "entities")
    if wrong:
        assert any(new for _, _, new in inside)
        return
    (one,) = home
    assert start <= one["start"] < one["end"] <= end
    within = [each for each in inside if one["start"] <= each[0] and each[1] <= one["end"]]
    moved = [(a - one["start"], b - one["start"], new) for a, b, new in within]
    assert apply_edits(text[one["start"] : one["end"]], moved) == shown[low:high]
    assert view.shown(home, "entities") == given_
