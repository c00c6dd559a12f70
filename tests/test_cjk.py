"""The set for text without spaces, by hand and on made-up pages."""

from math import log2

import numpy as np
import pytest

from curate.clean.measuring import measure_texts
from curate.clean.rules.cjk import SIGNALS, measure, repeated
from curate.clean.rules.features import Features
from curate.clean.rules.registry import RULES

STORY = (
    "昨天夜里下了一场大雨，河水涨了许多。早上起来的时候，村口的小桥已经看不见了，"
    "孩子们只好绕远路去上学。爷爷说他小时候也见过这样的雨，那一年庄稼全淹了，大家靠着邻村"
    "送来的粮食才熬过冬天。如今堤坝修得结实，没有人担心，只是院子里晾着的衣服又要重洗一遍。"
)


def reason(text):
    """Return the first signal outside its range, None if there is none."""
    from curate.clean.deciding import outside

    values, _ = measure_texts([text], [(RULES["cjk"], None)])
    for value, (name, signal) in zip(values[0], SIGNALS.items(), strict=True):
        if outside(np.array([value], np.float32), signal.range)[0]:
            return name
    return None


def test_cjk_by_hand():
    found = measure(Features("我爱你。\n 我爱你 12\n"))
    assert found == {
        "chars": 9,
        "letters": pytest.approx(6 / 9),
        "digits": pytest.approx(2 / 9),
        "punctuation": pytest.approx(1 / 9),
        "entropy": pytest.approx(3 * 2 / 9 * log2(9 / 2) + 3 / 9 * log2(9)),
        "repeated_8": 0,
        "repeated_16": 0,
        "top_4": 0,
        "short_lines": 1,
        "punctuated_lines": 0.5,
    }
    assert repeated("一二三一二三", 2) == pytest.approx(2 / 5)
    assert repeated("一", 2) == 0


def test_a_story_passes():
    assert reason(STORY) is None


UNIVERSAL_DECLARATION = {  # article 1
    "th": "มนุษย์ทั้งหลายเกิดมามีอิสระและเสมอภาคกันในเกียรติศักดิ์และสิทธิ ต่างมีเหตุผลและมโนธรรม "
    "และควรปฏิบัติต่อกันด้วยเจตนารมณ์แห่งภราดรภาพ",
    "lo": "ມະນຸດເກີດມາມີສິດເສລີພາບ ແລະ ສະເໝີໜ້າກັນໃນທາງກຽດຕິສັກ ແລະ ທາງສິດດ້ວຍມະນຸດມີສະຕິສຳປັດຊັນຍະ"
    "(ຮູ້ດີຮູ້ຊົ່ວ)ແລະມີມະໂນທຳຈຶ່ງຕ້ອງປະພຶດຕົນຕໍ່ກັນໃນທາງພີ່ນ້ອງ.",
    "km": "មនុស្សទាំងអស់កើតមកមានសេរីភាពនិងភាពស្មើគ្នាក្នុងសេចក្ដីថ្លៃថ្នូរនិងសិទ្ធិ។ "
    "មនុស្សគ្រប់រូបសុទ្ធតែមានវិចារណញាណនិងសតិសម្បជញ្ញៈ "
    "ហើយត្រូវប្រព្រឹត្តចំពោះគ្នាទៅវិញទៅមកក្នុងស្មារតីរាប់អានគ្នាជាបងប្អូន។",
    "my": "လူတိုင်းသည် တူညီ လွတ်လပ်သော ဂုဏ်သိက္ခာဖြင့် လည်းကောင်း၊ တူညီလွတ်လပ်သော အခွင့်အရေးများဖြင့် "
    "လည်းကောင်း၊ မွေးဖွားလာသူများ ဖြစ်သည်။ ထိုသူတို့၌ ပိုင်းခြား ဝေဖန်တတ်သော ဉာဏ်နှင့် ကျင့်ဝတ် "
    "သိတတ်သော စိတ်တို့ရှိကြ၍ ထိုသူတို့သည် အချင်းချင်း မေတ္တာထား၍ ဆက်ဆံကျင့်သုံးသင့်၏။",
}
"""Of the United Nations, in the public domain."""


@pytest.mark.parametrize("language", UNIVERSAL_DECLARATION)
def test_scripts_with_vowel_signs_and_without_marks_pass(language):
    assert reason(UNIVERSAL_DECLARATION[language]) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("很好吃。", "chars"),
        ("★☆" * 60 + STORY[:60], "letters"),
        (f"{STORY} 13800138000 13900139000 02087654321", "digits"),
        (STORY.replace("，", "").replace("。", ""), "punctuation"),
        (STORY * 3, "repeated_8"),
        ("\n".join(STORY[at : at + 9] for at in range(0, len(STORY), 9)), "short_lines"),
    ],
)
def test_what_goes(text, expected):
    assert reason(text) == expected


@pytest.mark.parametrize(
    ("text", "unspaced"),
    [
        (STORY, True),
        ("昨日は雨が降ったので、家で本を読んでいました。", True),
        ("เมื่อวานฝนตกหนักมาก เราเลยอยู่บ้านอ่านหนังสือกันทั้งวัน", True),
        ("어제는 비가 많이 와서 우리는 집에서 책을 읽었습니다.", False),  # Korean has spaces
        ("It rained, so we stayed in.", False),
        ("", False),
    ],
)
def test_whether_a_text_has_spaces_between_words(text, unspaced):
    assert Features(text).unspaced is unspaced


def test_english_is_left_alone():
    assert reason("It rained. " * 40) is None
    assert np.isnan(measure_texts(["It rained."], [(RULES["cjk"], None)])[0]).all()


def test_the_stage_asks_each_script_for_its_own(offline):
    english = "It rained all night, and the river had risen by the morning, so we stayed. " * 4
    offline.lines("a.jsonl", [STORY, english, "很好吃。"])
    offline.pool()
    made = offline.run("clean", rules=["gopher_quality", "cjk"])
    assert made.reasons == {"cjk:chars": 1}
    assert made.kept == 2
