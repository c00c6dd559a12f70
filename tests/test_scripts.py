"""Words where scripts meet: each definition of a word, on the same texts."""

import re
import unicodedata

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curate import scripts
from curate.clean.instruments import grams
from curate.clean.instruments.privacy.instrument import find
from curate.clean.measuring import measure_texts
from curate.clean.rules import c4, fineweb, gopher_quality, length, lines
from curate.clean.rules.features import Features
from curate.clean.rules.registry import RULES
from curate.clean.rules.tokenizing import Lexicon, split, words_of
from curate.shingles import _is_cjk
from curate.text import cjk_share, words

MIXED = {
    "5星好评": ["5", "星", "好", "评"],
    "买了2双鞋": ["买", "了", "2", "双", "鞋"],
    "K歌软件App太卡了": ["K", "歌", "软", "件", "App", "太", "卡", "了"],
    "Ｗｉｆｉ信号": ["Ｗｉｆｉ", "信", "号"],  # full-width letters
    "４Ｇ网": ["４Ｇ", "网"],
    "USBケーブル": ["USB", "ケ", "ー", "ブ", "ル"],
    "ﾃﾚﾋﾞ2台": ["ﾃ", "ﾚ", "ﾋ", "ﾞ", "2", "台"],  # half-width kana
    "人々・時々": ["人", "々", "時", "々"],  # a middle dot is no word
    "B型은 2개": ["B", "型", "은", "2", "개"],
    "𠮷野家no1": ["𠮷", "野", "家", "no1"],  # a rare plane
    "ㄅㄆab": ["ㄅ", "ㄆ", "ab"],
    "👍x很好👍🏽3️⃣天": ["x", "很", "好", "3", "天"],
    "不错。。。（GOOD）！": ["不", "错", "GOOD"],
    "x-光 it's-好": ["x", "光", "it's", "好"],
    "wifi很好wifi": ["wifi", "很", "好", "wifi"],
    "café的": ["café", "的"],
    "5วัน": ["5", "ว", "น"],
    "Appลาว": ["App", "ลาว"],
    "ราคาแพงมากจนตกใจ": ["ราคา", "แพงม", "ากจน", "ตกใจ"],
    "3ມື້ດີ": ["3", "ມ", "ດ"],
}


@pytest.mark.parametrize("text", MIXED)
def test_words_where_scripts_meet(text):
    assert words(text) == MIXED[text]
    assert length.measure(Features(text))["words"] == len(MIXED[text])


@pytest.mark.parametrize(
    ("text", "compared"),
    [
        ("5星K歌", ["5", "星", "k", "歌"]),
        ("Ｗｉｆｉ信号USBｹｰﾌﾞﾙ", ["wifi", "信", "号", "usb", "ケ", "ー", "ブ", "ル"]),
        ("B型은 GPT4는", ["b", "型", "은", "gpt4", "는"]),
        ("𠮷野家no1・", ["𠮷", "野", "家", "no1"]),
        ("Appลาว ราคาแพงมาก", ["app", "ลาว", "ราคาแพงมาก"]),
    ],
)
def test_words_that_are_compared_where_scripts_meet(text, compared):
    assert grams.words(text) == compared


@given(st.text("ab1é的了ケ々𠮷은ลว-'’·。 ", max_size=30))
def test_an_ideograph_is_a_word_whatever_stands_beside_it(text):
    own = [char for char in text if char in "的了ケ々𠮷"]
    for found in (words(text), grams.words(text), [t for p in text.split() for t in split(p)]):
        assert [word for word in found if set(word) & set("的了ケ々𠮷")] == own
    assert "".join(token for piece in text.split() for token in split(piece)) == "".join(
        text.split()
    )


@given(st.text(st.characters(max_codepoint=0xDFF), max_size=40))
def test_text_of_scripts_with_spaces_has_the_words_it_had(text):
    """Word borders in Latin, Cyrillic, Arabic, … do not depend on the classes."""
    assert words(text) == re.findall(r"[^\W_]+(?:['’\-][^\W_]+)*", text)
    assert words_of(text) == text.split()
    assert scripts.ideographs(text) == 0


