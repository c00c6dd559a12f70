"""Verdicts with reasons, repetition signals, near-duplicates."""

import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curate import storage
from curate.clean import planning, verdicts
from curate.clean import spec as spec_
from curate.clean.deciding import decide, outside
from curate.clean.edits import home, merged
from curate.clean.measuring import measure_texts
from curate.clean.rules import c4, length
from curate.clean.rules.features import Features
from curate.clean.rules.registry import RULES, ranges
from curate.errors import RecipeError
from curate.pool import stage as pool
from curate.run.recipe import json_schema
from curate.spec import validated
from curate.text import apply_edits, content_id

PREPARED = {"c4": c4.Prepared(), "lines": 0.4}

LONGER = "We ate outside under old trees, paid less than last year, and left late in the evening."
SOUP = "The soup was good and the bread was fresh, so we came back."


# ── rules


def test_length():
    assert length.measure(Features("  two words \n")) == {"chars": 9.0, "words": 2.0}
    assert length.measure(Features("我爱北京")) == {"chars": 4.0, "words": 4.0}
    assert length.measure(Features("")) == {"chars": 0.0, "words": 0.0}


def chosen(*names):
    return [(RULES[name], PREPARED.get(name)) for name in names]


@pytest.mark.parametrize("name", RULES)
@given(texts=st.lists(st.text("ab.\n#我，-…{ ", max_size=60), max_size=4))
def test_a_set_measures_every_text_by_itself(name, texts):
    signals, removed = measure_texts(texts, chosen(name))
    assert signals.shape == (len(texts), len(RULES[name].signals))
    assert ((signals >= 0) | np.isnan(signals)).all()
    for text, row, edits in zip(texts, signals, removed, strict=True):
        apply_edits(text, edits)  # in order, and within the text
        alone, same = measure_texts([text], chosen(name))
        np.testing.assert_array_equal(alone[0], row)
        assert same == [edits]


def test_a_set_for_english_leaves_chinese_alone():
    chinese, english = "我爱北京天安门。\n" * 20, "Love. " * 20
    for name in ("lines", "gopher_quality", "gopher_repetition", "c4", "fineweb"):
        signals, edits = measure_texts([chinese, english], chosen(name))
        assert np.isnan(signals[0]).all()
        assert edits[0] == []
        assert not np.isnan(signals[1, 0])


def test_a_set_sees_what_those_before_it_have_left():
    page = "Home | About | Contact\nThis is a sentence of its own. It has a second one."
    signals, edits = measure_texts([page], chosen("c4", "length"))
    assert edits == [[(0, 23, "")]]
    assert signals[0, -2] == len(page) - 23
    assert measure_texts([page], chosen("length", "c4"))[0][0, 0] == len(page)


def test_the_first_signal_outside_its_range_is_the_reason():
    limits = {"r:a": (1.0, None), "r:b": (None, 2.0), "r:c": (None, None)}
    values = {"r:a": [1, 0.9, 1], "r:b": [2, 9, 2.1], "r:c": [1e9, 0, 0]}
    table = pa.table({name: pa.array(each, pa.float32()) for name, each in values.items()})
    table = table.append_column("source", [["web"] * 3])
    found = decide(table, rules=("r",), limits=limits, instruments=())
    assert found.to_pylist() == [None, "r:a", "r:b"]


def test_a_limit_lets_its_own_value_pass():
    shares = np.array([0.3, 0.1, np.nextafter(np.float32(0.3), 1), np.nan], np.float32)
    assert outside(shares, (None, 0.3)).tolist() == [False, False, True, False]
    assert outside(shares, (0.3, None)).tolist() == [False, True, False, False]


@given(st.text("abcd\n", max_size=30), st.data())
def test_edits_in_turn_are_edits_at_once(text, data):
    def some(length, letters):
        cuts = sorted(data.draw(st.sets(st.integers(0, length), max_size=6)))
        return [
            (a, b, data.draw(st.sampled_from(letters)))
            for a, b in zip(cuts[::2], cuts[1::2], strict=False)
        ]

    first = some(len(text), ("",))
    between = apply_edits(text, first)
    second = some(len(between), ("",))
    both = merged(first, home(second, first))
    assert apply_edits(text, both) == apply_edits(between, second)


def test_overlapping_edits_become_one():
    line, mail, key = (0, 10, ""), (4, 8, "<mail>"), (6, 12, "<key>")
    assert merged([mail], [key]) == [(4, 12, "<mail>")]
    assert merged([line], [mail]) == [line]
    assert merged([mail, (20, 22, "")], [line, (22, 25, "")]) == [line, (20, 25, "")]
    assert merged([line], [key]) == [(0, 12, "")]
    assert merged() == merged([], []) == []


def test_what_reaches_into_a_mask_takes_the_whole_of_it():
    masked = [(2, 5, "<x>")]  # ab123cd → ab<x>cd
    assert home([(3, 4, "")], masked) == [(2, 5, "")]
    assert home([(0, 2, ""), (5, 7, "")], masked) == [(0, 2, ""), (5, 7, "")]


