"""Hostile files: no row or file costs more than itself, and none costs the square of its length."""

import json
import os
import sqlite3
from time import process_time

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from curate import tokens
from curate.cards.licenses import spdx
from curate.clean.instruments.licenses import allowed
from curate.errors import DataError, RecipeError
from curate.sources.keys import without_key
from curate.sources.readers.html import MOST_ATTRIBUTES, main_text
from curate.sources.reading import SourceSpec, parts, read
from tests.media_made import picture

PROSE = "<p>The river was low that summer, and people walked across it to the market.</p>"


def rows(folder, **settings):
    source = SourceSpec(**{"paths": (str(folder),), **settings})
    return [row for part in parts([source], folder) for row in read(source, part, strict=False)]


def test_a_tag_of_countless_attributes_is_refused_at_once():
    tag = "<div " + " ".join(f"a{number}='b>'" for number in range(100_000)) + ">"
    began = process_time()
    with pytest.raises(ValueError, match="more than 1,000 attributes"):
        main_text(f"<html><body>{tag}{PROSE * 5}</div></body></html>")
    assert process_time() - began < 5


@pytest.mark.parametrize(
    "start",
    [
        "<div class='" + "a " * 2000 + "'>",
        '<script>if (a<b) {"' + " c = d;" * 2000 + '"}</script>',
        "<div " + " ".join(f"a{number}" for number in range(MOST_ATTRIBUTES - 1)) + ">",
        "<br/>" * 2000,
    ],
)
def test_what_only_looks_like_attributes_is_read(start):
    assert main_text(f"<html><body>{start}{PROSE * 5}</body></html>")


def test_a_wide_table_does_not_repeat_its_columns_in_each_reason(tmp_path):
    names = ",".join(f"column_{number}" for number in range(2000))
    (tmp_path / "wide.csv").write_text(names + "\n" + "x\n" * 5000)
    (tmp_path / "wide.jsonl").write_text(
        (json.dumps({f"{name}_{'x' * 50}": 1 for name in names.split(",")}) + "\n") * 20
    )
    began = process_time()
    bad = rows(tmp_path)
    assert process_time() - began < 5
    assert len(bad) == 5020
    assert max(len(row.reason) for row in bad) <= 301
    assert bad[0].reason == "not as many cells as columns"
    assert bad[-1].reason.startswith("no column text (there are: column_0_x")


BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 9)}]\n" for level in range(1, 9)
)


@pytest.mark.parametrize(
    "front",
    [
        "---\nday: !!timestamp x\n---\n",
        "---\nn: !!int ''\n---\n",
        "---\nyes: !!bool x\n---\n",
        "---\nn: !!float x\n---\n",
        f"---\n{BOMB}---\n",
        "---\na: &a [*a]\n---\n",
        f"---\na: {'[' * 50_000}\n---\n",
        f"+++\n{'a.' * 20_000}b = 1\n+++\n",
        f"---\n{'- ' * 50_000}x\n---\n",
        f"---\n{'? ' * 20_000}x\n---\n",
        f"---\n{'a: b' + chr(10) * 70_000}---\n",
    ],
)
def test_front_matter_that_cannot_be_read_stays_in_the_text(front, tmp_path):
    (tmp_path / "page.md").write_text(f"{front}hello")
    (tmp_path / "other.md").write_text("---\ntitle: Tea\n---\nhello")
    began = process_time()
    other, page = rows(tmp_path)
    assert process_time() - began < 5
    assert page.fields == (("text", f"{front}hello"),)
    assert other.meta == '{"title": "Tea", "path": "other.md"}'


def test_front_matter_whose_keys_are_no_names_is_one_bad_row(tmp_path):
    (tmp_path / "a.md").write_text("---\ndays:\n  2020-01-01: x\n---\nhello")
    (tmp_path / "b.md").write_text("hello")
    bad, row = rows(tmp_path)
    assert bad.reason.startswith("its other columns are not JSON (keys must be")
    assert row.fields == (("text", "hello"),)


def _not_utf8():
    text, offsets = pa.py_buffer(b"tea\xff\xferice"), pa.array([0, 3, 5, 9], pa.int32())
    return pa.table(
        {"text": pa.Array.from_buffers(pa.string(), 3, [None, offsets.buffers()[1], text])}
    )


def test_a_row_that_is_not_utf8_costs_itself_alone(tmp_path):
    pq.write_table(_not_utf8(), tmp_path / "b.parquet")
    with pa.ipc.new_file(tmp_path / "a.arrow", _not_utf8().schema) as file:
        file.write_table(_not_utf8())
    for first, bad, last in (rows(tmp_path)[:3], rows(tmp_path)[3:]):
        assert (first.fields[0][1], last.fields[0][1]) == ("tea", "rice")
        assert (bad.row, bad.reason) == (2, "column text is not UTF-8")


