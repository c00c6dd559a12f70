"""Near-duplicates: shingles, signatures, pairs, and who yields to whom."""

import gzip
import json
import sys
from importlib.util import find_spec

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curate import text as canon
from curate.clean import spec as spec_
from curate.clean.duplicates import meaning
from curate.clean.duplicates.near import Shard, near_duplicates, signatures
from curate.clean.duplicates.pairing import Pairs
from curate.clean.duplicates.precedence import seconds
from curate.clean.duplicates.settling import settle
from curate.engine import Local
from curate.errors import DataError, RecipeError
from curate.minhash import (
    BANDS,
    PERMUTATIONS,
    SIGNATURE_BYTES,
    band_keys,
    bits,
    least_equal,
)
from curate.run.stages import is_fresh
from curate.shingles import blocks, flat, jaccard, sets
from curate.spec import refuse_unused
from tests.conftest import Offline

SOUP = "The soup was good and the bread was fresh, so we came back."
WORDS = [f"{a}{b}{c}" for a in "bdgkmp" for b in "aeiou" for c in "lnrst"]
HAN = [chr(0x4E00 + 7 * n) for n in range(900)]


def id_of(place):
    return f"{place:010x}".ljust(32, "0")


def shard(folder, number, ids, texts, *, older=False):
    """Write what a shard of documents needs to be compared, and return it."""
    rows = len(ids)
    folder.mkdir(parents=True, exist_ok=True)
    written = {
        "texts": {"id": ids, "text": texts, "source": ["a"] * rows, "batch": [1] * rows},
        "signed": {"_signature": pa.array(signatures(texts), pa.binary())},
        "reasons": {"reason": pa.nulls(rows, pa.string())},
    }
    paths = {name: folder / f"{name}-{number}.parquet" for name in written}
    for name, columns in written.items():
        pq.write_table(pa.table(columns), paths[name])
    reasons = None if older else paths["reasons"]
    return Shard(number, paths["texts"], paths["signed"], None, reasons, {"a": 0})


def cut(folder, ids, texts, size, first=0, **given):
    return [
        shard(folder, first + n, ids[at : at + size], texts[at : at + size], **given)
        for n, at in enumerate(range(0, len(texts), size))
    ]


@pytest.fixture
def near(tmp_path):
    """Return how to settle texts that stand in order of precedence: {place: (kept, similarity)}."""
    runs = []

    def run(texts, threshold=0.7, *, size=1000, engine=None, older=()):
        runs.append(texts)
        folder = tmp_path / str(len(runs))
        ids = [id_of(place) for place in range(len(texts))]
        shards = cut(folder, ids, texts, size)
        names = [f"older {place}" for place in range(len(older))]
        before = cut(folder, names, list(older), size, len(shards), older=True)
        made = near_duplicates(
            engine or Local(1), shards, threshold, folder / "scaffold", older=before
        )
        rows = [row for each in shards for row in made.of(each.number).to_pylist()]
        places = {id: str(place) for place, id in enumerate(ids)}
        return {
            places[row["id"]]: (places.get(row["kept"], row["kept"]), row["similarity"])
            for row in rows
        }

    return run


def grams(text):
    return frozenset(canon.shingles(text))


def similarity(one, other):
    """The Jaccard similarity of the true shingles."""
    both = len(grams(one) & grams(other))
    return both / len(grams(one) | grams(other)) if both else 0.0


def planted(n_pairs, seed=0, words=WORDS, joint=" "):
    """Return texts of which some are others with words changed: many similarities."""
    rng = np.random.default_rng(seed)
    texts = []
    for pair in range(n_pairs):
        base = rng.choice(words, 60)
        twin = base.copy()
        changed = rng.choice(60, pair % 12, replace=False)
        twin[changed] = rng.choice(words, len(changed))
        texts += [joint.join(base), joint.join(twin)]
    return [texts[k] for k in rng.permutation(len(texts))]


