"""What the place of a file tells: splits, partitions, cards; data sets of the workspace."""

import json

import pytest

from curate.errors import DataError
from curate.sources.partitions import columns_of, describes
from curate.sources.reading import SourceSpec, find
from tests.test_sources import TABLE, everything, meta, parquet, put, rows, texts

LINE = '{"text": "A boat."}\n'


@pytest.mark.parametrize(
    ("folders", "stem", "columns"),
    [
        ([], "train-00000-of-00002", {"split": "train"}),
        ([], "test-00000-of-00002-ab12", {"split": "test"}),
        ([], "validation", {"split": "validation"}),
        ([], "dev", {"split": "validation"}),
        ([], "VAL", {"split": "validation"}),
        ([], "boats_eval", {"split": "test"}),
        ([], "c4-train.00000-of-01024", {"split": "train"}),
        ([], "train_sft-00001-of-00005", {"split": "train_sft"}),
        ([], "training2", {"split": "train"}),
        *(
            ([], name, {})
            for name in ("latest", "trainer", "contest", "devices", "data-00000-of-00001")
        ),
        (["boats", "test"], "part-0", {"split": "test"}),
        (["train", "en"], "part-0", {"split": "train"}),
        (["test"], "train-0", {"split": "train"}),
        (["lang=en", "split=dev"], "part-0", {"lang": "en", "split": "dev"}),
        (["a%20b=c%2Fd", "x=1=2"], "p", {"a b": "c/d", "x": "1=2"}),
        (["lang=__HIVE_DEFAULT_PARTITION__"], "p", {}),
    ],
)
def test_columns_of_a_place(folders, stem, columns):
    assert columns_of(folders, stem, "jsonl") == columns


def test_names_of_texts_and_folders_of_code_say_no_split():
    assert columns_of([], "test", "text") == {}
    assert columns_of(["test"], "a", "text") == {"split": "test"}
    assert columns_of(["test"], "test", "code") == {}


def test_splits_and_partitions_become_columns(tmp_path):
    put(tmp_path, "boats/data/train-00000-of-00001.parquet", parquet(TABLE))
    put(tmp_path, "boats/data/test-00000-of-00001.parquet", parquet(TABLE.slice(0, 1)))
    put(tmp_path, "boats/lang=de/year=2024/x.jsonl", LINE)
    put(tmp_path, "boats/valid/x.jsonl", '{"text": "own", "split": "mine"}\n' + LINE)
    found = rows(tmp_path, paths=["boats"], language={"field": "lang"})
    told = [(meta(row).get("split"), meta(row).get("year"), row.language) for row in found]
    assert told == [
        *((split, None, None) for split in ("test", "train", "train")),
        (None, "2024", "de"),
        *((split, None, None) for split in ("mine", "validation")),
    ]
    for paths in (["boats/**/*.parquet"], ["boats/data/*.parquet"]):
        assert [meta(row)["split"] for row in rows(tmp_path, paths=paths)] == [
            "test",
            *["train"] * 2,
        ]


def test_the_pool_says_that_there_are_several_splits(offline):
    put(offline.root, "data/boats/train.jsonl", LINE)
    put(offline.root, "data/boats/test.jsonl", '{"text": "Another boat."}\n')
    made = offline.run("pool", sources=[{"paths": ["data/boats"]}], tokenizer="bytes")
    assert made.notes == ("several splits, told apart by `split` in meta: test, train",)
    assert {json.loads(row["meta"])["split"] for row in offline.rows("pool")} == {"train", "test"}


@pytest.mark.parametrize(
    ("name", "card"),
    [
        *((name, True) for name in ("README.md", "readme_zh.md", "LICENSE.txt", "LICENCE-MIT.md")),
        *((name, True) for name in ("dataset_infos.json", "croissant.json", "CITATION.bib")),
        *((name, True) for name in ("DATASET_CARD.md", "datasheet.txt", "SHA256SUMS", "md5.txt")),
        *((name, True) for name in ("requirements.txt", "TERMS_OF_USE.md", "model-card.md")),
        *((name, False) for name in ("termsheet.txt", "legally.md", "shards.txt", "md.txt")),
        *((name, False) for name in ("read.md", "licenses.csv", "noticed.txt", "infos.json")),
    ],
)
def test_cards_and_licences_go_by_their_names(name, card):
    assert describes(name) is card


def test_what_describes_a_data_set_is_no_document(tmp_path):
    for name in ("README.md", "LICENSE.txt", "data/NOTICE.txt", "dataset_info.json"):
        put(tmp_path, f"boats/{name}", '{"text": "about"}')
    put(tmp_path, "boats/data/a.jsonl", LINE)
    for paths in (["boats"], ["boats/**/*.*"]):
        found, bad = everything(tmp_path, paths=paths)
        assert texts(found) == ["A boat."]
        assert [each.reason for each in bad] == ["it describes the data beside it"] * 4
    assert texts(rows(tmp_path, paths=["boats/README.md"])) == ['{"text": "about"}']
    (tmp_path / "boats/data/a.jsonl").unlink()
    (tmp_path / "boats/dataset_info.json").unlink()
    assert len(rows(tmp_path, paths=["boats"])) == 3


def test_a_saved_data_set_tells_its_splits(tmp_path):
    datasets = pytest.importorskip("datasets")
    both = {
        name: datasets.Dataset.from_list([{"text": f"In {name}."}]) for name in ("train", "odd")
    }
    datasets.DatasetDict(both).save_to_disk(tmp_path / "saved")
    put(tmp_path, "saved/README.md", "A card.")
    assert [meta(row)["split"] for row in rows(tmp_path, paths=["saved"])] == ["train", "odd"]
    assert [meta(row)["split"] for row in rows(tmp_path, paths=["saved/train"])] == ["train"]


def test_a_data_set_is_a_folder_of_the_workspace(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    put(tmp_path, "run/data/boats/train.jsonl", LINE)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    source = {"paths": (), "dataset": {"name": "data/boats"}}
    (row,) = rows(tmp_path / "run", **source)
    assert (texts([row]), row.source, row.origin) == (["A boat."], "boats", "data/boats/train:1")
    assert meta(row) == {"split": "train"}
    spec = [SourceSpec.model_validate(source)]
    (before,) = find(spec, tmp_path / "run")
    put(tmp_path, "run/data/boats/train.jsonl", LINE * 2)
    (after,) = find(spec, tmp_path / "run")
    assert (before.size, after.size) == (len(LINE), 2 * len(LINE))
    for name in ("./data/boots", str(tmp_path / "none")):
        with pytest.raises(DataError, match="no folder") as caught:
            find([SourceSpec.model_validate({"dataset": {"name": name}})], tmp_path / "run")
        assert "relative to the workspace" in caught.value.hint
