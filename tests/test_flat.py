"""Every stage behind `clean` makes the same tables on any engine, with any number of workers."""

import shutil
from importlib.util import find_spec

import pytest

from curate.engine import choose
from curate.pool import stage as pool
from tests.conftest import Offline

QUALITY = {"values": {"negative": 0.0, "neutral": 0.5, "positive": 1.0}}


def back_half(run):
    """Run what lies behind `clean`, and return what was made."""
    run.run("score", encoder="chargram", resamples=5, quality=QUALITY)
    run.run("mix", groups=["sentiment", "source"], within={"strategy": "softmax"}, budget="60%")
    made = run.run("export", shard_documents=20)
    evaluated = run.run("evaluate", seeds=2, train_bytes=20_000, holdout_bytes=2_000)
    run.run("report")
    tables = {name: run.rows(name) for name in ("scores", "mix", "groups")}
    files = {
        path.name: path.read_bytes()
        for path in sorted((run.root / "export").glob("data-*"))
        if path.is_file()
    }
    return tables, files, made.content_sha256, evaluated


@pytest.fixture(scope="module")
def labelled(tmp_path_factory):
    """A run up to its labels, in many shards."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pool, "ROWS_PER_SHARD", 15)
        run = Offline(tmp_path_factory.mktemp("flat") / "run")
        run.prepare()
        run.answer("ann", "bob")
        run.run("pull")
        run.run("agree", bootstrap=10)
    assert len(run.workspace.tables.shards("clean")) > 6
    return run.root


def copied(root, folder):
    shutil.copytree(root, folder / "run")
    return Offline(folder / "run")


@pytest.fixture(scope="module")
def alone(labelled, tmp_path_factory):
    """What one worker makes."""
    return back_half(copied(labelled, tmp_path_factory.mktemp("alone")))


@pytest.mark.parametrize(("name", "workers"), [("local", 2), ("ray", 2)])
def test_engines_agree_behind_clean(labelled, alone, tmp_path, name, workers):
    if name == "ray" and find_spec("ray") is None:
        pytest.skip("ray is not installed: pip install 'curate[ray]'")
    other = copied(labelled, tmp_path / "other")
    other.workspace.engine = choose(name, workers)
    try:
        assert back_half(other) == alone
    finally:
        other.workspace.engine.close()
