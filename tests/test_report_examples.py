"""Examples on the page: why documents were dropped, what stands for a group, and the map."""

import json
from itertools import pairwise

import numpy as np
import pytest

from curate.engine import Local
from curate.report import plane
from curate.report.qualities import qualities_of
from curate.report.sections import corpus
from curate.report.sections.verdict import verdict
from curate.report.sections.what_if import what_if
from curate.report.texts import read_texts
from curate.takedown import takedown
from curate.takedown.naming import NamedDocument
from curate.warning import warn
from curate.workspace import examples
from curate.workspace.examples import BothSides, Near
from tests.conftest import FILMS, GOOD, reviews


def words(n):
    return " ".join(f"word{n}x{at}" for at in range(n))


@pytest.fixture
def cleaned(offline):
    """Texts of 1 to 30 words, of which `length` drops those below 10; and near-copies."""
    lines = [words(n) for n in range(3, 31)]
    twin = "the same words stand here once more in nearly the same order as they did before"
    offline.lines("a.jsonl", [*lines, twin, f"{twin} today"])
    offline.pool(holdout=0)
    limits = {"length:words": {"min": 10}}
    offline.run("clean", rules=["length"], limits=limits, near_duplicates=0.8)
    return offline


def test_clean_hands_over_the_documents_nearest_to_each_limit(cleaned):
    found = {own.reason: own for own in examples.read(cleaned.root / "clean")}
    texts = {row["id"]: row["text"] for row in cleaned.rows("pool")}
    length = found["length:words"]
    assert length.limit == "min 10"
    assert [near.value for near in length.fails] == [9.0, 8.0, 7.0]
    assert [near.value for near in length.passes] == [10.0, 11.0, 12.0]
    assert [len(texts[near.id].split()) for near in length.passes] == [10, 11, 12]
    (gone,), (kept,) = found["near_duplicate"].fails, found["near_duplicate"].passes
    assert {texts[gone.id].split()[-1], texts[kept.id].split()[-1]} == {"today", "before"}
    assert 0.8 <= gone.value < 1
    verdicts = {row["id"]: row["kept"] for row in cleaned.rows("clean")}
    assert (verdicts[gone.id], verdicts[kept.id]) == (False, True)


def test_the_page_shows_both_sides_of_a_limit_and_forgets_what_is_taken_down(cleaned):
    cleaned.run("report")
    page = (cleaned.root / "report.html").read_text(encoding="utf-8")
    assert "just dropped" in page
    assert "just kept" in page
    own = examples.read(cleaned.root / "clean")[0]
    gone = own.fails[0].id
    (text,) = (row["text"] for row in cleaned.rows("pool") if row["id"] == gone)
    assert text in page
    takedown.run(cleaned.workspace, [NamedDocument(gone, "a", "a.jsonl", "asked")], [gone], "asked")
    left = examples.read(cleaned.root / "clean")[0]
    assert gone not in (cleaned.root / "clean" / examples.FILE).read_text()
    assert [near.value for near in left.fails] == [8.0, 7.0]
    cleaned.run("report")
    assert text not in (cleaned.root / "report.html").read_text(encoding="utf-8")


def test_what_holds_a_secret_is_no_example(offline):
    secret = "ghp_" + "a1B2" * 9
    offline.lines("a.jsonl", [f"short {secret}", "short one", words(20)])
    offline.pool(holdout=0)
    offline.run("clean", rules=["length"], limits={"length:words": {"min": 5}}, privacy="drop")
    offline.run("report")
    assert secret[:12] not in (offline.root / "report.html").read_text(encoding="utf-8")
    shown = [near.id for own in examples.read(offline.root / "clean") for near in own.fails]
    texts = {row["id"]: row["text"] for row in offline.rows("pool")}
    assert [texts[id] for id in shown] == ["short one"]


def test_an_older_clean_has_no_examples(cleaned):
    (cleaned.root / "clean" / examples.FILE).unlink()
    assert corpus.both_sides(cleaned.workspace) == []
    cleaned.run("report")


def test_examples_are_erased_by_id(tmp_path):
    own = BothSides("r", "min 1", (Near("a", 1.0), Near("b", None)), (Near("c", 2.0),))
    examples.write(tmp_path, [own])
    assert examples.read(tmp_path) == [own]
    examples.erase(tmp_path, {"b", "c", "x"})
    assert examples.read(tmp_path) == [BothSides("r", "min 1", (Near("a", 1.0),), ())]


