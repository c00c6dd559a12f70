"""Formats of shards: each opens with its own library and holds what was written."""

import gzip
import json

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers

from curate import tokens
from curate.errors import RecipeError
from curate.export.formats import FORMATS, TokenIds, read_shard
from curate.export.formats.token_ids import byte_letters, encoder
from curate.export.formats.tokens import documents_of, index_path

ROWS = [
    {
        "id": "a",
        "text": "One “plum”\nand a\ttab.",
        "copy": 1,
        "labels": {"mood": {"value": "good"}},
    },
    {"id": "b", "text": "茶 😀 \u2028", "copy": 1, "labels": None},
    *({"id": f"n{n}", "text": f"{n} " * (n % 20), "copy": 1, "labels": None} for n in range(2100)),
]
SCHEMA = pa.schema(
    [
        *(("id", pa.string()), ("text", pa.string()), ("copy", pa.int32())),
        ("labels", pa.struct([("mood", pa.struct([("value", pa.string())]))])),
    ]
)
TABLE = pa.Table.from_pylist(ROWS, SCHEMA)


def written(format, path):
    """Write the rows in parts of different sizes."""
    with format.writing(path, SCHEMA) as write:
        write(TABLE.slice(0, 1))
        write(TABLE.slice(1, 1500))
        write(TABLE.slice(1501))
    return path


@pytest.mark.parametrize("name", FORMATS)
def test_what_was_written_is_read_back_and_its_bytes_are_the_same_again(name, tmp_path):
    format = FORMATS[name]
    path = written(format, tmp_path / f"one{format.ending}")
    assert list(read_shard(path)) == ROWS
    again = written(format, tmp_path / f"other{format.ending}")
    assert again.read_bytes() == path.read_bytes()


def test_each_library_opens_its_format(tmp_path):
    import datasets

    paths = {
        name: written(format, tmp_path / f"data{format.ending}") for name, format in FORMATS.items()
    }
    assert gzip.decompress(paths["jsonl.gz"].read_bytes()) == paths["jsonl"].read_bytes()
    with pa.input_stream(str(paths["jsonl.zst"]), compression="zstd") as file:
        assert file.read() == paths["jsonl"].read_bytes()
    for name in ("jsonl", "jsonl.gz"):
        frame = pd.read_json(paths[name], lines=True, dtype={"id": str})
        assert frame["text"].tolist() == [row["text"] for row in ROWS]
    assert pd.read_parquet(paths["parquet"])["text"].tolist() == [row["text"] for row in ROWS]
    assert datasets.Dataset.from_file(str(paths["datasets"])).to_list() == ROWS
    assert paths["jsonl.gz"].read_bytes()[4:8] == bytes(4), "no time stands in it"


def test_a_shard_of_no_format_is_told(tmp_path):
    with pytest.raises(ValueError, match=r"one\.txt its suffix names no format"):
        list(read_shard(tmp_path / "one.txt"))


# ── a folder of `datasets`


def test_a_folder_is_what_datasets_itself_writes(tmp_path):
    """The same files, but for names and fingerprints, which are of the content here."""
    import datasets

    format = FORMATS["datasets"]
    files = []
    for stem in ("data-00000", "data-00001", "validation-00000"):
        path = tmp_path / "own" / format.path(stem)
        path.parent.mkdir(parents=True, exist_ok=True)
        written(format, path)
        files.append({"path": format.path(stem), "sha256": stem})
    manifest = {"files": files[:2], "validation": {"files": files[2:]}}
    format.beside(tmp_path / "own", manifest, SCHEMA)
    loaded = datasets.load_from_disk(str(tmp_path / "own"))
    assert {name: split.num_rows for name, split in loaded.items()} == {
        "train": 2 * len(ROWS),
        "validation": len(ROWS),
    }
    assert loaded["train"].to_list() == ROWS + ROWS
    loaded.save_to_disk(str(tmp_path / "theirs"))
    own, theirs = (
        {
            path.relative_to(folder).as_posix(): json.loads(path.read_text())
            for path in folder.rglob("*.json")
        }
        for folder in (tmp_path / "own", tmp_path / "theirs")
    )
    for state in ("train/state.json", "validation/state.json"):
        for side in (own, theirs):
            assert len(side[state].pop("_fingerprint")) == 16
            side[state].pop("_data_files")
    assert own == theirs
    (shard, *_) = sorted((tmp_path / "theirs" / "train").glob("*.arrow"))
    one = pa.ipc.open_stream(tmp_path / "own" / "train" / "data-00000.arrow")
    other = pa.ipc.open_stream(shard)
    assert one.schema.equals(other.schema, check_metadata=True)
    assert [batch.num_rows for batch in one] == [1, 1000, 500, 601]


def test_a_group_is_a_split():
    path = FORMATS["datasets"].path
    assert path("data-00003-late") == "train/data-00003-late.arrow"
    assert path("late/00-web/data-00003") == "late/00-web/data-00003.arrow"
    assert path("validation-00000") == "validation/validation-00000.arrow"


# ── token shards


