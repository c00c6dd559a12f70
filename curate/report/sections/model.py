"""What was learned from people: accuracy, calibration, quality."""

from __future__ import annotations

from curate import storage
from curate.report import charts
from curate.report.section import Section, section
from curate.workspace import Workspace


def learned(workspace: Workspace) -> Section | None:
    found = storage.read_json(workspace.root / "evaluate.json") or {}
    metrics = found.get("classification")
    if not metrics:
        return None
    scores = workspace.stored("scores")
    encoder = f" with {scores.made.facts['encoder']}" if scores else ""
    rows = [
        {
            "predicted by": "model",
            **{k: metrics[k] for k in ("accuracy", "macro_f1", "macro_recall", "cross_entropy")},
        },
        {
            "predicted by": "trivial baseline",
            "accuracy": metrics["trivial_accuracy"],
            "macro_f1": None,
            "macro_recall": None,
            "cross_entropy": metrics["trivial_cross_entropy"],
        },
    ]
    words = (
        f"Learned from {metrics['documents']:,} labelled texts{encoder}; measured out of fold, "
        "by heads that never saw the label. The trivial baseline predicts the class "
        "shares for every text."
    )
    classes = [
        {"value": each["value"], "measure": name, "score": each[name]}
        for each in metrics["classes"]
        for name in ("precision", "recall", "f1")
    ]
    chart = charts.grouped(classes, "value", "score", "measure")
    return section(f"The model of {found['question']}", words, chart=chart, rows=rows)


def calibration(workspace: Workspace) -> Section | None:
    found = storage.read_json(workspace.root / "evaluate.json") or {}
    metrics = found.get("classification")
    if not metrics:
        return None
    words = (
        "A point on the diagonal says: of predictions with this confidence, so many came true. "
        f"The expected calibration error is {metrics['calibration_error']:.3f}."
    )
    return section("Calibration", words, chart=charts.reliability(metrics["bins"]))


def quality(workspace: Workspace) -> Section | None:
    if not (workspace.stored("mix") and workspace.stored("scores")):
        return None
    scores = workspace.read("scores", ["id", "quality"]).to_pandas()
    if scores["quality"].isna().all():
        return None
    mix = workspace.read("mix", ["id", "group", "copies"]).to_pandas().merge(scores, on="id")
    chart = charts.distributions(mix)
    rows = [
        {
            "group": str(group),
            "candidates": len(part),
            "mean quality": float(part["quality"].mean()),
            "drawn": int((part["copies"] > 0).sum()),
            "mean quality drawn": float(part.loc[part["copies"] > 0, "quality"].mean())
            if (part["copies"] > 0).any()
            else None,
        }
        for group, part in mix.groupby("group", sort=True)
    ]
    words = "The bar spans the middle half of each group's quality, the tick is its median."
    return section("Quality by group", words, chart=chart, rows=rows)
