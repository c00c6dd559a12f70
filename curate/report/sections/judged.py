"""The mixture beside others: by judge, what it is judged on, repetition, weights over time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from curate import storage
from curate.report import charts
from curate.report.section import Section, section
from curate.workspace import Workspace


def _evaluation(workspace: Workspace) -> Mapping[str, Any]:
    return storage.read_json(workspace.root / "evaluate.json") or {}


def judged(workspace: Workspace) -> Section | None:
    """The mixture beside every other arm, by each judge; None without a comparison."""
    evaluation = _evaluation(workspace)
    comparisons = evaluation.get("comparisons") or ()
    if not evaluation.get("judges"):
        return None
    about = " ".join(
        f"`{judge['judge']}`, {judge['texts']:,} texts: {judge['about']}."
        for judge in evaluation["judges"]
    )
    words = (
        f"{about} A judge is a weighting of texts; the proxy is measured on each text once. "
        "A difference below 0 says that the mixture is better. Its interval holds 95 % by itself; "
        "better and worse are told for all arms of one judge together (Holm's correction). "
        f"{' '.join(evaluation['notes'])}"
    )
    return section("What it is judged on", words, rows=list(_rows(comparisons)))


def _rows(comparisons: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield a row for each judge and arm, then one for each source."""
    for own in comparisons:
        whole = {"judge": own["judge"], "the mixture is": f"{own['verdict']} {own['arm']}"}
        figures = {name: own[name] for name in ("difference", "low", "high")}
        yield {**whole, "on": "all", **_fine(figures)}
        for source in own["by_source"] if len(own["by_source"]) > 1 else ():
            figures = {name: source[name] for name in ("difference", "low", "high")}
            empty = {"judge": "", "the mixture is": ""}
            yield {**empty, "on": source["source"], **_fine(figures)}


def _fine(figures: Mapping[str, float | None]) -> dict[str, str | None]:
    """Small differences with four decimals and their sign."""
    return {name: None if own is None else f"{own:+.4f}" for name, own in figures.items()}


def repeated(workspace: Workspace) -> Section | None:
    """How often each source is read, by the whole run and by the proxy; None without."""
    evaluation = _evaluation(workspace)
    if not evaluation.get("epochs"):
        return None
    copies = evaluation["contaminated"]
    words = (
        "Epochs: tokens of the mixture over tokens there are. The proxy reads the same part of "
        "every source and of the budget, so that it repeats a source as often as the whole run. "
        f"{copies['candidates']:,} candidates and {copies['held_out']:,} held-out texts are near "
        "copies of each other; the proxy neither reads them nor is judged on them."
    )
    rows = [
        {"source": own["source"], "the whole run": own["target"], "the proxy": own["proxy"]}
        for own in evaluation["epochs"]
    ]
    return section("Repetition", words, rows=rows)


def weights_over_time(workspace: Workspace) -> Section | None:
    """The weights of the arm `dynamic` while it trains; None without it."""
    followed = _evaluation(workspace).get("dynamic")
    if not followed:
        return None
    points = [
        {"group": group, "part": number, "share": share}
        for number, weights in enumerate(followed["parts"], 1)
        for group, share in weights.items()
    ]
    words = (
        f"The arm `dynamic` begins with the shares of the mixture. After each of "
        f"{len(followed['parts'])} parts of the budget its weights follow the losses "
        f"(`{followed['strategy']}`) on texts that nobody is judged on. The last weights are in "
        "`dynamic_weights.json`, which `between: {weights: {file: …}}` reads."
    )
    rows = [{"group": group, "weight": share} for group, share in followed["final"].items()]
    return section("Weights over time", words, chart=charts.weights(points), rows=rows)
