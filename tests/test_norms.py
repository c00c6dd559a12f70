# ruff: noqa: E501
"""Rule sets judge a document in its own language, and leave alone what has no norm."""

from unicodedata import normalize

import numpy as np
import pyarrow as pa
import pytest

from curate.clean import detecting, verdicts
from curate.clean.deciding import decide
from curate.clean.explaining import explain, what_if
from curate.clean.measuring import measure_documents
from curate.clean.rules import c4, norms
from curate.clean.rules.features import Features
from curate.clean.rules.registry import RULES
from curate.clean.spec import CleanSpec
from curate.errors import RecipeError

PROSE = {
    "ar": "ذهبنا في الصباح إلى السوق على النهر، وكان الجو جميلا بعد المطر. هو من المدينة التي بين الجبال.",
    "bn": "তিনি সকালে বাজারে গেলেন এবং একটি নতুন বই কিনলেন। থেকে ফিরে ও চা পান করে তিনি গল্প করা শুরু করলেন।",
    "de": "Am Morgen ging er mit dem Hund in den Wald, und die Sonne schien. Das Wetter war für den Herbst mild.",
    "en": "In the morning we walked to the market of the town with our friends. That is what we have to do.",
    "es": "Por la mañana fuimos a la plaza con los amigos y compramos pan. El tiempo era bueno en el pueblo.",
    "fr": "Le matin, nous sommes allés au marché de la ville et il faisait beau. Les enfants jouaient dans la rue.",
    "hi": "सुबह हम बाज़ार में गए और एक किताब को खरीदा। नदी के पास का घर बहुत सुंदर है और वहाँ से शहर दिखता है।",
    "id": "Pada pagi hari kami pergi ke pasar dengan teman dan membeli roti. Rumah yang dekat dari sungai ini indah.",
    "it": "La mattina siamo andati al mercato della città con gli amici e il tempo era bello. Un cane è nel parco.",
    "mr": "सकाळी आम्ही बाजारात गेलो आणि एक पुस्तक घेतले. हा रस्ता नदीजवळ आहे व ते गाव फार सुंदर आहे.",
    "pt": "De manhã fomos ao mercado da cidade com os amigos e o tempo foi bom. Uma casa no rio é para nós.",
    "ru": "Утром мы пошли на рынок и купили хлеб, а он остался в доме. Это было не так далеко от реки, как говорили.",
    "sw": "Asubuhi tulikwenda sokoni na marafiki wa shule katika mji. Nyumba ya mzee ni kubwa kwa watoto wote.",
    "ta": "காலையில் நாங்கள் சந்தைக்கு சென்று ஒரு புத்தகம் வாங்கினோம். இந்த வீடு அழகாக உள்ளது என்று அவர் சொன்னார்.",
    "te": "ఉదయం మేము గ్రామం నుండి బజారుకి వెళ్ళాము. ఈ ఇల్లు నదికి దూరంలో ఉంది, అక్కడ చెట్లు ఉన్నాయి.",
    "tr": "Sabah bir arkadaş ile pazara gittik ve ekmek aldık. Bu ev daha güzel, çünkü nehir için uygun olan yer burası.",
    "ur": "صبح ہم بازار میں گئے اور ایک کتاب کو خریدا۔ دریا کے پاس کا گھر بہت خوبصورت ہے اور وہاں سے شہر نظر آتا ہے۔",
    "vi": "Buổi sáng chúng tôi đã đi chợ của làng và mua một ổ bánh. Ngôi nhà này là của người bạn trong thành phố.",
}
ALONE = {
    "cy": "Yn y bore aethom i'r farchnad yn y dref gyda'n ffrindiau, ac roedd y tywydd yn braf iawn.",
    "el": "Το πρωί πήγαμε στην αγορά της πόλης με τους φίλους μας και ο καιρός ήταν πολύ καλός.",
    "eu": "Goizean hiriko azokara joan ginen lagunekin, eta eguraldia oso ona zen egun osoan.",
    "fi": "Aamulla menimme ystävien kanssa kaupungin torille, ja sää oli koko päivän hyvin kaunis.",
    "ko": "아침에 우리는 친구들과 함께 시내 시장에 갔고 하루 종일 날씨가 아주 좋았습니다.",
    "pl": "Rano poszliśmy z przyjaciółmi na rynek w mieście, a pogoda była bardzo ładna przez cały dzień.",
}  # fmt: skip
SETS = ("gopher_quality", "fineweb", "c4")
CAPITALS = {
    **{tag: PROSE[tag] for tag in ("de", "es", "fr", "id", "it", "pt", "ru", "tr", "vi")},
    **ALONE,
}


def measured(document, name="gopher_quality"):
    settings = c4.Prepared() if name == "c4" else None
    values, edits = measure_documents([document], [(RULES[name], settings)])
    return dict(zip(RULES[name].signals, values[0].tolist(), strict=True)), edits[0]


