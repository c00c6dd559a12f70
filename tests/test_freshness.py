"""Nothing downstream speaks of what it was not made of."""

import json
import re
from collections import Counter
from itertools import product

import pytest

from curate import STAGES, storage
from curate.errors import NothingToDo, StaleInput
from curate.run.stages import find, run_stage
from curate.takedown import takedown
from curate.takedown.naming import NamedDocument
from curate.workspace.lineage import Lineage

pytestmark = pytest.mark.usefixtures("undrawn")

BEHIND = ("score", "mix", "export", "evaluate")
QUALITY = {"values": {"negative": 0.0, "neutral": 0.5, "positive": 1.0}}


def spec(run, stage):
    """The settings of a stage's last run."""
    return run.spec(stage, **run.workspace.ledger.last(stage)["spec"])


def again(run, stage):
    """Run a stage with the settings of its last run."""
    return run_stage(run.workspace, stage, spec(run, stage)).result


def refusing(run):
    """The stages that refuse their inputs, with the first stage that has to run again."""
    refused = {}
    for stage in STAGES:
        required = find(stage).required(run.workspace, spec(run, stage))
        outdated = run.workspace.freshness.outdated(*required)
        if outdated:
            refused[stage] = outdated[0].maker
    return refused


# ── what changes, and who refuses


def other_labels(run):
    opinion = {0: "neutral", 1: "positive"}
    run.answer("cleo", "dora", "eve", opinion=lambda text: opinion[len(text) % 2])
    run.run("pull")
    run.run("agree", bootstrap=50)


def other_pool(run):
    run.lines("more.jsonl", ["A text that nobody has read so far, about a bridge and a river."])
    run.pool(holdout=0.1)


def other_rules(run):
    assert run.run("clean", limits={"length:chars": {"min": 105}}).reasons


def other_encoder(run):
    run.run("score", encoder="chargram", resamples=5, quality=QUALITY, seed=7)


def removed(run):
    gone = run.rows("mix")[0]["id"]
    document = NamedDocument(gone, "films", "films.jsonl", "asked")
    takedown.run(run.workspace, [document], [gone], "asked by its author")


def other_mixture(run):
    run.run("mix", groups=["source"], budget="40%")


EXPECTED = {
    other_labels: dict.fromkeys(("mix", "export", "evaluate"), "score"),
    other_pool: dict.fromkeys(("sample", *BEHIND), "clean"),
    other_rules: dict.fromkeys(("mix", "export", "evaluate"), "score"),
    other_encoder: {"export": "mix"},
    removed: dict.fromkeys(("sample", *BEHIND), "clean"),
    other_mixture: {},
}


@pytest.mark.parametrize("change", EXPECTED, ids=lambda change: change.__name__)
def test_stages_refuse_what_does_not_fit_together(whole, change):
    assert refusing(whole) == {}
    change(whole)
    assert refusing(whole) == EXPECTED[change]
    for stage, maker in EXPECTED[change].items():
        if stage == "sample":
            continue  # its round is still open
        with pytest.raises(StaleInput) as caught:
            again(whole, stage)
        assert caught.value.hint.startswith(f"`curate {maker}` makes it again")
    for stage in ("clean", *BEHIND, "report"):
        again(whole, stage)
    assert refusing(whole) == {}


FOLDERS = ("pool", "clean", "scores", "mix")
SOURCES = {
    "clean": {"pool"},
    "scores": {"pool", "clean", "labels"},
    "mix": {"pool", "clean", "scores"},
    "groups": {"pool", "clean", "scores"},
}
"""Table → the tables that it is made from."""


def made_anew(run, name):
    """Give a table another content and the same record, as if its stage had run again."""
    tables = run.workspace.tables
    if name in FOLDERS:
        path = tables.folder(name) / storage.MANIFEST
        storage.write_json(path, {**storage.read_json(path), "content": f"another {name}"})
        return
    table = tables.read(name)
    storage.write_file_table(tables.folder(name), table.slice(0, len(table) - 1), tables.made(name))


def behind(table):
    """The tables that are made from a table, and those made from them."""
    own = {name for name, sources in SOURCES.items() if table in sources}
    return own.union(*map(behind, own))


@pytest.mark.parametrize("table", ["pool", "clean", "labels", "scores", "mix", "groups"])
def test_every_pair_of_tables_is_compared(whole, table):
    made_anew(whole, table)
    expected = set()
    for stage in STAGES:
        required = set(find(stage).required(whole.workspace, spec(whole, stage)))
        if required & behind(table):
            expected.add(stage)
    assert set(refusing(whole)) == expected
    pairs = {(pair.table, pair.source) for pair in whole.workspace.freshness.outdated(*SOURCES)}
    direct = {(name, table) for name, sources in SOURCES.items() if table in sources}
    assert pairs == direct


def test_each_table_is_looked_at_once(whole, monkeypatch):
    """Many tables are made of the pool: its record was read for each way that leads to it."""
    looked = Counter()
    inputs = Lineage.inputs

    def counted(self, name):
        looked[name] += 1
        return inputs(self, name)

    monkeypatch.setattr(Lineage, "inputs", counted)
    assert whole.workspace.freshness.outdated("export", "evaluate", "mix", "scores") == []
    assert {"pool", "clean", "labels", "scores", "mix"} <= set(looked)
    assert set(looked.values()) == {1}


