"""Mixtures that grow: earlier parts, shards that were trained on, phases, takedowns."""

import json
import shutil
from collections import defaultdict

import numpy as np
import pytest

from curate.errors import CurateError, DataError
from curate.mix.spec import MixSpec
from curate.mixture.drawing import Plans
from tests.growing import LONGEST, keep_part, pooled, read

__all__ = ["pooled"]


def copies(offline):
    return {row["id"]: (row["earlier"], row["copies"]) for row in offline.rows("mix")}


def test_the_second_part_is_what_is_missing_of_both(pooled):
    """At the same shares both parts together are the draw of their sum, but for a document each."""
    between = {"shares": {"source": {"web": 0.5, "wiki": 0.5}}}
    first = keep_part(pooled, "one", between=between, budget=2000)
    was = {id: now for id, (_, now) in copies(pooled).items()}
    made = pooled.run("mix", between=between, budget=5000, earlier=["one/manifest.json"])
    both = copies(pooled)
    assert {id: before for id, (before, _) in both.items()} == was
    groups = {group.group: group for group in made.groups}
    for group in groups.values():
        assert group.earlier + group.tokens == pytest.approx(2500, abs=LONGEST)
        assert group.promised == pytest.approx(0.5)
        assert group.realised == pytest.approx(0.5, abs=0.02)
    assert made.earlier == first.tokens
    assert made.tokens + made.earlier == pytest.approx(5000, abs=LONGEST)
    whole = pooled.run("mix", between=between, budget=5000)
    at_once = {id: now for id, (_, now) in copies(pooled).items()}
    differ = [id for id, (before, now) in both.items() if before + now != at_once[id]]
    assert len(differ) <= 4
    assert whole.tokens == pytest.approx(5000, abs=LONGEST)


def test_no_document_goes_beyond_its_epochs_over_three_parts_and_a_takedown(pooled):
    shares = {"source": {"web": 0.4, "wiki": 0.6}}
    settings = {"between": {"shares": shares}, "max_epochs": 3}
    keep_part(pooled, "one", **settings, budget=3000)
    manifests = ["one/manifest.json"]
    keep_part(pooled, "two", **settings, budget=6000, earlier=manifests)
    manifests.append("two/manifest.json")
    both = {row["id"]: row["earlier"] + row["copies"] for row in pooled.rows("mix")}
    made = keep_part(pooled, "three", **settings, budget=8000, earlier=manifests)
    total = copies(pooled)
    assert {id: before for id, (before, _) in total.items()} == both
    assert max(before + now for before, now in total.values()) <= 3
    assert made.tokens + made.earlier == pytest.approx(8000, abs=LONGEST)
    # a takedown: some texts of wiki that were trained on are gone, and still count
    taken = [row["text"] for row in pooled.rows("pool") if row["source"] == "wiki"][:20]
    tokens = {row["id"]: row["tokens"] for row in pooled.rows("pool")}
    gone = {row["id"] for row in pooled.rows("pool") if row["text"] in taken}
    lost = sum(sum(total[id]) * tokens[id] for id in gone)
    kept = [row["text"] for row in pooled.rows("pool") if row["source"] == "wiki"][20:]
    pooled.lines("wiki.jsonl", kept)
    read(pooled)
    manifests.append("three/manifest.json")
    after = pooled.run("mix", **settings, budget=9000, earlier=manifests)
    wiki = next(group for group in after.groups if group.group == "wiki")
    now = copies(pooled)
    assert lost > 0
    assert not gone & set(now)
    assert wiki.earlier == lost + sum(
        before * tokens[id] for id, (before, _) in now.items() if id in tokens
        and next(row for row in pooled.rows("pool") if row["id"] == id)["source"] == "wiki"
    )  # fmt: skip
    assert max(before + more for before, more in now.values()) <= 3
    assert after.tokens + after.earlier == pytest.approx(9000, abs=LONGEST)


