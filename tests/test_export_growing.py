"""Exports that grow: budgets counted by another tokenizer, earlier parts, and what verify says."""

import json
import shutil
from collections import Counter

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from curate.errors import DataError
from curate.export.formats import read_shard
from curate.export.manifest import most_epochs
from curate.export.verify import verify
from curate.storage import sha256_of
from tests import readback
from tests.growing import LONGEST, keep_part, pooled

__all__ = ["LONGEST", "pooled"]


def export(offline, name, *, format="jsonl", **settings):
    """Mix and export; keep the export as a part of that name; return its manifest."""
    keep_part(offline, name, format=format, **settings)
    return manifest_of(offline.root / name)


def manifest_of(folder):
    return json.loads((folder / "manifest.json").read_text(encoding="utf-8"))


def lines_of(folder):
    paths = [folder / entry["path"] for entry in manifest_of(folder)["files"]]
    return [line for path in paths for line in read_shard(path)]


def card_of(folder):
    return (folder / "README.md").read_text(encoding="utf-8")


def rewrite(folder, change):
    """Change a manifest as it lies."""
    manifest = manifest_of(folder)
    change(manifest)
    (folder / "manifest.json").write_text(json.dumps(manifest))


def forge_draw(folder, change):
    """Change the rows of the draw, and mend its sum."""
    path = folder / "draw.parquet"
    rows = pq.read_table(path).to_pylist()
    change(rows)
    pq.write_table(pa.Table.from_pylist(rows, schema=pq.read_schema(path)), path)
    sums = (folder / "SHA256SUMS").read_text().splitlines()
    kept = [line for line in sums if not line.endswith("  draw.parquet")]
    lines = sorted([*kept, f"{sha256_of(path)}  draw.parquet"], key=lambda line: line[66:])
    (folder / "SHA256SUMS").write_text("".join(f"{line}\n" for line in lines))


# ── two counts


@pytest.fixture
def words(tmp_path):
    """The path of a tokenizer.json that counts words."""
    return word_tokenizer(tmp_path / "words.json", {"[UNK]": 0, "soup": 1})


def word_tokenizer(path, vocabulary):
    from tokenizers import Tokenizer, models, pre_tokenizers

    model = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    model.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    model.save(str(path))
    return path


@pytest.mark.parametrize("format", ["jsonl", "parquet"])
def test_a_budget_counted_by_another_tokenizer_stands_beside_the_pools_count(pooled, words, format):
    shares = {"source": {"web": 0.5, "wiki": 0.5}}
    settings = {"tokenizer": str(words), "extra_tokens": 2, "between": {"shares": shares}}
    manifest = export(pooled, "one", budget=600, format=format, **settings)
    folder = pooled.root / "one"
    assert manifest["tokenizer"] == "bytes"
    assert manifest["budget_tokenizer"] == "budget-tokenizer.json"
    assert manifest["extra_tokens"] == 2
    assert (folder / "budget-tokenizer.json").read_bytes() == words.read_bytes()
    assert verify(folder).problems == ()
    texts = {row["id"]: row["text"] for row in pooled.rows("pool")}
    drawn = [row for row in pooled.rows("mix") for _ in range(row["copies"])]
    for group in manifest["groups"]:
        own = [texts[row["id"]] for row in drawn if row["group"] == group["group"]]
        assert group["tokens"] == sum(len(text.split()) + 2 for text in own)
        assert group["pool_tokens"] == sum(len(text.encode()) for text in own)
        assert abs(group["tokens"] - 300) <= 14
    pool_tokens = sum(group["pool_tokens"] for group in manifest["groups"])
    assert sum(entry["tokens"] for entry in manifest["files"]) == pool_tokens
    assert verify(folder).tokens == pool_tokens
    tokens = sum(group["tokens"] for group in manifest["groups"])
    told = "Tokens here are those of the budget (budget-tokenizer.json, and 2 more a document): "
    assert told + f"{tokens:,} in all." in card_of(folder)


def test_verify_counts_the_budget_by_its_own_tokenizer(pooled, words):
    export(pooled, "one", tokenizer=str(words), extra_tokens=1, budget=600)
    folder = pooled.root / "one"
    rewrite(folder, lambda manifest: manifest.update(extra_tokens=0))
    lines = Counter(line["group"] for line in lines_of(folder))
    groups = {group["group"]: group for group in manifest_of(folder)["groups"]}
    problems = verify(folder).problems
    for name, group in groups.items():
        assert f"{name} has {group['tokens'] - lines[name]} tokens, not {group['tokens']}" in (
            problems
        )
    rewrite(folder, lambda manifest: manifest.update(extra_tokens=1))
    rewrite(folder, lambda manifest: manifest["groups"][0].update(pool_tokens=5))
    assert any("tokens as the pool counts, not 5" in told for told in verify(folder).problems)
    rewrite(folder, lambda manifest: manifest.update(budget_tokenizer="no_such_encoding"))
    with pytest.raises(DataError, match="the tokenizer no_such_encoding cannot be used"):
        verify(folder)


