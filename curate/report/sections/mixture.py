"""The mixture: shares wanted and drawn, and its comparison by a proxy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from curate import storage
from curate.report import charts
from curate.report.section import Section, section
from curate.workspace import Workspace


def shares(workspace: Workspace) -> Section | None:
    """The groups of the mixture as shares of tokens; None without a mixture."""
    if not workspace.tables.stored("groups"):
        return None
    groups = workspace.tables.read("groups").to_pylist()
    rows = _told([{name: group[name] for name in COLUMNS} for group in groups])
    bars = [
        {"group": _name(group), "measure": name, "share": group[name]}
        for group in groups
        if group["wanted"] or group["promised"]
        for name in ("wanted", "promised", "realised", "expected", "estimated")
        if group[name] is not None
    ]
    tokens, supply = (sum(group[name] for group in groups) for name in ("tokens", "supply"))
    budget = workspace.tables.made("groups").facts["budget"]
    words = (
        f"{tokens:,} tokens drawn for a budget of {budget:,}, "
        f"out of {supply:,}. Wanted is what the strategy asked, promised what the limits left of "
        "it, realised what was drawn; expected is the share that the calibrated model foresees, "
        "estimated the true one, from people's labels. Intervals hold 90 %."
    )
    return section(
        "The mixture", words, chart=charts.grouped(bars, "group", "share", "measure"), rows=rows
    )


COLUMNS = (
    *("group", "phase", "wanted", "promised", "promised_low", "promised_high", "realised"),
    *("expected", "estimated", "estimated_low", "estimated_high", "labels", "earlier", "tokens"),
    *("documents", "epochs", "mean_tokens", "supply_mean_tokens", "bound"),
)
"""What is shown of a group, where any group has it."""


def _told(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows without the columns that say nothing."""
    told = [name for name in COLUMNS if any(row[name] for row in rows)]
    return [{name: row[name] for name in told} for row in rows]


def _name(group: Mapping[str, Any]) -> str:
    return f"{group['phase']}: {group['group']}" if group["phase"] else str(group["group"])


def limits(workspace: Workspace) -> Section | None:
    """The limits that the recipe names, and what each costs; None without any."""
    made = workspace.tables.stored("groups")
    rows = made.made.facts.get("limits") if made else None
    if not rows:
        return None
    words = (
        "Shares of tokens. A limit that binds names its side. Its multiplier is what KL, the "
        "distance to the mixture that was wanted, would fall by for each share by which that side "
        "is moved; its gain is what KL would fall by without the limit, in nats."
    )
    told = [name for name in rows[0] if any(row[name] is not None for row in rows)]
    return section("Limits", words, rows=[{name: row[name] for name in told} for row in rows])


def proxy(workspace: Workspace) -> Section | None:
    """The mixture beside plain ones, or why there is no comparison; None without `evaluate`."""
    evaluation = storage.read_json(workspace.root / "evaluate.json") or {}
    if not evaluation.get("proxy"):
        return (
            section("Does it help?", evaluation["verdict"] + ". " + " ".join(evaluation["notes"]))
            if evaluation
            else None
        )
    rows = [
        {
            "mixture": arm["arm"],
            "tokens": arm["tokens"],
            **{f"on {judge}": loss for judge, loss in arm["by_judge"].items()},
            **arm["by_source"],
        }
        for arm in evaluation["proxy"]
    ]
    documents = ", ".join(f"{source} {n:,}" for source, n in evaluation["holdout"].items())
    points = [
        {"mixture": arm["arm"], "source": source, "loss": loss, "sd": arm["by_source_sd"][source]}
        for arm in evaluation["proxy"]
        for source, loss in arm["by_source"].items()
    ]
    verdict = evaluation["verdict"]
    words = (
        f"{verdict[:1].upper()}{verdict[1:]}. Cross-entropy of a "
        f"{_model(evaluation)} in nats per byte, lower is better, by what it is judged on and on "
        "the holdout of each source, over several draws of equal size. Differences are paired by "
        f"draw; their 95 % interval counts the draws and the held-out documents ({documents}). So "
        "small a model sees style and words, not worth: it can refute a mixture, hardly prove one."
    )
    story = [_sentence(line) for line in evaluation["story"]]
    return section("Does it help?", words, points=story, chart=charts.losses(points), rows=rows)


def _model(evaluation: Mapping[str, Any]) -> str:
    """What the mixtures were measured by."""
    return "small transformer" if evaluation.get("trainings") else "byte n-gram model"


def _sentence(line: str) -> str:
    """A line of a story as a sentence."""
    return f"{line[:1].upper()}{line[1:]}."
