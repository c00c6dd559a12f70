"""How the proxy was trained: its curves, and what it writes before and after."""

from __future__ import annotations

from typing import Any

from curate import storage
from curate.report.section import Key, Section, chart, say, section
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
            "overfits": say("curves.of", part=own["overfits"], whole=own["trainings"]),
            "stopped early": say("curves.of", part=own["stopped"], whole=own["trainings"]),
        }
        for own in trainings
    ]
    points = [
        {"mixture": own["arm"], "step": mark["step"], "text": Key(text), "loss": mark[name]}
        for own in trainings
        for mark in own["curve"]
        for name, text in (("training", "trained on"), ("validation", "held out"))
    ]
    overfit = [own["arm"] for own in trainings if 2 * own["overfits"] > own["trainings"]]
    return section(
        "curves",
        say("curves.words", parameters=trainings[0]["parameters"]),
        chart=chart("curves", points),
        rows=rows,
        warning=[say("curves.overfits", arms=overfit)] if overfit else [],
    )


def samples(workspace: Workspace) -> Section | None:
    """What the proxy writes before and after training; None where it does not write."""
    written = [own for own in _trainings(workspace) if own["samples"]]
    if not written:
        return None
    prompt = written[0]["samples"]["prompt"]
    rows = [
        {"mixture": own["arm"], "training": Key(when), "writes": own["samples"][when]}
        for own in written
        for when in ("before", "after")
    ]
    after = say("samples.prompt", prompt=prompt) if prompt else say("samples.start")
    return section("samples", say("samples.words", after=after), rows=rows)


def _trainings(workspace: Workspace) -> list[dict[str, Any]]:
    evaluation = storage.read_json(workspace.root / "evaluate.json") or {}
    return list(evaluation.get("trainings", ()))
