"""Weights that follow the losses of a training log: `curate mix --dynamic`. Nothing is drawn.

A line of the log is one step, as JSON:

    {"step": 100, "tokens": {"web": 700000, "wiki": 300000}, "losses": {"web": 3.1, "wiki": 2.7}}

`losses` are the mean losses of groups in nats a token; a group may be missing. `tokens` are those
since the line before, by group; one number is shared out by the prior, which is what the run was
trained on. `reference`, for `doremi`, are the losses of a reference model. Other keys do not count.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from curate.errors import DataError
from curate.finite import is_number
from curate.mix.budgets import amount_of
from curate.mix.spec import EVERY_OTHER, MixSpec, ShareLimit
from curate.mixture.dynamic import OnlineMixer
from curate.mixture.groups import SEPARATOR
from curate.mixture.limits import Limit
from curate.mixture.weights_file import read_weights
from curate.names import absent

EXAMPLE = 'a line reads as {"step": 1, "tokens": {"web": 900}, "losses": {"web": 3.1}}'


@dataclass(frozen=True)
class Line:
    """A step of a log; `place` is its file and line, for messages."""

    place: str
    step: int
    losses: Mapping[str, Any]
    tokens: Mapping[str, Any] | float
    reference: Mapping[str, Any]


@dataclass(frozen=True)
class Step:
    """The weights of all groups after a step."""

    step: int
    weights: Mapping[str, float]


@dataclass(frozen=True)
class Followed:
    """The weights over a log, and those for another run; `notes` say which limits did not count."""

    strategy: str
    steps: tuple[Step, ...]
    weights: Mapping[str, float]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Following:
    """How a log is followed; `prior` None is the same share for every group of the log."""

    strategy: str = "ado"
    prior: Mapping[str, float] | None = None
    floor: float | None = None
    smoothing: float | None = None

    @staticmethod
    def of_files(
        strategy: str | None, prior: Path | None, floor: float | None, smoothing: float | None
    ) -> Following:
        """The same, with the prior in a file {group: weight}. Raises RecipeError for a bad one."""
        own = None if prior is None else read_weights(prior, "--prior")
        return Following(strategy or "ado", own, floor, smoothing)


def follow(path: Path, spec: MixSpec, how: Following) -> Followed:
    """The weights over a log of losses, within the limits of a recipe that groups alone can tell.

    Raises DataError with file and line for a line that cannot be used, RecipeError for settings
    and limits that leave no weights.
    """
    lines = read_log(path)
    groups = tuple(how.prior or dict.fromkeys(group for line in lines for group in line.losses))
    prior = dict(how.prior or dict.fromkeys(groups, 1.0))
    limits, notes = limits_of(spec, groups)
    mixer = OnlineMixer(
        prior, strategy=how.strategy, floor=how.floor, smoothing=how.smoothing, limits=limits
    )
    total = sum(prior.values())
    shares = {group: weight / total for group, weight in prior.items()}
    steps = tuple(Step(line.step, _weights(mixer, line, shares)) for line in lines)
    return Followed(how.strategy, steps, mixer.final, tuple(notes))


def _weights(mixer: OnlineMixer, line: Line, shares: Mapping[str, float]) -> dict[str, float]:
    tokens = line.tokens
    if not isinstance(tokens, Mapping):
        tokens = {group: tokens * share for group, share in shares.items()}
    try:
        return mixer.step(line.losses, tokens, line.reference)
    except DataError as error:
        raise DataError(f"{line.place}: {error.message}", hint=error.hint) from None


# ── the log


def read_log(path: Path) -> list[Line]:
    """The steps of a log, in order. Raises DataError for a line that is none, RecipeError without.

    Empty lines do not count. Steps have to go up: a log that was written twice is refused.
    """
    if not path.is_file():
        raise absent(f"no log {path}", path, hint=EXAMPLE)
    lines: list[Line] = []
    with path.open("rb") as file:
        for number, text in enumerate(file, 1):
            if text.strip():
                last = lines[-1].step if lines else None
                lines.append(_line(text, f"{path.name}:{number}", len(lines) + 1, last))
    if not any(line.losses for line in lines):
        raise DataError(f"{path.name} has no losses", hint=EXAMPLE)
    return lines


def _line(text: bytes, place: str, number: int, last: int | None) -> Line:
    try:
        row = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{place}: not JSON: {error}", hint=EXAMPLE) from None
    if not isinstance(row, dict) or not isinstance(row.get("losses"), dict):
        raise DataError(f"{place}: there are no losses by group", hint=EXAMPLE)
    step, tokens = row.get("step", number), row.get("tokens", 1.0)
    if not isinstance(step, int) or isinstance(step, bool):
        raise DataError(
            f"{place}: the step is {json.dumps(step, ensure_ascii=False)}, not a whole number",
            hint=EXAMPLE,
        )
    if last is not None and step <= last:
        raise DataError(f"{place}: step {step} comes after step {last}", hint="steps have to go up")
    if not (is_number(tokens) or isinstance(tokens, dict)):
        raise DataError(f"{place}: tokens are a number, or numbers by group", hint=EXAMPLE)
    reference = row.get("reference") or {}
    if not isinstance(reference, dict):
        raise DataError(f"{place}: the reference has no losses by group", hint=EXAMPLE)
    return Line(place, step, row["losses"], tokens, reference)


# ── the limits


def limits_of(spec: MixSpec, groups: Sequence[str]) -> tuple[list[Limit], list[str]]:
    """The limits of a recipe over groups, and notes on those that do not count here.

    A limit of a column counts where the column makes groups. `max_tokens` needs a budget in tokens;
    `max_epochs` and a share of the supply as budget need texts, of which a log knows nothing.
    """
    made, notes = [], []
    for name, limit in spec.limits.items():
        covered = list(_covered(name, spec, groups))
        if not covered:
            notes.append(f"the limit of {name} does not count here: no group of the log shows it")
            continue
        most, is_known = _most(spec, limit)
        if not is_known or limit.max_epochs is not None:
            what = "max_epochs" if is_known else "max_tokens"
            notes.append(f"{what} of {name} does not count here: a log knows no supply")
        made += [_limit(own, cells, limit, most) for own, cells in covered]
    return made, notes


def _limit(name: str, cells: Sequence[int], limit: ShareLimit, most: float) -> Limit:
    import numpy as np

    return Limit(name, np.array(cells), limit.min_share, most)


def _most(spec: MixSpec, limit: ShareLimit) -> tuple[float, bool]:
    """The largest share that a limit allows, and whether its tokens could be read as one."""
    if limit.max_tokens is None:
        return limit.max_share, True
    if str(spec.budget).strip().endswith("%") or spec.phases:
        return limit.max_share, False
    return limit.most(amount_of(spec.budget, 1)), True


def _covered(name: str, spec: MixSpec, groups: Sequence[str]) -> Iterator[tuple[str, list[int]]]:
    """Yield what a limit's name stands for, and the numbers of the groups that it covers."""
    if name in groups:
        yield name, [groups.index(name)]
        return
    if name == EVERY_OTHER:
        others = [group for group in groups if group not in spec.limits]
        yield from ((group, [groups.index(group)]) for group in others)
        return
    column, _, value = name.partition("=")
    if column not in spec.groups:
        return
    by_value = _by_value(groups, spec.groups.index(column), len(spec.groups))
    for own, cells in by_value.items():
        is_named = f"{column}={own}" in spec.limits
        if own == value or (value == EVERY_OTHER and not is_named):
            yield f"{column}={own}", cells


def _by_value(groups: Sequence[str], place: int, keys: int) -> dict[str, list[int]]:
    """The groups of each value of a key; names that are no values of all keys are left out."""
    by_value: dict[str, list[int]] = {}
    for number, group in enumerate(groups):
        values = group.split(SEPARATOR) if keys > 1 else [group]
        if len(values) == keys:
            by_value.setdefault(values[place], []).append(number)
    return by_value
