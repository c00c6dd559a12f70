"""Passages: words and their hashes, repeats beside brute force, and what `clean` makes of them."""

import json
from importlib.util import find_spec

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curate import tables
from curate.clean.duplicates.settling import Gone
from curate.clean.duplicates.shards import Shard, of_shard
from curate.clean.duplicates.spec import PassagesSpec
from curate.clean.duplicates.units import units
from curate.clean.edits import home
from curate.clean.passages import hashing
from curate.clean.passages.applying import whole
from curate.clean.passages.finding import find
from curate.clean.passages.hashing import anchor_words, count_words, scans
from curate.clean.passages.reading import held
from curate.clean.sharing import explain_document
from curate.engine import Local, choose
from curate.errors import DataError, RecipeError
from curate.run.stages import is_fresh
from curate.text import apply_edits, content_id
from tests.command import command

WORDS = [f"{a}{b}{c}" for a in "bdgkmp" for b in "aeiou" for c in "lnrst"]


def said(n, seed):
    """Return n random words; two seeds share no run of more than a few."""
    return " ".join(np.random.default_rng(seed).choice(WORDS, n))


LEGAL = f"Hear ye: {said(58, 'legal'.__len__())}."
"""A passage of 60 words, with marks."""


def words_of(text):
    (scan,) = scans([text], 1)
    starts, ends = scan.start - scan.shift, scan.end - scan.shift
    return [text[a:b] for a, b in zip(starts.tolist(), ends.tolist(), strict=True)]


# ── words and hashes


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Don't panic, it's well-known.", ["Don't", "panic", "it's", "well", "known"]),
        ("'quoted' x’y ’", ["quoted", "x’y"]),
        ("汉字abc混排 1.5", ["汉", "字", "abc", "混", "排", "1", "5"]),
        ("한국어 문장", ["한국어", "문장"]),
        ("हिन्दी भाषा", ["हिन्दी", "भाषा"]),
        ("e\u0301te\u0301 ok", ["e\u0301te\u0301", "ok"]),
        ("foo_bar(baz)", ["foo", "bar", "baz"]),
        ("", []),
        (" \n ", []),
    ],
)
def test_words(text, words):
    assert words_of(text) == words
    assert count_words(text) == len(words)


def test_words_of_scripts_without_spaces_are_those_of_contamination():
    from curate.clean.instruments import grams

    for text in ("แมวกินปลาทุกวัน", "ひらがなとカタカナと漢字。", "ខ្មែរ"):
        assert len(words_of(text)) == len(grams.words(text))


def runs_of(texts, n):
    """Return every run of n words with its text and its hash."""
    found = {}
    for scan in scans(texts, n):
        runs = scan.runs(n)
        keys = zip(scan.hashes(runs, n, 0).tolist(), scan.hashes(runs, n, 1).tolist(), strict=True)
        texts_of = scan.owner[scan.text()[runs]].tolist()
        places = (runs - scan.first[scan.text()[runs]] + scan.words).tolist()
        found |= dict(zip(zip(texts_of, places, strict=True), keys, strict=True))
    return found


@given(st.lists(st.text("ab 汉.'\n", max_size=40), max_size=6), st.integers(1, 5))
def test_runs_are_equal_if_their_characters_are(texts, n):
    """White space aside; and no run crosses from one text into the next."""
    characters = {}
    for number, text in enumerate(texts):
        starts, ends, at = [], [], 0
        for word in words_of(text):
            at = text.index(word, at)
            starts.append(at)
            at += len(word)
            ends.append(at)
        for k in range(len(starts) - n + 1):
            parts = [text[starts[k + j] : ends[k + j]] for j in range(n)]
            gaps = [text[ends[k + j] : starts[k + j + 1]].split() for j in range(n - 1)]
            characters[number, k] = (tuple(parts), tuple("".join(gap) for gap in gaps))
    hashes = runs_of(texts, n)
    assert hashes.keys() == characters.keys()
    assert len(set(hashes.values())) == len(set(characters.values()))
    for place, other in zip(characters, reversed(characters), strict=True):
        assert (hashes[place] == hashes[other]) == (characters[place] == characters[other])


