"""Files of rows: lists of JSON, CSV of any delimiter, columns of one name, optional fields."""

import bz2
import gzip
import json
import lzma
from functools import partial

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import feather

from curate.errors import DataError
from curate.sources.source_spec import SourceSpec
from curate.sources.templates import without_fields
from tests.test_sources import everything, meta, parquet, put, rows, texts

gzipped = partial(gzip.compress, mtime=0)
"""Without the time of day, which would stand in the ids of tests."""

BOATS = [{"text": "A red boat.", "n": 1}, {"text": "Zwölf Boote.", "n": 2}]
LINES = "".join(json.dumps(row) + "\n" for row in BOATS)


# ── JSON that is no lines


@pytest.mark.parametrize(
    ("name", "data"),
    {
        "a.json": json.dumps(BOATS),
        "pretty.json": json.dumps(BOATS, indent=2, ensure_ascii=False),
        "bom.json": ("\ufeff" + json.dumps(BOATS)).encode(),
        "wide.json": json.dumps(BOATS, ensure_ascii=False).encode("utf-16"),
        "packed.json.gz": gzipped(json.dumps(BOATS).encode()),
        "under.json": json.dumps({"version": 2, "data": BOATS, "more": [1]}, indent=1),
        "lines.json": LINES,
        "lines.json.gz": gzipped(LINES.encode()),
        "lines.json.xz": lzma.compress(LINES.encode()),
        "called.jsonl": json.dumps(BOATS),
        "called.jsonl.bz2": bz2.compress(json.dumps(BOATS, indent=1).encode()),
        "values.json": "\n\n".join(json.dumps(row, indent=1) for row in BOATS),
        "lists.json": "".join(json.dumps([row]) for row in BOATS),
    }.items(),
)
def test_a_list_of_rows_is_rows(tmp_path, name, data):
    put(tmp_path, f"data/{name}", data)
    found = rows(tmp_path)
    assert texts(found) == [row["text"] for row in BOATS]
    assert [meta(row)["n"] for row in found] == [1, 2]
    assert [row.origin for row in found] == [f"data/{name}:1", f"data/{name}:2"]


def test_a_file_that_is_one_object_is_one_row(tmp_path):
    row = {"text": "A red boat.", "data": [1, 2], "items": [], "rows": "none"}
    put(tmp_path, "data/a.json", json.dumps(row, indent=1))
    (found,) = rows(tmp_path)
    assert texts([found]) == ["A red boat."]
    assert meta(found) == {"data": [1, 2], "items": [], "rows": "none"}


def test_splits_as_keys_of_one_object_are_columns(tmp_path):
    put(tmp_path, "data/a.json", json.dumps({"train": BOATS[:1], "dev": BOATS[1:]}))
    assert [meta(row)["split"] for row in rows(tmp_path)] == ["train", "validation"]


@pytest.mark.parametrize("key", ["conversations", "data", None])
def test_a_list_of_chats_is_told_from_one_chat(tmp_path, key):
    chat = {"field": "conversations", "role": "from", "content": "value"}
    talks = [{"conversations": [{"from": "human", "value": word}]} for word in ("a", "b")]
    whole = {key: talks} if key else talks
    put(tmp_path, "data/a.json", json.dumps(whole))
    put(tmp_path, "data/b.json", json.dumps(talks[0], indent=1))
    assert texts(rows(tmp_path, chat=chat)) == ["human: a", "human: b", "human: a"]


def test_a_list_that_breaks_off_keeps_what_came_before(tmp_path):
    data = json.dumps(BOATS)
    for number, bad in enumerate((data[:-1], data[:-9], data[:-1] + ", oops]", data + "}")):
        put(tmp_path, f"data/{number}.json", bad)
    put(tmp_path, "data/words.json", '[{"text": "fine"}, 5, "six", {"text": "too"}]')
    found, bad = everything(tmp_path, strict=False)
    assert [row.origin for row in found] == [
        *("data/0.json:1", "data/0.json:2", "data/1.json:1", "data/2.json:1", "data/2.json:2"),
        *("data/3.json:1", "data/3.json:2", "data/words.json:1", "data/words.json:4"),
    ]
    assert [each.reason.partition(" (")[0] for each in bad] == [
        "after row 2: it ends too early",
        *("after row 1: not JSON", "after row 2: not JSON", "after row 2: not JSON"),
        *("not a JSON object", "not a JSON object"),
    ]


