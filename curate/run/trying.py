"""The stages of a recipe, run for real on a probe: what each takes, and how that grows.

A stage runs at least three times. The first run also loads what is loaded once; more runs, on few
and on many documents, tell what a document takes. `pool` and `clean` read the probe itself. The
stages behind them are so fast that they get a larger one (see `run/enlarging.py`).
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from curate.errors import CurateError, DataError
from curate.forms import load_form
from curate.mix.budgets import amount_of, unit_of
from curate.pool.work import CHARS_PER_SHARD, ROWS_PER_SHARD
from curate.progress import Advance
from curate.records import Question
from curate.run.enlarging import copy, enlarge
from curate.run.probe import Probe, probe_pool, probe_workspace
from curate.run.rates import COPIES, MB, WORKER, Memory, Rate, Run, line, resident, timed
from curate.run.recipe import Recipe
from curate.run.stages import every, find, is_fresh, run_stage, takes_part
from curate.score.embedding import encoders_of
from curate.score.rehearsing import questions_of, rehearse, stored_vectors, write_vectors
from curate.score.spec import ScoreSpec
from curate.spec import Spec
from curate.stage import Stage, if_mixed
from curate.workspace import Workspace

FRONT = ("pool", "clean")
WARM = 100
"""The documents of the smaller probe of `pool` and `clean`."""

MOST, MOST_BYTES = 5 * ROWS_PER_SHARD, 16 << 20
"""The larger probe has at most so many documents, and about so many bytes of text."""

FEW = 50
"""So many answers are learned where growth is measured."""

ENCODED = 8
"""The documents of the smaller probe of an encoder."""

CLEAR, MORE = 1.0, 4
"""An encoder is tried on so many times more documents until they take so many seconds more."""

ALL_BUT = 0.2
"""Fewer vectors than this share are taken for not missing: documents are not counted exactly."""

UNREAD = 1
"""The dimension of the vectors of a rehearsal whose heads read characters alone."""

RUNS = ("cold", "few", "many")
SHORT = 0.5
"""Seconds of a run that is so short that it is done twice: chance would decide."""

Runs = dict[str, Run]
"""The runs of one stage, by their names."""


@dataclass
class Trial:
    """A recipe that is tried on a probe of the `documents` that a run would have.

    `root` is the run's own folder, which is only read; the workspaces of the trial are made in
    `folder`. `parent` is the memory of the process in MB, without what its workers load. `rates`
    are by stage, and `notes` say which stages could not be tried, and why.
    """

    recipe: Recipe
    root: Path
    folder: Path
    probe: Probe
    documents: int
    parent: float = field(default_factory=resident)
    rates: dict[str, list[Rate]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    @cached_property
    def text_size(self) -> float:
        """The mean size of a text, in bytes."""
        rows = self.probe.rows
        return sum(len(row.text.encode()) for row in rows) / len(rows)

    def shard(self, documents: int) -> int:
        """The number of documents in a shard, if there are so many documents."""
        return min(ROWS_PER_SHARD, documents, max(1, int(CHARS_PER_SHARD / self.text_size)))

    @property
    def enlarged(self) -> int:
        """The number of documents in the larger probe."""
        most = min(MOST, self.documents, int(MOST_BYTES / self.text_size))
        return max(len(self.probe.rows), most)

    @contextmanager
    def noting(self, stage: str) -> Iterator[None]:
        """Turn an error, as of a probe that is too small, into a note on the stage."""
        try:
            yield
        except CurateError as error:
            note = f"{stage} could not be foreseen: {error.message}"
            self.notes += [] if note in self.notes else [note]

    def add(self, rate: Rate) -> None:
        """Add a rate to those of its stage."""
        self.rates.setdefault(rate.stage, []).append(rate)


def stages_of(recipe: Recipe, root: Path) -> list[Stage[Any]]:
    """The stages that take part now, or will once people have answered, and have a cost."""
    workspace = Workspace(root)
    return [stage for stage in every() if stage.cost and _will_run(recipe, workspace, stage)]


def _will_run(recipe: Recipe, workspace: Workspace, stage: Stage[Any]) -> bool:
    is_late = recipe.asks_people() and stage.takes_part is not if_mixed
    return is_late or takes_part(recipe, workspace, stage.name)


def try_stages(trial: Trial, stages: Sequence[Stage[Any]], advance: Advance) -> None:
    """Find the rates of the stages. Raises what `pool` and `clean` raise; others get a note."""
    workspace = _try_front(trial, [stage for stage in stages if stage.name in FRONT], advance)
    behind = [stage for stage in stages if stage.name not in FRONT]
    dimension = 0
    if any(stage.name == "score" for stage in behind):
        with trial.noting("score"):
            dimension = _try_encoders(trial, workspace, advance)
    _try_behind(trial, workspace, behind, dimension, advance)


# ── pool and clean


def _try_front(trial: Trial, stages: Sequence[Stage[Any]], advance: Advance) -> Workspace:
    """Try `pool` and `clean`; the result is the workspace that holds the whole probe."""
    small = trial.probe.part(WARM)
    runs: dict[str, Runs] = {stage.name: {} for stage in stages}
    for name, part in zip(RUNS, (small, small, trial.probe), strict=True):
        workspace = _run_front(trial, name, part, stages, runs)
        if name != "cold" and all(own[name].seconds < SHORT for own in runs.values()):
            _run_front(trial, name, part, stages, runs)
        advance(len(stages))
    held = COPIES * trial.shard(trial.documents) * trial.text_size / MB
    for stage in stages:
        rate, many = _rate(trial, stage, runs[stage.name]), runs[stage.name]["many"]
        trial.add(replace(rate, memory=replace(rate.memory, worker=many.after, held=held)))
    return workspace


def _run_front(
    trial: Trial, name: str, part: Probe, stages: Sequence[Stage[Any]], runs: dict[str, Runs]
) -> Workspace:
    """Run `pool` and `clean` once on a part of the probe, and keep the quicker of two runs."""
    folder = trial.folder / f"{name}-{sum(1 for _ in trial.folder.iterdir())}"
    workspace = probe_workspace(trial.root, folder)
    pool = probe_pool(trial.recipe, workspace.root, part)
    for stage in stages:
        spec = pool if stage.name == "pool" else trial.recipe.section(stage.name)
        work = partial(run_stage, workspace, stage.name, spec)
        run = _run(workspace, stage, work, len(part.rows))
        runs[stage.name][name] = _quicker(run, runs[stage.name].get(name))
    return workspace


def _quicker(run: Run, other: Run | None) -> Run:
    return run if other is None or run.seconds < other.seconds else other


def _run(workspace: Workspace, stage: Stage[Any], work: Callable[[], Any], documents: int) -> Run:
    assert stage.cost is not None
    return timed(work, documents, workspace.root / stage.cost.writes)


def _run_behind(
    workspace: Workspace, stage: Stage[Any], work: Callable[[], Any], documents: int
) -> Run:
    """A run behind `clean`; what `score` writes there are scores, for its vectors are made up."""
    assert stage.cost is not None
    writes = "scores" if stage.name == "score" else stage.cost.writes
    if stage.name == "sample":  # the round of an earlier try is open, and no other may begin
        shutil.rmtree(workspace.root / writes, ignore_errors=True)
    return timed(work, documents, workspace.root / writes)


def _rate(trial: Trial, stage: Stage[Any], runs: Runs, *, alone: bool = False) -> Rate:
    """The rate of a stage from its runs; what it loads once is in `cold` alone."""
    assert stage.cost is not None
    cost, spec = stage.cost, trial.recipe.section(stage.name)
    few, many = runs["few"], runs["many"]
    _, seconds = line(_seconds(few, alone), _seconds(many, alone), few, many)
    fixed_bytes, size = line(few.bytes, many.bytes, few, many)
    cold = runs["cold"]
    fixed = max(0.0, _seconds(cold, alone) - cold.documents * seconds)
    larger = trial.shard(trial.documents) / trial.shard(many.documents)
    memory = Memory(trial.parent, WORKER, many.held * max(1.0, larger), cost.grows(spec))
    scratch = cost.scratch(spec) + (size if cost.spills else 0)
    return Rate(stage.name, fixed, seconds, size, scratch, alone, fixed_bytes, memory)


def _seconds(run: Run, alone: bool) -> float:
    """The seconds of a run; what one process does may run in several threads of it."""
    return min(run.seconds, run.elapsed) if alone else run.seconds


# ── the encoders


def _try_encoders(trial: Trial, workspace: Workspace, advance: Advance) -> int:
    """Add the rates of embedding what has no vectors yet; the dimension of the longest vectors.

    Labelled texts choose between several encoders, and each question may choose another. Foreseen
    is the worst: as many of the slowest encoders as there are questions.
    """
    spec = trial.recipe.score
    names, _ = encoders_of(workspace, spec)
    tried = [_try_encoder(trial, workspace, spec, name, advance) for name in names]
    missing = {name: rate for name, (rate, _) in zip(names, tried, strict=True) if rate}
    slowest = sorted(missing, key=lambda name: missing[name].seconds, reverse=True)
    worst = slowest[: max(1, len(_questions(trial)))]
    for name in worst:
        trial.add(missing[name])
    if len(names) > 1 and worst:
        trial.notes.append(
            f"score: labelled texts choose between {' and '.join(names)}; foreseen is the worst, "
            f"that all documents are embedded by {' and '.join(worst)}"
        )
    return max((dimension for _, dimension in tried), default=UNREAD)


def _try_encoder(
    trial: Trial, workspace: Workspace, score: ScoreSpec, name: str, advance: Advance
) -> tuple[Rate | None, int]:
    """The rate of embedding what an encoder has no vectors of, if any, and their dimension."""
    stage, spec = find("score"), score.model_copy(update={"encoder": name})
    assert stage.cost is not None
    expected = max(1.0, _kept(trial, workspace))
    rows, dimension = stored_vectors(Workspace(trial.root), spec)
    missing = max(0.0, 1 - rows / expected)
    if missing < ALL_BUT:
        return None, dimension
    runs = {run: _encode(trial, stage, spec, run, ENCODED) for run in ("cold", "few")}
    advance(2)
    documents = stage.cost.documents or WARM
    while "many" not in runs or _is_unclear(trial, runs):
        runs["many"] = _encode(trial, stage, spec, f"many-{documents}", documents)
        documents *= MORE
    advance(1)
    trial.parent += runs["cold"].loaded
    rate = _rate(trial, stage, runs, alone=stage.cost.alone)
    share = missing * expected / trial.documents
    # An encoder takes a few texts at a time, however large a shard is.
    memory = replace(rate.memory, held=runs["many"].held)
    size, seconds = rate.bytes * share, rate.seconds * share
    dimension = stored_vectors(Workspace(_encoded_in(trial, spec, "few")), spec)[1]
    return replace(rate, seconds=seconds, bytes=size, memory=memory), dimension


def _encode(trial: Trial, stage: Stage[Any], spec: ScoreSpec, name: str, documents: int) -> Run:
    """A run of the encoder on so many documents of the probe, in a workspace of its own."""
    assert stage.cost is not None
    part = trial.probe.part(documents)
    plain = trial.recipe.clean.model_copy(update={"rules": (), "against": ()})
    own = probe_workspace(trial.root, _encoded_in(trial, spec, name))
    run_stage(own, "pool", probe_pool(trial.recipe, own.root, part))
    run_stage(own, "clean", plain)
    return _run(own, stage, partial(stage.cost.run, own, spec), len(part.rows))


def _encoded_in(trial: Trial, spec: ScoreSpec, name: str) -> Path:
    return trial.folder / f"encoder-{spec.encoder.strip('/').replace('/', '--')}-{name}"


def _is_unclear(trial: Trial, runs: Runs) -> bool:
    """Whether chance may decide how time grows, and there are more documents to try."""
    few, many = runs["few"], runs["many"]
    return many.seconds - few.seconds < CLEAR and many.documents < len(trial.probe.rows)


def _kept(trial: Trial, workspace: Workspace) -> float:
    """How many documents `clean` keeps: counted if it has run, else by the share of the probe."""
    own = Workspace(trial.root)
    last = own.ledger.last("clean")
    if last and own.tables.stored("clean") and is_fresh(own, "clean", trial.recipe.clean):
        return float(last["result"]["kept"])
    kept: list[bool] = workspace.tables.read("clean", ["kept"])["kept"].to_pylist()
    return trial.documents * sum(kept) / len(kept)


# ── behind clean


def _try_behind(
    trial: Trial,
    workspace: Workspace,
    stages: Sequence[Stage[Any]],
    dimension: int,
    advance: Advance,
) -> None:
    """Add the rates of the stages behind `clean`, all on the same larger probe."""
    runs: dict[str, Runs] = {stage.name: {} for stage in stages}
    least = len(trial.probe.rows)
    for name, documents in zip(RUNS, (least, least, trial.enlarged), strict=True):
        own = copy(workspace, trial.folder / f"behind-{name}")
        enlarge(own, documents)
        for stage in stages:
            with trial.noting(stage.name):
                work = _work(trial, own, stage, documents, dimension, is_cold=name == "cold")
                run = _run_behind(own, stage, work, documents)
                is_short = name != "cold" and run.seconds < SHORT
                again = _run_behind(own, stage, work, documents) if is_short else None
                runs[stage.name][name] = _quicker(run, again)
            advance(1)
    for stage in stages:
        if len(runs[stage.name]) == len(RUNS):
            trial.parent += runs[stage.name]["cold"].loaded
            trial.add(_rate(trial, stage, runs[stage.name]))
            with trial.noting(stage.name):
                _try_bounded(trial, own, stage, runs[stage.name]["many"])


def _work(
    trial: Trial,
    workspace: Workspace,
    stage: Stage[Any],
    documents: int,
    dimension: int,
    *,
    is_cold: bool,
) -> Callable[[], Any]:
    """What is timed of a stage, with settings that fit a probe of so many documents."""
    recipe = trial.recipe
    if stage.name == "score":
        spec = recipe.score
        if not dimension:
            raise DataError("its encoder could not be tried")
        questions = _questions(trial)
        if not questions:
            raise DataError("the form asks nothing that can be learned")
        shards = write_vectors(workspace, dimension)
        values = max(len(question.labels) for question in questions.values())
        answers = max(recipe.sample.n if is_cold else FEW, spec.folds * values)
        return partial(rehearse, workspace, spec, shards, questions, answers)
    return partial(
        run_stage, workspace, stage.name, _spec(trial, stage, documents, is_cold=is_cold)
    )


def _questions(trial: Trial) -> dict[str, Question]:
    """The questions that `score` would learn: those that were asked, else those of the form."""
    asked = Workspace(trial.root).rounds.questions()
    form = trial.recipe.push.form
    return questions_of(asked or load_form(form, trial.root).questions, trial.recipe.score)


def _spec(trial: Trial, stage: Stage[Any], documents: int, *, is_cold: bool) -> Spec:
    """The settings of a stage on a probe: amounts of the whole run become those of the probe."""
    assert stage.cost is not None
    recipe, spec = trial.recipe, trial.recipe.section(stage.name)
    if stage.name == "sample":
        least = len(trial.probe.rows) // 2
        return spec.model_copy(update={"n": max(1, min(recipe.sample.n, least))})
    if stage.name == "mix" and unit_of(recipe.mix.budget) not in (None, "tokens"):
        return spec.model_copy(update={"budget": "100%"})
    if stage.name == "mix" and unit_of(recipe.mix.budget):
        budget = amount_of(recipe.mix.budget, 1) * documents / trial.documents
        return spec.model_copy(update={"budget": max(1, round(budget))})
    if stage.name == "export":  # the pool of a probe holds texts alone
        return spec.model_copy(update={"messages": False, "meta": (), "original": False})
    return stage.cost.bounded.least(spec) if stage.cost.bounded else spec


def _try_bounded(trial: Trial, workspace: Workspace, stage: Stage[Any], least: Run) -> None:
    """Add what a stage does with so much text at most: the difference to a run with the least."""
    assert stage.cost is not None
    if stage.cost.bounded is None:
        return
    spec = trial.recipe.section(stage.name)
    work = partial(run_stage, workspace, stage.name, spec)
    whole = _run(workspace, stage, work, least.documents)
    most = stage.cost.bounded.bytes(spec) / trial.text_size
    read = min(most, least.documents)
    seconds = max(0.0, whole.seconds - least.seconds) / read
    grows = max(0.0, whole.held - least.held) * MB / read
    memory = Memory(trial.parent, WORKER, 0.0, grows)
    trial.add(Rate(stage.name, 0.0, seconds, 0.0, alone=True, memory=memory, most=most))
