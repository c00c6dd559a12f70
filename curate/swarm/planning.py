"""Plan the runs of a swarm: mixtures that limits and texts allow, and what stays when some change.

What is read, the budget and the held-out texts stay as they were first planned, so that later runs
compare with those before them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curate import storage
from curate.errors import DataError, RecipeError
from curate.proxies.making import start_of
from curate.proxies.spec import TransformerSpec
from curate.rounding import rounded
from curate.swarm.allowed import Allowed, allowed, spec_of
from curate.swarm.contents import Content, contents
from curate.swarm.designs import Design, designed
from curate.swarm.limits import read_by_group
from curate.swarm.plan import PLAN, Plan, PlannedRun, check_start, read_plan, today
from curate.swarm.proxies import OWN, check_proxy
from curate.swarm.results import FOLDER, Trained, read
from curate.swarm.standing import Standing, standing
from curate.swarm.texts import choose_held_out, part_of, read_texts
from curate.workspace import Workspace

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

LEAST_PRIOR, CAP = 1e-9, 15.0
"""No run of the Dirichlet design has more than so many times a group's prior (RegMix)."""


@dataclass(frozen=True)
class Wanted:
    """What is asked of a plan; None is as it was planned, or the default of a first plan.

    Attributes:
        runs: How many runs there shall be, trained ones that still hold counted.
        design: How mixtures are spread.
        prior: `promised` by `mix`, `proportional` to the supply, or a JSON file.
        seed: Seed of the design.
        proxy: The proxy's name.
        transformer: How the proxy of that name is trained.
        train_bytes: Bytes of candidates that proxies read.
        holdout_bytes: Bytes of held-out text of each source.
        budget: Tokens of the mixture that is planned; that of `mix` by default.
        proxy_budget: Tokens of a run; by default in proportion to what is read.
        is_anew: Whether to begin anew, whatever was planned before.
    """

    runs: int = 32
    design: Design | None = None
    prior: str | None = None
    seed: int | None = None
    proxy: str | None = None
    transformer: TransformerSpec = field(default_factory=TransformerSpec)
    train_bytes: int | None = None
    holdout_bytes: int | None = None
    budget: str | None = None
    proxy_budget: int | None = None
    is_anew: bool = False


TRANSFORMER = "transformer"

FIRST: Mapping[str, Any] = {
    "design": "space_filling",
    "seed": 0,
    "proxy": "ngram",
    "train_bytes": 8_000_000,
    "holdout_bytes": 200_000,
}
"""The settings of a first plan."""


