"""Each trainer's file, spent in its trainer's own unit, gives the promised shares of tokens."""

import json
from collections import Counter

import numpy as np
import pytest
import yaml

from curate.export.trainers import FILES, trainer_files, weights_of
from tests.test_export_growing import manifest_of
from tests.test_export_layouts import held
from tests.test_export_layouts import pooled as pooled

__all__ = ["held"]

PROMISED = {"short": 0.3, "long": 0.5, "middle": 0.2}
MEANS = {"short": 200, "long": 2000, "middle": 600}
NUMBERS = {"short": 48_000, "long": 5_400, "middle": 9_000}
BUDGET = 12_000_000


@pytest.fixture(scope="module")
def lengths():
    """The lengths of the documents of three groups, which differ ten times on the mean."""
    rng = np.random.default_rng(5)
    return {
        name: 1 + rng.poisson(mean * rng.gamma(2, 0.5, NUMBERS[name]))
        for name, mean in MEANS.items()
    }


@pytest.fixture(scope="module")
def manifest(lengths):
    """What an export by group would tell of them."""
    groups = [
        {
            "group": name,
            "folder": f"{number:02}-{name}/",
            "promised": PROMISED[name],
            "earlier": 0,
            "stored_documents": len(own),
            "stored_size": int(own.sum()),
        }
        for number, (name, own) in enumerate(lengths.items())
    ]
    files = [{"path": "00-short/data-00000.jsonl"}]
    return {"layout": "by_group", "budget": BUDGET, "groups": groups, "files": files}


@pytest.fixture(scope="module")
def files(manifest):
    return {path.removeprefix("trainers/"): text for path, text in trainer_files(manifest)}


def by_documents(lengths, probabilities, number=400_000):
    """Return the shares of tokens if documents are drawn by these probabilities."""
    rng, tokens = np.random.default_rng(0), Counter()
    counts = rng.multinomial(number, np.array(probabilities) / sum(probabilities))
    for (name, own), count in zip(lengths.items(), counts, strict=True):
        whole, rest = divmod(int(count), len(own))
        tokens[name] = whole * int(own.sum()) + int(rng.permutation(own)[:rest].sum())
    return {name: count / tokens.total() for name, count in tokens.items()}


def assert_promised(shares):
    for name, share in PROMISED.items():
        assert abs(shares[name] - share) < 0.01


def test_shares_as_they_are_miss_where_documents_count(lengths):
    shares = by_documents(lengths, list(PROMISED.values()))
    assert shares["long"] > 0.8
    assert shares["short"] < 0.06


@pytest.mark.parametrize(
    ("name", "weights"),
    [
        ("mosaicml.json", lambda text: [own["proportion"] for own in json.loads(text)]),
        (
            "llama-factory.yaml",
            lambda text: list(map(float, yaml.safe_load(text)["interleave_probs"].split(","))),
        ),
        (
            "energon.yaml",
            lambda text: [
                own["weight"] for own in yaml.safe_load(text)["splits"]["train"]["blend"]
            ],
        ),
    ],
)
def test_weights_of_documents(lengths, files, name, weights):
    own = weights(files[name])
    assert sum(own) == pytest.approx(1)
    assert_promised(by_documents(lengths, own))


def test_datasets_interleaves_to_the_promised_shares(lengths, files):
    datasets = pytest.importorskip("datasets")
    told = json.loads(files["interleave.json"])
    sources = [
        datasets.Dataset.from_dict({"tokens": own, "group": [name] * len(own)})
        for name, own in lengths.items()
    ]

    def shares(probabilities):
        mixed = datasets.interleave_datasets(
            sources,
            probabilities=probabilities,
            seed=1,
            stopping_strategy=told["stopping_strategy"],
        )
        tokens = mixed.to_pandas().groupby("group")["tokens"].sum()
        return dict(tokens / tokens.sum())

    assert_promised(shares(told["probabilities"]))
    assert abs(shares(list(PROMISED.values()))["long"] - PROMISED["long"]) > 0.2


def packed(own, size, rng):
    """Return the samples of so many tokens that documents make, one after the other."""
    return int(rng.permutation(own).sum()) // size


def test_megatron_takes_packed_samples(lengths, files):
    """Samples of 512 tokens, rounded up a source, as `BlendedDataset` counts them."""
    words = files["megatron.txt"].split()
    shares, paths = list(map(float, words[::2])), words[1::2]
    samples = {path: -(-share * BUDGET // 512) for path, share in zip(paths, shares, strict=True)}
    total = sum(samples.values())
    for (name, share), path in zip(PROMISED.items(), paths, strict=True):
        assert path.endswith(f"-{name}/text_document")
        assert abs(samples[path] / total - share) < 0.01


def test_olmo_core_takes_tokens_and_repeats_as_far_as_it_is_told(lengths, files):
    for source, (name, own) in zip(
        yaml.safe_load(files["olmo-core.yaml"])["sources"], lengths.items(), strict=True
    ):
        assert source["target_ratio"] == pytest.approx(PROMISED[name])
        taken = source["target_ratio"] * BUDGET
        assert taken <= int(own.sum()) * source["max_repetition_ratio"] * 1.001


def test_rows_that_are_kept(lengths, files):
    tokens = Counter()
    for told, (name, own) in zip(json.loads(files["rows.json"]), lengths.items(), strict=True):
        assert 0 <= told["fraction"] < 1
        first = own[: round(told["fraction"] * len(own))]
        tokens[name] = told["whole_passes"] * int(own.sum()) + int(first.sum())
    assert abs(tokens.total() - BUDGET) < 0.01 * BUDGET
    assert_promised({name: count / tokens.total() for name, count in tokens.items()})


def test_earlier_parts_are_taken_off(manifest):
    groups = [dict(group) for group in manifest["groups"]]
    groups[0]["earlier"] = round(0.3 * BUDGET)  # it has had all that it was promised
    groups[1]["earlier"] = round(0.25 * BUDGET)
    weights = weights_of(groups, BUDGET)
    assert [weight.tokens for weight in weights] == pytest.approx([0, 0.25 / 0.45, 0.2 / 0.45])
    assert sum(weight.documents for weight in weights) == pytest.approx(1)


def test_a_mixed_layout_has_no_weights(manifest):
    assert not list(trainer_files({**manifest, "layout": "mixed"}))


def test_an_export_by_group_loads_by_its_own_file(held, monkeypatch):
    datasets = pytest.importorskip("datasets")
    held.run("export", layout="by_group", shard_documents=40)
    folder = held.root / "export"
    assert {path.name for path in (folder / "trainers").iterdir()} == set(FILES)
    told = json.loads((folder / "trainers" / "interleave.json").read_text(encoding="utf-8"))
    monkeypatch.chdir(folder)
    groups = {group["folder"]: group for group in manifest_of(folder)["groups"]}
    for pattern in told["data_files"]:
        loaded = datasets.load_dataset(
            "json", data_files=pattern, split="train", cache_dir=str(held.root / "cache")
        )
        assert len(loaded) == groups[pattern.split("/")[0] + "/"]["stored_documents"]
    info = json.loads((folder / "trainers" / "dataset_info.json").read_text(encoding="utf-8"))
    for own in info.values():
        assert (folder / "trainers" / own["file_name"]).is_dir()
