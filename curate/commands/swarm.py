"""Commands about runs of small models on many mixtures."""

from __future__ import annotations

from dataclasses import replace
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
    from curate.swarm.propose import Proposal
    from curate.swarm.runs import Runs
    from curate.workspace import Workspace

    Array = NDArray[np.float64]

swarm = plain_app("Mixtures learned from runs of small models.")
swarm.command("plan")(swarm_plan)
swarm.command("train")(swarm_train)

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
    str, typer.Option("--transfer", help="half: lean half on own weight; none; auto by budgets.")
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
    kl: Annotated[float, typer.Option(min=0, help="Price of a nat from the prior.")] = 0.05,
    limits: Annotated[Path | None, typer.Option(help="YAML of the form of mix.limits.")] = None,
    supply: Annotated[Path | None, typer.Option(help="JSON: group → tokens there are.")] = None,
    budget: Annotated[str | None, typer.Option(help="Tokens of the mixture, as 20M.")] = None,
    max_epochs: Annotated[
        int | None, typer.Option(min=1, help="Copies of a document at most; default 4.")
    ] = None,
    transfer: TransferOption = "auto",
    target_budget: Target = None,
    proxy_budget: Proxy = None,
    refits: Annotated[int, typer.Option(min=0, help="Refits that the interval is of.")] = 20,
    seed: Seed = 0,
    root: Root = HERE,
    as_json: Json = False,
    wait: Wait = 0,
) -> None:
    """Propose the mixture with the least foretold loss, near the prior and runs that were trained.

    Example: curate swarm propose

    Example: curate swarm propose --mixtures m.csv --metrics y.csv -o w.json
    """
    from curate.storage import write_json
    from curate.swarm.fit import leans
    from curate.swarm.propose import Model, Wishes, propose

    one_of("model", model, get_args(Model))
    tokens, kind = tokens_of("budget", budget), _transfer(transfer)
    target, proxy = _budgets(target_budget, proxy_budget)
    if mixtures is not None or metrics is not None:
        place = _writable(output, mixtures)
        runs = _runs(mixtures, metrics, judge)
        wanted, region = _prior_and_region(runs, prior, limits, supply, tokens, max_epochs or 4)
        is_half = leans(runs, kind, target or tokens, proxy)
        wishes = Wishes(wanted, region, model, kl, is_half, refits, seed)  # type: ignore[arg-type]
        proposal = propose(runs, wishes)
        write_json(place, proposal.shares)
        _show(proposal, as_json)
        return
    beside = {"limits": limits, "supply": supply, "max_epochs": max_epochs}
    refuse_beside("the limits and the supply of `mix`", (name for name in beside if beside[name]))
    workspace = open_workspace(root)
    workspace.require()
    place = _writable(output or workspace.root / "swarm" / "weights.json", None)
    with workspace.lock.hold("swarm propose", wait=wait):
        found = _of_workspace(workspace, judge)
        wanted, may_be = _in_workspace(workspace, found, prior, budget)
        is_half = leans(found.runs, kind, target or may_be.budget, proxy or found.plan.budget)
        wishes = Wishes(wanted, may_be.region, model, kl, is_half, refits, seed)  # type: ignore[arg-type]
        proposal = propose(found.runs, wishes)
        write_json(place, proposal.shares)
    notes = (*found.notes, *proposal.notes, *may_be.notes)
    _show(replace(proposal, notes=notes), as_json)


def _writable(output: Path | None, beside: Path | None) -> Path:
    """Where a proposal goes. Raises RecipeError for a place that cannot be written."""
    if output is None:
        raise RecipeError(f"{beside} needs a place for what is proposed", hint="give -o w.json")
    if output.is_dir() or not output.absolute().parent.is_dir():
        raise RecipeError(f"{output} cannot be written", hint="name a file in a folder there is")
    return output


def _show(proposal: Proposal, as_json: bool) -> None:
    console.show(proposal, as_json=as_json)


def _budgets(target: str | None, proxy: str | None) -> tuple[int | None, int | None]:
    return tokens_of("target-budget", target), tokens_of("proxy-budget", proxy)


def _of_workspace(workspace: Workspace, judge: list[str] | None) -> Swarm:
    from curate.swarm.holding import of_workspace

    workspace.require()
    return of_workspace(workspace, dict(map(_weight, judge or ())))


def _in_workspace(
    workspace: Workspace, found: Swarm, prior: Path | None, budget: str | None
) -> tuple[Array, Allowed]:
    """The prior, whose shares sum to 1, and what a proposal may be, both of the runs' groups."""
    import numpy as np

    from curate.swarm.allowed import allowed
    from curate.swarm.limits import read_by_group

    groups = found.runs.groups
    may_be = allowed(workspace, budget or str(found.plan.target_budget)).of(groups)
    if prior is not None:
        wanted = read_by_group(prior, groups)
    elif set(found.plan.prior) == set(groups):
        wanted = np.array([found.plan.prior[group] for group in groups])
    else:
        wanted = may_be.promised
    return wanted / wanted.sum(), may_be


def _prior_and_region(
    runs: Runs,
    prior: Path | None,
    limits: Path | None,
    supply: Path | None,
    budget: int | None,
    max_epochs: int,
) -> tuple[Array, Region]:
    """The prior, whose shares sum to 1, and the limits of a proposal."""
    from curate.swarm.limits import read_by_group, read_limits, region_of

    if (supply is None) != (budget is None):
        given, missing = ("supply", "budget") if supply else ("budget", "supply")
        raise RecipeError(f"--{given} has no effect without --{missing}", hint="give both")
    tokens = None if supply is None else read_by_group(supply, runs.groups)
    if prior is not None:
        wanted = read_by_group(prior, runs.groups)
    else:
        wanted = runs.shares.mean(axis=0) if tokens is None else tokens
    wanted = wanted / wanted.sum()
    own = read_limits(limits, runs.groups)
    return wanted, region_of(runs.groups, own, tokens, budget, max_epochs, wanted)


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
        raise RecipeError(f"--judge {text}: {number} is no weight", hint="as in web_loss=2")
    return name, weight


def _transfer(text: str) -> Transfer:
    from curate.swarm.fit import Transfer

    kind: Transfer = one_of("transfer", text, get_args(Transfer))  # type: ignore[assignment]
    return kind
