"""`curate swarm plan` and `train`: designs within limits, runs once each, and what still holds."""

import csv
import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from random import Random

import numpy as np
import pytest

from curate.errors import DataError, MissingInput, RecipeError, WorkspaceBusy
from curate.mixture.regression import models
from curate.proxies.spec import TransformerSpec
from curate.proxies.transformer.models import START
from curate.swarm import results
from curate.swarm.allowed import allowed
from curate.swarm.contents import MODULUS, Content, contents, fingerprint, number_of, parts_of
from curate.swarm.designs import STRENGTHS, designed, strength_of
from curate.swarm.holding import of_workspace
from curate.swarm.plan import read_plan, required_plan, today
from curate.swarm.planning import Wanted, make_plan
from curate.swarm.standing import Today, standing
from curate.swarm.texts import part_of, read_texts
from curate.swarm.train import hand_out, take_in, train
from tests.command import command

ROOT = Path(__file__).parent.parent
LISTS = {
    "films": "film actor scene plot screen camera story ending music drama",
    "meals": "soup bread salt oven plate spoon butter taste sauce kitchen",
    "games": "ball goal team score match player field coach league win",
}
WORDS = {source: words.split() for source, words in LISTS.items()}


def texts(source, count, seed=0):
    rng = Random(f"{source} {seed}")
    return [" ".join(rng.choices(WORDS[source], k=20)) + f" {seed}.{n}" for n in range(count)]


def mixed(offline, counts, *, budget="40%", **mix):
    """A workspace with a mixture; each source has so many texts."""
    for source, count in counts.items():
        offline.lines(f"{source}.jsonl", texts(source, count))
    offline.pool(holdout=0.15)
    offline.run("clean")
    offline.run("mix", **{"budget": budget, **mix})
    return offline


COUNTS = {"films": 120, "meals": 80, "games": 60}


@pytest.fixture
def whole(offline):
    return mixed(offline, COUNTS)


def plan(offline, runs=14, **wanted):
    return make_plan(offline.workspace, Wanted(runs=runs, **wanted))


def runs_of(offline):
    return results.read(offline.root / "swarm")


@pytest.fixture(autouse=True)
def _few_trees(monkeypatch):
    monkeypatch.setitem(models.TREES, "n_estimators", 30)
    monkeypatch.setitem(models.TREES, "learning_rate", 0.1)


# ── designs


def test_a_design_depends_on_seed_and_number_alone():
    prior = np.array([0.5, 0.3, 0.2, 0.0])
    for design in ("dirichlet", "space_filling"):
        whole = designed(design, prior, range(32), 3)
        np.testing.assert_array_equal(designed(design, prior, range(20, 32), 3), whole[20:])
        assert not np.array_equal(designed(design, prior, range(32), 4), whole)
        np.testing.assert_allclose(whole.sum(axis=1), 1)
        np.testing.assert_allclose(whole[0], prior)
        assert (whole[:, 3] == 0).all()


def test_designs_lie_around_the_flattened_prior():
    prior = np.array([0.64, 0.25, 0.09, 0.02])
    flat = np.sqrt(prior) / np.sqrt(prior).sum()
    for design in ("dirichlet", "space_filling"):
        found = designed(design, prior, range(1, 1 + 30 * STRENGTHS), 0)
        np.testing.assert_allclose(found.mean(axis=0), flat, atol=0.06)


def test_every_strength_comes_once_in_fifteen_runs():
    for block in range(3):
        own = [strength_of(block * STRENGTHS + n, 7) for n in range(STRENGTHS)]
        np.testing.assert_allclose(sorted(own), np.geomspace(0.1, 5, STRENGTHS))


def test_a_space_filling_design_leaves_smaller_gaps_than_chance():
    grid = np.random.default_rng(0).dirichlet(np.ones(3), 3000)

    def gap(found):
        return np.abs(grid[:, None] - found[None]).sum(axis=2).min(axis=1).mean()

    filled = gap(designed("space_filling", np.full(3, 1 / 3), range(1, 65), 0))
    chance = [gap(np.random.default_rng(n).dirichlet(np.ones(3), 64)) for n in range(20)]
    assert filled < min(chance)


