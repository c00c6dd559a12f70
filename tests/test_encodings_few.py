"""The encoding of a few words, each with less than 32 bytes that are not ASCII."""

import pytest

from curate.sources.readers.guessing import LITTLE, find_encoding, high_bytes
from curate.sources.readers.letters import by_letters, common_share

WORDS = {
    ("cp1250", "pl"): ["Zażółć gęślą jaźń", "Łódź, środa", "Świeże bułki są już w sklepie"],
    ("cp1250", "cs"): ["Příliš žluťoučký kůň", "Dnes večer přijde déšť", "Řeka je zamrzlá, dítě"],
    ("cp1250", "hu"): ["Jó reggelt, tűzoltó", "Őszi eső a város fölött"],
    ("cp1251", "ru"): ["Привет, мир", "Река замёрзла", "Сегодня дождь, а завтра снег"],
    ("cp1251", "uk"): ["Доброго ранку, місто", "Сьогодні йде дощ"],
    ("cp1252", "fr"): ["Le garçon a mangé à l'école", "Où est la forêt ?", "café"],
    ("cp1252", "de"): ["Müller und Söhne", "Die Größe der Bäume"],
    ("cp1252", "es"): ["El niño comió aquí", "¿Dónde está el río?"],
    ("cp1252", "fi"): ["hyvää päivää", "jääkaappi on täällä"],
    ("cp1253", "el"): ["Καλημέρα κόσμε", "Σήμερα βρέχει στην πόλη", "Η θάλασσα"],
    ("cp1254", "tr"): ["Bugün hava çok güzel, ışık", "Şişli'de yağmur yağıyor"],
    ("cp1255", "he"): ["שלום עולם", "היום יורד גשם בעיר"],
    ("cp1256", "ar"): ["مرحبا بالعالم", "اليوم مطر في المدينة"],
    ("cp874", "th"): ["สวัสดีชาวโลก", "วันนี้ฝนตกในเมือง"],
    ("koi8-r", "ru"): ["Привет, мир", "Река замёрзла", "Сегодня дождь, а завтра снег"],
    ("gb18030", "zh"): ["河水今天上涨了", "天气很好", "第一章 开始", "价格：三百元"],
    ("big5", "zh"): ["河水今天上漲了", "天氣很好", "我們沿著河邊走"],
    ("cp932", "ja"): ["今日は雨です", "東京都の天気", "カタカナ"],
    ("euc_jp", "ja"): ["今日は雨です", "川沿いを歩きました"],
    ("euc_kr", "ko"): ["안녕하세요", "오늘은 비가 온다"],
}
"""Words by encoding and language."""


@pytest.mark.parametrize(
    ("name", "text"),
    [(name, text) for (name, _), texts in WORDS.items() for text in texts],
)
def test_a_few_words_are_read_in_their_encoding(name, text):
    data = text.encode(name)
    assert 0 < high_bytes(data) < 32
    found = find_encoding(data)
    assert data.decode(found.name) == text
    assert found.evidence == high_bytes(data) < LITTLE  # it is told as a guess


def test_letters_of_text_are_commoner_than_those_of_other_bytes():
    name, score = by_letters("Η θάλασσα είναι ήσυχη".encode("cp1253"))
    _, wrong = by_letters("天气很好河水上涨".encode("gb18030"))
    assert (name, score > -3.4, wrong < -3.8) == ("cp1253", True, True)
    assert by_letters(b"\x81\x8d\x8f\x90\x9d", ("cp1252", "cp1253")) is None


@pytest.mark.parametrize(
    ("text", "share"),
    [("天气很好", 1), ("カタカナ。", 1), ("오늘은", 1), ("囧龘", 0), ("abc", 0), ("天囧", 0.5)],
)
def test_common_characters(text, share):
    assert common_share(text) == share
