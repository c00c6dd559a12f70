"""`curate`, the command: expected errors become one line, a hint and an exit code."""

from __future__ import annotations

import sys

from curate import console
from curate.commands.app import app
from curate.errors import CurateError


def main() -> None:
    """Run the command line."""
    try:
        app()
    except CurateError as problem:
        console.error(problem)
        sys.exit(problem.exit_code)
    except OSError as problem:
        where = f"{problem.filename}: " if problem.filename else ""
        hint = "what was done is kept: mend it and run the same command again"
        console.error(CurateError(f"{where}{problem.strerror or problem}", hint=hint))
        sys.exit(1)