# ── plans


def test_a_plan_keeps_limits_and_supply(offline):
    limits = {"films": {"max": 0.45}, "games": {"min": 0.1}, "meals": {"max_epochs": 1}}
    mixed(offline, COUNTS, limits=limits)
    found = plan(offline, runs=40)
    shares = [run.shares for run in read_plan(offline.workspace).runs]
    supply = contents(offline.workspace)["meals"].tokens / found.target_budget
    assert max(own["films"] for own in shares) <= 0.45 + 1e-6
    assert min(own["games"] for own in shares) >= 0.1 - 1e-6
    assert max(own["meals"] for own in shares) <= supply + 1e-6
    assert max(own["meals"] for own in shares) == pytest.approx(supply, abs=1e-3)
    assert all(sum(own.values()) == pytest.approx(1) for own in shares)
    assert (found.runs, found.trained, found.new) == (40, 0, 40)
    most = {own.group: own.epochs for own in found.groups}
    assert most["meals"] == pytest.approx(1, abs=0.01)
    assert max(most.values()) <= 4 + 1e-6


def test_more_runs_keep_those_before_them(whole):
    plan(whole, runs=8)
    first = read_plan(whole.workspace).runs
    assert plan(whole, runs=20).new == 12
    more = read_plan(whole.workspace).runs
    assert more[:8] == first
    assert len({run.run for run in more}) == 20
    train(whole.workspace)
    assert plan(whole, runs=20, is_anew=True).trained == 0
    assert read_plan(whole.workspace).runs == more
    assert runs_of(whole) == []
    assert len((whole.root / "swarm" / "runs.1.jsonl").read_text().splitlines()) == 20


def test_limits_of_columns_hold_as_far_as_shares_of_groups_carry_them(offline):
    rows = {
        "films": [{"text": t, "lang": "a"} for t in texts("films", 120)],
        "meals": [{"text": t, "lang": "ab"[n % 2]} for n, t in enumerate(texts("meals", 80))],
        "games": [{"text": t, "lang": "b"} for t in texts("games", 80)],
    }
    for name, own in rows.items():
        offline.lines(f"{name}.jsonl", own)
    offline.pool(holdout=0.15)
    offline.run("clean")
    offline.run("mix", budget="40%", limits={"meta.lang=a": {"max": 0.4}})
    found = allowed(offline.workspace)
    assert found.within == ()
    (row,) = found.region.rows
    parts = dict(zip(found.groups, row.part, strict=True))
    assert (parts["films"], parts["games"]) == (1, 0)
    assert parts["meals"] == pytest.approx(0.5, abs=0.12)
    plan(offline, runs=30)
    sums = [
        sum(parts[name] * share for name, share in run.shares.items())
        for run in read_plan(offline.workspace).runs
    ]
    assert max(sums) == pytest.approx(0.4, abs=1e-6)


def test_a_limit_that_no_shares_of_groups_keep_is_told(offline):
    rows = [{"text": t, "lang": "ab"[n % 2]} for n, t in enumerate(texts("films", 100))]
    offline.lines("films.jsonl", rows)
    offline.lines("meals.jsonl", [{**row, "text": row["text"] + " too"} for row in rows])
    offline.pool(holdout=0.15)
    offline.run("clean")
    offline.run("mix", budget="40%", limits={"meta.lang=a": {"max": 0.2}})
    found = plan(offline, runs=4)
    assert [note for note in found.notes if "no shares of groups keep meta.lang=a" in note]


# ── training


def test_every_run_is_trained_once_and_measured(whole):
    plan(whole, runs=14)
    assert train(whole.workspace).trained == 14
    trained = runs_of(whole)
    assert [run.run for run in trained] == [f"{n:04}" for n in range(1, 15)]
    assert all(set(run.losses) == set(COUNTS) for run in trained)
    for run, planned in zip(trained, read_plan(whole.workspace).runs, strict=True):
        for group, share in planned.shares.items():
            assert run.shares[group] == pytest.approx(share, abs=0.02)
        assert sum(run.shares.values()) == pytest.approx(1)
    shares, losses = (
        np.array([getattr(run, name)["films"] for run in trained]) for name in ("shares", "losses")
    )
    assert np.corrcoef(shares, losses)[0, 1] < -0.6
    before = (whole.root / "swarm" / "runs.jsonl").read_bytes()
    again = train(whole.workspace)
    assert (again.trained, again.before) == (0, 14)
    assert (whole.root / "swarm" / "runs.jsonl").read_bytes() == before
    text = (whole.root / "swarm" / "metrics.csv").read_text()
    rows = list(csv.DictReader(text.splitlines()))
    assert [float(row["films"]) for row in rows] == losses.tolist()


