"""The mixture beside others: a proxy learns each and is measured on held-out text."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from curate.errors import DataError
from curate.evaluate import trainings
from curate.evaluate.arms import TOLD, Arm, Drawn, Other, arms_of
from curate.evaluate.contaminated import Contaminated, warnings_on_copies
from curate.evaluate.epochs import Epochs, epochs_of, warnings_on_epochs
from curate.evaluate.exported import read_export
from curate.evaluate.judges import Judge, Panel, Promises, panel_of
from curate.evaluate.online import Followed, Group, Online, Validation, online_arm
from curate.evaluate.paired import difference, told_apart
from curate.evaluate.reading import Reading, read_texts
from curate.evaluate.spec import DYNAMIC, ArmSpec, EvaluateSpec, WeightsArm, name_of
from curate.evaluate.strata import Budget, Shortfall, Texts
from curate.evaluate.trainings import TrainingResult
from curate.evaluate.verdict import (
    ArmResult,
    Comparison,
    JudgeResult,
    SourceDifference,
    warnings_on,
)
from curate.mixture.weights_file import read_weights, shares_by
from curate.progress import Advance
from curate.proxies.making import proxy_of
from curate.proxies.proxy import Learned, Proxy, Training
from curate.warning import StageWarning, note, warn
from curate.workspace import Workspace

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Compared:
    """All arms, the mixture beside each other arm by each judge, and what they rest on.

    `holdout` counts the held-out documents that are read of each source. `trainings` are those of
    the proxy on each arm, if it is trained. `about` says what each judge weighs. `notes` say what
    is left out, or why there is no comparison, `warnings` what is doubtful in it.
    """

    arms: tuple[ArmResult, ...] = ()
    judges: tuple[JudgeResult, ...] = ()
    comparisons: tuple[Comparison, ...] = ()
    epochs: tuple[Epochs, ...] = ()
    holdout: Mapping[str, int] = field(default_factory=dict)
    trainings: tuple[TrainingResult, ...] = ()
    about: Mapping[str, StageWarning] = field(default_factory=dict)
    notes: tuple[StageWarning, ...] = ()
    warnings: tuple[StageWarning, ...] = ()
    contaminated: Contaminated = field(default_factory=Contaminated)
    followed: Followed | None = None


def compare_arms(workspace: Workspace, spec: EvaluateSpec) -> Compared:
    """Measure the mixture and the other arms by a proxy.

    Every arm is drawn again for each seed, with noise that all arms share. Where the texts that are
    read cannot fill the arms, a warning names what is short, and nothing is compared. A proxy that
    is trained keeps its runs until all are done, so that it goes on after a kill.

    Raises RecipeError or DataError for a file of the settings that cannot be used.
    """
    try:
        return _compared(workspace, spec)
    except Shortfall as short:
        words = "the mixture is not compared: {what}"
        return Compared(warnings=(warn("evaluate.shortfall", words, what=str(short)),))


def _compared(workspace: Workspace, spec: EvaluateSpec) -> Compared:
    """The same; raises Shortfall where the texts cannot fill the arms."""
    shares = _shares_of_files(workspace, spec.arms)
    reading = read_texts(workspace, spec)
    if not isinstance(reading, Reading):
        return Compared(notes=(_without_texts(workspace, has_documents=reading),))
    panel = _panel(workspace, spec, reading)
    if not panel.judges:
        return Compared(notes=panel.notes, warnings=panel.warnings)
    others = _others(workspace, spec.arms, shares, reading.texts)
    arms = _arms(workspace, reading.texts, reading.budget, others)
    folder = workspace.root / ".building" / "proxy"
    with workspace.watch("comparing mixtures", len(spec.arms) * spec.seeds) as advance:
        proxy = proxy_of(
            spec, reading.candidates, reading.measured, root=workspace.root, folder=folder
        )
        online = [_online(workspace, reading, proxy)] if DYNAMIC in spec.arms else []
        beside: list[Arm | Online] = [*arms, *online]
        measured = [
            Measured.of(arm, reading.texts, reading.budget, proxy, spec.seeds, advance)
            for arm in beside
        ]
    shutil.rmtree(folder, ignore_errors=True)
    trained = tuple(TrainingResult.of(own.name, own.trainings) for own in measured if own.trainings)
    epochs = epochs_of(reading.supply.epochs, reading.texts, measured[0].copies)
    return Compared(
        tuple(own.result_by(panel.judges, reading.held_out.by_source) for own in measured),
        tuple(JudgeResult(own.name, own.texts, own.about.words) for own in panel.judges),
        tuple(compared(measured, panel.judges)),
        epochs,
        reading.documents,
        trained,
        {own.name: own.about for own in panel.judges},
        panel.notes,
        (
            *warnings_on(reading.documents),
            *panel.warnings,
            *trainings.warnings_on(trained),
            *(_moved(arm) for arm in arms if arm.moved > TOLD),
            *warnings_on_epochs(epochs),
            *warnings_on_copies(reading.contaminated),
            *_left_out(workspace),
        ),
        contaminated=reading.contaminated,
        followed=online[0].followed() if online else None,
    )


def _without_texts(workspace: Workspace, *, has_documents: bool) -> StageWarning:
    """Why there is no held-out text, and what helps; documents without one may be held out."""
    if has_documents:
        words = "no held-out document has a text that a proxy could read"
        return note("evaluate.no_text", words)
    share = workspace.tables.made("pool").spec["holdout"]
    if not share:
        words = "no holdout: set `pool: {{holdout: .05}}` to compare mixtures"
        return note("evaluate.no_holdout", words)
    words = "`pool.holdout: {share:g}` held out no document that `clean` keeps: raise it"
    return note("evaluate.empty_holdout", words, share=share)


def _left_out(workspace: Workspace) -> Iterator[StageWarning]:
    """Yield the phases that the mixture is compared without."""
    phases = workspace.tables.made("mix").facts.get("phases") or []
    if len(phases) > 1:
        first, *others = (str(phase["name"]) for phase in phases)
        words = "the mixture is compared as its phase {phase}; {others} left out"
        yield warn("evaluate.phases", words, phase=first, others=others)


def _moved(arm: Arm) -> StageWarning:
    words = "the arm {arm} has {share}: the texts that the proxy reads hold no more"
    group = arm.least_filled
    figures = {"group": group, "has": arm.shares[group], "wanted": arm.wanted[group]}
    return warn("evaluate.moved", words, arm=arm.name, share=arm.shortest, **figures)


# ── judges and arms


def _panel(workspace: Workspace, spec: EvaluateSpec, reading: Reading) -> Panel:
    promises = Promises(
        {name: group.promised for name, group in groups_of(workspace).items()},
        reading.supply.shares,
        follows_scores=workspace.tables.made("mix").inputs.get("scores") is not None,
    )
    others = sum(map(len, reading.validation.values()))
    return panel_of(spec.judge, reading.held_out, reading.files, promises, others)


def groups_of(workspace: Workspace) -> dict[str, Group]:
    """The groups of the mixture, by name; of phases those of the first."""
    groups = workspace.tables.read("groups", ["group", "phase", "promised", "low", "high"])
    rows = groups.to_pylist()
    own = [row for row in rows if row["phase"] == rows[0]["phase"]]
    return {
        str(row["group"]): Group(float(row["promised"]), float(row["low"]), float(row["high"]))
        for row in own
    }


def _shares_of_files(workspace: Workspace, arms: Sequence[ArmSpec]) -> dict[str, dict[str, float]]:
    """The shares of groups in files of weights, by path. Raises RecipeError for a bad file."""
    groups = list(groups_of(workspace))
    return {
        arm.file: shares_by(
            read_weights(workspace.path(arm.file), "evaluate.arms"),
            groups,
            f"evaluate.arms: {arm.file}",
        )
        for arm in arms
        if isinstance(arm, WeightsArm)
    }


def _others(
    workspace: Workspace,
    arms: Sequence[ArmSpec],
    shares: Mapping[str, Mapping[str, float]],
    texts: Texts,
) -> list[Other]:
    """The arms beside the mixture. Raises RecipeError or DataError for an export that is none."""
    others = []
    for arm in arms[1:]:
        name = name_of(arm)
        if arm == DYNAMIC:
            continue
        if isinstance(arm, str):
            others.append(Other(name))
        elif isinstance(arm, WeightsArm):
            others.append(Other(name, shares[name]))
        else:
            groups = groups_of(workspace)
            others.append(read_export(workspace.path(name), name, texts.ids, groups))
    return others


def _arms(
    workspace: Workspace, texts: Texts, budget: Budget, others: Sequence[Other]
) -> tuple[Arm, ...]:
    promised = {name: group.promised for name, group in groups_of(workspace).items()}
    return arms_of(_drawn(workspace, texts, budget), promised, others)


def _drawn(workspace: Workspace, texts: Texts, budget: Budget) -> Drawn:
    mix = workspace.tables.made("mix")
    seed = int(mix.spec.get("seed", 0))  # without noise it has no effect, and is not stored
    return Drawn(texts, budget, bool(mix.facts["noiseless"]), seed)


def _online(workspace: Workspace, reading: Reading, proxy: Proxy) -> Online:
    import numpy as np

    groups = np.array(reading.validation_groups, str)
    validation = Validation(groups, reading.validation_tokens)
    drawn = _drawn(workspace, reading.texts, reading.budget)
    return online_arm(reading.texts, drawn, proxy, validation, groups_of(workspace))


# ── measuring


@dataclass(frozen=True)
class Measured:
    """One arm: its losses, seeds x texts, per byte, with the tokens of each draw.

    `copies` is how often each candidate was read, on the mean over the seeds. `trainings` are those
    of the proxy, one for every seed; none if it is not trained.
    """

    name: str
    sizes: tuple[int, ...]
    losses: NDArray[np.float64]
    copies: NDArray[np.float64]
    by_source: tuple[Mapping[str, float], ...]
    trainings: tuple[Training, ...] = ()

    @staticmethod
    def of(
        arm: Arm | Online,
        texts: Texts,
        budget: Budget,
        proxy: Proxy,
        seeds: int,
        advance: Advance,
    ) -> Measured:
        """Draw an arm for each seed, and measure it. Raises DataError for a loss that is none."""
        import numpy as np

        learned: list[Learned] = []
        sizes, mean = [], np.zeros(len(texts.tokens))
        for seed in range(seeds):
            copies = arm.draw(texts, budget, seed)
            learned.append(proxy.learn(copies, seed))
            sizes.append(int((copies * texts.tokens).sum()))
            mean += copies / seeds
            if not np.isfinite(learned[-1].losses).all():
                raise DataError(
                    f"the proxy's loss is not a number after seed {seed} of the arm {arm.name}",
                    hint="its training diverged: lower its learning rate, or take `proxy: ngram`",
                )
            advance(1)
        losses = [own.losses for own in learned]
        by_source = tuple(proxy.by_source(own) for own in losses)
        trained = tuple(own.training for own in learned if own.training is not None)
        stacked = np.stack(losses) / proxy.bytes
        return Measured(arm.name, tuple(sizes), stacked, mean, by_source, trained)

    def result_by(self, judges: Sequence[Judge], sources: Mapping[str, object]) -> ArmResult:
        """The result, by source and by judge."""
        own = [{source: losses[source] for source in sources} for losses in self.by_source]
        by_judge = {judge.name: float(judge.loss(self.losses).mean()) for judge in judges}
        return replace(ArmResult.of(self.name, self.sizes, own), by_judge=by_judge)


def compared(measured: Sequence[Measured], judges: Sequence[Judge]) -> Iterator[Comparison]:
    """Yield the first arm beside each other one, by each judge."""
    first, *others = measured
    for judge in judges:
        differences = [difference(first.losses, own.losses, judge.weighting) for own in others]
        told = told_apart([own.p_value for own in differences])
        for other, own, is_told in zip(others, differences, told, strict=True):
            by_source = [
                SourceDifference.of(source, difference(first.losses, other.losses, weighting))
                for source, weighting in judge.of_sources()
            ]
            yield Comparison.of(other.name, judge.name, own, by_source, is_told=is_told)
