"""What mixtures are judged on: weights by hand, files, people's answers, and copies left out."""

import json
from dataclasses import asdict, replace

import numpy as np
import pyarrow as pa
import pytest

from curate.errors import DataError, RecipeError
from curate.evaluate import heldout
from curate.evaluate.contaminated import near_copies
from curate.evaluate.epochs import Epochs, epochs_of, warnings_on_epochs
from curate.evaluate.heldout import HeldOut
from curate.evaluate.judges import Promises, panel_of
from curate.evaluate.paired import Difference
from curate.evaluate.reading import Reading, read_texts
from curate.evaluate.spec import EvaluateSpec, JudgeFile
from curate.evaluate.strata import Texts
from curate.evaluate.verdict import (
    ALIKE,
    BETTER,
    WORSE,
    Comparison,
    JudgeResult,
    story_of,
    verdict_on,
    warnings_of,
)
from curate.spec import validated

TEXTS = ["aaaa", "bb", "cc", "dddddd", "ee"]


def held_out(**changes):
    own = {
        "ids": list("vwxyz"),
        "texts": TEXTS,
        "source": np.array(["web", "web", "web", "wiki", "wiki"]),
        "bytes": np.array([4.0, 2, 2, 6, 2]),
        "mass": np.array([4.0, 2, 2, 6, 2]),
        "group": np.array(["a", "b", "a", "b", "c"]),
        "quality": np.array([0.1, 0.9, np.nan, 0.9, 0.2]),
        "answered": np.zeros(5, bool),
    }
    return HeldOut(**{**own, **changes})


def weights(name, **changes):
    promises = Promises({"a": 0.5, "b": 0.3, "c": 0.1, "d": 0.1}, {"web": 0.9, "wiki": 0.1})
    panel = panel_of([name], held_out(**changes), {}, promises, others=2)
    return panel, [judge.weighting.weight.tolist() for judge in panel.judges]


def test_the_pool_counts_sources_alike_and_their_bytes():
    panel, (own,) = weights("pool")
    assert own == pytest.approx([1 / 4, 1 / 8, 1 / 8, 3 / 8, 1 / 8, 0, 0])
    assert panel.judges[0].texts == 5
    assert "every source counts the same" in panel.judges[0].about.words


def test_promised_shares_are_those_of_the_groups_that_are_held_out():
    panel, (own,) = weights("promised")
    a, b, c = 0.5 / 0.9, 0.3 / 0.9, 0.1 / 0.9  # nothing is held out of d
    assert own == pytest.approx([a * 4 / 6, b * 2 / 8, a * 2 / 6, b * 6 / 8, c, 0, 0])
    (warning,) = panel.warnings
    assert warning.key == "evaluate.group_not_held_out"
    assert warning.figures == {"groups": ["d"], "share": 0.1}
    assert "no text is held out of d, 10% of the mixture" in warning.words


def test_where_groups_are_not_known_sources_have_their_shares_in_the_mixture():
    panel, (own,) = weights("promised", group=None)
    assert own == pytest.approx([0.9 / 2, 0.9 / 4, 0.9 / 4, 0.1 * 6 / 8, 0.1 * 2 / 8, 0, 0])
    assert "the groups of held-out texts are not known" in panel.judges[0].about.words
    assert panel.warnings == ()


def test_small_groups_that_are_one_are_judged_as_one():
    promises = Promises({"a": 0.5, "other": 0.5}, {})
    panel = panel_of(["promised"], held_out(), {}, promises)
    assert panel.judges[0].weighting.weight.tolist() == pytest.approx(
        [0.5 * 4 / 6, 0.5 * 2 / 10, 0.5 * 2 / 6, 0.5 * 6 / 10, 0.5 * 2 / 10]
    )


