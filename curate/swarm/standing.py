"""Which runs still hold: those of groups as they are today, and those that can be said in them.

A run holds if no group that it drew of has changed, and it was measured on the same texts at the
same budget. A group that was only split has parts whose fingerprints add up to its own. A run that
drew its documents alike drew each part by its size. Parts that became one group add up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from curate.swarm.contents import Content, change, parts_of
from curate.swarm.proxies import OWN
from curate.swarm.results import Trained

NEAR = 1e-9
"""Budgets that differ by less, in proportion, are the same."""


@dataclass(frozen=True)
class Today:
    """What a run has to be of: contents of groups, held-out texts, budget, proxy and start."""

    contents: Mapping[str, Content]
    holdout: Mapping[str, str]
    budget: float
    proxy: str
    start: str | None = None


@dataclass(frozen=True)
class Refused:
    """A run that does not hold any more, and why."""

    run: str
    why: str


@dataclass(frozen=True)
class Standing:
    """The runs that hold, their shares in today's groups, and those that do not.

    `restated` are those whose groups were split or joined since; `joined` are those of them whose
    parts of a group did not have the shares of their sizes.
    """

    runs: tuple[Trained, ...]
    shares: tuple[Mapping[str, float], ...]
    restated: tuple[str, ...]
    joined: tuple[str, ...]
    refused: tuple[Refused, ...]


class _No(Exception):
    """A run does not hold; the message says why."""


def standing(trained: Sequence[Trained], today: Today) -> Standing:
    """Sort runs into those that hold, as they are or said in today's groups, and the others."""
    runs, shares, refused = [], [], []
    restated, joined = [], []
    for run in trained:
        try:
            _check_measured(run, today)
            own, is_joined = _restated(run, today.contents)
        except _No as why:
            refused.append(Refused(run.run, str(why)))
            continue
        runs.append(run)
        shares.append(own)
        if {name for name, share in own.items() if share} != {
            name for name, share in run.shares.items() if share
        }:
            restated.append(run.run)
        if is_joined:
            joined.append(run.run)
    return Standing(tuple(runs), tuple(shares), tuple(restated), tuple(joined), tuple(refused))


def _check_measured(run: Trained, today: Today) -> None:
    if run.proxy != today.proxy:
        raise _No(f"it was trained with {run.proxy}, and the plan is of {today.proxy}")
    if run.start != today.start:
        raise _No("its transformer started from other weights than those of the plan")
    if abs(run.budget - today.budget) > NEAR * today.budget:
        raise _No(f"it had {run.budget:,.0f} tokens, and runs of the plan have {today.budget:,.0f}")
    for source, own in today.holdout.items():
        if source not in run.losses and run.proxy != OWN:
            raise _No(f"it was not measured on the held-out texts of {source}")
        if run.holdout.get(source) != own:
            raise _No(f"the held-out texts of {source} changed")


def _restated(run: Trained, now: Mapping[str, Content]) -> tuple[dict[str, float], bool]:
    """The shares of a run in today's groups, and whether unlike parts were joined.

    Raises _No where a group that it drew of changed.
    """
    same = {
        name: name for name in run.contents
        if name in now and now[name].fingerprint == run.contents[name].fingerprint
    }  # fmt: skip
    shares = {name: run.shares.get(name, 0.0) for name in same}
    left = {name: own for name, own in run.contents.items() if name not in same}
    free = {name: own for name, own in now.items() if name not in same}
    for name in [name for name in left if run.shares.get(name, 0.0) > 0]:
        own = parts_of(left[name], free, f"{name}/")
        if own is None:
            continue
        if len(own) > 1 and not run.is_even:
            raise _No(f"{name} was split, and its documents did not all have the same chance")
        total = sum(free[part].tokens for part in own)
        for part in own:
            shares[part] = run.shares[name] * free[part].tokens / total
        left.pop(name)
        free = {other: content for other, content in free.items() if other not in own}
    is_joined = False
    for name, content in free.items():
        own = parts_of(content, left, "")
        if own is None:
            continue
        shares[name] = sum(run.shares.get(part, 0.0) for part in own)
        is_joined |= not _by_size(run, own, left)
        left = {other: part for other, part in left.items() if other not in own}
    for name, content in left.items():
        if run.shares.get(name, 0.0) > 0:
            raise _No(f"{name} {change(content, now.get(name)) or 'changed'}")
    return {name: shares.get(name, 0.0) for name in now}, is_joined


ALIKE = 0.02
"""Parts of a group whose shares in it differ by no more from those of their sizes are alike."""


def _by_size(run: Trained, parts: Sequence[str], contents: Mapping[str, Content]) -> bool:
    """Whether the parts of a group have the shares that their sizes give them."""
    share = sum(run.shares.get(part, 0.0) for part in parts)
    tokens = sum(contents[part].tokens for part in parts)
    return share == 0 or all(
        abs(run.shares.get(part, 0.0) / share - contents[part].tokens / tokens) <= ALIKE
        for part in parts
    )
