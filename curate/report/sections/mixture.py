"""The mixture: shares wanted and drawn, and the proxies that compare it."""

from __future__ import annotations

from curate import storage
from curate.report import charts
from curate.report.section import Section, section
from curate.workspace import Workspace


def shares(workspace: Workspace) -> Section | None:
    if not workspace.stored("groups"):
        return None
    groups = workspace.read("groups").to_pylist()
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
    told = [
        {"group": group["group"], "measure": name, "share": group[name]}
        for group in groups
        if group["wanted"] or group["promised"]
        for name in ("wanted", "promised", "realised", "expected")
        if group[name] is not None
    ]
    tokens, supply = (sum(group[name] for group in groups) for name in ("tokens", "supply"))
    words = (
        f"{tokens:,} tokens drawn for a budget of {workspace.made('groups').facts['budget']:,}, "
        f"out of {supply:,}. Wanted is what the strategy asked, promised what the limits left of "
        "it, realised what was drawn; expected is the share that the calibrated model foresees."
    )
    return section(
        "The mixture", words, chart=charts.grouped(told, "group", "share", "measure"), rows=rows
    )


def proxy(workspace: Workspace) -> Section | None:
    found = storage.read_json(workspace.root / "evaluate.json") or {}
    if not found.get("proxy"):
        return (
            section("Does it help?", found["verdict"] + ". " + " ".join(found["notes"]))
            if found
            else None
        )
    rows = [
        {
            "mixture": arm["arm"],
            "tokens": arm["tokens"],
            "mean": arm["mean"],
            "sd": arm["mean_sd"],
            **arm["by_source"],
        }
        for arm in found["proxy"]
    ]
    points = [
        {"mixture": arm["arm"], "source": source, "loss": loss, "sd": arm["by_source_sd"][source]}
        for arm in found["proxy"]
        for source, loss in arm["by_source"].items()
    ]
    words = (
        f"{found['verdict'][:1].upper()}{found['verdict'][1:]}. Cross-entropy of a byte n-gram "
        "model in nats per byte on the holdout of each source, lower is better, over several "
        "draws. So small a model sees style and words, not worth: it can refute a mixture, "
        "hardly prove one."
    )
    return section("Does it help?", words, chart=charts.losses(points), rows=rows)
