"""The headline figures, and what ran when."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from curate.report.section import Key, Say, Section, as_written, result_of, say, section
from curate.rounds import Round
from curate.rounds.standing import overview
from curate.workspace import Workspace

INPUTS = 20
"""So many of the files that the pool was read from are named."""


def headline(workspace: Workspace) -> list[tuple[Say, int]]:
    """The headline figures, each with its name: of the runs that the export was made from.

    Without an export they are those of the mixture, then of each table. What was not made has none.
    """
    lines = workspace.lineage.of("export") or workspace.lineage.of("mix")

    def result(stage: str, table: str) -> dict[str, Any]:
        return dict(lines[stage]["result"]) if stage in lines else result_of(workspace, table)

    export = result("export", "export")
    tiles = [
        ("tile.read", result("pool", "pool").get("rows")),
        ("tile.kept", result("clean", "clean").get("kept")),
        _answers(workspace, result("agree", "labels")),
        ("tile.exported", export.get("documents")),
        ("tile.tokens", export.get("tokens")),
    ]
    return [(say(name), value) for name, value in tiles if value is not None]


def _answers(workspace: Workspace, agree: dict[str, Any]) -> tuple[str, int | None]:
    """The answers that were settled; before that, those that have come home."""
    if "answers" in agree:
        return "tile.answers", agree["answers"]
    answers = sum(own.answers for own in overview(workspace.rounds.all()))
    return "tile.answers_so_far", answers or None


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
    inputs = [as_written(_input(file)) for file in files[:INPUTS]]
    words = [say("provenance.inputs", inputs=inputs) if inputs else say("provenance.no_inputs")]
    if len(files) > INPUTS:
        words.append(say("provenance.more", count=len(files) - INPUTS))
    return section("provenance", *words, *map(_round, workspace.rounds.all()), rows=rows)


def _round(round_: Round) -> Say:
    """Where a round was asked, and whether it has ended."""
    project = round_.project
    nothing = say("provenance.nothing")
    where = (
        say("provenance.where", backend=project.backend, name=project.name) if project else nothing
    )
    closed = round_.closed
    end = say("provenance.closed", why=closed["why"]) if closed else say("provenance.open")
    return say("provenance.round", number=round_.number, purpose=Key(round_.purpose), where=where,
               end=end)  # fmt: skip


def _input(file: Mapping[str, Any]) -> str:
    """A file with its digest; a query or a hub's data set has none."""
    digest = f" (sha256 {file['sha256'][:12]}…)" if file["sha256"] else ""
    return f"{file['path']}{digest}"
