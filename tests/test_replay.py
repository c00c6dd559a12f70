"""`curate export --replay`: the same lines from pool and clean alone, but what was taken down."""

import csv
import hashlib
import json
import shutil

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from curate.errors import DataError, MissingInput
from curate.export.documents import content_line
from curate.export.formats import read_shard
from curate.export.verify import verify
from curate.replay.replay import replay
from curate.takedown import naming, takedown
from tests.command import command
from tests.conftest import Offline

PHASES = [{"name": "a", "budget": 2500}, {"name": "a.b", "budget": "50%"}]
MIXES = {
    "whole": {"budget": "150%", "groups": ["source"]},
    "phases": {"phases": PHASES, "groups": ["source"]},
}


def texts(name, n):
    return [
        f"A text of {name}, number {k}, by {name}{k}@example.org." + " More of it." * (k % 7)
        for k in range(n)
    ]


@pytest.fixture
def pooled(offline):
    offline.lines("alpha.jsonl", texts("alpha", 50))
    offline.lines("beta.jsonl", texts("beta", 30))
    offline.lines("gamma.jsonl", texts("gamma", 20))
    offline.pool("alpha.jsonl", "beta.jsonl", "gamma.jsonl", holdout=0.1)
    offline.run("clean", privacy="mask")
    return offline


def exported(offline, mix="whole", **settings):
    """Mix and export; a copy of the export outside the workspace."""
    offline.run("mix", **MIXES[mix])
    offline.run("export", **{"shards": 3, **settings})
    folder = offline.root.parent / "before"
    shutil.copytree(offline.root / "export", folder)
    return folder


def bare(offline):
    """The workspace with pool and clean alone."""
    for name in ("mix", "export"):
        shutil.rmtree(offline.root / name)
    (offline.root / "groups.parquet").unlink()
    return offline.workspace


def manifest_of(folder):
    return json.loads((folder / "manifest.json").read_text())


def lines(folder, files=None):
    """Each line of an export by its shard: id, copy, text and group."""
    files = manifest_of(folder)["files"] if files is None else files
    return {
        file["path"]: [
            (line["id"], line["copy"], line["text"], line["group"])
            for line in read_shard(folder / file["path"])
        ]
        for file in files
    }


def broken(folder):
    """What is wrong with an export but promises, which it cannot keep with other texts."""
    return [own for own in verify(folder).problems if "from what was promised" not in own]


@pytest.mark.parametrize("layout", ["mixed", "by_group"])
@pytest.mark.parametrize("mix", MIXES)
def test_the_same_lines_come_from_pool_and_clean_alone(pooled, mix, layout):
    before = exported(pooled, mix, layout=layout)
    result = replay(bare(pooled), before / "draw.parquet")
    folder, old = pooled.root / "export", manifest_of(before)
    assert result.content_sha256 == old["content_sha256"]
    assert (result.same, result.missing, result.changed, result.warnings) == (True, 0, 0, ())
    assert result.documents == sum(file["documents"] for file in old["files"])
    assert lines(folder) == lines(before)
    held_out = old["validation"]["files"]
    assert lines(folder, held_out) == lines(before, held_out)
    new = manifest_of(folder)
    assert new["validation"]["content_sha256"] == old["validation"]["content_sha256"]
    assert new["replayed"]["content_sha256"] == old["content_sha256"]
    assert new["made_of"] == old["made_of"]
    assert new["groups"] == old["groups"]
    assert [file["path"] for file in new["files"]] == [file["path"] for file in old["files"]]
    drawn, was = (pq.read_table(path / "draw.parquet") for path in (folder, before))
    assert drawn.equals(was)
    assert verify(folder).problems == ()
    assert not (pooled.root / ".building" / "replay").exists()
    line = pooled.workspace.lineage.line("export")
    assert (line["stage"], line["result"]["same"]) == ("replay", True)
    assert pooled.workspace.freshness.outdated("export") == []


