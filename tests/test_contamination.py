"""What stands in an evaluation set is found, with the set and the item; what is near is not."""

import gzip
import json
import lzma

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curate.clean.instruments import contamination
from curate.clean.instruments.benchmarks import Overlap, index, overlaps
from curate.clean.instruments.grams import hashed, words
from curate.clean.instruments.references import read_texts
from curate.errors import DataError, RecipeError
from curate.text import content_id

ITEM = (
    "A train leaves the old station at noon and travels north for three hours at a steady "
    "speed of sixty miles an hour before it stops at the river."
)
CHINESE = "小明有三个苹果，他给了小红一个，又从妈妈那里得到了五个，请问小明现在一共有几个苹果？"
FILLER = "Nobody in the village had seen the lake freeze before the end of the year. "


def found(texts, items, n=13):
    return [
        {item: held.share for item, held in by_item.items()}
        for by_item in overlaps(hashed(texts), index(items, n))
    ]


def passages(texts, items, n=13):
    return [
        {item: held.words for item, held in by_item.items()}
        for by_item in overlaps(hashed(texts), index(items, n))
    ]


def story(seed, n):
    """A text of n words, none of them twice."""
    return " ".join(f"w{place}x{seed}" for place in range(n))


def test_words_as_they_are_compared():
    assert words("Don’t STOP: the state-of-the-art!") == [
        *("dont", "stop", "the", "state", "of", "the", "art")
    ]
    assert words("ＧＰＴ４ 说：你好 abc") == ["gpt4", "说", "你", "好", "abc"]
    assert words("Caf\u0065\u0301") == words("café")
    assert words("सभी मनुष्यों को, ہے۔") == ["सभी", "मनुष्यों", "को", "ہے"]
    assert len(words("มนุษย์ทั้งหลายเกิดมามีอิสระ")) > 3


def test_planted_items_are_found():
    planted = f"{FILLER}{ITEM} {FILLER}"
    assert found([FILLER, planted], [ITEM, CHINESE]) == [{}, {0: 1.0}]
    assert found([f"前言。{CHINESE}后记。"], [ITEM, CHINESE]) == [{1: 1.0}]


@pytest.mark.parametrize(
    "change",
    [
        str.upper,
        lambda text: text.replace(" ", "\n"),
        lambda text: text.replace("at noon", "— at noon —").replace(".", " !"),
        lambda text: "".join(chr(ord(c) + 0xFEE0) if "a" <= c <= "z" else c for c in text),
    ],
)
def test_case_punctuation_and_width_do_not_count(change):
    assert found([FILLER + change(ITEM)], [ITEM]) == [{0: 1.0}]


def test_near_misses_are_not_found():
    # Every eighth word is another one: no thirteen in a row are left.
    others = [w if place % 8 else "pear" for place, w in enumerate(ITEM.split())]
    twelve = " ".join(ITEM.split()[:12])
    assert found([" ".join(others), twelve, "小明有三个苹果"], [ITEM, CHINESE]) == [{}, {}, {}]


