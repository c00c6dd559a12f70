"""What is doubtful in a mixture: classes without a candidate, short supply, flat quality."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import sqrt
from typing import Any

from curate.mix.budgets import Unit
from curate.mix.limiting import Unreachable
from curate.mixture.groups import Facts, Groups
from curate.warning import StageWarning, warn

FLAT = 0.01
"""Quality with a smaller standard deviation says next to nothing."""

SHORT = 0.99
"""A mixture with less than this share of its budget is told."""

OVER = 1.01
"""A mixture with more than this share of its budget is told."""


def doubts(
    groups: Groups,
    rows: Sequence[Mapping[str, Any]],
    budget: int,
    offered: Mapping[int, Sequence[str]],
    *,
    follows_quality: bool,
    unit: Unit = "tokens",
) -> Iterator[StageWarning]:
    """Yield a warning for each kind of doubt.

    `rows` are those of the table `groups`. `offered` are the values of the keys that are questions,
    by the place of the key in a group. `follows_quality` says whether weights do.
    """
    present = [{values[place] for values in groups.values} for place in offered]
    pairs = zip(offered.values(), present, strict=True)
    if empty := [value for values, there in pairs for value in values if value not in there]:
        words = "no candidate is predicted to be {values}: the mixture has nothing of it"
        yield warn("mix.empty_class", words, values=empty)
    if short := [row["group"] for row in rows if row["bound"] == "max_epochs"]:
        words = "{groups} hold too little for the share that is wanted: all is drawn, repeatedly"
        yield warn("mix.short_group", words, groups=short)
    tokens = sum(row["tokens"] for row in rows)
    yield from _off_budget(tokens, budget, unit)
    named = zip(groups.names, groups.facts, strict=True)
    if follows_quality and (flat := [name for name, facts in named if _is_flat(facts)]):
        words = "the quality of {groups} hardly differs: weights and fifths say nothing there"
        yield warn("mix.flat_quality", words, groups=flat)


def _off_budget(drawn: int, budget: int, unit: Unit) -> Iterator[StageWarning]:
    """Yield a warning where much less or much more is drawn than the budget."""
    is_short, is_over = drawn < SHORT * budget, drawn > OVER * budget
    why = ": the last document is that long" * is_over
    if unit == "tokens":
        words = "{tokens:,} tokens are drawn for a budget of {budget:,}" + why
        if is_short:
            yield warn("mix.short", words, tokens=drawn, budget=budget)
        if is_over:
            yield warn("mix.over", words, tokens=drawn, budget=budget)
        return
    words = "{drawn:,} {unit} are drawn for a budget of {budget:,} {unit}" + why
    told: dict[str, Any] = {"drawn": drawn, "budget": budget, "unit": unit}
    if unit == "seconds":
        words = "{drawn:,.1f} s are drawn for a budget of {budget:,.1f} s" + why
        told |= {"drawn": drawn / 1000, "budget": budget / 1000}
    if is_short:
        yield warn("mix.short_amount", words, **told)
    if is_over:
        yield warn("mix.over_amount", words, **told)


def unused_limits(names: Sequence[str]) -> tuple[StageWarning, ...]:
    """A warning if there are limits of groups that no candidate is in."""
    words = "`mix.limits` names groups without a candidate: the mixture has nothing of {groups}"
    return (warn("mix.unused_limits", words, groups=names),) if names else ()


def unfilled_shares(unfilled: Mapping[str, Sequence[str]]) -> tuple[StageWarning, ...]:
    """A warning if a share is wanted of values without a candidate, by key."""
    names = [f"{key} {value}" for key, values in unfilled.items() for value in values]
    words = "no candidate has {values}: the other values take its share of `mix.between.shares`"
    return (warn("mix.unfilled_shares", words, values=names),) if names else ()


def unreachable(lost: Sequence[Unreachable]) -> tuple[StageWarning, ...]:
    """A warning for each promise that what was drawn before made unreachable."""
    words = (
        "what earlier parts drew leaves {limit} no {side} of {asked:.2%}: the nearest is "
        "{reachable:.2%}"
    )
    return tuple(
        warn(
            "mix.unreachable",
            words,
            limit=own.limit,
            side=own.side,
            asked=own.asked,
            reachable=own.reachable,
        )
        for own in lost
    )


def few_labels(groups: Sequence[str]) -> tuple[StageWarning, ...]:
    """A warning if there are groups with fewer than 20 labels behind their share."""
    words = "there are fewer than 20 labels behind {groups}: their shares are uncertain"
    return (warn("mix.few_labels", words, groups=list(groups)),) if groups else ()


def not_apart(sets: Sequence[tuple[str, ...]]) -> tuple[StageWarning, ...]:
    """A warning if the qualities of some groups cannot be told apart at 90 %."""
    words = "the qualities of {groups} cannot be told apart: their labels are too few for that"
    return tuple(warn("mix.not_told_apart", words, groups=list(own)) for own in sets)


def _is_flat(facts: Facts) -> bool:
    return facts.known > 1 and sqrt(facts.squares / facts.known) < FLAT
