"""Commands about runs of small models on many mixtures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, get_args

import typer

from curate import console
from curate.commands.options import HERE, Json, Root, Wait, open_workspace, plain_app, refuse_beside
from curate.commands.training import one_of, swarm_plan, swarm_train
from curate.commands.training import tokens as tokens_of
from curate.errors import RecipeError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from curate.mixture.regression.region import Region
    from curate.swarm.allowed import Allowed
    from curate.swarm.fit import Transfer
    from curate.swarm.holding import Swarm
    from curate.swarm.propose import Proposal, Wishes
    from curate.swarm.runs import Runs
    from curate.workspace import Workspace

    Array = NDArray[np.float64]

swarm = plain_app("Mixtures learned from runs of small models.")
swarm.command("plan")(swarm_plan)
swarm.command("train")(swarm_train)

MAX_EPOCHS = 4
"""Copies of a document at most, where nothing says so."""

Mixtures = Annotated[
    Path | None,
    typer.Option(help="CSV: a row a run, a column a group, shares. Default: the workspace's runs."),
]
Metrics = Annotated[
    Path | None, typer.Option(help="CSV: a row a run, a column a loss; lower is better.")
]
Judge = Annotated[
    list[str] | None,
    typer.Option(help="A loss that counts, and its weight: web_loss=2. Default: all the same."),
]
TransferOption = Annotated[
    str, typer.Option("--transfer", help="half: half own weight; none; auto: by budgets.")
]
Target = Annotated[str | None, typer.Option(help="Tokens of the run that is planned, as 20B.")]
Proxy = Annotated[str | None, typer.Option(help="Tokens that each of these runs was trained on.")]
Seed = Annotated[int, typer.Option(min=0, help="Seed of folds and resampling.")]


@swarm.command("fit")
def swarm_fit(
    mixtures: Mixtures = None,
    metrics: Metrics = None,
    judge: Judge = None,
    transfer: TransferOption = "auto",
    target_budget: Target = None,
    proxy_budget: Proxy = None,
    seed: Seed = 0,
    root: Root = HERE,
    as_json: Json = False,
) -> None:
    """Say how well models of losses rank runs that they did not see, beside trivial baselines.

    Example: curate swarm fit

    Example: curate swarm fit --mixtures m.csv --metrics y.csv
    """
    from curate.swarm.fit import fit

    kind = _transfer(transfer)
    own = _budgets(target_budget, proxy_budget)
    if mixtures is not None or metrics is not None:
        console.show(fit(_runs(mixtures, metrics, judge), kind, *own, seed), as_json=as_json)
        return
    found = _of_workspace(open_workspace(root), judge)
    target, proxy = own[0] or found.plan.target_budget, own[1] or found.plan.budget
    result = fit(found.runs, kind, target, proxy, seed)
    notes = (*found.notes, *result.notes)
    console.show(replace(result, refused=found.standing.refused, notes=notes), as_json=as_json)


@swarm.command("propose")
def swarm_propose(
    mixtures: Mixtures = None,
    metrics: Metrics = None,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="JSON for `mix`; default: swarm/weights.json."),
    ] = None,
    judge: Judge = None,
    model: Annotated[
        str, typer.Option(help="auto (out of fold), linear, log_linear, boosting or stacked.")
    ] = "auto",
    prior: Annotated[
        Path | None,
        typer.Option(help="JSON: group → share. Default: the plan's, supply, or the runs' mean."),
    ] = None,
    kl: Annotated[
        float, typer.Option(min=0, max=1e6, help="Price of each nat away from the prior.")
    ] = 0.05,
    limits: Annotated[Path | None, typer.Option(help="YAML of the form of mix.limits.")] = None,
    supply: Annotated[Path | None, typer.Option(help="JSON: group → its tokens.")] = None,
    budget: Annotated[str | None, typer.Option(help="Tokens of the mixture, as 20M.")] = None,
    max_epochs: Annotated[
        int | None, typer.Option(min=1, help="Copies of a document at most; default 4.")
    ] = None,
    transfer: TransferOption = "auto",
    target_budget: Target = None,
    proxy_budget: Proxy = None,
    refits: Annotated[int, typer.Option(min=0, help="Refits for the interval.")] = 20,
    seed: Seed = 0,
    root: Root = HERE,
    as_json: Json = False,
    wait: Wait = 0,
) -> None:
    """Propose the mixture with the lowest predicted loss, near the prior and the trained runs.

    Example: curate swarm propose

    Example: curate swarm propose --mixtures m.csv --metrics y.csv -o w.json
    """
    from curate.swarm.propose import Model, Wishes

    one_of("model", model, get_args(Model))
    asked = _Asked(_transfer(transfer), *_budgets(target_budget, proxy_budget))
    limited = _Limited(prior, limits, supply, budget, max_epochs)

    def wishes(wanted: Array, region: Region, is_half: bool) -> Wishes:
        return Wishes(wanted, region, model, kl, is_half, refits, seed)  # type: ignore[arg-type]

    if mixtures is not None or metrics is not None:
        place = _writable(output, mixtures)
        runs = _runs(mixtures, metrics, judge)
        result = _proposed(runs, asked, limited, wishes, place)
    else:
        limited.refuse_in_workspace()
        workspace = open_workspace(root)
        workspace.require()
        place = _writable(output or workspace.root / "swarm" / "weights.json", None)
        with workspace.lock.hold("swarm propose", wait=wait):
            found = _of_workspace(workspace, judge)
            result = _proposed_in(workspace, found, asked, limited, wishes, place)
    console.show(result, as_json=as_json)


@dataclass(frozen=True)
class _Asked:
    """Whether a proposal leans on own weight: as asked, or by the budgets in tokens."""

    transfer: Transfer
    target: int | None
    proxy: int | None


@dataclass(frozen=True)
class _Limited:
    """What limits a proposal outside a workspace; its prior, and its budget, also within one."""

    prior: Path | None
    limits: Path | None
    supply: Path | None
    budget: str | None
    max_epochs: int | None

    @property
    def tokens(self) -> int | None:
        return tokens_of("budget", self.budget)

    def refuse_in_workspace(self) -> None:
        """Raise RecipeError for what a workspace has of its own."""
        given = {"limits": self.limits, "supply": self.supply, "max_epochs": self.max_epochs}
        names = (name for name, value in given.items() if value is not None)
        refuse_beside("the limits and the supply of `mix`", names)


def _proposed(
    runs: Runs,
    asked: _Asked,
    limited: _Limited,
    wishes: Callable[[Array, Region, bool], Wishes],
    place: Path,
) -> Proposal:
    """The proposal of anybody's runs, written to its place."""
    from curate.storage import write_json
    from curate.swarm.fit import leans
    from curate.swarm.propose import propose

    wanted, region = _prior_and_region(runs, limited)
    is_half = leans(runs, asked.transfer, asked.target or limited.tokens, asked.proxy)
    proposal = propose(runs, wishes(wanted, region, is_half))
    write_json(place, proposal.shares)
    return proposal