def test_two_words_are_not_one():
    one, other = runs_of(["the rapist came", "therapist came along"], 2), None
    other = one.pop((1, 0))
    assert other not in one.values()


@pytest.mark.parametrize("n", [2, 9, 50])
def test_every_run_holds_an_anchor_of_its_own_text_alone(n):
    texts = [said(200, 1), " ".join(["ha"] * 120), said(n, 2), said(n - 1, 3)]
    for scan in scans(texts, n):
        at, key = scan.anchors(n)
        size, runs = anchor_words(n), scan.runs(n)
        assert key.tolist() == scan.hashes(at, size, 0).tolist()
        for run in runs.tolist():
            inside = at[(at >= run) & (at + size <= run + n)]
            hashes = scan.hashes(np.arange(run, run + n - size + 1), size, 0)
            assert hashes.min() in scan.hashes(inside, size, 0)
        text = scan.text()
        assert (text[at] == text[at + size - 1]).all()
        assert not (text[at] == 3).any()  # too short to hold a run


def test_a_long_text_is_hashed_as_if_it_were_short(monkeypatch):
    text = f"{said(3000, 4)} {'x' * 5000} {said(300, 5)} " + " ".join("x" * 900 for _ in range(30))
    whole_text = runs_of([text], 20)
    anchors = {key for scan in scans([text], 20) for key in scan.anchors(20)[1].tolist()}
    monkeypatch.setattr(hashing, "BLOCK", 1000)
    assert len(list(scans([text], 20))) > 5
    assert runs_of([text], 20) == whole_text
    assert {key for scan in scans([text], 20) for key in scan.anchors(20)[1].tolist()} == anchors


@given(st.text("abc .", max_size=30), st.data())
def test_ranges_come_home_as_one_by_one(text, data):
    cuts = sorted(data.draw(st.sets(st.integers(0, len(text)), max_size=6)))
    edits = [
        (a, b, data.draw(st.sampled_from(["", "[X]"])))
        for a, b in zip(cuts[::2], cuts[1::2], strict=False)
    ]
    (unit,) = units(text, edits, None)
    ranges = [(a, b) for a in range(len(unit.text)) for b in range(a + 1, len(unit.text) + 1)]
    if ranges:
        starts, ends = unit.home(*(np.array(each) for each in zip(*ranges, strict=True)))
        expected = [edit[:2] for edit in home([(a, b, "") for a, b in ranges], edits)]
        assert list(zip(starts.tolist(), ends.tolist(), strict=True)) == expected


# ── repeats


@pytest.fixture
def passages(tmp_path):
    """Return how to find the passages of texts in order of precedence: {place: words removed}."""
    runs = []

    def run(texts, n, *, size=1000, engine=None, **given):
        runs.append(texts)
        folder = tmp_path / str(len(runs))
        folder.mkdir()
        spec = PassagesSpec(tokens=n, **given)
        shards = [
            written(folder, number, texts[at : at + size], at, spec)
            for number, at in enumerate(range(0, len(texts), size))
        ]
        buckets = find(engine or Local(1), shards, Gone(), spec, folder / "scratch")
        found = {}
        for shard in shards if buckets else ():
            for row in of_shard(buckets, shard.number).to_pylist():
                place = shard.number * size + row["row"]
                found.setdefault(place, []).append((row["start"], row["end"], row))
        return found

    return run


def written(folder, number, texts, first, spec):
    rows, edits = len(texts), tables.schema("clean", "edits").field("edits").type
    columns = {
        "texts": {
            "id": [f"{4 * (first + k):010x}".ljust(32, "0") for k in range(rows)],
            "text": texts,
            "source": ["a"] * rows,
            "batch": [1] * rows,
        },
        "measured": {"edits": pa.nulls(rows, edits), "tokens": [len(text) for text in texts]},
        "reasons": {"reason": pa.nulls(rows, pa.string())},
    }
    paths = {name: folder / f"{name}-{number}.parquet" for name in columns}
    for name, own in columns.items():
        pq.write_table(pa.table(own), paths[name])
    measured = paths["measured"]
    return Shard(number, paths["texts"], measured, measured, paths["reasons"], {"a": 0}, spec)


