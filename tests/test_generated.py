"""The workspaces that the benchmark `flat` writes are what the stages would have written."""

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from curate import tokens
from curate.embed import vectors
from curate.export.verify import verify
from curate.text import content_id
from curate.workspace.index import find_rows, keys_of
from tests.benchmarks import flat, generated
from tests.conftest import Offline

ROWS = 700


@pytest.fixture
def small(tmp_path, monkeypatch):
    """A generated workspace of three shards, and how to run stages in it."""
    monkeypatch.setattr(generated, "ROWS_PER_SHARD", ROWS)
    monkeypatch.setattr(generated, "BLOCK", 100)
    monkeypatch.setattr(vectors, "load", lambda name, root, texts: generated.Given())
    generated.generate(generated.Plan(tmp_path / "run", 1500), workers=1)
    return Offline(tmp_path / "run")


def test_ids_tokens_and_edits_are_those_of_the_texts(small):
    pool, count = small.workspace.tables.read("pool"), tokens.counter(generated.TOKENIZER)
    texts = pool["text"].to_pylist()
    assert [content_id({"text": text}) for text in texts] == pool["id"].to_pylist()
    assert [count(text) for text in texts] == pool["tokens"].to_pylist()
    assert len(set(pool["id"].to_pylist())) == 1500
    shards = small.workspace.documents.shards()
    documents = pa.concat_tables(shard.read(["text", "tokens", "edits"]) for shard in shards)
    assert [count(text) for text in documents["text"].to_pylist()] == documents[
        "tokens"
    ].to_pylist()
    edited = documents.filter(pc.is_valid(documents["edits"]))["text"].to_pylist()
    assert 10 < len(edited) < 60
    assert all(text.startswith("[email] ") for text in edited)
    assert not any("@" in text for text in documents["text"].to_pylist())


def test_shares_and_lengths_are_about_those_that_are_asked(small):
    pool, clean = small.workspace.tables.read("pool"), small.workspace.tables.read("clean")
    counts = {row["values"]: row["counts"] for row in pool["source"].value_counts().to_pylist()}
    for name, share in generated.SOURCES.items():
        assert abs(counts[name] - 1500 * share) <= 1
    assert 80 < pc.mean(pc.utf8_length(pool["text"])).as_py() < 120
    assert 0.03 < pc.mean(pool["holdout"].cast("int8")).as_py() < 0.07
    assert 0.87 < pc.mean(clean["kept"].cast("int8")).as_py() < 0.93
    assert set(clean["language"].to_pylist()) == set(generated.SYLLABLES)
    assert small.workspace.ledger.last("clean")["result"]["kept"] == pc.sum(clean["kept"]).as_py()


def test_clean_belongs_to_pool_and_its_index_finds_every_document(small):
    shards = small.workspace.documents.shards()
    assert [shard.is_checked for shard in shards] == [True] * 3
    ids = [shard.read(["id"], dropped=True)["id"] for shard in shards]
    assert [len(part) for part in ids] == [ROWS, ROWS, 100]
    for shard, own in zip(shards, ids, strict=True):
        assert find_rows(shard.clean, keys_of(own)).tolist() == list(range(len(own)))


def test_the_stages_take_it_as_made(small):
    vectors_made = vectors.embed(small.workspace, generated.ENCODER)
    assert (vectors_made.encoded, vectors_made.dimension) == (0, generated.DIMENSION)
    small.run("agree", bootstrap=10)
    quality = {"values": {"negative": 0.0, "neutral": 0.5, "positive": 1.0}}
    score = small.run("score", encoder=generated.ENCODER, quality=quality, resamples=2)
    assert (score.labelled, score.encoded) == (generated.LABELLED, 0)
    assert score.questions[0].accuracy > 0.7  # the classes are in the vectors
    small.run("mix", **flat.RECIPE["mix"])
    small.run("export")
    assert verify(small.root / "export").problems == ()


def test_the_draw_in_numpy_is_that_of_mix(small):
    small.run("mix", **flat.PLAIN["mix"])
    flat.draw(small.root)
    assert flat.is_same_draw(small.root)
    small.run("mix", **{**flat.PLAIN["mix"], "seed": 1})
    assert not flat.is_same_draw(small.root)


def test_the_same_seed_is_the_same_workspace(small, tmp_path):
    other = Offline(tmp_path / "other")
    generated.generate(generated.Plan(other.root, 1500), workers=1)
    for name in ("pool", "clean", f"vectors/{generated.ENCODER}"):
        stored = small.workspace.tables.fingerprint(name)
        assert stored == other.workspace.tables.fingerprint(name)


def test_memory_and_time_are_those_of_all_processes(tmp_path):
    child = "import time; a = bytearray(60_000_000); sum(range(9_000_000)); time.sleep(0.4)"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}]); 1 / 0"
    own = flat.measured("-c", parent, log=tmp_path / "log")
    assert 60 < own.megabytes < 110
    assert 0.05 < own.cpu < own.seconds
    assert own.failed.endswith("ZeroDivisionError: division by zero")