def brute_force(texts, threshold):
    """Compare every text with every earlier one that stays."""
    kept, gone = [], {}
    for place, mine in enumerate(texts):
        twins = [(similarity(mine, texts[other]), -other) for other in kept]
        best = max(twins, default=(0.0, 0))
        if best[0] >= threshold:
            gone[str(place)] = (str(-best[1]), best[0])
        else:
            kept.append(place)
    return gone


# ── shingles


LETTERS = st.text("ab cDÉß\n\t汉字かな한𠀀😀", max_size=30)


@given(st.lists(LETTERS, max_size=6))
def test_hashed_shingles_are_the_true_ones(texts):
    """As many, and as many in common, as of the strings themselves: no hash but for its string."""
    found = sets(texts)
    assert [len(each) for each in found] == [len(grams(each)) for each in texts]
    for one, hashes in zip(texts, found, strict=True):
        for other, others in zip(texts, found, strict=True):
            assert jaccard(hashes, others) == similarity(one, other)


@given(st.lists(LETTERS, max_size=6))
def test_texts_hashed_together_are_hashed_as_alone(texts):
    hashes, ends = flat(texts)
    for place, text in enumerate(texts):
        alone, _ = flat([text])
        assert hashes[ends[place] : ends[place + 1]].tolist() == alone.tolist()


def test_blocks_leave_out_nothing(monkeypatch):
    monkeypatch.setattr("curate.shingles.BLOCK", 10)
    texts = ["abcdef", "", "g" * 30, "hij", "klm", "nopq", "r"]
    assert [text for block in blocks(texts) for text in block] == texts
    assert len(list(blocks(texts))) == 3
    assert list(blocks([])) == []


# ── signatures and pairs


def test_signatures_are_the_same_in_every_run():
    one, none, two = signatures([SOUP, " ", SOUP + " And more of it."])
    assert none is None
    assert one == signatures([SOUP])[0] != two
    assert len(one) == SIGNATURE_BYTES
    assert signatures([]) == []


def test_bands_are_keys_of_their_own():
    matrix = np.zeros((2, PERMUTATIONS), np.uint32)
    matrix[1, 9] = 1
    keys = band_keys(matrix)
    assert keys.shape == (2, BANDS)
    assert len(set(keys[0].tolist())) == BANDS  # equal values in two bands are no common key
    assert np.flatnonzero(keys[0] != keys[1]).tolist() == [2]


def places(*rows):
    """Return bands' rows of (key, order, place) and, where they are given, of the bits."""
    names = ("key", "order", "place", "bits_0", "bits_1")
    full = [[*row, 0, 0][:5] for row in rows]
    return pa.table(
        {name: pa.array([row[at] for row in full], pa.uint64()) for at, name in enumerate(names)}
    )


def test_pairs_share_a_key():
    bands = places((7, 3, 30), (9, 1, 10), (7, 2, 20), (8, 2, 20), (9, 2, 20), (7, 1, 10))
    found = {(row["late"], row["early"]) for row in Pairs(0)(bands).to_pylist()}
    assert found == {(20, 10), (30, 10), (30, 20)}
    assert Pairs(0)(places((1, 1, 1), (2, 2, 2))).num_rows == 0
    assert Pairs(0)(places()).num_rows == 0


def test_of_a_crowd_each_is_paired_with_the_first_and_the_next():
    crowd = places(*((5, order, 100 + order) for order in range(50)))
    found = {(row["early"], row["late"]) for row in Pairs(0)(crowd).to_pylist()}
    assert found == {(100, late) for late in range(101, 150)} | {
        (late - 1, late) for late in range(101, 150)
    }


def test_pairs_whose_bits_differ_too_much_are_none():
    bands = places((7, 1, 10, 0, 0), (7, 2, 20, 2**20 - 1, 0), (7, 3, 30, 0, 2**60 - 1))
    found = {(row["late"], row["early"]) for row in Pairs(100)(bands).to_pylist()}
    assert found == {(20, 10)}


