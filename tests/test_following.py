"""`curate mix --dynamic`: weights over a log of losses; only the file asked for is written."""

import json

import pytest

from curate.errors import DataError
from curate.mix.following import Following, follow, limits_of, read_log
from curate.mix.spec import MixSpec
from curate.mixture.dynamic import OnlineMixer
from tests.command import command
from tests.test_whatif import mixed, tree

__all__ = ["mixed"]

LOSS = Following("loss", smoothing=0.0, floor=0.0)


def log_of(path, *rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def falling(steps=30, groups=("big", "small"), by=(0.3, 0.1)):
    """Steps in which the loss of each group falls with a power of its tokens."""
    return [
        {
            "step": 10 * number,
            "tokens": dict.fromkeys(groups, 1000),
            "losses": {
                group: 1 + 5 * number**-power for group, power in zip(groups, by, strict=True)
            },
            "lr": 0.1,
        }
        for number in range(1, steps + 1)
    ]


def test_the_weights_are_those_of_a_mixer_in_the_loop(tmp_path):
    rows = falling()
    result = follow(log_of(tmp_path / "l.jsonl", *rows), MixSpec(), Following("ado"))
    mixer = OnlineMixer({"big": 1, "small": 1}, strategy="ado")
    for row, step in zip(rows, result.steps, strict=True):
        assert step.step == row["step"]
        assert step.weights == mixer.step(row["losses"], row["tokens"])
    assert result.weights == mixer.final != {"big": 0.5, "small": 0.5}


def test_doremi_takes_the_reference_of_each_line_and_ends_with_the_mean(tmp_path):
    rows = [
        {"losses": {"a": 2.2, "b": 1.9, "c": 3.05}, "reference": {"a": 2.0, "b": 2.0, "c": 3.0}}
    ]
    prior = {"a": 5.0, "b": 3.0, "c": 2.0}
    result = follow(log_of(tmp_path / "l.jsonl", *rows), MixSpec(), Following("doremi", prior))
    golden = {"a": 0.544783, "b": 0.267635, "c": 0.187582}
    assert result.weights == pytest.approx(golden, abs=5e-7)
    assert result.steps[0].step == 1


def test_a_number_of_tokens_is_shared_out_by_the_prior(tmp_path):
    rows = [
        {"tokens": 100, "losses": {"a": 5.0, "b": 5.0}},
        {"tokens": 100, "losses": {"a": 4.0, "b": 4.0}},
    ]
    how = Following("loss", {"a": 3.0, "b": 1.0}, floor=0.0, smoothing=0.0)
    result = follow(log_of(tmp_path / "l.jsonl", *rows), MixSpec(), how)
    assert result.weights == pytest.approx({"a": 0.25, "b": 0.75})


# ── limits


def limited(limits, names, **settings):
    made, notes = limits_of(MixSpec(limits=limits, **settings), names)
    return {own.name: (own.cells.tolist(), own.low, own.high) for own in made}, notes


def test_limits_of_groups_columns_and_all_others():
    names = ["en/web", "en/wiki", "zh/web"]
    limits = {
        "en/web": {"min": 0.1, "max": 0.5},
        "language=zh": {"min_share": 0.2},
        "source=*": {"max_share": 0.7},
        "source=wiki": {"max_tokens": "3M"},
        "*": {"max": 0.9},
    }
    made, notes = limited(limits, names, groups=("language", "source"), budget="10M")
    assert made == {
        "en/web": ([0], 0.1, 0.5),
        "language=zh": ([2], 0.2, 1.0),
        "source=web": ([0, 2], 0.0, 0.7),
        "source=wiki": ([1], 0.0, 0.3),
        "en/wiki": ([1], 0.0, 0.9),
        "zh/web": ([2], 0.0, 0.9),
    }
    assert notes == []


def test_limits_that_a_log_cannot_keep_are_told():
    limits = {
        "host=*": {"max_share": 0.1},
        "web": {"max_epochs": 2, "max": 0.5},
        "wiki": {"max_tokens": "3M"},
        "gone": {"max": 0.2},
    }
    made, notes = limited(limits, ["web", "wiki"])
    assert made == {"web": ([0], 0.0, 0.5), "wiki": ([1], 0.0, 1.0)}
    assert notes == [
        "the limit of host=* does not count here: no group of the log shows it",
        "max_epochs of web does not count here: a log knows no supply",
        "max_tokens of wiki does not count here: a log knows no supply",
        "the limit of gone does not count here: no group of the log shows it",
    ]


def test_limits_hold_over_the_log(tmp_path):
    spec = MixSpec(limits={"big": {"max": 0.3}, "small": {"max": 0.72}})
    path = log_of(tmp_path / "l.jsonl", *falling(groups=("big", "small", "new"), by=(0.9, 0.1, 0)))
    result = follow(path, spec, LOSS)
    assert all(step.weights["big"] <= 0.3 + 1e-9 for step in result.steps)
    assert result.weights == pytest.approx({"big": 0.3, "small": 0.7, "new": 0.0}, abs=0.03)


# ── bad logs


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "l.jsonl has no losses"),
        ('{"losses": {}}\n', "l.jsonl has no losses"),
        ("{\n", "l.jsonl:1: not JSON: "),
        ("\n[1]\n", "l.jsonl:2: there are no losses by group"),
        ('{"losses": 3}\n', "l.jsonl:1: there are no losses by group"),
        ('{"losses": {"a": NaN}}\n', "l.jsonl:1: the loss of a is nan, not a finite number"),
        ('{"losses": {"a": "x"}}\n', "l.jsonl:1: the loss of a is x, not a finite number"),
        ('{"step": "x", "losses": {"a": 1}}\n', 'l.jsonl:1: the step is "x", not a whole number'),
        ('{"tokens": "x", "losses": {"a": 1}}\n', "l.jsonl:1: tokens are a number, or numbers by"),
        (f'{{"tokens": {10**309}, "losses": {{"a": 1}}}}', "l.jsonl:1: tokens are a number, or"),
        (
            f'{{"losses": {{"a": {10**309}}}}}',
            f"l.jsonl:1: the loss of a is 1{'0' * 39}…, not a finite",
        ),
        ('{"tokens": -5, "losses": {"a": 1}}\n', "l.jsonl:1: a number of tokens is below 0"),
        (
            '{"tokens": {"b": 1}, "losses": {"a": 1}}\n',
            "l.jsonl:1: a number of tokens is for b, and",
        ),
        ('{"reference": 3, "losses": {"a": 1}}\n', "l.jsonl:1: the reference has no losses by"),
        (
            '{"step": 7, "losses": {"a": 1}}\n{"step": 7, "losses": {"a": 1}}\n',
            "l.jsonl:2: step 7 comes after step 7",
        ),
    ],
)
def test_a_bad_line_is_told_with_its_place(tmp_path, text, complaint):
    path = tmp_path / "l.jsonl"
    path.write_text(text)
    with pytest.raises(DataError) as caught:
        follow(path, MixSpec(), LOSS)
    assert caught.value.message.startswith(complaint)