def brute_force(texts, n):
    """The words of each text in runs of n that an earlier text holds, as places."""
    first, removed = {}, {}
    for place, text in enumerate(texts):
        words = text.split()
        for at in range(len(words) - n + 1):
            holder = first.setdefault(tuple(words[at : at + n]), place)
            if holder != place:
                removed.setdefault(place, set()).update(range(at, at + n))
    return removed


def covered(text, ranges):
    """The places of the words that ranges of a text cover."""
    places, at = set(), 0
    for number, word in enumerate(text.split(" ")):
        if any(start <= at and at + len(word) <= end for start, end, *_ in ranges):
            places.add(number)
        at += len(word) + 1
    return places


def mixed(seed, n, kinds):
    """Return texts that share passages of many lengths, from a vocabulary of so many words."""
    rng = np.random.default_rng(seed)
    vocabulary = [f"w{k}" for k in range(kinds)]
    shared = [rng.choice(vocabulary, rng.integers(n - 2, 3 * n)).tolist() for _ in range(6)]
    texts = []
    for _ in range(60):
        words = rng.choice(vocabulary, rng.integers(1, 60)).tolist()
        for _ in range(rng.integers(0, 3)):
            words += shared[rng.integers(6)] + rng.choice(vocabulary, rng.integers(20)).tolist()
        texts.append(" ".join(words))
    return texts


@pytest.mark.parametrize(("seed", "n", "kinds"), [(0, 8, 3), (1, 8, 500), (2, 11, 30), (3, 20, 2)])
def test_repeats_are_those_of_brute_force(passages, seed, n, kinds):
    """Few words make texts full of repeats, within documents and across them."""
    texts = mixed(seed, n, kinds)
    expected = brute_force(texts, n)
    assert len(expected) > 10
    found = passages(texts, n)
    assert {place: covered(texts[place], ranges) for place, ranges in found.items()} == expected


@pytest.mark.parametrize("name", ["local", "ray"])
def test_shards_workers_and_engines_do_not_change_passages(passages, name):
    if name == "ray" and find_spec("ray") is None:
        pytest.skip("ray is not installed: pip install 'curate[ray]'")
    texts = mixed(4, 10, 200)
    expected = ranges_alone(passages(texts, 10))
    assert len(expected) > 10
    assert ranges_alone(passages(texts, 10, size=7)) == expected
    engine = choose(name, 2)
    assert ranges_alone(passages(texts, 10, size=13, engine=engine)) == expected
    engine.close()


def ranges_alone(found):
    return {
        place: [(start, end, row["kept"], row["kept_start"]) for start, end, row in ranges]
        for place, ranges in found.items()
    }


@pytest.mark.parametrize("length", [50, 51, 137, 500])
def test_planted_repeats_are_found_and_nothing_else(passages, length):
    texts = [said(int(n), [7, k]) for k, n in enumerate(np.linspace(0, 300, 80))]
    planted = said(length, [8, length])
    holders = [3, 40, 77]
    for holder in holders:
        texts[holder] = f"{texts[holder]} {planted} n{holder} {said(9, [9, holder])}"
    found = passages(texts, 50)
    assert sorted(found) == holders[1:]
    for holder in holders[1:]:
        ((start, end, row),) = found[holder]
        assert texts[holder][start:end] == planted
        assert (row["words"], row["documents"]) == (length, 3)
    assert passages([text.replace(planted, said(49, 1)) for text in texts], 50) == {}


def test_no_passage_crosses_from_one_document_into_the_next(passages):
    words = said(60, 1).split()
    halves = [" ".join(words[:30]), " ".join(words[30:])]
    assert passages([*halves, " ".join(words)], 40) == {}
    assert passages([*halves, " ".join(words)], 30).keys() == {2}