@dataclass(frozen=True)
class PlanResult:
    """What was planned.

    Attributes:
        runs: The runs of the plan.
        trained: Those of them that are trained.
        new: Those that were planned now.
        budget: The tokens of a run.
        target_budget: The tokens of the mixture that it stands for.
        part: The part of the candidates that a proxy reads.
        groups: The prior of each group, and the least and largest share of it in a run.
        notes: What a person should know.
    """

    runs: int
    trained: int
    new: int
    budget: float
    target_budget: int
    part: float
    groups: tuple[GroupPlan, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class GroupPlan:
    """A group in a plan: its prior, the least and the largest share of a run, texts to read.

    `epochs` is how often a run with the largest share reads a text of it, as the target would.
    """

    group: str
    prior: float
    least: float
    most: float
    tokens: int
    epochs: float


def make_plan(workspace: Workspace, wanted: Wanted) -> PlanResult:
    """Plan the runs that are missing, and write the plan.

    Raises MissingInput without a mixture or a holdout, DataError where the budget cannot be met or
    a group has no text to read, RecipeError for settings that make runs incomparable.
    """
    old = None if wanted.is_anew else read_plan(workspace)
    settings = _settings(wanted, old)
    check_proxy(settings["proxy"])
    budget = wanted.budget or (None if old is None else str(old.target_budget))
    may_be = allowed(workspace, budget)
    if old is not None and may_be.budget != old.target_budget:
        raise RecipeError(
            f"--budget {wanted.budget}: the plan is for {old.target_budget:,} tokens",
            hint="leave it out, or start again: --anew",
        )
    holdout = choose_held_out(
        workspace,
        spec_of(workspace).groups,
        may_be.groups,
        settings["holdout_bytes"],
        {} if old is None else old.holdout,
    )
    part = part_of(workspace, settings["train_bytes"]) if old is None else old.part
    read_of, tokens_of_run = _read(workspace, may_be, part, old, wanted.proxy_budget)
    may_be = _within_texts(may_be, read_of, tokens_of_run, settings["proxy"])
    prior = _prior(workspace, wanted, old, may_be)
    own = contents(workspace)
    plan = Plan(
        **settings,
        transformer=wanted.transformer,
        start=start_of(settings["proxy"], wanted.transformer),
        target_budget=may_be.budget,
        budget=tokens_of_run,
        part=part,
        max_epochs=spec_of(workspace).max_epochs,
        prior=dict(zip(may_be.groups, prior.tolist(), strict=True)),
        holdout=holdout,
        contents=own,
        runs=(),
    )
    trained = [] if wanted.is_anew else read(workspace.root / FOLDER)
    held = standing(trained, today(workspace, plan))
    kept = _kept(old, own, {run.run for run in trained})
    first = _next_number(old, trained)
    missing = max(0, wanted.runs - len(held.runs) - len(kept))
    new = _new(plan, may_be, prior, range(first, first + missing))
    plan = plan.model_copy(update={"runs": (*_planned(old, held), *kept, *new)})
    _write(workspace, plan, wanted.is_anew)
    notes = _notes(workspace, may_be, held, settings["proxy"])
    return _told(plan, held, may_be, read_of, len(new), notes)


def _settings(wanted: Wanted, old: Plan | None) -> dict[str, Any]:
    """The settings of a plan. Raises RecipeError for those that old runs cannot be compared by."""
    before = dict(FIRST) if old is None else {name: getattr(old, name) for name in FIRST}
    asked = {name: own for name in FIRST if (own := getattr(wanted, name)) is not None}
    if old is not None and old.proxy == TRANSFORMER and wanted.transformer != old.transformer:
        raise RecipeError(
            "evaluate.transformer has changed since the plan, and runs of both cannot be compared",
            hint="set it back, or start again: --anew",
        )
    if old is not None:
        check_start(old)
        for name, given in (*asked.items(), ("budget", wanted.proxy_budget)):
            is_fixed = name in ("proxy", "train_bytes", "holdout_bytes", "budget")
            now = getattr(old, name)
            if given is not None and is_fixed and given != now:
                option = "proxy-budget" if name == "budget" else name.replace("_", "-")
                raise RecipeError(
                    f"--{option} {given}: the plan has {now}, and runs of both cannot be compared",
                    hint="leave it out, or start again: --anew",
                )
    return {**before, **asked}


def _read(
    workspace: Workspace, may_be: Allowed, part: float, old: Plan | None, asked: int | None
) -> tuple[dict[str, int], float]:
    """The tokens of each group that proxies read, and the tokens of a run.

    A run has the budget of the mixture in proportion to what is read, but for the plan's own.
    """
    import numpy as np

    texts, _ = read_texts(workspace, part)
    drawable = np.where(texts.weight > 0, texts.tokens, 0)
    names, place = np.unique(texts.group, return_inverse=True)
    sums = np.bincount(place, drawable, len(names)).astype(int)
    tokens = dict(zip(names.tolist(), sums.tolist(), strict=True))
    if old is not None:
        return tokens, old.budget
    proportional = may_be.budget * float(sums.sum() / may_be.supply.sum())
    return tokens, float(asked or proportional)


def _within_texts(may_be: Allowed, tokens: Mapping[str, int], budget: float, proxy: str) -> Allowed:
    """What runs may be: no more of a group than the texts that are read fill.

    Raises DataError for a group without a text, and where no mixture is left.
    """
    import numpy as np

    is_read = proxy != OWN
    for name, high in zip(may_be.groups, may_be.region.high, strict=True):
        if is_read and high > 0 and not tokens.get(name):
            raise DataError(
                f"the proxies would read no text of {name}",
                hint="raise --train-bytes, or leave the group out by `mix.limits`",
            )
    read = np.array([float(tokens.get(name, 0)) for name in may_be.groups])
    most = read * may_be.epochs / budget
    region = may_be.region.under(most) if is_read else may_be.region
    if region.is_empty:
        words = f"a budget of {may_be.budget:,} tokens cannot be met: the groups can have"
        raise DataError(
            f"{words} {rounded(region.high.sum(), '.1%')} of it, copies counted",
            hint="lower the budget, or raise `mix.max_epochs` or a max of `mix.limits`",
        )
    return replace(may_be, region=region)


def _prior(workspace: Workspace, wanted: Wanted, old: Plan | None, may_be: Allowed) -> Array:
    """The prior of the groups, which sums to 1."""
    import numpy as np

    name = wanted.prior
    if name is None and old is not None and set(old.prior) == set(may_be.groups):
        return np.array([old.prior[group] for group in may_be.groups])
    if name in (None, "promised"):
        return np.asarray(may_be.promised / may_be.promised.sum())
    if name == "proportional":
        return np.asarray(may_be.supply / may_be.supply.sum())
    own = read_by_group(Path(name or ""), may_be.groups, lacks="the mixture has no group")
    return np.asarray(own / own.sum())


def _kept(old: Plan | None, now: Mapping[str, Content], trained: set[str]) -> list[PlannedRun]:
    """The runs that were planned and not trained, of groups that did not change."""
    if old is None:
        return []
    same = {
        name
        for name, own in old.contents.items()
        if name in now and now[name].fingerprint == own.fingerprint
    }
    return [
        run
        for run in old.runs
        if run.run not in trained
        and all(name in same for name, share in run.shares.items() if share)
    ]


def _planned(old: Plan | None, held: Standing) -> list[PlannedRun]:
    """The runs of the old plan that are trained and hold."""
    own = {run.run for run in held.runs}
    return [run for run in old.runs if run.run in own] if old is not None else []


def _next_number(old: Plan | None, trained: Sequence[Trained]) -> int:
    """The first number that no run ever had."""
    planned = [run.number for run in old.runs] if old is not None else []
    return max([*planned, *(int(run.run) - 1 for run in trained)], default=-1) + 1


def _new(plan: Plan, may_be: Allowed, prior: Array, numbers: range) -> list[PlannedRun]:
    """New runs of the design, moved to the nearest mixtures that limits and supply allow."""
    import numpy as np

    if not len(numbers):
        return []
    region = may_be.region.under(np.where(prior > 0, 1.0, 0.0))
    capped = region.under(np.maximum(CAP * prior, LEAST_PRIOR))
    if plan.design == "dirichlet" and not capped.is_empty:
        region = capped
    if region.is_empty:
        raise DataError(
            "the groups that the prior names cannot fill the budget",
            hint="name more groups in the prior, or lower the budget",
        )
    wanted = designed(plan.design, prior, numbers, plan.seed)
    shares = region.near(wanted)
    shares = np.where(shares < LEAST_PRIOR, 0.0, shares)
    return [
        PlannedRun(
            run=f"{number + 1:04}",
            number=number,
            shares=dict(zip(may_be.groups, own.tolist(), strict=True)),
            seed=plan.seed + number,
        )
        for number, own in zip(numbers, shares, strict=True)
    ]


def _write(workspace: Workspace, plan: Plan, is_anew: bool) -> None:
    """Write the plan. Beginning anew, what was trained before is put aside, never deleted."""
    folder = workspace.root / FOLDER
    folder.mkdir(exist_ok=True)
    runs = folder / "runs.jsonl"
    if is_anew and runs.exists():
        number = 1 + sum(1 for _ in folder.glob("runs.*.jsonl"))
        runs.rename(folder / f"runs.{number}.jsonl")
    storage.write_json(folder / PLAN, plan.model_dump(mode="json"))


def _notes(workspace: Workspace, may_be: Allowed, held: Standing, proxy: str) -> tuple[str, ...]:
    notes = [f"run {own.run} does not hold: {own.why}" for own in held.refused]
    facts = workspace.tables.made("mix").facts
    now = int((facts.get("phases") or [facts])[0]["budget"])
    if now != may_be.budget:
        notes.append(f"the plan is for {may_be.budget:,} tokens, and `mix` draws {now:,}")
    notes += may_be.notes
    if proxy == OWN:
        notes.append("your own trainer: `curate swarm train --configs DIR`, then `--results y.csv`")
    return tuple(notes)


def _told(
    plan: Plan,
    held: Standing,
    may_be: Allowed,
    tokens: Mapping[str, int],
    new: int,
    notes: tuple[str, ...],
) -> PlanResult:
    groups = []
    for name, prior in plan.prior.items():
        shares = [run.shares.get(name, 0.0) for run in plan.runs]
        least, most = min(shares, default=0.0), max(shares, default=0.0)
        own = tokens.get(name, 0)
        epochs = most * plan.budget / own if own else 0.0
        groups.append(GroupPlan(name, prior, least, most, own, epochs))
    planned = {run.run for run in plan.runs}
    return PlanResult(
        runs=len(planned | {run.run for run in held.runs}),
        trained=len(held.runs),
        new=new,
        budget=plan.budget,
        target_budget=plan.target_budget,
        part=plan.part,
        groups=tuple(groups),
        notes=notes,
    )