def test_groups_that_the_prior_does_not_have_are_refused(tmp_path):
    path = log_of(tmp_path / "l.jsonl", *falling())
    with pytest.raises(DataError, match=r"l.jsonl:1: a loss is for small, and there is no such"):
        follow(path, MixSpec(), Following("loss", {"big": 1.0}))
    assert len(read_log(path)) == 30


# ── the command


def test_the_command_writes_shares_that_a_recipe_reads(mixed, tmp_path, monkeypatch, capsys):
    run = command(monkeypatch, capsys)
    log, shares = log_of(tmp_path / "losses.jsonl", *falling()), tmp_path / "w.json"
    before = tree(mixed.root)
    line = ["mix", "--dynamic", log, "-w", mixed.root]
    code, out, _ = run(*line, "--strategy", "loss", "-o", shares)
    assert code == 0
    assert "weights over time (loss)" in out
    assert "the shares to use" in out
    weights = json.loads(shares.read_text())
    assert weights == follow(log, MixSpec(), Following("loss")).weights
    assert sum(weights.values()) == pytest.approx(1)
    code, out, _ = run(*line, "--strategy", "loss", "--json")
    told = json.loads(out)
    assert told["weights"] == weights
    assert [step["step"] for step in told["steps"]] == [10 * n for n in range(1, 31)]
    assert tree(mixed.root) == before
    mixed.run("mix", between={"weights": {"file": str(shares)}}, budget="50%")
    promised = {row["group"]: row["promised"] for row in mixed.rows("groups")}
    assert promised == pytest.approx(weights)


def test_the_command_works_where_there_is_no_run(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "prior.json").write_text('{"big": 3, "small": 1}')
    log_of(tmp_path / "losses.jsonl", *falling())
    run = command(monkeypatch, capsys)
    code, out, _ = run("mix", "--dynamic", "losses.jsonl", "--prior", "prior.json", "--json")
    assert code == 0
    assert json.loads(out)["steps"][0]["weights"] == pytest.approx({"big": 0.75, "small": 0.25})
    assert sorted(path.name for path in tmp_path.iterdir()) == ["losses.jsonl", "prior.json"]


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["--dynamic", "no.jsonl"], "no log no.jsonl"),
        (["--dynamic", "l.jsonl", "--strategy", "adoo"], "there is no strategy adoo"),
        (["--dynamic", "l.jsonl", "--prior", "no.json"], "--prior: no file no.json"),
        (["--dynamic", "l.jsonl", "--floor", "0.9"], "floor is 0.9, not between 0 and 0.5"),
        (["--dynamic", "l.jsonl", "--budget", "3%"], "--budget has no effect beside --dynamic"),
        (["--dynamic", "l.jsonl", "--what-if", "budget=3%"], "--what-if has no effect beside"),
        (["--dynamic", "l.jsonl", "-o", "no/w.json"], "no/w.json cannot be written"),
        (["--dynamic", "nan.jsonl", "-o", "w.json"], "nan.jsonl:1: the loss of big is nan"),
        (["--dynamic", "l.jsonl", "--prior", "far.json"], "far.json: the weight of big is 1000"),
        (["--dynamic", "l.jsonl", "--prior", "sum.json"], "sum.json: the weights have no finite"),
        (["-o", "w.json"], "--output has no effect without --dynamic"),
        (["--what-if", "budget=3%", "--floor", ".1"], "--floor has no effect without --dynamic"),
    ],
)
def test_bad_options_are_one_line_and_write_nothing(
    tmp_path, monkeypatch, capsys, options, complaint
):
    monkeypatch.chdir(tmp_path)
    log_of(tmp_path / "l.jsonl", *falling())
    (tmp_path / "nan.jsonl").write_text('{"losses": {"big": NaN}}\n')
    (tmp_path / "far.json").write_text(f'{{"big": {10**309}}}')
    (tmp_path / "sum.json").write_text('{"big": 1e308, "small": 1e308}')
    before = tree(tmp_path)
    code, out, err = command(monkeypatch, capsys)("mix", *options)
    assert code > 0
    assert out == ""
    assert complaint in err
    assert len(err.strip().splitlines()) <= 2
    assert tree(tmp_path) == before