def test_limits_of_the_recipe():
    spec = spec_.CleanSpec.model_validate({"limits": {"length:words": {"min": 5}}})
    assert verdicts.limits_of(spec)["length:words"] == (5, 100_000)
    assert verdicts.limits_of(spec)["length:chars"] == (1, None)
    again = spec_.CleanSpec.model_validate(spec.settings())  # as the table remembers them
    assert verdicts.limits_of(again) == verdicts.limits_of(spec)
    opened = spec_.CleanSpec.model_validate({"limits": {"length:words": {"min": 5, "max": None}}})
    assert verdicts.limits_of(opened)["length:words"] == (5, None)
    empty = spec_.CleanSpec.model_validate({"limits": {"length:words": {"max": 2}}})
    with pytest.raises(RecipeError, match="nothing passes length:words, from 3 to 2"):
        verdicts.limits_of(empty)
    wrong = spec_.CleanSpec.model_validate({"limits": {"gopher_repetition:top_2_gram": {}}})
    with pytest.raises(RecipeError, match="no signal gopher_repetition:top_2_gram") as caught:
        verdicts.limits_of(wrong)
    assert "length:words" in caught.value.hint


def test_a_set_stands_once():
    with pytest.raises(RecipeError, match=r"rules: the set length appears 2 times"):
        validated(spec_.CleanSpec, {"rules": ["length", "c4", "length"]}, where="recipe.yaml")


WORDS = [f"{a}{b}{c}" for a in "bdgkmp" for b in "aeiou" for c in "lnrst"]


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


# ── the stage


def cleaned(offline, texts, **given):
    offline.lines("notes.jsonl", texts)
    offline.pool()
    made = offline.run("clean", **given)
    rows = {row["id"]: row for row in offline.rows("clean")}
    return made, [rows[content_id({"text": text})] for text in texts]


def test_every_row_has_a_verdict(offline):
    texts = [f"{SOUP} {LONGER}", "no", "spam spam spam " * 30]
    made, rows = cleaned(offline, texts, rules=["length", "gopher_repetition"])
    reasons = [None, "length:words", "gopher_repetition:top_2_gram"]
    assert [row["reason"] for row in rows] == reasons
    assert [row["kept"] for row in rows] == [True, False, False]
    assert [row["tokens"] for row in rows] == [len(text) for text in texts]
    assert rows[1]["length:words"] == 1
    assert rows[2]["gopher_repetition:top_2_gram"] == pytest.approx(1.78)
    assert (made.documents, made.kept, made.tokens) == (3, 1, len(texts[0]))
    assert made.reasons == {"length:words": 1, "gopher_repetition:top_2_gram": 1}
    assert [row["id"] for row in offline.rows("clean")] == [
        row["id"] for row in offline.rows("pool")
    ]


def test_no_rules_keep_everything(offline):
    made, rows = cleaned(offline, [SOUP, "no", ""], rules=[])
    assert made.kept == 3
    assert ":" not in "".join(rows[0])


def test_the_source_first_in_the_recipe_keeps_its_twin(offline):
    texts = [f"{SOUP} Number {n}." for n in range(3)]
    offline.lines("b.jsonl", [texts[0]])
    offline.lines("a.jsonl", [texts[1], texts[2]])
    offline.run(
        "pool",
        sources=[{"paths": ["data/b.jsonl"]}, {"paths": ["data/a.jsonl"]}],
        tokenizer="bytes",
    )
    made = offline.run("clean", near_duplicates=0.7)
    found = {row["id"]: row for row in offline.rows("clean")}
    first = content_id({"text": texts[0]})
    assert found[first]["kept"]
    for text in texts[1:]:
        row = found[content_id({"text": text})]
        assert row["duplicate_of"] == first
        assert row["reason"] == "near_duplicate"
        assert 0.7 <= row["similarity"] < 1
    assert made.reasons == {"near_duplicate": 2}


def test_within_a_source_the_smallest_id_stays(offline):
    texts = [f"{SOUP} Number {n}." for n in range(6)]
    _, rows = cleaned(offline, texts, near_duplicates=0.7)
    (kept,) = [row["id"] for row in rows if row["kept"]]
    assert kept == min(row["id"] for row in rows)


def test_a_row_that_failed_a_rule_evicts_nobody(offline):
    texts = [SOUP, f"{SOUP} Yes."]
    _, rows = cleaned(
        offline, texts, near_duplicates=0.7, limits={"length:chars": {"min": len(SOUP) + 1}}
    )
    assert [row["reason"] for row in rows] == ["length:chars", None]
    assert rows[1]["duplicate_of"] is None


