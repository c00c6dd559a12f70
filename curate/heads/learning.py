"""Learn a question: choose a head out of fold, calibrate it, and resample it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from curate.heads.calibration import Grouped, OutOfFold, fit_grouped
from curate.heads.choosing import Choice, Chosen, choose
from curate.heads.deciding import choose_weights, log_weights
from curate.heads.features import Space, spaces_of
from curate.heads.fitting import Head
from curate.heads.folds import resamples, stratified
from curate.heads.foretelling import INVERSE_STRENGTHS, Foretold, Material, foretell, knows
from curate.heads.learned import Learned, Predicted, Weights
from curate.heads.learners import ROUGH, Taught, learners_of
from curate.heads.lesson import Lesson, Options
from curate.heads.threads import one_thread

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


def learn(lesson: Lesson, options: Options) -> Learned:
    """Learn a question from its labelled rows; no result depends on the order of the rows.

    No head, choice or calibrator behind `out_of_fold` saw the label of the row that it predicts.
    """
    import numpy as np

    order = np.argsort(np.array(lesson.ids))
    with one_thread():
        learned = _learn(lesson.take(order), options)
    return replace(learned, out_of_fold=learned.out_of_fold.take(np.argsort(order)))


def _learn(lesson: Lesson, options: Options) -> Learned:
    import numpy as np

    materials, truth = _materials(lesson, options), lesson.targets()
    folds = stratified(lesson.ids, truth, options.folds, options.seed)
    everything = np.arange(len(truth))
    foretold = [foretell(material, everything, folds) for material in materials]
    final = _settle(materials, foretold, lesson, everything, folds, options)
    nested = [
        _nested(materials, lesson, np.flatnonzero(folds != fold), options)
        for fold in range(options.folds)
    ]
    material = materials[final.chosen.candidate]
    strength = INVERSE_STRENGTHS[final.chosen.strength]
    counts = resamples(len(truth), options.resamples, options.seed)
    resampled = [
        material.fit(np.flatnonzero(own), strength, own[own > 0].astype(float), final.head, ROUGH)
        for own in counts
    ]
    own_figures = final.chosen.figures[final.chosen.candidate]
    return Learned(
        kind=lesson.kind,
        values=lesson.values,
        choice=Choice(
            encoder=own_figures.encoder,
            features=own_figures.features,
            learner=own_figures.learner,
            inverse_strength=strength,
            class_weight=final.class_weight,
            candidates=final.chosen.figures,
        ),
        weights=_weights(material.space, [final.head, *resampled]),
        characters=material.space.characters,
        calibrator=final.calibrator,
        log_weights=final.log_weights,
        out_of_fold=_out_of_fold(
            nested, materials, folds, lesson, _samples(material, resampled, counts)
        ),
    )


@dataclass(frozen=True)
class Settled:
    """What was chosen on some rows: a candidate, its head and calibrator, the decision's weights.

    The head is the mean of the heads of the folds, whose calibration is known. A head of all rows
    would be surer than these: the outputs of regularised heads grow with their number of rows.
    """

    chosen: Chosen
    head: Head
    calibrator: Grouped
    class_weight: str
    log_weights: Array


def _materials(lesson: Lesson, options: Options) -> list[Material]:
    """All candidates, the simplest first."""
    import numpy as np

    truth = lesson.targets()
    names = lesson.groups if lesson.centres is None else lesson.centres
    groups = np.unique(names, return_inverse=True)[1]
    return [
        Material(
            space,
            learner,
            replace(Taught.of(_features(space, lesson), truth), groups=groups),
            options.centred and lesson.kind != "preference",
        )
        for space in spaces_of(lesson, options)
        for learner in learners_of(lesson.kind, lesson.values)
    ]


def _features(space: Space, lesson: Lesson) -> Array:
    """The rotated features of rows; for preferences the first document's less the second's."""
    if lesson.kind != "preference":
        return space.rotated
    rows = len(lesson.ids)
    return space.rotated[:rows] - space.rotated[rows:]


def _settle(
    materials: Sequence[Material],
    foretold: Sequence[Foretold],
    lesson: Lesson,
    rows: NDArray[np.int64],
    folds: NDArray[np.int64],
    options: Options,
) -> Settled:
    """Choose a candidate for some rows, and fit its calibrator on what it foretold of them."""
    import numpy as np

    truth = lesson.targets()
    known = knows(truth, folds)
    chosen = choose(lesson.kind, materials, foretold, truth, known, lesson.settled)
    material = materials[chosen.candidate]
    logits = foretold[chosen.candidate].logits[chosen.strength]
    told = OutOfFold(logits, truth, folds, lesson.groups, material.learner.shares).take(known)
    calibrator = fit_grouped(
        options.calibration, told, lesson.kind, by_group=options.calibrate_by_group
    )
    head = material.mean_head(rows, folds, INVERSE_STRENGTHS[chosen.strength])
    if lesson.kind != "choice":
        return Settled(chosen, head, calibrator, "none", np.zeros(truth.shape[1]))
    weight: str = options.class_weights
    if weight == "auto":
        weight = choose_weights(logits, truth, lesson.settled)
    return Settled(chosen, head, calibrator, weight, log_weights(weight, truth))


def _nested(
    materials: Sequence[Material], lesson: Lesson, rows: NDArray[np.int64], options: Options
) -> Settled:
    """What would be chosen on some rows alone, by inner folds."""
    own = lesson.take(rows)
    folds = stratified(own.ids, own.targets(), options.inner_folds, options.seed, "inner fold")
    foretold = [foretell(material, rows, folds) for material in materials]
    return _settle(materials, foretold, own, rows, folds, options)


def _samples(material: Material, heads: Sequence[Head], counts: NDArray[np.int64]) -> Array:
    """The logits of resampled heads for labelled rows: heads x rows x values; NaN where seen."""
    import numpy as np

    features = material.taught.features
    logits = np.full((len(heads), len(features), material.taught.truth.shape[1]), np.nan)
    for own, head, count in zip(logits, heads, counts, strict=True):
        own[count == 0] = material.learner.logits(head.outputs(features[count == 0]))
    return logits


def _out_of_fold(
    nested: Sequence[Settled],
    materials: Sequence[Material],
    folds: NDArray[np.int64],
    lesson: Lesson,
    samples: Array,
) -> Predicted:
    """The predictions of labelled rows; all that predicts a fold was made of the others."""
    import numpy as np

    probabilities, decided = np.empty(samples.shape[1:]), np.empty(len(folds), np.int64)
    for fold, settled in enumerate(nested):
        inside = folds == fold
        material = materials[settled.chosen.candidate]
        outputs = settled.head.outputs(material.taught.features[inside])
        logits = material.learner.logits(outputs)
        probabilities[inside] = settled.calibrator(logits, lesson.groups[inside])
        decided[inside] = np.argmax(logits + settled.log_weights, axis=1)
        own = np.moveaxis(samples[:, inside], 1, 0)
        own = settled.calibrator(own, lesson.groups[inside])
        samples[:, inside] = np.moveaxis(own, 0, 1)
    columns = 1 if lesson.kind == "preference" else samples.shape[-1]
    return Predicted(probabilities[:, :columns], decided, samples[..., :columns])


def _weights(space: Space, heads: Sequence[Head]) -> Weights:
    """The weights of heads for features as they are."""
    import numpy as np

    directions = heads[0].linear.weights.shape[1]
    primal = space.primal(np.hstack([head.linear.weights for head in heads]))
    shift = primal.bias.reshape(len(heads), directions)
    return Weights(
        None if primal.vectors is None else primal.vectors.astype(np.float32),
        None if primal.characters is None else primal.characters.astype(np.float32),
        np.stack([head.bias for head in heads]) + shift,
    )