def test_one_document_is_as_long_as_the_budget_counts_it(pooled, words):
    """By the pool's count every document is longer: what misses by twenty words would pass."""
    export(pooled, "one", tokenizer=str(words), budget=600)
    rewrite(pooled.root / "one", lambda manifest: manifest.update(budget=620))
    web = next(told for told in verify(pooled.root / "one").problems if told.startswith("web"))
    assert web.endswith("tokens from what was promised: more than one document")


def test_a_budget_counted_as_the_pool_does_says_nothing_more(pooled):
    manifest = export(pooled, "one", budget=600)
    assert not {"budget_tokenizer", "extra_tokens", "earlier", "phases"} & manifest.keys()
    assert "Tokens here" not in card_of(pooled.root / "one")
    assert all(group["pool_tokens"] == group["tokens"] for group in manifest["groups"])
    assert all("phase" not in group for group in manifest["groups"])


# ── earlier parts

EVEN = {"between": {"shares": {"source": {"web": 0.5, "wiki": 0.5}}}}


def test_a_part_tells_what_came_before_it(pooled):
    one = export(pooled, "one", budget=2000, **EVEN)
    before = {row["id"]: row["copies"] for row in pooled.rows("mix")}
    two = export(pooled, "two", budget=5000, earlier=["one/manifest.json"], **EVEN)
    three = export(
        pooled, "three", budget=6000, earlier=["one/manifest.json", "two/manifest.json"], **EVEN
    )
    assert two["earlier"] == [one["content_sha256"]]
    assert three["earlier"] == [one["content_sha256"], two["content_sha256"]]
    draw = pq.read_table(pooled.root / "two" / "draw.parquet").to_pylist()
    assert {row["id"]: row["earlier"] for row in draw} == {
        row["id"]: before[row["id"]] for row in draw
    }
    drew = {group["group"]: group["tokens"] for group in one["groups"]}
    for group in two["groups"]:
        assert group["earlier"] == drew[group["group"]]
        assert abs(group["earlier"] + group["tokens"] - 2500) <= LONGEST
    card = card_of(pooled.root / "two")
    head = "| group | wanted | promised | realised | expected | earlier | added | total |"
    assert head in card
    for group in two["groups"]:
        both = group["earlier"] + group["tokens"]
        assert f"| {group['earlier']:,} | {group['tokens']:,} | {both:,} |" in card
    for name in ("one", "two", "three"):
        assert verify(pooled.root / name).problems == ()
    assert "| earlier |" not in card_of(pooled.root / "one")


def test_an_export_is_read_back_without_curate(pooled, words, capsys):
    """Phases after an earlier part, counted by a file of their own."""
    counting = {"tokenizer": str(words), "extra_tokens": 1, "max_epochs": 3}
    export(pooled, "one", budget=400, **counting)
    earlier = ["one/manifest.json"]
    export(pooled, "two", budget=700, earlier=earlier, **counting)
    assert readback.main(pooled.root) == 0
    phases = [{"name": "main", "budget": 500}, {"name": "late", "budget": 300, **EVEN}]
    export(pooled, "three", phases=phases, earlier=["one/manifest.json"], **counting)
    assert readback.main(pooled.root) == 0
    rewrite(pooled.root / "export", lambda manifest: manifest["phases"][1].update(budget=330))
    capsys.readouterr()
    assert readback.main(pooled.root) == 1
    told = capsys.readouterr().out
    assert "WRONG: the budgets of the phases" in told
    assert "WRONG: ('late', 'web'): more than one document from what was promised" in told
    assert "('main'," not in told


@pytest.fixture
def second(pooled):
    """The folder of a second part."""
    export(pooled, "one", budget=2000, max_epochs=2, **EVEN)
    earlier = ["one/manifest.json"]
    export(pooled, "two", budget=5000, max_epochs=2, earlier=earlier, **EVEN)
    assert verify(pooled.root / "two").problems == ()
    return pooled.root / "two"


def test_earlier_copies_count_towards_epochs(second):
    def change(rows):
        next(row for row in rows if row["copies"] == 1).update(earlier=2)

    drawn = [row for row in pq.read_table(second / "draw.parquet").to_pylist() if row["copies"]]
    first = next(row["id"] for row in drawn if row["copies"] == 1)
    forge_draw(second, change)
    told = f"{first} stands 1 times after 2 in earlier parts, more than 2 epochs"
    assert told in verify(second).problems


def test_earlier_tokens_count_towards_promises(second):
    def change(manifest):
        manifest["groups"][0]["earlier"] -= 100

    name = manifest_of(second)["groups"][0]["group"]
    rewrite(second, change)
    problems = verify(second).problems
    assert f"{name}: realised is not its share of the tokens" in problems
    assert any(
        told.startswith(f"{name} is ") and told.endswith("more than one document")
        for told in problems
    )


def test_earlier_copies_of_the_lines_count_towards_earlier_tokens(second):
    def change(rows):
        next(row for row in rows if row["group"] == "web").update(earlier=10**6)

    forge_draw(second, change)
    assert any(told.startswith("web: earlier parts drew ") for told in verify(second).problems)


