"""The n-gram proxy is a language model, and arms of equal size are measured by it."""

import json
from collections import Counter
from dataclasses import asdict, replace

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curate import chance, console, tables
from curate.engine import Local
from curate.errors import StaleInput
from curate.evaluate import choosing, comparing, reading
from curate.evaluate.arms import PLAIN, Drawn, arms_of
from curate.evaluate.choosing import OF_MIX, First, Rows
from curate.evaluate.comparing import Measured
from curate.evaluate.people import AgainstPeople, against_people
from curate.evaluate.stage import EvaluateResult
from curate.evaluate.strata import Budget, Texts, strata_of
from curate.metrics import classification
from curate.proxies import making, ngram
from curate.proxies.ngram import ALPHA, Corpus
from curate.text import shingles
from tests.media_small import png, put
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


# ── the stage


def test_the_terminal_shows_every_question(capsys):
    truth, other = np.eye(2)[[0, 0, 1, 1]], np.eye(2)[[0, 1, 1, 1]]
    models = {"mood": classification(truth, truth, "ab"), "topic": None}
    models["length"] = classification(truth, other * 0.8 + 0.1, "cd")
    console.show(EvaluateResult(models, (), (), {}, "nothing to compare"), as_json=False)
    shown = capsys.readouterr().out
    names = [
        line.split(None, 1)[1] for line in shown.splitlines() if line.startswith(" " * 16 + "mod")
    ]
    assert names == ["mood", "topic: nothing is known", "length"]
    told = [line.split()[-1] for line in shown.splitlines() if line.split()[:1] == ["accuracy"]]
    assert told == ["1", "0.75"]


def test_evaluate_tells_both_stories(whole):
    found = json.loads((whole.root / "evaluate.json").read_text())
    metrics = found["models"]["sentiment"]
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


def test_a_holdout_that_held_out_nothing_is_not_told_to_be_unset(offline):
    offline.lines("one.jsonl", ["One text about a chair alone."])
    offline.pool(holdout=0.1)
    offline.run("clean")
    offline.run("mix")
    (note,) = offline.run("evaluate").notes
    assert note == "`pool.holdout: 0.1` held out no document that `clean` keeps: raise it"


def test_pictures_that_are_held_out_are_no_reason_to_raise_the_holdout(offline):
    put(offline.root / "data", {f"{n}.png": png(n) for n in range(24)})
    source = {"name": "pictures", "paths": ["data"]}
    offline.run("pool", sources=[source], holdout=0.5, media_tokens={"image": 16})
    assert any(row["holdout"] for row in offline.rows("pool"))
    offline.run("clean", rules=[], near_duplicates=None)
    offline.run("mix", budget="100%")
    words = "no held-out document has a text that a proxy could read"
    assert offline.run("evaluate").notes == (words,)
    offline.run("report")
    page = (offline.root / "report.html").read_text(encoding="utf-8")
    assert words.removeprefix("n") in page  # a sentence begins there
    assert "why is told under “Does it help?”" in page
    assert "`curate evaluate` compares it" not in page
    assert "held out no document" not in page
    assert "4 more inputs stand in" in page


WORDS = ("soup", "bread", "tea", "plum", "rice", "corn", "leek", "beet", "lime", "kale")


def sources(offline, holdout=0.3, words=WORDS, **documents):
    """Make a pool of sources with so many documents each, and of so many words: (number, words)."""
    rng = np.random.default_rng(3)
    for name, (number, size) in documents.items():
        texts = [f"{name} {place} " + " ".join(rng.choice(words, size)) for place in range(number)]
        offline.lines(f"{name}.jsonl", texts)
    offline.pool(holdout=holdout)
    offline.run("clean", rules=[])


def keys_of(result):
    return [warning.key for warning in result.warnings]


@pytest.mark.parametrize("budget", ["30%", "100%", "190%"])
def test_arms_of_unequal_supply_have_equal_budgets(offline, budget):
    """A uniform arm of 200 long documents and 30 short ones would need the short ones 20 times."""
    sources(offline, web=(200, 40), notes=(30, 8))
    offline.run("mix", budget=budget, max_epochs=2)
    found = offline.run("evaluate")
    assert len({arm.arm for arm in found.proxy}) == 3
    sizes = [arm.tokens for arm in found.proxy]
    assert max(sizes) - min(sizes) <= 250  # a document
    total = offline.workspace.tables.made("mix").facts["budget"]
    assert sizes == pytest.approx([total] * 3, abs=250)
    moved = [warning.words for warning in found.warnings if warning.key == "evaluate.moved"]
    assert len(moved) == 1
    assert moved[0].startswith("the arm uniform has ")
    assert "of notes, not 50.0%" in moved[0]