def test_a_date_past_the_calendar_costs_its_row_alone(tmp_path):
    days = pa.array([0, 9_000_000], pa.int32()).cast(pa.date32())
    pq.write_table(pa.table({"text": ["tea", "rice"], "day": days}), tmp_path / "a.parquet")
    row, bad = rows(tmp_path)
    assert row.fields[0][1] == "tea"
    assert bad.reason.startswith("column day: ")


def test_links_to_nothing_and_odd_names_are_skipped(tmp_path):
    (tmp_path / "a.txt").symlink_to(tmp_path / "nothing.txt")
    (tmp_path / "b.txt").symlink_to(tmp_path / "b.txt")
    with open(os.fsencode(tmp_path) + b"/\xff.txt", "w") as file:  # noqa: PTH123
        file.write("tea")
    (tmp_path / "z.txt").write_text("tea")
    os.mkfifo(tmp_path / "y.txt")
    *skipped, row = sorted(rows(tmp_path), key=lambda row: hasattr(row, "fields"))
    assert row.fields == (("text", "tea"),)
    assert {row.reason for row in skipped} == {
        "cannot be read: No such file or directory",
        "cannot be read: Too many levels of symbolic links",
        "its name is not UTF-8",
        "a pipe, a socket or a device",
    }


@pytest.mark.parametrize("names", [["."], ["../x"], ["/etc"], [3], [["a"]], [""]])
def test_splits_are_names_of_folders(names, tmp_path):
    (tmp_path / "dataset_dict.json").write_text(json.dumps({"splits": names}))
    with pytest.raises(DataError, match="not what `datasets` saves"):
        rows(tmp_path)


@pytest.mark.parametrize("path", ["x" * 300 + ".txt", "y" * 5000, "a/" * 3000 + "*.txt"])
def test_a_path_longer_than_any_is_told(path, tmp_path):
    with pytest.raises(DataError, match="File name too long"):
        parts([SourceSpec(paths=(path,))], tmp_path)
    with pytest.raises(RecipeError, match="File name too long"):
        tokens.counter(f"{path}.json")


@pytest.mark.parametrize(
    "name", ["(" * 1000 + "MIT" + ")" * 1000, f"MIT{' ' * 100_000}AND x", "(MIT OR " * 100_000]
)
def test_a_licence_of_any_length_is_decided_at_once(name):
    began = process_time()
    assert not allowed(name, ["MIT"])
    assert spdx(name) is None
    assert process_time() - began < 1
    assert allowed("(" * 200 + "MIT" + ")" * 200, ["MIT"])


@pytest.mark.parametrize("name", ["gpt2", "p50k_base", "r50k_base", "p50k_edit"])
def test_an_encoding_that_is_not_there_is_told(name):
    with pytest.raises(RecipeError, match=f"{name} is not among the encodings") as caught:
        tokens.counter(name)
    assert "tokenizer.json" in caught.value.hint


def test_all_encodings_that_are_named_can_be_loaded():
    assert [tokens.counter(name)("soup") for name in tokens.ENCODINGS]


def test_a_query_goes_all_the_way_to_the_export_and_the_report(offline):
    with sqlite3.connect(offline.root / "reviews.db") as base:
        base.execute("create table review (text)")
        texts = [(f"The soup of house {number} was warm and good to eat.",) for number in range(30)]
        base.executemany("insert into review values (?)", texts)
    query = {"address": "sqlite:///reviews.db", "query": "select text from review"}
    offline.run("pool", sources=[{"database": query}], tokenizer="bytes")
    offline.run("clean", rules=["length"])
    offline.run("mix", budget=500)
    offline.run("export")
    offline.run("report")
    (inputs,) = json.loads((offline.root / "export" / "inputs.json").read_text())
    assert inputs["sha256"] is None
    assert "reviews.db" in (offline.root / "export" / "README.md").read_text()
    assert "Inputs: reviews.db." in (offline.root / "report.html").read_text()


KEY = "Zq7Rk2"


