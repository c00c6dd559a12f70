"""What a run will take: told from a probe, close to what it takes, and nothing is written."""

import gzip
import json

import pandas as pd
import pytest

from curate.errors import DataError
from curate.pool.spec import PoolSpec
from curate.run import forecast, probe, recipe, trying
from curate.run.enlarging import enlarge
from curate.run.probe import probed
from curate.run.rates import Memory, Rate, Run
from curate.sources.reading import File, Row
from tests.command import command

curate = pytest.fixture(command)

LINES = [
    json.dumps({"text": f"Sentence number {n} says nothing, é and 汉字."}) for n in range(3000)
]


def sources(*paths, **given):
    return PoolSpec.model_validate({"sources": [{"paths": list(paths)}], **given})


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz", "a.parquet", "a.csv"])
def test_a_large_file_is_counted_by_its_beginning(tmp_path, name):
    path = tmp_path / name
    texts = [json.loads(line)["text"] for line in LINES]
    if name.endswith("parquet"):
        pd.DataFrame({"text": texts}).to_parquet(path)
    elif name.endswith("csv"):
        pd.DataFrame({"text": texts}).to_csv(path, index=False)
    else:
        raw = "\n".join(json.dumps(json.loads(line), ensure_ascii=False) for line in LINES).encode()
        path.write_bytes(gzip.compress(raw) if name.endswith("gz") else raw)
    found = probed(sources(name), tmp_path)
    assert len(found.rows) == 1000
    assert 0.5 < found.documents / 3000 < 2
    assert found.bytes == path.stat().st_size


def test_small_files_are_counted_exactly(tmp_path):
    for n in range(120):
        (tmp_path / f"{n:03}.txt").write_text(f"Text number {n:03} in a file of its own.")
    found = probed(sources("*.txt"), tmp_path)
    assert found.documents == 120
    assert len(found.rows) == 120
    for n in range(120, 1500):
        (tmp_path / f"{n:04}.txt").write_text(f"Text number {n:04} in a file of its own.")
    found = probed(sources("*.txt"), tmp_path)
    assert 1480 < found.documents < 1520
    assert len(found.rows) == 1000


def test_a_query_is_counted_as_far_as_it_was_read(tmp_path, monkeypatch):
    rows = [File(0, "q", "postgresql://host/db", "q", "sql")]
    row = Row("q", "q:1", (("text", "A row of a query."),), None, "unknown", None, None)
    monkeypatch.setattr(probe, "find", lambda *given: rows)
    monkeypatch.setattr(probe, "read", lambda *given, strict: iter([row] * 5000))
    assert probed(sources("q"), tmp_path).documents == 1001


def test_no_documents_are_said(tmp_path):
    (tmp_path / "a.jsonl").write_text("{not json\n")
    with pytest.raises(DataError, match="hold no document"):
        probed(sources("a.jsonl"), tmp_path)


def test_workers_share_what_can_be_shared():
    rate = Rate("clean", 1.0, 0.001, 2**20)
    assert rate.of(10_000, 2).seconds == 6.0
    assert rate.of(10_000, 4).disk_mb == 10_000
    assert Rate("score", 1.0, 0.001, 0, alone=True).of(10_000, 4).seconds == 11.0


def everything(folder):
    return sorted((str(path), path.stat().st_mtime_ns) for path in folder.rglob("*"))


def test_nothing_is_written(offline, curate):
    offline.lines("a.jsonl", [f"Sentence number {n} says nothing at all." for n in range(1500)])
    (offline.root / "old.jsonl").write_text(json.dumps({"text": "Something else."}) + "\n")
    text = (
        "pool: {sources: [{paths: ['data/*.jsonl']}], tokenizer: bytes, share: 0.5}\n"
        "clean: {near_duplicates: 0.7, against: [old.jsonl]}\n"
    )
    path = offline.root / "recipe.yaml"
    path.write_text(text)
    before = everything(offline.root)
    code, out, err = curate("run", "-w", offline.root, "--dry-run", "--workers", 2, "--json")
    assert code == 0, err
    told = json.loads(out)
    assert everything(offline.root) == before
    assert told["workers"] == 2
    assert 300 < told["documents"] < 1500
    # A report belongs to every run, and its cost is foreseen as well.
    assert [stage["stage"] for stage in told["stages"]] == ["pool", "clean", "report"]
    assert all(stage["seconds"] >= 0 and stage["disk_mb"] > 0 for stage in told["stages"])
    assert told["memory_mb"] == max(stage["memory_mb"] for stage in told["stages"])
    assert told["stages"][1]["scratch_mb"] > 0
    assert told["memory_mb"] > 50


