"""Design rows: which answers stand for the corpus, and for how much of it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curate.pull.stage import close_round
from curate.rounds.design import DrawnRow, answered_shares, design_rows, round_parts, weighed


def row(id, number=1, stratum="s", propensity=0.1, answered=True):
    return DrawnRow(id, number, stratum, propensity, answered)


def weight_of(rows, **how):
    design = weighed(rows, **how)
    return dict(zip(design.ids, design.weights.round(9).tolist(), strict=True))


def test_a_row_stands_for_as_many_as_its_propensity_says():
    assert weight_of([row("a", propensity=0.25), row("b", propensity=1)]) == {"a": 4, "b": 1}


def test_who_did_not_answer_is_stood_for_within_the_stratum():
    rows = [row("a"), row("b"), row("c", answered=False), row("d", stratum="t")]
    assert answered_shares(rows) == {(1, "s"): 2 / 3, (1, "t"): 1}
    assert weight_of(rows) == {"a": 15, "b": 15, "d": 10}
    assert (weighed(rows).asked, weighed(rows).answered) == (4, 3)


def test_rounds_are_averaged_by_their_random_rows():
    first = [row(f"a{n}", 1, propensity=0.1) for n in range(6)]
    second = [row("b", 2, propensity=0.02), row("c", 2, propensity=0.02), row("d", 2, "x", 1)]
    assert round_parts([*first, *second]) == {1: 6 / 8, 2: 2 / 8}
    weights = weight_of([*first, *second])
    assert weights["a0"] == pytest.approx(0.75 * 10 + 0.25)  # the second round counts it once
    assert weights["b"] == pytest.approx(0.25 * 50)
    assert weights["d"] == pytest.approx(0.25)  # the first round's rows stand for it as well


def test_without_a_random_row_nothing_stands_for_the_rest():
    rows = [row("a", propensity=1), row("b", propensity=1)]
    assert weight_of(rows) == {}
    assert weight_of(rows, is_complete=True) == {"a": 1, "b": 1}
    earlier = [row("c", 1, propensity=0.5), row("d", 1, propensity=0.5, answered=False)]
    last = [row("e", 2, propensity=1), row("f", 2, propensity=1)]
    assert weight_of([*earlier, *last], is_complete=True) == {"c": 2, "e": 1, "f": 1}


def estimate_of_round(rows, values, number):
    """A round's estimate of the total, as written down: what is known, and its own rows."""
    total = 0.0
    for cell in {row.cell for row in rows if row.round <= number}:
        asked = [row for row in rows if row.cell == cell]
        answered = [row for row in asked if row.is_answered]
        mean = np.mean([values[row.id] / (row.propensity if row.round == number else 1)
                        for row in answered])  # fmt: skip
        total += mean * len(asked)
    return total


@given(st.integers(0, 10_000))
def test_weights_are_the_mean_of_what_rounds_estimate(seed):
    rng = np.random.default_rng(seed)
    rows = [
        row(f"{number}{stratum}{place}", number, stratum, propensity, answered)
        for number in (1, 2, 3)
        for stratum, propensity in (("s", 0.2), ("t", 0.05), ("certainty", 1.0))
        for place, answered in enumerate([True, *(rng.random(4) < 0.6)])
    ]
    values = {row.id: rng.normal() for row in rows}
    parts = round_parts([row for row in rows if row.is_answered])
    wanted = sum(part * estimate_of_round(rows, values, number) for number, part in parts.items())
    design = weighed(rows)
    assert design.weights @ [values[id] for id in design.ids] == pytest.approx(wanted)


def drawn_rounds(rng, documents, n):
    """Three rounds of simple random samples, each from what is left, two thirds answered."""
    left = rng.permutation(documents)
    for number in (1, 2, 3):
        own, left = left[:n], left[n:]
        for id in own:
            yield row(int(id), number, "", n / (len(left) + n), bool(rng.random() < 0.67))