def test_bits_tell_how_alike_two_texts_are():
    """On average (1 + Jaccard) / 2 of the bits are equal, hardly ever less than is asked for."""
    rng = np.random.default_rng(0)
    for alike in (0.0, 0.5, 0.7, 0.9):
        one = rng.integers(0, 2**32, (4000, PERMUTATIONS), dtype=np.uint32)
        other = rng.integers(0, 2**32, (4000, PERMUTATIONS), dtype=np.uint32)
        same = rng.random(one.shape) < alike
        other[same] = one[same]
        differ = np.bitwise_count(bits(one) ^ bits(other)).sum(1)
        assert abs(1 - differ.mean() / PERMUTATIONS - (1 + alike) / 2) < 0.005
        assert np.mean(PERMUTATIONS - differ < least_equal(alike)) < 0.002
    assert least_equal(1.0) == PERMUTATIONS


def test_datasketch_is_not_needed():
    signatures([SOUP])
    assert "datasketch" not in sys.modules


# ── who yields


@pytest.mark.parametrize(
    "texts", [planted(80), planted(80, 1, HAN, "")], ids=["English", "Chinese"]
)
@pytest.mark.parametrize("threshold", [0.7, 0.85])
def test_planted_pairs_are_found(near, texts, threshold):
    expected, found = brute_force(texts, threshold), near(texts, threshold)
    assert len(expected) > 15
    missed = [id for id in expected if id not in found]
    assert len(missed) <= 0.02 * len(expected)
    if not missed:
        assert found == expected


def test_only_verified_pairs_count(near):
    texts = planted(80)
    for id, (kept, jaccard_) in near(texts, 0.8).items():
        assert similarity(texts[int(id)], texts[int(kept)]) == jaccard_ >= 0.8


def test_every_chain_ends_at_one_that_stays(near):
    words = SOUP.split() * 4
    chain = [" ".join([*words[:k], *("fish",) * k, *words[k:]]) for k in range(0, 40, 2)]
    found = near(chain, 0.75)
    assert found
    assert not {kept for kept, _ in found.values()} & found.keys()
    assert all(int(kept) < int(id) for id, (kept, _) in found.items())
    assert found == brute_force(chain, 0.75)


def test_the_earlier_stays_and_the_likest_is_named(near):
    words = [f"word{n}" for n in range(40)]
    base, far, twin = words, [*words[:34], *"abcdef"], [*words[:39], "x"]
    texts = [" ".join(each) for each in (far, base, twin)]
    found = near(texts, 0.7)
    assert found["1"] == ("0", similarity(texts[0], texts[1]))
    assert found["2"][0] == "0"  # the base is gone, though it is the likest
    assert near([texts[2], texts[0], texts[1]], 0.95)["2"][0] == "0"


@pytest.mark.parametrize(
    ("similarities", "kept"), [((0.9, 0.9), 0), ((0.8, 0.9), 1), ((0.9, 0.8), 0)]
)
def test_the_likest_is_named_and_the_earlier_one_of_two(tmp_path, similarities, kept):
    """Document 2 is like 0 and 1, which are not alike; places are the order of precedence."""
    pairs = {"late": [2, 2], "early": [1, 0], "late_order": [2, 2], "early_order": [1, 0]}
    columns = {name: np.array(values, np.uint64) for name, values in pairs.items()}
    table = pa.table({**columns, "similarity": similarities[::-1]})
    pq.write_table(table, tmp_path / "pairs.parquet")
    settled = pq.read_table(settle([tmp_path / "pairs.parquet"], tmp_path / "settled.parquet"))
    assert settled.to_pylist() == [{"late": 2, "early": kept}]


@pytest.mark.parametrize("group", [3, 1000])
def test_a_crowd_of_twins_leaves_one(near, monkeypatch, group):
    monkeypatch.setattr("curate.clean.duplicates.pairing.GROUP", group)
    texts = [SOUP * 5 + f" Number {n}." for n in range(60)]
    found = near(texts)
    assert set(found) == {str(n) for n in range(1, 60)}
    assert {kept for kept, _ in found.values()} == {"0"}


