"""Clusters of the embeddings: planted ones are found, and named by the words planted in them."""

import random
import re
import shutil
from itertools import product
from typing import ClassVar

import numpy as np
import pytest

import curate.pool.stage as pool
from curate.clusters import clusters as clusters_module
from curate.clusters import fit
from curate.clusters.k_means import centres, nearest
from curate.clusters.naming import names, terms
from curate.clusters.sampling import Sample
from curate.embed import embed, encoders, found
from curate.errors import DataError

TOPICS = {
    "football": ["football", "goal", "league", "striker", "penalty"],
    "recipe": ["recipe", "butter", "oven", "flour", "simmer"],
    "electron": ["electron", "quantum", "particle", "neutron", "photon"],
    "足球": ["足球", "进球", "联赛", "前锋", "点球"],
    "食谱": ["食谱", "黄油", "烤箱", "面粉", "炖煮"],
}
"""Each subject by its most frequent word."""

FILLERS = {
    True: ["the", "of", "and", "we", "saw", "that", "it", "was", "there", "with"],
    False: ["我们", "看到", "这个", "时候", "大家", "觉得", "非常", "可以"],
}


def texts_of(topic, n, rng):
    """Some texts of a subject: every one has its first word, and three of the others."""
    word, *others = TOPICS[topic]
    for number in range(n):
        spoken = [word, *rng.sample(others, 3), *rng.choices(FILLERS[word.isascii()], k=8)]
        rng.shuffle(spoken)
        if word.isascii():
            yield " ".join([*spoken, f"number{number}"])
        else:
            yield "，".join(spoken) + f"，{number}"


def planted(n=30, seed=0):
    rng = random.Random(seed)
    return {topic: list(texts_of(topic, n, rng)) for topic in TOPICS}


def test_terms_are_words_and_runs_of_ideographs():
    assert terms("The U.S. don't 1999 a B2B x") == {"the", "don't", "b2b"}
    assert terms("人工智能x好") == {"人工", "工智", "智能", "人工智", "工智能", "人工智能"}
    assert terms("足球。Goal") == {"足球", "goal"}
    assert terms("a" * 31) == terms("") == set()


def test_a_cluster_is_named_by_the_words_that_other_clusters_lack():
    texts = planted()
    languages = {topic: "en" if topic.isascii() else "zh" for topic in TOPICS}
    own = names([[(text, languages[topic]) for text in texts[topic]] for topic in TOPICS])
    for name, (topic, words) in zip(own, TOPICS.items(), strict=True):
        first, *others = name.split()
        assert first == topic
        assert len(others) == 2
        assert set(others) < set(words)
    backwards = names(
        [[(text, languages[topic]) for text in texts[topic][::-1]] for topic in TOPICS]
    )
    assert backwards == own


def test_words_of_a_language_are_typical_of_none_of_its_clusters():
    # `the` is in all texts of two of eight clusters, the subject in half of those of one.
    subjects = ("足球", "食谱", "电子", "天气", "房子", "火车")
    english = [[f"the {word}", f"the {word}", "the", "the"] for word in ("goal", "oven")]
    chinese = [[f"我们，{word}", f"我们，{word}", "我们", "我们"] for word in subjects]
    own = names(
        [[(text, "en") for text in texts] for texts in english]
        + [[(text, "zh") for text in texts] for texts in chinese]
    )
    assert [name.split()[0] for name in own] == ["goal", "oven", *subjects]


def test_frequent_words_are_not_typical_of_long_texts():
    # All long texts have all frequent words, and each half of the short ones has two of them.
    def own_words(text, n):
        return [f"w{text}x{number}" for number in range(n)]

    longs = [["the", "and", "was", *own_words(n, 40), *["engine"] * (n % 2)] for n in range(12)]
    shorts = [[["the", "and", "was"][n % 3], *own_words(20 + n, 2), "who"] for n in range(12)]
    clusters = [[(" ".join(words), "en") for words in texts] for texts in (longs, shorts)]
    assert [name.split()[0] for name in names(clusters)] == ["engine", "who"]


def test_the_only_cluster_of_a_language_has_a_name():
    texts = [[("hier und dort", "de"), ("hier", "de")], [("ball", "en")], [("oven", "en")]]
    assert names(texts)[0].split()[0] == "hier"


