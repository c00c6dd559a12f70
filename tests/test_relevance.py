"""Importance to a target: by words whatever the length, by meaning, and its thresholds."""

import numpy as np
import pytest

from curate.clean.instruments import relevance
from curate.clean.instruments.grams import hashed
from curate.clean.instruments.relevance import (
    BUCKETS,
    RelevanceSpec,
    buckets,
    counts,
    importance,
    scores,
)
from curate.errors import RecipeError
from curate.spec import validated
from curate.text import content_id

COOKING = [
    "Boil the noodles, drain them, and fry the onion in butter until golden.",
    "Fry the garlic in oil, add the tomatoes, and simmer the sauce for an hour.",
    "Whisk the eggs with sugar and flour, then bake the cake in a hot oven.",
]
LAW = [
    "The court held that the contract was void for want of consideration.",
    "The defendant appealed the judgment, and the statute was construed narrowly.",
    "Under the statute the plaintiff must prove that the breach caused the loss.",
]
ZH_FOOD = ["把面条煮熟后沥干，再用黄油把洋葱炒至金黄。", "锅里放油炒香大蒜，加入番茄慢慢炖煮。"]
ZH_LAW = ["法院认为该合同因缺乏对价而无效。", "被告对判决提起上诉，法律条文应作狭义解释。"]


def ratios(target, pool):
    """Return the importance in a pool that holds much else besides."""
    return importance(100 * counts(target), 100 * counts(pool) + 50)


def test_what_is_like_the_target_scores_higher():
    known = ratios(COOKING, COOKING + LAW)
    food = "Add the onion and the garlic to the butter and fry the noodles."
    law = "The plaintiff appealed, and the court construed the contract."
    found = scores([food, law], known)
    assert found[0] > found[1] + 0.1


def test_chinese_is_compared_by_characters_and_their_pairs():
    found, where = buckets(hashed(["我爱北京", "I love"]))
    assert np.bincount(where).tolist() == [4 + 3, 2 + 1]
    known = ratios(ZH_FOOD, ZH_FOOD + ZH_LAW)
    assert scores(["番茄炒洋葱"], known)[0] > 0 > scores(["法院的判决"], known)[0]
    assert len(found) == 10


def test_the_score_does_not_grow_with_the_length():
    known = ratios(COOKING, COOKING + LAW)
    one, ten = scores([COOKING[0], " ".join([COOKING[0]] * 10)], known)
    assert one == pytest.approx(ten, rel=0.1)


def test_it_is_the_mean_of_the_papers_sum():
    rng = np.random.default_rng(3)
    target, pool = rng.integers(0, 9, BUCKETS), rng.integers(1, 9, BUCKETS)
    known = importance(target.astype(float), pool.astype(float))
    text = "one two three two"
    words = counts([text])
    assert words.sum() == 4 + 3
    wanted = (words * known).sum() / words.sum()
    assert scores([text], known)[0] == pytest.approx(wanted, rel=1e-5)


def test_a_target_that_says_nothing_says_zero():
    pool = 100 * counts(COOKING + LAW) + 50
    assert np.abs(importance(np.zeros(BUCKETS), pool)).max() < 1e-6
    assert np.abs(importance(pool * 10, pool)).max() < 0.1


def test_the_importance_by_hand():
    """One is added to each of the 10,000 counts of the pool, and to both sides of the target."""
    pool, target = np.zeros(BUCKETS), np.zeros(BUCKETS)
    pool[:3], target[:3] = (7, 1, 2), (4, 0, 2)
    known = importance(target, pool)
    total = 10 + 10_000
    for place, (own, seen) in enumerate([(4, 7), (0, 1), (2, 2), (0, 0)]):
        raw = (seen + 1) / total
        assert known[place] == pytest.approx(np.log((own + 1) / (6 * raw + 1)), rel=1e-5)


def test_what_a_small_target_could_not_have_seen_says_little():
    pool, target = np.full(BUCKETS, 9.0), np.zeros(BUCKETS)
    target[:50] = 2
    known = importance(target, pool)
    assert known[0] > 1
    assert np.abs(known[50:]).max() < 0.02


def test_a_text_without_words_has_no_score():
    assert np.isnan(scores(["...", ""], ratios(COOKING, LAW))).all()


def test_the_nearest_seed_counts():
    vectors = np.array([[1, 0], [1, 1], [0, -2]], np.float32)
    seeds = np.array([[2, 0], [0, 3]], np.float32)
    assert relevance.nearest(vectors, seeds) == pytest.approx([1, 2**-0.5, 0])


def test_one_threshold_at_a_time():
    target = [{"path": "x.txt"}]
    with pytest.raises(RecipeError, match="`min` or `top`, not both"):
        validated(RelevanceSpec, {"target": target, "min": 0, "top": 0.5}, where="clean")
    asked = {"target": target, "method": "embedding", "encoder": "chargram"}
    with pytest.raises(RecipeError, match="chargram"):
        validated(RelevanceSpec, asked, where="clean")


# ── through clean


@pytest.fixture
def pooled(offline):
    offline.lines("all.jsonl", [*COOKING, *LAW, "!!! ..."])
    offline.pool()
    (offline.root / "wanted.txt").write_text(
        "Fry the onion in oil and add the garlic to the sauce.\nBake the cake in the oven.\n"
    )

    def clean(**given):
        asked = {"target": [{"path": "wanted.txt"}], **given}
        made = offline.run("clean", rules=[], relevance=asked)
        rows = {row["id"]: row for row in offline.rows("clean")}
        texts = [*COOKING, *LAW, "!!! ..."]
        return made, [rows[content_id({"text": text})] for text in texts]

    return clean


def test_a_signal_alone_drops_nothing(pooled):
    made, rows = pooled()
    assert made.kept == 7
    found = [row["relevance:score"] for row in rows]
    assert min(found[:3]) > max(found[3:6])


def test_a_threshold_and_a_top_share_decide_without_measuring(pooled):
    _, rows = pooled()
    limit = min(row["relevance:score"] for row in rows[:3])
    made, rows = pooled(min=limit)
    assert [row["kept"] for row in rows] == [True] * 3 + [False] * 4
    assert made.measured == 0
    assert {row["reason"] for row in rows[3:]} == {"relevance"}
    made, rows = pooled(top=3 / 7)
    assert [row["kept"] for row in rows] == [True] * 3 + [False] * 4
    assert made.measured == 0


@pytest.mark.slow
def test_relevance_by_meaning(pooled):
    _, rows = pooled(method="embedding", encoder="use-m3")
    found = [row["relevance:score"] for row in rows]
    assert min(found[:3]) > max(found[3:6])