def test_different_texts_are_no_twins(near):
    rng = np.random.default_rng(0)
    assert near([" ".join(rng.choice(WORDS, 50)) for _ in range(100)]) == {}
    assert near([SOUP]) == {}
    assert near(["", " "]) == {}  # nothing in common


def test_only_case_and_white_space_apart(near):
    assert near([SOUP, SOUP.upper().replace(" ", "\n ")], 1.0) == {"1": ("0", 1.0)}


def test_an_older_corpus_stays_and_is_named(near):
    texts = [SOUP, f"{SOUP} Yes.", "Something else was said by nobody at all, and more than once."]
    found = near(texts, older=[f"{SOUP} No.", "Some other thing of long ago that nobody repeats."])
    assert {id: kept for id, (kept, _) in found.items()} == {"0": "older 0", "1": "older 0"}
    assert near(texts, older=[f"{SOUP} No.", f"{SOUP} Now."])["0"][0].startswith("older")


@pytest.mark.parametrize("name", ["local", "ray"])
def test_shards_and_engines_do_not_change_who_yields(near, name):
    from curate.engine import choose

    if name == "ray" and find_spec("ray") is None:
        pytest.skip("ray is not installed: pip install 'curate[ray]'")
    texts = planted(60)
    expected = near(texts)
    assert len(expected) > 10
    assert near(texts, size=7) == expected
    engine = choose(name, 2)
    assert near(texts, size=25, engine=engine) == expected
    engine.close()


# ── older corpora


def stage(offline, texts, **given):
    offline.lines("notes.jsonl", texts)
    offline.pool()
    made = offline.run("clean", near_duplicates=0.7, **given)
    by_id = {row["id"]: row for row in offline.rows("clean")}
    return made, [by_id[canon.content_id({"text": text})] for text in texts]


OLD, ODD = f"{SOUP} Yes.", "Nothing like this was ever said by anybody, here or elsewhere."


@pytest.mark.parametrize("kind", ["workspace", "pool", "jsonl", "jsonl.gz", "parquet", "folder"])
def test_what_an_older_corpus_holds_goes(offline, tmp_path, kind):
    before = Offline(tmp_path / "before")
    stage(before, [OLD, "dropped by a rule"], limits={"length:words": {"min": 5}})
    path = tmp_path / f"old.{kind}"
    if kind == "workspace":
        path = before.root
    elif kind == "pool":
        path = before.root / "pool"
    elif kind == "parquet":
        pq.write_table(pa.table({"text": [OLD]}), path)
    elif kind == "folder":
        path.mkdir()
        pq.write_table(pa.table({"id": ["x"]}), path / "draw.parquet")
        (path / "a.jsonl").write_text(json.dumps({"id": "named", "text": OLD}) + "\n")
    else:
        with gzip.open(path, "wt") if kind.endswith("gz") else path.open("w") as file:
            file.write(json.dumps({"text": OLD}) + "\n")
    made, rows = stage(offline, [SOUP, ODD, "dropped by a rule"], against=[str(path)])
    named = "named" if kind == "folder" else canon.content_id({"text": OLD})
    assert (rows[0]["reason"], rows[0]["duplicate_of"]) == ("near_duplicate", named)
    assert rows[0]["similarity"] > 0.7
    assert rows[1]["kept"]
    # What the older run itself had dropped keeps nobody out.
    assert (rows[2]["reason"] == "near_duplicate") == (kind == "pool")
    assert made.reasons["near_duplicate"] == 1 + (kind == "pool")