def test_the_best_the_middle_and_the_worst_of_each_group(whole, tmp_path):
    rows = {row["id"]: row["quality"] for row in whole.rows("scores")}
    found = qualities_of(whole.workspace, tmp_path / "own")
    groups = {}
    for row in whole.rows("mix"):
        groups.setdefault(row["group"], []).append((rows[row["id"]], row["id"]))
    assert set(found.picks) == set(groups)
    for name, own in groups.items():
        picks = found.picks[name]
        best = sorted(own, key=lambda pair: (1 - pair[0], pair[1]))[:3]
        worst = sorted(own)[:3]
        median = float(np.median([quality for quality, _ in own]))
        middle = sorted(own, key=lambda pair: (abs(pair[0] - median), pair[1]))[:3]
        for side, expected in zip(picks.sides, (best, middle, worst), strict=True):
            assert [pick.id for pick in side] == [id for _, id in expected]
    sizes = {row["id"]: row["size"] for row in whole.rows("mix")}
    names = [own.group for own in found.groups]
    for name, tokens in zip(names, found.tokens, strict=True):
        assert sum(tokens) == sum(sizes[id] for _, id in groups[name])


def test_texts_are_looked_up_edited_and_short(whole):
    rows = whole.rows("pool")[:2]
    found = read_texts(whole.workspace, [rows[0]["id"], "f" * 32])
    assert found.beginnings == {rows[0]["id"]: rows[0]["text"]}
    assert found.sources == {rows[0]["id"]: rows[0]["source"]}


def test_mix_hands_over_what_groups_offer(whole):
    made = whole.workspace.tables.made("groups")
    offers = {own["group"]: own for own in made.facts["offers"]}
    supply = {row["group"]: row["supply"] for row in whole.rows("groups")}
    assert {name: own["supply"] for name, own in offers.items()} == supply
    assert {own["epochs"] for own in offers.values()} == {4}
    whole.run("mix", groups=["source"], limits={"source=films": {"max_share": 0.4}}, budget="50%")
    assert whole.workspace.tables.made("groups").facts["offers"] == []
    limits = {"films": {"max_share": 0.4}, "*": {"min_share": 0.1}}
    whole.run("mix", groups=["source"], limits=limits, budget="50%", max_epochs=2)
    offers = {own["group"]: own for own in whole.workspace.tables.made("groups").facts["offers"]}
    assert (offers["films"]["least"], offers["films"]["most"]) == (0, 0.4)
    assert (offers["meals"]["least"], offers["meals"]["most"]) == (0.1, 1)
    assert offers["meals"]["epochs"] == 2
    live = what_if(whole.workspace, qualities_of(whole.workspace, whole.root / "own")).live
    assert live.data["today"] == {"alpha": 1.0, "beta": 0.0, "temperature": None}
    assert [sum(own["tokens"]) for own in live.data["groups"]] == [
        own["supply"] for own in live.data["groups"]
    ]


def test_agree_counts_answers_by_the_settled_value(offline):
    offline.prepare(n=20)
    ids = [task["id"] for task in offline.tasks]
    offline.answer("ann", "bob")
    offline.answer("cleo", ids=ids, opinion=lambda text: "neutral")
    offline.run("pull")
    (question, *_) = offline.run("agree", method="majority", bootstrap=50).questions
    counts = {(own.settled, own.answer): own.answers for own in question.confusion}
    positive = sum(json.loads(row["value"]) == "positive" for row in offline.rows("labels"))
    negative = 20 - positive
    assert counts == {
        **{("negative", "negative"): 2 * negative, ("negative", "neutral"): negative},
        **{("positive", "positive"): 2 * positive, ("positive", "neutral"): positive},
    }


# ── the map


def test_the_plane_is_that_of_the_largest_variances():
    rng = np.random.default_rng(0)
    vectors = np.zeros((500, 8), np.float32)
    vectors[:, 3], vectors[:, 5] = 9 * rng.normal(size=500), 4 * rng.normal(size=500)
    vectors += rng.normal(size=vectors.shape).astype(np.float32) * 0.01
    place, kept = plane.plane(vectors)
    assert kept > 0.999
    assert (place.min(), place.max()) == (0, 1)
    across = np.corrcoef(place[:, 0], vectors[:, 3])[0, 1]
    down = np.corrcoef(place[:, 1], vectors[:, 5])[0, 1]
    assert min(abs(across), abs(down)) > 0.99