def test_the_best_fifth_is_of_the_known_qualities_and_ties_are_broken_by_id():
    panel, (own,) = weights("good")
    assert own == [0, 1, 0, 0, 0, 0, 0]  # one of four known; w and y tie
    assert panel.judges[0].about.words.endswith(
        "; the same score chose the mixture, which favours it"
    )
    many = held_out(
        ids=[f"{n:02}" for n in range(11)],
        texts=["xx"] * 11,
        source=np.full(11, "web"),
        bytes=np.full(11, 2.0),
        mass=np.arange(1.0, 12),
        group=None,
        quality=np.arange(11) / 11,
        answered=np.arange(11) == 10,
    )
    (judge,) = panel_of(["good"], many, {}, Promises({}, {}, follows_scores=False)).judges
    assert judge.weighting.weight.tolist() == pytest.approx([0.0] * 8 + [9 / 30, 10 / 30, 11 / 30])
    assert judge.about.words.endswith("by the score, or by people's answers (1 of them)")


def test_without_scores_good_is_left_out_and_told():
    panel, own = weights("good", quality=np.full(5, np.nan))
    assert own == []
    (note,) = panel.notes
    assert note.words == "`good` is left out: no held-out text has a quality by `score`"
    assert note.figures["reason"] == "evaluate.no_quality"


def test_texts_of_files_are_judged_by_bytes_in_their_place():
    names = [JudgeFile(file="b"), "pool", JudgeFile(file="a")]
    files = {"a": ["xxx", "x"], "b": ["yy", "é"]}
    panel = panel_of(names, held_out(), files, Promises({}, {}), others=1)
    of_b, pool, of_a = (judge.weighting.weight.tolist() for judge in panel.judges)
    assert of_a == [0] * 5 + [0.75, 0.25, 0, 0, 0]
    assert of_b == [0] * 7 + [0.5, 0.5, 0]
    assert sum(pool[:5]) == pytest.approx(1)
    assert list(panel.judges[0].of_sources()) == []
    assert [source for source, _ in panel.judges[1].of_sources()] == ["web", "wiki"]


# ── words


def told(arm, judge, mean, verdict):
    own = Difference(mean, 1e-6, 4, 1e-6, 20)
    return Comparison.of(arm, judge, own, is_told=verdict != "alike")


def test_the_verdict_says_what_was_gained_and_what_it_cost():
    rows = [
        told("uniform", "pool", 0.02, "worse"),
        told("uniform", "promised", -0.03, "better"),
        told("uniform", "good", -0.01, "better"),
        told("even", "pool", 0.001, "alike"),
    ]
    words = verdict_on(rows, {"web": 99})
    assert words == (
        "by the n-gram proxy the mixture is better than uniform on promised and good, worse on "
        "pool; not told apart from even on pool; what wins in a small run need not win in a "
        "large one"
    )
    assert warnings_of(rows) == ()  # it is better on what it was made for
    (warning,) = warnings_of(rows[:1])
    assert warning.key == "evaluate.worse"
    judges = [JudgeResult("promised", 9, "what it means"), JudgeResult("pool", 9, "all")]
    half = rows[0].high - rows[0].difference
    ends = [100 * np.expm1(end) for end in (0.02 - half, 0.02 + half, 0.001 - half, 0.001 + half)]
    assert story_of(judges, rows) == (
        f"on promised (what it means): better than uniform: perplexity {-100 * np.expm1(-0.03):.1f}"
        f" % lower ({-100 * np.expm1(-0.03 + half):.1f} to {-100 * np.expm1(-0.03 - half):.1f} %)",
        f"on pool (all): worse than uniform: perplexity 2.0 % higher "
        f"({ends[0]:.1f} to {ends[1]:.1f} %)",
        f"on pool (all): not told apart from even (perplexity +0.10 %; "
        f"{ends[2]:+.2f} to {ends[3]:+.2f} %)",
    )


def test_an_interval_without_0_that_is_not_told_says_why():
    from curate.report.sections.mixture import _story
    from curate.report.words.mixture import WORDS

    own = Comparison("even", -0.0117, -0.0226, -0.0007, "not told apart from", "good")
    assert str(own) == (
        "not told apart from even (perplexity -1.2 %; -2.2 to -0.1 %: not enough, since several "
        "comparisons are made at once)"
    )
    (said,) = _story({"comparisons": [asdict(own)]})
    assert "not enough, since several comparisons are made at once" in WORDS[said.key][0]
    across = replace(own, high=0.0007)
    keys = [said.key for said in _story({"comparisons": [asdict(own), asdict(across)]})]
    assert keys == ["proxy.alike_of_several", "proxy.alike"]


