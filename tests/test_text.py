"""Canonical text, ids, renderings, edits and shingles."""

import json
from hashlib import blake2b
from time import process_time
from unicodedata import normalize

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curate.shingles import jaccard, sets
from curate.text import (
    apply_edits,
    canonical,
    cjk_share,
    composed,
    content_id,
    field_edits,
    render,
    shingles,
    spans,
    words,
)

ANY_TEXT = st.text(st.characters(codec=None), max_size=60)
"""Surrogates and control characters included."""


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("plain", "plain"),
        ("one\r\ntwo\rthree\n", "one\ntwo\nthree\n"),
        ("a\x00b\x07c\x1fd", "abcd"),
        ("tab\tand\nline", "tab\tand\nline"),
        ("broken \ud83d half", "broken \ufffd half"),
        ("ﬁ ① é e\u0301 \u200b", "ﬁ ① é e\u0301 \u200b"),  # no NFKC, nothing invisible removed
        ("delete \x7f and C1 \x85 stay", "delete \x7f and C1 \x85 stay"),
        ("👩‍👩‍👧‍👦 北京", "👩‍👩‍👧‍👦 北京"),
        ("", ""),
    ],
)
def test_canonical(raw, text):
    assert canonical(raw) == text


@given(ANY_TEXT)
def test_canonical_is_stable_and_can_be_stored(raw):
    text = canonical(raw)
    assert canonical(text) == text
    assert text.encode("utf-8").decode("utf-8") == text
    assert not set(text) & {"\r", "\x00", "\x0b", "\x0c", "\x1f"}


@given(ANY_TEXT)
def test_canonical_changes_only_what_it_says(raw):
    kept = [c for c in raw.replace("\r\n", "\n").replace("\r", "\n") if c >= " " or c in "\t\n"]
    assert canonical(raw) == "".join("\ufffd" if "\ud800" <= c <= "\udfff" else c for c in kept)


def test_the_id_of_one_field_is_the_hash_of_its_text():
    assert content_id({"text": "hello"}) == blake2b(b"hello", digest_size=16).hexdigest()
    assert content_id({"text": "hello"}) == "46fb7408d4f285228f4af516ea25851b"


def test_the_id_of_several_fields_is_the_hash_of_their_json():
    fields = {"prompt": "为什么", "response": "so"}
    content = json.dumps([["prompt", "为什么"], ["response", "so"]], ensure_ascii=False)
    assert content_id(fields) == blake2b(content.encode(), digest_size=16).hexdigest()


def test_ids_tell_contents_apart():
    contents = [
        {"text": "a"},
        {"text": "a "},
        {"body": "a"},
        {"text": "a", "more": ""},
        {"more": "", "text": "a"},
        {"text": '[["body", "a"]]'},
    ]
    ids = [content_id(each) for each in contents]
    assert len({*ids}) == len(ids) - 1  # the last spells out the JSON of the third
    assert ids[2] == ids[5]


def test_render():
    fields = {"prompt": "2+2?", "response": "{prompt} is 4"}
    assert render(fields) == "2+2?\n\n{prompt} is 4"
    assert render(fields, "Q: {prompt}\nA: {response}") == "Q: 2+2?\nA: {prompt} is 4"
    assert render({"text": "alone"}) == "alone"


# ── edits


def test_edits_mask_and_remove():
    text = "Call Ann at 555 now"
    assert apply_edits(text, [(5, 8, "<NAME>"), (12, 15, "")]) == "Call <NAME> at  now"
    assert apply_edits(text, []) == text
    assert apply_edits(text, [(0, 0, "> "), (len(text), len(text), "!")]) == f"> {text}!"
    assert apply_edits("a🙂b", [(1, 2, "x")]) == "axb"  # code points, not bytes or UTF-16


@pytest.mark.parametrize(
    "edits", [[(0, 3, ""), (2, 4, "")], [(3, 2, "")], [(0, 9, "")], [(-1, 1, "")]]
)
def test_edits_that_overlap_or_leave_the_text_are_refused(edits):
    with pytest.raises(ValueError, match="overlaps another or leaves"):
        apply_edits("hello", edits)


@given(st.text(max_size=40), st.lists(st.integers(0, 40), max_size=8), st.text(max_size=3))
def test_edits_leave_the_rest_as_it_was(text, cuts, replacement):
    ends = sorted(min(cut, len(text)) for cut in cuts)
    edits = [(a, b, replacement) for a, b in zip(ends[::2], ends[1::2], strict=False)]
    expected = [*list(text), ""]
    for start, end, new in reversed(edits):
        expected[start:end] = [new]
    assert apply_edits(text, edits) == "".join(expected)


# ── words and shingles


def test_words():
    assert words("It's well-known: don’t stop, 3 times!") == [
        *("It's", "well-known", "don’t", "stop", "3", "times")
    ]
    assert words("我爱北京 and 東京") == ["我", "爱", "北", "京", "and", "東", "京"]
    assert words("  ...  ") == []
    assert words("한국어 문장") == ["한국어", "문장"]  # Korean has spaces