@pytest.mark.parametrize(
    "address",
    [
        f"https://store.net/a.csv?sig={KEY}",
        f"https://store.net/a.csv?sv=2024&SIG={KEY}",
        f"https://store.net/a.csv?%73ig={KEY}",
        f"https://store.net/a.csv?auth={KEY}",
        f"https://store.net/a.csv?credential={KEY}",
        f"https://store.net/a.csv?X-Amz-Signature={KEY}",
        f"https://store.net/a.csv#access_token={KEY}",
        f"https://store.net/a.csv?u={KEY}A9d3F0b8Xw1Lm5Tn",
        f"mssql://host/db;UID=a;PWD={KEY}",
        f"mssql+pyodbc:///?odbc_connect=DRIVER%3Dx%3BUID%3Da%3BPWD%3D{KEY}",
        f"mssql+pyodbc:///?odbc_connect=DRIVER%253Dx%253BPWD%253D{KEY}",
        f"https://{KEY}@store.net/a.csv",
        f"s3://{KEY}@bucket/a.csv",
        f"postgresql://anna:{KEY}/x@host/db",
        f"postgresql://anna:{KEY}#x@host/db",
        f"postgresql://anna:{KEY}?x@host/db",
        f"postgresql://anna:{KEY}@x@host/db",
        f"postgresql://anna:12/{KEY}@host/db",
        f"postgresql://anna:${{PASSWORD}}{KEY}@host/db",
        *(
            f"https://store.net/a.csv?{name}={KEY}"
            for name in ("session", "PHPSESSID", "cookie", "otp", "x-pin", "tok", "upw", "ticket")
        ),
        f"https://store.net/a.csv?authorization={KEY}",
        f"https://store.net/a.csv?next=https://anna:{KEY}@other.net/",
        f"https://store.net/a.csv?next=https%3A%2F%2Fanna%3A{KEY}%40other.net%2F",
        f"https://store.net/a.csv?to=%3Ftoken%3D{KEY}",
        f'https://store.net/a.csv?filter={{"token": "{KEY}"}}',
        f"https://store.net/a.csv?id=hf_{KEY}abcdefghijkl",
        f"https://store.net/bot1234567:{KEY}_abcdefghijklmnopq/a.csv",
        f"https://store.net/eyJhbGciOi.{KEY}J9.SflKxwRJ/a.csv",
        f"anna:{KEY}@store.net/a.csv",
        f"//anna:{KEY}@store.net/a.csv",
        f"Server=host;Uid=anna;Pwd={KEY}",
        f"anna:{KEY}@10.0.0.7/a.csv",
        f"anna:{KEY}@store:9000/a.csv",
        f"anna:{KEY}@localhost/a.csv",
        f"data/sk-{KEY}b8Xw1Lm5TnA9d3F0Qe/a.csv",
        f"data/sk-proj-part_{KEY}b8Xw1Lm5TnA9d3F0Qe/a.csv",
        f"data/hf_{KEY.replace('7', 'j').replace('2', 'W')}bYhXwsLmuTnAldqFeQhVfRtYkW/a.csv",
        f"s3://bucket/ghp_{KEY}b8Xw1Lm5TnA9d3F0Qeb8Xw1Lm5TnA9/a.csv",
        f"https://store.net/a.csv?session_id={KEY}",
        f"https://store.net/a.csv?access={KEY}b8Xw1",
        f"https://store.net/a.csv?mac={KEY.lower()}f09b3c",
        f"postgresql://host/db?options=-c%20password%3D{KEY}",
    ],
)
def test_a_key_in_any_part_of_an_address_is_refused_unseen(address):
    from curate.spec import validated

    is_database = address.startswith(("postgresql", "mssql"))
    query = {"database": {"address": address, "query": "select 1"}}
    with pytest.raises(RecipeError, match=r"an address holds a key.*\$\{PASSWORD\}") as caught:
        validated(SourceSpec, query if is_database else {"paths": [address]}, where="recipe.yaml")
    assert KEY not in f"{caught.value} {caught.value.hint}"


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://reader@host/db",
        "postgresql://reader:${PASSWORD}@host:5432/db?sslmode=require",
        "postgresql://host/db?password=${PASSWORD}",
        "mssql+pyodbc://host/db?driver=ODBC+Driver+18+for+SQL+Server&PWD=${PWD}",
        "mongodb://host/db?authSource=admin",
        "mysql://host/db?charset=utf8mb4&ssl_ca=/etc/ssl/certs/ca-bundle-2024.pem",
        "sqlite:///data/a@b.db?mode=ro",
    ],
)
def test_an_address_without_a_key_passes(address):
    assert without_key(address, names_user=True) == address


