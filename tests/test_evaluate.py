"""The n-gram proxy is a language model, and the verdict is told by its noise."""

import json

import numpy as np
import pytest

from curate.evaluate.arms import ArmResult
from curate.evaluate.comparing import verdict_on
from curate.proxies.ngram import ALPHA, Corpus

PROSE = ["the cat sat on the mat and looked at the other cat. " * 20]
CODE = ["for x in range(10): print(x ** 2)  # squares\n" * 20]


def test_trained_on_nothing_it_guesses_bytes():
    corpus = Corpus(PROSE, {"prose": ["the cat"], "code": ["x = 1"]})
    found = corpus.cross_entropy(np.array([0]))
    assert found == pytest.approx({"prose": np.log(256), "code": np.log(256)})


def test_like_teaches_like():
    holdout = {"prose": ["a cat on the mat"], "code": ["for y in range(3): print(y)"]}
    corpus = Corpus([*PROSE, *CODE], holdout)
    prose, code = (corpus.cross_entropy(np.array(copies)) for copies in ([1, 0], [0, 1]))
    assert prose["prose"] < code["prose"] - 1
    assert code["code"] < prose["code"] - 1
    both = corpus.cross_entropy(np.array([1, 1]))
    assert prose["code"] > both["code"] > code["code"]


def test_it_is_a_distribution_over_the_next_byte():
    # 256 one-byte continuations of the same context: their probabilities sum to one.
    context = "the cat sa"
    total = 0.0
    for byte in range(128):
        held = Corpus(PROSE, {"x": [context + chr(byte)], "y": [context]})
        found = held.cross_entropy(np.array([2]))
        loss = found["x"] * (len(context) + 1) - found["y"] * len(context)
        total += np.exp(-loss)
    assert 0.9 < total <= 1 + 1e-9  # the other 128 bytes share what little is left


def test_copies_count_and_documents_do_not_run_into_each_other():
    apart = Corpus(["ab", "cd"], {"x": ["abcd"]}).cross_entropy(np.array([1, 1]))["x"]
    joined = Corpus(["abcd"], {"x": ["abcd"]}).cross_entropy(np.array([1]))["x"]
    assert joined < apart
    often = Corpus(["abcd"], {"x": ["abcd"]}).cross_entropy(np.array([9]))["x"]
    assert often < joined
    assert len(ALPHA) == 6


def test_chinese_is_bytes_too():
    corpus = Corpus(["今天天气很好，我们去公园。" * 10], {"zh": ["今天天气不好。"]})
    assert corpus.cross_entropy(np.array([1]))["zh"] < np.log(256) / 2


def arm(name, mean, sd):
    return ArmResult(name, 100, mean, sd, {"a": mean}, {"a": sd})


@pytest.mark.parametrize(
    ("mean", "words"), [(1.0, "better than"), (2.0, "no gain over"), (3.0, "worse than")]
)
def test_the_verdict_respects_the_noise(mean, words):
    told = verdict_on((arm("mixture", mean, 0.01), arm("proportional", 2.0, 0.01)))
    assert f"{words} proportional" in told


# ── the stage


def test_evaluate_tells_both_stories(whole):
    found = json.loads((whole.root / "evaluate.json").read_text())
    metrics = found["classification"]
    assert metrics["documents"] == 40
    assert metrics["trivial_accuracy"] <= 0.65
    assert sum(each["documents"] for each in metrics["bins"]) == 40
    assert [each["arm"] for each in found["proxy"]] == ["mixture", "proportional", "uniform"]
    size = found["proxy"][0]["tokens"]
    for each in found["proxy"]:
        assert set(each["by_source"]) == {"films", "meals"}
        assert 0 < each["mean"] < np.log(256)
        assert each["tokens"] == pytest.approx(size, rel=0.1)
    assert found["verdict"].startswith("by the n-gram proxy the mixture is")


def test_without_a_holdout_it_says_why_there_is_no_comparison(offline):
    offline.reviews()
    offline.pool()
    offline.run("clean")
    offline.run("mix")
    made = offline.run("evaluate")
    assert made.proxy == ()
    assert "no holdout" in made.notes[0]


class Raw(bytes):
    """A text of any bytes at all."""

    def encode(self):
        return bytes(self)


@pytest.mark.parametrize("context", [b"", b"t", b"the cat sa", b"\xe4\xbb\x8a", b"\x00\xff"])
@pytest.mark.parametrize("copies", [1, 3])
def test_the_probabilities_of_all_bytes_sum_to_one(context, copies):
    """Whatever the context, seen or unseen, of letters or of half a character."""
    held = {f"{byte}": [Raw(context + bytes([byte]))] for byte in range(256)}
    corpus = Corpus([*PROSE, "今天天气很好。"], held)
    found = corpus.cross_entropy(np.array([copies, 1]))
    size = len(context) + 1
    # All but the last byte cost the same in every text: take it off where it is known.
    alone = Corpus([*PROSE, "今天天气很好。"], {"context": [Raw(context)]}) if context else None
    shared = alone.cross_entropy(np.array([copies, 1]))["context"] * len(context) if alone else 0
    total = sum(np.exp(shared - found[f"{byte}"] * size) for byte in range(256))
    assert total == pytest.approx(1, abs=1e-9)


def test_copies_of_none_are_exactly_no_knowledge():
    corpus = Corpus([*PROSE, *CODE], {"x": ["the cat sat on for x in range"]})
    assert corpus.cross_entropy(np.array([0, 0]))["x"] == pytest.approx(np.log(256), rel=1e-14)