def test_nothing_is_written_where_the_recipe_ran_before(offline, curate):
    offline.lines("a.jsonl", [f"Sentence number {n} says nothing at all." for n in range(30)])
    path = offline.root / "recipe.yaml"
    path.write_text("pool: {sources: [{paths: ['data/*.jsonl']}], tokenizer: bytes}\n")
    assert curate("clean", "-w", offline.root)[0] == 1  # no pool yet
    assert curate("pool", "-w", offline.root)[0] == curate("clean", "-w", offline.root)[0] == 0
    before = everything(offline.root)
    assert curate("run", "-w", offline.root, "--dry-run")[0] == 0
    assert everything(offline.root) == before


@pytest.mark.parametrize("named", ["a", "later"])
def test_settings_by_source_are_those_of_the_run(offline, curate, named):
    offline.lines("a.jsonl", [f"Sentence number {n} says nothing at all." for n in range(1500)])
    offline.lines("later.jsonl", [])
    sources = "[{name: a, paths: [data/a.jsonl]}, {name: later, paths: [data/later.jsonl]}]"
    settings = f"{{rules: {{{named}: [c4]}}, languages: {{{named}: [en]}}}}"
    text = f"pool: {{sources: {sources}, tokenizer: bytes}}\nclean: {settings}\n"
    (offline.root / "recipe.yaml").write_text(text)
    code, _, err = curate("run", "-w", offline.root, "--dry-run")
    assert code == 0, err
    (offline.root / "recipe.yaml").write_text(text.replace(f"{{{named}: [c4]}}", "{wbe: [c4]}"))
    code, _, err = curate("run", "-w", offline.root, "--dry-run")
    assert code == 2
    assert "no source wbe" in err


def test_people_bring_the_encoder_in(offline):
    offline.reviews()
    given = {
        "pool": {"sources": [{"paths": ["data/*.jsonl"]}], "tokenizer": "bytes"},
        "sample": {"n": 10},
        "score": {"encoder": "chargram"},
    }
    whole = recipe.Recipe.model_validate(given)
    told = forecast.estimate(whole, offline.workspace)
    # Once people have answered, their answers are evaluated, and every run is reported.
    stages = ["pool", "clean", "sample", "score", "evaluate", "report"]
    assert [stage.stage for stage in told.stages] == stages
    assert told.documents == 112
    assert "people" in told.notes[0]


def test_every_stage_of_a_finished_run_is_foreseen(whole):
    """The recipe of the fixture; its vectors are there, so nothing is encoded."""
    given = {
        "pool": {"sources": [{"paths": ["data/*.jsonl"]}], "tokenizer": "bytes", "holdout": 0.1},
        "sample": {"n": 20},
        "score": {
            "encoder": "chargram",
            "resamples": 2,
            "quality": {"values": {"negative": 0.0, "neutral": 0.5, "positive": 1.0}},
        },
        "mix": {"groups": ["sentiment", "source"], "within": {"strategy": "top_k"}, "budget": 1500},
        "evaluate": {"seeds": 2, "train_bytes": 20_000, "holdout_bytes": 2_000},
    }
    before = everything(whole.root)
    told = forecast.estimate(recipe.Recipe.model_validate(given), whole.workspace)
    assert everything(whole.root) == before
    stages = ["pool", "clean", "sample", "score", "mix", "export", "evaluate", "report"]
    assert [stage.stage for stage in told.stages] == stages
    assert told.memory_mb == max(stage.memory_mb for stage in told.stages) > 50
    assert not any("could not" in note for note in told.notes)


def test_what_fails_on_a_small_probe_is_a_note(offline):
    offline.lines("a.jsonl", [f"Sentence number {n} says nothing at all." for n in range(30)])
    given = {
        "pool": {"sources": [{"paths": ["data/*.jsonl"]}], "tokenizer": "bytes"},
        "mix": {"limits": {"rare": {"max": 0.5}}},
    }
    told = forecast.estimate(recipe.Recipe.model_validate(given), offline.workspace)
    assert "report" in [stage.stage for stage in told.stages]
    assert "mix" not in [stage.stage for stage in told.stages]
    assert told.notes[0] == "mix could not be foreseen: mix.limits: no group rare"