def test_a_line_that_a_kill_cut_short_is_trained_again(whole):
    plan(whole, runs=6)
    train(whole.workspace)
    path = whole.root / "swarm" / "runs.jsonl"
    undisturbed = runs_of(whole)
    path.write_bytes(path.read_bytes()[:-40])
    assert len(runs_of(whole)) == 5
    assert train(whole.workspace).trained == 1
    assert runs_of(whole) == undisturbed


KILLED = """
import os, signal, sys
real, count = os.fsync, 0
def deadly(number):
    global count
    real(number)
    count += 1
    if count == 5:
        os.kill(os.getpid(), signal.SIGKILL)
os.fsync = deadly
sys.argv = ["curate", "swarm", "train", "-w", sys.argv[1]]
from curate.cli import main
main()
"""


@pytest.mark.slow
def test_killed_it_goes_on_to_the_same_losses_and_trains_no_run_twice(whole):
    plan(whole, runs=9)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    dead = subprocess.run([sys.executable, "-c", KILLED, str(whole.root)], env=environment,
                          check=False)  # fmt: skip
    assert dead.returncode == -signal.SIGKILL
    early = (whole.root / "swarm" / "runs.jsonl").read_bytes()
    assert len(runs_of(whole)) == 5
    assert train(whole.workspace).trained == 4
    after = (whole.root / "swarm" / "runs.jsonl").read_bytes()
    assert after.startswith(early)
    (whole.root / "swarm" / "runs.jsonl").unlink()
    train(whole.workspace)
    assert (whole.root / "swarm" / "runs.jsonl").read_bytes() == after


def test_two_trainings_at_once_are_refused(whole, monkeypatch, capsys):
    run = command(monkeypatch, capsys)
    plan(whole, runs=3)
    with whole.workspace.lock.hold("swarm train"):
        code, out, err = run("swarm", "train", "-w", whole.root)
    assert (code, out) == (WorkspaceBusy.exit_code, "")
    assert "in use by `curate swarm train`" in err
    assert not (whole.root / "swarm" / "runs.jsonl").exists()


def test_what_is_read_of_a_group_does_not_depend_on_the_others(offline):
    mixed(offline, COUNTS)
    part = part_of(offline.workspace, 10_000)
    assert 0 < part < 1
    before, _ = read_texts(offline.workspace, part)
    mixed(offline, {**COUNTS, "films": 200})
    after, _ = read_texts(offline.workspace, part)

    def ids(texts, group):
        return [id for id, own in zip(texts.ids, texts.group, strict=True) if own == group]

    assert ids(before, "meals") == ids(after, "meals")
    assert len(ids(after, "films")) > len(ids(before, "films"))


# ── somebody's own trainer


def own(whole, runs=12):
    plan(whole, runs=runs, proxy="own", proxy_budget=1000)
    hand_out(whole.workspace, whole.root / "out")
    return sorted((whole.root / "out").iterdir())


def losses_file(whole, rows, header="run,films,meals,games"):
    path = whole.root / "y.csv"
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


def test_configurations_go_out_and_losses_come_in(whole):
    paths = own(whole)
    configs = [json.loads(path.read_text()) for path in paths]
    planned = read_plan(whole.workspace).runs
    assert [config["shares"] for config in configs] == [run.shares for run in planned]
    assert {config["budget_tokens"] for config in configs} == {1000}
    rows = [f"{n:04},{n},1.5,2.5" for n in range(1, 7)]
    assert take_in(whole.workspace, losses_file(whole, rows)).trained == 6
    assert runs_of(whole)[2].losses == {"films": 3.0, "meals": 1.5, "games": 2.5}
    rows += ["0007,7,1.5,2.5"]
    assert take_in(whole.workspace, losses_file(whole, rows)).trained == 1
    hand_out(whole.workspace, whole.root / "rest")
    assert len(list((whole.root / "rest").iterdir())) == 5


