"""Mixtures by what is true of documents, and by what they are near to."""

import re

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from curate.errors import DataError, RecipeError

VALUES = ("bad", "good", "odd")


@pytest.fixture
def moods(offline):
    """Three classes that a head confuses: of what it calls bad, a third is good."""
    rng = np.random.default_rng(4)
    for source, texts in (("web", 900), ("wiki", 300)):
        offline.lines(
            f"{source}.jsonl",
            [f"{source} {n} " + "x " * int(rng.integers(1, 9)) for n in range(texts)],
        )
    offline.pool(holdout=0)
    offline.run("clean", rules=[], near_duplicates=None)
    workspace = offline.workspace
    made = workspace.freshness.provenance(
        "score",
        offline.spec("score"),
        workspace.tables.fingerprints(("pool", "clean")),
        questions={"mood": {"kind": "choice", "values": list(VALUES)}},
    )
    with workspace.tables.building("scores", made) as folder:
        for shard in workspace.documents.shards():
            ids = shard.read(["id"])["id"]
            numbers = np.array([[int(id[n : n + 4], 16) for n in (0, 4, 8)] for id in
                                ids.to_pylist()]) / 16**4  # fmt: skip
            chances = numbers**2 / (numbers**2).sum(axis=1, keepdims=True)
            table = {"id": ids, "quality": pa.array(numbers[:, 0])}
            table |= {name: pa.nulls(len(ids), pa.float64()) for name in ("low", "high")}
            table |= {name: np.zeros(len(ids), bool) for name in ("abstained", "out_of_fold")}
            table["mood"] = pa.array([VALUES[row] for row in chances.argmax(axis=1)], pa.string())
            table |= {f"mood:{value}": chances[:, n] for n, value in enumerate(VALUES)}
            pq.write_table(pa.table(table), folder / shard.name)
    return offline


WANTED = {"bad": 0.5, "good": 0.3, "odd": 0.2}


@pytest.mark.parametrize("within", ["equal", "softmax", "top_k"])
def test_true_shares_are_what_is_expected(moods, within):
    settings = {"groups": ["mood"], "budget": "30%", "within": {"strategy": within}}
    plain = moods.run("mix", **settings, between={"shares": {"mood": WANTED}})
    true = moods.run("mix", **settings, between={"shares": {"mood": WANTED}, "shares_of": "truth"})
    for group in true.groups:
        assert group.wanted == pytest.approx(WANTED[group.group])
        assert group.expected == pytest.approx(WANTED[group.group], abs=0.006)
    off = max(abs(group.expected - WANTED[group.group]) for group in plain.groups)
    assert off > 0.03
    assert [g.promised for g in plain.groups] == pytest.approx(
        [WANTED[g.group] for g in plain.groups]
    )


def test_true_shares_beside_another_key(moods):
    shares = {"mood": WANTED, "source": {"web": 0.5, "wiki": 0.5}}
    made = moods.run(
        "mix",
        groups=["mood", "source"],
        budget="20%",
        between={"shares": shares, "shares_of": "truth"},
    )
    by_class, by_source = dict.fromkeys(WANTED, 0.0), {"web": 0.0, "wiki": 0.0}
    for group in made.groups:
        mood, source = group.group.split("/")
        by_class[mood] += group.expected
        by_source[source] += group.promised
    assert by_class == pytest.approx(WANTED, abs=0.007)
    assert by_source == pytest.approx({"web": 0.5, "wiki": 0.5}, abs=1e-6)


def test_true_shares_that_no_draw_has_are_refused_with_the_nearest(moods):
    shares = {"mood": {"bad": 0.98, "good": 0.01, "odd": 0.01}}
    with pytest.raises(
        DataError, match=r"no draw has these true shares of mood: bad \d+\.\d% where 98\.0%"
    ):
        moods.run(
            "mix", groups=["mood"], budget="30%", between={"shares": shares, "shares_of": "truth"}
        )
    assert moods.workspace.tables.stored("mix") is None


@pytest.mark.parametrize(
    "limits",
    [
        {"quality_bucket=5": {"max_share": 0.05}},
        {"quality_bucket=1": {"min_share": 0.25}, "source=wiki": {"min_share": 0.4}},
        {"quality_bucket=5": {"max_share": 0.15}, "odd": {"max": 0.15}},
    ],
)
def test_true_shares_are_met_under_limits_that_move_predicted_classes(moods, limits):
    """What is bad has a high quality: a limit of the best fifth takes from it."""
    settings = {"groups": ["mood"], "budget": "30%", "limits": limits}
    between = {"shares": {"mood": WANTED}}
    moved = moods.run("mix", **settings, between=between)
    assert max(abs(group.promised - group.wanted) for group in moved.groups) > 0.01
    made = moods.run("mix", **settings, between={**between, "shares_of": "truth"})
    for group in made.groups:
        assert group.expected == pytest.approx(WANTED[group.group], abs=0.006)
    for limit in made.limits:
        assert limit.low - 1e-9 <= limit.share <= limit.high + 1e-9


def test_true_shares_that_limits_forbid_are_refused_with_the_nearest(moods):
    """Of what is called bad, 60 % can be drawn; the nearest shares of the others are tried out."""
    limits = {"bad": {"max": 0.6}}
    between = {"shares": {"mood": WANTED}, "shares_of": "truth"}
    words = r"true shares of mood under bad: good (\S+)% where 30.0% is wanted, bad (\S+)% where 50"
    with pytest.raises(DataError, match=words) as caught:
        moods.run("mix", groups=["mood"], budget="30%", limits=limits, between=between)
    assert "loosen the limits" in caught.value.hint
    assert moods.workspace.tables.stored("mix") is None
    good, bad = (float(own) / 100 for own in re.search(words, str(caught.value)).groups())
    tokens = {row["id"]: row["tokens"] for row in moods.rows("pool")}
    chances, sizes = {mood: [] for mood in VALUES}, {mood: [] for mood in VALUES}
    for row in moods.rows("scores"):
        chances[row["mood"]].append([row[f"mood:{value}"] for value in VALUES])
        sizes[row["mood"]].append(tokens[row["id"]])
    means = [np.average(chances[mood], axis=0, weights=sizes[mood]) for mood in VALUES]
    wanted = np.array([WANTED[value] for value in VALUES])
    reached = [
        np.array([share, other, 1 - share - other]) @ means
        for share in np.linspace(0.4, 0.6, 41)
        for other in np.linspace(0, 0.4, 81)
    ]
    best = min(reached, key=lambda own: np.abs(own - wanted).max())
    assert [bad, good] == pytest.approx(best[:2], abs=0.01)


def test_true_shares_are_of_a_question(moods):
    shares = {"source": {"web": 0.5, "wiki": 0.5}}
    with pytest.raises(RecipeError, match="needs shares of one question, and there are none"):
        moods.run("mix", between={"shares": shares, "shares_of": "truth"})


def test_a_class_can_be_limited_where_it_makes_no_group(moods):
    made = moods.run("mix", budget="40%", limits={"mood=bad": {"max_share": 0.1}})
    assert made.limits[0].share <= 0.1 + 1e-9
    scores = {row["id"]: row["mood"] for row in moods.rows("scores")}
    tokens = {row["id"]: row["tokens"] for row in moods.rows("pool")}
    drawn = sum(
        row["copies"] * tokens[row["id"]] for row in moods.rows("mix") if scores[row["id"]] == "bad"
    )
    assert drawn == pytest.approx(0.1 * made.budget, abs=2 * 30)