def test_earlier_tokens_have_earlier_parts(second):
    rewrite(second, lambda manifest: manifest.pop("earlier"))
    problems = verify(second).problems
    assert problems == (
        "manifest.json is not the file that SHA256SUMS names",
        "groups hold tokens of earlier parts, and the manifest names none",
    )


def test_promises_that_earlier_parts_made_unreachable_stand_on_the_card(pooled):
    export(pooled, "one", budget=3000, between={"shares": {"source": {"web": 1.0}}})
    limits = {"source=web": {"max_share": 0.3}, "wiki": {"max_epochs": 9, "min": 0.2}}
    manifest = export(pooled, "two", budget=5000, limits=limits, earlier=["one/manifest.json"])
    card = card_of(pooled.root / "two")
    web = next(group for group in manifest["groups"] if group["group"] == "web")
    assert "Promises that earlier parts made unreachable:" in card
    assert f"| source=web | max_share | 30.00% | {web['earlier'] / 5000:.2%} |" in card
    assert "| limit | least | greatest | drawn | binds |" in card
    assert verify(pooled.root / "two").problems == ()


def test_an_earlier_part_that_is_gone_is_told(pooled):
    export(pooled, "one", budget=2000)
    pooled.run("mix", budget=4000, earlier=["one/manifest.json"])
    shutil.rmtree(pooled.root / "one")
    with pytest.raises(DataError, match=r"came after .*one/manifest\.json, which is gone"):
        pooled.run("export")


@pytest.mark.parametrize(
    ("settings", "most"),
    [
        ({"max_epochs": 4, "limits": {}}, 4),
        ({"max_epochs": 4, "limits": {"wiki": {"max_epochs": 8}, "web": {"max_epochs": None}}}, 8),
        ({"max_epochs": 4, "limits": {"wiki": {"max_epochs": 2}}}, 4),
        ({"max_epochs": 4, "limits": {}, "phases": [{"max_epochs": 2}, {"max_epochs": 3}]}, 3),
        ({"max_epochs": 4, "limits": {}, "phases": [{"max_epochs": 2}, {"max_epochs": None}]}, 4),
        (
            {
                "max_epochs": 1,
                "limits": {"wiki": {"max_epochs": 8}},
                "phases": [{"limits": {}}, {"limits": {"web": {"max_epochs": 5}}}],
            },
            5,
        ),
        (
            {
                "max_epochs": 1,
                "limits": {"wiki": {"max_epochs": 8}},
                "phases": [{"limits": None}, {"max_epochs": 2}],
            },
            8,
        ),
    ],
)
def test_the_greatest_number_of_epochs_that_applies(settings, most):
    assert most_epochs(settings) == most


def test_scarce_groups_may_bear_more_epochs(pooled):
    limits = {"wiki": {"max_epochs": 6}}
    supply = sum(row["tokens"] for row in pooled.rows("pool") if row["source"] == "wiki")
    shares = {"source": {"web": 0.5, "wiki": 0.5}}
    budget = int(supply * 11)
    manifest = export(
        pooled, "one", budget=budget, limits=limits, max_epochs=2, between={"shares": shares}
    )
    assert manifest["max_epochs"] == 6
    assert verify(pooled.root / "one").problems == ()
    copies = Counter(line["id"] for line in lines_of(pooled.root / "one"))
    assert max(copies.values()) == 6
    rewrite(pooled.root / "one", lambda manifest: manifest.update(max_epochs=5))
    assert any("more than 5 epochs" in told for told in verify(pooled.root / "one").problems)


def test_the_epochs_of_each_document_hold(pooled):
    """Those of a source are fewer than the greatest number in the manifest."""
    limits = {"source=wiki": {"max_epochs": 6}}
    settings = {"groups": ["license"], "limits": limits, "max_epochs": 2, "budget": "180%"}
    export(pooled, "one", **settings)
    folder = pooled.root / "one"
    sources = {line["id"]: line["source"] for line in lines_of(folder)}
    copies = Counter(line["id"] for line in lines_of(folder))
    web = [id for id, times in copies.items() if sources[id] == "web" and times == 2]

    def forge(rows):
        told = {row["id"]: row["max_epochs"] for row in rows}
        assert told == {id: 2 if sources[id] == "web" else 6 for id in copies}
        for row in rows:
            if row["id"] in web[:3]:
                row["max_epochs"] = 1

    assert verify(folder).problems == ()
    forge_draw(folder, forge)
    assert set(verify(folder).problems) == {
        f"{id} has the copy 2: limits allow 1" for id in web[:3]
    }


def test_the_lines_of_a_part_load_as_a_data_set(pooled, words, tmp_path):
    datasets = pytest.importorskip("datasets")
    export(pooled, "one", budget=600, tokenizer=str(words))
    export(pooled, "two", budget=900, tokenizer=str(words), earlier=["one/manifest.json"])
    loaded = datasets.load_dataset(
        str(pooled.root / "two"), cache_dir=str(tmp_path / "cache"), split="train"
    )
    assert loaded["id"][:] == [line["id"] for line in lines_of(pooled.root / "two")]
