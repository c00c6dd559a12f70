"""The mixture: shares wanted and drawn, and its comparison by a proxy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import expm1
from typing import Any

from curate import storage
from curate.report.section import (
    Key,
    Say,
    Section,
    as_written,
    chart,
    say,
    section,
)
from curate.report.sections.judged import notes_of
from curate.report.sections.people import interval
from curate.rounding import together
from curate.workspace import Workspace


def shares(workspace: Workspace) -> Section | None:
    """The groups of the mixture as shares of tokens; None without a mixture."""
    if not workspace.tables.stored("groups"):
        return None
    groups = workspace.tables.read("groups").to_pylist()
    rows = _told([_row(group) for group in groups])
    bars = [
        {"group": _name(group), "measure": Key(name), "share": group[name], **_ends(group, name)}
        for group in groups
        if group["wanted"] or group["promised"]
        for name in ("wanted", "promised", "realised", "expected", "estimated")
        if group[name] is not None
    ]
    tokens, supply = (sum(group[name] for group in groups) for name in ("tokens", "supply"))
    budget = workspace.tables.made("groups").facts["budget"]
    words = say("shares.words", tokens=tokens, budget=budget, supply=supply)
    return section(
        "shares", words, chart=chart("shares", bars, "group", "share", "measure"), rows=rows
    )


def _ends(group: Mapping[str, Any], name: str) -> dict[str, float | None]:
    """The ends of the interval of a share; None where it has none."""
    return {"low": group.get(f"{name}_low"), "high": group.get(f"{name}_high")}


COLUMNS = (
    *("group", "phase", "wanted", "promised", "promised, 90 %", "realised", "expected"),
    *("estimated", "estimated, 90 %", "labels", "earlier", "tokens"),
    *("documents", "epochs", "mean_tokens", "supply_mean_tokens", "bound"),
)
"""What is shown of a group, where any group has it."""


def _row(group: Mapping[str, Any]) -> dict[str, Any]:
    ends = {
        f"{name}, 90 %": interval(group[f"{name}_low"], group[f"{name}_high"])
        for name in ("promised", "estimated")
    }
    return {name: ends[name] if name in ends else group[name] for name in COLUMNS}


def _told(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows without the columns that say nothing."""
    told = [name for name in COLUMNS if any(row[name] for row in rows)]
    return [{name: row[name] for name in told} for row in rows]


def _name(group: Mapping[str, Any]) -> str:
    return f"{group['phase']}: {group['group']}" if group["phase"] else str(group["group"])


def limits(workspace: Workspace) -> Section | None:
    """The limits that the recipe names, and what each costs; None without any."""
    made = workspace.tables.stored("groups")
    rows = made.made.facts.get("limits") if made else None
    if not rows:
        return None
    told = [name for name in rows[0] if any(row[name] is not None for row in rows)]
    shown = [{name: row[name] for name in told} for row in rows]
    return section("limits", say("limits.words"), rows=shown)


def proxy(workspace: Workspace) -> Section | None:
    """The mixture beside plain ones, or why there is no comparison; None without `evaluate`."""
    evaluation = storage.read_json(workspace.root / "evaluate.json") or {}
    if not evaluation.get("proxy"):
        verdict = Key(evaluation.get("verdict", ""))
        words = say("proxy.none", verdict=verdict, notes=notes_of(evaluation))
        return section("proxy", words) if evaluation else None
    rows = [
        {
            "mixture": arm["arm"],
            "tokens": arm["tokens"],
            **{say("proxy.on", judge=judge): loss for judge, loss in arm["by_judge"].items()},
            **{as_written(source): loss for source, loss in arm["by_source"].items()},
        }
        for arm in evaluation["proxy"]
    ]
    documents = [
        say("proxy.held_out", source=source, count=count)
        for source, count in evaluation["holdout"].items()
    ]
    points = [
        {"mixture": arm["arm"], "source": source, "loss": loss, "sd": arm["by_source_sd"][source]}
        for arm in evaluation["proxy"]
        for source, loss in arm["by_source"].items()
    ]
    words = say("proxy.words", model=Key(_model(evaluation)), documents=documents)
    story = list(_story(evaluation))
    return section("proxy", words, points=story, chart=chart("losses", points), rows=rows)


def _model(evaluation: Mapping[str, Any]) -> str:
    """What the mixtures were measured by."""
    return "small transformer" if evaluation.get("trainings") else "byte n-gram model"


ALIKE, BETTER = "not told apart from", "better than"


def _story(evaluation: Mapping[str, Any]) -> Iterator[Say]:
    """Yield a sentence for each judge and each other mixture."""
    for own in evaluation["comparisons"]:
        difference, low, high = own["difference"], own["low"], own["high"]
        if own["verdict"] == ALIKE:
            excludes_zero = low is not None and high is not None and low * high > 0
            yield say(
                "proxy.alike_of_several" if excludes_zero else "proxy.alike",
                judge=own["judge"],
                arm=own["arm"],
                difference=difference,
                interval=_interval(low, high),
            )
            continue
        key = "proxy.better" if own["verdict"] == BETTER else "proxy.worse"
        yield say(
            key,
            judge=own["judge"],
            arm=own["arm"],
            size=abs(difference),
            interval=_interval(low, high),
            perplexity=_percent(difference, low, high),
        )


def _percent(difference: float, *ends: float | None) -> str:
    """By how much perplexity differs, in percent, as `evaluate` rounds it beside its interval."""
    percents = [100 * expm1(own) for own in (difference, *ends) if own is not None]
    return together([*map(abs, percents)])[0]


def _interval(low: float | None, high: float | None) -> Say:
    if low is None or high is None:
        return say("proxy.no_interval")
    return say("proxy.interval", low=low, high=high)