def test_a_long_list_is_read_a_row_at_a_time(tmp_path):
    put(tmp_path, "data/a.json", json.dumps([{"text": f"Boat {n}. " * 50} for n in range(9000)]))
    found, bad = everything(tmp_path, max_bytes=2000)
    assert (len(found), bad) == (9000, [])
    put(tmp_path, "data/a.json", json.dumps([{"text": "A boat."}, {"text": "x" * 3_000_000}]))
    found, bad = everything(tmp_path, strict=False, max_bytes=2000)
    assert texts(found) == ["A boat."]
    assert bad[0].reason == "after row 1: longer than max_bytes (2000)"


@pytest.mark.parametrize("name", ["lines.json", "list.json", "list.jsonl"])
def test_large_files_are_cut_where_rows_end(tmp_path, name):
    boats = [{"text": f"Boat {n}.", "more": "x" * 50} for n in range(200)]
    lines = "".join(json.dumps(row) + "\n" for row in boats)
    put(tmp_path, f"data/{name}", lines if "lines" in name else json.dumps(boats, indent=1))
    found, bad = everything(tmp_path, size=2000)
    assert texts(found) == [row["text"] for row in boats]
    assert not bad
    assert [row.origin for row in found][-1] == f"data/{name}:200"


# ── CSV


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("semicolon.csv", 'text;n\n"A boat; red, and new";1,5\nA pier, old;2\n'),
        ("tab.csv", "text\tn\nA boat; red, and new\t1,5\nA pier, old\t2\n"),
        ("pipe.csv", "text|n\nA boat; red, and new|1,5\nA pier, old|2\n"),
        ("comma.csv", 'text,n\n"A boat; red, and new","1,5"\n"A pier, old",2\n'),
        ("excel.csv", "\ufeffsep=|\r\ntext|n\r\nA boat; red, and new|1,5\r\nA pier, old|2\r\n"),
        ("semicolon.tsv", "text;n\nA boat| red, and new;1,5\n"),
    ],
)
def test_a_delimiter_is_found(tmp_path, name, data):
    put(tmp_path, f"data/{name}", data)
    found = rows(tmp_path)
    assert texts(found)[0].startswith("A boat")
    assert meta(found[0])["n"] == "1,5"


def test_a_delimiter_may_be_declared(tmp_path):
    put(tmp_path, "data/a.csv", "text,x;n,y\nA boat,red;1,2\n")
    assert [*meta(rows(tmp_path)[0])] == ["x;n", "y"]
    (row,) = rows(tmp_path, text="text,x", delimiter=";")
    assert (texts([row]), meta(row)) == (["A boat,red"], {"n,y": "1,2"})
    for wrong in ("", ";;", '"', "\n"):
        with pytest.raises(ValueError, match=r"delimiter|empty|at least 1"):
            SourceSpec.model_validate({"paths": ["a.csv"], "delimiter": wrong})


def test_a_text_with_marks_in_one_column_stays_one(tmp_path):
    put(tmp_path, "data/a.csv", 'text\n"One; two; three"\n"Four | five"\n')
    assert texts(rows(tmp_path)) == ["One; two; three", "Four | five"]


def test_columns_without_a_name_are_told_apart(tmp_path):
    put(tmp_path, "data/a.csv", ",text,,\n1,A boat.,2,3\n")
    (row,) = rows(tmp_path)
    assert meta(row) == {"column 1": "1", "column 3": "2", "column 4": "3"}


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.csv", "text,n,text\na,b,c\n"),
        ("a.tsv", "text\ttext\na\tb\n"),
        (
            "a.parquet",
            parquet(pa.Table.from_arrays([pa.array(["a"]), pa.array(["b"])], ["text"] * 2)),
        ),
    ],
    ids=["csv", "tsv", "parquet"],
)
def test_two_columns_of_one_name_are_refused(tmp_path, name, data):
    put(tmp_path, f"data/{name}", data)
    put(tmp_path, "data/b.jsonl", LINES)
    with pytest.raises(DataError, match="two columns are called text"):
        everything(tmp_path)
    found, bad = everything(tmp_path, strict=False)
    assert (len(found), len(bad)) == (2, 1)


def test_two_columns_of_one_name_in_a_query_are_refused(tmp_path):
    import sqlite3
    from contextlib import closing

    with closing(sqlite3.connect(tmp_path / "a.db")) as base, base:
        base.execute("create table boat (id, text)")
        base.execute("insert into boat values (1, 'A boat.')")
    query = "select a.id, b.id, b.text from boat a, boat b"
    about = {"address": "sqlite:///a.db", "query": query}
    with pytest.raises(DataError, match="two columns are called id"):
        everything(tmp_path, paths=(), database=about)