def test_the_total_is_unbiased_over_rounds():
    rng = np.random.default_rng(5)
    values = rng.exponential(size=90)
    totals = []
    for _ in range(400):
        design = weighed([*drawn_rounds(rng, 90, 20)])
        totals.append(design.weights @ values[list(design.ids)])
    error = np.std(totals) / np.sqrt(len(totals))
    assert np.mean(totals) == pytest.approx(values.sum(), abs=3 * error)
    assert 3 * error < 0.03 * values.sum()


# ── on disk


def test_rows_of_a_round_that_was_closed_early(offline):
    offline.prepare(n=20)
    ids = [task["id"] for task in offline.tasks]
    offline.answer("ann", ids=ids[:12])
    closed = close_round(offline.workspace)
    assert closed.done
    (round_,) = offline.workspace.rounds.all()
    design = design_rows([round_])
    shares, frame = round_.closed["answered"], round_.spec["frame"]["strata"]
    drawn = {row["id"]: row["propensity"] for row in round_.sample().to_pylist()}
    assert set(design.ids) == set(ids[:12])
    for id, stratum, propensity in zip(
        design.ids, design.strata, design.propensities.tolist(), strict=True
    ):
        assert propensity == pytest.approx(drawn[id] * shares[stratum])
    for stratum in set(design.strata):
        here = [name == stratum for name in design.strata]
        assert design.weights[here].sum() == pytest.approx(frame[stratum])
    assert (design.asked, design.answered) == (20, 12)


def test_only_labels_of_the_question_count_if_they_are_given(offline):
    offline.prepare(n=20)
    ids = [task["id"] for task in offline.tasks]
    offline.answer("ann")
    offline.run("pull")
    rounds = offline.workspace.rounds.all()
    assert set(design_rows(rounds).ids) == set(ids)
    assert set(design_rows(rounds, {ids[0], "elsewhere"}).ids) == {ids[0]}


@pytest.mark.parametrize("purpose", ["pilot", "relabel", "review", "import"])
def test_other_rounds_stand_for_nothing(offline, purpose):
    offline.prepare(n=6)
    offline.answer("ann")
    offline.run("pull")
    (round_,) = offline.workspace.rounds.all()
    round_.spec["purpose"] = purpose
    assert design_rows([round_]).asked == 0


def test_gold_comparisons_and_what_was_taken_down_stand_for_nothing(offline):
    gold = offline.lines(
        "gold.jsonl", [{"text": "a fine day", "answers": {"sentiment": "positive"}}]
    )
    offline.prepare(n=8, gold=str(gold))
    (round_,) = offline.workspace.rounds.all()
    documents = [row["id"] for row in round_.sample().to_pylist() if row["kind"] == "design"]
    assert len(documents) == 8
    everything = {row["id"] for row in round_.sample().to_pylist()}
    assert set(design_rows([round_], everything).ids) == set(documents)
    erased = round_.erase(documents[:3])
    assert set(design_rows([erased], everything).ids) == set(documents[3:])


def test_a_comparison_is_no_document(offline):
    offline.reviews()
    offline.pool()
    offline.run("clean")
    offline.run("sample", n=5, compare=True)
    offline.run("push", backend="folder", form="comparison")
    (round_,) = offline.workspace.rounds.all()
    everything = {id for ids in round_.documents().values() for id in ids}
    assert design_rows([round_], everything).asked == 0


def test_a_window_stands_for_its_document_with_its_place(offline):
    offline.prepare(n=8, window=30)
    (round_,) = offline.workspace.rounds.all()
    documents = {ids[0] for ids in round_.documents().values()}
    design = design_rows([round_], documents)
    assert set(design.ids) == documents
    assert {end - start for start, end in filter(None, design.windows)} == {30}


def test_a_round_that_took_all_knows_the_total(offline):
    offline.prepare(n=10_000, strategy="random")
    offline.answer("ann")
    offline.run("pull")
    design = design_rows(offline.workspace.rounds.all())
    assert design.answered > 50
    assert not design.has_random_rows
    assert set(design.weights.tolist()) == {1.0}