@pytest.mark.parametrize(
    ("rows", "header", "words"),
    [
        (["0001,nan,1,1"], "run,films,meals,games", "films is nan"),
        (["0099,1,1,1"], "run,films,meals,games", "no run 0099 is planned"),
        (["1,1,1"], "films,meals,games", "does not say which run"),
        (["0001,9,9,9"], "run,films,meals,games", "has other losses already"),
        (["0002,9"], "run,films", "has losses of films, and run 0001 of"),
    ],
)
def test_bad_results_are_refused_and_change_nothing(whole, rows, header, words):
    own(whole)
    take_in(whole.workspace, losses_file(whole, ["0001,1,1,1"]))
    before = (whole.root / "swarm" / "runs.jsonl").read_bytes()
    with pytest.raises(DataError, match=words):
        take_in(whole.workspace, losses_file(whole, rows, header))
    assert (whole.root / "swarm" / "runs.jsonl").read_bytes() == before


# ── bad input


def test_no_plan_no_mixture_no_holdout(offline):
    for source, count in COUNTS.items():
        offline.lines(f"{source}.jsonl", texts(source, count))
    offline.pool(holdout=0)
    offline.run("clean")
    with pytest.raises(MissingInput, match="mix has not been made"):
        plan(offline)
    offline.run("mix", budget="40%")
    with pytest.raises(MissingInput, match="no text is held out"):
        plan(offline)
    with pytest.raises(MissingInput, match="no swarm is planned"):
        train(offline.workspace)
    assert not (offline.root / "swarm").exists()


def test_a_budget_beyond_the_supply_and_a_group_without_text(whole):
    with pytest.raises(DataError, match="cannot be met"):
        plan(whole, budget="500%")
    with pytest.raises(RecipeError, match="no such proxy"):
        plan(whole, proxy="gpt")
    assert not (whole.root / "swarm").exists()


def test_a_loss_that_is_no_number_keeps_the_runs_before_it(whole, monkeypatch):
    from curate.proxies.ngram import Corpus

    plan(whole, runs=5)
    real, count = Corpus.losses, []

    def failing(self, copies):
        count.append(1)
        return real(self, copies) * (np.nan if len(count) == 4 else 1)

    monkeypatch.setattr(Corpus, "losses", failing)
    with pytest.raises(DataError, match="run 0004 ended with a loss of nan"):
        train(whole.workspace)
    assert len(runs_of(whole)) == 3
    monkeypatch.undo()
    assert train(whole.workspace).trained == 2


SMALL = TransformerSpec(steps=2, context=16, batch=2, marks=1, sample=0)


def test_a_transformer_is_trained_as_it_was_planned(whole):
    plan(whole, runs=2, proxy="transformer", transformer=SMALL)
    assert train(whole.workspace).trained == 2
    first, second = runs_of(whole)
    assert first.proxy == "transformer"
    assert first.losses != second.losses
    assert all(0 < loss < 1.2 * np.log(257) for loss in first.losses.values())
    assert not (whole.root / ".building" / "swarm").exists()
    with pytest.raises(RecipeError, match=r"evaluate\.transformer has changed since the plan"):
        plan(whole, runs=3, transformer=SMALL.model_copy(update={"steps": 3}))
    (whole.root / "swarm" / "runs.jsonl").unlink()
    train(whole.workspace)
    assert [run.losses for run in runs_of(whole)] == [first.losses, second.losses]


