"""How well each model foretells the losses of runs that it did not see, beside the baselines."""

from __future__ import annotations

from dataclasses import dataclass
from math import isnan
from typing import TYPE_CHECKING, Literal

from curate.errors import DataError
from curate.mixture.regression.baselines import negative_entropy
from curate.mixture.regression.judging import Scale, halved, leans_on_own, ranked, spearman
from curate.mixture.regression.stacking import NEAREST, out_of_fold
from curate.rounding import rounded
from curate.swarm.runs import Runs, check_losses
from curate.swarm.standing import Refused

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

Transfer = Literal["auto", "half", "none"]
OWN, ENTROPY = "own weight", "entropy"
NO_OWN = "no loss is named like a group, so own weight is not known"


@dataclass(frozen=True)
class Foretold:
    """How one model, or baseline, ranks runs that it did not see.

    Attributes:
        model: Its name.
        spearman: Rank correlation of foretold and reached objective; None where it has none.
        low: The lower end of its bootstrap interval of 90 %.
        high: The upper end.
        half: The same correlation with half own weight.
        error: Root mean square error of the foretold objective; None for what only ranks.
        by_metric: The correlation for each loss.
    """

    model: str
    spearman: float | None
    low: float | None
    high: float | None
    half: float | None
    error: float | None
    by_metric: dict[str, float | None]


@dataclass(frozen=True)
class FitResult:
    """What a fit found.

    Attributes:
        runs: The number of runs.
        best: The model that ranks best, baselines left out.
        transfer: Whether a proposal leans half on own weight.
        cost: What that costs in the best model's correlation at the proxies' own scale.
        models: Every model and baseline.
        notes: What a person should know.
        refused: The runs of a workspace that do not hold any more, and why.
    """

    runs: int
    best: str
    transfer: str
    cost: float | None
    models: tuple[Foretold, ...]
    notes: tuple[str, ...]
    refused: tuple[Refused, ...] = ()


def fit(
    runs: Runs,
    transfer: Transfer = "auto",
    target: float | None = None,
    proxy: float | None = None,
    seed: int = 0,
) -> FitResult:
    """Foretell each run from others (five folds) by every model, and rank.

    `target` and `proxy` are budgets in tokens. Raises DataError if half own weight is asked for
    and unknown, and where all runs reached the same.
    """
    strange = check_losses(runs)
    is_half = leans(runs, transfer, target, proxy)
    predicted = out_of_fold(runs.shares, runs.losses, seed)
    rows = [_foretold(runs, name, losses) for name, losses in predicted.items()]
    own = runs.own(runs.shares)
    if own is not None:
        rows.append(_ranked_only(runs, OWN, own, runs.own_by_metric(runs.shares)))
    entropy = negative_entropy(runs.shares)
    rows.append(_ranked_only(runs, ENTROPY, entropy, entropy[:, None].repeat(len(runs.metrics), 1)))
    fitted = [row for row in rows if row.model not in (NEAREST, OWN, ENTROPY)]
    best = max(fitted, key=_order)
    cost = None if best.half is None else (best.spearman or 0.0) - best.half
    notes = (*strange, *_notes(runs, rows, best, transfer, is_half, cost))
    kind = "half" if is_half else "none"
    return FitResult(len(runs.shares), best.model, kind, cost, tuple(rows), notes)


def _order(row: Foretold) -> float:
    return -2.0 if row.spearman is None else row.spearman


def leans(runs: Runs, transfer: Transfer, target: float | None, proxy: float | None) -> bool:
    """Whether proposals lean half on own weight. Raises DataError if asked for and unknown."""
    is_known = runs.own(runs.shares) is not None
    if transfer == "half" and not is_known:
        raise DataError(
            f"--transfer half: {NO_OWN}", hint="name losses like groups: `web` or `web_loss`"
        )
    return transfer == "half" or (transfer == "auto" and is_known and leans_on_own(target, proxy))


def _foretold(runs: Runs, name: str, losses: Array) -> Foretold:
    """The figures of a model that foretells losses (n, metrics)."""
    import numpy as np

    objective = losses @ runs.weights
    own, half = runs.own(runs.shares), None
    if own is not None:
        both = halved(objective, own, Scale.of(objective), Scale.of(own))
        half = _number(spearman(both, runs.objective))
    row = _ranked_only(runs, name, objective, losses)
    error = float(np.sqrt(np.mean((objective - runs.objective) ** 2)))
    return Foretold(name, row.spearman, row.low, row.high, half, error, row.by_metric)


def _ranked_only(runs: Runs, name: str, objective: Array, by_metric: Array) -> Foretold:
    """The figures of what ranks runs and foretells no loss."""
    found = ranked(objective, runs.objective)
    each = {
        metric: _number(spearman(by_metric[:, place], runs.losses[:, place]))
        for place, metric in enumerate(runs.metrics)
    }
    whole, low, high = map(_number, (found.spearman, found.low, found.high))
    return Foretold(name, whole, low, high, None, None, each)


def _number(value: float) -> float | None:
    return None if isnan(value) else value


def _notes(
    runs: Runs,
    rows: list[Foretold],
    best: Foretold,
    transfer: Transfer,
    is_half: bool,
    cost: float | None,
) -> list[str]:
    trivial = max((row for row in rows if row.model in (NEAREST, OWN, ENTROPY)), key=_order)
    notes = []
    if _order(best) <= _order(trivial):
        notes.append(f"no model ranks better than the baseline {trivial.model}")
    elif best.low is not None and best.low <= _order(trivial):
        notes.append(f"{best.model} cannot be told from the baseline {trivial.model}")
    if len(runs.shares) < 4 * len(runs.groups):
        count = f"{len(runs.shares)} runs for {len(runs.groups)} groups"
        notes.append(f"{count} are few: four for each group are better")
    if cost is not None and is_half:
        notes.append(f"half own weight costs {rounded(cost, '.3f')} at the proxies' own scale")
    if not runs.judged:
        notes.append(NO_OWN)
    elif transfer == "auto" and not is_half:
        notes.append(
            "no own weight takes part: the target budget is not over 10 times the proxies'"
        )
    return notes