def test_promises_that_the_past_made_unreachable_are_named(pooled):
    keep_part(pooled, "one", budget=3000, between={"shares": {"source": {"web": 1.0}}})
    limits = {"source=web": {"max_share": 0.3}, "wiki": {"min": 0.8}}
    made = pooled.run("mix", budget=5000, limits=limits, earlier=["one/manifest.json"])
    told = {w.figures["limit"]: w.figures for w in made.warnings if w.key == "mix.unreachable"}
    drawn = made.earlier / 5000
    assert told["source=web"]["reachable"] == pytest.approx(drawn)
    assert told["wiki"]["reachable"] == pytest.approx(1 - drawn)
    groups = {group.group: group for group in made.groups}
    assert groups["web"].tokens <= LONGEST
    assert groups["web"].bound in ("earlier", "source=web max_share")


def test_only_shards_that_were_trained_on_count(pooled):
    keep_part(pooled, "one", budget=4000)
    (pooled.root / "seen.txt").write_text("data-00000.jsonl\n\n")
    made = pooled.run(
        "mix", budget=4000, earlier=["one/manifest.json"], consumed="seen.txt", max_epochs=1
    )
    lines = (pooled.root / "one" / "data-00000.jsonl").read_text().splitlines()
    seen = [json.loads(line)["id"] for line in lines]
    assert {row["id"] for row in pooled.rows("mix") if row["earlier"]} == set(seen)
    assert not [row for row in pooled.rows("mix") if row["earlier"] and row["copies"]]
    assert made.tokens + made.earlier == pytest.approx(4000, abs=LONGEST)
    (pooled.root / "seen.txt").write_text("data-00009.jsonl\n")
    with pytest.raises(DataError, match=r"no earlier part has the shard data-00009.jsonl"):
        pooled.run("mix", budget=4000, earlier=["one/manifest.json"], consumed="seen.txt")


def edit_draw(folder):
    with (folder / "draw.parquet").open("ab") as file:
        file.write(b"x")


def edit_manifest(folder):
    text = (folder / "manifest.json").read_text().replace('"tokens": ', '"tokens": 1')
    (folder / "manifest.json").write_text(text)


@pytest.mark.parametrize(
    ("harm", "settings", "words"),
    [
        (edit_draw, {}, "draw.parquet was edited"),
        (edit_manifest, {}, "was edited: its groups"),
        (lambda folder: (folder / "data-00000.jsonl").write_text("{}"), {}, "was edited"),
        (lambda folder: (folder / "manifest.json").write_text("[]"), {}, "is not the manifest"),
        (lambda folder: (folder / "manifest.json").unlink(), {}, "no file"),
        (lambda folder: (folder / "SHA256SUMS").unlink(), {}, "has no SHA256SUMS"),
        (lambda folder: None, {"tokenizer": "o200k_base"}, "counts tokens by bytes"),
        (lambda folder: None, {"extra_tokens": 1}, "counts tokens by bytes and 0 more"),
        (lambda folder: None, {"budget": 900}, "leaves nothing to draw"),
    ],
)
def test_a_part_that_cannot_be_counted_is_refused(pooled, harm, settings, words):
    keep_part(pooled, "one", budget=1000)
    before = copies(pooled)
    harm(pooled.root / "one")
    with pytest.raises(CurateError, match=words) as caught:
        pooled.run("mix", **{"budget": 5000, "earlier": ["one/manifest.json"], **settings})
    assert caught.value.hint
    assert copies(pooled) == before


def word_tokenizer(path, *words):
    """Write a tokenizer.json that counts words; return its path."""
    from tokenizers import Tokenizer, models, pre_tokenizers

    vocabulary = {word: number for number, word in enumerate(["[UNK]", *words])}
    model = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    model.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    model.save(str(path))
    return str(path)


