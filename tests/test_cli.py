"""The command line, as a person meets it: what it prints, and how it ends."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.command import command

TEXTS = [f"This is the plain sentence number {n}, and it says nothing else." for n in range(12)]


@pytest.fixture
def run(monkeypatch, capsys):
    return command(monkeypatch, capsys)


@pytest.fixture
def project(tmp_path):
    """Make a folder with a recipe and some texts; return a function that rewrites the recipe."""
    (tmp_path / "data").mkdir()
    rows = (json.dumps({"text": text}) + "\n" for text in TEXTS)
    (tmp_path / "data" / "plain.jsonl").write_text("".join(rows))

    def write(extra="", pool='{sources: [{paths: ["data/*.jsonl"]}]}'):
        path = tmp_path / "own.yaml"
        path.write_text(f"pool: {pool}\n{extra}\n")
        return path

    write.folder = tmp_path
    return write


def expect(outcome, code, *words):
    """Check that a command failed with one line, a hint, and no traceback."""
    found, _, err = outcome
    assert found == code, err
    lines = err.strip().splitlines()
    wrong = [line for line in lines if line.startswith("error: ")]
    assert len(wrong) == 1, err
    assert any(line.startswith("hint: ") for line in lines), err
    assert "Traceback" not in err
    for word in words:
        assert word in err


def test_missing_file(run, project):
    recipe = project(pool="{sources: [{paths: [data/nothing.jsonl]}]}")
    expect(run("run", recipe, "-w", project.folder), 1, "no file data/nothing.jsonl")


LINE_7 = "data/plain.jsonl, line 7: not JSON"


def test_broken_json_names_the_line_and_can_be_kept_aside(run, project):
    path = project.folder / "data" / "plain.jsonl"
    lines = path.read_text().splitlines()
    lines.insert(6, '{"text": "oops')
    path.write_text("\n".join(lines))
    recipe = project()
    expect(run("run", recipe, "-w", project.folder, "--set", "pool.strict=true"), 1, LINE_7)
    expect(run("pool", "--strict", "-w", project.folder), 1, LINE_7)
    assert not (project.folder / "pool").exists()
    code, out, _ = run("pool", "-w", project.folder, "--json")
    assert code == 0
    assert json.loads(out)["bad_rows"] == 1
    assert json.loads(out)["notes"][0].startswith("not used: not JSON")
    aside = json.loads((project.folder / "pool" / "_rejected.json").read_text())
    assert aside[0]["row"] == 7


def test_wrong_column_names_those_there_are(run, project):
    recipe = project(pool='{sources: [{paths: ["data/*.jsonl"], text: body}]}')
    outcome = run("run", recipe, "-w", project.folder)
    expect(outcome, 1, "no column body (there are: text)")


@pytest.mark.parametrize(
    ("extra", "words"),
    [
        ("sampel: {n: 3}", "sampel: unknown key"),
        ("sample: {n: 0}", "sample.n: input should be greater than or equal to 1"),
        ("mix: {between: {shares: {source: {plain: .5}}}}", "sum to 0.5, not 1"),
        ("mix: {budget: lots}", "is not a budget"),
    ],
)
def test_recipe_errors_name_the_field_before_anything_runs(run, project, extra, words):
    expect(run("run", project(extra), "-w", project.folder), 2, "own.yaml", words)
    assert not (project.folder / "pool").exists()


def test_wrong_option_is_a_recipe_error(run, project):
    run("run", project(), "-w", project.folder)
    expect(run("mix", "--budget", "lots", "-w", project.folder), 2, "curate mix: budget")


def test_no_recipe_and_no_workspace(run, project, tmp_path):
    expect(run("run", "nothing.yaml", "-w", project.folder), 2, "no recipe nothing.yaml")
    expect(run("score", "-w", tmp_path / "nowhere"), 1, "pool has not been made yet")


def test_empty_pool_stays_an_error(run, project):
    (project.folder / "data" / "plain.jsonl").write_text("")
    for _ in range(2):
        expect(run("run", project(), "-w", project.folder), 1, "hold no document")


def test_budget_beyond_the_supply_says_what_there_is(run, project):
    outcome = run("run", project("mix: {budget: 20M}"), "-w", project.folder)
    expect(outcome, 1, "20,000,000 tokens cannot be met", "4 times at most")
    assert not (project.folder / "mix").exists()


def test_dead_server_loses_nothing(run, project, monkeypatch):
    monkeypatch.setenv("LABEL_STUDIO_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", "0123456789abcdef0123456789abcdef01234567")
    outcome = run("run", project("push: {form: sentiment}"), "-w", project.folder)
    expect(outcome, 1, "http://127.0.0.1:1")
    assert "0123456789abcdef" not in outcome[2]
    assert (project.folder / "rounds" / "01" / "sample.parquet").exists()
    assert not (project.folder / "rounds" / "01" / "project.json").exists()


def test_missing_key_names_the_variable(run, project, monkeypatch):
    monkeypatch.setenv("LABEL_STUDIO_URL", "http://127.0.0.1:1")
    monkeypatch.delenv("LABEL_STUDIO_API_KEY", raising=False)
    outcome = run("run", project("push: {form: sentiment}"), "-w", project.folder)
    expect(outcome, 1, "LABEL_STUDIO_API_KEY")


def test_two_commands_at_once(run, project):
    recipe = project()
    held = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys, time; from pathlib import Path; from curate.workspace import Workspace\n"
            "with Workspace(Path(sys.argv[1])).lock.hold('mix'):\n"
            "    print('held', flush=True); time.sleep(60)",
            str(project.folder),
        ],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parent.parent,
    )
    try:
        assert held.stdout.readline() == "held\n"
        expect(run("run", recipe, "-w", project.folder), 1, "`curate mix`", str(held.pid))
        started = time.monotonic()
        held.kill()
        held.wait()
        code, _, err = run("run", recipe, "-w", project.folder, "--wait", "20")
        assert code == 0, err
        assert time.monotonic() - started < 60
    finally:
        held.kill()
        held.wait()
        held.stdout.close()


def test_json_is_one_object_on_stdout(run, project):
    code, out, _ = run("run", project(), "-w", project.folder, "--json")
    assert code == 0
    assert [step["stage"] for step in json.loads(out)["steps"]] == ["pool", "clean", "report"]
    code, out, _ = run("status", "-w", project.folder, "--json")
    assert code == 0
    states = {each["stage"]: each["state"] for each in json.loads(out)["stages"]}
    assert states["clean"] == "fresh"
    assert states["mix"] == "unused"


def test_status_and_lists_are_readable(run, project):
    run("run", project(), "-w", project.folder)
    assert "fresh" in run("status", "-w", project.folder)[1]
    assert "sentiment (choice)" in run("forms", "list")[1]
    assert "<Choices" in run("forms", "show", "sentiment")[1]
    assert json.loads(run("recipe", "schema")[1])["title"] == "Recipe"
    assert run("recipe", "check", project.folder / "own.yaml")[0] == 0


def test_a_changed_recipe_replaces_the_old_one_and_says_what_changed(run, project):
    run("run", project("clean: {rules: [length]}"), "-w", project.folder)
    recipe = project("clean: {rules: [length, gopher_repetition]}")
    code, _, err = run("run", recipe, "-w", project.folder)
    assert code == 0
    assert "clean.rules changed" in err
    ledger = (project.folder / "ledger.jsonl").read_text()
    assert "rules: [length]" in ledger
    assert "recipe.yaml: " not in run("run", recipe, "-w", project.folder)[2]


def test_init_makes_a_workspace_to_start_from(run, tmp_path):
    folder = tmp_path / "fresh"
    code, _, err = run("init", folder, "--template", "offline")
    assert code == 0
    assert "data/*.jsonl" in err
    assert (folder / "recipe.yaml").exists()
    assert (folder / "label_configs" / "sentiment.xml").exists()
    expect(run("init", folder), 1, "exists already")
    own = tmp_path / "own" / "label_configs" / "sentiment.xml"
    own.parent.mkdir(parents=True)
    own.write_text("<View/>")
    assert run("init", tmp_path / "own", "--template", "offline")[0] == 0
    assert own.read_text() == "<View/>"
    expect(run("init", tmp_path / "other", "--template", "nope"), 2, "no template nope")


def test_version_and_module():
    command = [sys.executable, "-m", "curate", "--version"]
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=env)
    assert done.stdout.startswith("curate 0.")


def test_a_full_disk_is_one_line_and_the_same_command_goes_on(run, project, monkeypatch):
    import errno

    from curate import storage

    whole = storage.write_parquet

    def full(path, table):
        if path.parent.name.startswith("clean"):
            raise OSError(errno.ENOSPC, "No space left on device", str(path))
        whole(path, table)

    monkeypatch.setattr(storage, "write_parquet", full)
    expect(run("run", project(), "-w", project.folder), 1, "No space left on device")
    monkeypatch.setattr(storage, "write_parquet", whole)
    code, _, err = run("run", project(), "-w", project.folder)
    assert code == 0
    assert "pool  fresh" in err
