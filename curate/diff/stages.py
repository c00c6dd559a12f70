"""The first stage that made something else on one of two sides, and what may be the cause."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from curate.diff.sides import Side
from curate.export.made import TABLE_OF
from curate.run.files import differences

MOST = 8
"""The most settings that a sentence names."""


@dataclass(frozen=True)
class StageDifference:
    """How a stage stands on both sides.

    `same` is whether its content is the same; None where a side does not tell. `settings` are the
    dotted names of those that differ.
    """

    stage: str
    same: bool | None
    settings: tuple[str, ...]


def compare_stages(a: Side, b: Side) -> list[StageDifference]:
    """Compare what each stage has made, in their order; the last is the export, of two exports."""
    contents, settings = (a.contents, b.contents), (a.settings, b.settings)
    names = [*TABLE_OF, *(["export"] if a.export and b.export else [])]
    rows = []
    for stage in names:
        known = all(stage in own for own in contents)
        same = contents[0][stage] == contents[1][stage] if known else None
        own = differences(settings[0].get(stage) or {}, settings[1].get(stage) or {})
        rows.append(StageDifference(stage, same, tuple(f"{stage}.{path}" for path in own)))
    return rows


def first(stages: Sequence[StageDifference]) -> str:
    """A sentence about the first stage that made something else."""
    if all(stage.same is None for stage in stages):
        return "what was made by which stage is not known: an export is of an older version"
    for stage in stages:
        if stage.same is False:
            return f"{stage.stage} is the first stage that differs: {_cause(stage)}"
    return "every stage that is known made the same"


def _cause(stage: StageDifference) -> str:
    if stage.settings:
        more = len(stage.settings) - MOST
        told = ", ".join(stage.settings[:MOST]) + (f" and {more} more" if more > 0 else "")
        return f"other settings ({told})"
    inputs = {
        "pool": "other files, or another version",
        "agree": "other answers, or another version",
    }
    return f"the same settings, {inputs.get(stage.stage, 'another version of a library')}"