def test_a_budget_in_tokens_is_that_of_the_share_that_is_tried():
    whole = recipe.Recipe.model_validate({"mix": {"budget": "1M"}})
    one = trying.Trial(whole, None, None, probe.Probe((), frozenset(), 0, 0), 10_000)
    (mix,) = [stage for stage in trying.every() if stage.name == "mix"]
    assert trying._spec(one, mix, 1000, is_cold=False).budget == 100_000
    whole = recipe.Recipe.model_validate({"mix": {"budget": "25%"}})
    one.recipe = whole
    assert trying._spec(one, mix, 1000, is_cold=False).budget == "25%"


def test_what_is_bounded_stops_to_grow():
    rate = Rate("evaluate", 0.0, 0.001, 0, alone=True, most=5000)
    assert rate.of(1000, 2).seconds == 1.0
    assert rate.of(10**6, 2).seconds == rate.of(5000, 2).seconds == 5.0


def test_memory_is_that_of_all_processes():
    memory = Memory(parent=100, worker=80, held=20, grows=2**20 / 1000)
    assert memory.of(0, 2) == 100 + 20 + 2 * (80 + 20)
    assert memory.of(1000, 2) - memory.of(0, 2) == 1
    assert memory.of(0, 0) == 120  # no workers: the parent does all