def reasons(texts, languages=None, rules=SETS, **more):
    """The verdicts of rule sets on whole documents, each of several paragraphs."""
    spec = CleanSpec(rules=rules, **more)
    documents = [
        Features(text, tag)
        for text, tag in zip(texts, languages or [None] * len(texts), strict=True)
    ]
    sets = [(RULES[name], c4.Prepared() if name == "c4" else None) for name in rules]
    values, _ = measure_documents(documents, sets)
    limits = verdicts.limits_of(spec)
    columns = dict(zip(limits, values.astype(np.float32).T, strict=True))
    table = pa.table(
        {
            "source": ["s"] * len(texts),
            "rules_language": pa.array([each.judged_as for each in documents], pa.string()),
            **columns,
        }
    )
    own = verdicts.limits_by_language(spec)
    made = decide(table, rules=rules, limits=limits, instruments=(), by_language=own)
    return made.to_pylist()


def page(text):
    """A page of twelve lines, all different, each of which ends a sentence."""
    end = "।" if "।" in text else "۔" if "۔" in text else "."
    words = text.replace(end, "").split()
    lines = (words[n:] + words[:n] for n in range(12))
    return "\n".join(" ".join(line) + end for line in lines)


# ── which norm


@pytest.mark.parametrize("tag", PROSE)
def test_a_text_is_judged_in_its_language(tag):
    assert norms.norm_of(PROSE[tag], None).language == tag
    assert norms.norm_of("x", tag).language == tag


@pytest.mark.parametrize("tag", ALONE)
def test_a_language_without_a_norm_has_none(tag):
    assert norms.norm_of(ALONE[tag], None) is None
    assert norms.norm_of(PROSE["en"], tag) is None


@pytest.mark.parametrize(
    ("tag", "language"),
    [
        ("en-GB", "en"),
        ("fra_Latn", "fr"),
        ("deu", "de"),
        ("hi-Deva", "hi"),
        ("hi-Latn", None),
        ("zh-Hant", None),
        ("nb", None),
        ("und", "en"),
        ("", "en"),
    ],
)
def test_a_declared_language_is_believed_in_its_script(tag, language):
    norm = norms.norm_of(PROSE["en"], tag)
    assert (norm.language if norm else None) == language


@pytest.mark.parametrize(
    "text", ["", "12 34 56", "OK", "def f(x):\n    return x + 1", PROSE["en"].upper(), "xq zzv kkp"]
)
def test_what_has_no_language_counts_as_english(text):
    assert norms.norm_of(text, None).language == "en"


def test_the_model_is_not_asked_about_plain_english(monkeypatch):
    monkeypatch.setattr(norms, "candidates", lambda text: pytest.fail("the model was asked"))
    assert norms.norm_of(PROSE["en"], None).language == "en"
    assert norms.norm_of("Where have you been?", None).language == "en"
    assert norms.norm_of("import os", None).language == "en"


@pytest.mark.parametrize(
    "text",
    [
        "昨天夜里河水上涨了，公路一直封闭到星期五中午。",
        "今日は雨です。",
        "오늘은 비가 온다",
        "วันนี้ฝนตกในเมือง",
    ],
)
def test_the_model_is_not_asked_about_scripts_without_a_norm(text, monkeypatch):
    monkeypatch.setattr(norms, "candidates", lambda text: pytest.fail("the model was asked"))
    assert norms.norm_of(text, None) is None
    assert norms.norm_of(text, "en").language == "en"


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Sabah pazara gittik ve bir ekmek aldik.", "tr"),
        ("De trein is in de ochtend te laat", None),  # nl has no norm
        ("Het huis is in de stad, of is in het dorp. " * 9, None),
        ("Compramos pan en la plaza y volvimos a casa", "es"),
        ("Vado a casa con il treno", "it"),
        ("Dzisiaj pada deszcz i jest zimno", None),  # pl
        ("Die Katze schlief auf dem warmen Ofen", "de"),
        ("Jeg skal til byen for at handle", None),  # da
        ("Les enfants jouent dans le jardin", "fr"),
        ("C'est l'homme qu'on n'a pas vu aujourd'hui, c'est qu'il n'est plus d'ici.", "fr"),
        ("L'ami d'Anne n'est qu'un enfant d'ici", "fr"),
        ("L'amore e un'arte d'altri tempi, dell'anima", "it"),
        ("Anak-anak laki-laki itu bermain-main kupu-kupu di taman", None),  # like ms
        ("Rumah-rumah, jalan-jalan dan buku-buku baru itu", "id"),
    ],
)
def test_one_word_that_english_has_too_makes_no_english_text(text, language):
    norm = norms.norm_of(text, None)
    assert (norm.language if norm else None) == language


@pytest.mark.parametrize(
    "text",
    [
        "requires numpy, pandas (>= 2)",
        "Add to cart",
        "for i in range(10): print(i)",
        "Home About Contact Login",
        "Old bridge closed to traffic",
        "Tea is best in winter",
    ],
)
def test_short_english_texts_and_labels_stay_english(text):
    assert norms.norm_of(text, None).language == "en"


