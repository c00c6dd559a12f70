"""The training of one model on one mixture."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from time import perf_counter
from typing import TYPE_CHECKING, Any

from curate.errors import CurateError
from curate.proxies.proxy import Mark
from curate.proxies.spec import TransformerSpec
from curate.proxies.transformer.curves import best_of, is_time_to_stop, marked_steps
from curate.proxies.transformer.devices import Device
from curate.proxies.transformer.measuring import token_losses
from curate.proxies.transformer.optimizing import factor
from curate.proxies.transformer.windows import NO_TARGET, Mixture

if TYPE_CHECKING:
    import torch


@dataclass
class State:
    """Where a training stands: the steps done, the curve, and the seconds that steps took.

    `best` are the weights at the least loss held out, kept only where training may stop early.
    """

    step: int = 0
    curve: list[Mark] = field(default_factory=list)
    tokens: int = 0
    seconds: float = 0.0
    best: dict[str, Any] | None = None


@dataclass(frozen=True)
class Plan:
    """A training: its settings, its texts, its steps, its rate, and the device."""

    spec: TransformerSpec
    mixture: Mixture
    steps: int
    rate: float
    device: Device


def steps_of(spec: TransformerSpec, mixture: Mixture) -> int:
    """The steps of a training; of epochs, those in which each is read as a whole."""
    if spec.epochs is None:
        return spec.steps
    return max(1, -(-round(spec.epochs * mixture.windows) // spec.batch))


def train(
    model: torch.nn.Module,
    optimizer: torch.optim.Optimizer,
    plan: Plan,
    state: State,
    measure: Callable[[int], Mark],
    save: Callable[[], None],
) -> None:
    """Train a model from where `state` stands to the end, and change `state` as it goes.

    After some steps `measure` gives the losses then, and `save` keeps all that there is. At the
    end the model has its last weights, or the best where it may stop early.

    Raises CurateError where the loss is no number.
    """
    marked = set(marked_steps(plan.steps, plan.spec.marks))
    while True:
        if state.step in marked and (not state.curve or state.curve[-1].step < state.step):
            _mark(model, plan, state, measure(state.step))
            if state.step == plan.steps or is_time_to_stop(state.curve, plan.spec.patience):
                break
            save()
        _step(model, optimizer, plan, state)
    if state.best is not None:
        model.load_state_dict(state.best)


def _mark(model: torch.nn.Module, plan: Plan, state: State, mark: Mark) -> None:
    """Add a mark to the curve; keep the weights if they are the best."""
    state.curve.append(mark)
    if plan.spec.patience is not None and best_of(state.curve) is mark:
        state.best = {name: own.detach().clone() for name, own in model.state_dict().items()}


def _step(
    model: torch.nn.Module, optimizer: torch.optim.Optimizer, plan: Plan, state: State
) -> None:
    """One step: read a batch and move the weights."""
    import torch

    start = perf_counter()
    for group in optimizer.param_groups:
        group["lr"] = plan.rate * factor(plan.spec, state.step, plan.steps)
    shown, wanted = plan.mixture.batch(state.step, plan.spec.batch)
    model.train()
    tokens = int((wanted != NO_TARGET).sum())
    loss = token_losses(model, shown, wanted, plan.device).sum() / tokens
    optimizer.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    most = float("inf") if plan.spec.clip is None else plan.spec.clip
    norm = torch.nn.utils.clip_grad_norm_(model.parameters(), most)
    if not (torch.isfinite(loss) and torch.isfinite(norm)):
        raise CurateError(
            f"the loss of the transformer is not a number at step {state.step + 1} of {plan.steps}",
            hint=f"lower its rate (now {plan.rate:g}), or set `clip`; nothing was changed",
        )
    optimizer.step()
    state.step += 1
    state.tokens += tokens
    state.seconds += perf_counter() - start
