"""The mixture beside plain ones: a proxy learns each and is measured on held-out text."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from curate.evaluate import trainings
from curate.evaluate.arms import TOLD, Arm, arms_of
from curate.evaluate.choosing import Chosen, choose, read_holdout, read_training
from curate.evaluate.paired import Holdout, difference
from curate.evaluate.spec import EvaluateSpec
from curate.evaluate.strata import Budget, Shortfall, Texts
from curate.evaluate.trainings import TrainingResult
from curate.evaluate.verdict import ArmResult, Comparison, warnings_on
from curate.progress import Advance
from curate.proxies.making import proxy_of
from curate.proxies.proxy import Proxy, Training
from curate.warning import StageWarning, warn
from curate.workspace import Workspace

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Compared:
    """All arms, the mixture beside each other arm, and how many documents are held out by source.

    `trainings` are those of the proxy on each arm, if it is trained. `notes` say why there is no
    comparison, `warnings` what is doubtful in it.
    """

    arms: tuple[ArmResult, ...] = ()
    comparisons: tuple[Comparison, ...] = ()
    holdout: Mapping[str, int] = field(default_factory=dict)
    trainings: tuple[TrainingResult, ...] = ()
    notes: tuple[str, ...] = ()
    warnings: tuple[StageWarning, ...] = ()


def compare_arms(workspace: Workspace, spec: EvaluateSpec) -> Compared:
    """Measure the mixture and the plain ones by a proxy.

    Every arm is drawn anew for each seed, with noise that all arms share. Where the texts that are
    read cannot fill the arms, a warning names what is short, and nothing is compared. A proxy that
    is trained keeps its runs until all are done, so that it goes on after a kill.
    """
    shards = workspace.documents.shards(mix=True)
    chosen = choose(workspace, shards, spec.train_bytes, spec.holdout_bytes)
    holdout = read_holdout(workspace, shards, chosen) if chosen.holdout else {}
    if not holdout:
        return Compared(notes=(_without_holdout(workspace),))
    training = read_training(workspace, shards, chosen)
    texts, budget = _texts(training), _budget(workspace, training, chosen.supply)
    try:
        arms = _arms(workspace, texts, budget)
    except Shortfall as short:
        words = "the mixture is not compared: {what}"
        return Compared(warnings=(warn("evaluate.shortfall", words, what=str(short)),))
    folder = workspace.root / ".building" / "proxy"
    with workspace.watch("comparing mixtures", len(arms) * spec.seeds) as advance:
        corpus = proxy_of(
            spec, training["text"].to_pylist(), holdout, root=workspace.root, folder=folder
        )
        del training
        measured = [Measured.of(arm, texts, budget, corpus, spec.seeds, advance) for arm in arms]
    shutil.rmtree(folder, ignore_errors=True)
    documents = _documents(chosen, holdout)
    trained = tuple(
        TrainingResult.of(own.result.arm, own.trainings) for own in measured if own.trainings
    )
    return Compared(
        tuple(own.result for own in measured),
        tuple(compared(measured, corpus)),
        documents,
        trained,
        warnings=(
            *warnings_on(documents),
            *trainings.warnings_on(trained),
            *(_moved(arm) for arm in arms if arm.moved > TOLD),
            *_left_out(workspace),
        ),
    )


def _without_holdout(workspace: Workspace) -> str:
    """Why there is no held-out text, and what helps."""
    share = workspace.tables.made("pool").spec["holdout"]
    if not share:
        return "no holdout: set `pool: {holdout: .05}` to compare mixtures"
    return f"`pool.holdout: {share:g}` held out no text that `clean` keeps: raise it"


def _documents(chosen: Chosen, holdout: Mapping[str, Sequence[str]]) -> dict[str, int]:
    """The held-out documents of every source that is mixed or held out, by name."""
    sources = sorted(chosen.sources | set(holdout))
    return {source: len(holdout.get(source, ())) for source in sources}


def _left_out(workspace: Workspace) -> Iterator[StageWarning]:
    """Yield the phases that the mixture is compared without."""
    phases = workspace.tables.made("mix").facts.get("phases") or []
    if len(phases) > 1:
        first, *others = (str(phase["name"]) for phase in phases)
        words = "the mixture is compared as its phase {phase}; {others} left out"
        yield warn("evaluate.phases", words, phase=first, others=others)


def _moved(arm: Arm) -> StageWarning:
    words = "the arm {arm} has {share}: the texts that the proxy reads hold no more"
    return warn("evaluate.moved", words, arm=arm.name, share=arm.shortest)


def _texts(training: pa.Table) -> Texts:
    import numpy as np

    return Texts(
        ids=training["id"].to_pylist(),
        source=training["source"].to_numpy().astype(str),
        group=training["group"].to_numpy().astype(str),
        tokens=training["tokens"].to_numpy().astype(np.int64),
        weight=training["weight"].to_numpy().astype(np.float64),
        factor=training["factor"].to_numpy().astype(np.float64),
        epochs=training["max_epochs"].to_numpy().astype(np.int64),
    )


def _budget(workspace: Workspace, training: pa.Table, supply: int) -> Budget:
    """The budget of the mixture (of its first phase), in proportion to the texts that are read."""
    import pyarrow.compute as pc

    mix = workspace.tables.made("mix")
    part = pc.sum(training["tokens"]).as_py() / supply
    phases = mix.facts.get("phases") or [{"budget": mix.facts["budget"]}]
    return Budget(phases[0]["budget"] * part, mix.spec["max_epochs"])


def _arms(workspace: Workspace, texts: Texts, budget: Budget) -> tuple[Arm, ...]:
    groups = workspace.tables.read("groups", ["group", "phase", "promised"]).to_pylist()
    first = groups[0]["phase"]
    own = [row for row in groups if row["phase"] == first]
    promised = {str(row["group"]): float(row["promised"]) for row in own}
    mix = workspace.tables.made("mix")
    seed = int(mix.spec.get("seed", 0))  # without noise it has no effect, and is not stored
    is_noiseless = bool(mix.facts["noiseless"])
    return arms_of(texts, budget, promised, is_noiseless=is_noiseless, seed=seed)


@dataclass(frozen=True)
class Measured:
    """One arm: its result, and its loss on each held-out document, seeds x documents, per byte.

    `trainings` are those of the proxy, one for every seed; none if it is not trained.
    """

    result: ArmResult
    losses: NDArray[np.float64]
    trainings: tuple[Training, ...] = ()

    @staticmethod
    def of(
        arm: Arm, texts: Texts, budget: Budget, proxy: Proxy, seeds: int, advance: Advance
    ) -> Measured:
        """Draw an arm for each seed, and measure it."""
        import numpy as np

        learned, sizes = [], []
        for seed in range(seeds):
            copies = arm.draw(texts, budget, seed)
            learned.append(proxy.learn(copies, seed))
            sizes.append(int((copies * texts.tokens).sum()))
            advance(1)
        losses = [own.losses for own in learned]
        result = ArmResult.of(arm.name, sizes, [proxy.by_source(own) for own in losses])
        trained = tuple(own.training for own in learned if own.training is not None)
        return Measured(result, np.stack(losses) / proxy.bytes, trained)


def compared(measured: Sequence[Measured], proxy: Proxy) -> list[Comparison]:
    """The first arm beside each other one."""
    holdout = Holdout(proxy.source, proxy.bytes)
    first, *others = measured
    return [
        Comparison.of(other.result.arm, difference(first.losses, other.losses, holdout))
        for other in others
    ]
