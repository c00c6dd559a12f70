"""The headline figures, and what ran when."""

from __future__ import annotations

from curate.report.section import Section, cell, last_result, section
from curate.workspace import Workspace


def headline(workspace: Workspace) -> list[tuple[str, str]]:
    """The headline figures, each with its name; a stage that never ran has none."""
    pool, clean = last_result(workspace, "pool"), last_result(workspace, "clean")
    tiles = [("documents read", pool.get("rows")), ("kept", clean.get("kept"))]
    answers = sum(
        row["status"] == "submitted"
        for round_ in workspace.rounds.all()
        for row in round_.answers()
    )
    if answers:
        tiles.append(("answers by people", answers))
    export = last_result(workspace, "export")
    tiles += [("documents exported", export.get("documents")), ("tokens", export.get("tokens"))]
    return [(name, cell(value)) for name, value in tiles if value is not None]


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
    inputs = "; ".join(f"{file['path']} (sha256 {file['sha256'][:12]}…)" for file in files[:20])
    words = f"Inputs: {inputs or 'none yet'}."
    for round_ in workspace.rounds.all():
        project = round_.project
        where = f" on {project.backend}, project {project.name}" if project else ""
        end = f", closed: {round_.closed['why']}" if round_.closed else ", open"
        words += f" Round {round_.number} ({round_.purpose}){where}{end}."
    return section("Provenance", words, rows=rows)
