"""The commands named in messages: they get the workspace that the person's own command was for."""

from __future__ import annotations

import re
import shlex
from contextvars import ContextVar
from pathlib import Path

WITHOUT_WORKSPACE = ("init", "verify", "diff", "server", "recipe schema")
"""The commands (by their first words) that take no workspace."""

_WORKSPACE: ContextVar[Path] = ContextVar("_WORKSPACE", default=Path())
_COMMAND = re.compile(r"`curate (?P<words>[^`]+)`")


def speak_of(root: Path) -> Path:
    """Let commands in messages be for this workspace; returns it."""
    _WORKSPACE.set(root)
    return root


def spoken_of() -> Path:
    """The workspace that the command is for."""
    return _WORKSPACE.get()


def addressed(text: str) -> str:
    """The text, with `-w` in every command that would otherwise be for the current folder."""
    root = _WORKSPACE.get()
    if root.resolve() == Path.cwd():
        return text
    return _COMMAND.sub(lambda match: f"`{_for(match['words'], root)}`", text)


def _for(words: str, root: Path) -> str:
    stands_alone = f"{words} ".startswith(tuple(f"{name} " for name in WITHOUT_WORKSPACE))
    has_one = re.search(r"(^| )(-w|--workspace)( |$)", words)
    return f"curate {words}" + ("" if stands_alone or has_one else f" -w {shlex.quote(str(root))}")