def test_qualities_come_from_the_draw_and_labels_are_left_out(whole):
    before = whole.root.parent / "before"
    shutil.copytree(whole.root / "export", before)
    result = replay(whole.workspace, before / "draw.parquet")
    assert result.same
    pairs = zip(lines(before), lines(whole.root / "export"), strict=True)
    qualities = 0
    for one, other in pairs:
        for was, row in zip(
            read_shard(before / one), read_shard(whole.root / "export" / other), strict=True
        ):
            assert row["quality"] == was["quality"]
            assert row["labels"] is None
            qualities += row["quality"] is not None
    assert qualities > 0
    assert verify(whole.root / "export").problems == ()


def test_the_order_is_that_of_the_draw_and_not_of_this_version(pooled):
    """A draw in another order, as another version may have written it: lines in any shard."""
    before = exported(pooled)
    draw = pq.read_table(before / "draw.parquet")
    order = np.random.default_rng(4).permutation(draw.num_rows)
    places = draw.select(["shard", "position"])
    moved = draw.take(pa.array(order))
    for name in places.column_names:
        moved = moved.set_column(moved.column_names.index(name), name, places[name])
    pq.write_table(moved, before / "draw.parquet", row_group_size=23)
    by_line = {(id, copy): text for own in lines(before).values() for id, copy, text, _ in own}
    expected = hashlib.sha256()
    for row in moved.to_pylist():
        line = {name: row[name] for name in ("id", "copy")}
        expected.update(content_line(line | {"text": by_line[row["id"], row["copy"]]}))
    old = manifest_of(before)
    old["content_sha256"] = expected.hexdigest()
    (before / "manifest.json").write_text(json.dumps(old))
    result = replay(bare(pooled), before / "draw.parquet")
    assert result.same
    assert result.content_sha256 == expected.hexdigest()
    told = [(id, copy) for own in lines(pooled.root / "export").values() for id, copy, *_ in own]
    assert told == [(row["id"], row["copy"]) for row in moved.to_pylist()]


@pytest.mark.parametrize("layout", ["mixed", "by_group"])
def test_what_was_taken_down_does_not_come_back(pooled, layout):
    before = exported(pooled, layout=layout)
    was = lines(before)
    ids = sorted({id for own in was.values() for id, *_ in own})[::9]
    (pooled.root / "ids.txt").write_text("\n".join(ids))
    found = naming.find(pooled.workspace, ids=pooled.root / "ids.txt")
    takedown.run(pooled.workspace, naming.cluster(pooled.workspace, found), found, "asked")
    pooled.pool("alpha.jsonl", "beta.jsonl", "gamma.jsonl", holdout=0.1)
    pooled.run("clean", privacy="mask")
    result = replay(pooled.workspace, before / "draw.parquet")
    expected = {path: [line for line in own if line[0] not in ids] for path, own in was.items()}
    assert lines(pooled.root / "export") == {path: own for path, own in expected.items() if own}
    gone = sum(map(len, was.values())) - sum(map(len, expected.values()))
    assert (result.missing, result.missing_lines, result.same) == (len(ids), gone, False)
    assert result.reasons == {"removed": len(ids)}
    with (pooled.root / "export" / "missing.csv").open(newline="") as file:
        rows = {row["id"]: row for row in csv.DictReader(file)}
    assert set(rows) == set(ids)
    assert sum(int(row["lines"]) for row in rows.values()) == gone
    assert [warning.key for warning in result.warnings] == ["export.missing"]
    assert "missing.csv" in (pooled.root / "export" / "SHA256SUMS").read_text()
    assert broken(pooled.root / "export") == []


def test_a_list_of_what_was_taken_down_holds_against_the_pool_too(pooled):
    """A takedown that was killed after its list was written: the pool still holds the text."""
    before = exported(pooled)
    id = lines(before)["data-00000.jsonl"][0][0]
    (pooled.root / "removed.jsonl").write_text(
        json.dumps({"hash": id, "reason": "asked", "at": ""}) + "\n"
    )
    result = replay(pooled.workspace, before / "draw.parquet")
    assert result.missing_ids == (id,)
    assert id not in (pooled.root / "export" / "data-00000.jsonl").read_text()


