"""Sliders: what other settings would want of each group, computed by the page itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from curate.report.qualities import Qualities
from curate.report.section import Live, Section, say, section
from curate.workspace import Workspace

MOST = 60
"""With more groups there are no sliders: a page is read by people."""

STRENGTHS: dict[str, tuple[float, float]] = {"uniform": (0.0, 0.0), "proportional": (1.0, 0.0)}
"""The alpha and beta that give the shares of a strategy without settings."""


def what_if(workspace: Workspace, qualities: Qualities) -> Section | None:
    """What the sliders start from; None where shares do not follow from groups alone.

    `mix` hands over what groups offer, the report counts tokens by quality.
    """
    groups = workspace.tables.stored("groups")
    offers = groups.made.facts.get("offers") if groups else None
    if not groups or not offers or not 1 < len(offers) <= MOST:
        return None
    spec, facts = groups.made.spec, groups.made.facts
    within = spec.get("within") or {}
    known = dict(zip((own.group for own in qualities.groups), qualities.tokens, strict=True))
    promised = {
        row["group"]: row["promised"] for row in workspace.tables.read("groups").to_pylist()
    }
    strategy = within.get("strategy", "equal")
    has_temperature = bool(known) and strategy in ("equal", "softmax")
    data = {
        "budget": facts["budget"],
        "has_temperature": has_temperature,
        "today": {
            **_strengths(spec.get("between") or {}),
            "temperature": within.get("temperature", 1.0) if strategy == "softmax" else None,
        },
        "groups": [
            {
                **own,
                "promised": promised[own["group"]],
                "tokens": list(known.get(own["group"], ())) if has_temperature else [],
            }
            for own in offers
        ],
        "words": {"none": say("what_if.none"), "impossible": say("what_if.impossible")},
    }
    return section("what_if", say("what_if.words"), live=Live("what-if", data))


def _strengths(between: Mapping[str, Any]) -> dict[str, float]:
    """The alpha and beta of a strategy; of one with shares of its own, those in proportion."""
    strategy = between.get("strategy", "proportional")
    alpha, beta = STRENGTHS.get(strategy, (1.0, 0.0))
    if strategy in ("temperature", "quality"):
        alpha = between.get("alpha", 0.5)
    if strategy == "quality":
        beta = between.get("beta", 2.0)
    return {"alpha": alpha, "beta": beta}