def test_the_probe_knows_what_a_source_declares(offline):
    """Without it, rules on licences and groups by language would see other documents."""
    rows = [
        {"text": f"Satz {n} sagt gar nichts.", "spdx": "MIT" if n % 2 else None, "tag": "de"}
        for n in range(40)
    ]
    path = offline.root / "data" / "a.jsonl"
    path.parent.mkdir(exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    source = {"paths": ["data/a.jsonl"], "license": {"field": "spdx"}, "language": {"field": "tag"}}
    whole = recipe.Recipe.model_validate({"pool": {"sources": [source], "tokenizer": "bytes"}})
    seen = probed(whole.pool, offline.root)
    workspace = probe.probe_workspace(offline.root, offline.root / "probe")
    trying.run_stage(workspace, "pool", probe.probe_pool(whole, workspace.root, seen))
    pool = workspace.tables.read("pool", ["license", "language"])
    assert pool["license"].value_counts().to_pylist() == [
        {"values": "unknown", "counts": 20},
        {"values": "MIT", "counts": 20},
    ]
    assert pool["language"].unique().to_pylist() == ["de"]


def test_a_larger_probe_has_copies_in_other_sources(offline):
    """A large pool has some, and only then a report compares all texts."""
    offline.lines("a.jsonl", [f"Sentence number {n} says nothing at all." for n in range(300)])
    offline.lines("b.jsonl", [f"Line number {n} says as little as that." for n in range(300)])
    spec = {"sources": [{"paths": ["data/*.jsonl"]}], "tokenizer": "bytes"}
    whole = recipe.Recipe.model_validate({"pool": spec})
    trying.run_stage(offline.workspace, "pool", whole.pool)
    trying.run_stage(offline.workspace, "clean", whole.clean)
    enlarge(offline.workspace, 1200)
    pool = offline.workspace.tables.read("pool").to_pylist()
    copies = offline.workspace.tables.read("duplicates").to_pylist()
    shared = {row["id"]: row["also"] for row in pool if row["also"]}
    assert len(pool) == len({row["id"] for row in pool}) == 1200
    assert len(shared) == len(copies) == 12
    for copy in copies:
        assert shared[copy["id"]] == [copy["source"]]
    assert all(row["source"] not in row["also"] for row in pool)


def test_vectors_that_are_there_are_counted_by_the_kept_documents(whole):
    """The share of the probe is taken only where `clean` has not run with these settings."""
    own = {"sources": [{"paths": ["data/*.jsonl"]}], "tokenizer": "bytes", "holdout": 0.1}
    given = recipe.Recipe.model_validate({"pool": own})
    seen = probed(given.pool, whole.root)
    one = trying.Trial(given, whole.root, None, seen, 10**6)
    assert trying._kept(one, whole.workspace) == whole.workspace.tables.rows("scores")
    one.recipe = recipe.Recipe.model_validate({"pool": own, "clean": {"rules": ["c4"]}})
    assert trying._kept(one, whole.workspace) > 1000


def test_the_memory_of_an_encoder_does_not_grow_with_a_shard(offline, monkeypatch):
    offline.reviews()
    held = 70.0

    def run(workspace, stage, work, documents):
        work()
        return Run(documents, 1.0, 1.0, 100, 500.0, 500.0, held)

    monkeypatch.setattr(trying, "_run", run)
    given = {"pool": {"sources": [{"paths": ["data/*.jsonl"]}], "tokenizer": "bytes"}}
    given |= {"score": {"encoder": "chargram"}}
    whole = recipe.Recipe.model_validate(given)
    trying.run_stage(offline.workspace, "pool", whole.pool)
    trying.run_stage(offline.workspace, "clean", whole.clean)
    seen = probed(whole.pool, offline.root)
    (offline.root / "trial").mkdir()
    one = trying.Trial(whole, offline.root, offline.root / "trial", seen, 10**6)
    trying._try_encoders(one, offline.workspace, lambda n: None)
    assert [rate.memory.held for rate in one.rates["score"]] == [held]


def test_an_encoder_is_tried_until_chance_does_not_decide(offline, monkeypatch):
    """On 64 documents a fast encoder takes less time than its start varies by."""
    offline.lines("a.jsonl", [f"Sentence number {n} says nothing at all." for n in range(2000)])
    spec = {"pool": {"sources": [{"paths": ["data/*.jsonl"]}], "tokenizer": "bytes"}}
    whole = recipe.Recipe.model_validate({**spec, "score": {"encoder": "chargram"}})
    tried = []

    def run(workspace, stage, work, documents):
        work()
        tried.append(documents)
        return Run(documents, 1.0 + documents / 200, 9.0, 100, 500.0, 500.0, 70.0)

    monkeypatch.setattr(trying, "_run", run)
    (offline.root / "trial").mkdir()
    seen = probed(whole.pool, offline.root)
    one = trying.Trial(whole, offline.root, offline.root / "trial", seen, 10**6)
    trying.run_stage(offline.workspace, "pool", whole.pool)
    trying.run_stage(offline.workspace, "clean", whole.clean)
    trying._try_encoders(one, offline.workspace, lambda n: None)
    assert tried == [8, 8, 64, 256]
    (rate,) = one.rates["score"]
    assert rate.seconds == pytest.approx(1 / 200 * 2000 / 10**6)


@pytest.mark.parametrize(
    ("questions", "worst", "seconds"),
    [
        (["topic"], ["use-m3"], [1 / 50]),
        (["topic", "quality"], ["use-m3", "minilm"], [1 / 50, 1 / 200]),
    ],
)
def test_every_question_may_choose_another_encoder(offline, monkeypatch, questions, worst, seconds):
    offline.lines("a.jsonl", [f"Sentence number {n} says nothing at all." for n in range(300)])
    given = {
        "pool": {"sources": [{"paths": ["data/*.jsonl"]}], "tokenizer": "bytes"},
        "push": {"form": "review"},
        "score": {"question": questions},
    }
    whole = recipe.Recipe.model_validate(given)

    def run(workspace, stage, work, documents):
        pace = {"minilm": 200, "use-m3": 50}[work.args[-1].encoder]
        return Run(documents, 1.0 + documents / pace, 9.0, 100, 500.0, 500.0, 70.0)

    monkeypatch.setattr(trying, "_run", run)
    trying.run_stage(offline.workspace, "pool", whole.pool)
    trying.run_stage(offline.workspace, "clean", whole.clean)
    (offline.root / "trial").mkdir()
    one = trying.Trial(
        whole, offline.root, offline.root / "trial", probed(whole.pool, offline.root), 300
    )
    trying._try_encoders(one, offline.workspace, lambda n: None)
    assert [rate.seconds for rate in one.rates["score"]] == pytest.approx(seconds)
    told = (
        "labelled texts choose between minilm and use-m3; foreseen is the worst, that all documents"
    )
    assert next(note for note in one.notes if told in note).endswith(f"by {' and '.join(worst)}")


def test_heads_that_read_characters_need_no_encoder(offline):
    given = {
        "pool": {"sources": [{"paths": ["data/*.jsonl"]}], "tokenizer": "bytes"},
        "score": {"features": "characters"},
    }
    whole = recipe.Recipe.model_validate(given)
    offline.reviews()
    trying.run_stage(offline.workspace, "pool", whole.pool)
    trying.run_stage(offline.workspace, "clean", whole.clean)
    one = trying.Trial(
        whole, offline.root, offline.root / "trial", probed(whole.pool, offline.root), 112
    )
    assert trying._try_encoders(one, offline.workspace, lambda n: None) == trying.UNREAD
    assert (one.rates, one.notes) == ({}, [])


def test_a_part_of_the_probe_is_from_all_over_it():
    rows = tuple(probe.ProbeRow(str(n), "ab"[n // 50], "unknown", None) for n in range(100))
    part = probe.Probe(rows, frozenset("ab"), 100, 1).part(4)
    assert [row.text for row in part.rows] == ["0", "25", "50", "75"]
    assert len(probe.Probe(rows, frozenset("ab"), 100, 1).part(1000).rows) == 100
