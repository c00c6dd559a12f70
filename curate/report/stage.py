"""Run `report`: the sections, rendered as one page."""

from __future__ import annotations

from dataclasses import dataclass

from curate import storage
from curate.report.lexicon import Lexicon
from curate.report.page import render
from curate.report.section import every
from curate.report.spec import ReportSpec
from curate.report.story import READS, doubts, tell
from curate.stage import Cost, Stage
from curate.warning import StageWarning
from curate.workspace import Workspace

WRITES = ("report",)


@dataclass(frozen=True)
class ReportResult:
    """The page that was written; its own warnings are of what it could not tell, or is outdated."""

    file: str
    charts: int
    kilobytes: int
    warnings: tuple[StageWarning, ...] = ()


def inputs(workspace: Workspace, spec: ReportSpec) -> dict[str, str | None]:
    """The fingerprints of what the page shows: tables, files, and the warnings of all stages."""
    words = [warning.words for warning in doubts(workspace)]
    estimates = workspace.root / "estimates.json"
    own = {"estimates": storage.file_digest(estimates)} if estimates.is_file() else {}
    return {**workspace.tables.fingerprints(READS), **own, "warnings": storage.digest(words)}


def run(workspace: Workspace, spec: ReportSpec) -> ReportResult:
    """Write report.html from what there is, however little that is."""
    title = spec.title or workspace.about()["name"]
    story = tell(workspace, title, has_map=spec.map)
    html = render(story, Lexicon(spec.lang))
    storage.write_text(workspace.root / "report.html", html)
    charts = sum(part.chart is not None for part in every(story.chapters))
    return ReportResult("report.html", charts, len(html.encode()) // 1024, story.own_warnings)


STAGE = Stage(
    name="report",
    spec=ReportSpec,
    run=run,
    reads=READS,
    writes=WRITES,
    needs=lambda workspace, spec: (),
    inputs=inputs,
    examples=('curate report --title "Reviews"', "curate report --lang zh"),
    cost=Cost(run, writes="report.html"),
)