def test_a_part_counted_by_a_file_is_read_with_that_file_alone(pooled, tmp_path):
    soup = word_tokenizer(tmp_path / "soup.json", "soup")
    keep_part(pooled, "one", budget=500, tokenizer=soup, extra_tokens=1)
    settings = {"budget": 900, "extra_tokens": 1, "earlier": ["one/manifest.json"]}
    other = word_tokenizer(tmp_path / "other.json", "soup", "web")
    with pytest.raises(DataError, match=r"counts tokens by budget-tokenizer\.json and 1 more"):
        pooled.run("mix", tokenizer=other, **settings)
    with pytest.raises(DataError, match="counts tokens by budget-tokenizer"):
        pooled.run("mix", **settings)
    same = shutil.copy(soup, tmp_path / "same.json")
    made = pooled.run("mix", tokenizer=str(same), **settings)
    words = {row["id"]: len(row["text"].split()) for row in pooled.rows("pool")}
    was = sum(row["earlier"] * (words[row["id"]] + 1) for row in pooled.rows("mix"))
    assert made.earlier == was == pytest.approx(500, abs=14)
    (pooled.root / "one" / "budget-tokenizer.json").unlink()
    with pytest.raises(DataError, match=r"one has no budget-tokenizer\.json"):
        pooled.run("mix", tokenizer=str(same), **settings)


def test_every_part_of_a_chain_is_named(pooled):
    """What a part that nobody names has drawn would be drawn again."""
    keep_part(pooled, "one", budget=2000)
    keep_part(pooled, "two", budget=4000, earlier=["one/manifest.json"])
    first = json.loads((pooled.root / "one" / "manifest.json").read_text())["content_sha256"]
    with pytest.raises(DataError, match=f"came after a part that is not named .*{first}") as told:
        pooled.run("mix", budget=6000, earlier=["two/manifest.json"])
    assert "mix.consumed" in told.value.hint
    (pooled.root / "seen.txt").write_text("two/data-00000.jsonl\n")
    seen = {"consumed": "seen.txt", "earlier": ["two/manifest.json"]}
    assert pooled.run("mix", budget=6000, **seen).earlier > 0
    shutil.copytree(pooled.root / "one", pooled.root / "copy")
    earlier = ["one/manifest.json", "two/manifest.json", "copy/manifest.json"]
    with pytest.raises(
        DataError, match=r"copy/manifest\.json and .*one/manifest\.json are the same part"
    ):
        pooled.run("mix", budget=6000, earlier=earlier)


@pytest.mark.parametrize("consumed", ["all", "seen.txt"])
def test_phases_of_an_earlier_part_count(pooled, consumed):
    """Groups differ by phase; a document may be drawn in several."""
    phases = [
        {"name": "main", "budget": 6000},
        {"name": "anneal", "budget": 3000, "groups": ["source", "license"]},
    ]
    keep_part(pooled, "one", phases=phases, max_epochs=3)
    rows = {row["id"]: row for row in pooled.rows("mix")}
    files = json.loads((pooled.root / "one" / "manifest.json").read_text())["files"]
    names = [file["path"] for file in files if consumed == "all" or "anneal" in file["path"]]
    (pooled.root / "seen.txt").write_text("\n".join(names))
    earlier = ["one/manifest.json"]
    made = pooled.run("mix", budget=15000, max_epochs=3, earlier=earlier, consumed=consumed)
    column = "copies" if consumed == "all" else "copies:anneal"
    had = {id: now for id, (now, _) in copies(pooled).items()}
    assert had == {id: row[column] for id, row in rows.items()}
    assert made.earlier == sum(row[column] * row["size"] for row in rows.values())


# ── phases