def test_transformers_of_other_initial_weights_are_not_compared(whole):
    plan(whole, runs=2, proxy="transformer", transformer=SMALL)
    train(whole.workspace)
    assert [run.start for run in runs_of(whole)] == [START] * 2
    folder = whole.root / "swarm"
    rows = [json.loads(line) for line in (folder / "runs.jsonl").read_text().splitlines()]
    del rows[0]["start"]  # as runs were written before their start had a name
    (folder / "runs.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (planned,) = plan(whole, runs=3, transformer=SMALL).notes[:1]
    assert planned == (
        "run 0001 does not hold: its transformer started from other weights than those of the plan"
    )
    old = json.loads((folder / "plan.json").read_text())
    del old["start"]
    (folder / "plan.json").write_text(json.dumps(old))
    held = standing(runs_of(whole), today(whole.workspace, required_plan(whole.workspace)))
    assert [run.run for run in held.runs] == ["0001"], "an old plan and its own runs still fit"
    words = "transformers start from other weights than when this swarm was planned"
    for again in (lambda: plan(whole, runs=4, transformer=SMALL), lambda: train(whole.workspace)):
        with pytest.raises(RecipeError, match=words):
            again()
    plan(whole, runs=2, proxy="transformer", transformer=SMALL, is_anew=True)
    assert train(whole.workspace).trained == 2


@pytest.mark.parametrize("proxy", ["ngram", "own"])
def test_runs_of_other_proxies_have_no_start(whole, proxy):
    plan(whole, runs=2, proxy=proxy, transformer=SMALL)
    assert required_plan(whole.workspace).start is None
    old = json.loads((whole.root / "swarm" / "plan.json").read_text())
    del old["start"]
    (whole.root / "swarm" / "plan.json").write_text(json.dumps(old))
    assert plan(whole, runs=3, transformer=SMALL).new == 1


def test_a_plan_refuses_what_makes_runs_incomparable(whole):
    plan(whole, runs=3)
    with pytest.raises(RecipeError, match="--train-bytes 20000: the plan has 8000000"):
        plan(whole, train_bytes=20_000)
    with pytest.raises(RecipeError, match=r"--budget 60%: the plan is for [\d,]+ tokens"):
        plan(whole, budget="60%")
    (whole.root / "swarm" / "plan.json").write_text("{}")
    with pytest.raises(RecipeError, match=r"plan\.json"):
        train(whole.workspace)


def test_training_a_plan_of_other_groups_is_refused(whole):
    plan(whole, runs=3)
    mixed(whole, {**COUNTS, "films": 200})
    with pytest.raises(DataError, match=r"films grew by [\d,]+ tokens since"):
        train(whole.workspace)


# ── fingerprints, and which runs still hold


def content(*documents):
    tokens = sum(size for _, size in documents)
    return Content(fingerprint(number_of(*own) for own in documents), len(documents), tokens)


A, B, C, D = (tuple((f"{name}{n}", 10 * n) for n in range(1, 5)) for name in "abcd")


def test_fingerprints_add_up_whatever_the_order():
    assert content(*A, *B) == content(*reversed(A + B))
    assert content(*A, *B).number == (content(*A).number + content(*B).number) % MODULUS
    assert content(*A) != content(*A[:-1], ("a4", 41))
    among = {"b": content(*B), "c": content(*C), "d": content(*D)}
    assert set(parts_of(content(*B, *D), among, "x/") or ()) == {"b", "d"}
    assert parts_of(content(*A, *B), among, "x/") is None
    many = {f"x/{n}": content((f"{n}", 1)) for n in range(30)}
    everything = content(*((f"{n}", 1) for n in range(30)))
    assert set(parts_of(everything, {**many, "y": content(*A)}, "x/") or ()) == set(many)


def test_contents_do_not_depend_on_shards(whole):
    from tests.shards import recut

    before = contents(whole.workspace)
    assert set(before) == set(COUNTS)
    recut(whole.workspace, 17)
    assert contents(whole.workspace) == before


RUN = results.Trained(
    run="0001",
    shares={"web": 0.6, "books": 0.4},
    losses={"web": 2.0},
    seed=0,
    budget=100.0,
    proxy="ngram",
    is_even=True,
    contents={"web": content(*A, *B), "books": content(*C)},
    holdout={"web": "f"},
)
TODAY = Today(RUN.contents, {"web": "f"}, 100.0, "ngram")


def test_a_run_of_unchanged_groups_holds():
    found = standing([RUN], TODAY)
    assert (found.shares, found.restated, found.refused) == ((RUN.shares,), (), ())


def test_a_group_that_was_split_is_said_in_its_parts():
    now = {"web/a": content(*A), "web/b": content(*B), "books": content(*C)}
    now["web/b"] = replace(now["web/b"], tokens=300)
    found = standing([RUN], replace(TODAY, contents=now))
    assert found.shares == ({"web/a": 0.15, "web/b": 0.45, "books": 0.4},)
    assert found.restated == ("0001",)
    assert found.joined == ()
    uneven = standing([replace(RUN, is_even=False)], replace(TODAY, contents=now))
    assert "did not all have the same chance" in uneven.refused[0].why


def test_groups_that_became_one_add_up():
    now = {"all": content(*A, *B, *C)}
    found = standing([RUN], replace(TODAY, contents=now))
    assert found.shares == ({"all": pytest.approx(1.0)},)
    assert found.restated == ("0001",)
    assert found.joined == ("0001",)  # web has .6 of the run, and two thirds of the tokens
    alike = replace(RUN, shares={"web": 2 / 3, "books": 1 / 3})
    assert standing([alike], replace(TODAY, contents=now)).joined == ()


def test_what_grew_refuses_the_runs_that_drew_of_it():
    grown = {"web": content(*A, *B, *D), "books": content(*C)}
    without = replace(RUN, run="0002", shares={"web": 0.0, "books": 1.0})
    found = standing([RUN, without], replace(TODAY, contents=grown))
    assert [run.run for run in found.runs] == ["0002"]
    assert found.refused[0].run == "0001"
    assert found.refused[0].why == "web grew by 100 tokens"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"holdout": {"web": "g"}}, "the held-out texts of web changed"),
        ({"holdout": {"web": "f", "new": "h"}}, "not measured on the held-out texts of new"),
        ({"budget": 101.0}, "it had 100 tokens"),
        ({"proxy": "own"}, "trained with ngram"),
    ],
)
def test_runs_measured_otherwise_do_not_hold(change, words):
    found = standing([RUN], replace(TODAY, **change))
    assert words in found.refused[0].why


