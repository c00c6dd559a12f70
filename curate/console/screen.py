"""Lines on the terminal: errors, notes, questions, the bar of one piece of work.

stdout is data (`--json` prints one object), stderr is narration.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from curate.errors import CurateError
from curate.saying import addressed
from curate.yamls import TURNING

if TYPE_CHECKING:
    from rich.console import Console

    from curate.progress import Advance
    from curate.warning import StageWarning


def stdout(*, wraps: bool = False) -> Console:
    """The terminal for results; a long line is left to the terminal unless it `wraps`."""
    from rich.console import Console

    return Console(highlight=False, soft_wrap=not wraps)


def stderr() -> Console:
    """The terminal for narration."""
    from rich.console import Console

    return Console(stderr=True, highlight=False, soft_wrap=True)


_CONTROL = re.compile(f"[\x00-\x08\x0b-\x1f\x7f-\x9f{TURNING}]")
"""What moves the cursor, colours or turns a line around; names from outside may hold it."""


def harmless(text: str) -> str:
    """The text with a U+FFFD for every character that a terminal would obey."""
    return _CONTROL.sub("\ufffd", text)


def json_text(value: Any, *, indent: int | None = None) -> str:
    """A value as JSON, in which what a terminal would obey is escaped: the value is the same."""
    text = json.dumps(value, ensure_ascii=False, indent=indent)
    return _CONTROL.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def error(problem: CurateError) -> None:
    """Show an expected error: one line and a hint."""
    console = stderr()
    console.print("error:", style="bold red", end=" ")
    console.print(harmless(problem.message), markup=False)
    if problem.hint:
        console.print("hint:", style="bold", end=" ")
        console.print(harmless(addressed(problem.hint)), markup=False)


def error_plainly(problem: CurateError) -> None:
    """Show an expected error without rich, which can be what there was no memory for."""
    message, hint = harmless(problem.message), harmless(addressed(problem.hint))
    sys.stderr.write(f"error: {message}\nhint: {hint}\n")


def note(text: str) -> None:
    """Print a line on stderr."""
    stderr().print(harmless(addressed(text)), markup=False)


def ask(question: str, *, hint: str) -> str:
    """Ask a person on the terminal. Raises CurateError with the hint if there is no terminal."""
    if not sys.stdin.isatty():
        raise CurateError("there is nobody to ask here, and nothing was done", hint=hint)
    sys.stderr.write(question)
    sys.stderr.flush()
    return sys.stdin.readline().strip()


@contextmanager
def watch(label: str, total: int | None) -> Iterator[Advance]:
    """Show the progress of one piece of work on stderr: amount, speed and time left.

    Nothing is shown if stderr is not a terminal.
    """
    console = stderr()
    if not console.is_terminal:
        yield lambda n: None
        return
    from rich import progress

    columns = (
        progress.TextColumn("  {task.description}"),
        progress.BarColumn(),
        progress.MofNCompleteColumn(),
        progress.TextColumn("{task.fields[rate]}"),
        progress.TimeRemainingColumn(),
    )
    with progress.Progress(*columns, console=console, transient=True) as bar:
        task_id = bar.add_task(label, total=total, rate="")

        def advance(n: int) -> None:
            bar.advance(task_id, n)
            (task,) = bar.tasks
            bar.update(task_id, rate=f"{task.speed:,.0f}/s" if task.speed else "")

        yield advance


def warnings(shown: Sequence[StageWarning]) -> None:
    """Print warnings on stderr, a line each."""
    for warning in shown:
        stderr().print(f"[yellow]warning:[/yellow] {escaped(addressed(warning.words))}")


def escaped(text: str) -> str:
    """The text for rich: neither markup, nor what a terminal would obey."""
    from rich.markup import escape

    return escape(harmless(text))
