"""Train the runs of a plan that are missing, hand them out, or take in what others trained."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from curate import storage
from curate.errors import DataError, RecipeError
from curate.evaluate.arms import REFUSED, Arm, Drawn
from curate.evaluate.strata import Budget, Shortfall, Texts
from curate.names import absent, unknown
from curate.proxies.making import proxy_of
from curate.proxies.proxy import Proxy
from curate.proxies.spec import ProxySpec
from curate.swarm.allowed import spec_of
from curate.swarm.contents import changed, contents
from curate.swarm.plan import Plan, PlannedRun, check_start, missing, required_plan
from curate.swarm.proxies import OWN
from curate.swarm.results import FOLDER, Trained, append, read, write_tables
from curate.swarm.texts import Held, read_held_out, read_texts
from curate.workspace import Workspace

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class TrainResult:
    """How many runs the plan has, how many were trained now, and where their tables are."""

    runs: int
    trained: int
    before: int
    mixtures: str
    metrics: str


def train(workspace: Workspace) -> TrainResult:
    """Train the runs that are missing, each on disk as soon as it is measured.

    Raises MissingInput without a plan, DataError where groups or held-out texts changed since.
    """
    plan = required_plan(workspace)
    if plan.proxy == OWN:
        raise RecipeError(
            "these runs are for your own trainer", hint="--configs DIR, then --results y.csv"
        )
    folder, held = _checked(workspace, plan)
    before = read(folder)
    wanted = missing(plan, before)
    if wanted:
        _train(workspace, plan, wanted, held)
    return _told(folder, plan, len(before))


def _told(folder: Path, plan: Plan, before: int) -> TrainResult:
    trained = read(folder)
    write_tables(folder, trained)
    done = {run.run for run in trained}
    return TrainResult(
        runs=len(plan.runs),
        trained=len(trained) - before,
        before=sum(run.run in done for run in plan.runs) - (len(trained) - before),
        mixtures=f"{FOLDER}/mixtures.csv",
        metrics=f"{FOLDER}/metrics.csv",
    )


def _checked(workspace: Workspace, plan: Plan) -> tuple[Path, Held]:
    """The folder of the swarm, and its held-out texts. Raises DataError if groups changed."""
    spec_of(workspace)
    for words in changed(plan.contents, contents(workspace)):
        raise DataError(
            f"{words} since the swarm was planned",
            hint="run `curate swarm plan` again: it says which runs still hold",
        )
    return workspace.root / FOLDER, read_held_out(workspace, plan.holdout)


def _train(workspace: Workspace, plan: Plan, wanted: Sequence[PlannedRun], held: Held) -> None:
    check_start(plan)
    texts, candidates = read_texts(workspace, plan.part)
    drawer = Drawer.of(workspace, plan, texts)
    arms = [drawer.arm(run.run, run.shares) for run in wanted]
    with workspace.watch("training proxies", len(wanted)) as advance:
        own = {"proxy": plan.proxy, "transformer": plan.transformer}
        spec = ProxySpec.model_validate(own)
        folder = workspace.root / ".building" / "swarm"
        proxy = proxy_of(spec, candidates, held.texts, root=workspace.root, folder=folder)
        del candidates
        for run, arm in zip(wanted, arms, strict=True):
            trained = _trained(plan, run, arm, drawer, proxy, held)
            append(workspace.root / FOLDER, [trained])
            shutil.rmtree(folder, ignore_errors=True)  # it is kept now
            advance(1)


def _trained(
    plan: Plan, run: PlannedRun, arm: Arm, drawer: Drawer, proxy: Proxy, held: Held
) -> Trained:
    """Train a run. Raises DataError for a loss that is no number."""
    copies = arm.draw(drawer.drawn.texts, drawer.drawn.budget, run.seed)
    losses = proxy.by_source(proxy.learn(copies, run.seed).losses)
    for source, loss in losses.items():
        if not isfinite(loss):
            raise DataError(
                f"run {run.run} ended with a loss of {loss} on {source}",
                hint="the runs before it are kept; train with a lower learning rate",
            )
    return Trained(
        run=run.run,
        shares=drawer.shares(copies),
        losses=losses,
        seed=run.seed,
        budget=plan.budget,
        proxy=plan.proxy,
        is_even=drawer.is_even,
        contents=plan.contents,
        holdout=held.fingerprints,
        start=plan.start,
    )


@dataclass(frozen=True)
class Drawer:
    """Draws runs as `evaluate` draws its arms; `is_even` says whether weights are all the same."""

    drawn: Drawn
    is_even: bool
    groups: tuple[str, ...]

    HINT: ClassVar = "plan again with more --train-bytes"

    @staticmethod
    def of(workspace: Workspace, plan: Plan, texts: Texts) -> Drawer:
        """That of a plan."""
        mix = workspace.tables.made("mix")
        budget = Budget(plan.budget, plan.max_epochs)
        return Drawer(
            Drawn(texts, budget, bool(mix.facts["noiseless"])),
            spec_of(workspace).within.strategy == "equal",
            tuple(plan.contents),
        )

    def arm(self, name: str, shares: Mapping[str, float]) -> Arm:
        """A mixture with shares of groups as near as the texts fill them.

        Raises DataError where they are not near.
        """
        try:
            arm = self.drawn.with_shares(name, shares)
        except Shortfall:
            raise DataError(
                f"the texts that proxies read are too few for run {name}", hint=self.HINT
            ) from None
        if arm.moved > REFUSED:
            raise DataError(
                f"the texts that proxies read fill {arm.shortest} for run {name}", hint=self.HINT
            )
        return arm

    def shares(self, copies: NDArray[np.int64]) -> dict[str, float]:
        """The share of each group in the tokens that were drawn."""
        import numpy as np

        texts = self.drawn.texts
        tokens = copies * texts.tokens
        return {
            group: float(tokens[texts.group == group].sum() / np.maximum(1, tokens.sum()))
            for group in self.groups
        }


def hand_out(workspace: Workspace, folder: Path) -> TrainResult:
    """Write a JSON file for each run that is missing: shares, seed, tokens, part of the supply."""
    plan = required_plan(workspace)
    own, _ = _checked(workspace, plan)
    before = read(own)
    folder.mkdir(parents=True, exist_ok=True)
    for run in missing(plan, before):
        config = {
            "run": run.run,
            "shares": run.shares,
            "seed": run.seed,
            "budget_tokens": round(plan.budget),
            "part_of_supply": plan.part,
            "max_epochs": plan.max_epochs,
        }
        storage.write_json(folder / f"{run.run}.json", config)
    return _told(own, plan, len(before))


def take_in(workspace: Workspace, path: Path) -> TrainResult:
    """Take in the losses of runs that others trained; all of the file, or nothing.

    Raises DataError for a run that is not planned, one that has other losses already, and
    a loss that is no number.
    """
    plan = required_plan(workspace)
    if plan.proxy != OWN:
        raise RecipeError(
            f"--results: this plan is trained with {plan.proxy}",
            hint="plan runs for your own trainer: `curate swarm plan --proxy own --anew`",
        )
    folder, held = _checked(workspace, plan)
    before = read(folder)
    known = {run.run: run for run in before}
    planned = {run.run: run for run in plan.runs}
    new = []
    for id, losses in _losses(path):
        if id not in planned:
            raise unknown(f"{path}: no run {id} is planned", id, list(planned), kind=DataError)
        if id in known and known[id].losses != losses:
            raise DataError(
                f"{path}: run {id} has other losses already",
                hint="a run that was trained again is a new run: plan one",
            )
        if id not in known:
            new.append(_of_others(plan, planned[id], losses, held))
    _check_metrics(path, [*before, *new])
    append(folder, new)
    return _told(folder, plan, len(before))


def _of_others(plan: Plan, run: PlannedRun, losses: Mapping[str, float], held: Held) -> Trained:
    return Trained(
        run=run.run,
        shares=run.shares,
        losses=losses,
        seed=run.seed,
        budget=plan.budget,
        proxy=OWN,
        is_even=True,
        contents=plan.contents,
        holdout=held.fingerprints,
    )


def _check_metrics(path: Path, runs: Sequence[Trained]) -> None:
    """Raise DataError if a run has other losses than the first."""
    for run in runs[1:]:
        if set(run.losses) != set(runs[0].losses):
            raise DataError(
                f"{path}: run {run.run} has losses of {', '.join(run.losses)}, and run "
                f"{runs[0].run} of {', '.join(runs[0].losses)}",
                hint="every run needs the same columns",
            )


def _losses(path: Path) -> Iterator[tuple[str, dict[str, float]]]:
    """Yield the runs of a file and their losses. Raises DataError for what is no such table."""
    from curate.swarm.runs import read_table

    if not path.is_file():
        raise absent(f"no file {path}", path, kind=DataError)
    table = read_table(path)
    if table.ids is None:
        raise DataError(
            f"{path} does not say which run a row is of", hint="name the first column `run`"
        )
    for id, row in zip(table.ids, table.values.tolist(), strict=True):
        yield id, dict(zip(table.names, row, strict=True))
