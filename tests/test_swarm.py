"""`curate swarm`: what it says of anybody's runs, what it proposes, what it refuses."""

import csv
import json

import numpy as np
import pytest

from curate.mix.sharing import wish_of
from curate.mix.spec import MixSpec
from curate.mixture.regression import models
from curate.workspace import Workspace
from tests.command import command

GROUPS = ("web", "code", "books")
LAW = models.LogLinear(np.log([2.0, 1.5, 1.0]), np.array([[-1, 0.5, 0.5], [1, -1, 1], [1, 1, -2]]))


@pytest.fixture(autouse=True)
def _few_trees(monkeypatch):
    monkeypatch.setitem(models.TREES, "n_estimators", 30)
    monkeypatch.setitem(models.TREES, "learning_rate", 0.1)


@pytest.fixture
def run(monkeypatch, capsys):
    return command(monkeypatch, capsys)


def write(path, header, rows):
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([header, *rows])


@pytest.fixture
def folder(tmp_path):
    shares = np.random.default_rng(0).dirichlet([4, 3, 2], 40)
    losses = LAW(shares)
    names = [f"run-{number}" for number in range(40)]
    rows = [[name, *row] for name, row in zip(names, shares.tolist(), strict=True)]
    write(tmp_path / "m.csv", ["run", *GROUPS], rows)
    rows = [[name, *row] for name, row in zip(names, losses.tolist(), strict=True)]
    write(tmp_path / "y.csv", ["run", *(f"{name}_loss" for name in GROUPS)], rows[::-1])
    return tmp_path


def given(folder):
    return "--mixtures", folder / "m.csv", "--metrics", folder / "y.csv"


def test_fit_says_how_models_and_baselines_rank(run, folder):
    code, out, err = run("swarm", "fit", *given(folder), "--json")
    assert (code, err) == (0, "")
    found = json.loads(out)
    rows = {row["model"]: row for row in found["models"]}
    assert list(rows) == [
        *("linear", "log_linear", "boosting", "stacked", "nearest run", "own weight", "entropy")
    ]
    assert (found["runs"], found["best"], found["transfer"]) == (40, "log_linear", "none")
    law = rows["log_linear"]
    assert law["spearman"] > 0.99
    assert law["low"] <= law["spearman"] <= law["high"]
    assert law["error"] < 0.005
    assert law["spearman"] > rows["own weight"]["spearman"]
    assert set(law["by_metric"]) == {"web_loss", "code_loss", "books_loss"}
    assert rows["own weight"]["by_metric"]["code_loss"] > 0.9
    assert rows["own weight"]["half"] is None
    assert found["cost"] == pytest.approx(law["spearman"] - law["half"])


@pytest.mark.parametrize(
    ("target", "transfer", "expected"),
    [("101M", "auto", "half"), ("100M", "auto", "none"), ("1B", "none", "none")],
)
def test_a_far_target_leans_half_on_own_weight(run, folder, target, transfer, expected):
    budgets = ("--target-budget", target, "--proxy-budget", "10M", "--transfer", transfer)
    code, out, _ = run("swarm", "fit", *given(folder), *budgets, "--json")
    assert code == 0
    found = json.loads(out)
    assert found["transfer"] == expected
    told = [note for note in found["notes"] if "half own weight costs" in note]
    assert len(told) == (expected == "half")


def test_fit_for_people(run, folder):
    code, out, _ = run("swarm", "fit", *given(folder))
    assert code == 0
    assert "log_linear" in out
    assert "own weight" in out


def test_a_proposal_is_the_optimum_of_the_law(run, folder):
    (folder / "prior.json").write_text(json.dumps({"web": 4, "code": 3, "books": 3}))
    weights = folder / "w.json"
    more = ("--prior", folder / "prior.json", "--kl", "0.5", "-o", weights, "--json")
    code, out, err = run("swarm", "propose", *given(folder), *more)
    assert (code, err) == (0, "")
    found, shares = json.loads(out), json.loads(weights.read_text())
    assert list(shares) == list(GROUPS)
    assert sum(shares.values()) == pytest.approx(1)
    runs = np.random.default_rng(0).dirichlet([4, 3, 2], 40)
    spread = LAW(runs).mean(axis=1).std()
    grid = np.linspace(0.002, 0.998, 500)
    first, second = map(np.ravel, np.meshgrid(grid, grid))
    every = np.column_stack([first, second, 1 - first - second])
    every = every[every[:, 2] > 0]
    kl = (every * np.log(every / [0.4, 0.3, 0.3])).sum(axis=1)
    best = every[(LAW(every).mean(axis=1) / spread + 0.5 * kl).argmin()]
    np.testing.assert_allclose([shares[name] for name in GROUPS], best, atol=0.01)
    own, prior = np.array([list(shares.values())]), np.array([[0.4, 0.3, 0.3]])
    gain = (LAW(prior) - LAW(own)).mean()
    assert found["gain"] == pytest.approx(gain, abs=0.002)
    assert found["gain_low"] <= found["gain"] + 1e-3
    assert found["gain_high"] >= found["gain"] - 1e-3
    apart = np.abs(runs - own).sum(axis=1) / 2
    assert found["distance"] == pytest.approx(apart.min(), abs=1e-6)
    assert found["nearest_run"] == f"run-{apart.argmin()}"
    spec = MixSpec.model_validate({"between": {"weights": {"file": "w.json"}}})
    assert wish_of(Workspace(folder), spec).weights == shares


