"""Encoders: the packaged models are the ones they should be, and Chinese is not forgotten."""

import numpy as np
import pytest

from curate.embed import embed, encoders
from curate.errors import CurateError


def cosine(one, other):
    return float(one @ other / np.linalg.norm(one) / np.linalg.norm(other))


def test_chargram_needs_no_weights_and_reads_any_script():
    texts = [
        "the cat sat on the mat",
        "the cat sat on a mat",
        "今天天气很好",
        "今天天气真好",
        "x = f(y)",
    ]
    model = encoders.CharGram(lambda: iter(texts * 3))
    found = model.encode(texts)
    assert found.shape == (5, model.dimension)
    assert cosine(found[0], found[1]) > cosine(found[0], found[4])
    assert cosine(found[2], found[3]) > cosine(found[2], found[0])
    assert model.encode([]).shape == (0, model.dimension)


def test_chargram_does_not_depend_on_the_order_of_the_pool():
    texts = [f"text number {n} about things" for n in range(40)]
    one = encoders.CharGram(lambda: iter(texts))
    other = encoders.CharGram(lambda: iter(texts[::-1]))
    assert one.id == other.id
    assert np.array_equal(one.encode(texts), other.encode(texts))


@pytest.mark.parametrize(
    ("texts", "name"),
    [
        (["This is a perfectly ordinary English sentence about the weather."] * 5, "minilm"),
        (["今天天气很好，我们去公园散步吧，大家都很高兴。"] * 5, "use-m3"),
        (["Das ist ein ganz gewöhnlicher deutscher Satz über das Wetter."] * 5, "use-m3"),
    ],
)
def test_auto_chooses_by_language_and_says_so(texts, name):
    chosen, why = encoders.choose("auto", texts)
    assert chosen == name
    assert name in why


def test_a_model_that_is_not_there(tmp_path):
    with pytest.raises(CurateError, match="no encoder"):
        encoders.SentenceTransformerEncoder(str(tmp_path / "nothing"), tmp_path)


@pytest.mark.slow
def test_minilm_is_the_published_model(monkeypatch):
    model = encoders.load("minilm", None, None)
    found = model.encode(["This is an example sentence", "Each sentence is converted"])
    assert found.shape == (2, 384)
    assert found[0, :4] == pytest.approx((0.0676, 0.0635, 0.0487, 0.0793), abs=1e-4)
    monkeypatch.setattr(encoders, "MINILM_SHA256", "0" * 64)
    with pytest.raises(CurateError, match="not the model it should be"):
        encoders.load("minilm", None, None)


@pytest.mark.slow
def test_use_m3_crosses_languages(monkeypatch):
    model = encoders.load("use-m3", None, None)
    found = model.encode(["I love this film", "我喜欢这部电影", "股票市场今天下跌"])
    assert found.shape == (3, 512)
    assert cosine(found[0], found[1]) > cosine(found[0], found[2]) + 0.2
    monkeypatch.setitem(encoders.USE_SHA256, "sp.model", "0" * 64)
    with pytest.raises(CurateError, match=r"sp\.model is not the model"):
        encoders.load("use-m3", None, None)


def test_blocks_are_a_function_of_the_pool(offline, monkeypatch):
    monkeypatch.setattr("curate.embed.vectors.BLOCK", 16)
    offline.reviews()
    offline.pool()
    offline.run("clean")
    made = embed(offline.workspace, "chargram")
    folder = offline.workspace.tables.folder(made.table)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    (folder / sorted(before)[1]).unlink()
    (folder / "_manifest.json").unlink()
    again = embed(offline.workspace, "chargram")
    assert again.encoded == 16
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    ids, vectors = again.vectors(offline.workspace)
    assert ids == [row["id"] for row in offline.rows("clean") if row["kept"]]
    assert vectors.shape == (len(ids), made.dimension)


@pytest.mark.parametrize(
    "texts", [[], ["A single text of some words."], ["One whole text.", "Another text."]]
)
def test_a_tiny_pool_has_vectors(offline, texts):
    offline.lines("few.jsonl", [*texts, "no", "yes"])
    offline.pool()
    offline.run("clean", limits={"length:words": {"min": 2}})
    made = embed(offline.workspace, "chargram")
    ids, vectors = made.vectors(offline.workspace)
    assert len(ids) == len(texts)
    assert vectors.shape == (len(texts), made.dimension)
    assert np.isfinite(vectors).all()