# ── verdicts


@pytest.mark.parametrize("tag", PROSE)
def test_a_page_passes_in_its_own_language(tag):
    text = page(PROSE[tag])
    assert reasons([text], [tag]) == [None]
    assert reasons([text]) == [None]
    if tag != "en":
        assert reasons([text], ["en"], ("gopher_quality",)) == ["gopher_quality:stop_words"]


@pytest.mark.parametrize("tag", ALONE)
def test_another_language_is_left_alone(tag):
    signals, edits = measured(Features(ALONE[tag]), "c4")
    assert np.isnan([*signals.values()]).all()
    assert edits == []
    assert reasons([ALONE[tag]]) == [None]


def test_words_that_no_page_may_hold_count_in_every_language():
    settings = c4.Prepared(bad_words=("torille",))
    signals, edits = c4.measure(Features(ALONE["fi"]), settings)
    assert signals["bad_words"] == 1
    assert edits == []
    assert np.isnan(signals["sentences"])


def test_both_spellings_have_the_stop_words():
    for tag in ("vi", "fr", "hi"):
        one, other = (
            measured(Features(normalize(form, PROSE[tag]), tag))[0]["stop_words"]
            for form in ("NFC", "NFD")
        )
        assert one == other >= 2


def test_a_limit_of_the_recipe_holds_in_every_language():
    text = page(PROSE["de"])
    limits = {"gopher_quality:stop_words": {"min": 50}, "gopher_quality:lettered": {"min": 1}}
    assert reasons([text], ["de"], limits=limits) == ["gopher_quality:lettered"]
    own = verdicts.limits_by_language(CleanSpec(rules=SETS, limits=limits))
    assert own["gopher_quality:lettered"]["de"] == (1, None)
    assert own["gopher_quality:mean_word_length"]["te"] == (4, 68)
    wrong = CleanSpec(rules=SETS, limits={"gopher_quality:mean_word_length": {"min": 9.5}})
    with pytest.raises(RecipeError, match="nothing passes gopher_quality:mean_word_length in ar"):
        verdicts.limits_by_language(wrong)


def test_the_language_stays_after_lines_were_removed():
    document = Features(PROSE["fr"], "fr")
    assert document.edited("").edited("x").norm.language == "fr"


# ── through clean


def test_all_documents_can_be_judged_in_one_language(offline):
    offline.lines("web.jsonl", [page(PROSE["hi"]), page(PROSE["en"]), page(ALONE["fi"])])
    offline.pool()
    rules = {"rules": ["gopher_quality", "c4"]}
    offline.run("clean", **rules)
    rows = offline.rows("clean")
    assert [row["kept"] for row in rows] == [True] * 3
    assert sorted(map(str, (row["rules_language"] for row in rows))) == ["None", "en", "hi"]
    offline.run("clean", **rules, rules_language="en-US")
    rows = offline.rows("clean")
    assert {row["rules_language"] for row in rows} == {"en"}
    assert sum(row["kept"] for row in rows) == 1


def test_a_language_that_no_set_fits_is_refused():
    with pytest.raises(ValueError, match="no rule set fits fi; they fit ar, bn"):
        CleanSpec(rules_language="fi")


def test_limits_of_languages_are_explained_and_tried(offline):
    offline.lines("web.jsonl", [page(PROSE["fr"]), page(PROSE["en"])])
    offline.pool()
    offline.run("clean", rules=["gopher_quality"])
    told = explain(offline.workspace, "gopher_quality:mean_word_length")
    assert {example.limit for example in told} == {"min 3", "max 10", "min 2 in fr", "max 11 in fr"}
    tried = what_if(offline.workspace, ["gopher_quality:mean_word_length.max=1"])
    assert [(outcome.limits, outcome.kept) for outcome in tried] == [
        ("as it is", 2),
        ("gopher_quality:mean_word_length.max=1", 0),
    ]


# ── capitals


@pytest.mark.parametrize("tag", CAPITALS)
@pytest.mark.parametrize("change", [str.upper, lambda text: text[: len(text) // 2].upper() + text])
def test_a_text_in_capitals_keeps_its_language(tag, change):
    text = CAPITALS[tag].replace("i", "İ") if tag == "tr" and change is str.upper else CAPITALS[tag]
    ((found, confidence),) = detecting.detect([change(text)])
    assert found == tag
    assert confidence >= detecting.MINIMUM


@pytest.mark.parametrize("tag", ["vi", "fr", "hi"])
def test_decomposed_text_keeps_its_language(tag):
    assert detecting.detect([normalize("NFD", PROSE[tag])])[0][0] == tag


def test_letters_of_other_forms_are_letters():
    wide = "".join(chr(ord(c) + 0xFEE0) if c.isascii() and c.isalpha() else c for c in PROSE["es"])
    assert detecting.detect([wide])[0][0] == "es"
