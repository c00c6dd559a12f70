"""`curate swarm plan` and `curate swarm train`: which small models to train, and their training."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, get_args

import typer

from curate import console
from curate.commands.options import (
    HERE,
    EngineName,
    Json,
    Root,
    Wait,
    Workers,
    open_workspace,
    refuse_beside,
    working_on,
)
from curate.errors import RecipeError

if TYPE_CHECKING:
    from curate.proxies.spec import TransformerSpec
    from curate.workspace import Workspace

Tokens = Annotated[str | None, typer.Option(help="Tokens of the mixture; default: of `mix`.")]


def swarm_plan(
    runs: Annotated[
        int, typer.Option(min=1, help="How many runs to plan; valid ones are kept.")
    ] = 32,
    design: Annotated[
        str | None, typer.Option(help="space_filling (default) or dirichlet, around the prior.")
    ] = None,
    prior: Annotated[
        str | None, typer.Option(help="promised (default), proportional, or JSON: group → share.")
    ] = None,
    proxy: Annotated[
        str | None,
        typer.Option(
            help="ngram (default), transformer (as `evaluate` sets it), own: your trainer."
        ),
    ] = None,
    train_bytes: Annotated[
        int | None, typer.Option(min=10_000, help="Bytes that a proxy reads; default 8,000,000.")
    ] = None,
    holdout_bytes: Annotated[
        int | None, typer.Option(min=1_000, help="Held-out bytes a source; default 200,000.")
    ] = None,
    budget: Tokens = None,
    proxy_budget: Annotated[
        str | None, typer.Option(help="Tokens of a run; default: in proportion to what is read.")
    ] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Seed of the design.")] = None,
    anew: Annotated[bool, typer.Option("--anew", help="Put earlier runs aside.")] = False,
    engine: EngineName = None,
    workers: Workers = None,
    root: Root = HERE,
    as_json: Json = False,
    wait: Wait = 0,
) -> None:
    """Design mixtures of the groups for small models, within the supply and the limits of `mix`.

    Example: curate swarm plan --runs 64

    Example: curate swarm plan --design dirichlet --proxy own --anew
    """
    from curate.swarm.designs import Design
    from curate.swarm.planning import Wanted, make_plan

    if design is not None:
        one_of("design", design, get_args(Design))
    if budget is not None:
        tokens("budget", budget)
    workspace = open_workspace(root)
    workspace.require()
    wanted = Wanted(
        runs=runs,
        design=design,  # type: ignore[arg-type]
        prior=prior,
        seed=seed,
        proxy=proxy,
        transformer=_transformer(workspace),
        train_bytes=train_bytes,
        holdout_bytes=holdout_bytes,
        budget=budget,
        proxy_budget=tokens("proxy-budget", proxy_budget),
        is_anew=anew,
    )
    with workspace.lock.hold("swarm plan", wait=wait), working_on(workspace, engine, workers):
        result = make_plan(workspace, wanted)
    console.show(result, as_json=as_json)


def _transformer(workspace: Workspace) -> TransformerSpec:
    """How the recipe has transformers trained."""
    from curate.run import files
    from curate.run.meant import meant

    return files.of_workspace(workspace, meant(workspace)).evaluate.transformer


def swarm_train(
    configs: Annotated[
        Path | None, typer.Option(help="Write a JSON file a missing run there; train nothing.")
    ] = None,
    results: Annotated[
        Path | None, typer.Option(help="CSV of runs trained elsewhere: run, and its losses.")
    ] = None,
    engine: EngineName = None,
    workers: Workers = None,
    root: Root = HERE,
    as_json: Json = False,
    wait: Wait = 0,
) -> None:
    """Train the planned runs that are missing, hand them out, or take in what others trained.

    Example: curate swarm train

    Example: curate swarm train --results y.csv
    """
    from curate.swarm.train import hand_out, take_in, train

    if configs is not None and results is not None:
        refuse_beside("--configs", ["results"])
    workspace = open_workspace(root)
    workspace.require()
    with workspace.lock.hold("swarm train", wait=wait), working_on(workspace, engine, workers):
        if configs is not None:
            result = hand_out(workspace, configs)
        elif results is not None:
            result = take_in(workspace, results)
        else:
            result = train(workspace)
    console.show(result, as_json=as_json)


def one_of(option: str, text: str, known: tuple[str, ...]) -> str:
    """A word that is known. Raises RecipeError for another."""
    if text not in known:
        raise RecipeError(f"--{option} {text}: there is no such {option}", hint=", ".join(known))
    return text


def tokens(option: str, text: str | None) -> int | None:
    """A number of tokens; None for None. Raises RecipeError for what is none."""
    from curate.tokens import number_of

    if text is None:
        return None
    try:
        number = number_of(text)
    except ValueError:
        number = 0
    if number <= 0:
        raise RecipeError(f"--{option} {text} is not a number of tokens", hint="as in 20M or 1.5B")
    return number
