"""What the command line says: commands that can be typed as printed, and one line for a fault."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from curate import cli, saying
from tests.command import command
from tests.test_architecture import COMMANDS


@pytest.fixture(autouse=True)
def _here() -> Any:
    saying.speak_of(Path())  # tests before this one may have spoken of another
    yield
    saying.speak_of(Path())


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("run `curate pull` first", "run `curate pull -w 'my run'` first"),
        ("`curate run --next-round`, or `curate round close`", "--next-round -w 'my run'`, or"),
        ("`curate server start`", "`curate server start`"),
        ("`curate recipe schema` and `curate recipe check`", "schema` and `curate recipe check -w"),
        ("`curate run R -w there`", "`curate run R -w there`"),
        ("`curate init DIR`", "`curate init DIR`"),
        ("nothing to type", "nothing to type"),
    ],
)
def test_a_command_is_for_the_workspace_of_the_one_before(text: str, words: str) -> None:
    saying.speak_of(Path("my run"))
    assert words in saying.addressed(text)
    saying.speak_of(Path.cwd())
    assert saying.addressed(text) == text


def test_the_commands_without_a_workspace_are_those() -> None:
    without = {
        " ".join(path)
        for path, known in COMMANDS.items()
        if not {"root", "workspace"} & {option.name for option in known.params}
    }
    for path in map(" ".join, COMMANDS):
        stands_alone = f"{path} ".startswith(tuple(f"{name} " for name in saying.WITHOUT_WORKSPACE))
        assert stands_alone == (path in without), path


@pytest.mark.parametrize(
    "line",
    [
        ("run",),
        ("round", "close"),
        ("pool",),
        ("mix",),
        ("report",),
        ("push", "--restore"),
        ("pull", "--answers", "some.jsonl"),
        ("remove", "--domain", "a.org", "--reason", "asked"),
    ],
)
def test_a_folder_that_is_no_workspace_stays_as_it_is(
    line: tuple[str, ...], tmp_path: Path, monkeypatch: Any, capsys: Any
) -> None:
    here, absent = tmp_path / "here", tmp_path / "absent"
    here.mkdir()
    monkeypatch.chdir(here)
    run = command(monkeypatch, capsys)
    assert run(*line)[0] == run(*line, "-w", absent)[0] == 1
    assert not list(here.iterdir())
    assert not absent.exists()


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (("clean", "--explain", "length", "--rules", "code"), "--rules has no effect beside"),
        (("clean", "--what-if", "length:words.min", "--near-duplicates", ".7"), "--near-duplicate"),
        (("push", "--restore", "--overlap", "2"), "--overlap has no effect beside --restore"),
        (("pull", "--answers", "a.jsonl", "--enough", ".5"), "--enough has no effect beside"),
        (("pull", "--answers", "a.jsonl", "--accept-withdrawals"), "--accept-withdrawals has no"),
        (("run", "--dry-run", "--next-round"), "--next-round has no effect beside --dry-run"),
        (("run", "--dry-run", "--purpose", "pilot"), "--purpose has no effect beside --dry-run"),
        (("remove", "--check", "--url", "http"), "--url has no effect beside --check"),
        (("sample", "--allocation", "equal"), "allocation has no effect without strategy"),
    ],
)
def test_an_option_without_effect_is_refused(
    line: tuple[str, ...], words: str, offline: Any, monkeypatch: Any, capsys: Any
) -> None:
    code, _, err = command(monkeypatch, capsys)(*line, "-w", offline.root)
    assert code == 2
    assert words in err


def test_a_folder_of_a_forms_name_is_no_form(
    whole: Any, tmp_path: Path, monkeypatch: Any, capsys: Any
) -> None:
    for name in ("topic", "chargram"):
        (tmp_path / "there" / name).mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "there")
    run = command(monkeypatch, capsys)
    assert run("sample", "--n", "4", "-w", whole.root)[0] == 0
    code, _, err = run("push", "--backend", "folder", "--form", "topic", "-w", whole.root)
    assert code == 0, err
    assert whole.workspace.rounds.current().form.name == "topic"
    code, _, err = run("score", "--encoder", "chargram", "--resamples", "2", "-w", whole.root)
    assert code == 0, err


# ── faults that a person can do something about


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (MemoryError(), "too little memory: MemoryError"),
        (ImportError("libtorch.so: failed to map segment from shared object"), "too little memory"),
        (RuntimeError("can't start new thread"), "too little memory"),
        (OSError(errno.ENOMEM, os.strerror(errno.ENOMEM)), "too little memory"),
        (ImportError("libgomp.so.1: cannot open\nlong advice"), "cannot be loaded: libgomp.so.1"),
        (ModuleNotFoundError("No module named 'scipy'"), "cannot be loaded: No module named"),
        (OSError(errno.ENOSPC, "No space left on device", "/full"), "/full: No space left"),
    ],
)
def test_a_fault_of_the_machine_costs_a_line(
    fault: Exception, words: str, monkeypatch: Any, capsys: Any
) -> None:
    def failing() -> None:
        raise fault

    monkeypatch.setattr(cli, "app", failing)
    with pytest.raises(SystemExit) as end:
        cli.main()
    error, hint, *rest = capsys.readouterr().err.splitlines()
    assert (end.value.code, rest) == (1, [])
    assert error.startswith("error: ")
    assert words in error
    assert hint.startswith("hint: ")


def test_a_fault_of_ours_keeps_its_traceback(monkeypatch: Any) -> None:
    def failing() -> None:
        raise AssertionError("a bug")

    monkeypatch.setattr(cli, "app", failing)
    with pytest.raises(AssertionError):
        cli.main()


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_letters_of_all_scripts_are_shown_in_any_locale(offline: Any, encoding: str) -> None:
    text = "people: [{id: 李娜, name: Łucja}]"
    (offline.root / "people.yaml").write_text(text, encoding="utf-8")
    line = [sys.executable, "-m", "curate", "people", "list", "-w", str(offline.root)]
    environment = {**os.environ, "LC_ALL": "C", "PYTHONIOENCODING": encoding}
    done = subprocess.run(line, capture_output=True, env=environment, check=True)
    assert "李娜" in done.stdout.decode()
    assert "Łucja" in done.stdout.decode()


@pytest.mark.parametrize("closed", ["stdout", "stderr"])
def test_a_stream_that_the_shell_closed_takes_no_output(offline: Any, closed: str) -> None:
    """Python has None in its place."""
    number = {"stdout": 1, "stderr": 2}[closed]
    line = f'"{sys.executable}" -m curate forms list --json {number}>&-'
    done = subprocess.run(line, shell=True, capture_output=True, check=True)
    assert b"Traceback" not in done.stderr
    assert (b"sentiment" in done.stdout) == (closed == "stderr")