def in_percent(mean, low, high, verdict=BETTER):
    """The words of a comparison whose figures are percents of perplexity."""
    ends = [None if end is None else np.log1p(end / 100) for end in (mean, low, high)]
    return str(Comparison("even", *ends, verdict)).removeprefix(f"{verdict} even")


@pytest.mark.parametrize(
    ("figures", "words"),
    [
        ((-3e-5, -5e-5, -1e-5), ": perplexity 0.000030 % lower (0.000010 to 0.000050 %)"),
        ((-1.25, -2.04, -0.5), ": perplexity 1.2 % lower (0.5 to 2.0 %)"),
        ((-0.62, -0.85, -0.394), ": perplexity 0.62 % lower (0.39 to 0.85 %)"),
        ((0.043, 0.001, 0.085), ": perplexity 0.043 % higher (0.001 to 0.085 %)"),
        ((1.5, 0.004, 3.0), ": perplexity 1.500 % higher (0.004 to 3.000 %)"),
        ((12.34, 9.96, 14.7), ": perplexity 12.3 % higher (10.0 to 14.7 %)"),
        ((-0.003, None, None), ": perplexity 0.0030 % lower"),
    ],
)
def test_small_differences_are_told_with_their_digits(figures, words):
    assert in_percent(*figures, BETTER if figures[0] < 0 else WORSE) == words


@pytest.mark.parametrize(
    ("figures", "words"),
    [
        ((-0.001, -0.5, 0.5), " (perplexity 0.00 %; -0.50 to +0.50 %)"),
        ((0.2, -0.04, 2.4), " (perplexity +0.2 %; 0.0 to +2.4 %)"),
        ((0.0, 0.0, 0.0), " (perplexity 0.00 %; 0.00 to 0.00 %)"),
        ((-0.02, -0.06, 0.02), " (perplexity -0.020 %; -0.060 to +0.020 %)"),
        ((-0.02, None, None), " (perplexity -0.020 %; no interval: too few texts)"),
    ],
)
def test_a_zero_has_no_sign_and_figures_of_one_bracket_the_same_decimals(figures, words):
    assert in_percent(*figures, ALIKE) == words


# ── epochs


def test_epochs_of_a_source_are_tokens_over_tokens():
    source = np.array(["web", "web", "wiki"])
    texts = Texts(list("abc"), source, source, np.array([10, 30, 20]), np.ones(3))
    target = {"memo": 2.0, "web": 0.5, "wiki": 3.0}
    own = epochs_of(target, texts, np.array([2.0, 0.0, 2.6]))
    assert own == (Epochs("memo", 2.0, None), Epochs("web", 0.5, 0.5), Epochs("wiki", 3.0, 2.6))
    assert [epochs.differs for epochs in own] == [True, False, True]
    (warning,) = warnings_on_epochs(own)
    assert warning.figures["sources"] == [
        "memo (2.00 epochs, and no text is read)",
        "wiki (3.00 epochs, not 2.60)",
    ]
    assert list(warnings_on_epochs((Epochs("web", 1.0, 1.09), Epochs("none", 0.0, None)))) == []


def test_the_proxy_repeats_every_source_as_the_whole_run_does(offline):
    """Three sources of unequal size, of which a tenth is read: memos are repeated, web is cut."""
    rng = np.random.default_rng(0)
    for name, number in {"web": 3000, "wiki": 600, "memo": 150}.items():
        texts = [" ".join(rng.choice(WORDS, 30)) + f" {name}{n}" for n in range(number)]
        offline.lines(f"{name}.jsonl", texts)
    offline.pool(holdout=0.1)
    offline.run("clean", rules=[])
    shares = {"web": 0.6, "wiki": 0.2, "memo": 0.2}
    offline.run("mix", budget="80%", between={"shares": {"source": shares}})
    found = offline.run("evaluate", seeds=3, train_bytes=120_000)
    assert sum(arm.tokens for arm in found.proxy[:1]) < 110_000
    epochs = {own.source: own for own in found.epochs}
    assert epochs["memo"].target > 3
    assert epochs["web"].target < 0.7
    for own in epochs.values():
        assert own.proxy == pytest.approx(own.target, rel=0.07)
    assert "evaluate.epochs" not in [warning.key for warning in found.warnings]