def test_phases_are_parts_one_after_the_other(pooled):
    phases = [
        {"name": "main", "budget": 6000},
        {"name": "anneal", "budget": 2000, "between": {"shares": {"source": {"wiki": 1.0}}}},
    ]
    made = pooled.run("mix", phases=phases, max_epochs=2)
    groups = {(group.phase, group.group): group for group in made.groups}
    assert groups["main", "wiki"].tokens + groups["main", "web"].tokens == pytest.approx(
        6000, abs=LONGEST
    )
    assert groups["anneal", "wiki"].tokens == pytest.approx(2000, abs=LONGEST)
    assert groups["anneal", "web"].tokens == 0
    rows = pooled.rows("mix")
    assert max(row["copies"] for row in rows) <= 2
    assert all(row["copies"] == row["copies:main"] + row["copies:anneal"] for row in rows)
    alone = pooled.run("mix", budget=6000, max_epochs=2)
    assert {row["id"]: row["copies"] for row in pooled.rows("mix")} == {
        row["id"]: row["copies:main"] for row in rows
    }
    assert alone.tokens == sum(g.tokens for (phase, _), g in groups.items() if phase == "main")
    greedy = [phases[0], {**phases[1], "budget": 9000}]
    with pytest.raises(DataError, match="cannot be met"):
        pooled.run("mix", phases=greedy, max_epochs=2)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"phases": [{"name": "a", "budget": "1k"}] * 2}, "two phases are called a"),
        ({"phases": [{"name": "a/b", "budget": "1k"}]}, "pattern"),
        ({"phases": [{"name": "a", "budget": "much"}]}, "is not a budget"),
        ({"phases": [{"name": "a", "budget": 9, "shares": {}}]}, "Extra inputs"),
    ],
)
def test_phases_that_are_none(settings, words):
    with pytest.raises(ValueError, match=words):
        MixSpec.model_validate(settings)


# ── plans by level


def brute(target, had, sizes, most):
    """Give a copy to the row with the fewest, in their order, until the target is met."""
    copies = list(had)
    left = target
    for level in range(most):
        for row, size in enumerate(sizes):
            if copies[row] == level:
                if left < size:
                    return copies, left
                copies[row] += 1
                left -= size
    return copies, left


@pytest.mark.parametrize("seed", range(30))
def test_a_plan_fills_the_lowest_level_first(seed):
    rng = np.random.default_rng(seed)
    sizes = rng.integers(1, 9, 12)
    had = rng.integers(0, 3, 12)
    levels = np.bincount(had, sizes, 3).astype(int).tolist()
    target = float(rng.integers(1, 3 * sizes.sum()))
    most = 8
    plans = Plans.of(np.array([target]), np.array([levels]), np.array([most]))
    expected, _ = brute(target, had, sizes, most)
    full = min(expected)
    assert plans.passes.tolist() == [full]
    drawn = sum(max(0, full - own) * size for own, size in zip(had, sizes, strict=True))
    assert plans.drawn.tolist() == [drawn]
    assert plans.rest == pytest.approx([target - drawn])
    lowest = [size for own, size in zip(had, sizes, strict=True) if own <= full]
    assert plans.supply.tolist() == [sum(lowest)]
    counted = defaultdict(int)
    for own in had:
        counted[own] += 1


def test_what_is_below_the_threshold_now_was_drawn_all_the_same(pooled):
    from tests.test_mix_limits import by_id, with_quality

    keep_part(pooled, "one", budget=3000)
    drawn = sum(now * row["size"] for row in pooled.rows("mix") for now in [row["copies"]])
    with_quality(pooled, by_id)
    within = {"strategy": "threshold", "at_least": 0.6}
    made = pooled.run("mix", budget=5000, within=within, earlier=["one/manifest.json"])
    assert made.earlier == drawn
    assert made.tokens + drawn == pytest.approx(5000, abs=LONGEST)
    below = [row["copies"] for row in pooled.rows("mix") if by_id(row["id"]) < 0.6]
    assert set(below) == {0}


def test_the_export_of_the_workspace_is_no_earlier_part(pooled):
    keep_part(pooled, "one", budget=1000)
    with pytest.raises(CurateError, match="the next `curate export` replaces export/manifest") as e:
        pooled.run("mix", budget=2000, earlier=["export/manifest.json"])
    assert "copy the folder" in e.value.hint


def test_a_tokenizer_is_found_in_the_workspace_and_its_file_is_an_input(pooled):
    from curate.mix.stage import inputs

    word_tokenizer(pooled.root / "data" / "t.json", "soup")
    made = pooled.run("mix", budget=300, tokenizer="data/t.json")
    spec = pooled.spec("mix", budget=300, tokenizer="data/t.json")
    before = inputs(pooled.workspace, spec)
    word_tokenizer(pooled.root / "data" / "t.json", "soup", "web")
    assert made.tokens
    assert inputs(pooled.workspace, spec) != before