def test_repeats_within_a_document_are_no_passages(passages):
    text = f"{said(40, 1)} {said(40, 1)}"
    assert passages([text, said(40, 2)], 20) == {}
    found = passages([said(40, 1), text], 20)
    ranges = [(start, end) for start, end, _ in found[1]]
    assert covered(text, ranges) == set(range(80))


def test_repeats_that_overlap_are_one_after_the_other(passages):
    words = said(90, 1).split()
    texts = [" ".join(words[:50]), " ".join(words[40:]), " ".join(words)]
    found = passages(texts, 20)
    assert covered(texts[2], found[2]) == set(range(50)) | set(range(40, 90))
    assert [row["kept"][:10] for _, _, row in found[2]] == [f"{0:010x}", f"{4:010x}"]


def test_marks_belong_to_a_passage_where_both_have_them(passages):
    inner = said(30, 1)
    texts = [f'He said: "{inner}".', f'They wrote "{inner}"!', f"({inner}) and went"]
    found = passages(texts, 30)
    shown = {place: [texts[place][a:b] for a, b, _ in own] for place, own in found.items()}
    assert shown == {1: [f'"{inner}'], 2: [inner]}  # `".` is not `"!`, nor is `(` a quote
    texts[1] = f'Then "{inner}".'
    (start, end, _), *_ = passages(texts, 30)[1]
    assert texts[1][start:end] == f'"{inner}".'


def test_case_and_marks_count_and_white_space_does_not(passages):
    text = said(30, 1)
    assert passages([text, text.replace(" ", "\n\t ")], 30).keys() == {1}
    assert passages([text, text.upper()], 30) == {}
    assert passages([text, text.replace(" ", ", ", 15)], 30) == {}


def test_the_unit_of_chinese_is_the_character(passages):
    rng = np.random.default_rng(0)
    han = ["".join(rng.choice([chr(0x4E00 + k) for k in range(900)], n)) for n in (40, 55, 30)]
    texts = [f"{han[0]}，{han[1]}。", f"{han[2]}。{han[1]}。"]
    ((start, end, row),) = passages(texts, 50)[1]
    assert (texts[1][start:end], row["words"]) == (f"{han[1]}。", 55)
    assert passages(texts, 56) == {}


# ── in `clean`


def stage(offline, by_source, **given):
    for name, texts in by_source.items():
        offline.lines(f"{name}.jsonl", texts)
    offline.pool(*(f"{name}.jsonl" for name in by_source))
    return offline.run("clean", **{"rules": ["length"], "passages": 50, **given})


def edited(offline):
    """The text of each document of the pool after its edits, by source and place."""
    texts = {row["id"]: row for row in offline.rows("pool")}
    shown = {}
    for row in offline.rows("clean"):
        edits = [tuple(edit.values()) for edit in row["edits"] or ()]
        document = texts[row["id"]]
        shown[document["text"]] = apply_edits(document["text"], edits)
    return shown


def test_a_passage_stays_where_it_stands_first(offline):
    head, foot = f"{LEGAL}\n\n{said(30, 1)}", f"{said(40, 2)}\n\n{LEGAL}"
    alone, inside = LEGAL, f"So {LEGAL} Then."
    made = stage(offline, {"a": [head, foot], "b": [inside], "c": [alone]})
    shown = edited(offline)
    first = min((head, foot), key=lambda text: content_id({"text": text}))
    assert shown.pop(first) == first
    others = {head: said(30, 1), foot: said(40, 2), inside: "So Then."}
    others.pop(first, None)
    assert shown == {**others, alone: ""}
    assert (made.kept, made.reasons) == (3, {"passages": 1})
    counts = made.passages
    assert [counts[name].documents for name in "abc"] == [1, 1, 1]
    assert counts["b"].words == 60
    assert counts["c"].removed == len(LEGAL)
    by_id = {row["id"]: row for row in offline.rows("clean")}
    gone = by_id[content_id({"text": alone})]
    assert (gone["kept"], gone["reason"], gone["tokens"]) == (False, "passages", 0)
    assert gone["passages:words"] == 60
    assert by_id[content_id({"text": inside})]["tokens"] == len("So Then.")


