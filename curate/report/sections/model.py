"""What was learned from people: accuracy, calibration, quality."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from curate import storage
from curate.report import charts
from curate.report.qualities import Spread, quality_by_group
from curate.report.section import Section, section
from curate.workspace import Workspace
from curate.workspace.predictions import Predicted, predicted_questions


def accuracy(workspace: Workspace) -> Section | None:
    """Each model's accuracy beside the trivial baseline; None where nothing was measured."""
    models = _models(workspace)
    if not models:
        return None
    learned = predicted_questions(workspace.tables)
    rows = [
        row for name, metrics in models.items() for row in _rows(name, metrics, learned.get(name))
    ]
    words = (
        "Measured out of fold on settled texts, by heads that never saw the label. The trivial "
        "baseline predicts the class shares for every text."
    )
    classes = [
        {"value": _class(models, name, row["value"]), "measure": measure, "score": row[measure]}
        for name, metrics in models.items()
        for row in metrics["classes"]
        for measure in ("precision", "recall", "f1")
    ]
    chart = charts.grouped(classes, "value", "score", "measure")
    only = next(iter(models)) if len(models) == 1 else None
    heading = f"The model of {only}" if only else "The models"
    return section(heading, words, chart=chart, rows=rows)


def _models(workspace: Workspace) -> dict[str, Mapping[str, Any]]:
    """The metrics of each question that was learned and measured."""
    evaluation = storage.read_json(workspace.root / "evaluate.json") or {}
    return {name: metrics for name, metrics in evaluation.get("models", {}).items() if metrics}


def _rows(name: str, metrics: Mapping[str, Any], learned: Predicted | None) -> list[dict[str, Any]]:
    """A question's model, and below it the trivial baseline."""
    measures = ("accuracy", "macro_f1", "macro_recall", "cross_entropy")
    model = {"question": name, "predicted by": "model", "reads": _reads(learned)}
    trivial = {"question": name, "predicted by": "trivial baseline", "reads": None}
    return [
        {**model, "texts": metrics["documents"]} | {own: metrics[own] for own in measures},
        {**trivial, "texts": metrics["documents"]}
        | {own: metrics.get(f"trivial_{own}") for own in measures},
    ]


def _reads(learned: Predicted | None) -> str | None:
    """What a head reads of a text, in words."""
    if learned is None:
        return None
    if learned.encoder is None:
        return "characters"
    also = " and characters" if learned.features == "both" else ""
    return f"{learned.encoder}{also}"


def _class(models: Mapping[str, Any], name: str, value: str) -> str:
    """A value as a chart names it: with its question, where there are several."""
    return value if len(models) == 1 else f"{name} · {value}"


def calibration(workspace: Workspace) -> Section | None:
    """How often predictions of each confidence came true; None where nothing was measured."""
    models = _models(workspace)
    if not models:
        return None
    words = (
        "A point on the diagonal says: of predictions with this confidence, so many came true. The "
        "expected calibration error is the mean distance from it, weighted by the predictions."
    )
    rows = [
        {
            "question": name,
            "expected calibration error": metrics["calibration_error"],
            "Brier score": metrics["brier"],
        }
        for name, metrics in models.items()
    ]
    bins = [{**one, "question": name} for name, own in models.items() for one in own["bins"]]
    return section("Calibration", words, chart=charts.reliability(bins), rows=rows)


def comparisons(workspace: Workspace) -> Section | None:
    """How well each comparison is foreseen; None where none was learned."""
    figures = _facts(workspace).get("figures", {})
    rows = [
        {
            "question": name,
            "predicted by": who,
            "reads": _reads(learned) if who == "model" else None,
            "comparisons": figures[name]["labels"],
            "accuracy": figures[name][f"{prefix}accuracy"],
            "cross_entropy": figures[name][f"{prefix}cross_entropy"],
        }
        for name, learned in predicted_questions(workspace.tables).items()
        if not learned.makes_groups and name in figures
        for who, prefix in (("model", ""), ("trivial baseline", "trivial_"))
    ]
    words = (
        "Measured out of fold, by heads that never saw the comparison. A tie is half of each "
        "answer. The trivial baseline predicts the shares of the answers for every pair."
    )
    return section("Comparisons", words, rows=rows) if rows else None


def foresight(workspace: Workspace) -> Section | None:
    """How the predicted quality of labelled texts ranks them; None without such a quality."""
    known = _facts(workspace).get("quality")
    if not known or known["spearman"] is None:
        return None
    rows = [
        {"source": "all sources", "rank correlation": known["spearman"]},
        *({"source": name, "rank correlation": own} for name, own in known["within"].items()),
    ]
    words = (
        "Spearman's rank correlation between the quality by people's labels and the quality "
        f"predicted out of fold, over {known['documents']:,} labelled texts and within each source "
        "that has 20 or more of them. If it is high over all sources but low within them, quality "
        "follows the source, not the text. The root mean squared error is "
        f"{known['squared_error'] ** 0.5:.3f}."
    )
    return section("Quality out of fold", words, rows=rows)


def _facts(workspace: Workspace) -> Mapping[str, Any]:
    """What the record of `scores` says; nothing without scores."""
    made = workspace.tables.record("scores")
    return made.facts if made else {}


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
        "predicted. What people would answer lies between low and high for 90 % of documents. "
        "Between spread_low and spread_high are the qualities by heads learned from resampled "
        "labels: how sure the score itself is."
    )
    return section("Quality by group", words, chart=charts.distributions(spreads), rows=rows)


def _quarters(spread: Spread) -> dict[str, float]:
    return dict(zip(("low", "median", "high"), spread.quartiles, strict=True))