@pytest.mark.parametrize(
    ("gone", "stage"), [*product(["labels"], ["mix", "export"]), ("scores", "export")]
)
def test_a_table_that_was_deleted_is_missed(whole, gone, stage):
    folder = whole.workspace.tables.folder(gone)
    if folder.suffix:
        folder.unlink()
    else:
        folder.rename(whole.root / "elsewhere")
    with pytest.raises(StaleInput, match=f"not made from the present `{gone}`"):
        again(whole, stage)


def test_mix_and_groups_are_of_one_run(whole):
    before = (whole.root / "groups.parquet").read_bytes()
    whole.run("mix", groups=["source"], budget="40%")
    (whole.root / "groups.parquet").write_bytes(before)  # as after a kill between the two
    with pytest.raises(StaleInput, match="`groups` was not made from the present `mix`") as caught:
        whole.run("export")
    assert "`curate mix` makes it again" in caught.value.hint


# ── what may grow is told, not refused


def card(run):
    return (run.root / "export" / "README.md").read_text(encoding="utf-8")


def page(run):
    return (run.root / "report.html").read_text(encoding="utf-8")


def tiles(run):
    return {name: value for value, name in re.findall(r"<b>([^<]*)</b>([^<]*)</div>", page(run))}


def keys(result):
    return [warning.key for warning in result.warnings]


def answered_again(run):
    """40 more answers, by one more person, who disagrees."""
    run.answer("cleo", opinion=lambda text: "neutral")
    assert run.run("pull").new == 40


def test_answers_that_came_later_are_told_and_not_counted(whole):
    assert "80 answers by 2 annotators about 40 documents" in card(whole)
    answered_again(whole)
    result = again(whole, "export")
    assert keys(result) == ["export.newer_answers"]
    assert result.warnings[0].figures == {"answers": 40}
    assert "80 answers by 2 annotators about 40 documents" in card(whole)
    for stage in ("score", "mix", "evaluate"):
        assert again(whole, stage)
    assert keys(again(whole, "report")) == ["report.newer_answers"]
    assert page(whole).count('data-key="report.newer_answers"') == 1
    assert tiles(whole)["answers by people"] == "80"
    again(whole, "agree")
    for stage in BEHIND:
        again(whole, stage)
    assert "120 answers by 3 annotators about 40 documents" in card(whole)
    again(whole, "report")
    assert tiles(whole)["answers by people"] == "120"
    assert "newer_answers" not in page(whole)


def test_a_report_of_an_older_mixture_counts_the_answers_it_was_made_of(whole):
    answered_again(whole)
    again(whole, "agree")
    assert keys(again(whole, "report")) == ["report.outdated"]
    assert tiles(whole)["answers by people"] == "80"
    found = re.search(r'data-key="report.outdated">([^<]*)<', page(whole))[1]
    assert found.startswith(
        "Older than what they were made from: scores, doubtful, export, evaluate;"
    )


def test_accuracy_is_never_measured_on_labels_of_another_time(whole):
    before = json.loads((whole.root / "evaluate.json").read_text())["models"]
    answered_again(whole)
    again(whole, "agree")
    with pytest.raises(StaleInput, match="`scores` was not made from the present `labels`"):
        again(whole, "evaluate")
    after = json.loads((whole.root / "evaluate.json").read_text())["models"]
    assert after == before


def test_a_mixture_that_needs_no_scores_leaves_outdated_ones_out(whole):
    answered_again(whole)
    again(whole, "agree")
    mixed = whole.run("mix", groups=["source"], budget="50%")
    assert keys(mixed) == ["mix.left_out"]
    assert whole.workspace.tables.made("mix").inputs["scores"] is None
    exported = again(whole, "export")
    assert keys(exported) == ["export.left_out"]
    assert "The mixture was chosen without these answers." in card(whole)
    text = "".join(path.read_text() for path in (whole.root / "export").glob("data-*.jsonl"))
    assert '"by": "people"' in text
    assert '"by": "model"' not in text
    evaluated = again(whole, "evaluate")
    assert "evaluate.left_out" in keys(evaluated)
    assert evaluated.models == {}
    recipe = (whole.root / "export" / "recipe.yaml").read_text()
    assert "score:" not in recipe


def test_the_recipe_of_an_export_is_that_of_the_rounds_it_was_made_from(whole):
    first = (whole.root / "export" / "recipe.yaml").read_text()
    whole.run("pull", enough=0.1)
    (whole.workspace.rounds.current().folder / "closed.json").write_text(
        json.dumps({"at": "", "why": "", "answered": {}, "withdrawn": []})
    )
    whole.run("sample", n=4, seed=9)
    whole.run("push", backend="folder", form="sentiment", overlap=1)
    again(whole, "export")
    assert (whole.root / "export" / "recipe.yaml").read_text() == first


def test_an_outdated_mixture_is_left_out_of_what_is_evaluated(whole):
    other_encoder(whole)
    result = again(whole, "evaluate")
    assert keys(result) == ["evaluate.left_out"]
    assert result.warnings[0].figures["table"] == "mix"
    assert ([*result.models], result.proxy) == (["sentiment"], ())


def test_labels_that_cannot_be_learned_from_are_told_by_why(whole):
    whole.run("clean", rules=["length"], limits={"length:words": {"min": 1000}})
    with pytest.raises(NothingToDo, match=r"\(not counted: 40 dropped by `clean`\)$"):
        again(whole, "score")
