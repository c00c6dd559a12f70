"""What a shell completes: names that lie on disk. Only names of files and JSON are read.

A completion answers while somebody types: nothing heavy is imported, and a fault is no answer.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer

Complete = Callable[[typer.Context, str], list[str]]


def _beginning(names: Iterable[str], incomplete: str) -> list[str]:
    """The names that begin as what was typed, without repeats."""
    return [name for name in dict.fromkeys(names) if name.startswith(incomplete)]


def _root(context: typer.Context) -> Path:
    """The workspace that was typed before, or the current folder."""
    return Path(context.params.get("root") or context.params.get("workspace") or ".")


@dataclass(frozen=True)
class Values:
    """The completion of an option that takes one of some values."""

    names: tuple[str, ...]

    def __call__(self, ctx: typer.Context, incomplete: str) -> list[str]:
        """The values that begin as what was typed."""
        return _beginning(self.names, incomplete)


def template_names(ctx: typer.Context, incomplete: str) -> list[str]:
    """The recipes that come with curate."""
    from curate.run.templates import templates

    return _beginning(templates(), incomplete)


def form_names(ctx: typer.Context, incomplete: str) -> list[str]:
    """The forms of the workspace, and those that come with curate."""
    from curate.forms.files import known_forms

    return _beginning(known_forms(_root(ctx)), incomplete)


def round_numbers(ctx: typer.Context, incomplete: str) -> list[str]:
    """The numbers of the rounds of the workspace."""
    numbers = (path.name.lstrip("0") for path in sorted(_root(ctx).glob("rounds/[0-9]*")))
    return _beginning(numbers, incomplete)


def source_names(ctx: typer.Context, incomplete: str) -> list[str]:
    """The sources of the pool, by the last run of `pool`."""
    return _beginning(_last_result(_root(ctx), "pool").get("sources") or (), incomplete)


def people_ids(ctx: typer.Context, incomplete: str) -> list[str]:
    """The people whose answers were settled, by the last run of `agree`."""
    people = _last_result(_root(ctx), "agree").get("people") or ()
    return _beginning((person["annotator"] for person in people), incomplete)


def _last_result(root: Path, stage: str) -> dict[str, Any]:
    """The result of the last run of a stage, as the ledger has it; empty if there is none."""
    try:
        lines = (root / "ledger.jsonl").read_bytes().split(b"\n")
    except OSError:
        return {}
    mark = f'"stage": "{stage}"'.encode()
    for line in reversed(lines):
        if mark in line[:80]:
            try:
                return dict(json.loads(line)["result"])
            except (ValueError, RecursionError, LookupError, TypeError):
                continue  # cut short by a kill
    return {}
