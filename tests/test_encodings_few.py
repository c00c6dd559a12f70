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


SIGNS = [
    *("The tank holds 5 m³ of water and more", "density 1000 kg/m³", "3 m³ at 20 °C", "m³"),
    *("5 m³, 6 m³, 7 cm³ and 8 dm³ of it", "10³ is a thousand, 2¹ is not", "an area of 30 m²"),
    *("¾ cup of sugar", "¼ teaspoon salt, ½ cup milk", "1 ¾ cups, 2¾ cups, ¾ of it", "¾"),
    *(
        "price ¥500",
        "¥500, ¥600 and ¥ 700",
        "price £5, £6, £7 and £8",
        "in £ sterling",
        "5¢ or 10¢",
    ),
    *("2º piso, teléfono nº 3", "Temp 20º C", "Temp 20 º C, 21 º C, 22 º C", "la 3ª y la 4ª"),
    *(
        "note¹ and note² and note³",
        "a claim.¹ Another one.²",
        "One claim is proved in the note¹ below, and nobody has read it.",
    ),
    *(
        "note¹",
        "NOTE¹",
        "data¹",
        "one¹ two",
        "the cat¹ sat",
        "the film³ was",
        "Smith¹",
        "und siehe³",
    ),
    *("claim.³", "(x)³", "see above,³ or", "“quoted”²", "[¹] See", "¹) See", "³ See", "¹ See"),
    *("x³", "y²=x³", "1.º", "n.º 3", "D.ª Ana", "Mª Luisa", "Fº", "¶ 2", "¤5", "¿que tal?"),
    *("résumé ¾", "Louÿs", "L'Haÿ-les-Roses", "Haÿ", "Œuvre Žižek", "5 µm ± 1 × 2", "• one"),
]
"""Texts in windows-1252 with bytes that are letters in other encodings."""


RIVALS = {
    ("iso8859-2", "pl"): "Jaś i Małgosia poszli do lasu, bo chcieli zebrać trochę leśnych jagód.",
    ("iso8859-2", "cs"): "Večer šel starý kovář přes most a žádal o nocleh ve vsi, třeba na seně.",
    ("iso8859-2", "sk"): "Ráno šiel mladý kováč cez most a ťahal za sebou veľký voz plný sena.",
    ("iso8859-2", "hr"): "Jučer je šuma bila tiha, a žena je čekala na mostu dok nije pao mrak.",
    ("cp1257", "lv"): "Vakar vecais kalējs gāja pāri tiltam un lūdza naktsmājas šķūnī.",
    ("cp1257", "lt"): "Vakar senas kalvis ėjo per tiltą ir prašė nakvynės, žadėjo užmokėti.",
    ("cp866", "ru"): "Вчера старый кузнец перешёл через мост и попросился на ночлег.",
    ("iso8859-5", "ru"): "Вчера старый кузнец перешёл через мост и попросился на ночлег.",
}
"""Texts in encodings that chardet takes for others."""


@pytest.mark.parametrize("times", [1, 4, 60])
@pytest.mark.parametrize(("name", "language"), RIVALS)
def test_encodings_that_are_taken_for_others(name, language, times):
    text = f"The story begins so: {RIVALS[name, language]}\n" * times
    assert find_encoding(text.encode(name)).name == name


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("cp1252", "“It’s late,” he said… and — for once — nobody laughed. Café ‘Zoë’, 5 €"),
        ("cp1250", "Květen je krásný měsíc, šumí háj a zpívá kos. Říkal to i děd."),
        ("cp1250", "Tavaszi szél vizet áraszt, őzek és nyulak futnak a tűz elől."),
        ("cp1251", "Њега су звали Ђорђе, а џак је био пун."),
        ("koi8-r", "Весной снег тает, и ручьи бегут к реке."),
        ("cp1254", "Baharda kuşlar öter, ağaçlar çiçek açar, ırmak coşar."),
        ("cp1255", "באביב הציפורים שרות והנחל זורם אל הים."),
    ],
)
def test_other_encodings_have_no_rival(name, text):
    assert find_encoding(text.encode(name)).name == name


@pytest.mark.parametrize("text", SIGNS)
def test_signs_are_no_letters_of_other_encodings(text):
    assert find_encoding(text.encode("cp1252")).name == "cp1252"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        *(("cp1251", text) for text in ("№ 5", "Дом № 5", "№5 и №6")),
        *(
            ("cp1250", text)
            for text in (
                "Idą drogą i są",
                "nad rzeką, gdzie",
                "dzień. Był",
                "Było ładnie",
                "Był mały dom, mała łódka",
                *("zł", "5 zł", "są", "robią", "z ideą", "Wiem, że", "żaba", "był", "Aş vrea"),
            )
        ),
        *(
            ("cp1250", text)
            for text in ("soľ a ľad", "DROGĄ", "Łąka", "oraş mare", "Žižka večer", "změnilo, když")
        ),
        ("cp1254", "beş ağaç"),
        ("cp1253", "πολύ καλός. Ή"),
    ],
)
def test_letters_that_are_signs_in_other_encodings(name, text):
    data = text.encode(name)
    assert data.decode(find_encoding(data).name) == text


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