def byte_level(path, **changes):
    """Save a byte-level BPE tokenizer with a few merges, and one special token."""
    letters = sorted(byte_letters())
    merges = [("h", "e"), ("l", "l"), ("he", "ll"), ("hell", "o")]
    words = [*letters, *("".join(pair) for pair in merges)]
    model = Tokenizer(models.BPE({word: n for n, word in enumerate(words)}, merges))
    model.pre_tokenizer = changes.get("cut", pre_tokenizers.ByteLevel(add_prefix_space=False))
    model.decoder = decoders.ByteLevel()
    if "normalizer" in changes:
        model.normalizer = changes["normalizer"]
    model.add_special_tokens(["<|end|>"])
    model.enable_truncation(5)
    model.save(str(path))
    return str(path)


@pytest.mark.parametrize(
    ("tokenizer", "end", "dtype", "id"),
    [
        ("bytes", None, "<u2", None),
        ("bytes", 256, "<u2", 256),
        ("bytes", 65_535, "<u2", 65_535),
        ("bytes", 65_536, "<u4", 65_536),
        ("o200k_base", "<|endoftext|>", "<u4", 199_999),
        ("cl100k_base", "<|endoftext|>", "<u4", 100_257),
        ("own.json", "<|end|>", "<u2", 260),
    ],
)
def test_ids_are_those_of_the_tokenizer(tokenizer, end, dtype, id, tmp_path):
    if tokenizer.endswith(".json"):
        tokenizer = byte_level(tmp_path / tokenizer)
    ids = TokenIds.of(tokenizer, end)
    assert (ids.dtype, ids.end) == (dtype, id)
    path = written(ids.format, tmp_path / "data.bin")
    count, known = tokens.counter(tokenizer), encoder(tokenizer)
    own = [] if id is None else [id]
    documents = [document.tolist() for document in documents_of(path, dtype)]
    assert len(documents) == len(ROWS)
    for row, document in zip(ROWS, documents, strict=True):
        assert len(document) == count(row["text"]) + len(own)
        assert document[len(document) - len(own) :] == own
        assert known.decode(document[: len(document) - len(own)]) == row["text"]
    whole = np.fromfile(path, dtype).tolist()
    assert whole == [id for document in documents for id in document]
    ends = np.fromfile(index_path(path), "<u8")
    assert ends.tolist() == [0, *np.cumsum([len(document) for document in documents]).tolist()]


def test_a_special_token_in_a_text_stays_text_and_a_long_text_whole(tmp_path):
    """No document can end another one, and no limit of a tokenizer cuts it."""
    path = byte_level(tmp_path / "own.json")
    for tokenizer in (path, "o200k_base"):
        known = encoder(tokenizer)
        text = "hello <|end|> <|endoftext|> " + "hello " * 20
        assert not {*known.special.values()} & {*known.encode(text)}
        assert known.decode(known.encode(text)) == text
        assert tokens.counter(tokenizer)(text) == len(known.encode(text)) > 20


def test_a_token_that_is_not_there_is_told(tmp_path):
    with pytest.raises(RecipeError, match=r"has no special token <\|end\|>") as caught:
        TokenIds.of("o200k_base", "<|end|>")
    assert "<|endoftext|>" in caught.value.hint
    with pytest.raises(RecipeError, match="no special token <s>") as caught:
        TokenIds.of("bytes", "<s>")
    assert caught.value.hint == "there are none; or give the number of a token"


@given(st.text(max_size=40))
def test_what_claims_to_be_exact_is(tmp_path_factory, text):
    path = byte_level(tmp_path_factory.mktemp("exact") / "own.json")
    for tokenizer in ("bytes", "o200k_base", path):
        known = encoder(tokenizer)
        assert known.exact
        assert known.decode(known.encode(text)) == text


@pytest.mark.parametrize(
    "changes",
    [
        {"normalizer": normalizers.Lowercase()},
        {"cut": pre_tokenizers.ByteLevel(add_prefix_space=True)},
        {
            "cut": pre_tokenizers.Sequence(
                [
                    pre_tokenizers.Split(" ", "removed"),
                    pre_tokenizers.ByteLevel(add_prefix_space=False),
                ]
            )
        },
    ],
)
def test_what_changes_a_text_is_not_exact(changes, tmp_path):
    known = encoder(byte_level(tmp_path / "own.json", **changes))
    assert not known.exact
    assert known.decode(known.encode("Hello  you")) != "Hello  you"


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda ends: ends[1:], "does not begin with 0"),
        (lambda ends: ends[:-1], "ends before the shard does"),
        (lambda ends: [*ends[:-1], ends[-1] + 1], "leaves the shard"),
        (lambda ends: [ends[0], ends[2], ends[1], *ends[3:]], "leaves the shard"),
    ],
)
def test_a_damaged_index_is_found(damage, words, tmp_path):
    path = written(TokenIds.of("bytes", None).format, tmp_path / "data.bin")
    ends = np.fromfile(index_path(path), "<u8").tolist()
    np.array(damage(ends), "<u8").tofile(index_path(path))
    with pytest.raises(ValueError, match=words):
        list(documents_of(path, "<u2"))