def test_limits_supply_and_epochs_hold_a_proposal(run, folder):
    (folder / "supply.json").write_text('{"web": 500, "code": 300, "books": 20}')
    (folder / "limits.yaml").write_text('{code: {max: .3}, books: {max_epochs: 3}, "*": {min: .1}}')
    weights = folder / "w.json"
    more = ("--supply", folder / "supply.json", "--budget", "400", "-o", weights)
    limits = ("--limits", folder / "limits.yaml", "--json", "--refits", "0")
    code, out, err = run("swarm", "propose", *given(folder), *more, *limits)
    assert (code, err) == (0, "")
    shares = json.loads(weights.read_text())
    assert shares["books"] == pytest.approx(0.15)
    assert shares["code"] == pytest.approx(0.3)
    assert shares["web"] == pytest.approx(0.55)
    rows = {row["group"]: row for row in json.loads(out)["groups"]}
    assert [rows[name]["held_by"] for name in GROUPS] == [None, "max", "max"]
    assert json.loads(out)["gain_low"] is None


def test_a_corner_that_no_run_supports_is_pulled_back(run, folder):
    weights = folder / "w.json"
    judged = ("--judge", "books_loss", "--kl", "0", "--refits", "0", "-o", weights, "--json")
    code, out, _ = run("swarm", "propose", *given(folder), *judged)
    assert code == 0
    found, shares = json.loads(out), json.loads(weights.read_text())
    runs = np.random.default_rng(0).dirichlet([4, 3, 2], 40)
    assert shares["books"] <= runs[:, 2].max() + 1e-9
    assert found["distance"] <= found["supported"] + 1e-9
    own = np.array(list(shares.values()))
    assert (np.abs(runs - own).sum(axis=1) / 2).min() <= found["supported"] + 1e-9


def test_limits_far_from_every_run_are_refused(run, folder):
    (folder / "limits.yaml").write_text("{books: {min: .95}}")
    weights = folder / "w.json"
    more = ("--limits", folder / "limits.yaml", "-o", weights)
    code, out, err = run("swarm", "propose", *given(folder), *more)
    assert (code, out) == (1, "")
    assert "no run lies near" in err
    assert not weights.exists()


@pytest.mark.parametrize("model", ["linear", "boosting", "stacked"])
def test_every_model_proposes(run, folder, model):
    weights = folder / "w.json"
    more = ("--model", model, "--refits", "2", "-o", weights, "--json")
    code, out, err = run("swarm", "propose", *given(folder), *more)
    assert (code, err) == (0, "")
    shares = json.loads(weights.read_text())
    assert sum(shares.values()) == pytest.approx(1)
    mixed = np.array([list(shares.values())])
    runs = np.random.default_rng(0).dirichlet([4, 3, 2], 40)
    assert LAW(mixed).mean() < np.quantile(LAW(runs).mean(axis=1), 0.25)
    assert json.loads(out)["model"] == model


def edited(path, line, cell, value):
    rows = list(csv.reader(path.read_text().splitlines()))
    rows[line][cell] = value
    write(path, rows[0], rows[1:])


@pytest.mark.parametrize(
    ("file", "line", "cell", "value", "words"),
    [
        ("y.csv", 3, 2, "nan", "y.csv:4: code_loss is nan"),
        ("y.csv", 3, 2, "", "code_loss is '', not a number"),
        ("m.csv", 3, 1, "5", "m.csv:4: the shares sum to"),
        ("m.csv", 3, 1, "-0.5", "the share of web is below 0"),
        ("m.csv", 0, 2, "web", "the column web appears twice"),
        ("m.csv", 3, 0, "run-99", "has a run run-99, and"),
        ("m.csv", 3, 0, "run-5", "the run run-5 appears twice"),
        ("y.csv", 0, 0, "loss", "loss is 'run-39', not a number"),
    ],
)
def test_bad_tables_are_one_line_and_write_nothing(run, folder, file, line, cell, value, words):
    edited(folder / file, line, cell, value)
    refused(run, folder, (), words, code=1)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--judge", "web"), "has no such loss"),
        (("--judge", "web_loss=-1"), "not a weight"),
        (("--model", "forest"), "no such model"),
        (("--transfer", "all"), "no such transfer"),
        (("--budget", "many"), "not a number of tokens"),
        (("--budget", "20M"), "no effect without --supply"),
        (("--prior", '{"wbe": 1}'), "no run has a group wbe"),
        (("--prior", '{"web": -1}'), "web is -1"),
        (("--prior", f'{{"web": {10**309}}}'), f"web is 1{'0' * 39}…, not a number from 0 up"),
        (("--prior", '{"web": 1e308, "code": 1e308}'), "the numbers have no finite sum"),
        (("--kl", "inf"), "Invalid value for '--kl'"),
        (("--limits", "{wbe: {max: 1}}"), "no run has a group wbe"),
        (("--limits", "{language=zh: {max: 1}}"), "language=zh limits a column"),
        (("--limits", "{web: {maxi: 1}}"), "maxi"),
        (("--limits", "{'*': {max: .2}}"), "sum to 0.6, less than 1"),
        (("--limits", "{web: {max_epochs: 2}}"), "in tokens or epochs"),
        (("--prior", '{"web": 1}', "--limits", "{code: {min: .1}}"), "the prior gives it 0"),
    ],
)
def test_bad_options_are_one_line_and_write_nothing(run, folder, options, words):
    written = []
    for place, option in enumerate(options):
        if option.startswith("{"):
            path = folder / f"file{place}"
            path.write_text(option)
            option = path
        written.append(option)
    refused(run, folder, written, words, code=2)