def test_a_map_of_arrow_is_a_mapping(tmp_path):
    pairs = pa.array([[("lang", "en"), ("url", "x")]], pa.map_(pa.string(), pa.string()))
    put(tmp_path, "data/a.parquet", parquet(pa.table({"text": ["A boat."], "about": pairs})))
    (row,) = rows(tmp_path, language={"field": "about.lang"})
    assert row.language == "en"
    assert meta(row) == {"about": {"url": "x"}}


@pytest.mark.parametrize("packed", [".bz2", ".xz"])
@pytest.mark.parametrize("name", ["a.jsonl", "a.csv"])
def test_bz2_and_xz_in_several_streams(tmp_path, name, packed):
    pack = {".bz2": bz2.compress, ".xz": lzma.compress}[packed]
    data = LINES if name == "a.jsonl" else "text,n\nA red boat.,1\nZwölf Boote.,2\n"
    half = len(data) // 2
    put(tmp_path, f"data/{name}{packed}", pack(data[:half].encode()) + pack(data[half:].encode()))
    assert texts(rows(tmp_path)) == [row["text"] for row in BOATS]
    big = pack("".join(f'{{"text": "Boat {n}."}}\n' for n in range(9999)).encode())
    put(tmp_path, f"data/{name}{packed}", big[:-20])
    put(tmp_path, f"data/z.txt{packed}", b"nothing of the kind")
    found, bad = everything(tmp_path, strict=False, format="jsonl")
    assert [each.file.rpartition("/")[2] for each in bad] == [f"{name}{packed}", f"z.txt{packed}"]
    assert packed == ".bz2" or len(found) > 9000


# ── optional fields

ALPACA = {"ask": "instruction", "with": {"from": "input", "optional": True}, "say": "output"}
SHOWN = "### Ask:\n{ask}\n\n### With:\n{with}\n\n### Say:\n{say}"


def test_optional_fields_are_left_out_with_their_heading(tmp_path):
    told = [{"input": "a boat"}, {"input": ""}, {"input": None}, {}, {"input": float("nan")}]
    data = "".join(
        json.dumps({"instruction": "Draw.", **more, "output": "Done."}) + "\n" for more in told
    )
    put(tmp_path, "data/a.jsonl", data)
    whole, *others = rows(tmp_path, fields=ALPACA, template=SHOWN)
    assert texts([whole]) == ["### Ask:\nDraw.\n\n### With:\na boat\n\n### Say:\nDone."]
    assert set(texts(others)) == {"### Ask:\nDraw.\n\n### Say:\nDone."}
    assert len(others) == 4
    assert [name for name, _ in others[0].fields] == ["ask", "say"]
    assert {row.meta for row in others} == {None}
    plain = rows(tmp_path, fields=ALPACA)
    assert texts(plain)[0] == "Draw.\n\na boat\n\nDone."
    assert set(texts(plain)[1:]) == {"Draw.\n\nDone."}


def test_a_row_needs_the_fields_that_are_not_optional(tmp_path):
    put(tmp_path, "data/a.jsonl", json.dumps({"instruction": None, "input": "x", "output": "y"}))
    _, (bad,) = everything(tmp_path, strict=False, fields=ALPACA)
    assert bad.reason == "column instruction holds NoneType, not text"
    fields = {"a": {"from": "input", "optional": True}, "b": {"from": "z", "optional": True}}
    put(tmp_path, "data/a.jsonl", json.dumps({"input": ""}))
    _, (bad,) = everything(tmp_path, strict=False, fields=fields)
    assert bad.reason == "every field is empty: a, b"


def test_optional_fields_travel_as_settings():
    spec = SourceSpec.model_validate({"paths": ["a.jsonl"], "fields": ALPACA})
    assert spec.settings()["fields"] == ALPACA
    assert SourceSpec.model_validate(spec.settings()) == spec
    assert spec.optional == {"with"}


@pytest.mark.parametrize(
    ("template", "absent", "left"),
    [
        ("Q: {a}\nA: {b}", "a", "A: {b}"),
        ("Q: {a}\nA: {b}", "b", "Q: {a}"),
        ("Read this.\n\nQ: {a}\n\nA: {b}", "a", "Read this.\n\nA: {b}"),
        ("<q>{a}</q>\n<i>{b}</i>\n<o>{c}</o>", "b", "<q>{a}</q>\n<o>{c}</o>"),
        ("<q>{a}</q>\n<i>{b}</i>\n<o>{c}</o>", "c", "<q>{a}</q>\n<i>{b}</i>"),
        ("{a} {b} {{c}}", "b", "{a}"),
        ("{{x}} {a}\n{b}\n", "b", "{{x}} {a}\n"),
    ],
)
def test_what_is_left_of_a_template(template, absent, left):
    assert without_fields(template, frozenset({absent})) == left