def test_what_others_drop_holds_nothing(offline):
    """Neither a document that a rule drops, nor a near-duplicate that goes, counts as a holder."""
    page = f"{said(200, 1)} {LEGAL}"
    texts = {"a": [f"{LEGAL} {'!' * 500}"], "b": [f"{LEGAL} {said(90, 2)}"]}
    for most, is_whole in ((len(LEGAL) + 400, True), (len(LEGAL) + 600, False)):
        stage(offline, texts, limits={"length:chars": {"max": most}})
        assert (edited(offline)[texts["b"][0]] == texts["b"][0]) == is_whole
    twins = {"a": [page], "b": [f"{page} more"], "c": [f"{LEGAL} {said(30, 3)}"]}
    made = stage(offline, twins, near_duplicates=0.8)
    assert made.reasons == {"near_duplicate": 1}
    (path,) = (offline.root / "clean" / "_passages").iterdir()
    ((row),) = pq.read_table(path).to_pylist()
    assert row["kept"] == content_id({"text": page})
    assert row["documents"] == 2


@pytest.mark.parametrize(
    ("keep", "stays"), [("first", "b"), ("longest", "c"), ("newest", "d"), ("source", "a")]
)
def test_who_keeps_a_passage_can_be_chosen(offline, keep, stays):
    texts = {
        "b": {"text": f"{LEGAL} {said(20, 1)}", "date": "2021-05-01"},
        "c": {"text": f"{LEGAL} {said(70, 2)}", "date": "2020-05-01T10:00:00Z"},
        "d": {"text": f"{LEGAL} {said(30, 3)}", "date": 1_700_000_000},
        "a": {"text": f"{LEGAL} {said(10, 4)}", "date": "unknown"},
    }
    for name in "bcd":
        offline.lines(f"{name}.jsonl", [texts[name]])
    offline.pool("b.jsonl", "c.jsonl", "d.jsonl")
    offline.lines("a.jsonl", [texts["a"]])
    offline.pool("a.jsonl", "b.jsonl", "c.jsonl", "d.jsonl")  # a batch of its own
    more = {"date": "meta.date"} if keep == "newest" else {}
    offline.run("clean", passages={"tokens": 50, "keep": keep, **more})
    whole_texts = {text for text, shown in edited(offline).items() if text == shown}
    assert whole_texts == {texts[stays]["text"]}


def test_passages_of_one_source_alone(offline):
    """A licence's header stays in code, and a site's foot goes, by the source."""
    code = [f"# {LEGAL}\nprint({n})" for n in range(3)]
    web = [f"{said(30, n)}\n{LEGAL}" for n in range(3)]
    stage(offline, {"code": code, "web": web}, passages={"tokens": 50, "sources": ["web"]})
    changed = {text for text, shown in edited(offline).items() if text != shown}
    assert len(changed) == 2
    assert changed < set(web)
    assert {row["passages:words"] for row in offline.rows("clean")} == {None, 0.0, 60.0}
    stage(offline, {"code": code, "web": web}, passages={"tokens": 50, "within": "source"})
    kept = [text for text, shown in edited(offline).items() if text == shown]
    assert sorted(text in web for text in kept) == [False, True]
    with pytest.raises(RecipeError, match="no source wbe"):
        offline.run("clean", passages={"tokens": 50, "sources": ["wbe"]})


def chat(user, n):
    system = f"You may call these tools. {said(80, 99)}"
    return {
        "messages": [
            {"role": "system", "content": system},
            {"role": "user", "content": user},
            {"role": "assistant", "content": said(20, [5, n])},
        ]
    }


