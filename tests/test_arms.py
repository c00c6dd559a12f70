"""The arms beside the mixture: files, other exports, chance, and weights that follow losses."""

import json
import shutil

import numpy as np
import pytest

from curate import storage
from curate.errors import DataError, RecipeError
from curate.evaluate.arms import PLAIN, Drawn, Other, arms_of, random_shares
from curate.evaluate.comparing import Measured
from curate.evaluate.online import PARTS, Group, Validation, online_arm
from curate.evaluate.reading import for_validation
from curate.evaluate.strata import Budget, Shortfall, Texts
from curate.proxies.ngram import Corpus
from curate.proxies.proxy import Learned

SMALL = {"seeds": 2, "train_bytes": 20_000, "holdout_bytes": 2_000}


def texts_of(groups, size=100, each=40):
    group = np.repeat(list(groups), each)
    tokens = np.full(len(group), size)
    ids = [f"{name}{n}" for n, name in enumerate(group.tolist())]
    return Texts(ids, group, group, tokens, np.ones(len(group)))


def shares_drawn(arm, texts, budget, seed=0):
    own = arm.draw(texts, budget, seed) * texts.tokens
    return {name: own[texts.group == name].sum() / own.sum() for name in np.unique(texts.group)}


def test_random_shares_are_a_flat_dirichlet_draw_and_stay_the_same():
    own = random_shares(["a", "b", "c"])
    assert own == random_shares(["a", "b", "c"])
    assert sum(own.values()) == pytest.approx(1)
    draws = np.array([list(random_shares("abc", seed).values()) for seed in range(4000)])
    assert draws.mean(axis=0) == pytest.approx([1 / 3] * 3, abs=0.01)
    assert draws.var(axis=0) == pytest.approx([1 / 18] * 3, abs=0.003)  # (1/3)(2/3) / 4
    assert (draws[:, 0] < 0.1).mean() == pytest.approx(1 - 0.9**2, abs=0.02)


def test_arms_have_the_shares_that_they_stand_for():
    texts, budget = texts_of("abc"), Budget(6000.0, 2)
    promised = {"a": 0.5, "b": 0.3, "c": 0.2}
    given = {"a": 0.0, "b": 0.25, "c": 0.75}
    others = [*PLAIN, Other("random"), Other("w.json", given)]
    arms = arms_of(Drawn(texts, budget, is_noiseless=False), promised, others)
    names = [arm.name for arm in arms]
    assert names == ["mixture", "proportional", "uniform", "random", "w.json"]
    expected = [promised, *[dict.fromkeys("abc", 1 / 3)] * 2, random_shares(list("abc")), given]
    for arm, shares in zip(arms, expected, strict=True):
        assert shares_drawn(arm, texts, budget) == pytest.approx(shares, abs=0.02)
        assert (arm.draw(texts, budget, 1) * texts.tokens).sum() == pytest.approx(6000, abs=100)


def test_an_export_is_its_own_documents_where_enough_of_them_are_read():
    texts, budget = texts_of("ab"), Budget(3000.0, 2)
    copies = np.zeros(80, np.int64)
    copies[:20], copies[40:50] = 1, 2
    drawn = Drawn(texts, budget, is_noiseless=False)
    promised = {"a": 0.5, "b": 0.5}
    _, arm = arms_of(drawn, promised, [Other("export", promised, copies)])
    own = arm.draw(texts, budget, 0)
    assert not own[copies == 0].any()
    assert shares_drawn(arm, texts, budget) == pytest.approx({"a": 0.5, "b": 0.5}, abs=0.04)
    copies[:] = 0
    copies[:2] = 1  # too few: its shares of groups
    _, arm = arms_of(drawn, promised, [Other("export", {"a": 0.9, "b": 0.1}, copies)])
    assert shares_drawn(arm, texts, budget) == pytest.approx({"a": 0.9, "b": 0.1}, abs=0.04)
    with pytest.raises(Shortfall, match="hold too few documents of export"):
        arms_of(drawn, promised, [Other("export", None, copies)])


# ── in the stage


def test_any_number_of_arms_have_one_budget(whole):
    groups = [row["group"] for row in whole.rows("groups") if row["promised"]]
    (whole.root / "w.json").write_text(json.dumps({groups[0]: 3, groups[1]: 1}))
    shutil.copytree(whole.root / "export", whole.root / "earlier")
    arms = ["mixture", "random", {"file": "w.json"}, {"export": "earlier/manifest.json"}]
    found = whole.run("evaluate", **SMALL, arms=[*arms, "dynamic", "uniform"])
    names = ["mixture", "random", "w.json", "earlier/manifest.json", "uniform", "dynamic"]
    assert [arm.arm for arm in found.proxy] == names
    sizes = [arm.tokens for arm in found.proxy]
    assert sizes == pytest.approx([sizes[0]] * 6, abs=200)  # a text
    told = {(own.judge, own.arm) for own in found.comparisons}
    assert told == {(judge, arm) for judge in ("pool", "promised", "good") for arm in names[1:]}
    same = [own for own in found.comparisons if own.arm == names[3]]
    assert all(own.verdict == "not told apart from" for own in same)
    weights = json.loads((whole.root / "dynamic_weights.json").read_text())
    assert weights == found.dynamic.final
    assert sum(weights.values()) == pytest.approx(1)
    assert len(found.dynamic.parts) == PARTS
    mixed = whole.run(
        "mix",
        groups=["sentiment", "source"],
        budget="50%",
        between={"weights": {"file": "dynamic_weights.json"}},
    )
    wanted = {group.group: group.wanted for group in mixed.groups}
    assert {name: wanted[name] for name in weights} == pytest.approx(weights)
    whole.run("report")
    page = (whole.root / "report.html").read_text(encoding="utf-8")
    assert "Weights over time" in page
    assert "part of the budget" in page  # the axis of the chart


