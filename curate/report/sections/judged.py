"""The mixture beside others: by judge, what it is judged on, repetition, weights over time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from curate import storage
from curate.report.section import Key, Section, chart, say, section
from curate.rounding import rounded
from curate.warning import StageWarning, stored
from curate.workspace import Workspace


def _evaluation(workspace: Workspace) -> Mapping[str, Any]:
    return storage.read_json(workspace.root / "evaluate.json") or {}


def judged(workspace: Workspace) -> Section | None:
    """The mixture beside every other arm, by each judge; None without a comparison."""
    evaluation = _evaluation(workspace)
    comparisons = evaluation.get("comparisons") or ()
    if not evaluation.get("judges"):
        return None
    about = [
        say(
            "judged.one",
            judge=judge["judge"],
            texts=judge["texts"],
            about=_about(evaluation, judge),
        )
        for judge in evaluation["judges"]
    ]
    words = say("judged.words", about=about, notes=notes_of(evaluation))
    return section("judged", words, rows=list(_rows(comparisons)))


def _about(evaluation: Mapping[str, Any], judge: Mapping[str, Any]) -> StageWarning | str:
    """What a judge weighs: a sentence of `evaluate`, by its key where that is known."""
    said = (evaluation.get("said") or {}).get("about", {}).get(judge["judge"])
    return next(iter(stored([said])), "") if said else str(judge["about"])


def notes_of(evaluation: Mapping[str, Any]) -> list[StageWarning]:
    """What `evaluate` notes, by keys where they are known; else in its own words."""
    said = (evaluation.get("said") or {}).get("notes")
    if said:
        return [*stored(said)]
    return [StageWarning("", words) for words in evaluation.get("notes", ())]


def _rows(comparisons: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield a row for each judge and arm, then one for each source."""
    for own in comparisons:
        verdict = say("judged.verdict", verdict=Key(own["verdict"]), arm=own["arm"])
        whole = {"judge": own["judge"], "the mixture is": verdict}
        figures = {name: own[name] for name in ("difference", "low", "high")}
        yield {**whole, "on": Key("all"), **_fine(figures)}
        for source in own["by_source"] if len(own["by_source"]) > 1 else ():
            figures = {name: source[name] for name in ("difference", "low", "high")}
            empty = {"judge": "", "the mixture is": ""}
            yield {**empty, "on": source["source"], **_fine(figures)}


def _fine(figures: Mapping[str, float | None]) -> dict[str, str | None]:
    """Small differences with four decimals and their sign."""
    return {name: None if own is None else rounded(own, "+.4f") for name, own in figures.items()}


def repeated(workspace: Workspace) -> Section | None:
    """How often each source is read, by the whole run and by the proxy; None without."""
    evaluation = _evaluation(workspace)
    if not evaluation.get("epochs"):
        return None
    copies = evaluation["contaminated"]
    words = say("repeated.words", candidates=copies["candidates"], held_out=copies["held_out"])
    rows = [
        {"source": own["source"], "the whole run": own["target"], "the proxy": own["proxy"]}
        for own in evaluation["epochs"]
    ]
    return section("repeated", words, rows=rows)


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
    words = say("weights.words", parts=len(followed["parts"]), strategy=followed["strategy"])
    rows = [{"group": group, "weight": share} for group, share in followed["final"].items()]
    return section("weights", words, chart=chart("weights", points), rows=rows)
