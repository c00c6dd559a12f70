"""The headline figures, and what ran when."""

from __future__ import annotations

from curate.report.section import Section, cell, last_result, section
from curate.workspace import Workspace


def headline(workspace: Workspace) -> list[tuple[str, str]]:
    pool, clean = last_result(workspace, "pool"), last_result(workspace, "clean")
    tiles = [("documents read", pool.get("rows")), ("kept", clean.get("kept"))]
    answers = sum(
        row["status"] == "submitted" for each in workspace.rounds for row in each.answers()
    )
    if answers:
        tiles.append(("answers by people", answers))
    export = last_result(workspace, "export")
    tiles += [("documents exported", export.get("documents")), ("tokens", export.get("tokens"))]
    return [(name, cell(value)) for name, value in tiles if value is not None]


def provenance(workspace: Workspace) -> Section:
    seen = {}
    for line in workspace.ledger():
        seen[line["stage"]] = line
    rows = [
        {
            "stage": stage,
            "at": line["at"],
            "seconds": float(line["seconds"]),
            "version": line["version"],
        }
        for stage, line in seen.items()
        if line["stage"] != "recipe"
    ]
    files = workspace.made("pool").facts["files"]
    words = (
        "Inputs: "
        + "; ".join(f"{f['path']} (sha256 {f['sha256'][:12]}…)" for f in files[:20])
        + "."
    )
    for each in workspace.rounds:
        project = each.project
        where = f" on {project.backend}, project {project.name}" if project else ""
        end = f", closed: {each.closed['why']}" if each.closed else ", open"
        words += f" Round {each.number} ({each.purpose}){where}{end}."
    return section("Provenance", words, rows=rows)
