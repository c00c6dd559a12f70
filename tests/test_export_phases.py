"""Phases of a mixture in an export: one after the other, each with groups of its own."""

import json
from collections import Counter
from itertools import pairwise

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curate.engine import Local
from curate.export import order, spilling
from curate.export.formats import read_shard
from curate.export.order import line_keys
from curate.export.verify import verify
from tests import whole_export
from tests.test_export_growing import (
    card_of,
    export,
    forge_draw,
    lines_of,
    manifest_of,
    pooled,
    rewrite,
)

__all__ = ["pooled"]

MAIN = {"name": "main", "budget": 6000}
ANNEAL = {"name": "anneal", "budget": "40%", "groups": ["source", "license"]}
LATE = {"name": "late", "budget": 500, "between": {"shares": {"source": {"wiki": 1.0}}}}
PHASES = [MAIN, ANNEAL, LATE]


def expected_lines(offline, seed=0):
    """Every (phase, id, copy, group): phase by phase, in the order of their times."""
    groups = [(row["phase"], row["group"]) for row in offline.rows("groups")]
    tokens = {row["id"]: row["tokens"] for row in offline.rows("clean")}
    mix, lines, copies = offline.rows("mix"), [], Counter()
    for phase in PHASES:
        name, own, before = phase["name"], [], Counter(copies)
        for number, (of, group) in enumerate(groups):
            drawn = [
                (row["id"], tokens[row["id"]], row[f"copies:{name}"])
                for row in mix
                if of == name and row[f"group:{name}"] == group and row[f"copies:{name}"]
            ]
            copies.update({id: count for id, _, count in drawn})
            times = whole_export.times_of(drawn, number, seed)
            own += [(at, id, before[id] + copy, group) for at, id, copy in times]
        place = {row["id"]: place for place, row in enumerate(mix)}
        own.sort(key=lambda line: (line[0], place[line[1]], line[2]))
        lines += [(name, id, copy, group) for _, id, copy, group in own]
    return lines


@pytest.mark.parametrize("piece_bytes", [1000, 16 << 20])
@pytest.mark.parametrize("format", ["jsonl", "parquet"])
def test_phases_are_written_one_after_the_other(pooled, monkeypatch, piece_bytes, format):
    monkeypatch.setattr(order, "PIECE_BYTES", piece_bytes)
    monkeypatch.setattr(spilling, "SPILLS", 3)
    pooled.run("mix", phases=PHASES, max_epochs=3)
    pooled.run("export", shard_documents=40, seed=3, format=format)
    folder = pooled.root / "export"
    manifest = manifest_of(folder)
    paths = [entry["path"] for entry in manifest["files"]]
    documents = [line for path in paths for line in read_shard(folder / path)]
    written = [(line["phase"], line["id"], line["copy"], line["group"]) for line in documents]
    assert written == expected_lines(pooled, seed=3)
    assert list(documents[0])[3:6] == ["group", "phase", "copy"]
    assert paths == sorted(paths)
    assert [phase["name"] for phase in manifest["phases"]] == ["main", "anneal", "late"]
    assert [path for phase in manifest["phases"] for path in phase["files"]] == paths
    sizes = {entry["path"]: entry["documents"] for entry in manifest["files"]}
    for phase in manifest["phases"]:
        own = [line for line in documents if line["phase"] == phase["name"]]
        assert phase["documents"] == len(own)
        assert phase["tokens"] == sum(len(line["text"].encode()) for line in own)
        cuts = pairwise(whole_export.cuts_of(len(own), 40))
        assert [sizes[path] for path in phase["files"]] == [end - start for start, end in cuts]
        for path in phase["files"]:
            assert path.endswith(f"-{phase['name']}.{format}")
            assert {line["phase"] for line in read_shard(folder / path)} == {phase["name"]}
    assert verify(folder).problems == ()


def test_each_phase_has_groups_and_a_budget_of_its_own(pooled):
    manifest = export(pooled, "one", phases=PHASES, max_epochs=3)
    supply = sum(row["tokens"] for row in pooled.rows("pool"))
    budgets = {phase["name"]: phase["budget"] for phase in manifest["phases"]}
    assert budgets == {"main": 6000, "anneal": round(0.4 * supply), "late": 500}
    assert manifest["budget"] == sum(budgets.values())
    tokens = Counter()
    for line in lines_of(pooled.root / "one"):
        tokens[line["phase"], line["group"]] += len(line["text"].encode())
    groups = {(group["phase"], group["group"]): group for group in manifest["groups"]}
    assert {group for group, own in groups.items() if own["tokens"]} == set(tokens)
    assert ("anneal", "web/unknown") in groups
    for (phase, name), group in groups.items():
        assert group["tokens"] == tokens[phase, name]
        assert abs(group["tokens"] - group["promised"] * budgets[phase]) <= 70
    card = card_of(pooled.root / "one")
    for phase in manifest["phases"]:
        assert f"### {phase['name']}\n" in card
        assert f"{phase['documents']:,} documents for a budget of {phase['budget']:,}" in card