def test_an_older_corpus_that_changes_makes_stale(offline, tmp_path):
    path = tmp_path / "old.jsonl"
    path.write_text(json.dumps({"text": ODD}) + "\n")
    stage(offline, [SOUP], against=[str(path)])
    spec = offline.spec("clean", near_duplicates=0.7, against=[str(path)])
    assert is_fresh(offline.workspace, "clean", spec)
    path.write_text(json.dumps({"text": OLD}) + "\n")
    assert not is_fresh(offline.workspace, "clean", spec)
    made = offline.run("clean", near_duplicates=0.7, against=[str(path)])
    assert (made.measured, made.kept) == (0, 0)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("none.jsonl", None, "holds no texts"),
        ("a.jsonl", '{"body": "x"}\n', "row 1: no text"),
        ("a.jsonl", "{", "cannot be read"),
        ("a.parquet", "no parquet", "cannot be read"),
    ],
)
def test_an_older_corpus_that_cannot_be_read(offline, tmp_path, name, content, words):
    path = tmp_path / name
    if content is not None:
        path.write_text(content)
    with pytest.raises(DataError, match=words):
        stage(offline, [SOUP], against=[str(path)])


def test_an_older_run_whose_clean_is_not_of_its_pool(offline, tmp_path):
    before = Offline(tmp_path / "before")
    stage(before, [OLD])
    before.lines("notes.jsonl", [OLD, ODD])
    before.pool()
    with pytest.raises(DataError, match="clean does not belong to pool"):
        stage(offline, [SOUP], against=[str(before.root)])


def test_against_needs_a_threshold(offline):
    with pytest.raises(ValueError, match="against needs near_duplicates"):
        offline.spec("clean", against=["old"])


def test_clusters_are_listed(offline):
    stage(offline, [f"{SOUP} Number {n}." for n in range(4)] + [ODD])
    (path,) = (offline.root / "clean" / "_clusters").iterdir()
    rows = pq.read_table(path).to_pylist()
    gone = [row for row in offline.rows("clean") if row["reason"]]
    assert {row["id"]: row["kept"] for row in rows} == {r["id"]: r["duplicate_of"] for r in gone}
    assert {(row["source"], row["kept_source"]) for row in rows} == {("notes", "notes")}


def test_what_sources_share_is_counted(offline):
    offline.lines("a.jsonl", [SOUP, ODD, "Only here, and nowhere else at all."])
    offline.lines("b.jsonl", [ODD, OLD])
    offline.lines("c.jsonl", [ODD, f"{SOUP} No."])
    offline.pool("a.jsonl", "b.jsonl", "c.jsonl")
    offline.run("clean", near_duplicates=0.7)
    found = json.loads((offline.root / "clean" / "_overlap.json").read_text())
    assert found["exact"] == [["a", "b", 1], ["a", "c", 1], ["b", "c", 1]]
    assert found["near"] == [["a", "b", 1], ["a", "c", 1]]


# ── what is compared, and which stays


@pytest.mark.parametrize(
    ("keep", "stays"), [("first", "b"), ("longest", "c"), ("newest", "a"), ("source", "a")]
)
def test_which_of_two_stays_can_be_chosen(offline, keep, stays):
    texts = {"b": f"{SOUP} No.", "c": f"{SOUP} No, never.", "a": f"{SOUP} Oh."}
    for name in "bc":
        offline.lines(f"{name}.jsonl", [texts[name]])
    offline.pool("b.jsonl", "c.jsonl")
    offline.lines("a.jsonl", [texts["a"]])
    offline.pool("a.jsonl", "b.jsonl", "c.jsonl")  # a batch of its own
    offline.run("clean", near_duplicates={"similarity": 0.7, "keep": keep})
    (kept,) = [row["id"] for row in offline.rows("clean") if row["kept"]]
    assert kept == canon.content_id({"text": texts[stays]})
    if keep == "first":
        before = offline.rows("clean")
        offline.run("clean", near_duplicates=0.7)
        assert offline.rows("clean") == before


