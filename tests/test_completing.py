"""What a shell completes: the options of every command, quickly, from next to no imports."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from curate import STAGES
from curate.commands import app, listing
from tests.test_docs import generator

ROOT = Path(__file__).parent.parent

SCRIPT = (
    "import sys, atexit\n"
    "atexit.register(lambda: print('LOADED', *sorted(sys.modules), file=sys.stderr))\n"
    "from curate.cli import main\n"
    "main()\n"
)

MOST_OF_CURATE = 40
"""Modules of ours that an answer may import. A stage's settings alone bring 150."""

SLOW = {"numpy", "pyarrow", "pandas", "yaml", "scipy", "requests", "httpx"}
"""Not pydantic: typer imports it by itself, to read a flag."""


def completed(words: str) -> tuple[list[str], set[str]]:
    """What a shell gets for a line whose last word is unfinished, and all imported modules."""
    typed = words.split(" ")
    asked = {
        "_CURATE_COMPLETE": "complete_bash",
        "COMP_WORDS": words,
        "COMP_CWORD": str(len(typed) - 1),
    }
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        env={**os.environ, **asked},
    )
    return done.stdout.split(), set(done.stderr.split("LOADED", 1)[1].split())


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        ("curate m", ["mix"]),
        ("curate mix --max", ["--max-epochs"]),
        ("curate mix --groups l", ["language", "license"]),
        ("curate push --backend f", ["folder"]),
        ("curate push --form sentiment_", ["sentiment_zh"]),
        ("curate pool -w there --no", ["--no-strict"]),
        ("curate round cl", ["close"]),
    ],
)
def test_an_answer_imports_nothing_heavy(words: str, answer: list[str]) -> None:
    found, loaded = completed(words)
    assert found == answer
    assert not {name.split(".")[0] for name in loaded} & SLOW
    ours = {name for name in loaded if name.split(".")[0] == "curate"}
    assert not {name for name in ours if name.endswith((".stage", ".spec"))}
    assert len(ours) <= MOST_OF_CURATE, sorted(ours)


def described(option: object) -> tuple[object, ...]:
    """What a completion depends on: an option's flags, its help, and whether a value follows."""
    names = ("opts", "secondary_opts", "is_flag", "multiple", "help")
    return tuple(getattr(option, name) for name in names)


@pytest.mark.parametrize("stage", STAGES)
def test_the_listed_options_are_those_of_the_command(stage: str) -> None:
    real, named = app.load(stage), listing.command(stage)
    assert [*map(described, named.params)] == [*map(described, real.params)]


def test_the_list_is_what_the_code_says() -> None:
    written = listing.LIST.read_text(encoding="utf-8")
    assert written == generator().stage_options(), "run `python docs/generate.py`"