def test_runs_that_all_reached_the_same_are_refused(run, folder):
    for line in range(1, 41):
        for cell in (1, 2, 3):
            edited(folder / "y.csv", line, cell, 2.5)
    refused(run, folder, (), "all 40 runs reached the same loss: there is nothing to fit", code=1)


def test_a_run_that_failed_is_named(run, folder):
    code, out, _ = run("swarm", "fit", *given(folder), "--json")
    assert not [note for note in json.loads(out)["notes"] if "far from" in note]
    edited(folder / "y.csv", 3, 1, 900)  # rows are those of the runs from the last on
    told = "run run-37 has a loss of 301.7, far from all others (median 2.795): "
    more = ("--refits", "0", "-o", folder / "w.json")
    for line in (("fit",), ("propose", *more)):
        code, out, _ = run("swarm", *line, *given(folder), "--json")
        assert code == 0
        (note,) = [note for note in json.loads(out)["notes"] if "far from all others" in note]
        assert note.startswith(told)
        assert note.endswith("leave it out if it failed")


def test_few_runs_are_refused(run, folder):
    for name in ("m.csv", "y.csv"):
        rows = list(csv.reader((folder / name).read_text().splitlines()))
        kept = [row for row in rows[1:] if int(row[0][4:]) < 11]
        write(folder / name, rows[0], kept)
    refused(run, folder, (), "has 11 runs, too few", code=1)


def refused(run, folder, options, words, code):
    weights = folder / "w.json"
    found, out, err = run("swarm", "propose", *given(folder), "-o", weights, *options)
    assert (found, out) == (code, "")
    assert words in err
    assert "Traceback" not in err
    assert not weights.exists()
    if not options:
        assert run("swarm", "fit", *given(folder))[0] == code


def test_half_without_a_loss_named_like_a_group(run, folder):
    edited(folder / "y.csv", 0, 1, "a")
    edited(folder / "y.csv", 0, 2, "b")
    edited(folder / "y.csv", 0, 3, "c")
    code, _, err = run("swarm", "fit", *given(folder), "--transfer", "half")
    assert code == 1
    assert "no loss is named like a group" in err


def test_nowhere_to_write(run, folder):
    code, _, err = run("swarm", "propose", *given(folder), "-o", folder / "no" / "w.json")
    assert code == 2
    assert "cannot be written" in err


def test_the_model_is_the_one_that_ranks_best_out_of_fold(run, folder):
    weights = folder / "w.json"
    code, out, _ = run("swarm", "fit", *given(folder), "--json")
    best = json.loads(out)["best"]
    more = ("--refits", "0", "-o", weights, "--json")
    code, out, err = run("swarm", "propose", *given(folder), *more)
    assert (code, err) == (0, "")
    found = json.loads(out)
    assert found["model"] == best == "log_linear"
    assert found["notes"][0].startswith("log_linear ranks runs that it did not see by 1.00")
    assert "rely" not in found["notes"][0]


def test_one_file_of_two_and_no_place(run, folder):
    code, _, err = run("swarm", "fit", "--metrics", folder / "y.csv")
    assert code == 2
    assert "--metrics has no effect without --mixtures" in err
    code, _, err = run("swarm", "propose", *given(folder))
    assert code == 2
    assert "needs a place" in err


def test_a_fit_no_better_than_a_baseline_is_told(run, folder):
    """The losses are own weight itself."""
    shares = np.random.default_rng(0).dirichlet([4, 3, 2], 40)
    names = [f"run-{number}" for number in range(40)]
    losses = -np.log(shares + 0.001)
    rows = [[name, *row] for name, row in zip(names, losses.tolist(), strict=True)]
    write(folder / "y.csv", ["run", *(f"{name}_loss" for name in GROUPS)], rows)
    more = ("--refits", "0", "-o", folder / "w.json", "--json")
    code, out, _ = run("swarm", "propose", *given(folder), *more)
    assert code == 0
    told = json.loads(out)["notes"][0]
    assert "the baseline own weight by 1.00: train more runs before you rely on it" in told
