"""The n-gram proxy is a language model, and the verdict is told by its noise."""

import json
from dataclasses import asdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curate import chance
from curate.engine import Local
from curate.errors import DataError
from curate.evaluate import arms, choosing
from curate.evaluate.arms import ArmResult
from curate.evaluate.choosing import First, Rows
from curate.evaluate.comparing import verdict_on
from curate.evaluate.people import against_people
from curate.metrics import classification
from curate.proxies import ngram
from curate.proxies.ngram import ALPHA, Corpus
from tests.shards import recut

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


@pytest.mark.parametrize("block", [1, 7, 64])
def test_blocks_of_the_candidates_change_nothing(monkeypatch, block):
    texts, holdout = [*PROSE, "", "今天", *CODE], {"x": ["the cat in range(10)"], "y": ["天气"]}
    copies = np.array([2, 1, 3, 1])
    whole = Corpus(texts, holdout).cross_entropy(copies)
    monkeypatch.setattr(ngram, "BLOCK", block)
    assert Corpus(texts, holdout).cross_entropy(copies) == whole


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


# ── the choice of texts, and the whole stage, beside all rows in memory


def capped(noise, tokens, limit):
    """The first rows by noise, with all of them in memory."""
    order = np.argsort(noise, kind="stable")
    fits = np.cumsum(tokens[order]) * 4 <= limit
    fits[:1] = True
    return order[fits]


@given(st.data())
def test_the_first_rows_of_all_shards_are_the_first_of_all_rows(data):
    """Whatever the shards, the workers and the order in which they end; also with equal noise."""
    n = data.draw(st.integers(1, 60))
    noise = np.array(data.draw(st.lists(st.integers(0, 9), min_size=n, max_size=n))) / 10
    tokens = np.array(data.draw(st.lists(st.integers(0, 9), min_size=n, max_size=n)))
    limit = data.draw(st.integers(0, 400))
    owner = np.array(data.draw(st.lists(st.integers(0, 5), min_size=n, max_size=n)))
    shards = [np.flatnonzero(owner == number) for number in range(6)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(choosing, "WAITING", data.draw(st.integers(1, 40)))
        workers = [First(limit), First(limit), First(limit)]
        for number, places in enumerate(shards):
            workers[number % 3].add(Rows(noise[places], places, tokens[places]))
        total = First(limit)
        for worker in data.draw(st.permutations(workers)):
            total.add(worker.settle())
        assert total.rows().place.tolist() == capped(noise, tokens, limit).tolist()


def test_a_worker_keeps_no_more_rows_than_the_result_can_have(monkeypatch):
    monkeypatch.setattr(choosing, "WAITING", 100)
    first, rng = First(limit=4 * 50), np.random.default_rng(0)
    for number in range(200):
        places = np.arange(10) + 10 * number
        first.add(Rows(rng.random(10), places, np.ones(10, np.int64)))
        assert sum(map(len, first.parts)) <= 50 + 100 + 10
    assert len(first.rows()) == 50


def in_memory(workspace, spec):
    """The results of the arms, with every row of every table in memory."""
    columns = ("id", "source", "tokens", "holdout", "text")
    items = workspace.documents.table(columns).to_pandas()
    mix = workspace.tables.read("mix", ["id", "group", "weight"]).to_pandas()
    items = items.merge(mix, on="id", how="left")
    noise = chance.uniform(items["id"], 0, "proxy")

    def first(mask, limit):
        rows = np.flatnonzero(mask)
        tokens = items["tokens"].to_numpy()[rows]
        return items.iloc[np.sort(rows[capped(noise[rows], tokens, limit)])]

    is_candidate = items["group"].notna()
    train = first(is_candidate, spec.train_bytes)
    holdout = {
        source: list(first(items["holdout"] & (items["source"] == source), spec.holdout_bytes).text)
        for source in sorted(set(items["source"][items["holdout"]]))
    }
    fraction = train["tokens"].sum() / items["tokens"][is_candidate].sum()
    corpus = Corpus(list(train["text"]), holdout)
    draws = arms._arms(workspace, train, fraction)
    return [
        asdict(arms._arm(name, draw, train, corpus, spec, lambda n: None))
        for name, draw in draws.items()
    ]


SETTINGS = {"seeds": 2, "train_bytes": 16_000, "holdout_bytes": 1_000}


@pytest.mark.parametrize("settings", [SETTINGS, {**SETTINGS, "train_bytes": 8_000_000}])
def test_the_arms_are_those_of_all_rows_in_memory(whole, settings):
    expected = in_memory(whole.workspace, whole.spec("evaluate", **settings))
    for rows, workers in ((10_000, 1), (7, 1), (7, 2), (1000, 2)):
        recut(whole.workspace, rows)
        whole.workspace.engine = Local(workers)
        result = whole.run("evaluate", **settings)
        whole.workspace.engine.close()
        assert [asdict(arm) for arm in result.proxy] == expected
        assert sum(arm["tokens"] for arm in expected) > 0


def test_predictions_of_labelled_documents_are_found_in_any_shard(whole):
    scores = {row["id"]: row for row in whole.rows("scores") if row["out_of_fold"]}
    labels = {row["id"]: dict(row["posterior"]) for row in whole.rows("labels")}
    values = ["negative", "neutral", "positive"]
    truth = np.array([[labels[id].get(value, 0.0) for value in values] for id in labels])
    predicted = np.array([[scores[id][f"sentiment:{value}"] for value in values] for id in labels])
    expected = classification(truth / truth.sum(axis=1, keepdims=True), predicted, values)
    for rows, workers in ((10_000, 1), (5, 1), (5, 2)):
        recut(whole.workspace, rows)
        whole.workspace.engine = Local(workers)
        assert against_people(whole.workspace) == ("sentiment", expected)
        whole.workspace.engine.close()


def test_a_mixture_of_other_documents_is_refused(whole):
    assert whole.run("clean", limits={"length:chars": {"min": 105}}).reasons
    with pytest.raises(DataError, match="the mixture is not of what `clean` keeps") as caught:
        whole.run("evaluate", **SETTINGS)
    assert caught.value.hint == "run `curate mix` again"