def test_a_file_that_changed_makes_the_comparison_stale(whole):
    from curate.run.stages import is_fresh

    (whole.root / "w.json").write_text('{"positive/films": 1}')
    spec = whole.spec("evaluate", **SMALL, arms=["mixture", {"file": "w.json"}])
    whole.run("evaluate", **spec.model_dump(exclude_unset=True))
    assert is_fresh(whole.workspace, "evaluate", spec)
    (whole.root / "w.json").write_text('{"positive/films": 1, "positive/meals": 1}')
    assert not is_fresh(whole.workspace, "evaluate", spec)


@pytest.mark.parametrize(
    ("arm", "text", "kind", "words", "hint"),
    [
        ("file", None, RecipeError, "evaluate.arms: no file ", "it reads as"),
        (
            "file",
            '{"positive/film": 1}',
            RecipeError,
            "names positive/film, and",
            "positive/films?",
        ),
        ("file", "[]", RecipeError, "own.json is not a mapping of groups", "it reads as"),
        (
            "file",
            '{"positive/films": NaN}',
            RecipeError,
            "is NaN, not a number from 0 up",
            "reads as",
        ),
        ("export", None, RecipeError, "evaluate.arms: no file ", "manifest.json of a whole"),
        ("export", "{}", DataError, "own.json is not the manifest of an export", "a whole export"),
        (
            "export",
            '{"groups": [{"group": "a", "tokens": 3}]}',
            DataError,
            "draw.parquet cannot be read",
            "a whole export",
        ),
    ],
)
def test_a_bad_arm_costs_a_line_and_nothing_is_lost(whole, arm, text, kind, words, hint):
    before = (whole.root / "evaluate.json").read_bytes()
    if text is not None:
        (whole.root / "own.json").write_text(text)
    with pytest.raises(kind) as caught:
        whole.run("evaluate", **SMALL, arms=["mixture", {arm: "own.json"}])
    assert words in caught.value.message
    assert hint in caught.value.hint
    assert "\n" not in caught.value.message
    assert (whole.root / "evaluate.json").read_bytes() == before


def test_a_loss_that_is_no_number_costs_a_line(whole, monkeypatch):
    before = storage.file_digest(whole.root / "evaluate.json")
    broken = lambda self, copies, seed: Learned(np.full(len(self.bytes), np.nan))  # noqa: E731
    monkeypatch.setattr(Corpus, "learn", broken)
    with pytest.raises(DataError, match="loss is not a number after seed 0 of the arm mixture"):
        whole.run("evaluate", **SMALL)
    assert storage.file_digest(whole.root / "evaluate.json") == before


# ── weights that follow the losses


def test_texts_for_validation_are_of_every_group_and_few():
    texts = texts_of("ab", each=100)
    words = ["x" * 50] * 200
    own = for_validation(texts, words, limit=1000)
    assert [int(own[texts.group == name].sum()) for name in "ab"] == [5, 5]
    assert int(for_validation(texts, words, limit=120)[texts.group == "a"].sum()) == 2
    alone = texts_of("a", each=1)
    assert not for_validation(alone, ["x"], 10).any()


def test_the_dynamic_arm_takes_from_a_group_that_has_nothing_left_to_teach():
    """One group repeats a sentence, the other has new words in each text."""
    rng = np.random.default_rng(0)
    new = [
        " ".join("".join(rng.choice(list("abcdefgh"), 5)) for _ in range(30)) for _ in range(220)
    ]
    new = ["".join(text) for text in new]
    old = ["the same words come again and again, and nothing is new here. " * 3] * 220
    texts = Texts(
        [str(n) for n in range(400)],
        np.repeat(["new", "old"], 200),
        np.repeat(["new", "old"], 200),
        np.array([len(text) for text in [*new[:200], *old[:200]]]),
        np.ones(400),
    )
    measured = {"judged": [new[-1]], "new": new[200:210], "old": old[200:210]}
    proxy = Corpus([*new[:200], *old[:200]], measured)
    groups = np.repeat(["", "new", "old"], [1, 10, 10])
    tokens = {"new": sum(map(len, new[200:210])), "old": sum(map(len, old[200:210]))}
    budget = Budget(0.4 * float(texts.tokens.sum()), 2)
    mixture = {"new": Group(0.5), "old": Group(0.5, low=0.2)}
    drawn = Drawn(texts, budget, is_noiseless=False)
    arm = online_arm(texts, drawn, proxy, Validation(groups, tokens), mixture)
    measured = Measured.of(arm, texts, budget, proxy, 2, lambda n: None)
    followed = arm.followed()
    assert followed.parts[0] == {"new": 0.5, "old": 0.5}
    assert followed.final["new"] > 0.6
    assert followed.final["old"] >= 0.2 - 1e-5  # a limit of the mixture
    expected = np.mean([own["new"] for own in followed.parts])
    copies = measured.copies * texts.tokens
    assert copies[:200].sum() / copies.sum() == pytest.approx(expected, abs=0.02)
    assert measured.sizes == pytest.approx([budget.tokens] * 2, abs=200)


def test_losses_of_groups_are_a_token():
    validation = Validation(np.array(["", "a", "b", "a"]), {"a": 10.0, "b": 4.0})
    assert validation.losses(np.array([9.0, 2.0, 8.0, 3.0])) == {"a": 0.5, "b": 2.0}
