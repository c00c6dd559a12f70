"""A small finished workspace, copies of it, and commands in this process, with an end."""

from __future__ import annotations

import io
import json
import os
import shutil
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from traceback import extract_tb
from typing import Any

from curate import cli

RECIPE = """
encoder: chargram
pool: {sources: [{paths: ["data/*.jsonl"]}], tokenizer: bytes, holdout: 0.1}
clean: {rules: [length], near_duplicates: 0.95}
sample: {n: 24, strategy: stratified, seed: 3}
push: {backend: folder, form: sentiment, overlap: 2}
agree: {bootstrap: 20}
score: {question: sentiment, resamples: 4, quality: {clarity: [negative, positive]}}
mix: {groups: [source], budget: 40%}
evaluate: {seeds: 2, train_bytes: 20000, holdout_bytes: 2000}
"""
THINGS = ("ferry", "quilt", "violin", "orchard", "lantern", "saddle", "teapot", "harbour")
PLACES = ("at dawn", "in winter", "by the mill", "past noon")
WORDS = {"positive": ("splendid", "superb", "charming"), "negative": ("dull", "shabby", "grim")}
os.environ["CURATE_WORKERS"] = "1"  # workers of their own would outlive a command that is stopped
SECONDS = 60
"""A command that takes longer than this hangs; waiting for a busy processor is no part of it."""


class HangError(BaseException):
    """A command did not end; no handler of the command's own may take it for an error."""


def command(*arguments: object, seconds: int = SECONDS) -> tuple[int, str]:
    """Run `curate` here; return its exit code and what it said. A traceback is code 99."""
    said = io.StringIO()
    before = sys.argv
    sys.argv = ["curate", *map(str, arguments)]
    try:
        with redirect_stdout(io.StringIO()) as out, redirect_stderr(said), _limited(seconds):
            cli.main()
        return 0, out.getvalue() + said.getvalue()
    except SystemExit as end:
        return int(end.code or 0), out.getvalue() + said.getvalue()
    except HangError:
        return 99, f"it hung for {seconds} s"
    except Exception as fault:
        place = extract_tb(fault.__traceback__)[-1]
        own = [frame for frame in extract_tb(fault.__traceback__) if "curate" in frame.filename]
        where = own[-1] if own else place
        told = f"{type(fault).__name__}: {str(fault)[:120]}"
        return 99, f"a traceback: {told} ({Path(where.filename).name}:{where.lineno})"
    finally:
        sys.argv = before


@contextmanager
def _limited(seconds: int) -> Iterator[None]:
    began, waited = time.monotonic(), _waited()

    def stop(*_: Any) -> None:
        left = began + seconds + _waited() - waited - time.monotonic()
        if left < 1:
            raise HangError
        signal.alarm(int(left) + 1)

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def _waited() -> float:
    """The seconds that this process was ready and got no processor; 0 where nobody counts them."""
    try:
        return int(Path("/proc/self/schedstat").read_text().split()[1]) / 1e9
    except OSError:
        return 0.0


def finished(folder: Path) -> Path:
    """Make a workspace whose every stage is done, without a server; return it."""
    root = folder / "finished"
    (root / "data").mkdir(parents=True)
    for number, thing in enumerate(("arts", "trips")):
        rows = [
            {"text": f"The {own} {place} was {words[(i + j) % 3]}, {words[i % 3]} for {thing} too."}
            for words in WORDS.values()
            for i, own in enumerate(THINGS[number::2] + THINGS)
            for j, place in enumerate(PLACES)
        ]
        lines = (json.dumps(row) + "\n" for row in rows)
        (root / "data" / f"{thing}.jsonl").write_text("".join(lines), encoding="utf-8")
    (root / "recipe.yaml").write_text(RECIPE, encoding="utf-8")
    _expect(3, command("run", "-w", root, seconds=10 * SECONDS))
    answer(root)
    _expect(0, command("run", "-w", root, seconds=10 * SECONDS))
    return root


def answer(root: Path, people: Sequence[str] = ("mia", "joe")) -> None:
    """Answer the tasks of the first round truthfully."""
    lines = (root / "rounds/01/tasks.jsonl").read_text(encoding="utf-8").splitlines()
    answers = [
        {"id": task["id"], "question": "sentiment", "annotator": who, "value": _feeling(task)}
        for task in map(json.loads, lines)
        for who in people
    ]
    text = "".join(json.dumps(row) + "\n" for row in answers)
    (root / "rounds/01/answers.jsonl").write_text(text, encoding="utf-8")


def _feeling(task: dict[str, Any]) -> str:
    return next(
        name for name, words in WORDS.items() if any(word in task["text"] for word in words)
    )


def _expect(code: int, outcome: tuple[int, str]) -> None:
    assert outcome[0] == code, outcome


def copied(root: Path, place: Path) -> Path:
    """Copy a workspace with the times of its files; what was at the place goes."""
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(root, place, copy_function=shutil.copy2)
    return place
