"""How the proxy was trained on each arm, over the seeds: for people to see what was learned."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from curate.metrics import perplexity
from curate.proxies.proxy import Mark, Samples, Training
from curate.warning import StageWarning, warn


@dataclass(frozen=True)
class TrainingResult:
    """The trainings on one arm; figures are means over the seeds, samples those of the first seed.

    `epochs` is how often the mixture was read. `overfits` counts the trainings that overfit,
    `stopped` those that ended early. `gap` is the last loss held out above the last one in
    training, in nats per token, and `perplexity` is e to the power of the nats per token, by the
    mean over sources. `curve` ends where the shortest training does.
    """

    arm: str
    parameters: int
    trainings: int
    steps: float
    epochs: float
    tokens_a_second: float
    gap: float
    nats_per_token: float
    perplexity: float
    overfits: int
    stopped: int
    curve: tuple[Mark, ...]
    samples: Samples | None

    @staticmethod
    def of(arm: str, trainings: Sequence[Training]) -> TrainingResult:
        """The result of an arm: its trainings, one or more, one for every seed."""
        from statistics import fmean

        nats = fmean(fmean(own.nats_per_token.values()) for own in trainings)
        return TrainingResult(
            arm=arm,
            parameters=trainings[0].parameters,
            trainings=len(trainings),
            steps=fmean(own.steps for own in trainings),
            epochs=fmean(own.epochs for own in trainings),
            tokens_a_second=fmean(own.tokens_a_second for own in trainings),
            gap=fmean(own.curve[-1].gap for own in trainings),
            nats_per_token=nats,
            perplexity=perplexity(nats),
            overfits=sum(own.overfits for own in trainings),
            stopped=sum(own.stopped for own in trainings),
            curve=tuple(_means([own.curve for own in trainings])),
            samples=trainings[0].samples,
        )


def _means(curves: Sequence[Sequence[Mark]]) -> Iterator[Mark]:
    """Yield the mean of each mark over the curves, as far as the shortest goes."""
    from statistics import fmean

    for marks in zip(*curves, strict=False):
        yield Mark(
            round(fmean(mark.step for mark in marks)),
            fmean(mark.training for mark in marks),
            fmean(mark.validation for mark in marks),
        )


def warnings_on(trainings: Sequence[TrainingResult]) -> tuple[StageWarning, ...]:
    """A warning where most trainings on an arm overfit."""
    overfit = [own.arm for own in trainings if 2 * own.overfits > own.trainings]
    words = (
        "the proxy overfits on {arms}: the loss held out rose while that in training fell; "
        "set `patience`, fewer `steps` or `epochs`, a `dropout`, or raise `train_bytes`"
    )
    return (warn("evaluate.overfits", words, arms=overfit),) if overfit else ()
