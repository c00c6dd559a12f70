"""What can be said of a mixture beside others: better, worse, or not told apart."""

from __future__ import annotations

from curate.evaluate.arms import MIXTURE, ArmResult


def compared(arms: tuple[ArmResult, ...]) -> str:
    """Return in words whether the mixture beats the plain ones, mean over the sources."""
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
