"""kill -9 at any moment, then the same command again: the result of an undisturbed run."""

import json
import shutil
import signal
import time

import pyarrow.parquet as pq
import pytest

from curate import storage
from tests import deadly
from tests.test_loop import BAD, GOOD, RECIPE, answer, durable, texts
from tests.test_loop import contents as all_contents

pytestmark = pytest.mark.slow

MOMENTS = {
    "pool, before its shard": ("curate.storage", "write_parquet", 2),
    "clean, before its manifest": ("curate.storage", "seal", 2),
    "sample, before the round is there": ("curate.storage", "swap", 3),
    "push, before its project is there": ("file", "rounds/01/tasks.json", 1),
    "push, before its form is frozen": ("file", "rounds/01/form.xml", 1),
    "push, before what it asks is frozen": ("file", "rounds/01/tasks.parquet", 1),
    "push, before it is frozen": ("file", "rounds/01/project.json", 1),
    "push, before the tasks are written": ("file", "rounds/01/tasks.jsonl", 1),
}
AFTER_ANSWERS = {
    "pull, before the answers are written": ("file", "annotations/0001.parquet", 1),
    "pull, before the round is closed": ("file", "closed.json", 1),
    "agree, between its tables": ("curate.storage", "write_file_table", 2),
    "embed, before the third block": ("curate.storage", "write_parquet", 5),
    "score, before its table": ("curate.storage", "building", 1),
    "mix, before the groups": ("curate.storage", "write_file_table", 3),
    "export, before the shuffle is written": ("curate.export.stage", "_write_beside", 1),
    "export, before it takes its place": ("curate.storage", "swap", 3),
    "the ledger, before a line": ("os", "fsync", 3),
}


def run(folder, *, kill=deadly.NEVER):
    """Run the recipe in a process of its own; return its exit code."""
    log = folder.parent / "said.txt"
    code = deadly.run(["run", "-w", folder], log, kill=kill, constants=deadly.UNDRAWN)
    assert "Traceback" not in log.read_text(encoding="utf-8"), log.read_text(encoding="utf-8")
    return code


def prepared(folder):
    """Make a workspace whose random id is the same in every run."""
    (folder / "data").mkdir(parents=True)
    rows = [text for words in (GOOD, BAD) for text in texts(words)]
    lines = "".join(json.dumps({"text": text}) + "\n" for text in rows)
    (folder / "data" / "notes.jsonl").write_text(lines)
    (folder / "recipe.yaml").write_text(RECIPE)
    about = {"id": "00000000", "name": "kills", "created": "2026-01-01", "version": "0"}
    (folder / "workspace.json").write_text(json.dumps(about))
    return folder


def contents(folder):
    """Return the rows of every table and the bytes of the export; records of making may differ."""
    import pyarrow.parquet as pq

    found = {path: data for path, data in all_contents(folder).items() if durable(path)}
    assert len(found) > 10
    return {
        path: pq.read_table(folder / path).to_pylist() if path.endswith(".parquet") else data
        for path, data in found.items()
    }


def everything(folder):
    """Return the rows of every table, those of rounds too, and the texts and names of all files.

    Of files that tell when they were made, the names alone. What a killed writer had begun is left
    out: takedowns remove it.
    """
    found, begun = {}, set(storage.leftovers(folder))
    for path in sorted(path for path in folder.rglob("*") if path.is_file() and path not in begun):
        name = str(path.relative_to(folder))
        if path.suffix == ".parquet":
            found[name] = pq.read_table(path).to_pylist()
        else:
            found[name] = path.read_bytes() if path.suffix in (".jsonl", ".xml", ".md") else None
    del found["ledger.jsonl"]
    return found


@pytest.fixture(scope="module")
def _asked(tmp_path_factory):
    folder = prepared(tmp_path_factory.mktemp("asked") / "run")
    assert run(folder) == 3
    return folder


@pytest.fixture(scope="module")
def asked(_asked):
    """Return all that lies there when people are asked."""
    found = everything(_asked)
    assert {"rounds/01/tasks.jsonl", "rounds/01/form.xml", "rounds/01/tasks.parquet"} <= set(found)
    return found