def test_cjk_share():
    assert cjk_share("") == 0
    assert cjk_share("plain ascii") == 0
    assert cjk_share("北京ab") == 0.5
    assert cjk_share("naïve café") == 0


def test_shingles_ignore_case_and_the_width_of_white_space():
    assert set(shingles("Hello   World")) == set(shingles("hello\nworld"))
    assert set(shingles("abcdef")) == {b"abcde", b"bcdef"}


def test_chinese_is_cut_into_bigrams():
    assert set(shingles("我爱北京")) == {"我爱".encode(), "爱北".encode(), "北京".encode()}


@pytest.mark.parametrize(
    ("text", "found"), [("", []), (" \n ", []), ("abc", [b"abc"]), ("我", ["我".encode()])]
)
def test_a_text_shorter_than_a_shingle_is_its_own(text, found):
    assert shingles(text) == found


@given(st.text(max_size=50))
def test_shingles_are_distinct(text):
    found = shingles(text)
    assert len(found) == len(set(found))
    assert bool(found) == bool(text.split())


SPELLINGS = {
    "vi": "Mọi người đều được hưởng tự do và bình đẳng trước pháp luật.",
    "ko": "아침에 일찍 일어나서 강가를 걷고 시장에서 빵을 샀다.",
    "el": "Η γάτα κοιμήθηκε όλη την ημέρα κάτω από τη λεμονιά.",
    "tr": "İSTANBUL'DA ÇOK GÜZEL BİR GÜN GEÇİRDİK.",
    "hi": "\u0958लम और मेज़ घर में रखी है।",
    "ja": "がっこうの図書館で、ぱらぱらと本をめくった。",
}


@pytest.mark.parametrize("text", SPELLINGS.values(), ids=SPELLINGS)
def test_both_spellings_of_a_text_are_near_copies_of_similarity_one(text):
    other = normalize("NFD", text)
    assert other != text
    assert content_id({"text": other}) != content_id({"text": text})
    assert set(shingles(other)) == set(shingles(text))
    assert jaccard(*sets([other, text])) == 1


@given(st.text("aeé\u0301\u0323\u0308 가\u1100\u1161文\u3099か", max_size=60))
def test_a_text_is_composed_as_unicode_does(text):
    for form in ("NFC", "NFKC"):
        assert composed(text, form) == normalize(form, text)


@pytest.mark.parametrize("run", ["\u0315\u0300", "\u0300", "\u0327\u0301\u0323"])
def test_a_run_of_marks_takes_no_square_of_its_length(run):
    began = process_time()
    assert len(composed("a" + run * 200_000)) >= len(run) * 200_000
    assert process_time() - began < 5


# ── fields within their rendering

NAMED = st.dictionaries(st.sampled_from("abcd"), st.text("xy{} \n", max_size=5), min_size=1)


def templates(fields):
    return "{{".join(f"x{{{name}}}y" for name in reversed(fields)) + "}}"


@given(NAMED, st.booleans())
def test_fields_stand_where_they_are_rendered(fields, declared):
    template = templates(fields) if declared else None
    text = render(fields, template)
    places = spans(fields, template)
    assert {name: text[low:high] for name, (low, high) in places.items()} == fields
    assert list(places) == (list(fields)[::-1] if declared else list(fields))


@given(NAMED, st.booleans(), st.data())
def test_edits_of_a_rendering_split_exactly(fields, declared, data):
    """Every code point that an edit takes is gone from its field, and no other."""
    template = templates(fields) if declared else None
    text = render(fields, template)
    cuts = sorted(data.draw(st.sets(st.integers(0, len(text)), max_size=6)))
    edits = [(a, b, "[m]") for a, b in zip(cuts[::2], cuts[1::2], strict=False)]
    gone = {at for low, high, _ in edits for at in range(low, high)}
    own = field_edits(fields, edits, template)
    for name, (low, high) in spans(fields, template).items():
        kept = "".join(text[at] for at in range(low, high) if at not in gone)
        assert apply_edits(fields[name], own.get(name, ())).replace("[m]", "") == kept
    told = sum(new == "[m]" for each in own.values() for _, _, new in each)
    touched = sum(
        any(max(a, low) < min(b, high) for low, high in spans(fields, template).values())
        for a, b, _ in edits
    )
    assert told == touched


def test_an_edit_across_fields():
    fields = {"a": "mail me@", "b": "x.org now"}
    assert field_edits(fields, [(5, 13, "[email]")], "{a}{b}") == {
        "a": ((5, 8, "[email]"),),
        "b": ((0, 5, ""),),
    }
    assert field_edits(fields, [(8, 8, "+")], "{a}{b}") == {"a": ((8, 8, "+"),)}
    assert field_edits(fields, [(0, 4, "-")], "Q: 1 {a}{b}") == {}