def test_shards_do_not_change_the_verdicts(offline, monkeypatch):
    texts = planted(20)
    made, rows = cleaned(offline, texts, near_duplicates=0.7)
    assert made.kept < 40
    monkeypatch.setattr(pool, "ROWS_PER_SHARD", 7)
    shutil.rmtree(offline.root / "pool")
    again, parts = cleaned(offline, texts, near_duplicates=0.7)
    assert (again, parts) == (made, rows)
    assert len(offline.workspace.tables.shards("clean")) == 6


def test_a_resumed_build_gives_the_same_bytes(offline, monkeypatch):
    monkeypatch.setattr(pool, "ROWS_PER_SHARD", 7)
    cleaned(offline, planted(20), near_duplicates=0.7)
    undisturbed = {
        path.name: path.read_bytes() for path in offline.workspace.tables.shards("clean")
    }
    measure, calls = planning.measure, []

    def killed(table, **given):
        calls.append(table.num_rows)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return measure(table, **given)

    shutil.rmtree(offline.root / "clean")
    monkeypatch.setattr(planning, "measure", killed)
    with pytest.raises(KeyboardInterrupt):
        offline.run("clean", near_duplicates=0.7)
    offline.run("clean", near_duplicates=0.7)
    assert len(calls) == len(undisturbed) + 1  # two shards were not measured again
    again = {path.name: path.read_bytes() for path in offline.workspace.tables.shards("clean")}
    assert again == undisturbed
    folders = [path.name for path in (offline.root / "clean").iterdir() if path.is_dir()]
    assert sorted(folders) == ["_clusters", "_index", "_signatures"]


def test_no_shard_of_the_table_holds_signatures(offline):
    cleaned(offline, [SOUP, f"{SOUP} Yes."], near_duplicates=0.7)
    for path in storage.shards(offline.root / "clean"):
        assert not [name for name in pq.read_schema(path).names if name.startswith("_")]


# ── measured once


@pytest.fixture
def reads(monkeypatch):
    """Count the documents that are measured."""
    measure, rows = planning.measure, []

    def counted(table, **given):
        rows.append(table.num_rows)
        return measure(table, **given)

    monkeypatch.setattr(planning, "measure", counted)
    return rows


def test_another_limit_decides_without_measuring(offline, reads):
    texts = [SOUP, f"{SOUP} Yes.", "Short text here."]
    made, rows = cleaned(offline, texts, near_duplicates=0.7)
    assert (made.measured, reads) == (3, [3])
    strict = offline.run("clean", near_duplicates=0.99, limits={"length:words": {"min": 5}})
    assert (strict.measured, reads) == (0, [3])
    assert strict.reasons == {"length:words": 1}
    plain = offline.run("clean", near_duplicates=None)  # asks for less than there is
    assert (plain.measured, plain.reasons) == (0, {})
    assert offline.run("clean", near_duplicates=0.7).measured == 3  # the signatures went
    again = {row["id"]: row for row in offline.rows("clean")}
    assert [again[row["id"]] for row in rows] == rows


def test_other_rules_or_another_pool_measure_again(offline, reads):
    cleaned(offline, [SOUP])
    offline.run("clean", rules=["length", "gopher_repetition"])
    assert reads == [1, 1]
    cleaned(offline, [SOUP, "More of it now."])
    assert reads == [1, 1, 2]


def test_a_decision_again_is_the_decision_at_once(offline):
    texts = [*planted(20), "A text of five words."]
    limits = {"length:chars": {"min": 50}}
    cleaned(offline, texts, near_duplicates=0.7)
    offline.run("clean", near_duplicates=0.8, limits=limits)
    twice = offline.rows("clean")
    shutil.rmtree(offline.root / "clean")
    offline.run("clean", near_duplicates=0.8, limits=limits)
    assert offline.rows("clean") == twice
    assert any(row["reason"] == "near_duplicate" for row in twice)
    assert any(row["reason"] == "length:chars" for row in twice)


# ── told in the docs


def as_told(name):
    """Return the row of the table of docs for a rule set."""
    parts = []
    for signal, (low, high) in ranges([name]).items():
        bounds = f"{low:,}" if low is not None else "", f"{high:,}" if high is not None else ""
        sign = {(True, True): " {}–{}", (True, False): " ≥ {}", (False, True): " ≤ {}{}"}.get(
            (low is not None, high is not None), ""
        )
        parts.append(f"`{signal.split(':')[1]}`{sign.format(*bounds)}")
    return f"| `{name}` | {', '.join(parts)} |"


@pytest.mark.parametrize("name", RULES)
def test_the_docs_tell_every_signal_and_its_limits(name):
    page = Path(__file__).parent.parent / "docs/stages/clean.md"
    assert as_told(name) in page.read_text(encoding="utf-8")


def test_the_schema_of_a_recipe_describes_the_rules():
    schema = json_schema()["$defs"]["CleanSpec"]["properties"]
    one, by_source = schema["rules"]["anyOf"]
    assert one["items"]["enum"] == by_source["additionalProperties"]["items"]["enum"] == [*RULES]
    for name in ("rules", "limits", "c4", "lines"):
        assert schema[name]["description"]