@pytest.mark.parametrize(
    "vectors", [np.zeros((4, 3)), np.full((3, 2), np.nan), np.ones((1, 5)), np.ones((2, 1))]
)
def test_vectors_that_do_not_differ_stand_in_the_middle(vectors):
    place, kept = plane.plane(vectors.astype(np.float32))
    assert place.tolist() == [[0.5, 0.5]] * len(vectors)
    assert kept == 1.0


@pytest.mark.parametrize("most", [5, 30, 1000])
def test_the_map_holds_the_smallest_ids_whatever_the_shards(most, monkeypatch):
    rng = np.random.default_rng(1)
    ids = [f"{own:032x}" for own in rng.integers(0, 2**62, 90)]
    chosen = []
    for size in (90, 20, 7):
        parts = [ids[at : at + size] for at in range(0, 90, size)]
        kept = [_smallest(part, most) for part in parts]
        rows = plane._rows(kept, most)
        chosen.append(sorted(str(part[at]) for part, (own, _) in zip(parts, rows, strict=True)
                             for at in own))  # fmt: skip
        for among_kept, among_all in rows:
            assert (among_all == 2 * among_kept + 1).all()
    assert all(one == other for one, other in pairwise(chosen))
    assert chosen[0] == sorted(ids)[:most]


def _smallest(ids, most):
    """What a shard finds in which a dropped document of the smallest id precedes each kept one."""

    class Shard:
        class vectors:
            class documents:
                @staticmethod
                def read(columns, dropped):
                    import pyarrow as pa

                    every = [own for id in ids for own in ("0" * 32, id)]
                    return pa.table({"id": every, "kept": [False, True] * len(ids)})

    return plane._Smallest(most)(Shard)


def test_the_map_is_of_the_kept_documents_with_their_group(whole):
    whole.workspace.engine = Local(1)
    whole.run("report")
    page = (whole.root / "report.html").read_text(encoding="utf-8")
    data = json.loads(
        page.partition('data-live="map"')[2].partition('json">')[2].split("</script>")[0]
    )
    kept = sorted((row["id"], row["text"][:100]) for row in whole.rows("pool"))
    assert [own.rstrip("…").strip() for own in data["texts"]] == [text.strip() for _, text in kept]
    assert [own["name"] for own in data["colours"]] == [
        *("group of the mixture", "predicted quality", "predicted sentiment", "source")
    ]
    whole.run("report", map=False)
    assert 'data-live="map"' not in (whole.root / "report.html").read_text(encoding="utf-8")


def test_the_verdict_says_what_is_good_and_what_is_not(whole):
    moods = {point.words.key: point.mood for point in verdict(whole.workspace, 2)}
    assert moods["verdict.agreement"] == "good"
    assert moods["verdict.model_better"] == "good"
    assert moods["verdict.warnings"] == "unsure"


@pytest.mark.parametrize("key", ["score.no_better", "score.unfit"])
def test_a_model_that_score_doubts_is_no_good_news(whole, monkeypatch, key):
    doubt = warn(key, "{question} is doubtful", question="sentiment")
    other = warn(key, "{question} is doubtful", question="another")
    for own, expected in ((doubt, "verdict.model_doubted"), (other, "verdict.model_better")):
        monkeypatch.setattr(type(whole.workspace.lineage), "warnings", lambda *_, own=own: (own,))
        moods = {point.words.key: point.mood for point in verdict(whole.workspace, 1)}
        assert moods[expected] == ("good" if expected == "verdict.model_better" else "unsure")


def test_the_verdict_of_a_mixture(whole):
    path = whole.root / "evaluate.json"
    evaluation = json.loads(path.read_text())
    for own in evaluation["comparisons"]:
        own["verdict"] = "worse than" if own["arm"] == "uniform" else "better than"
    path.write_text(json.dumps(evaluation))
    points = {point.words.key: point for point in verdict(whole.workspace, 0)}
    assert points["verdict.worse"].mood == "bad"
    assert dict(points["verdict.worse"].words.figures) == {"arms": ["uniform"]}
    assert points["verdict.better"].mood == "good"
    assert points["verdict.no_warnings"].mood == "good"


def test_the_verdict_of_a_pool_alone(offline):
    offline.lines("films.jsonl", reviews(FILMS, GOOD))
    offline.pool()
    assert [point.words.key for point in verdict(offline.workspace, 1)] == [
        *("verdict.no_mixture", "verdict.one_warning")
    ]