def test_the_classes_are_those_of_unicode():
    """Every letter whose name says so is in its class, and no mark is."""
    names = {
        scripts.IDEOGRAPHS: r"CJK (UNIFIED|COMPAT.* IDEOGRAPH)|HIRAGANA (LETTER|DIGR|ITER|VOICED)"
        r"|KATAKANA (LETTER|DIGRAPH|ITER|VOICED I)|HALFWIDTH KATAKANA LETTER|BOPOMOFO LETTER"
        r"|YI SYLLABLE (?!ITERATION)|TANGUT (IDEO|COMP)|NUSHU CHAR|KHITAN SMALL SCRIPT CHAR"
        r"|HANGZHOU NUMERAL|IDEOGRAPHIC (ITERATION MARK|CLOSING|NUMBER ZERO)",
        scripts.HANGUL: r"HANGUL (SYLLABLE|LETTER|CHOSEONG|JUNGSEONG|JONGSEONG)|HALFWIDTH HANGUL",
        scripts.SOUTHEAST: r"(THAI|LAO|MYANMAR|KHMER|TAI \w+|NEW TAI LUE|AHOM) (CHARACTER|LETTER"
        r"|SYLLABLE|INDEPENDENT)",
    }
    for ranges, pattern in names.items():
        expected = re.compile(f"(?:{pattern})")
        inside = re.compile(f"[{scripts.inside(ranges)}]")
        for point in range(0x32400):
            char = chr(point)
            name = unicodedata.name(char, "")
            if expected.match(name) and char.isalnum():
                assert inside.match(char), name
            if ranges is not scripts.SOUTHEAST and name and inside.match(char):
                assert char.isalnum() or "CIRCLED" in name or "MARK" in name, name


def test_shingles_of_many_texts_count_the_same_letters_as_those_of_one():
    for char in ("々", "𠮷", "ｱ", "ㄅ", "한", "ᄒ", "・", "。", "ก", "é", "👍", "\U0010ffff"):
        mark = _is_cjk().take(np.array([ord(char)], np.uint32), mode="clip")[0]
        assert mark == (cjk_share(char) == 1), char


ENGLISH = "The old mill by the river was sold last year, and nobody has moved in. "


def test_tokens_of_text_with_spaces():
    assert split("iPad平板,很好。") == ("iPad", "平", "板", ",", "很", "好", "。")
    assert split("（推荐）") == ("（", "推", "荐", "）")
    assert split("don't的") == ("do", "n't", "的")
    assert split("https://a.example/x。") == ("https://a.example/x", "。")
    assert split("2일만에") == ("2일만에",)  # Korean has spaces


def test_gopher_counts_every_ideograph_but_its_mean_length_is_that_of_other_words():
    text = ENGLISH * 3 + "名字叫4号磨坊"
    plain = gopher_quality.measure(Features(ENGLISH * 3))
    mixed = gopher_quality.measure(Features(text))
    assert mixed["words"] == plain["words"] + 7
    spaced = plain["mean_word_length"] * plain["words"] + 1  # the digit 4
    assert mixed["mean_word_length"] == pytest.approx(spaced / (plain["words"] + 1))
    assert mixed["stop_words"] == plain["stop_words"]


def test_fineweb_shares_are_per_ideograph():
    text = ENGLISH + "\n4号磨坊"
    tokens = 17 + 4
    assert fineweb.measure(Features(text))["line_ends"] == pytest.approx(1 / tokens)


def test_c4_keeps_a_line_of_three_ideographs():
    text = f"{ENGLISH}\nA级好评!\n{ENGLISH}\n好评!"
    page = c4.read(Features(text), terminal_marks=True)
    assert [text[line.start : line.end] for line in page.lines] == [
        *(ENGLISH.strip(), "A级好评!", ENGLISH.strip())
    ]


def test_c4_knows_sentences_and_long_words_by_their_ideographs():
    running = "他说" * 600 + "!"
    page = c4.read(Features(ENGLISH * 200 + "\n" + running), terminal_marks=True)
    assert len(page.lines) == 2
    glued = c4.read(Features("a b 很好。我喜欢。c!"), terminal_marks=True)
    assert glued.sentences == 3


def test_bad_words_are_found_where_scripts_meet():
    settings = c4.Prepared(bad_words=("bad", "坏蛋", "ชั่ว"))
    for text, times in {
        "a bad day": 1,
        "很bad的一天 and more": 1,
        "badly 坏 蛋": 0,
        "他是坏蛋x and y": 1,
        "xbad bad_ 3bad": 0,
        "คนชั่ว bad": 2,
    }.items():
        assert c4.measure(Features(text), settings)[0]["bad_words"] == times, text


def test_a_line_is_described_by_the_words_that_it_has():
    column = lines.NAMES.index("chars_per_word")
    assert lines.describe(["see B楼 now"])[0, column] == pytest.approx(10 / 4)


def test_private_numbers_are_found_beside_ideographs():
    assert [span.kind for span in find("客服tel：8234 5671转2")] == ["phone"]
    assert [span.kind for span in find("传真fax号 8234567")] == []
    assert find("固件版v8.8.4.4") == find("firmware v8.8.4.4") == []


def test_a_long_run_of_sentences_is_held_shortly():
    lexicon = Lexicon()
    lexicon.pieces("很好。" * 5000)
    assert lexicon.endings["很好。" * 5000] == (4999, True, 5000, True)


def test_default_length_keeps_short_reviews():
    texts = [*MIXED][:3]
    values, _ = measure_texts(texts, [(RULES["length"], None)])
    assert (values[:, 1] >= 3).all()
