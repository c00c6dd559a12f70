"""Break a line on purpose, and see whether the tests notice.

A mutant is tried in a copy of the tree. Its tests run as they are, without those that need a server
or a browser; slow ones run too.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PATIENCE = 900
"""Seconds for the tests of a mutant. One that hangs is noticed too."""


@dataclass(frozen=True)
class Mutant:
    """A line that is broken: `exact` stands once in `file`, and becomes `made`.

    `tests` are what should notice: test files, or `file::function`.
    """

    name: str
    file: str
    exact: str
    made: str
    tests: tuple[str, ...]


def broken(text: str, mutant: Mutant) -> str:
    """The text of a mutant's file with its line broken. Raises LookupError if it has moved."""
    times = text.count(mutant.exact)
    if times != 1:
        raise LookupError(f"{mutant.name}: {mutant.file} holds its text {times} times, not once")
    return text.replace(mutant.exact, mutant.made)


def copy_tree(target: Path) -> None:
    """Copy the working tree, without what git ignores."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, target / name)


def run_tests(tree: Path, tests: tuple[str, ...]) -> tuple[int, str]:
    """Run tests in a copy of the tree; pytest's exit code (-1: it took too long), and its words."""
    environment = {**os.environ, "PYTHONPATH": str(tree), "CURATE_HOME": str(tree / "home")}
    options = ["-q", "-x", "-m", "not live and not browser", "-p", "no:cacheprovider"]
    command = [sys.executable, "-m", "pytest", *options, *tests]
    try:
        done = subprocess.run(
            command, cwd=tree, env=environment, capture_output=True, text=True, timeout=PATIENCE
        )
    except subprocess.TimeoutExpired:
        return -1, "the tests took too long"
    return done.returncode, done.stdout + done.stderr


def seen_by(tree: Path, mutant: Mutant) -> str | None:
    """The first test that notices a mutant, None if none does; the tree is whole again afterwards.

    Raises LookupError if the mutant's line has moved, RuntimeError if the tests cannot run.
    """
    path = tree / mutant.file
    whole = path.read_text(encoding="utf-8")
    path.write_text(broken(whole, mutant), encoding="utf-8")
    try:
        code, words = run_tests(tree, mutant.tests)
    finally:
        path.write_text(whole, encoding="utf-8")
    if code in (0, -1):
        return words if code else None
    if failed := re.search(r"^(?:FAILED|ERROR) (\S+)", words, re.MULTILINE):
        return failed[1]
    raise RuntimeError(f"{mutant.name}: its tests did not run\n{words[-2000:]}")