WORDS = [f"{a}{b}{c}" for a in "bdfgklmn" for b in "aeiou" for c in "rstvz"]


# ── near copies


def edited(text, rng, share=0.05):
    """The text with a share of its words replaced."""
    words = text.split()
    for place in rng.choice(len(words), round(share * len(words)), replace=False):
        words[place] = "changed"
    return " ".join(words)


def test_planted_copies_are_left_out_on_both_sides_and_nothing_else():
    rng = np.random.default_rng(0)
    texts = [" ".join(rng.choice(WORDS, 120)) for _ in range(300)]
    candidates, judged = texts[:200], texts[200:]
    for place in range(10):
        candidates[20 * place] = edited(judged[5 * place], rng)
    candidates[1] = candidates[0].upper() + "  "  # two candidates may be copies of one text
    benchmark = [edited(candidates[7], rng), "", "short"]
    is_copy, has_copy = near_copies(candidates, {"": judged, "own.jsonl": benchmark})
    assert is_copy.nonzero()[0].tolist() == sorted([1, 7, *range(0, 200, 20)])
    assert has_copy[""].nonzero()[0].tolist() == list(range(0, 50, 5))
    assert has_copy["own.jsonl"].tolist() == [True, False, False]
    assert not near_copies(candidates[2:6], {"": judged})[0].any()
    assert near_copies([], {"": judged})[0].tolist() == []


def test_copies_change_nothing_that_is_measured(offline):
    """With copies of held-out texts among the candidates, the losses are those without them."""
    rng = np.random.default_rng(1)
    texts = [" ".join(rng.choice(WORDS, 60)) for _ in range(240)]
    offline.lines("web.jsonl", texts)
    offline.pool(holdout=0.2)
    held = [row["text"] for row in offline.rows("pool") if row["holdout"]]
    offline.run("clean", rules=[])
    offline.run("mix", budget="50%")
    clean = offline.run("evaluate", seeds=2)
    assert clean.contaminated.candidates == clean.contaminated.held_out == 0
    offline.lines("copies.jsonl", [edited(text, rng, 0.04) for text in held[:6]])
    offline.pool(holdout=0.2)
    offline.run("clean", rules=[])
    offline.run("mix", budget="50%")
    found = offline.run("evaluate", seeds=2)
    rows = [row for row in offline.rows("pool") if row["source"] == "copies"]
    copies = sum(not row["holdout"] for row in rows)
    assert 0 < copies < 7
    assert found.contaminated.candidates == found.contaminated.held_out == copies
    (warning,) = (own for own in found.warnings if own.key == "evaluate.contaminated")
    assert warning.words.startswith(f"{copies} candidates and {copies} held-out texts are near co")
    assert found.proxy[0].by_source["web"] == pytest.approx(
        clean.proxy[0].by_source["web"], rel=0.02
    )


# ── the stage


def test_three_judges_stand_side_by_side(whole):
    found = whole.run("evaluate", seeds=2, train_bytes=20_000, holdout_bytes=2_000)
    assert [judge.judge for judge in found.judges] == ["pool", "promised", "good"]
    held = sum(row["holdout"] for row in whole.rows("pool"))
    assert found.judges[0].texts == held - found.contaminated.held_out
    assert len(found.story) == 3
    stored = json.loads((whole.root / "evaluate.json").read_text())
    arm = found.proxy[0]
    assert set(arm.by_judge) == {"pool", "promised", "good"}
    assert arm.by_judge["pool"] == pytest.approx(arm.mean)
    assert stored["proxy"][0]["by_judge"] == arm.by_judge
    for own in found.comparisons:
        other = next(result for result in found.proxy if result.arm == own.arm)
        gap = arm.by_judge[own.judge] - other.by_judge[own.judge]
        assert own.difference == pytest.approx(gap, abs=1e-12)
    whole.run("report")
    page = (whole.root / "report.html").read_text(encoding="utf-8")
    assert "What it is judged on" in page
    assert "Repetition" in page


