"""A simulated trainer: the loss of a group is a power law of its own tokens, without transfer."""

from dataclasses import dataclass

import numpy as np

from curate.mixture.dynamic import OnlineMixer


@dataclass(frozen=True)
class World:
    """Groups whose loss is least + scale * (1 + n / 1e6) ** -exponent, and their supply."""

    least: np.ndarray
    scale: np.ndarray
    exponent: np.ndarray
    supply: np.ndarray

    @staticmethod
    def make(rng, groups=8):
        return World(
            rng.uniform(0.5, 2.0, groups),
            rng.uniform(2.0, 8.0, groups),
            rng.uniform(0.1, 0.5, groups),
            rng.dirichlet(np.full(groups, 1.0)),
        )

    def losses(self, tokens):
        return self.least + self.scale * (1 + tokens / 1e6) ** -self.exponent


def trained(
    world, prior, strategy=None, steps=200, step_tokens=1e7, noise=0.01, seed=0, **settings
):
    """The unweighted mean of the final losses, and the weights after each step.

    Without a strategy the weights stay as they are. Losses are seen with noise (log-normal).
    """
    rng = np.random.default_rng(seed)
    names = [f"g{n}" for n in range(len(prior))]
    mixer = OnlineMixer(
        dict(zip(names, prior, strict=True)), strategy=strategy or "ado", **settings
    )
    tokens, weights, path = np.zeros(len(prior)), np.array(prior, float), []
    for _ in range(steps):
        drawn = weights * step_tokens
        tokens = tokens + drawn
        if strategy:
            seen = world.losses(tokens) * np.exp(noise * rng.normal(size=len(prior)))
            after = mixer.step(
                dict(zip(names, seen, strict=True)), dict(zip(names, drawn, strict=True))
            )
            weights = np.array([after[name] for name in names])
        path.append(weights)
    return float(world.losses(tokens).mean()), np.array(path)


def best(world, steps=200, step_tokens=1e7):
    """The smallest unweighted mean that fixed weights reach: all slopes are the same there."""
    total = steps * step_tokens

    def spent(price):
        tokens = 1e6 * (price * 1e6 / (world.scale * world.exponent)) ** (-1 / (1 + world.exponent))
        return np.maximum(tokens - 1e6, 0)

    low, high = 1e-18, 1e-3
    for _ in range(200):
        middle = (low * high) ** 0.5
        low, high = (middle, high) if spent(middle).sum() > total else (low, middle)
    return float(world.losses(spent(high)).mean())
