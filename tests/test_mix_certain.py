"""How sure the shares of a mixture are, on a whole run: by hand, from tables alone."""

import numpy as np
import pytest
from scipy.stats import t

from curate.annotated.documents import labelled_documents
from curate.inference.groups import Labelled, Unlabelled, group_mean, share_of_draw

SETTINGS = {"budget": "30%", "within": {"strategy": "softmax"}}


def quality_of(whole):
    return {row["id"]: row["quality"] for row in whole.rows("scores")}


def test_promised_intervals_are_those_of_student_s_t_through_the_formula(whole):
    between = {"strategy": "quality", "alpha": 0.5, "beta": 4.0}
    made = whole.run("mix", groups=["source"], between=between, **SETTINGS)
    quality, source = quality_of(whole), {row["id"]: row["source"] for row in whole.rows("pool")}
    own = labelled_documents(whole.workspace).quality
    rng, draws, means, supply = np.random.default_rng(1), [], [], []
    for group in made.groups:
        ids = [row["id"] for row in whole.rows("mix") if row["group"] == group.group]
        rows = np.array([source[id] == group.group for id in own.ids])
        labelled = Labelled(own.truth.values[rows], own.predicted[rows], own.weights[rows],
                            own.truth.variances[rows])  # fmt: skip
        mean = group_mean(labelled, float(np.mean([quality[id] for id in ids])))
        freedom = mean.effective - 1
        draws.append(np.clip(mean.value + mean.error * t.rvs(freedom, size=40_000,
                                                             random_state=rng), 0, 1))  # fmt: skip
        means.append(mean.value)
        supply.append(group.supply_mean_tokens * len(ids))
        assert group.labels == pytest.approx(mean.effective)

    def shares(own):
        weights = np.sqrt(np.array(supply))[:, None] * np.exp(4 * np.atleast_2d(own))
        return weights / weights.sum(axis=0)

    wanted = shares(np.array(means)[:, None])[:, 0]
    low, high = np.quantile(shares(np.array(draws)), (0.05, 0.95), axis=1)
    assert [group.promised for group in made.groups] == pytest.approx(wanted)
    assert [group.promised_low for group in made.groups] == pytest.approx(low, abs=0.004)
    assert [group.promised_high for group in made.groups] == pytest.approx(high, abs=0.004)
    told = {warning.key for warning in made.warnings}
    alike = abs(np.mean(draws[0] > draws[1]) - 0.5) < 0.45
    assert ("mix.not_told_apart" in told) == alike


def test_the_true_share_of_a_class_is_that_of_labels_weighted_as_they_are_drawn(whole):
    made = whole.run("mix", groups=["sentiment"], **SETTINGS)
    scores = {row["id"]: row for row in whole.rows("scores")}
    own = labelled_documents(whole.workspace).questions["sentiment"]
    drawn = {row["id"]: row["copies"] * row["size"] for row in whole.rows("mix")}
    cuts = {}
    for group in made.groups:
        rows = [row for row in whole.rows("mix") if row["group"] == group.group]
        cuts[group.group] = [row for row in rows if row["copies"]]
    rest = [id for id in drawn if id not in own.ids]
    for group in made.groups:
        value = own.values.index(group.group)
        chances = np.array([scores[id][f"sentiment:{group.group}"] for id in rest])
        taken = np.array([drawn[id] for id in rest], float)
        labelled = Labelled(own.truth.values[:, value], own.predicted[:, value], own.weights,
                            own.truth.variances[:, value])  # fmt: skip
        weights = np.array([drawn[id] for id in own.ids], float)
        # what each labelled document would be drawn to over the noise is not in any table, so the
        # estimate is held between those of two extremes: all alike, and only those that were drawn
        bounds = [
            share_of_draw(labelled, weights, foreseen, Unlabelled.of(taken, chances)).value
            for foreseen in (np.ones(len(weights)), weights + 1e-9)
        ]
        spread = 0.05 + abs(bounds[0] - bounds[1])
        assert group.estimated == pytest.approx(np.mean(bounds), abs=spread)
        assert group.estimated_low < group.estimated < group.estimated_high
        assert group.labels > 5


def test_without_labels_nothing_is_said(whole):
    made = whole.run("mix", groups=["source"], budget="30%")
    assert {group.promised_low for group in made.groups} == {None}
    assert {group.estimated for group in made.groups} == {None}


def test_a_document_that_abstained_is_predicted_to_be_average():
    """Two of four labelled documents abstained: they count as the mean of those that did not."""
    from curate.annotated.documents import LabelledDocuments
    from curate.annotated.truth import Truth
    from curate.mix.evidence import group_qualities
    from curate.mix.labelled import Found
    from curate.mixture.groups import Facts, Groups

    facts = Facts.of(np.ones(6, int), np.array([0.2, 0.4, 0.6, np.nan, np.nan, 0.8]), 2)
    groups = Groups(("web",), (("web",),), (facts,))
    ids = ("a", "b", "c", "d")
    truth = np.array([0.3, 0.5, 0.9, 0.1])
    own = LabelledDocuments(ids, (), Truth(truth, np.zeros(4)), np.array([0.2, 0.4, 0.95, 0.05]),
                            np.full(4, 1.5))  # fmt: skip
    places = dict.fromkeys(ids, 0)
    found = Found(places, places, {"a": 0, "b": 0, "c": 1, "d": 1}, places, places)
    made = group_qualities(groups, own, found)
    residuals = truth - np.array([0.2, 0.4, 0.5, 0.5])
    assert made.labels.tolist() == [4]
    assert groups.mean_qualities() == pytest.approx([0.5])
    # fewer than 5 labels tell nothing by themselves, so the group keeps its prediction
    assert made.means == pytest.approx([0.5])
    five = LabelledDocuments((*ids, "e"), (), Truth(np.append(truth, 0.6), np.zeros(5)),
                             np.append(own.predicted, 0.4), np.full(5, 1.5))  # fmt: skip
    places = dict.fromkeys(five.ids, 0)
    found = Found(places, places, {**found.abstained, "e": 0}, places, places)
    made = group_qualities(groups, five, found)
    assert made.means == pytest.approx([0.5 + np.append(residuals, 0.2).mean()])
