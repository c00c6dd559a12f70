"""What was learned from people: accuracy, calibration, quality."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from curate import storage
from curate.report.qualities import Qualities, Spread
from curate.report.section import Key, Section, chart, say, section
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
    classes = [
        {"value": _class(models, name, row["value"]), "measure": Key(measure),
         "score": row[measure]}
        for name, metrics in models.items()
        for row in metrics["classes"]
        for measure in ("precision", "recall", "f1")
    ]  # fmt: skip
    only = next(iter(models)) if len(models) == 1 else None
    return section(
        "accuracy",
        say("accuracy.words"),
        heading=say("accuracy.only", question=only) if only else None,
        chart=chart("grouped", classes, "value", "score", "measure"),
        rows=rows,
    )


def _models(workspace: Workspace) -> dict[str, Mapping[str, Any]]:
    """The metrics of each question that was learned and measured."""
    evaluation = storage.read_json(workspace.root / "evaluate.json") or {}
    return {name: metrics for name, metrics in evaluation.get("models", {}).items() if metrics}


def _rows(name: str, metrics: Mapping[str, Any], learned: Predicted | None) -> list[dict[str, Any]]:
    """A question's model, and below it the trivial baseline."""
    measures = ("accuracy", "macro_f1", "macro_recall", "cross_entropy")
    model = {"question": name, "predicted by": Key("model"), "reads": _reads(learned)}
    trivial = {"question": name, "predicted by": Key("trivial baseline"), "reads": None}
    return [
        {**model, "texts": metrics["documents"]} | {own: metrics[own] for own in measures},
        {**trivial, "texts": metrics["documents"]}
        | {own: metrics.get(f"trivial_{own}") for own in measures},
    ]


def _reads(learned: Predicted | None) -> str | tuple[str, ...] | None:
    """What a head reads of a text."""
    if learned is None:
        return None
    if learned.encoder is None:
        return Key("characters")
    return (learned.encoder, Key("characters")) if learned.features == "both" else learned.encoder


def _class(models: Mapping[str, Any], name: str, value: str) -> str:
    """A value as a chart names it: with its question, where there are several."""
    return value if len(models) == 1 else f"{name} · {value}"


def calibration(workspace: Workspace) -> Section | None:
    """How often predictions of each confidence came true; None where nothing was measured."""
    models = _models(workspace)
    if not models:
        return None
    rows = [
        {
            "question": name,
            "expected calibration error": metrics["calibration_error"],
            "Brier score": metrics["brier"],
        }
        for name, metrics in models.items()
    ]
    bins = [{**one, "question": name} for name, own in models.items() for one in own["bins"]]
    return section(
        "calibration", say("calibration.words"), chart=chart("reliability", bins), rows=rows
    )


def comparisons(workspace: Workspace) -> Section | None:
    """How well each comparison is foreseen; None where none was learned."""
    figures = _facts(workspace).get("figures", {})
    rows = [
        {
            "question": name,
            "predicted by": Key(who),
            "reads": _reads(learned) if who == "model" else None,
            "comparisons": figures[name]["labels"],
            "accuracy": figures[name][f"{prefix}accuracy"],
            "cross_entropy": figures[name][f"{prefix}cross_entropy"],
        }
        for name, learned in predicted_questions(workspace.tables).items()
        if not learned.makes_groups and name in figures
        for who, prefix in (("model", ""), ("trivial baseline", "trivial_"))
    ]
    return section("comparisons", say("comparisons.words"), rows=rows) if rows else None


def foresight(workspace: Workspace) -> Section | None:
    """How the predicted quality of labelled texts ranks them; None without such a quality."""
    known = _facts(workspace).get("quality")
    if not known or known["spearman"] is None:
        return None
    rows = [
        {"source": Key("all sources"), "rank correlation": known["spearman"]},
        *({"source": name, "rank correlation": own} for name, own in known["within"].items()),
    ]
    error = known["squared_error"] ** 0.5
    words = say("foresight.words", documents=known["documents"], error=error)
    return section("foresight", words, rows=rows)


def _facts(workspace: Workspace) -> Mapping[str, Any]:
    """What the record of `scores` says; nothing without scores."""
    made = workspace.tables.record("scores")
    return made.facts if made else {}


def has_quality(workspace: Workspace) -> bool:
    """Whether the mixture was made with the present scores."""
    mix, scores = workspace.tables.stored("mix"), workspace.tables.stored("scores")
    return bool(mix and scores and mix.made.inputs.get("scores") == scores.content)


def quality(qualities: Qualities) -> Section | None:
    """The quality of candidates and of drawn documents, by group; None without quality."""
    groups = qualities.groups
    if not groups:
        return None
    spreads = [
        {"group": group.group, "which": Key(which), **_quarters(spread)}
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
    return section(
        "quality", say("quality.words"), chart=chart("distributions", spreads), rows=rows
    )


def _quarters(spread: Spread) -> dict[str, float]:
    return dict(zip(("low", "median", "high"), spread.quartiles, strict=True))
