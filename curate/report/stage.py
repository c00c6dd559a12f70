"""Run `report`: the sections, rendered as one page."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from curate import storage
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
    story, own = tell(workspace, spec.title or workspace.about()["name"])
    html = _page(story)
    storage.write_text(workspace.root / "report.html", html)
    charts = sum(bool(part.get("chart")) for part in story["sections"])
    return ReportResult("report.html", charts, len(html.encode()) // 1024, own)


def _page(story: dict[str, object]) -> str:
    from jinja2 import Environment, StrictUndefined

    environment = Environment(autoescape=True, undefined=StrictUndefined)
    environment.filters["coded"] = _coded
    template = Path(__file__).with_name("page.html.j2").read_text(encoding="utf-8")
    return environment.from_string(template).render(story)


def _coded(words: str) -> str:
    """A sentence as HTML: what stands between backticks is code."""
    from markupsafe import Markup, escape

    parts = words.split("`")
    if len(parts) % 2 == 0:  # one backtick is alone
        return escape(words)
    code = Markup("<code>{}</code>").format
    return Markup("").join(
        code(part) if number % 2 else escape(part) for number, part in enumerate(parts)
    )


STAGE = Stage(
    name="report",
    spec=ReportSpec,
    run=run,
    reads=READS,
    writes=WRITES,
    needs=lambda workspace, spec: (),
    inputs=inputs,
    examples=('curate report --title "Reviews"',),
    cost=Cost(run, writes="report.html"),
)
