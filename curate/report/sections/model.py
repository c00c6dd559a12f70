"""What was learned from people: accuracy, calibration, quality."""

from __future__ import annotations

from pathlib import Path

from curate import storage
from curate.report import charts
from curate.report.qualities import Spread, quality_by_group
from curate.report.section import Section, section
from curate.workspace import Workspace


def accuracy(workspace: Workspace) -> Section | None:
    """The model's accuracy beside the trivial baseline; None without a classification."""
    evaluation = storage.read_json(workspace.root / "evaluate.json") or {}
    metrics = evaluation.get("classification")
    if not metrics:
        return None
    score = workspace.lineage.of("evaluate").get("score")
    encoder = f" with {score['result']['encoder']}" if score else ""
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
        f"Measured out of fold on {metrics['documents']:,} settled texts{encoder}, "
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


def quality(workspace: Workspace, folder: Path) -> Section | None:
    """The quality of candidates and of drawn documents, by group; None without quality.

    So it is where the mixture was not made with the present scores.

    `folder` is for scratch.
    """
    mix, scores = workspace.tables.stored("mix"), workspace.tables.stored("scores")
    if not (mix and scores and mix.made.inputs.get("scores") == scores.content):
        return None
    groups = quality_by_group(workspace, folder)
    if not groups:
        return None
    spreads = [
        {"group": group.group, "which": which, **_quarters(spread)}
        for which in ("candidates", "drawn")
        for group in groups
        for spread in [group.candidates if which == "candidates" else group.drawn]
        if spread.documents
    ]
    rows = [
        {
            "group": group.group,
            "candidates": group.candidates.documents,
            "mean quality": group.candidates.mean,
            "drawn": group.drawn.documents,
            "mean quality drawn": group.drawn.mean if group.drawn.documents else None,
        }
        for group in groups
    ]
    words = (
        "The bar spans the middle half of each group's quality, the tick is its median. Quality is "
        "predicted. The low and high of a document in scores say how far heads that were learned "
        "from resampled labels differ, not what people would answer."
    )
    return section("Quality by group", words, chart=charts.distributions(spreads), rows=rows)


def _quarters(spread: Spread) -> dict[str, float]:
    return dict(zip(("low", "median", "high"), spread.quartiles, strict=True))
