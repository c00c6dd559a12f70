"""The optimizer, and how its rate goes: up in the warm-up, then down a cosine, or constant."""

from __future__ import annotations

from collections.abc import Iterable
from math import cos, pi
from typing import TYPE_CHECKING

from curate.proxies.spec import TransformerSpec

if TYPE_CHECKING:
    import torch

LAST = 0.05
"""What a cosine leaves of the rate at its end."""

SGD = 100.0
"""So many times as long are the steps of `sgd` by default as those of Adam."""

DECAY = 0.1
"""The weight decay of `adamw` by default."""


def rate_of(spec: TransformerSpec, usual: float) -> float:
    """The highest rate: the one that is set, or the `usual` one of the size."""
    if spec.rate is not None:
        return spec.rate
    return usual * SGD if spec.optimizer == "sgd" else usual


def factor(spec: TransformerSpec, step: int, steps: int) -> float:
    """What the rate is multiplied by at a step, the first of which is 0.

    In the warm-up of w = warmup · steps it is (step + 1) / w. Then it is 1 (constant), or
    LAST + (1 − LAST) · (1 + cos(π · x)) / 2 with x = (step + 1 − w) / (steps − w) (Loshchilov and
    Hutter 2017).
    """
    rising = spec.warmup * steps
    if step + 1 < rising:
        return (step + 1) / rising
    if spec.schedule == "constant":
        return 1.0
    part = min(1.0, (step + 1 - rising) / max(1.0, steps - rising))
    return LAST + (1 - LAST) * (1 + cos(pi * part)) / 2


def optimizer_of(
    spec: TransformerSpec, parameters: Iterable[torch.nn.Parameter], rate: float
) -> torch.optim.Optimizer:
    """The optimizer. Weight decay holds for matrices alone, not for norms and biases."""
    import torch

    decay = spec.weight_decay
    if decay is None:
        decay = DECAY if spec.optimizer == "adamw" else 0.0
    trained = [one for one in parameters if one.requires_grad]
    groups = [
        {"params": [one for one in trained if one.dim() >= 2], "weight_decay": decay},
        {"params": [one for one in trained if one.dim() < 2], "weight_decay": 0.0},
    ]
    if spec.optimizer == "sgd":
        return torch.optim.SGD(groups, lr=rate, momentum=spec.momentum)
    kind = torch.optim.AdamW if spec.optimizer == "adamw" else torch.optim.Adam
    return kind(groups, lr=rate)