def test_short_cells_of_one_source_are_no_limit_of_another(tmp_path):
    """Python has one limit of cells for a process."""
    put(tmp_path, "data/a.csv", b"text\ntea\n" + b"x" * 50 + b"\n")
    found, bad = everything(tmp_path, strict=False, max_bytes=20)
    assert texts(found) == ["tea"]
    assert [(row.row, row.reason) for row in bad] == [(3, "longer than max_bytes (20)")]
    (tmp_path / "data" / "a.csv").unlink()
    put(tmp_path, "data/b.csv", f"no;text\n1;{'y' * 90}\n2;{'z' * 90}\n".encode())
    assert texts(rows(tmp_path)) == ["y" * 90, "z" * 90]


def test_objects_over_several_lines_are_rows_under_any_name(tmp_path):
    row = '{\n  "text": "%s",\n  "n": {"m": 1}\n}\n'
    put(tmp_path, "data/a.jsonl", row % "boat" + row % "sail")
    found = rows(tmp_path)
    assert texts(found) == ["boat", "sail"]
    assert meta(found[1]) == {"n": {"m": 1}}


def test_a_number_of_countless_digits_costs_its_row(tmp_path):
    long = '{"text": "boat", "n": %s}\n' % ("7" * 5000)
    put(tmp_path, "data/a.jsonl", long + '{"text": "sail"}\n')
    found, (bad,) = everything(tmp_path, strict=False)
    assert texts(found) == ["sail"]
    assert (bad.row, bad.reason) == (1, "not JSON (a number of too many digits)")


@pytest.mark.parametrize("suffix", ["parquet", "arrow"])
def test_times_finer_than_microseconds_cost_no_row(tmp_path, suffix):
    time = 1_600_000_000_123_456_789
    stamp = pa.timestamp("ns")
    table = pa.table(
        {
            "text": ["boat"],
            "at": pa.array([time], stamp),
            "there": pa.array([time], pa.timestamp("ns", "Asia/Tokyo")),
            "trips": pa.array([[{"at": time}]], pa.list_(pa.struct([("at", stamp)]))),
            "length": pa.array([1_000_001], pa.duration("ns")),
            "hour": pa.array([3_600_000_000_001], pa.time64("ns")),
        }
    )
    path = tmp_path / f"data/a.{suffix}"
    path.parent.mkdir()
    if suffix == "parquet":
        pq.write_table(table, path)
    else:
        feather.write_feather(table, path)
    (row,) = rows(tmp_path)
    assert meta(row) == {
        "at": "2020-09-13 12:26:40.123456",
        "there": "2020-09-13 21:26:40.123456+09:00",
        "trips": [{"at": "2020-09-13 12:26:40.123456"}],
        "length": "0:00:00.001000",
        "hour": "01:00:00",
    }


def test_a_text_that_is_stored_as_bytes_is_a_text(tmp_path):
    path = tmp_path / "data/a.parquet"
    path.parent.mkdir()
    pq.write_table(pa.table({"text": ["Möwe".encode(), b"\xff\xfe", None]}), path)
    found, bad = everything(tmp_path, strict=False)
    assert texts(found) == ["Möwe"]
    assert [own.reason for own in bad] == [
        "column text holds bytes that are no UTF-8",
        "column text holds NoneType, not text",
    ]


def test_an_optional_field_of_white_space_is_left_out(tmp_path):
    rows_of = [{"ask": "Sail?", "more": more, "say": "Yes."} for more in ("", " \n", "\u3000", "x")]
    put(tmp_path, "data/a.jsonl", "".join(json.dumps(row) + "\n" for row in rows_of))
    fields = {"ask": "ask", "more": {"from": "more", "optional": True}, "say": "say"}
    found = rows(tmp_path, fields=fields)
    assert [len(row.fields) for row in found] == [2, 2, 2, 3]


def test_marks_in_a_file_of_one_column_are_of_the_text(tmp_path):
    put(tmp_path, "data/a.csv", 'text\nboats, red; blue\nsails\n"a ""quay"", a pier"\n')
    assert texts(rows(tmp_path)) == ["boats, red; blue", "sails", 'a "quay", a pier']


def test_cells_that_no_column_names_are_told(tmp_path):
    put(tmp_path, "data/a.csv", "text\nboat,1\nsail,2\n")
    found, bad = everything(tmp_path, strict=False)
    assert not found
    assert [own.reason for own in bad] == ["not as many cells as columns"] * 2