@pytest.mark.parametrize(
    "address",
    [
        "s3://bucket/year=2024/part-?.jsonl?region=eu-central-1&endpoint_override=host:9000",
        "s3://bucket:9000/user@example/a.jsonl",
        "https://${TOKEN}@store.net/a.csv?sig=${SIG}",
        "data/a=b?.csv",
        "data/pass=1/token=2/part.parquet",
        "data/a:b/c@d.txt",
        "https://store.net/authors/monkeys.csv?author=ann&tokenizer=gpt2&keyword=tea&passage=3",
        "https://web.archive.net/web/2020/https://store.net/a@b.csv",
        "https://store.net/resolve/0123456789abcdef0123456789abcdef01234567/a.csv",
        "https://store.net/a.csv?next=https://other.net/b&session=${SESSION}",
        "corpora/sk-wikipedia-20200101.jsonl",
        "s3://bucket/sk-web_crawl_2020/part.jsonl",
        "/data/hf_datasets_cache/c4.jsonl",
        "hf_finetune_data_v2/train.jsonl",
        "models/hf_FineWebEdu10BTokens/a.jsonl",
        "s3://AIzawa-speech-corpus/x.jsonl",
        "https://x.blob.core.windows.net/c/a.jsonl?api-version=2021-08-06",
        "https://store.net/a.csv?api-version=2024-05-01-preview&api=v2",
        "https://store.net/a.csv?access=public&session=3&mac=arm64&pin=top&ticket=812&cookies=off",
        "https://store.net/a.csv?session=spring2024&sid=17",
        "notes:v2@final/part.jsonl",
        "notes:v2@v1.5/part.jsonl",
        "notes:v2@final.jsonl",
        "anna:${PASSWORD}@store.net/a.csv",
        "data/task-sk-translation-pairs.jsonl",
        "my/sk-learn-datasets-big.jsonl",
    ],
)
def test_an_address_of_a_store_without_a_key_passes(address):
    assert without_key(address) == address


@pytest.mark.parametrize(
    "rest", ["a" * 20_000, "?a=%20" * 4000, "-eyJaaaaa" * 3000, "a.b+" * 6000, "?next=a://" * 2000]
)
def test_a_long_address_is_read_in_linear_time(rest):
    began = process_time()
    assert without_key(f"https://h/{rest}") == f"https://h/{rest}"
    assert process_time() - began < 1


def test_links_that_leave_the_folder_are_not_followed(tmp_path):
    (tmp_path / "secret.txt").write_text("the secret")
    (tmp_path / "private").mkdir()
    (tmp_path / "private" / "more.txt").write_text("more secrets")
    folder = tmp_path / "cloned"
    (folder / "sub").mkdir(parents=True)
    (folder / "real.txt").write_text("tea")
    (folder / "config.txt").symlink_to(tmp_path / "secret.txt")
    (folder / "up.txt").symlink_to("../secret.txt")
    (folder / "sub" / "same.txt").symlink_to("../real.txt")
    (folder / "away").symlink_to(tmp_path / "private")
    for path in ("cloned", "cloned/**/*.txt", "cloned/*/*.txt"):
        source = SourceSpec(paths=(path,))
        read_rows = [
            row for part in parts([source], tmp_path) for row in read(source, part, strict=False)
        ]
        assert "secret" not in str([getattr(row, "fields", "") for row in read_rows])
        assert any(getattr(row, "fields", None) == (("text", "tea"),) for row in read_rows)
        if "*/*" not in path:
            reasons = [row.reason for row in read_rows if not hasattr(row, "fields")]
            assert reasons == ["a link that leaves the folder"] * 3


def test_an_image_outside_of_the_folder_is_refused(tmp_path):
    (tmp_path / "secret.png").write_bytes(b"secret")
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "in.png").write_bytes(picture())
    (folder / "link.png").symlink_to(tmp_path / "secret.png")
    names = ["in.png", "../secret.png", "link.png", str(tmp_path / "secret.png"), "x" * 300]
    (folder / "a.jsonl").write_text("".join(json.dumps({"image": name}) + "\n" for name in names))
    good, *bad = rows(
        folder, format="jsonl", paths=(str(folder / "a.jsonl"),), media={"image": "image"}
    )
    assert good.media[0]["bytes"] == len(picture())
    assert [row.reason for row in bad[:3]] == ["the file is outside the table's folder"] * 3
    assert bad[3].reason == "the file cannot be read: File name too long"


@pytest.mark.parametrize("statement", ["delete from review", "create table x (y)"])
def test_a_query_cannot_write(statement, tmp_path):
    with sqlite3.connect(tmp_path / "a.db") as base:
        base.execute("create table review (text)")
        base.execute("insert into review values ('tea')")
    before = (tmp_path / "a.db").read_bytes()
    source = SourceSpec(database={"address": "sqlite:///a.db", "query": statement})
    with pytest.raises(DataError, match="readonly"):
        [row for part in parts([source], tmp_path) for row in read(source, part, strict=False)]
    assert (tmp_path / "a.db").read_bytes() == before
