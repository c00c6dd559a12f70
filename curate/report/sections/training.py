"""How the proxy was trained: its curves, and what it writes before and after."""

from __future__ import annotations

from typing import Any

from curate import storage
from curate.report import charts
from curate.report.section import Section, section
from curate.workspace import Workspace


def curves(workspace: Workspace) -> Section | None:
    """The losses in training and held out, step by step; None for a proxy that only counts."""
    trainings = _trainings(workspace)
    if not trainings:
        return None
    rows = [
        {
            "mixture": own["arm"],
            "steps": round(own["steps"]),
            "epochs": own["epochs"],
            "gap": own["gap"],
            "nats per token": own["nats_per_token"],
            "perplexity": own["perplexity"],
            "tokens a second": round(own["tokens_a_second"]),
            "overfits": f"{own['overfits']} of {own['trainings']}",
            "stopped early": f"{own['stopped']} of {own['trainings']}",
        }
        for own in trainings
    ]
    points = [
        {"mixture": own["arm"], "step": mark["step"], "text": text, "loss": mark[name]}
        for own in trainings
        for mark in own["curve"]
        for name, text in (("training", "trained on"), ("validation", "held out"))
    ]
    overfit = [own["arm"] for own in trainings if 2 * own["overfits"] > own["trainings"]]
    words = (
        f"A transformer of {trainings[0]['parameters']:,} parameters was trained on each mixture. "
        "The loss is in nats per token, by the mean over the draws: on texts that it was trained "
        "on, and on texts held out. The gap is what the latter lies above at the end. An epoch "
        "reads the whole mixture once. A training overfits if its loss held out ends more than "
        "1 % above its least, and the loss on texts trained on has fallen since: it then learns "
        "texts by heart."
    )
    warning = (
        f"It overfits on {', '.join(overfit)}: it reads too few texts too often." if overfit else ""
    )
    chart = charts.curves(points)
    return section("How the proxy was trained", words, chart=chart, rows=rows, warning=warning)


def samples(workspace: Workspace) -> Section | None:
    """What the proxy writes before and after training; None where it does not write."""
    written = [own for own in _trainings(workspace) if own["samples"]]
    if not written:
        return None
    prompt = written[0]["samples"]["prompt"]
    rows = [
        {"mixture": own["arm"], "training": when, "writes": own["samples"][when]}
        for own in written
        for when in ("before", "after")
    ]
    after = f"after {prompt!r}" if prompt else "as the beginning of a new text"
    words = (
        f"What the proxy of the first draw writes {after}, before training and after it. So small "
        "a model learns which letters and words are likely, not what they mean."
    )
    return section("What the proxy writes", words, rows=rows)


def _trainings(workspace: Workspace) -> list[dict[str, Any]]:
    evaluation = storage.read_json(workspace.root / "evaluate.json") or {}
    return list(evaluation.get("trainings", ()))
