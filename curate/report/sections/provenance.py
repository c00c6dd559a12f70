"""The headline figures, and what ran when."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from curate.report.section import Section, cell, result_of, section
from curate.workspace import Workspace


def headline(workspace: Workspace) -> list[tuple[str, str]]:
    """The headline figures, each with its name: of the runs that the export was made from.

    Without an export they are those of the mixture, then of each table. What was not made has none.
    """
    lines = workspace.lineage.of("export") or workspace.lineage.of("mix")

    def result(stage: str, table: str) -> dict[str, Any]:
        return dict(lines[stage]["result"]) if stage in lines else result_of(workspace, table)

    export = result("export", "export")
    tiles = [
        ("documents read", result("pool", "pool").get("rows")),
        ("kept", result("clean", "clean").get("kept")),
        _answers(workspace, result("agree", "labels")),
        ("documents exported", export.get("documents")),
        ("tokens", export.get("tokens")),
    ]
    return [(name, cell(value)) for name, value in tiles if value is not None]


def _answers(workspace: Workspace, agree: dict[str, Any]) -> tuple[str, int | None]:
    """The answers that were settled; before that, those that have come home."""
    if "answers" in agree:
        return "answers by people", agree["answers"]
    rows = (row for round_ in workspace.rounds.all() for row in round_.answers())
    return "answers so far", sum(row["status"] == "submitted" for row in rows) or None


def provenance(workspace: Workspace) -> Section:
    """The newest run of every stage, the input files, and the rounds."""
    newest = {}
    for line in workspace.ledger.lines():
        newest[line["stage"]] = line
    rows = [
        {
            "stage": stage,
            "at": line["at"],
            "seconds": float(line["seconds"]),
            "version": line["version"],
        }
        for stage, line in newest.items()
        if line["stage"] not in ("recipe", "stopped")
    ]
    pool = workspace.tables.stored("pool")
    files = pool.made.facts["files"] if pool else ()
    inputs = "; ".join(map(_input, files[:20]))
    words = f"Inputs: {inputs or 'none yet'}."
    for round_ in workspace.rounds.all():
        project = round_.project
        where = f" on {project.backend}, project {project.name}" if project else ""
        end = f", closed: {round_.closed['why']}" if round_.closed else ", open"
        words += f" Round {round_.number} ({round_.purpose}){where}{end}."
    return section("Provenance", words, rows=rows)


def _input(file: Mapping[str, Any]) -> str:
    """A file with its digest; a query or a hub's data set has none."""
    digest = f" (sha256 {file['sha256'][:12]}…)" if file["sha256"] else ""
    return f"{file['path']}{digest}"
