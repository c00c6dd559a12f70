"""How losses become the weights that are wanted, before the floor and the limits.

Each strategy takes the state with the last step in it, and gives the state and what it wants.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import ceil

from curate.mixture.dynamic.curves import fit
from curate.mixture.dynamic.state import Numbers, Points, Seen, Settings, State, shares

GROWTH = 1.1
"""Curves are not fitted again before there are this many times the steps of the last fit."""

Wanted = tuple[State, Numbers]
Strategy = Callable[[State, Seen, Settings], Wanted]


def doremi(state: State, seen: Seen, settings: Settings) -> Wanted:
    """Raise groups by their excess loss: group DRO (Xie et al. 2023, arXiv 2305.10429).

    log w grows by rate * max(0, loss - reference), then a share `spread` is spread evenly. A group
    without a loss or a reference in this step keeps its last excess.
    """
    import numpy as np

    pairs = zip(seen.losses, seen.reference, state.excess, strict=True)
    excess = tuple(
        last if loss is None or reference is None else max(0.0, loss - reference)
        for loss, reference, last in pairs
    )
    steps = settings.rate * np.array(excess)
    raised = np.array(state.weights) * np.exp(steps - steps.max())
    wanted = (1 - settings.spread) * raised / raised.sum() + settings.spread / len(raised)
    state = replace(state, excess=excess)
    return state, _between(state.weights, tuple(wanted.tolist()), settings.smoothing)


def ado(state: State, seen: Seen, settings: Settings) -> Wanted:
    """Raise groups whose curve falls most with a token (Jiang et al. 2024, arXiv 2410.11820).

    A group asks for prior * fall * credit ** .5, at least the floor. What is wanted is mostly the
    running mean of that (`smoothing`), which begins with the prior. Until the warm-up is over and a
    curve fits, the prior is wanted.
    """
    state = _with_curves(state, settings)
    slopes = [
        curve.fall(max(tokens, 1.0)) if curve else None
        for curve, tokens in zip(state.curves, state.tokens, strict=True)
    ]
    known = [slope for slope in slopes if slope is not None]
    if not sum(known) > 0:
        return state, settings.prior
    own = [sum(known) / len(known) if slope is None else slope for slope in slopes]
    asked = [
        prior * slope * credit**0.5
        for prior, slope, credit in zip(settings.prior, own, state.credit, strict=True)
    ]
    wish = shares([max(share, settings.floor) for share in shares(asked)])
    wished = state.wished + 1
    mean = tuple(old + (new - old) / wished for old, new in zip(state.wishes, wish, strict=True))
    state = replace(state, wishes=mean, wished=wished)
    return state, _between(mean, wish, settings.smoothing)


def _with_curves(state: State, settings: Settings) -> State:
    """The state with its curves, fitted again if enough steps were made since the last fit."""
    due = settings.warm_up
    if state.fitted:
        due = max(state.fitted + settings.refit, ceil(state.fitted * GROWTH))
    if state.step < due:
        return state
    pairs = zip(state.points, state.curves, strict=True)
    curves = tuple(fit(points, before) or before for points, before in pairs)
    return replace(state, curves=curves, fitted=state.step)


def by_fall(state: State, seen: Seen, settings: Settings) -> Wanted:
    """Weights in proportion to max(0, recent fall of the loss per token of the group).

    The fall is the slope of the line through the last `window` losses. The weights move from those
    in force by 1 - `smoothing`; where no loss falls they stay.
    """
    told = zip(state.points, seen.losses, state.falls, strict=True)
    falls = tuple(
        last if loss is None else _fall(points[-settings.window :], last)
        for points, loss, last in told
    )
    state = replace(state, falls=falls)
    known = [max(0.0, fall) for fall in falls if fall is not None]
    if not sum(known) > 0:
        return state, state.weights
    mean = sum(known) / len(known)
    wanted = shares([mean if fall is None else max(0.0, fall) for fall in falls])
    return state, _between(state.weights, wanted, settings.smoothing)


def _fall(points: Points, last: float | None) -> float | None:
    """How much the loss falls a token, by least squares; `last` where the tokens stand still."""
    import numpy as np

    table = np.array(points, float)
    tokens, losses = (table - table.mean(axis=0)).T
    if not tokens.any():
        return last
    return float(-(tokens @ losses) / (tokens @ tokens))


def _between(old: Numbers, new: Numbers, stays: float) -> Numbers:
    return tuple(stays * one + (1 - stays) * other for one, other in zip(old, new, strict=True))


STRATEGIES: dict[str, Strategy] = {"doremi": doremi, "ado": ado, "loss": by_fall}
