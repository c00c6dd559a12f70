"""Layouts, splits and shards of an export, on a pool of two sources with a holdout."""

import json
from collections import Counter, defaultdict

import pytest

from curate.export.formats import read_shard
from curate.export.verify import verify
from tests.test_export_growing import LONGEST, manifest_of, pooled

__all__ = ["pooled"]

EVEN = {"between": {"shares": {"source": {"web": 0.5, "wiki": 0.5}}}}


def lines_in(folder, entries):
    return [line for entry in entries for line in read_shard(folder / entry["path"])]


def tokens_of(line):
    return len(line["text"].encode())


@pytest.fixture
def held(pooled):
    """The same pool with a tenth held out, mixed with copies."""
    pooled.pool(holdout=0.1)
    pooled.run("clean", rules=[], near_duplicates=None)
    pooled.run("mix", budget="180%", max_epochs=3, **EVEN)
    return pooled


# ── the holdout


@pytest.mark.parametrize("layout", ["mixed", "by_group"])
def test_the_holdout_is_a_split_of_its_own(held, layout):
    held.run("export", layout=layout, shard_documents=7)
    folder = held.root / "export"
    manifest = manifest_of(folder)
    held_out = {row["id"] for row in held.rows("pool") if row["holdout"]}
    kept = {row["id"] for row in held.rows("clean") if row["kept"]}
    lines = lines_in(folder, manifest["validation"]["files"])
    assert len(held_out) > 5
    assert {line["id"] for line in lines} == held_out & kept
    assert len(lines) == len(held_out & kept) == manifest["validation"]["documents"]
    assert sum(map(tokens_of, lines)) == manifest["validation"]["tokens"]
    assert {(line["group"], line["copy"]) for line in lines} == {(None, 1)}
    trained = lines_in(folder, manifest["files"])
    assert not held_out & {line["id"] for line in trained}
    assert list(lines[0]) == list(trained[0])
    assert verify(folder).problems == ()


def test_without_validation_the_mixture_is_the_same(held):
    held.run("export")
    whole = manifest_of(held.root / "export")
    held.run("export", validation=False)
    manifest = manifest_of(held.root / "export")
    assert "validation" not in manifest
    assert manifest["files"] == whole["files"]
    assert not list((held.root / "export").glob("validation*"))


def test_a_line_of_the_holdout_in_the_mixture_is_found(held):
    held.run("export")
    folder = held.root / "export"
    (path,) = folder.glob("validation*")
    line = (folder / "data-00000.jsonl").read_text(encoding="utf-8").splitlines()[0]
    with path.open("a", encoding="utf-8") as file:
        file.write(line + "\n")
    told = verify(folder).problems
    assert f"{json.loads(line)['id']} is in the mixture and in the holdout" in told
    assert "content_sha256 of the validation is not that of its documents" in told


# ── even shards


@pytest.mark.parametrize(
    ("settings", "number"),
    [({"shards": 8}, 8), ({"shard_documents": 50}, None), ({"shard_tokens": "1k"}, None)],
)
def test_shards_are_even(held, settings, number):
    held.run("export", **settings)
    files = manifest_of(held.root / "export")["files"]
    sizes = [file["documents"] for file in files]
    assert max(sizes) - min(sizes) <= 1
    if number:
        assert len(files) == number
    elif "shard_documents" in settings:
        assert len(files) == -(-sum(sizes) // 50)
    else:
        assert len(files) == round(sum(file["tokens"] for file in files) / 1000)


def test_the_lines_do_not_depend_on_the_shards(held):
    sums = set()
    for settings in ({"shards": 1}, {"shards": 9}, {"shard_documents": 3}, {"shard_tokens": 700}):
        held.run("export", **settings)
        sums.add(manifest_of(held.root / "export")["content_sha256"])
    assert len(sums) == 1


# ── the order


def test_any_prefix_holds_the_promised_shares(held):
    held.run("export", shards=12)
    folder = held.root / "export"
    manifest = manifest_of(folder)
    promised = {group["group"]: group["promised"] for group in manifest["groups"]}
    spent = Counter()
    for file in manifest["files"]:
        for line in read_shard(folder / file["path"]):
            spent[line["group"]] += tokens_of(line)
        for group, share in promised.items():
            off = abs(spent[group] - share * spent.total())
            assert off <= max(0.01 * spent.total(), LONGEST)


def test_copies_lie_half_a_pass_apart(held):
    held.run("export")
    folder = held.root / "export"
    lines = lines_in(folder, manifest_of(folder)["files"])
    a_pass, spent, last = Counter(), Counter(), {}
    for line in lines:
        if line["copy"] == 1:
            a_pass[line["group"]] += tokens_of(line)
    numbers = defaultdict(list)
    for line in lines:
        group, id = line["group"], line["id"]
        if line["copy"] > 1:
            assert spent[group] - last[id] >= a_pass[group] / 2
        spent[group] += tokens_of(line)
        last[id] = spent[group]
        numbers[group].append(line["copy"])
    assert max(map(max, numbers.values())) > 1
    assert all(own == sorted(own) for own in numbers.values())


# ── by group


def test_by_group_a_document_lies_once_in_the_folder_of_its_group(held):
    held.run("export", layout="by_group", shard_documents=40)
    folder = held.root / "export"
    manifest = manifest_of(folder)
    drawn = {row["id"]: row for row in held.rows("mix") if row["copies"]}
    lines = lines_in(folder, manifest["files"])
    assert sorted(line["id"] for line in lines) == sorted(drawn)
    for line in lines:
        assert (line["copy"], line["copies"]) == (1, drawn[line["id"]]["copies"])
    for group in manifest["groups"]:
        own = [file for file in manifest["files"] if file["group"] == group["group"]]
        assert own
        assert {file["path"].rsplit("/", 1)[0] + "/" for file in own} == {group["folder"]}
        texts = lines_in(folder, own)
        assert {line["group"] for line in texts} == {group["group"]}
        assert len(texts) == group["stored_documents"]
        assert sum(map(tokens_of, texts)) == group["stored_tokens"]
        assert sum(line["copies"] * tokens_of(line) for line in texts) == group["tokens"]
    assert [group["folder"] for group in manifest["groups"]] == ["00-web/", "01-wiki/"]
    assert "are not spent" in manifest["about"]
    assert verify(folder).problems == ()


def test_by_group_with_phases(held):
    phases = [{"name": "main", "budget": 3000}, {"name": "late", "budget": 2000, **EVEN}]
    held.run("mix", phases=phases, max_epochs=3)
    held.run("export", layout="by_group")
    folder = held.root / "export"
    manifest = manifest_of(folder)
    folders = [group["folder"] for group in manifest["groups"]]
    assert folders == ["main/00-web/", "main/01-wiki/", "late/00-web/", "late/01-wiki/"]
    for file in manifest["files"]:
        for line in read_shard(folder / file["path"]):
            assert (line["phase"], line["group"]) == (file["phase"], file["group"])
    assert verify(folder).problems == ()


def test_what_was_exported_by_group_counts_as_drawn(held):
    """A later part after a layout by group draws what it draws after a mixed one."""
    sizes = []
    for layout in ("mixed", "by_group"):
        held.run("mix", budget=3000, max_epochs=2, **EVEN)
        held.run("export", layout=layout)
        (held.root / "export").rename(held.root / layout)
        held.run("mix", budget=6000, max_epochs=2, earlier=[f"{layout}/manifest.json"], **EVEN)
        sizes.append({row["id"]: (row["copies"], row["earlier"]) for row in held.rows("mix")})
    assert sizes[0] == sizes[1]
    assert any(earlier for _, earlier in sizes[0].values())
