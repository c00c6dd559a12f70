"""`curate` as a person runs it, in this process."""

import sys
from collections.abc import Callable

import pytest

from curate import cli

Outcome = tuple[int, str, str]
"""(exit code, stdout, stderr)."""


def command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Outcome]:
    """Return how to run a command."""

    def run(*arguments: object) -> Outcome:
        monkeypatch.setattr(sys, "argv", ["curate", *map(str, arguments)])
        try:
            cli.main()
            code = 0
        except SystemExit as end:
            code = int(end.code or 0)
        return code, *capsys.readouterr()

    return run