@pytest.fixture(scope="module")
def answered(_asked, tmp_path_factory):
    """Return a workspace whose people have answered, and whose answers are not yet pulled."""
    folder = copied(_asked, tmp_path_factory.mktemp("answered") / "run")
    answer(folder)
    return folder


@pytest.fixture(scope="module")
def undisturbed(answered, tmp_path_factory):
    folder = copied(answered, tmp_path_factory.mktemp("undisturbed") / "run")
    assert run(folder) == 0
    return contents(folder)


def copied(folder, place):
    """Copy a workspace with the times of its files, so that nothing in it is stale."""
    shutil.copytree(folder, place, copy_function=shutil.copy2)
    return place


@pytest.mark.parametrize("moment", MOMENTS)
def test_killed_before_people_are_asked(tmp_path, asked, moment):
    """What people find, and what lies beside it, is that of an undisturbed run: so is the rest."""
    folder = prepared(tmp_path / "run")
    assert run(folder, kill=MOMENTS[moment]) == -signal.SIGKILL
    assert run(folder) == 3
    assert everything(folder) == asked


@pytest.mark.parametrize("moment", [list(MOMENTS)[1], list(MOMENTS)[-2]])
def test_what_was_killed_before_people_were_asked_goes_on(tmp_path, undisturbed, moment):
    folder = prepared(tmp_path / "run")
    assert run(folder, kill=MOMENTS[moment]) == -signal.SIGKILL
    assert run(folder) == 3
    answer(folder)
    assert run(folder) == 0
    assert contents(folder) == undisturbed


@pytest.mark.parametrize("moment", AFTER_ANSWERS)
def test_killed_after_people_have_answered(tmp_path, answered, undisturbed, moment):
    folder = copied(answered, tmp_path / "run")
    assert run(folder, kill=AFTER_ANSWERS[moment]) == -signal.SIGKILL
    assert run(folder) == 0
    assert contents(folder) == undisturbed
    assert answers(folder) == 60 * 2


def answers(folder):
    """Return how many answers were stored, doubles counted."""
    import pyarrow.parquet as pq

    files = (folder / "rounds" / "01" / "annotations").glob("*.parquet")
    return sum(pq.read_metadata(path).num_rows for path in files)


@pytest.mark.slow
@pytest.mark.parametrize("stage", ["mix", "export"])
def test_ten_kills_of_a_stage_leave_the_same_bytes(tmp_path, stage):
    """Kill the stage ten times at moments all over its run, then let it end."""
    from tests.benchmarks import generated

    undisturbed, killed_root = tmp_path / "undisturbed", tmp_path / "killed"
    generated.generate(generated.Plan(undisturbed, 30_000, vectors=False))
    settings = ["--budget", "40%"] if stage == "mix" else ["--shard-documents", "2500"]
    command = [stage, *settings, "--workers", "2", "-w"]
    log = tmp_path / "said.txt"
    mix = ["mix", "--budget", "40%", "-w", undisturbed]
    assert deadly.run(mix if stage == "export" else ["--help"], log) == 0, log.read_text()
    shutil.copytree(undisturbed, killed_root)
    started = time.perf_counter()
    assert deadly.run([*command, undisturbed], log) == 0, log.read_text()
    whole = time.perf_counter() - started
    kills = 0
    for number in range(10):
        running = deadly.start([*command, killed_root], log)
        running.join(whole * (0.2 + 0.06 * number))
        if running.exitcode is None:
            running.kill()
            running.join()
            kills += 1
    assert kills > 4
    assert deadly.run([*command, killed_root], log) == 0, log.read_text()
    assert shards_of(killed_root, stage) == shards_of(undisturbed, stage)
    workshop = killed_root / ".building"
    assert not workshop.exists() or not any(workshop.iterdir())


def shards_of(root, stage):
    """Return the bytes of what a stage wrote, but for the records of when it was made."""
    files = sorted((root / stage).glob("*.parquet" if stage == "mix" else "data-*"))
    content = {path.name: path.read_bytes() for path in files}
    if stage == "mix":
        return content, pq.read_table(root / "groups.parquet").to_pylist()
    return content, json.loads((root / "export" / "manifest.json").read_text())["content_sha256"]