def test_only_the_words_of_users_are_compared(offline):
    """Chats over one tool schema share it; a passage never crosses from one turn into the next."""
    users = [f"{said(30, n)} {LEGAL if n < 2 else ''}".strip() for n in range(4)]
    offline.lines("chats.jsonl", [chat(user, n) for n, user in enumerate(users)])
    source = {"paths": ["data/chats.jsonl"], "chat": {}}
    offline.run("pool", sources=[source], tokenizer="bytes")
    offline.run("clean", rules=["length"], passages=50)
    assert sum(bool(row["edits"]) for row in offline.rows("clean")) == 3
    offline.run("clean", rules=["length"], passages={"tokens": 50, "fields": ["user"]})
    shown = edited(offline)
    changed = [(text, after) for text, after in shown.items() if text != after]
    ((text, after),) = changed
    assert said(80, 99) in after
    assert LEGAL in text
    assert LEGAL not in after
    assert text.replace(f" {LEGAL}", "") == after


def test_masks_stay_masks(offline):
    mail = f"Write to anna@example.com. {LEGAL}"
    stage(offline, {"a": [f"{mail} {said(9, 1)}"], "b": [f"{said(9, 2)} {mail}"]}, privacy="mask")
    shown = list(edited(offline).values())
    assert sum("Hear ye" in text for text in shown) == 1
    assert not any("anna" in text for text in shown)
    id = next(row["id"] for row in offline.rows("clean") if row["passages:words"])
    (common,) = explain_document(offline.workspace, id).common
    assert "anna" not in common.text


@pytest.mark.parametrize(
    ("text", "removed", "left"),
    [
        ("a\n\nXX\n\nb", "XX", "a\n\nb"),
        ("XX\n\nb", "XX", "b"),
        ("a\nXX\nb", "XX", "a\nb"),
        ("a XX b", "XX", "a b"),
        ("a XX\nb", "XX", "a\nb"),
        ("  XX b", "XX", "  b"),
        ("a(XX)b", "XX", "a()b"),
        ("XX", "XX", ""),
        ("a\n\n XX\n", "XX", "a"),
    ],
)
def test_no_blank_line_is_left_of_a_passage(text, removed, left):
    start = text.index(removed)
    first, last = whole(text, start, start + len(removed))
    assert text[:first] + text[last:] == left


def test_another_setting_measures_nothing_again(offline):
    texts = {"a": [f"{LEGAL} {said(30, 1)}"], "b": [f"{said(40, 2)} {LEGAL}"]}
    plain = stage(offline, texts, passages=None)
    before = [
        {name: row[name] for name in ("id", "kept", "reason", "edits", "tokens")}
        for row in offline.rows("clean")
    ]
    made = offline.run("clean", rules=["length"], passages=50)
    assert (made.measured, made.tokens < plain.tokens) == (0, True)
    assert made == offline.run("clean", rules=["length"], passages=60)
    flagged = offline.run("clean", rules=["length"], passages={"tokens": 50, "action": "flag"})
    assert (flagged.measured, flagged.tokens) == (0, plain.tokens)
    assert flagged.passages["b"].words == 60
    assert not any(row["edits"] for row in offline.rows("clean"))
    again = offline.run("clean", rules=["length"])
    assert (again.measured, again.tokens) == (0, plain.tokens)
    after = offline.rows("clean")
    assert [{name: row[name] for name in before[0]} for row in after] == before
    assert not any(name.startswith("passages") for name in after[0])
    spec = offline.spec("clean", rules=["length"], passages=50)
    assert not is_fresh(offline.workspace, "clean", spec)


def test_little_that_is_left_goes(offline):
    texts = {"a": [f"{LEGAL} {said(30, 1)}"], "b": [f"{LEGAL} Read on."], "c": [LEGAL]}
    assert stage(offline, texts).reasons == {"passages": 1}
    made = offline.run("clean", rules=["length"], passages={"tokens": 50, "least": 3})
    assert made.reasons == {"passages": 2}
    from curate.clean.explaining import what_if

    (outcome,) = (
        one
        for one in what_if(offline.workspace, ["length:words.min=1"])
        if one.source == "all" and one.limits != "as it is"
    )
    assert outcome.change == 0


