"""Learn a question: choose a head out of fold, calibrate it, and resample it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from curate.heads.calibration import OutOfFold, fit_grouped
from curate.heads.choosing import Choice, choose
from curate.heads.deciding import choose_weights, log_weights
from curate.heads.features import Space, spaces_of
from curate.heads.folds import resamples, stratified
from curate.heads.foretelling import INVERSE_STRENGTHS, Foretold, Material, foretell, knows
from curate.heads.learned import Learned, Weights
from curate.heads.learners import ROUGH, Taught, learners_of
from curate.heads.leaving_out import Resampled, Settled, out_of_fold
from curate.heads.lesson import Lesson, Options
from curate.threads import one_thread

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
    back, pieces = np.argsort(order), learned.in_pieces
    return replace(
        learned,
        out_of_fold=learned.out_of_fold.take(back),
        in_pieces=None if pieces is None else pieces.take(back),
    )


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
    in_pieces = out_of_fold(
        lesson, materials, nested, folds, Resampled(material, resampled, counts)
    )
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
        weights=Weights.of(material.space, [final.head, *resampled]),
        characters=material.space.characters,
        calibrator=final.calibrator,
        log_weights=final.log_weights,
        out_of_fold=in_pieces.means(),
        in_pieces=None if lesson.pieces is None else in_pieces,
    )


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
