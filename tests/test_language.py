"""The language of a text: detected offline, declared ones kept, allowed per source."""

import subprocess
import sys

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curate.clean import detecting
from curate.clean.edits import Batch
from curate.clean.instruments import language
from curate.clean.measuring import rule_signals
from curate.clean.rules import c4
from curate.clean.rules.c4 import C4Spec

ENGLISH = "The soup was good and the bread was fresh, so we came back the next day."
CHINESE = "这家店的汤很好喝，面包也很新鲜，所以我们第二天又来了。"
GERMAN = "Die Suppe war gut und das Brot war frisch, also kamen wir am nächsten Tag wieder."


def measured(texts, declared=None):
    declared = pa.array(declared or [None] * len(texts), pa.string())
    batch = Batch(pa.table({"text": texts, "language": declared}))
    return language.Language().measure(batch, language.MINIMUM)


def test_languages_are_told_apart():
    found = detecting.detect([ENGLISH, CHINESE, GERMAN])
    assert [tag for tag, _ in found] == ["en", "zh", "de"]
    assert all(confidence > 0.8 for _, confidence in found)


def test_mandarin_that_the_model_calls_wu_is_chinese():
    review = "双十一在朋友推荐的店里买的风扇，客服推来推去；已经退货。"
    raw = detecting._detector().detect(review, model="lite", k=1)[0]
    assert raw["lang"] == "wuu"
    assert detecting.detect([review]) == [("zh", pytest.approx(raw["score"]))]


@pytest.mark.parametrize(
    ("text", "tag"),
    [
        ("快递很快，包装完好，五分好评。", "zh"),
        ("属性：", "zh"),
        ("等待輸入逾時：自動登出", "zh"),
        ("出力先の設定を変更しました。", "ja"),
        ("設定を保存", "ja"),
        ("駅前広場、発売", "ja"),  # no kana, and characters that Chinese does not write
    ],
)
def test_chinese_is_not_taken_for_japanese(text, tag):
    assert detecting.detect([text])[0][0] == tag
    assert detecting.candidates(text)[0][0] == tag


@pytest.mark.parametrize("text", ["", "12345", "!!! …", "\n\n", "3.14 + 2"])
def test_a_text_without_letters_has_no_language(text):
    assert detecting.detect([text]) == [("und", 0.0)]


def test_short_and_mixed_texts_are_unknown():
    found = measured(["OK", "hello world", "def f(x): return x+1"])
    assert found["language"].to_pylist() == ["und"] * 3


def test_the_whole_of_a_long_text_counts():
    noise = "1 2 3 4 5 6 7 8 9 0 " * 30
    assert detecting.detect([noise + (ENGLISH + " ") * 20])[0][0] == "en"
    assert detecting.detect([(CHINESE + "\n") * 200])[0][0] == "zh"


def test_a_declared_language_is_kept_and_disagreement_is_marked():
    found = measured([ENGLISH, ENGLISH, ENGLISH, "OK", ENGLISH], ["en-GB", "de", None, "en", ""])
    assert found["language"].to_pylist() == ["en-GB", "de", "en", "en", "en"]
    assert found["language:differs"].to_pylist()[:2] == [0, 1]
    assert np.isnan(found["language:differs"].to_numpy()[2:]).all()
    assert found["language:confidence"].type == pa.float32()


@pytest.mark.parametrize(
    ("tag", "ranges", "wanted"),
    [
        ("en", ["en"], True),
        ("en-GB", ["en"], True),
        ("en", ["en-GB"], False),
        ("zh-Hant", ["zh"], True),
        ("zh-Hant", ["zh-Hans"], False),
        ("zh_CN", ["zh-cn"], True),
        ("nb", ["no"], True),
        ("no", ["nb"], True),
        ("nn", ["no"], False),
        ("und", ["en"], False),
        ("und", ["en", "und"], True),
        (None, ["und"], True),
        ("en", [], False),
        ("fin_Latn", ["fi"], True),
        ("zh", ["zho"], True),
        ("no", ["nob"], True),
        ("nno_Latn", ["no"], False),
        ("ceb", ["ceb"], True),
    ],
)
def test_ranges_of_languages(tag, ranges, wanted):
    assert language.allowed(tag, ranges) is wanted


def test_languages_are_allowed_per_source():
    tags, sources = ["en", "zh", "fr", "fr"], ["web", "web", "web", "books"]
    assert language.verdicts(tags, sources, ["en", "zh"]) == [True, True, False, False]
    assert language.verdicts(tags, sources, {"web": ["en"]}) == [True, False, False, True]


@given(st.text(max_size=200))
def test_any_text_can_be_asked(text):
    ((tag, confidence),) = detecting.detect([text])
    assert tag
    assert 0 <= confidence <= 1


def test_nothing_is_asked_of_the_network(tmp_path):
    """The package can fetch another model: it is never asked to, and nothing connects."""
    script = (
        "import socket\n"
        "def refuse(*args, **kwargs): raise AssertionError('a connection was tried')\n"
        "socket.socket.connect = socket.socket.connect_ex = refuse\n"
        "socket.getaddrinfo = socket.create_connection = refuse\n"
        "from curate.clean import detecting\n"
        "print(detecting.detect(['The soup was good and the bread was fresh.'])[0][0])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        env={"PATH": "", "FTLANG_CACHE": str(tmp_path / "models")},
    )
    assert done.stdout.strip() == "en"
    assert not (tmp_path / "models").exists()


def test_a_text_is_given_to_the_model_once(monkeypatch):
    """Rule sets ask for the language first; after an edit the text is another one."""
    edited = GERMAN + "\nMehr lesen über unser kleines Gasthaus am Rand der Stadt"
    documents = [GERMAN, edited, CHINESE, ENGLISH]
    empty = pa.nulls(len(documents), pa.string())
    batch = Batch(pa.table({"text": documents, "language": empty, "source": ["web"] * 4}))
    asked = []
    model = detecting._detector().detect

    class Counted:
        def detect(self, probe, **settings):
            asked.append(probe)
            return model(probe, **settings)

    monkeypatch.setattr(detecting, "_detector", Counted)
    settings = C4Spec()
    prepared = {"c4": c4.prepare(None, settings), "gopher_quality": None}
    rule_signals(batch, prepared, tuple(prepared))
    assert [bool(edits) for edits in batch.edits] == [False, True, False, False]
    assert asked == [GERMAN, edited.replace("\n", " ")]
    columns = language.Language().measure(batch, detecting.MINIMUM)
    assert columns["language"].to_pylist() == ["de", "de", "zh", "en"]
    assert asked[2:] == [GERMAN, CHINESE, ENGLISH]
    alone = [confidence for _, confidence in detecting.detect(batch.edited)]
    assert columns["language:confidence"].to_pylist() == pytest.approx(alone)
