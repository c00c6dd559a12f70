"""The verdict on a mixture beside plain ones: better, worse, or no gain."""

from __future__ import annotations

from curate.evaluate.arms import MIXTURE, ArmResult


def verdict_on(arms: tuple[ArmResult, ...]) -> str:
    """The verdict in words: whether the mixture beats each other arm, by the mean over sources.

    A difference of up to two of its standard deviations is noise.
    """
    mixture = next(arm for arm in arms if arm.arm == MIXTURE)
    parts = []
    for other in arms:
        if other is mixture:
            continue
        gain = other.mean - mixture.mean
        noise = 2 * (other.mean_sd**2 + mixture.mean_sd**2) ** 0.5
        word = (
            "no gain over" if abs(gain) <= noise else ("better than" if gain > 0 else "worse than")
        )
        parts.append(f"{word} {other.arm} ({-gain:+.4f} nats per byte, noise {noise:.4f})")
    return "by the n-gram proxy the mixture is " + ", ".join(parts)