def test_a_document_tells_its_passages_and_who_else_holds_them(offline, monkeypatch, capsys):
    texts = {"a": [f"{LEGAL} {said(30, 1)}"], "b": [f"{said(8, n)} {LEGAL}" for n in range(3)]}
    stage(offline, texts)
    keeper = content_id({"text": texts["a"][0]})
    ids = [content_id({"text": text}) for text in texts["b"]]
    explained = explain_document(offline.workspace, ids[0][:12])
    (common,) = explained.common
    assert (explained.id, explained.kept, common.kind, common.side) == (
        *(ids[0], True),
        *("passage", "kept in"),
    )
    assert common.document == keeper
    assert set(common.others) == {keeper, *ids[1:]}
    assert (common.documents, common.words) == (4, 60)
    assert LEGAL.startswith(common.text[:-1])
    (own,) = explain_document(offline.workspace, keeper).common
    assert (own.side, set(own.others), own.documents) == ("kept here", set(ids), 4)
    with pytest.raises(DataError, match="no document of the pool begin"):
        explain_document(offline.workspace, "0" * 32)
    run = command(monkeypatch, capsys)
    code, out, _ = run("clean", "--explain", ids[0], "-w", offline.root, "--json")
    assert code == 0
    assert json.loads(out)["common"][0]["document"] == keeper
    code, out, err = run("clean", "--explain", ids[0], "-w", offline.root)
    assert code == 0
    assert "is kept" in err
    assert "passage" in out


def test_a_source_that_all_but_vanishes_names_its_template(offline):
    texts = {"a": [LEGAL], "shop": [f"{LEGAL} No. {n}" for n in range(12)]}
    made = stage(offline, texts, near_duplicates=None)
    (warning,) = made.warnings
    assert warning.key == "clean.passages"
    (template,) = warning.figures["templates"]
    assert template["source"] == "shop"
    assert template["id"] == content_id({"text": LEGAL})
    assert template["documents"] == 13
    assert LEGAL[:40] in warning.words
    assert template["id"] in warning.words


def test_nothing_is_left_of_a_document_that_is_taken_down(offline, monkeypatch, capsys):
    texts = {"a": [LEGAL], "shop": [f"{LEGAL} No. {n}" for n in range(12)]}
    stage(offline, texts)
    keeper = content_id({"text": LEGAL})
    assert LEGAL[:40] in (offline.root / "ledger.jsonl").read_text()
    (offline.root / "ids").write_text(keeper)
    run = command(monkeypatch, capsys)
    arguments = ["--ids", offline.root / "ids", "--reason", "asked", "--yes", "-w", offline.root]
    code, out, _ = run("remove", *arguments, "--json")
    assert code == 0
    assert "12 documents that stay have passages in common" in json.loads(out)["notes"][0]
    ledger = (offline.root / "ledger.jsonl").read_text()
    assert LEGAL[:40] not in ledger
    assert "(taken down)" in ledger
    for name in ("_passages", "_unpassaged"):
        for path in (offline.root / "clean" / name).glob("*.parquet"):
            assert not any("Hear ye" in str(row) for row in pq.read_table(path).to_pylist())
    shop = content_id({"text": texts["shop"][0]})
    (offline.root / "ids").write_text(shop)
    assert run("remove", *arguments)[0] == 0
    for name in ("_passages", "_unpassaged"):
        (path,) = (offline.root / "clean" / name).glob("*.parquet")
        assert shop not in pq.read_table(path)["id"].to_pylist()


def test_a_number_is_enough(offline):
    assert offline.spec("clean", passages=80).passages == PassagesSpec(tokens=80)
    for bad, words in (
        ({"tokens": 3}, "greater than or equal to 8"),
        ({"within": ["sorce"]}, "did you mean source"),
        ({"keep": "last"}, "'first', 'longest', 'newest' or 'source'"),
    ):
        with pytest.raises(ValueError, match=words):
            offline.spec("clean", passages=bad)


def test_held_is_empty_without_passages(offline):
    stage(offline, {"a": [said(30, 1)]}, passages=None)
    (row,) = offline.rows("clean")
    assert held(offline.workspace, row["id"]) == []
    assert explain_document(offline.workspace, row["id"]).common == ()