def test_what_is_dropped_or_reads_otherwise_is_told(pooled):
    before = exported(pooled)
    pooled.run("clean", privacy="mask", limits={"length:chars": {"min": 55}})
    dropped = {row["id"] for row in pooled.rows("clean") if row["reason"] == "length:chars"}
    drawn = {id for own in lines(before).values() for id, *_ in own}
    result = replay(pooled.workspace, before / "draw.parquet")
    assert result.missing == len(dropped & drawn) > 0
    assert result.reasons == {"dropped": len(dropped & drawn)}
    pooled.run("clean")
    result = replay(pooled.workspace, before / "draw.parquet")
    assert (result.missing, result.same) == (0, False)
    assert result.changed == len(drawn)
    assert "clean is the first stage that differs" in result.warnings[0].words
    assert broken(pooled.root / "export") == []


def test_another_format_has_the_same_content(pooled):
    before = exported(pooled)
    result = replay(bare(pooled), before / "draw.parquet", "parquet")
    assert result.same
    paths = [file["path"] for file in manifest_of(pooled.root / "export")["files"]]
    assert paths == [f"data-0000{n}.parquet" for n in range(3)]
    assert list(lines(pooled.root / "export").values()) == list(lines(before).values())
    assert verify(pooled.root / "export").problems == ()


FORMATS = (
    *({"format": name} for name in ("jsonl.gz", "datasets", "tokens")),
    {"original": True},
    {"meta": ["author"]},
)


@pytest.mark.parametrize("layout", ["mixed", "by_group"])
@pytest.mark.parametrize("settings", FORMATS, ids=str)
def test_every_format_is_written_again(offline, settings, layout):
    rows = [{"text": text, "author": "Ana"} for text in texts("alpha", 60)]
    offline.lines("alpha.jsonl", rows)
    offline.lines("beta.jsonl", texts("beta", 30))
    offline.pool("alpha.jsonl", "beta.jsonl", holdout=0.1)
    offline.run("clean")
    before = exported(offline, "phases", layout=layout, **settings)
    result = replay(bare(offline), before / "draw.parquet")
    assert result.same
    new, old = manifest_of(offline.root / "export"), manifest_of(before)
    assert [(file["path"], file["documents"], file["tokens"]) for file in new["files"]] == [
        (file["path"], file["documents"], file["tokens"]) for file in old["files"]
    ]
    assert verify(offline.root / "export").problems == ()


def test_the_export_that_is_there_can_be_written_again(pooled):
    exported(pooled)
    result = replay(pooled.workspace, pooled.root / "export" / "draw.parquet")
    assert result.same
    assert replay(pooled.workspace, pooled.root / "export" / "draw.parquet").same


def test_what_is_no_draw_is_one_line_and_nothing_is_written(pooled, tmp_path):
    before = exported(pooled)
    kept = manifest_of(pooled.root / "export")
    with pytest.raises(DataError, match="no file"):
        replay(pooled.workspace, before / "drew.parquet")
    shutil.copyfile(before / "draw.parquet", tmp_path / "draw.parquet")
    with pytest.raises(DataError, match="is not in an export"):
        replay(pooled.workspace, tmp_path / "draw.parquet")
    other = Offline(tmp_path / "other")
    with pytest.raises(MissingInput, match="pool has not been made"):
        replay(other.workspace, before / "draw.parquet")
    other.lines("else.jsonl", texts("else", 20))
    other.pool()
    other.run("clean")
    with pytest.raises(DataError, match="none of the documents"):
        replay(other.workspace, before / "draw.parquet")
    assert not (other.root / "export").exists()
    assert manifest_of(pooled.root / "export") == kept


def test_the_command_says_what_is_missing(pooled, monkeypatch, capsys):
    run = command(monkeypatch, capsys)
    before = exported(pooled)
    code, out, _ = run("export", "--replay", before / "draw.parquet", "-w", pooled.root, "--json")
    assert code == 0
    assert json.loads(out)["same"] is True
    code, _, err = run(
        "export", "--replay", before / "draw.parquet", "--seed", 3, "-w", pooled.root
    )
    assert code == 2
    assert "--seed has no effect beside --replay" in err
