"""`curate`, the command: expected errors become one line, a hint and an exit code."""

from __future__ import annotations

import sys
from io import StringIO, TextIOWrapper

from curate import console
from curate.commands.app import app
from curate.errors import CurateError
from curate.extras import missing
from curate.saying import spoken_of

NO_MEMORY = (
    *("failed to map segment", "cannot allocate memory", "can't start new thread"),
    *("failed to launch worker thread", "resource temporarily unavailable"),
)
"""How libraries say that the system gave them no more memory, or no more threads."""


def main() -> None:
    """Run the command line."""
    _open_closed_streams()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # the locale C has no letters but ASCII
            stream.reconfigure(encoding="utf-8", errors="replace")
    try:
        app()
    except CurateError as problem:
        console.error(problem)
        sys.exit(problem.exit_code)
    except Exception as fault:
        error = (damage(fault) if may_be_damage(fault) else None) or expected(fault)
        if error is None:
            raise
        console.error_plainly(error)
        sys.exit(error.exit_code)


def may_be_damage(fault: Exception) -> bool:
    """Whether a damaged file may be behind a fault: nothing else that is known explains it."""
    has_no_reason = isinstance(fault, OSError) and fault.errno is None
    return has_no_reason or expected(fault) is None


def damage(fault: Exception) -> CurateError | None:
    """The damaged file of the workspace that explains a fault; None where every file is whole."""
    root = spoken_of()
    if not (root / "workspace.json").exists():
        return None
    from curate.workspace.damage import find_damage

    error = find_damage(root)
    if error is not None:
        error.__cause__ = fault
    return error


def _open_closed_streams() -> None:
    """Let output vanish where the shell has closed a stream: Python has None in its place."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, StringIO())


def expected(fault: Exception) -> CurateError | None:
    """The error to show for a fault that a person can do something about; None for any other."""
    if isinstance(fault, MemoryError) or any(words in str(fault).lower() for words in NO_MEMORY):
        return CurateError(
            f"there is too little memory: {_first_line(fault)}",
            hint="end other programs, or give fewer --workers; what was done is kept",
        )
    if isinstance(fault, ModuleNotFoundError) and (absent := missing(fault)):
        return absent
    if isinstance(fault, ImportError):
        return CurateError(
            f"a library cannot be loaded: {_first_line(fault)}",
            hint="install curate again into this Python, with all it needs",
        )
    if isinstance(fault, OSError):
        where = f"{fault.filename}: " if fault.filename else ""
        hint = "what was done is kept: mend it and run the same command again"
        return CurateError(f"{where}{fault.strerror or fault}", hint=hint)
    return None


def _first_line(fault: Exception) -> str:
    return next(iter(str(fault).split("\n")), "").strip() or type(fault).__name__