# ── a source that grew


def grown(offline):
    """Films get three times as many texts, which read like games."""
    more = [f"{text} again" for text in texts("games", 240, seed=1)]
    offline.lines("films.jsonl", texts("films", COUNTS["films"]) + more)
    offline.pool(holdout=0.15)
    offline.run("clean")
    offline.run("mix", budget="40%")


def test_a_fit_that_ignores_growth_is_worse(whole, monkeypatch, capsys):
    run = command(monkeypatch, capsys)
    plan(whole, runs=30, seed=1)
    train(whole.workspace)
    old = runs_of(whole)
    grown(whole)
    again = plan(whole, runs=30)
    held = {own.run for own in old if own.shares["films"] == 0}
    assert (again.trained, again.new) == (len(held), 30 - len(held))
    assert len([note for note in again.notes if "films grew by" in note]) == 30 - len(held)
    train(whole.workspace)
    everything = runs_of(whole)
    new = everything[len(old) :]
    fitted, checked = new[: len(new) // 2], new[len(new) // 2 :]
    assert error(old + fitted, checked) > 1.5 * error(fitted, checked)
    code, out, _ = run("swarm", "fit", "-w", whole.root, "--json")
    assert code == 0
    found = json.loads(out)
    assert found["runs"] == 30
    assert {own["run"] for own in found["refused"]} == {own.run for own in old} - held
    assert all(own["why"].startswith("films grew by") for own in found["refused"])
    assert any(f"{30 - len(held)} do not hold" in note for note in found["notes"])


def error(fitted, checked):
    """The error of the mean loss that a linear fit foretells of other runs."""
    pairs = []
    for runs in (fitted, checked):
        shares = np.array([[run.shares[name] for name in COUNTS] for run in runs])
        pairs.append((shares, np.array([[np.mean(list(run.losses.values()))] for run in runs])))
    predicted = models.fit_linear(*pairs[0])(pairs[1][0])
    return np.sqrt(np.mean((predicted - pairs[1][1]) ** 2))


def test_groups_that_were_split_are_said_in_their_parts(whole):
    plan(whole, runs=14)
    train(whole.workspace)
    whole.run("mix", budget="40%", groups=["source", "language"])
    parts = contents(whole.workspace)
    assert set(parts) != set(COUNTS)
    found = of_workspace(whole.workspace, {})
    assert len(found.runs.ids) == 14
    old = np.array([[run.shares[name] for name in COUNTS] for run in runs_of(whole)])
    new = np.array(
        [
            found.runs.shares[:, [own.startswith(f"{name}/") for own in found.runs.groups]].sum(1)
            for name in COUNTS
        ]
    ).T
    np.testing.assert_allclose(new, old)
    assert plan(whole, runs=16).new == 2


def test_plan_train_fit_propose_and_mix(whole, monkeypatch, capsys):
    run = command(monkeypatch, capsys)
    for step in (("plan", "--runs", "16"), ("train",), ("fit",), ("propose", "--refits", "3")):
        code, out, err = run("swarm", *step, "-w", whole.root, "--json")
        assert (code, "Traceback" in err) == (0, False), err
    found = json.loads(out)
    shares = json.loads((whole.root / "swarm" / "weights.json").read_text())
    assert shares == {own["group"]: own["share"] for own in found["groups"]}
    whole.run("mix", budget="40%", between={"weights": {"file": "swarm/weights.json"}})
    promised = {row["group"]: row["promised"] for row in whole.rows("groups")}
    assert promised == pytest.approx(shares, abs=1e-6)


@pytest.mark.parametrize("options", [("--limits", "x"), ("--supply", "x"), ("--max-epochs", "2")])
def test_a_workspace_has_limits_of_its_own(whole, monkeypatch, capsys, options):
    code, out, err = command(monkeypatch, capsys)("swarm", "propose", "-w", whole.root, *options)
    assert (code, out) == (2, "")
    assert "has no effect beside the limits and the supply of `mix`" in err


def test_fit_without_runs(whole, monkeypatch, capsys):
    run = command(monkeypatch, capsys)
    for words in ("no swarm is planned here", "no run of the swarm is trained", "4 of 4 runs hold"):
        code, _, err = run("swarm", "fit", "-w", whole.root)
        assert code == 1
        assert words in err
        if "planned" in words:
            plan(whole, runs=4)
        else:
            train(whole.workspace)


def test_a_group_without_a_text_that_is_read(offline):
    offline.lines("rare.jsonl", ["The only rare text, and it is a little longer than that."])
    mixed(offline, COUNTS)
    with pytest.raises(DataError, match="the proxies would read no text of rare"):
        plan(offline, train_bytes=2_000)
    assert not (offline.root / "swarm").exists()


def test_a_proxy_repeats_texts_as_often_as_the_target_would(whole):
    found = plan(whole, runs=3, train_bytes=15_000)
    assert 0 < found.part < 0.7
    read = sum(own.tokens for own in found.groups)
    supply = sum(own.tokens for own in contents(whole.workspace).values())
    assert found.budget / read == pytest.approx(found.target_budget / supply)
    assert found.part == pytest.approx(read / supply, abs=0.15)


def test_a_proposal_keeps_a_limit_of_a_column_and_mix_moves_nothing(offline, monkeypatch, capsys):
    for name, language in (("films", "a"), ("meals", "a"), ("games", "b")):
        rows = [{"text": text, "lang": language} for text in texts(name, 90)]
        offline.lines(f"{name}.jsonl", rows)
    offline.pool(holdout=0.15)
    offline.run("clean")
    limits = {"meta.lang=b": {"max": 0.15}}
    offline.run("mix", budget="40%", limits=limits)
    plan(offline, runs=14)
    train(offline.workspace)
    run = command(monkeypatch, capsys)
    judged = ("--judge", "games", "--kl", "0", "--model", "log_linear", "--refits", "0", "--json")
    code, _, err = run("swarm", "propose", "-w", offline.root, *judged)
    assert code == 0, err
    shares = json.loads((offline.root / "swarm" / "weights.json").read_text())
    assert shares["games"] <= 0.15 + 1e-6
    assert shares["games"] == pytest.approx(0.15, abs=0.02)
    weights = {"weights": {"file": "swarm/weights.json"}}
    offline.run("mix", budget="40%", limits=limits, between=weights)
    promised = {row["group"]: row["promised"] for row in offline.rows("groups")}
    assert promised == pytest.approx(shares, abs=1e-6)


def test_runs_are_measured_by_group_where_held_out_texts_have_one(offline):
    rows = [{"text": text, "lang": "ab"[n % 3 == 0]} for n, text in enumerate(texts("films", 150))]
    offline.lines("films.jsonl", rows)
    offline.lines("meals.jsonl", [{"text": t, "lang": "c"} for t in texts("meals", 90)])
    offline.pool(holdout=0.2)
    offline.run("clean")
    offline.run("mix", budget="40%", groups=["meta.lang"])
    plan(offline, runs=4)
    held_out = {row["id"]: json.loads(row["meta"])["lang"] for row in offline.rows("pool")}
    found = read_plan(offline.workspace).holdout
    assert set(found) == {"a", "b", "c"}
    assert all(held_out[id] == group for group, ids in found.items() for id in ids)
    train(offline.workspace)
    assert all(set(run.losses) == {"a", "b", "c"} for run in runs_of(offline))


def test_only_a_new_source_gets_new_held_out_texts(whole):
    plan(whole, runs=3)
    before = read_plan(whole.workspace).holdout
    whole.lines("more.jsonl", texts("games", 100, seed=2))
    whole.lines("films.jsonl", texts("films", 200))
    mixed(whole, {"meals": COUNTS["meals"]})
    plan(whole, runs=3)
    after = read_plan(whole.workspace).holdout
    assert {name: after[name] for name in before} == before
    assert set(after) - set(before) == {"more"}


def test_a_prior_of_another_group_is_refused(whole):
    prior = whole.root / "prior.json"
    prior.write_text('{"films": 1, "meal": 2}')
    with pytest.raises(RecipeError, match="the mixture has no group meal"):
        plan(whole, prior=str(prior))
    prior.write_text('{"films": 1, "meals": 2}')
    plan(whole, runs=5, prior=str(prior))
    shares = [run.shares for run in read_plan(whole.workspace).runs]
    assert shares[0] == pytest.approx({"films": 1 / 3, "meals": 2 / 3, "games": 0})
    assert all(own["games"] == 0 for own in shares)


@pytest.mark.parametrize("train_bytes", [10, 3_000, 15_000, 10_000_000])
def test_the_part_holds_as_many_bytes_as_are_asked_for(whole, train_bytes):
    part = part_of(whole.workspace, train_bytes)
    _, candidates = read_texts(whole.workspace, part)
    size = sum(len(text.encode()) for text in candidates)
    assert size <= train_bytes or len(candidates) == 1
    more, _ = read_texts(whole.workspace, min(1.0, part * 1.1 + 0.01))
    whole_pool = len(whole.rows("mix"))
    if len(candidates) < whole_pool:
        longest = 200
        assert len(candidates) == 1 or size > train_bytes - longest
        assert len(more.ids) > len(candidates)
    else:
        assert part == 1


@pytest.mark.parametrize("line", ['{"run": "1"}', "[]", "7", '{"run": "0001", "shares": 3}'])
def test_a_line_that_is_no_run_is_told(whole, line):
    plan(whole, runs=2)
    path = whole.root / "swarm" / "runs.jsonl"
    path.write_text(line + "\n")
    with pytest.raises(DataError, match=r"runs\.jsonl:1 is not a run"):
        train(whole.workspace)
    assert path.read_text() == line + "\n"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("plan", "--design", "grid"), "there is no such design"),
        (("plan", "--budget", "many"), "not a number of tokens"),
        (("plan", "--prior", "none.json"), "no file none.json"),
        (("train", "--configs", "a", "--results", "b"), "no effect beside --configs"),
        (("train", "--results", "none.csv"), "this plan is trained with ngram"),
    ],
)
def test_bad_options_are_one_line(whole, monkeypatch, capsys, options, words):
    run = command(monkeypatch, capsys)
    plan(whole, runs=2)
    before = (whole.root / "swarm" / "plan.json").read_bytes()
    code, out, err = run("swarm", *options, "-w", whole.root)
    assert (code, out) == (2, "")
    assert words in err
    assert "Traceback" not in err
    assert (whole.root / "swarm" / "plan.json").read_bytes() == before