def test_good_texts_have_the_highest_scores_or_the_best_answers(whole):
    """An answer that is imported for a held-out text decides, whatever its score."""
    read = read_texts(whole.workspace, whole.spec("evaluate"))
    scores = {row["id"]: row["quality"] for row in whole.rows("scores")}
    own = dict(zip(read.held_out.ids, read.held_out.quality.tolist(), strict=True))
    assert own == pytest.approx({id: scores[id] for id in own})
    assert len(own) >= 2
    worst = min(own, key=own.__getitem__)
    labels = whole.workspace.tables.read("labels")
    row = next(row for row in labels.to_pylist() if row["value"] == '"positive"')
    row |= {"id": worst, "posterior": [("positive", 1.0)]}
    more = pa.concat_tables([labels, pa.Table.from_pylist([row], labels.schema)])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(whole.workspace.tables), "read", lambda self, *names: more)
        told = heldout._answered(whole.workspace, list(own))
    assert told == {worst: pytest.approx(1.0)}


def test_a_source_called_as_a_file_or_a_group_keeps_its_own_texts():
    source = np.array(["file e.csv", "file e.csv", "file e.csv", "validation a", "web"])
    own = Reading(
        candidates=[],
        texts=None,
        budget=None,
        held_out=held_out(source=source),
        files={"e.csv": ["one", "two"]},
        supply=None,
        contaminated=None,
        validation={"a": ["three"]},
    )
    assert list(own.measured.values()) == [
        TEXTS[:3],
        TEXTS[3:4],
        TEXTS[4:],
        ["one", "two"],
        ["three"],
    ]
    assert own.validation_groups == [""] * 7 + ["a"]


def test_files_of_ones_own_are_judges_in_any_format(whole):
    (whole.root / "own.csv").write_text('body,n\n"a wonderful curry",1\n"the dreadful film",2\n')
    whole.lines("own.jsonl", ["A lovely soup by the sea.", "A lovely soup by the sea.", "So?"])
    judges = [{"file": "own.csv", "text": "body"}, {"file": "data/own.jsonl"}]
    found = whole.run("evaluate", seeds=2, judge=judges)
    assert [(own.judge, own.texts) for own in found.judges] == [
        ("own.csv", 2),
        ("data/own.jsonl", 2),
    ]
    assert set(found.proxy[0].by_source) == {"films", "meals"}


@pytest.mark.parametrize(
    ("name", "text", "kind", "words"),
    [
        ("gone.jsonl", None, RecipeError, "evaluate.judge: no file "),
        ("empty.jsonl", "", DataError, "evaluate.judge: empty.jsonl has no text in text"),
        ("other.jsonl", '{"body": "x"}\n', DataError, "other.jsonl, line 1: no column text"),
        ("bad.jsonl", "{\n", DataError, "bad.jsonl, line 1: not JSON"),
        ("blank.jsonl", '{"text": ""}\n', DataError, "blank.jsonl has no text in text"),
    ],
)
def test_a_bad_file_costs_a_line_and_nothing_is_lost(whole, name, text, kind, words):
    before = (whole.root / "evaluate.json").read_bytes()
    if text is not None:
        (whole.root / name).write_text(text)
    with pytest.raises(kind) as caught:
        whole.run("evaluate", seeds=2, judge=[{"file": name}])
    assert words in caught.value.message
    assert "\n" not in caught.value.message
    assert caught.value.hint
    assert (whole.root / "evaluate.json").read_bytes() == before


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"judge": ["pol"]}, "judge.0: input should be 'pool', 'promised' or 'good'"),
        ({"judge": ["pool", "pool"]}, "judge: pool appears twice"),
        ({"judge": []}, "judge: it is empty"),
        ({"arms": ["uniform", "random"]}, "arms: mixture is not among them"),
        ({"arms": ["mixture"]}, "arms: there is nothing to compare the mixture with"),
    ],
)
def test_settings_that_mean_nothing_are_refused(settings, words):
    with pytest.raises(RecipeError) as caught:
        validated(EvaluateSpec, settings, where="own.yaml")
    assert words in caught.value.message
