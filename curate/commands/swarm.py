"""Commands about runs of small models on many mixtures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, get_args

import typer

from curate import console
from curate.commands.options import Json, plain_app
from curate.errors import RecipeError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from curate.mixture.regression.proposing import Box
    from curate.swarm.fit import Transfer
    from curate.swarm.propose import Proposal
    from curate.swarm.runs import Runs

    Array = NDArray[np.float64]

swarm = plain_app("Mixtures learned from runs of small models.")

Mixtures = Annotated[Path, typer.Option(help="CSV: a row a run, a column a group, shares.")]
Metrics = Annotated[Path, typer.Option(help="CSV: a row a run, a column a loss; lower is better.")]
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
    mixtures: Mixtures,
    metrics: Metrics,
    judge: Judge = None,
    transfer: TransferOption = "auto",
    target_budget: Target = None,
    proxy_budget: Proxy = None,
    seed: Seed = 0,
    as_json: Json = False,
) -> None:
    """Say how well models of losses rank runs that they did not see, beside trivial baselines.

    Example: curate swarm fit --mixtures m.csv --metrics y.csv
    """
    from curate.swarm.fit import fit

    runs, kind = _runs(mixtures, metrics, judge), _transfer(transfer)
    target, proxy = _tokens("target-budget", target_budget), _tokens("proxy-budget", proxy_budget)
    console.show(fit(runs, kind, target, proxy, seed), as_json=as_json)


@swarm.command("propose")
def swarm_propose(
    mixtures: Mixtures,
    metrics: Metrics,
    output: Annotated[Path, typer.Option("-o", "--output", help="JSON: group → share, for `mix`.")],
    judge: Judge = None,
    model: Annotated[
        str, typer.Option(help="linear, log_linear, boosting or stacked.")
    ] = "log_linear",
    prior: Annotated[
        Path | None, typer.Option(help="JSON: group → share. Default: supply, or the runs' mean.")
    ] = None,
    kl: Annotated[float, typer.Option(min=0, help="Price of a nat from the prior.")] = 0.05,
    limits: Annotated[Path | None, typer.Option(help="YAML of the form of mix.limits.")] = None,
    supply: Annotated[Path | None, typer.Option(help="JSON: group → tokens there are.")] = None,
    budget: Annotated[str | None, typer.Option(help="Tokens of the mixture, as 20M.")] = None,
    max_epochs: Annotated[int, typer.Option(min=1, help="Copies of a document at most.")] = 4,
    transfer: TransferOption = "auto",
    target_budget: Target = None,
    proxy_budget: Proxy = None,
    refits: Annotated[int, typer.Option(min=0, help="Refits that the interval is of.")] = 20,
    seed: Seed = 0,
    as_json: Json = False,
) -> None:
    """Propose the mixture with the least foretold loss, near the prior and runs that were trained.

    Example: curate swarm propose --mixtures m.csv --metrics y.csv -o w.json
    """
    from curate.storage import write_json
    from curate.swarm.fit import leans
    from curate.swarm.propose import Model, Wishes, propose

    if output.is_dir() or not output.absolute().parent.is_dir():
        raise RecipeError(f"{output} cannot be written", hint="name a file in a folder there is")
    _one_of("model", model, get_args(Model))
    tokens = _tokens("budget", budget)
    target = _tokens("target-budget", target_budget) or tokens
    proxy, kind = _tokens("proxy-budget", proxy_budget), _transfer(transfer)
    runs = _runs(mixtures, metrics, judge)
    wanted, box = _prior_and_box(runs, prior, limits, supply, tokens, max_epochs)
    is_half = leans(runs, kind, target, proxy)
    wishes = Wishes(wanted, box, model, kl, is_half, refits, seed)  # type: ignore[arg-type]
    proposal = propose(runs, wishes)
    write_json(output, proposal.shares)
    _show(proposal, as_json)


def _show(proposal: Proposal, as_json: bool) -> None:
    console.show(proposal, as_json=as_json)


def _prior_and_box(
    runs: Runs,
    prior: Path | None,
    limits: Path | None,
    supply: Path | None,
    budget: int | None,
    max_epochs: int,
) -> tuple[Array, Box]:
    """The prior, whose shares sum to 1, and the limits of a proposal."""
    from curate.swarm.limits import box_of, read_by_group, read_limits

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
    return wanted, box_of(runs.groups, own, tokens, budget, max_epochs, wanted)


def _runs(mixtures: Path, metrics: Path, judge: list[str] | None) -> Runs:
    from curate.swarm.runs import read_runs

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

    kind: Transfer = _one_of("transfer", text, get_args(Transfer))  # type: ignore[assignment]
    return kind


def _one_of(option: str, text: str, known: tuple[str, ...]) -> str:
    if text not in known:
        raise RecipeError(f"--{option} {text}: there is no such {option}", hint=", ".join(known))
    return text


def _tokens(option: str, text: str | None) -> int | None:
    from curate.tokens import number_of

    if text is None:
        return None
    try:
        tokens = number_of(text)
    except ValueError:
        tokens = 0
    if tokens <= 0:
        raise RecipeError(f"--{option} {text} is no number of tokens", hint="as in 20M or 1.5B")
    return tokens
