"""What was learned from people: accuracy, calibration, quality."""

from __future__ import annotations

from curate import storage
from curate.report import charts
from curate.report.section import Section, section
from curate.workspace import Workspace


def accuracy(workspace: Workspace) -> Section | None:
    """The model's accuracy beside the trivial baseline; None without a classification."""
    evaluation = storage.read_json(workspace.root / "evaluate.json") or {}
    metrics = evaluation.get("classification")
    if not metrics:
        return None
    scores = workspace.tables.stored("scores")
    encoder = f" with {scores.made.facts['encoder']}" if scores else ""
    rows = [
        {
            "predicted by": "model",
            **{
                name: metrics[name]
                for name in ("accuracy", "macro_f1", "macro_recall", "cross_entropy")
            },
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
        {"value": row["value"], "measure": name, "score": row[name]}
        for row in metrics["classes"]
        for name in ("precision", "recall", "f1")
    ]
    chart = charts.grouped(classes, "value", "score", "measure")
    return section(f"The model of {evaluation['question']}", words, chart=chart, rows=rows)


def calibration(workspace: Workspace) -> Section | None:
    """How often predictions of each confidence came true; None without a classification."""
    evaluation = storage.read_json(workspace.root / "evaluate.json") or {}
    metrics = evaluation.get("classification")
    if not metrics:
        return None
    words = (
        "A point on the diagonal says: of predictions with this confidence, so many came true. "
        f"The expected calibration error is {metrics['calibration_error']:.3f}."
    )
    return section("Calibration", words, chart=charts.reliability(metrics["bins"]))


def quality(workspace: Workspace) -> Section | None:
    """The quality of candidates and of drawn documents, by group; None without quality."""
    if not (workspace.tables.stored("mix") and workspace.tables.stored("scores")):
        return None
    scores = workspace.tables.read("scores", ["id", "quality"]).to_pandas()
    if scores["quality"].isna().all():
        return None
    mix = workspace.tables.read("mix", ["id", "group", "copies"]).to_pandas().merge(scores, on="id")
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