def test_a_longer_word_stands_for_its_parts():
    texts = [[("人工智能，研究", "zh"), ("人工智能，进步", "zh")], [("天气，研究", "zh")] * 2]
    first = names(texts)[0].split()
    assert first[0] == "人工智能"
    assert not {"人工", "智能", "工智", "人工智", "工智能"} & set(first)


def test_names_are_never_the_same():
    same = [[("red green blue", "en")] * 3] * 3
    assert names(same) == ("blue green red", "blue green red 2", "blue green red 3")
    assert names([[("!!!", "en")], [("1 2", "en")]]) == ("no words", "no words 2")
    more = [[("ab cd ef gh", "en")], [("ab cd ef zz", "en")], [("ab cd ef zz", "en")]]
    own = names(more)
    assert len(set(own)) == 3
    assert own[0].split()[0] == "gh"
    assert not {"/", "=", "*", ","} & set("".join(own))


def test_planted_clusters_are_found_and_numbered_by_size():
    rng = np.random.default_rng(3)
    truth = np.repeat([0, 1, 2], [10, 40, 25])
    middles = np.eye(3)[truth] * rng.uniform(1, 9, (75, 1))  # lengths do not count
    vectors = (middles + rng.normal(0, 0.05, (75, 3))).astype(np.float32)
    own = centres(vectors, 3, seed=0)
    cluster = nearest(vectors, own)
    assert np.bincount(cluster).tolist() == [40, 25, 10]
    for one, other in product(range(75), range(75)):
        assert (cluster[one] == cluster[other]) == (truth[one] == truth[other])
    assert np.linalg.norm(own[cluster] - vectors / np.linalg.norm(vectors, axis=1)[:, None]) < 1


def test_the_nearest_centre_is_that_of_a_brute_search():
    rng = np.random.default_rng(5)
    vectors, own = rng.normal(size=(200, 8)), rng.normal(size=(7, 8))
    unit = vectors / np.linalg.norm(vectors, axis=1)[:, None]
    brute = [int(np.argmin([np.sum((v - c) ** 2) for c in own])) for v in unit]
    assert nearest(vectors.astype(np.float32), own.astype(np.float32)).tolist() == brute


def test_equal_documents_make_fewer_clusters():
    vectors = np.repeat(np.eye(2, dtype=np.float32), 4, axis=0)
    own = centres(vectors, 6, seed=1)
    assert sorted(own.tolist()) == [[0, 1], [1, 0]]
    zeros = np.zeros((3, 2), np.float32)
    assert nearest(zeros, centres(zeros, 2, seed=1)).tolist() == [0, 0, 0]


# ── in a workspace


class Fake:
    """An encoder that counts the letters and ideographs of the planted words."""

    id = "fake"
    letters = "".join(sorted({letter for words in TOPICS.values() for letter in "".join(words)}))
    dimension = len(letters)
    about: ClassVar = {"encoder": "fake"}

    def encode(self, sentences):
        planted = {word for words in TOPICS.values() for word in words}
        spoken = [[word for word in re.split(r"\W", text) if word in planted] for text in sentences]
        counts = [["".join(own).count(letter) for letter in self.letters] for own in spoken]
        return np.array(counts, np.float32).reshape(len(sentences), self.dimension)


@pytest.fixture
def mixed(offline, monkeypatch):
    """Five subjects in two languages, with vectors, in shards of 40 rows."""
    monkeypatch.setattr(pool, "ROWS_PER_SHARD", 40)
    load = encoders.load
    monkeypatch.setattr(
        "curate.embed.vectors.load",
        lambda name, *rest: Fake() if name == "fake" else load(name, *rest),
    )

    def make(order=1, encoder="fake"):
        rows = [{"text": text, "url": topic} for topic, own in planted().items() for text in own]
        random.Random(order).shuffle(rows)
        offline.lines("texts.jsonl", rows)
        offline.pool(holdout=0.1)
        offline.run("clean")
        embed(offline.workspace, encoder)
        return offline.workspace

    return make


def topic_of(text):
    return next(topic for topic in TOPICS if topic in text)