def test_the_newest_by_a_date_stays(offline):
    dates = ["2019-01-01", "2024-02-29T08:00:00+08:00", 1_700_000_000, "soon"]
    rows = [{"text": f"{SOUP} {n}", "crawled": date} for n, date in enumerate(dates)]
    offline.lines("a.jsonl", rows)
    offline.pool()
    newest = {"similarity": 0.7, "keep": "newest", "date": "crawled"}
    offline.run("clean", near_duplicates=newest)
    (kept,) = [row["id"] for row in offline.rows("clean") if row["kept"]]
    assert kept == canon.content_id({"text": rows[1]["text"]})


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ("1970-01-01", 62135596800),
        ("1970-01-01T01:00:00+01:00", 62135596800),
        ("0", 62135596800),
        ("1000", 62135596800 - 30610224000),
        ("86400000000000", 62135596800 + 86400000000),
        ("0001-01-01", 0),
        ("yesterday", 0),
        ("", 0),
        ("nan", 0),
        ("1e400", 0),
    ],
)
def test_times(told, expected):
    assert seconds(told) == expected


def test_near_duplicates_within_a_source_or_a_site(offline):
    rows = [
        {"text": f"{SOUP} {n}", "url": f"https://{host}.org/{n}", "shop": shop}
        for n, (host, shop) in enumerate([("x", 1), ("x", 2), ("y", 1), ("y", 2)])
    ]
    offline.lines("a.jsonl", rows[:3])
    offline.lines("b.jsonl", rows[3:])
    offline.pool("a.jsonl", "b.jsonl")
    for within, kept in ((), 1), (["source"], 2), (["host"], 2), (["meta.shop", "source"], 3):
        made = offline.run("clean", near_duplicates={"similarity": 0.7, "within": within})
        assert (made.kept, made.measured > 0) == (kept, within == ())


def test_chats_over_one_schema_are_compared_by_the_user(offline):
    schema = f"You can call these tools: {', '.join(WORDS[:120])}."
    asked = ["What is the capital of Peru, and why?", "How do I bake bread without an oven?"]
    asked += [f"{asked[0]} Please."]
    offline.lines(
        "chats.jsonl",
        [
            {
                "messages": [
                    {"role": "system", "content": schema},
                    {"role": "user", "content": question},
                ]
            }
            for question in asked
        ],
    )
    source = {"paths": ["data/chats.jsonl"], "chat": {}}
    offline.run("pool", sources=[source], tokenizer="bytes")
    assert offline.run("clean", near_duplicates=0.7).kept == 1
    by_user = {"similarity": 0.7, "fields": "user"}
    made = offline.run("clean", near_duplicates=by_user)
    assert (made.kept, made.measured) == (2, 3)  # other signatures
    assert offline.run("clean", near_duplicates={**by_user, "keep": "longest"}).measured == 0
    with pytest.raises(RecipeError, match="no document has a field or a role usr"):
        offline.run("clean", near_duplicates={"similarity": 0.7, "fields": ["usr"]})
    by_system = {"similarity": 0.7, "fields": ["system"]}
    assert offline.run("clean", near_duplicates=by_system).kept == 1


def test_fields_are_compared_after_their_edits(offline):
    rows = [
        {"prompt": f"Write to {name}@example.com about the soup of the day, please.", "answer": n}
        for n, name in (("yes " * 30, "anna"), ("no " * 30, "bertram.long.name"))
    ]
    offline.lines("pairs.jsonl", rows)
    source = {"paths": ["data/pairs.jsonl"], "fields": {"prompt": "prompt", "answer": "answer"}}
    offline.run("pool", sources=[source], tokenizer="bytes")
    by_prompt = {"similarity": 1.0, "fields": ["prompt"]}
    assert offline.run("clean", near_duplicates=by_prompt).kept == 2
    assert offline.run("clean", near_duplicates=by_prompt, privacy="mask").kept == 1


def test_older_corpora_have_no_fields_and_no_source(offline):
    for more in ({"fields": ["user"]}, {"within": ["source"]}):
        with pytest.raises(ValueError, match="whole texts without a source"):
            offline.spec("clean", near_duplicates={"similarity": 0.7, **more}, against=["old"])
    with pytest.raises(ValueError, match="similarity"):
        offline.spec("clean", near_duplicates={"keep": "longest"})
    spec = offline.spec("clean", near_duplicates={"similarity": 0.7, "date": "day"})
    with pytest.raises(RecipeError, match=r"date has no effect without keep: newest"):
        refuse_unused(spec, where="clean")