def _proposed_in(
    workspace: Workspace,
    found: Swarm,
    asked: _Asked,
    limited: _Limited,
    wishes: Callable[[Array, Region, bool], Wishes],
    place: Path,
) -> Proposal:
    """The proposal of a workspace's runs, written to its place."""
    from curate.storage import write_json
    from curate.swarm.fit import leans
    from curate.swarm.propose import propose

    wanted, may_be = _in_workspace(workspace, found, limited)
    target, proxy = asked.target or may_be.budget, asked.proxy or found.plan.budget
    is_half = leans(found.runs, asked.transfer, target, proxy)
    proposal = propose(found.runs, wishes(wanted, may_be.region, is_half))
    write_json(place, proposal.shares)
    return replace(proposal, notes=(*found.notes, *proposal.notes, *may_be.notes))


def _writable(output: Path | None, beside: Path | None) -> Path:
    """Where a proposal goes. Raises RecipeError for a place that cannot be written."""
    if output is None:
        raise RecipeError(f"{beside} needs a place for what is proposed", hint="give -o w.json")
    if output.is_dir() or not output.absolute().parent.is_dir():
        raise RecipeError(f"{output} cannot be written", hint="name a file in a folder that exists")
    return output


def _budgets(target: str | None, proxy: str | None) -> tuple[int | None, int | None]:
    return tokens_of("target-budget", target), tokens_of("proxy-budget", proxy)


def _of_workspace(workspace: Workspace, judge: list[str] | None) -> Swarm:
    from curate.swarm.holding import of_workspace

    workspace.require()
    return of_workspace(workspace, dict(map(_weight, judge or ())))


def _in_workspace(workspace: Workspace, found: Swarm, limited: _Limited) -> tuple[Array, Allowed]:
    """The prior, whose shares sum to 1, and what a proposal may be, both of the runs' groups."""
    import numpy as np

    from curate.swarm.allowed import allowed
    from curate.swarm.limits import read_by_group

    groups = found.runs.groups
    may_be = allowed(workspace, str(limited.tokens or found.plan.target_budget)).of(groups)
    if limited.prior is not None:
        wanted = read_by_group(limited.prior, groups)
    elif set(found.plan.prior) == set(groups):
        wanted = np.array([found.plan.prior[group] for group in groups])
    else:
        wanted = may_be.promised
    return wanted / wanted.sum(), may_be


def _prior_and_region(runs: Runs, limited: _Limited) -> tuple[Array, Region]:
    """The prior, whose shares sum to 1, and the limits of a proposal."""
    from curate.swarm.limits import read_by_group, read_limits, region_of

    supply, budget = limited.supply, limited.tokens
    if (supply is None) != (budget is None):
        given, missing = ("supply", "budget") if supply else ("budget", "supply")
        raise RecipeError(f"--{given} has no effect without --{missing}", hint="give both")
    tokens = None if supply is None else read_by_group(supply, runs.groups)
    if limited.prior is not None:
        wanted = read_by_group(limited.prior, runs.groups)
    else:
        wanted = runs.shares.mean(axis=0) if tokens is None else tokens
    wanted = wanted / wanted.sum()
    own = read_limits(limited.limits, runs.groups)
    epochs = limited.max_epochs or MAX_EPOCHS
    return wanted, region_of(runs.groups, own, tokens, budget, epochs, wanted)


def _runs(mixtures: Path | None, metrics: Path | None, judge: list[str] | None) -> Runs:
    from curate.swarm.runs import read_runs

    if mixtures is None or metrics is None:
        given, missing = ("mixtures", "metrics") if mixtures else ("metrics", "mixtures")
        raise RecipeError(f"--{given} has no effect without --{missing}", hint="give both")
    return read_runs(mixtures, metrics, dict(map(_weight, judge or ())))


def _weight(text: str) -> tuple[str, float]:
    name, sign, number = text.rpartition("=")
    if not sign:
        return text, 1.0
    try:
        weight = float(number)
    except ValueError:
        weight = 0.0
    if not 0 < weight < float("inf"):
        raise RecipeError(f"--judge {text}: {number} is not a weight", hint="as in web_loss=2")
    return name, weight


def _transfer(text: str) -> Transfer:
    from curate.swarm.fit import Transfer

    kind: Transfer = one_of("transfer", text, get_args(Transfer))  # type: ignore[assignment]
    return kind
