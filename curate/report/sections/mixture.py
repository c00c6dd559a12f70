"""The mixture: shares wanted and drawn, and its comparison by a proxy."""

from __future__ import annotations

from curate import storage
from curate.report import charts
from curate.report.section import Section, section
from curate.workspace import Workspace


def shares(workspace: Workspace) -> Section | None:
    """The groups of the mixture as shares of tokens; None without a mixture."""
    if not workspace.tables.stored("groups"):
        return None
    groups = workspace.tables.read("groups").to_pylist()
    names = (
        "group",
        "wanted",
        "promised",
        "realised",
        "expected",
        "tokens",
        "documents",
        "epochs",
        "bound",
    )
    rows = [{name: group[name] for name in names} for group in groups]
    bars = [
        {"group": group["group"], "measure": name, "share": group[name]}
        for group in groups
        if group["wanted"] or group["promised"]
        for name in ("wanted", "promised", "realised", "expected")
        if group[name] is not None
    ]
    tokens, supply = (sum(group[name] for group in groups) for name in ("tokens", "supply"))
    budget = workspace.tables.made("groups").facts["budget"]
    words = (
        f"{tokens:,} tokens drawn for a budget of {budget:,}, "
        f"out of {supply:,}. Wanted is what the strategy asked, promised what the limits left of "
        "it, realised what was drawn; expected is the share that the calibrated model foresees."
    )
    return section(
        "The mixture", words, chart=charts.grouped(bars, "group", "share", "measure"), rows=rows
    )


def proxy(workspace: Workspace) -> Section | None:
    """The mixture beside plain ones, or why there is no comparison; None without `evaluate`."""
    evaluation = storage.read_json(workspace.root / "evaluate.json") or {}
    if not evaluation.get("proxy"):
        return (
            section("Does it help?", evaluation["verdict"] + ". " + " ".join(evaluation["notes"]))
            if evaluation
            else None
        )
    beside = {row["arm"]: row for row in evaluation["comparisons"]}
    rows = [
        {
            "mixture": arm["arm"],
            "tokens": arm["tokens"],
            "mean": arm["mean"],
            "mixture minus this": beside.get(arm["arm"], {}).get("difference"),
            "low": beside.get(arm["arm"], {}).get("low"),
            "high": beside.get(arm["arm"], {}).get("high"),
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
        f"{verdict[:1].upper()}{verdict[1:]}. Cross-entropy of a byte n-gram "
        "model in nats per byte on the holdout of each source, lower is better, over several "
        "draws of equal size. Differences are paired by draw; their 95 % interval counts the draws "
        f"and the held-out documents ({documents}). So small a model sees style and words, not "
        "worth: it can refute a mixture, hardly prove one."
    )
    return section("Does it help?", words, chart=charts.losses(points), rows=rows)