def test_half_an_item_is_half():
    tokens = ITEM.split()
    (each,) = found([" ".join(tokens[: len(tokens) // 2 + 6])], [ITEM])
    assert 0.3 < each[0] < 0.7


def test_a_run_does_not_reach_over_two_texts():
    tokens = ITEM.split()
    assert found([" ".join(tokens[:12]), " ".join(tokens[12:24])], [ITEM]) == [{}, {}]


def test_short_items_are_one_run_and_very_short_ones_are_not_looked_for():
    nine, five = "what is the tallest mountain on the whole continent", "how old is the king"
    texts = [f"They asked: {nine}? {FILLER}", f"{five} {FILLER}"]
    assert found(texts, [nine, five]) == [{0: 1.0}, {}]


def test_an_instruction_that_comes_with_every_item_is_no_evidence():
    instruction = "Read the following passage carefully and then choose the one best answer below "
    items = [instruction + f"{ITEM[n:]} {n}" for n in range(12)]
    assert found([FILLER + instruction], items) == [{}]


def test_a_passage_that_several_questions_are_about_is_evidence():
    context = story("c", 80)
    about = [f"{context} question {story(f'q{n}', 12)}" for n in range(15)]
    others = [f"{story(f'o{n}', 80)}" for n in range(2000)]
    (held,) = passages([f"{FILLER} {context} {FILLER}"], [*about, *others])
    assert held == dict.fromkeys(range(15), 80)


def test_an_instruction_of_a_small_set_is_no_evidence_beside_a_large_set():
    instruction = story("i", 40)
    small = [f"{instruction} {story(f's{n}', 20)}" for n in range(30)]
    large = [story(f"l{n}", 20) for n in range(4000)]
    known = index([*small, *large], 13, [0] * len(small) + [1] * len(large))
    assert overlaps(hashed([instruction]), known) == [{}]


@pytest.mark.parametrize("words", [13, 49, 50, 120])
def test_the_longest_passage_of_a_long_item_is_told_in_words(words):
    item = story("a", 1000)
    part = " ".join(item.split()[300 : 300 + words])
    (held,) = passages([f"{FILLER * 200}{part} {FILLER * 200}"], [item])
    assert held == {0: words}


def test_a_passage_is_in_a_row_and_may_come_twice():
    item = story("a", 200).split()
    apart = " ".join([*item[:30], "and", *item[30:60]])
    again = " ".join([*item[:40], "and", *item[:60]])
    chinese = "".join(map(chr, range(0x4E00, 0x4E00 + 90)))
    held = passages([apart, again, f"前{chinese[10:70]}后"], [" ".join(item), chinese])
    assert held == [{0: 30}, {0: 60}, {1: 60}]


@given(st.lists(st.text("ab c", max_size=60), min_size=1, max_size=5), st.integers(3, 5))
def test_passages_are_those_of_a_plain_search(texts, n):
    """Every run of the passage is in the text; no longer passage has that."""
    items = ["a b c a c b", "c c a b a b", "b c"]

    def longest(own, text):
        runs = {tuple(text[i : i + n]) for i in range(len(text) - n + 1)}
        held = [tuple(own[i : i + n]) in runs for i in range(len(own) - n + 1)]
        stretches = "".join("x" if each else " " for each in held).split()
        return max(map(len, stretches)) + n - 1 if stretches else 0

    for text, held in zip(texts, passages(texts, items, n), strict=True):
        plain = {at: longest(words(item), words(text)) for at, item in enumerate(items)}
        assert held == {at: size for at, size in plain.items() if size}


@given(st.lists(st.text("ab c", max_size=40), min_size=1, max_size=5), st.integers(3, 5))
def test_shares_are_those_of_a_plain_count(texts, n):
    """The index with hashes says what sets of tuples say."""
    items = ["a b c a b", "c c a b a b c a", "b a b a b a b a"]

    def runs(text, size):
        tokens = words(text)
        return {tuple(tokens[i : i + size]) for i in range(len(tokens) - size + 1)}

    wanted = []
    for text in texts:
        each = {}
        for place, item in enumerate(items):
            own = runs(item, n)
            if own and own & runs(text, n):
                each[place] = pytest.approx(len(own & runs(text, n)) / len(own))
        wanted.append(each)
    assert found(texts, items, n) == wanted


# ── files


def test_items_are_read_from_any_format(tmp_path):
    rows = [{"q": "one", "choices": ["a", "b"], "key": "k1"}, {"q": "two", "choices": [], "key": 2}]
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, rows)))
    (tmp_path / "b.json").write_text(json.dumps(rows))
    with gzip.open(tmp_path / "c.jsonl.gz", "wt") as file:
        file.write("\n".join(map(json.dumps, rows)))
    for name in ("a.jsonl", "b.json", "c.jsonl.gz"):
        read = list(read_texts(tmp_path / name, ("q", "choices"), "key"))
        assert read == [("k1", "one\na\nb"), ("2", "two\n")]
    (tmp_path / "d.csv").write_text("q,key\none,1\n")
    assert list(read_texts(tmp_path / "d.csv", ("q",))) == [("1", "one")]
    (tmp_path / "e.txt").write_text("one\n\ntwo\n")
    assert list(read_texts(tmp_path / "e.txt", ("text",))) == [("1", "one"), ("2", "two")]


def test_a_bad_file_is_told_with_its_row(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text('{"q": "one"}\n{"p": 1}\n')
    with pytest.raises(DataError, match=r"a\.jsonl, row 2: no q"):
        list(read_texts(path, ("q",)))
    path.write_text('{"q": ')
    with pytest.raises(DataError, match=r"a\.jsonl cannot be read: "):
        list(read_texts(path, ("q",)))
    path.write_text('{"q": "one"}\n{"q": ')
    with pytest.raises(DataError, match=r"a\.jsonl cannot be read after row 1: "):
        list(read_texts(path, ("q",)))


def test_items_are_read_as_the_pool_reads_rows(tmp_path):
    item = {"q": "Où est le café ?", "choices": {"text": ["là", "ici"], "label": ["A", "B"]}}
    files = {
        "list.json": json.dumps({"version": 1, "data": [item]}).encode(),
        "lines.json": (json.dumps(item) + "\n" + json.dumps(item)).encode(),
        "latin.jsonl": json.dumps(item, ensure_ascii=False).encode("latin-1"),
        "packed.jsonl.xz": lzma.compress(json.dumps(item).encode()),
    }
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
        found = list(read_texts(tmp_path / name, ("q", "choices.text")))
        assert found[0] == ("1", "Où est le café ?\nlà\nici")
        assert len(found) == (2 if name == "lines.json" else 1)
    (tmp_path / "marks.csv").write_text("q;a\nWhere, then?;there\n")
    assert list(read_texts(tmp_path / "marks.csv", ("q", "a"))) == [("1", "Where, then?\nthere")]
    (tmp_path / "cut.jsonl.gz").write_bytes(gzip.compress(b'{"q": "x"}\n' * 9)[:-9])
    with pytest.raises(DataError, match=r"cut\.jsonl\.gz cannot be read after row \d: "):
        list(read_texts(tmp_path / "cut.jsonl.gz", ("q",)))


def test_hashes_are_the_same_everywhere():
    """Indexes are kept on disk, and read by other processes and machines."""
    runs, _ = hashed(["the quick brown fox"]).grams(2)
    assert [f"{each:016x}" for each in runs.tolist()] == GOLDEN


GOLDEN = ["92d9780f00d8e3d7", "792e5642e0c8ccf7", "673b1441c46db2af"]


# ── through clean


@pytest.fixture
def clean_of(offline):
    def run(texts, **given):
        offline.lines("web.jsonl", texts)
        offline.pool()
        offline.run("clean", **given)
        rows = {row["id"]: row for row in offline.rows("clean")}
        return [rows[content_id({"text": text})] for text in texts]

    return run


def test_clean_names_set_and_item(clean_of, offline):
    (offline.root / "math.jsonl").write_text(
        json.dumps({"question": ITEM, "id": "m-1"}) + "\n" + json.dumps({"question": "?", "id": 2})
    )
    (offline.root / "zh.txt").write_text(f"{CHINESE}\n")
    sets = [
        {"name": "math", "path": "math.jsonl", "field": "question", "id": "id"},
        {"name": "zh", "path": "zh.txt"},
    ]
    texts = [FILLER, f"{FILLER} {ITEM}", f"{CHINESE}你说呢？", " ".join(ITEM.split()[:20])]
    rows = clean_of(texts, contamination={"sets": sets})
    assert [row["reason"] for row in rows] == [None, "contamination", "contamination", None]
    assert rows[0]["contamination"] is None
    whole = {"set": "math", "item": "m-1", "share": 1.0, "words": 29}
    assert rows[1]["contamination"] == [whole]
    assert rows[2]["contamination"] == [{"set": "zh", "item": "1", "share": 1.0, "words": 38}]
    assert [row["contamination:share"] for row in rows[:3]] == [0, 1, 1]
    assert 0.3 < rows[3]["contamination:share"] < 0.5
    again = clean_of(texts, contamination={"sets": sets, "share": 0.3})
    assert [row["kept"] for row in again] == [True, False, False, False]


def test_a_set_that_is_not_there_is_told_at_once(clean_of):
    with pytest.raises(RecipeError, match=r"clean\.contamination\.sets\.0\.path: no file"):
        clean_of([FILLER], contamination={"sets": [{"name": "x", "path": "none.jsonl"}]})


def test_items_too_short_to_look_for_are_told(clean_of, offline):
    (offline.root / "short.txt").write_text("yes\nno\n")
    with pytest.raises(DataError, match="no item is long enough"):
        clean_of([FILLER], contamination={"sets": [{"name": "x", "path": "short.txt"}]})


def test_part_of_a_long_item_drops_a_document_from_fifty_words_on(clean_of, offline):
    item = story("a", 800)
    (offline.root / "books.txt").write_text(f"{item}\n")
    parts = [" ".join(item.split()[100 : 100 + n]) for n in (49, 50, 300)]
    texts = [f"{FILLER * 30}{part}. {FILLER * 30}" for part in parts]
    sets = [{"name": "books", "path": "books.txt"}]
    rows = clean_of(texts, contamination={"sets": sets})
    assert [row["reason"] for row in rows] == [None, "contamination", "contamination"]
    assert [row["contamination:passage"] for row in rows] == [49, 50, 300]
    assert rows[2]["contamination"][0]["words"] == 300
    assert rows[2]["contamination:share"] < 0.5
    again = clean_of(texts, contamination={"sets": sets, "passage": None})
    assert all(row["kept"] for row in again)
    again = clean_of(texts, contamination={"sets": sets, "passage": 301})
    assert all(row["kept"] for row in again)


def test_a_passage_shorter_than_a_run_is_refused():
    with pytest.raises(ValueError, match=r"passage \(12\) is shorter than a run \(n: 13\)"):
        contamination.ContaminationSpec(sets=[{"name": "x", "path": "x.txt"}], passage=12)


def test_items_that_cannot_be_searched_for_are_counted_by_set(offline):
    instruction = story("i", 30)
    (offline.root / "a.txt").write_text("yes\nno\none two\n" + f"{ITEM}\n")
    (offline.root / "b.txt").write_text(f"{instruction}\n" * 12 + f"{CHINESE}\n")
    (offline.root / "c.txt").write_text(f"{story('c', 20)}\n")
    offline.lines("web.jsonl", [FILLER])
    offline.pool()
    sets = [{"name": name, "path": f"{name}.txt"} for name in "abc"]
    result = offline.run("clean", contamination={"sets": sets})
    assert result.searched == {
        "a": {"items": 4, "short": 3, "alike": 0},
        "b": {"items": 13, "short": 0, "alike": 12},
        "c": {"items": 1, "short": 0, "alike": 0},
    }
    told = {warning.key: warning.words for warning in result.warnings}
    assert told["clean.short_items"].endswith("are too short to look for: a (3 of 4)")
    assert told["clean.alike_items"].endswith("are not looked for: b (12 of 13)")


def test_the_most_shared_items_come_first_and_the_longest_passage_is_told():
    arrays = {"sets": np.zeros(30, int), "names": np.array([*"abcdefghijklmnopqrstuvwxyz0123"])}
    told = contamination._told({0: Overlap(0.2, 13), 1: Overlap(0.9, 20)}, ["s"], arrays)
    assert told == [
        {"set": "s", "item": "b", "share": 0.9, "words": 20},
        {"set": "s", "item": "a", "share": 0.2, "words": 13},
    ]
    many = {item: Overlap(0.5, 20) for item in range(29)} | {29: Overlap(0.1, 400)}
    told = contamination._told(many, ["s"], arrays)
    assert len(told) == contamination.MOST_TOLD
    assert told[-1] == {"set": "s", "item": "3", "share": 0.1, "words": 400}