def test_the_groups_of_an_arm_make_up_for_one_another():
    """Forty sources are to give a document and a half each: the arm is not 2,000 tokens short."""
    source = np.repeat([f"s{number:02}" for number in range(40)], 10)
    tokens = np.full(len(source), 100)
    ids = [str(place) for place in range(len(source))]
    texts = Texts(ids, source, source, tokens, np.ones(len(source)))
    budget = Budget(6000.0, 1)
    promised = dict.fromkeys(np.unique(source).tolist(), 1 / 40)
    for arm in arms_of(Drawn(texts, budget, is_noiseless=False), promised):
        copies = arm.draw(texts, budget, seed=3)
        assert int((copies * tokens).sum()) == 6000
        by_source = np.bincount(np.repeat(np.arange(40), 10), copies)
        assert set(by_source) == {1, 2}


@pytest.mark.parametrize("kinds", [2, 60])
def test_texts_that_limits_tell_apart_are_drawn_to_what_they_promise(kinds):
    """A limit gives each kind of one group its factor; the other group is one stratum."""
    rng = np.random.default_rng(kinds)
    group = np.repeat(["a", "b"], [3000, 1000])
    kind = np.append(rng.integers(0, kinds, 3000), np.zeros(1000, int))
    factor = np.where(group == "a", np.linspace(0.2, 1.4, kinds)[kind], 3.0)
    tokens = rng.integers(20, 60, 4000)
    epochs = np.where(kind == 0, 1, 2)
    ids = [str(place) for place in range(4000)]
    texts = Texts(ids, group, group, tokens, np.ones(4000), factor, epochs)
    budget = Budget(0.3 * float(tokens.sum()), 2)
    (arm, *_) = arms_of(Drawn(texts, budget, is_noiseless=False), {"a": 0.6, "b": 0.4})
    assert len(arm.rows) == min(kinds, 20) + 1
    drawn = np.mean([arm.draw(texts, budget, seed) for seed in range(5)], axis=0) * tokens
    assert drawn[group == "a"].sum() == pytest.approx(0.6 * budget.tokens, rel=0.01)
    mass = tokens * factor * (group == "a")  # equal weights: a draw takes all kinds alike
    for own in (kind < kinds // 4, kind < kinds // 2, kind == kinds - 1):
        is_own = own & (group == "a")
        expected = mass[is_own].sum() / mass.sum() * 0.6 * budget.tokens
        if is_own.any():
            assert drawn[is_own].sum() == pytest.approx(expected, rel=0.25 if kinds > 20 else 0.12)
    assert arm.most["b"] == 1
    assert strata_of(texts, budget, {"b": 1.0}, is_noiseless=True).shares == {"b": 1.0}


def test_the_mixture_keeps_limits_of_columns_when_it_is_compared(offline):
    """Half of all texts are of one host, and limits let a tenth of the mixture be of it."""
    for source in ("web", "notes"):
        rows = [
            {"text": f"{source} {n} " + "soup " * (n % 7), "url": f"https://h{n % 2}.org/{n}"}
            for n in range(400)
        ]
        offline.lines(f"{source}.jsonl", rows)
    offline.pool(holdout=0.1)
    offline.run("clean", rules=[], near_duplicates=None)
    offline.run("mix", groups=["source"], budget="40%", limits={"host=h0.org": {"max_share": 0.1}})
    workspace = offline.workspace
    read = reading.read_texts(workspace, offline.spec("evaluate", holdout_bytes=1_000))
    texts, budget = read.texts, read.budget
    metas = {row["id"]: row["meta"] for row in offline.rows("pool")}
    is_limited = np.array(["h0.org" in metas[id] for id in texts.ids])
    mixture, *plain = comparing._arms(workspace, texts, budget, PLAIN)
    shares = [
        (own := arm.draw(texts, budget, seed=1) * texts.tokens)[is_limited].sum() / own.sum()
        for arm in (mixture, *plain)
    ]
    assert shares[0] == pytest.approx(0.1, abs=0.01)
    assert min(shares[1:]) > 0.4
    assert not {"evaluate.moved", "evaluate.phases"} & set(keys_of(offline.run("evaluate")))


def test_of_phases_the_first_is_compared_and_the_others_are_named(offline):
    sources(offline, web=(300, 40), notes=(200, 40))
    late = {"name": "late", "budget": 2000, "groups": ["language"]}
    offline.run("mix", phases=[{"name": "main", "budget": 6000}, late], max_epochs=2)
    found = offline.run("evaluate")
    (warning,) = (own for own in found.warnings if own.key == "evaluate.phases")
    assert warning.figures == {"phase": "main", "others": ["late"]}
    assert [arm.tokens for arm in found.proxy] == pytest.approx([6000] * 3, abs=60)


def test_a_mixture_that_the_texts_read_cannot_fill_is_not_compared(offline):
    """Memos are a third of the mixture, and of the few texts that are read none is one."""
    sources(offline, web=(400, 60), memo=(5, 60))
    between = {"shares": {"source": {"web": 0.67, "memo": 0.33}}}
    offline.run("mix", budget="8%", max_epochs=4, between=between)
    found = offline.run("evaluate", train_bytes=10_000)
    assert (found.proxy, found.comparisons) == ((), ())
    assert found.verdict == "the mixture was not compared"
    (warning,) = found.warnings
    assert warning.key == "evaluate.shortfall"
    assert "can fill 0.0% of memo, not 33.0%; raise `evaluate.train_bytes`" in warning.words
    assert offline.run("evaluate").proxy  # all texts are enough


def test_verdicts_on_few_held_out_documents_are_told_to_be_weak(offline):
    sources(offline, holdout=0.25, web=(200, 20), notes=(12, 20), log=(1, 20))
    offline.run("mix", budget="50%")
    found = offline.run("evaluate", seeds=2)
    held = Counter(row["source"] for row in offline.rows("pool") if row["holdout"])
    assert found.holdout == {"log": 0, "notes": held["notes"], "web": held["web"]}
    assert 0 < held["notes"] < 20 <= held["web"]
    words = {warning.key: warning.words for warning in found.warnings}
    assert f"out of notes ({held['notes']}): the verdict is weak" in words["evaluate.few_held_out"]
    assert words["evaluate.none_held_out"].startswith("nothing is held out of log:")
    assert found.verdict.endswith("it rests on few held-out documents")
    again = offline.run("evaluate", seeds=2, holdout_bytes=1_000)  # what was read counts
    assert again.holdout["web"] < 20


def test_one_held_out_document_decides_nothing(offline):
    sources(offline, holdout=0.02, web=(60, 20))
    assert sum(row["holdout"] for row in offline.rows("pool")) == 1
    between = {"strategy": "uniform"}
    offline.run("mix", budget="20%", groups=["source"], between=between)
    mix = offline.workspace.tables.made("mix")
    assert mix.facts["budget"]
    offline.run("mix", budget="20%", seed=4)
    found = offline.run("evaluate")
    assert found.holdout == {"web": 1}
    assert "better" not in found.verdict
    assert keys_of(found) == ["evaluate.few_held_out"]


def test_with_plenty_held_out_nothing_is_doubtful(offline):
    sources(offline, web=(120, 20), notes=(120, 20))
    offline.run("mix", budget="50%")
    found = offline.run("evaluate")
    assert min(found.holdout.values()) >= 20
    assert found.warnings == ()
    assert found.notes == ("`good` is left out: no held-out text has a quality by `score`",)
    assert "rests on few" not in found.verdict
    by = [(own.judge, own.arm) for own in found.comparisons]
    assert by == [
        (judge, arm) for judge in ("pool", "promised") for arm in ("proportional", "uniform")
    ]
    equal = found.comparisons[0]  # the mixture is proportional: drawn with the same noise
    assert (equal.difference, equal.low, equal.high) == (0.0, 0.0, 0.0)
    assert equal.verdict == "not told apart from"


@pytest.mark.parametrize("tokenizer", ["bytes", "o200k_base"])
def test_the_proxy_reads_as_many_bytes_as_it_is_allowed(offline, tokenizer, monkeypatch):
    read = []

    class Watching(Corpus):
        def __init__(self, candidates, holdout):
            read.append(sum(len(text.encode()) for text in candidates))
            read.append({name: sum(map(len, own)) for name, own in holdout.items()})
            super().__init__(candidates, holdout)

    monkeypatch.setattr(making, "Corpus", Watching)
    sources(offline, web=(300, 30), notes=(300, 30))
    offline.pool(holdout=0.3, tokenizer=tokenizer)
    offline.run("clean", rules=[])
    offline.run("mix", budget="50%")
    offline.run("evaluate", seeds=2, train_bytes=11_000, holdout_bytes=3_000)
    training, holdout = read
    assert 10_800 <= training <= 11_000  # a text has some 160 bytes
    assert set(holdout) == {"web", "notes"}
    assert all(2_800 <= size <= 3_000 for size in holdout.values())


def test_a_long_first_text_is_read_all_the_same(offline):
    sources(offline, words=[f"word{n}" for n in range(20_000)], web=(16, 4000))
    offline.run("mix", budget="100%")
    assert offline.run("evaluate", seeds=2, train_bytes=10_000, holdout_bytes=1_000).proxy


@pytest.mark.parametrize(
    "held_out", [{"a": [""], "b": ["the cat"]}, {"a": [], "b": ["the cat", ""]}]
)
def test_empty_held_out_texts_lose_nothing(held_out):
    corpus = Corpus([*PROSE, ""], held_out)
    only = Corpus(PROSE, {"b": ["the cat"]}).cross_entropy(np.array([1]))
    assert corpus.cross_entropy(np.array([1, 1])) == pytest.approx(only)
    losses = corpus.losses(np.array([1, 1]))
    assert losses[corpus.bytes == 0].tolist() == [0.0] * int((corpus.bytes == 0).sum())
    assert losses.sum() == pytest.approx(7 * only["b"])


def test_without_texts_to_read_it_guesses_bytes_too():
    found = Corpus([], {"x": ["the cat"]}).cross_entropy(np.zeros(0, np.int64))
    assert found == {"x": pytest.approx(np.log(256))}


@pytest.mark.parametrize("held_out", [{}, {"a": []}, {"a": [""], "b": [""]}])
def test_nothing_held_out_has_no_loss(held_out):
    corpus = Corpus(PROSE, held_out)
    assert corpus.cross_entropy(np.array([1])) == {}
    assert corpus.losses(np.array([1])).sum() == 0


def test_the_loss_of_a_source_is_that_of_its_bytes():
    held_out = {"a": ["the cat sat", "mat"], "b": ["x"]}
    corpus = Corpus(PROSE, held_out)
    copies = np.array([2])
    losses = corpus.losses(copies)
    assert corpus.source.tolist() == [0, 0, 1]
    assert corpus.bytes.tolist() == [11, 3, 1]
    alone = [Corpus(PROSE, {"t": [text]}).losses(copies)[0] for text in ("the cat sat", "mat", "x")]
    assert losses == pytest.approx(alone)
    assert corpus.cross_entropy(copies)["a"] == pytest.approx((losses[0] + losses[1]) / 14)


def relabelled(whole, change):
    """Write the labels again, each row changed."""
    rows = [change(row) for row in whole.rows("labels")]
    made = whole.workspace.tables.made("labels")
    whole.workspace.tables.write("labels", tables.rows("labels", rows), made)


@pytest.mark.parametrize(
    "change",
    [
        lambda row: row | {"question": "mood"},
        lambda row: row | {"posterior": [("splendid", 1.0)]},
        lambda row: row | {"id": row["id"][::-1]},
    ],
    ids=["another question", "another value", "other documents"],
)
def test_labels_of_which_none_was_predicted_give_no_metrics(whole, change):
    relabelled(whole, change)
    assert against_people(whole.workspace) == AgainstPeople({"sentiment": None}, {})


def test_the_calibration_error_adds_up_whatever_its_sign():
    """Half of the predictions are too sure, half not sure enough: they do not cancel out."""
    sure, unsure = np.tile([0.9, 0.1], (50, 1)), np.tile([0.6, 0.4], (50, 1))
    right = np.eye(2)[[0] * 35 + [1] * 15]  # 70 % of those said to be 90 % sure
    all_right = np.eye(2)[[0] * 45 + [1] * 5]  # 90 % of those said to be 60 % sure
    found = classification(np.vstack([right, all_right]), np.vstack([sure, unsure]), "ab")
    by_bin = [part.documents * abs(part.confidence - part.accuracy) for part in found.bins]
    assert found.calibration_error == pytest.approx(sum(by_bin) / 100)
    assert found.calibration_error >= 0.25 - 1e-9
    assert sum(part.documents * (part.confidence - part.accuracy) for part in found.bins) == (
        pytest.approx(-5)
    )


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
    """The first rows by noise, up to so many tokens or bytes, with all of them in memory."""
    order = np.argsort(noise, kind="stable")
    fits = np.cumsum(tokens[order]) <= limit
    fits[:1] = True
    return order[fits]


@given(st.data())
def test_the_first_rows_of_all_shards_are_the_first_of_all_rows(data):
    """Whatever the shards, the workers and the order in which they end; also with equal noise."""
    n = data.draw(st.integers(1, 60))
    noise = np.array(data.draw(st.lists(st.integers(0, 9), min_size=n, max_size=n))) / 10
    tokens = np.array(data.draw(st.lists(st.integers(0, 9), min_size=n, max_size=n)))
    limit = data.draw(st.integers(0, 100))
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
    first, rng = First(limit=50), np.random.default_rng(0)
    for number in range(200):
        places = np.arange(10) + 10 * number
        first.add(Rows(rng.random(10), places, np.ones(10, np.int64)))
        assert sum(map(len, first.parts)) <= 50 + 100 + 10
    assert len(first.rows()) == 50


def without_copies(train, holdout):
    """Both without the texts that are alike, each pair compared by its whole sets of shingles."""
    known = {
        text: set(shingles(text)) for own in (train["text"], *holdout.values()) for text in own
    }

    def is_alone(text, others):
        own = known[text]
        pairs = [(own & known[other], own | known[other]) for other in others]
        return all(len(both) < 0.7 * len(either) for both, either in pairs)

    held = [text for own in holdout.values() for text in own]
    left = {
        source: [text for text in own if is_alone(text, train["text"])]
        for source, own in holdout.items()
    }
    return train[[is_alone(text, held) for text in train["text"]]], {
        source: own for source, own in left.items() if own
    }


def in_memory(workspace, spec):
    """The results of the arms, with every row of every table in memory."""
    columns = ("id", "source", "tokens", "holdout", "text")
    items = workspace.documents.table(columns).to_pandas()
    mix = workspace.tables.read("mix", ["id", *OF_MIX]).to_pandas()
    items = items.merge(mix, on="id", how="left")
    noise = chance.uniform(items["id"], 0, "proxy")
    sizes = np.array([len(text.encode()) for text in items["text"]])

    def first(mask, limit):
        rows = np.flatnonzero(mask)
        return items.iloc[np.sort(rows[capped(noise[rows], sizes[rows], limit)])]

    is_candidate = items["group"].notna()
    middle = np.full(len(items), np.inf)  # the part of its source's tokens before a text's middle
    for source in set(items["source"]):
        rows = np.flatnonzero(is_candidate & (items["source"] == source))
        rows = rows[np.argsort(noise[rows], kind="stable")]
        tokens = items["tokens"].to_numpy()[rows]
        middle[rows] = (np.cumsum(tokens) - tokens / 2) / tokens.sum()
    rows = np.flatnonzero(is_candidate)
    in_order = rows[np.argsort(middle[rows], kind="stable")]
    is_in = np.cumsum(sizes[in_order]) <= spec.train_bytes
    train = items.iloc[np.sort(in_order[is_in])]
    holdout = {
        source: list(first(items["holdout"] & (items["source"] == source), spec.holdout_bytes).text)
        for source in sorted(set(items["source"][items["holdout"]]))
    }
    train, holdout = without_copies(train, holdout)
    corpus = Corpus(list(train["text"]), holdout)
    texts = reading.texts_of(pa.Table.from_pandas(train))
    part = train["tokens"].sum() / items["tokens"][is_candidate].sum()
    mix_made = workspace.tables.made("mix")
    budget = Budget(mix_made.facts["budget"] * part, mix_made.spec["max_epochs"])
    measured = [
        Measured.of(arm, texts, budget, corpus, spec.seeds, lambda n: None)
        for arm in comparing._arms(workspace, texts, budget, PLAIN)
    ]
    return [asdict(own.result_by((), holdout)) for own in measured]


SETTINGS = {"seeds": 2, "train_bytes": 16_000, "holdout_bytes": 1_000}


@pytest.mark.parametrize("settings", [SETTINGS, {**SETTINGS, "train_bytes": 8_000_000}])
def test_the_arms_are_those_of_all_rows_in_memory(whole, settings):
    expected = in_memory(whole.workspace, whole.spec("evaluate", **settings))
    for rows, workers in ((10_000, 1), (7, 1), (7, 2), (1000, 2)):
        recut(whole.workspace, rows)
        whole.workspace.engine = Local(workers)
        result = whole.run("evaluate", **settings)
        whole.workspace.engine.close()
        assert [{**asdict(arm), "by_judge": {}} for arm in result.proxy] == expected
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
        (own,) = against_people(whole.workspace).models.values()
        ends = (replace(row, f1_low=None, f1_high=None) for row in own.classes)
        assert replace(own, classes=tuple(ends)) == expected
        whole.workspace.engine.close()


def test_a_mixture_of_other_documents_is_refused(whole):
    assert whole.run("clean", limits={"length:chars": {"min": 105}}).reasons
    with pytest.raises(
        StaleInput, match="`scores` was not made from the present `clean`"
    ) as caught:
        whole.run("evaluate", **SETTINGS)
    assert caught.value.hint.startswith("`curate score` makes it again")
