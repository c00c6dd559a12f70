"""A removal that is killed leaves no mark of what is done without what it tells of."""

import os
import shutil

import numpy as np
import pyarrow.parquet as pq
import pytest

from curate import storage
from curate.clean.instruments.arrays import store_arrays
from curate.export import stage as export
from curate.takedown import takedown
from curate.takedown.naming import NamedDocument
from tests.conftest import copied

pytestmark = pytest.mark.usefixtures("undrawn")

QUALITY = {"values": {"negative": 0.0, "neutral": 0.5, "positive": 1.0}}

STAGES = {
    "pool": {"sources": [{"paths": ["data/*.jsonl"]}], "tokenizer": "bytes", "holdout": 0.1},
    "clean": {"near_duplicates": 0.9},
    "score": {"encoder": "chargram", "resamples": 5, "quality": QUALITY},
    "export": {"shard_documents": 9},
}


class Killed(BaseException):
    """The process ends here."""


def removals(monkeypatch, work, number=0):
    """Do some work; return how many files it removes. The removal of the `number`-th kills it."""
    removed, unlink = [], os.unlink

    def deadly(*arguments, **named):
        removed.append(arguments)
        if len(removed) == number:
            raise Killed
        return unlink(*arguments, **named)

    with monkeypatch.context() as patch:
        patch.setattr(os, "unlink", deadly)
        work()
    return len(removed)


def killed_at(monkeypatch, number, work):
    """Do some work that is killed as it removes the `number`-th file."""
    with pytest.raises(Killed):
        removals(monkeypatch, work, number)


def content(run, stage):
    """What a stage has made."""
    if stage == "export":
        shards = sorted((run.root / "export").glob("*-*.jsonl"))
        return {path.name: path.read_bytes() for path in shards}
    return run.rows({"score": "scores"}.get(stage, stage))


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_that_is_killed_as_it_tidies_up_ends_as_any_other(
    whole, tmp_path, monkeypatch, stage
):
    settings = STAGES[stage]
    undisturbed = copied(whole.root, tmp_path / "undisturbed")
    number = removals(monkeypatch, lambda: undisturbed.run(stage, **settings))
    assert number >= 2
    expected = content(undisturbed, stage)
    for at in {number // 2, number} | ({1, 2, number // 3} if stage == "export" else set()):
        run = copied(whole.root, tmp_path / str(at))
        killed_at(monkeypatch, at, lambda run=run: run.run(stage, **settings))
        run.run(stage, **settings)
        assert content(run, stage) == expected
        assert not [*(run.root / ".building").glob("*")]
        assert not [*run.root.glob("**/*.old")]


@pytest.mark.parametrize("at", [1, 3, 8])
def test_an_unfinished_export_is_removed_whole_or_not_at_all(whole, monkeypatch, at):
    """Of another export it was half removed: its marks told of lines that were gone."""
    one, other = {"shard_documents": 9}, {"shard_documents": 30}
    whole.run("export", **one)
    expected = content(whole, "export")

    def killed(*_):
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(export, "_write_beside", killed)
        with pytest.raises(Killed):
            whole.run("export", **one)
    killed_at(monkeypatch, at, lambda: whole.run("export", **other))
    shutil.rmtree(whole.root / "export")
    whole.run("export", **one)
    assert content(whole, "export") == expected


def test_kept_arrays_are_whole_or_made_again(tmp_path, monkeypatch):
    def kept(digest):
        arrays = {"a": np.arange(3), "b": np.arange(len(digest))}
        return store_arrays(tmp_path, "words", digest, lambda: arrays)

    kept("one")
    killed_at(monkeypatch, 2, lambda: kept("other"))
    again = kept("one").folder
    assert {path.stem: np.load(path).tolist() for path in again.iterdir()} == {
        "a": [0, 1, 2],
        "b": [0, 1, 2],
    }


def readable(path):
    """What a file holds, as text."""
    if path.suffix == ".parquet":
        return str(pq.read_table(path).to_pylist())
    return path.read_text(encoding="utf-8", errors="replace")


def holding(root, text):
    """The files that hold a text."""
    files = sorted(path for path in root.rglob("*") if path.is_file())
    return [path.relative_to(root).as_posix() for path in files if text in readable(path)]


def test_a_takedown_that_is_killed_is_done_by_the_next(whole, tmp_path, monkeypatch):
    gone = next(row["id"] for row in whole.rows("mix") if row["copies"])
    text = {row["id"]: row["text"] for row in whole.rows("pool")}[gone]
    document = NamedDocument(gone, "films", "films.jsonl", "asked")

    def work(run):
        takedown.run(run.workspace, [document], [gone], "asked by its author")

    shutil.rmtree(whole.root / "data")
    assert "report.html" in holding(whole.root, text)
    undisturbed = copied(whole.root, tmp_path / "undisturbed")
    number = removals(monkeypatch, lambda: work(undisturbed))
    assert holding(undisturbed.root, text) == []
    for at in {number // 3, number // 2, number - 3, number}:
        run = copied(whole.root, tmp_path / str(at))
        killed_at(monkeypatch, at, lambda run=run: work(run))
        work(run)
        assert not (run.root / "export").exists()
        assert not [*run.root.glob("**/*.old")]
        assert holding(run.root, text) == []


def test_what_a_killed_removal_leaves_goes_with_the_next(tmp_path, monkeypatch):
    folder = tmp_path / "it"

    def fill():
        folder.mkdir()
        for name in "abc":
            (folder / name).touch()

    for at in (1, 2, 3):
        fill()
        killed_at(monkeypatch, at, lambda: storage.remove(folder))
        assert not folder.exists()
        assert [*tmp_path.iterdir()]
        storage.remove(folder)
        assert [*tmp_path.iterdir()] == []