def test_a_single_phase_is_one_too(pooled):
    manifest = export(pooled, "one", phases=[MAIN])
    (phase,) = manifest["phases"]
    assert phase["name"] == "main"
    assert phase["files"] == [entry["path"] for entry in manifest["files"]]
    assert {line["phase"] for line in lines_of(pooled.root / "one")} == {"main"}
    assert verify(pooled.root / "one").problems == ()


def test_workers_and_shards_of_phases_change_no_byte(pooled):
    pooled.run("mix", phases=PHASES, max_epochs=3)
    contents = []
    for workers in (1, 2):
        pooled.workspace.engine = Local(workers)
        pooled.run("export", shard_documents=25, format="parquet")
        files = sorted((pooled.root / "export").iterdir())
        contents.append({path.name: path.read_bytes() for path in files})
        pooled.workspace.engine.close()
    assert contents[0] == contents[1]


def test_the_first_phase_is_the_mixture_without_the_others(pooled):
    export(pooled, "alone", budget=6000, max_epochs=3)
    export(pooled, "one", phases=PHASES, max_epochs=3)
    alone = [(line["id"], line["copy"], line["text"]) for line in lines_of(pooled.root / "alone")]
    lines = lines_of(pooled.root / "one")
    main = [(row["id"], row["copy"], row["text"]) for row in lines if row["phase"] == "main"]
    assert main == alone


# ── what verify finds


@pytest.fixture
def phased(pooled):
    """The folder of an export with phases."""
    export(pooled, "one", phases=PHASES, max_epochs=3)
    assert verify(pooled.root / "one").problems == ()
    return pooled.root / "one"


def swap_files(manifest):
    one, other = manifest["phases"][0]["files"], manifest["phases"][1]["files"]
    one[-1], other[0] = other[0], one[-1]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda m: m["phases"][0].update(budget=7000), "the budgets of the phases are not that"),
        (lambda m: m["phases"][1].update(documents=1), "the files of the phase anneal hold"),
        (lambda m: m["phases"][1].update(tokens=1), "the files of the phase anneal hold"),
        (lambda m: m["phases"][1]["files"].pop(), "the files of the phases are not those"),
        (swap_files, "the files of the phases are not those"),
        (lambda m: m["groups"][0].update(phase="last"), "is of no phase of the manifest"),
        (lambda m: m["groups"][0].update(promised=0.1), "web of the phase main is"),
        (lambda m: m["groups"][0].update(realised=0.1), "web of the phase main: realised"),
    ],
)
def test_a_manifest_whose_phases_do_not_fit(phased, change, words):
    rewrite(phased, change)
    assert any(words in told for told in verify(phased).problems)


def test_a_promise_is_of_the_budget_of_its_phase(phased):
    def change(manifest):
        manifest["phases"][0]["budget"] += 500
        manifest["budget"] += 500

    rewrite(phased, change)
    told = verify(phased).problems
    assert any(own.startswith("web of the phase main is ") for own in told)
    assert not any("phase anneal" in own or "phase late" in own for own in told)


def test_a_line_of_another_phase(phased):
    path = phased / manifest_of(phased)["files"][0]["path"]
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    lines[0]["phase"] = "late"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    assert f"{path.name} holds lines of another phase" in verify(phased).problems


def test_a_copy_that_another_phase_drew(phased):
    """The sum of the copies is right, but not those of each phase."""

    def change(rows):
        next(row for row in rows if row["phase"] == "main").update(shard="data-00007-anneal.jsonl")

    forge_draw(phased, change)
    assert "the documents are not those of draw.parquet" in verify(phased).problems


def test_a_draw_without_its_positions(phased):
    path = phased / "draw.parquet"
    table = pq.read_table(path)
    pq.write_table(table.drop_columns(["position"]), path)
    assert any("draw.parquet cannot be read: KeyError" in told for told in verify(phased).problems)


def test_phases_load_as_a_data_set(pooled, tmp_path):
    datasets = pytest.importorskip("datasets")
    for format in ("jsonl", "parquet"):
        pooled.run("mix", phases=PHASES, max_epochs=3)
        pooled.run("export", shard_documents=40, format=format)
        loaded = datasets.load_dataset(
            str(pooled.root / "export"), cache_dir=str(tmp_path / format), split="train"
        )
        expected = expected_lines(pooled)
        assert loaded["phase"][:] == [phase for phase, *_ in expected]
        assert loaded["id"][:] == [id for _, id, *_ in expected]


# ── the order


@given(
    st.lists(st.tuples(st.integers(0, 2000), st.floats(0, 1, exclude_min=True, exclude_max=True)))
)
def test_keys_are_in_the_order_of_the_parts_first(lines):
    parts = np.array([part for part, _ in lines], np.int64)
    noise = np.array([own for _, own in lines], np.float64)
    keys = line_keys(noise, parts).tolist()
    for one, key in zip(lines, keys, strict=True):
        for other, own in zip(lines, keys, strict=True):
            if one[0] < other[0]:
                assert key < own
            elif one[0] == other[0] and one[1] < other[1]:
                assert key <= own
    whole = line_keys(noise, 0 * parts)
    assert (np.argsort(whole, kind="stable") == np.argsort(noise, kind="stable")).all()