# ── by meaning


def angled(n, cosine, rng):
    """Return pairs of unit vectors of that cosine."""
    one = rng.standard_normal((n, 64)).astype(np.float32)
    one /= np.linalg.norm(one, axis=1, keepdims=True)
    other = rng.standard_normal((n, 64)).astype(np.float32)
    other -= (one * other).sum(1, keepdims=True) * one
    other /= np.linalg.norm(other, axis=1, keepdims=True)
    return one, cosine * one + np.sqrt(1 - cosine**2) * other


@pytest.mark.parametrize("cosine", [0.85, 0.95, 0.99])
def test_vectors_that_are_alike_share_a_band_and_most_bits(cosine):
    one, other = angled(2000, cosine, np.random.default_rng(0))
    width = meaning.band_width(cosine)
    ones, others = meaning.signatures(one, width), meaning.signatures(other, width)
    shared = (ones[:, :BANDS] == others[:, :BANDS]).any(1)
    differ = np.bitwise_count(ones[:, BANDS:] ^ others[:, BANDS:]).sum(1)
    kind = meaning.Vectors(None, 64)
    assert np.mean(~shared) < 0.012
    assert np.mean(128 - differ < kind.least_equal(cosine)) < 0.002
    apart, _ = angled(2000, 0.0, np.random.default_rng(1))
    strange = (meaning.signatures(apart, width)[:, :BANDS] == ones[:, :BANDS]).any(1)
    assert np.mean(strange) < 0.2


def test_the_same_meaning_is_kept_once(offline):
    texts = [
        "A lovely western by the sea, brilliant and delightful, and all who saw it were happy.",
        "By the sea, a delightful and brilliant lovely western, and happy were all who saw it.",
        "The soup was cold, dreadful and miserable; nobody who tried it ever came back again.",
        "no",
    ]
    offline.lines(
        "notes.jsonl", [*texts, *(f"Filler {n} of another kind, {n}." for n in range(30))]
    )
    offline.pool()
    given = {"near_duplicates": 0.9, "semantic": {"similarity": 0.9, "encoder": "chargram"}}
    made = offline.run("clean", **given)
    rows = {row["id"]: row for row in offline.rows("clean")}
    one, other, soup, short = (rows[canon.content_id({"text": text})] for text in texts)
    kept, gone = sorted((one, other), key=lambda row: row["id"])
    assert kept["kept"]
    assert (gone["reason"], gone["duplicate_of"]) == ("near_duplicate", kept["id"])
    assert 0.9 <= gone["similarity"] <= 1
    assert soup["kept"]
    assert short["reason"] == "length:words"
    assert made.reasons["near_duplicate"] >= 1
    alone = offline.run("clean", semantic={"similarity": 0.9, "encoder": "chargram"})
    assert {r["id"]: r["reason"] for r in offline.rows("clean")}[gone["id"]] == "near_duplicate"
    assert alone.kept <= made.kept + 1


def test_what_was_encoded_is_not_encoded_again(offline, monkeypatch):
    offline.lines("notes.jsonl", [f"Filler {n} of another kind, {n}." for n in range(30)])
    offline.pool()
    given = {"semantic": {"similarity": 0.9, "encoder": "chargram"}}
    with monkeypatch.context() as patch:
        patch.setattr(meaning, "near_duplicates", interrupted)
        with pytest.raises(KeyboardInterrupt):
            offline.run("clean", **given)
    monkeypatch.setattr(meaning, "signatures", interrupted)
    assert offline.run("clean", **given).kept


def interrupted(*given, **named):
    raise KeyboardInterrupt


def test_a_number_is_enough():
    assert spec_.CleanSpec.model_validate({"semantic": 0.97}).semantic.similarity == 0.97
    with pytest.raises(ValueError, match="semantic"):
        spec_.CleanSpec.model_validate({"semantic": 0.5})