def read(workspace, folder):
    """The topic, cluster and holdout of every kept document, through the column."""
    own = fit(workspace, 5, seed=0)
    shards = own.assign(workspace, workspace.documents.shards(), folder)
    return own, [
        row
        for shard in shards
        for row in shard.read(["id", "text", "cluster", "holdout"], dropped=True).to_pylist()
    ]


def test_planted_subjects_are_recovered_in_both_languages(mixed, tmp_path):
    own, rows = read(mixed(encoder="chargram"), tmp_path / "clusters")
    assert len(rows) == 150
    assert len(own.names) == 5
    by_topic = {(topic_of(row["text"]), row["cluster"]) for row in rows}
    assert len(by_topic) == 5
    for topic, name in by_topic:
        assert topic == name.split()[0]
        assert set(name.split()) <= set(TOPICS[topic])
    sizes = [
        sum(row["cluster"] == name and not row["holdout"] for row in rows) for name in own.names
    ]
    assert sizes == sorted(sizes, reverse=True)
    assert {row["id"] for row in rows if row["holdout"]}


def test_clusters_do_not_depend_on_row_order(mixed, tmp_path):
    one, rows = read(mixed(order=1), tmp_path / "one")
    other, others = read(mixed(order=2), tmp_path / "other")
    assert one.names == other.names
    assert [row["id"] for row in rows] != [row["id"] for row in others]
    assert {row["id"]: row["cluster"] for row in rows} == {
        row["id"]: row["cluster"] for row in others
    }


def test_a_sample_is_drawn_outside_the_holdout_by_id(mixed):
    workspace = mixed()
    shards = found(workspace, "fake").shards(workspace)
    holdout = {
        row["id"]
        for row in workspace.documents.table(["id", "holdout"]).to_pylist()
        if row["holdout"]
    }
    ids = [shard.documents.read(["id"])["id"].to_pylist() for shard in shards]

    def drawn(n):
        sample = Sample.of(workspace.engine, shards, n, seed=4)
        return [ids[shard][row] for shard, row in zip(sample.shards, sample.rows, strict=True)]

    assert len(drawn(1000)) == 150 - len(holdout)
    assert not holdout & set(drawn(1000))
    assert drawn(20) == drawn(1000)[:20]


def test_dropped_documents_have_no_cluster(mixed, offline, tmp_path):
    workspace = mixed()
    offline.run("clean", limits={"length:chars": {"min": 60}})
    embed(workspace, "fake")
    _, rows = read(workspace, tmp_path / "clusters")
    kept = workspace.documents.table(["id"])["id"].to_pylist()
    assert 0 < len(kept) < len(rows)
    assert [row["id"] for row in rows if row["cluster"]] == kept


def test_windows_count_by_their_mean(mixed, offline, monkeypatch):
    workspace = mixed()
    whole = fit(workspace, 5, seed=0)
    folder = workspace.tables.folder("vectors/fake")
    embed(workspace, "fake", 40)
    shutil.rmtree(folder / "_contents")
    own = fit(workspace, 5, seed=0)
    assert own.vectors.window == 40
    assert {name.split()[0] for name in own.names} == {name.split()[0] for name in whole.names}
    shard = own.vectors.shards(workspace)[0]
    rows = np.arange(shard.rows())
    chunks = np.concatenate(list(shard.chunked_means(7)))
    assert chunks == pytest.approx(shard.means(rows), abs=1e-6)


def test_without_embeddings_one_line_says_what_makes_them(offline, mixed):
    offline.reviews()
    offline.pool()
    offline.run("clean")
    with pytest.raises(
        DataError, match="the documents as they are now have no embeddings"
    ) as error:
        fit(offline.workspace, 3, seed=0)
    assert "curate score" in error.value.hint
    workspace = mixed()
    fit(workspace, 5, seed=0)
    offline.run("clean", limits={"length:chars": {"min": 60}})
    with pytest.raises(DataError, match="no embeddings"):
        fit(workspace, 3, seed=0)


def test_many_clusters_are_named_by_fewer_texts(mixed, monkeypatch):
    read = []
    monkeypatch.setattr(clusters_module, "ALL_NAMED_BY", 40)
    original = Sample.texts
    monkeypatch.setattr(
        Sample, "texts", lambda own, *rest: read.append(len(own.rows)) or original(own, *rest)
    )
    fit(mixed(), 5, seed=0)
    assert read == [40]
