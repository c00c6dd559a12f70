"""The export made on disk is the one made in memory, whatever the shards, pieces and workers."""

import json
import signal
from collections import Counter
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curate import storage, tables
from curate.engine import Local
from curate.errors import DataError
from curate.export import order, spilling, writing
from curate.export.formats import read_shard
from curate.export.order import Edges, Plan, find_edges, key_path, read_keys
from curate.export.quoting import joined, json_column, object_parts, quoted_column
from curate.export.verify import verify
from curate.pool import stage as pool
from tests import deadly, whole_export
from tests.conftest import Offline, copied
from tests.shards import recut

VALUES = ("bad", "good", '100 % "odd" {}')
WORDS = (
    "soup",
    "brød",
    "茶",
    'a "plum"',
    "back\\slash",
    "tab\there",
    "line\nbreak",
    "\u2028",
    "😀",
)


def texts(source, count, rng):
    return [f"{source} {n} " + " ".join(rng.choice(WORDS, 12)) for n in range(count)]


@pytest.fixture(scope="module")
def _varied(tmp_path_factory):
    offline = Offline(tmp_path_factory.mktemp("varied") / "run")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pool, "ROWS_PER_SHARD", 17)
        mixed(offline)
    return offline.root


@pytest.fixture
def varied(_varied, tmp_path):
    """A copy of that mixture."""
    return copied(_varied, tmp_path / "run")


@pytest.fixture(scope="module")
def _exported(_varied, tmp_path_factory):
    exported = copied(_varied, tmp_path_factory.mktemp("exported") / "run")
    exported.run("export", shard_documents=25, seed=0)
    return exported.root


@pytest.fixture
def exported(_exported, tmp_path):
    """A copy of that mixture and its export."""
    return copied(_exported, tmp_path / "run")


@pytest.fixture(scope="module")
def in_memory(_varied):
    """The documents of that mixture's export with seed 0, made in memory."""
    return list(whole_export.documents_of(Offline(_varied).workspace))


def mixed(offline):
    """Mix copies, edits, fields, spans, licences, qualities and labels of both kinds."""
    rng = np.random.default_rng(1)
    plain = [
        {"text": text, "license": rng.choice(["MIT", "", "CC0-1.0"])}
        for text in texts("web", 60, rng)
    ]
    masked = [f"Write to ann{n}@example.org, or call {n}: it is {n} miles." for n in range(20)]
    chats = [
        {"q": f"Ask bob{n}@example.org what is {n}, please?", "a": f"It is “{n}”, of course."}
        for n in range(20)
    ]
    offline.lines("web.jsonl", plain)
    offline.lines("mail.jsonl", masked)
    offline.lines("chat.jsonl", chats)
    sources = [
        {"paths": ["data/web.jsonl"], "license": {"field": "license"}},
        {"paths": ["data/mail.jsonl"], "license": "CC-BY-4.0"},
        {"paths": ["data/chat.jsonl"], "fields": ["q", "a"], "template": "Q: {q}\nA: {a}"},
    ]
    offline.run("pool", sources=sources, tokenizer="bytes", holdout=0.1)
    offline.run("clean", rules=["length"], privacy="mask", languages={}, near_duplicates=None)
    score(offline, rng)
    settle(offline, rng)
    offline.run("mix", groups=["source"], budget="230%", max_epochs=3)


def score(offline, rng, *, kind="choice", values=VALUES):
    """Write scores as the stage lays them out; some have no quality."""
    workspace = offline.workspace
    made = workspace.freshness.provenance(
        "score",
        offline.spec("score"),
        workspace.tables.fingerprints(("pool", "clean")),
        questions={"mood": {"kind": kind, "values": list(values)}},
    )
    with workspace.tables.building("scores", made) as folder:
        for shard in workspace.documents.shards():
            ids = shard.read(["id"])["id"]
            shares = rng.dirichlet(np.ones(len(values)), len(ids))
            shares[0] = np.eye(len(values))[0] + 5e-7 * (np.arange(len(values)) == 1)
            quality = np.where(rng.random(len(ids)) < 0.3, np.nan, shares[:, 0])
            columns = {"id": ids, "quality": pa.array(quality, from_pandas=rng.random() < 0.5)}
            columns |= {name: pa.nulls(len(ids), pa.float64()) for name in ("low", "high")}
            columns |= {name: np.zeros(len(ids), bool) for name in ("abstained", "out_of_fold")}
            columns |= {"mood": pa.array(values).take(pa.array(shares.argmax(axis=1)))}
            columns |= {f"mood:{value}": shares[:, n] for n, value in enumerate(values)}
            pq.write_table(pa.table(columns), folder / shard.name)


def settle(offline, rng, *, values=VALUES, convert=str):
    """Write labels of people: of the model's question, and spans over texts and fields."""
    rows = []
    kept = offline.workspace.documents.table(("id", "text", "fields"))
    for document in kept.to_pylist():
        if rng.random() < 0.3:
            value = str(rng.choice(values[1:]))
            shares = [(value, 0.75), (values[0], 0.25)]
            rows.append(settled(document["id"], "mood", convert(value), shares))
        if rng.random() < 0.6:
            starts = sorted(rng.integers(0, 25, 3).tolist())
            field = {"field": "q"} if document["fields"] else {}
            spans = [{"start": at, "end": at + 4, "label": "X", **field} for at in starts]
            shares = [(f"{at}:{at + 4}:X", 0.5) for at in (1, *starts)]
            open_ = {"undecided": bool(rng.random() < 0.2)}
            rows.append(settled(document["id"], "names", spans, shares, **open_))
        elif rng.random() < 0.3:
            rows.append(settled(document["id"], "names", [], []))
        elif rng.random() < 0.5:
            shares = [(value, 1 / 3) for value in values]
            rows.append(settled(document["id"], "mood", None, shares, undecided=True))
    made = offline.workspace.freshness.provenance("agree", offline.spec("agree"), {})
    offline.workspace.tables.write("labels", tables.rows("labels", rows), made)


def settled(id, question, value, posterior, *, undecided=False):
    value = None if undecided else json.dumps(value)
    row = {"id": id, "question": question, "value": value, "posterior": posterior}
    row |= {"undecided": undecided}
    return row | {"confidence": 1.0, "votes": 1, "agreement": 1.0, "method": "vote"}


def read(folder):
    """Return the manifest, and the bytes of every shard."""
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    return manifest, [(folder / entry["path"]).read_bytes() for entry in manifest["files"]]


# ── the same export as in memory


def test_the_lines_are_those_of_an_export_in_memory(varied):
    documents = list(whole_export.documents_of(varied.workspace, seed=4))
    made = varied.run("export", seed=4, shard_documents=40)
    folder = varied.root / "export"
    manifest, shards = read(folder)
    assert shards == whole_export.shards_of(documents, 40)
    assert made.content_sha256 == whole_export.content_of(documents)
    validation = manifest["validation"]["files"]
    assert (made.documents, made.files) == (len(documents), len(shards) + len(validation))
    sizes = [entry["documents"] for entry in manifest["files"]]
    assert pq.read_table(folder / "draw.parquet").to_pylist() == whole_export.draw_table(
        varied.workspace, 4, sizes
    )
    tokens = {row["id"]: row["tokens"] for row in varied.rows("clean")}
    cuts = pairwise(whole_export.cuts_of(len(documents), 40))
    for entry, (start, end) in zip(manifest["files"], cuts, strict=True):
        part = documents[start:end]
        assert entry["documents"] == len(part)
        assert entry["tokens"] == sum(tokens[document["id"]] for document in part)
    assert made.tokens == sum(entry["tokens"] for entry in manifest["files"])
    assert verify(folder).problems == ()
    assert any(document["copy"] > 1 for document in documents)
    assert any(document["fields"] and document["edited"] for document in documents)
    names = [document["labels"]["names"] for document in documents]
    assert any(label and label["unplaced"] for label in names)
    assert any(label and label["undecided"] and label["posterior"] for label in names)
    assert {document["quality"] is None for document in documents} == {True, False}


def test_parquet_holds_the_same(varied):
    varied.run("export", seed=4, shard_documents=40, format="parquet")
    documents = list(whole_export.documents_of(varied.workspace, seed=4))
    paths = sorted((varied.root / "export").glob("data-*.parquet"))
    assert [document for path in paths for document in read_shard(path)] == documents
    assert [row for path in paths for row in pq.read_table(path).to_pylist()] == documents
    assert len({str(pq.read_schema(path)) for path in paths}) == 1
    assert verify(varied.root / "export").problems == ()


def test_undecided_labels_stay_open_and_are_counted(varied):
    """No model answer takes the place of an answer that people left open."""
    varied.run("export")
    documents = list(read_shard(varied.root / "export" / "data-00000.jsonl"))
    rows = varied.rows("labels")
    undecided = {row["id"] for row in rows if row["question"] == "mood" and row["undecided"]}
    moods = [document["labels"]["mood"] for document in documents if document["id"] in undecided]
    assert len(moods) > 3
    third = dict.fromkeys(VALUES, 1 / 3)
    label = {"value": None, "posterior": third, "by": "people", "undecided": True, "window": None}
    assert moods == [label] * len(moods)
    manifest, _ = read(varied.root / "export")
    told = {row["question"]: row for row in manifest["labels"]}
    assert told["mood"]["undecided"] == len(moods)
    assert told["mood"]["kind"] == "choice"
    assert told["names"]["kind"] == "entities"
    for question in ("mood", "names"):
        labels = [document["labels"][question] for document in documents]
        by = Counter(label["undecided"] or label["by"] for label in labels if label)
        assert told[question]["people"] == by["people"] > 0
        assert told[question]["model"] == by["model"]
        assert told[question]["undecided"] == by[True] > 0
    card = (varied.root / "export" / "README.md").read_text(encoding="utf-8")
    assert f"{len(moods)} left undecided by people" in card


def test_the_card_counts_lines_by_licence_and_language(varied):
    varied.run("export")
    licenses, languages = whole_export.words_of(varied.workspace)
    manifest, _ = read(varied.root / "export")
    card = (varied.root / "export" / "README.md").read_text(encoding="utf-8")
    assert len(licenses) == 4
    copies = {row["id"]: row["copies"] for row in varied.rows("mix")}
    tokens = Counter()
    for row, verdict in zip(varied.rows("pool"), varied.rows("clean"), strict=True):
        tokens[row["license"] or "unknown"] += verdict["tokens"] * copies.get(row["id"], 0)
    total = sum(file["tokens"] for file in manifest["files"])
    assert tokens.total() == total
    rows = "".join(
        f"| {name} | {n / total:.2%} | {n:,} | {licenses[name]:,} |\n"
        for name, n in sorted(tokens.items(), key=lambda item: (-item[1], item[0]))
    )
    assert f"|--:|--:|--:|\n{rows}\n## Languages" in card
    for language, n in languages.items():
        share = n / languages.total()
        assert f"| {language or 'not known'} | {share:.2%} | {n:,} |" in card


def test_ratings_are_numbers(varied):
    score(varied, np.random.default_rng(2), kind="rating", values=("1", "2", "3"))
    settle(varied, np.random.default_rng(3), values=("1", "2.5", "3"), convert=float)
    varied.run("mix", groups=["source"], budget="60%")
    varied.run("export")
    documents = list(whole_export.documents_of(varied.workspace))
    _, shards = read(varied.root / "export")
    assert shards == whole_export.shards_of(documents, 50_000)
    moods = [document["labels"]["mood"] for document in documents]
    assert {type(label["value"]) for label in moods} == {float, type(None)}
    assert {label["by"] for label in moods} == {"people", "model"}
    assert {tuple(label["posterior"]) for label in moods} == {("1", "2", "3", "2.5")}


@pytest.mark.parametrize("piece_bytes", [1, 20_000, 16 << 20])
@pytest.mark.parametrize("shard_documents", [1, 33, 50_000])
def test_pieces_and_shards_change_no_line(
    varied, in_memory, monkeypatch, piece_bytes, shard_documents
):
    monkeypatch.setattr(order, "PIECE_BYTES", piece_bytes)
    monkeypatch.setattr(order, "AT_ONCE", 7)
    monkeypatch.setattr(spilling, "SPILLS", 3)
    made = varied.run("export", shard_documents=shard_documents)
    _, shards = read(varied.root / "export")
    assert shards == whole_export.shards_of(in_memory, shard_documents)
    assert made.content_sha256 == whole_export.content_of(in_memory)


def test_two_workers_write_the_same_bytes(varied):
    contents = []
    for workers in (1, 2):
        varied.workspace.engine = Local(workers)
        for format in ("jsonl", "parquet"):
            varied.run("export", shard_documents=25, format=format)
            files = sorted((varied.root / "export").iterdir())
            contents.append({path.name: path.read_bytes() for path in files})
        varied.workspace.engine.close()
    assert contents[:2] == contents[2:]
    assert not (varied.root / ".building" / "export-scratch").exists()


@pytest.mark.parametrize("rows", [1, 40, 1000])
def test_shards_of_the_pool_change_no_line(varied, rows):
    varied.run("export", shard_documents=30)
    before = {path.name: path.read_bytes() for path in (varied.root / "export").glob("data-*")}
    draw = pq.read_table(varied.root / "export" / "draw.parquet")
    recut(varied.workspace, rows)
    varied.run("export", shard_documents=30)
    after = {path.name: path.read_bytes() for path in (varied.root / "export").glob("data-*")}
    assert after == before
    assert pq.read_table(varied.root / "export" / "draw.parquet").equals(draw)


def test_each_document_is_read_once(varied, monkeypatch):
    """Its text is decoded once, however many shards the export has."""
    reads = []
    opened = pq.ParquetFile

    class File(opened):
        def iter_batches(self, *arguments, columns=None, **named):
            reads.extend(columns or ())
            return super().iter_batches(*arguments, columns=columns, **named)

        def read(self, columns=None, **named):
            reads.extend(columns or ())
            return super().read(columns, **named)

    monkeypatch.setattr(pq, "ParquetFile", File)
    varied.run("export", shard_documents=10)
    assert reads.count("tokens") > 3
    assert reads.count("text") == len(varied.workspace.tables.shards("pool")) > 3


def test_an_export_of_nothing_is_refused(varied):
    """An empty shard can be loaded by nothing."""
    workspace = varied.workspace
    for path in workspace.tables.shards("mix"):
        table = pq.read_table(path)
        nothing = pa.array(np.zeros(len(table), np.int64))
        pq.write_table(table.set_column(4, "copies", nothing), path)
    storage.seal(workspace.tables.folder("mix"), workspace.tables.made("mix"))
    for format in ("jsonl", "parquet"):
        with pytest.raises(DataError, match="the mixture draws no document") as caught:
            varied.run("export", format=format)
        assert "curate mix" in caught.value.hint


def test_scores_of_other_documents_are_left_out(varied):
    varied.run("clean", rules=["length"], limits={"length:chars": {"min": 70}}, languages={})
    varied.run("mix", groups=["source"], budget="50%")
    result = varied.run("export")
    assert [warning.key for warning in result.warnings] == ["export.left_out"]
    _, shards = read(varied.root / "export")
    assert b'"by": "people"' in shards[0]
    assert not any(b'"by": "model"' in shard for shard in shards)


def test_what_a_killed_export_left_is_removed(varied):
    for name in ("export", "export-scratch/spills"):
        folder = varied.root / ".building" / name
        folder.mkdir(parents=True)
        (folder / "data-00009.jsonl").write_text("left")
    varied.run("export")
    assert not (varied.root / "export" / "data-00009.jsonl").exists()
    assert not any((varied.root / ".building").iterdir())
    assert verify(varied.root / "export").problems == ()


def test_scratch_files_go_when_an_export_fails(varied, monkeypatch):
    monkeypatch.setattr("curate.export.stage._write_beside", lambda *arguments: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        varied.run("export")
    assert not (varied.root / ".building" / "export-scratch").exists()


# ── kill -9 at any moment

MOMENTS = [
    ("curate.export.drawn", "Count.__call__", 3),
    ("curate.export.stage", "find_edges", 1),
    ("curate.export.spilling", "Spill.__call__", 4),
    ("curate.export.writing", "WriteUnit.__call__", 2),
    ("curate.export.writing", "_digest", 3),
    ("curate.export.stage", "write_draw", 1),
    ("curate.storage", "write_json", 2),
    ("curate.storage", "swap", 1),
]


@pytest.mark.slow
@pytest.mark.parametrize("moment", MOMENTS, ids=lambda moment: ".".join(map(str, moment[:2])))
def test_killed_and_run_again(exported, tmp_path, moment, monkeypatch):
    folder = exported.root / "export"
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    log = tmp_path / "said.txt"
    command = ["export", "--shard-documents", 25, "--workers", 1, "-w", exported.root]
    pieces = {("curate.export.order", "PIECE_BYTES"): 9000}
    code = deadly.run(command, log, kill=moment, constants=pieces)
    assert code == -signal.SIGKILL, log.read_text(encoding="utf-8")
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    marks = Counter(path.parent.name for path in (exported.root / ".building").rglob("*.json"))
    monkeypatch.setattr(order, "PIECE_BYTES", 9000)  # as in the process that was killed
    wrote = Counter()
    monkeypatch.setattr(writing.WriteUnit, "_write", counted(wrote, writing.WriteUnit._write))
    monkeypatch.setattr(spilling.Spill, "_write", counted(wrote, spilling.Spill._write))
    exported.run("export", shard_documents=25, seed=0)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert not any((exported.root / ".building").iterdir())
    spills = len(exported.workspace.tables.shards("pool"))
    assert wrote["Spill"] == spills - marks["spills"]
    assert marks["units"] == 0 or wrote["Spill"] == 0


def counted(calls, method):
    """Return the method, which counts its calls by the name of the class."""

    def wrapped(self, *arguments):
        calls[type(self).__name__] += 1
        return method(self, *arguments)

    return wrapped


PARTS = st.lists(st.tuples(st.integers(1, 90), st.integers(1, 9)), min_size=1, max_size=4)


@given(PARTS, st.integers(1, 40))
def test_a_plan_covers_every_line_once(parts, piece_lines):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(order, "PIECE_BYTES", piece_lines * (order.BYTES_OF_A_LINE + 400))
        own = [
            (number, lines, 100 * lines, 7 * number, min(lines, shards))
            for number, (lines, shards) in enumerate(parts)
        ]
        plan = Plan.of(own)
    ends = [*plan.starts[1:], sum(lines for lines, _ in parts)]
    assert plan.starts[0] == 0
    assert all(0 < end - start <= piece_lines for start, end in zip(plan.starts, ends, strict=True))
    before = pieces = 0
    for number, (lines, shards) in enumerate(parts):
        units = [unit for unit in plan.units if unit.part == number]
        sizes = [size for unit in units for size in unit.lines]
        assert sum(sizes) == lines
        assert len(sizes) == min(lines, shards)
        assert max(sizes) - min(sizes) <= 1
        written = 0
        for unit in units:
            assert unit.first == 7 * number + written
            assert unit.pieces.start == pieces
            assert plan.starts[unit.pieces[0]] == before
            assert len(unit.lines) == 1 or len(unit.pieces) == 1
            written, pieces = written + len(unit.lines), unit.pieces.stop
            before += sum(unit.lines)
            assert ends[unit.pieces[-1]] == before
    assert pieces == len(plan.starts)


@given(st.lists(st.lists(st.integers(0, 5), max_size=12), min_size=1, max_size=6), st.data())
def test_edges_are_at_their_ranks_also_among_equal_keys(tmp_path_factory, shards, data):
    folder = tmp_path_factory.mktemp("keys")
    for number, keys in enumerate(shards):
        np.save(key_path(folder, number), np.array(keys, np.uint64))
    lines = sorted(
        (int(key), int(place))
        for number in range(len(shards))
        for key, place in zip(*read_keys(folder, number), strict=True)
    )
    ranks = sorted(
        data.draw(st.sets(st.integers(0, max(0, len(lines) - 1)), max_size=len(lines) and 8))
    )
    ranks = [rank for rank in ranks if rank < len(lines)]
    edges = find_edges(folder, range(len(shards)), ranks)
    assert list(zip(edges.keys.tolist(), edges.places.tolist(), strict=True)) == [
        lines[rank] for rank in ranks
    ]
    keys, places = (
        np.array(part, np.uint64) for part in (zip(*lines, strict=True) if lines else ((), ()))
    )
    assert edges.ends(keys, places) == [*ranks, len(lines)]


def test_no_edges_make_one_piece():
    nothing = np.zeros(0, np.uint64)
    keys = np.array([3, 5], np.uint64)
    assert Edges(nothing, nothing).ends(keys, keys) == [2]


ROWS = st.fixed_dictionaries(
    {
        "a%s": st.none() | st.text(max_size=4),
        '"数"': st.none() | st.floats(allow_nan=False, allow_infinity=False),
        "n": st.none() | st.integers(-9, 9),
        "is": st.none() | st.booleans(),
        "list": st.none() | st.lists(st.none() | st.text(max_size=3), max_size=2),
        "nothing": st.none(),
    }
)
ROW_TYPE = pa.struct(
    [
        *[("a%s", pa.string()), ('"数"', pa.float64()), ("n", pa.int64()), ("is", pa.bool_())],
        *[("list", pa.list_(pa.string())), ("nothing", pa.null())],
    ]
)


@given(st.lists(st.tuples(st.none() | ROWS, st.none() | ROWS), min_size=1, max_size=5), st.data())
def test_rows_are_written_as_json_writes_them(pairs, data):
    start = data.draw(st.integers(0, len(pairs) - 1))
    rows = [{"deep": {"er": one}, "other": other} for one, other in pairs]
    deep = pa.struct([("er", ROW_TYPE)])
    table = pa.Table.from_pylist(rows, pa.schema([("deep", deep), ("other", ROW_TYPE)]))
    rows = table.slice(start)
    (batch,) = rows.to_batches()
    written = bytes(joined(*object_parts(batch.schema.names, batch.columns, "}\n")))
    lines = [json.dumps(row, ensure_ascii=False) for row in rows.to_pylist()]
    assert written.decode().split("\n") == [*lines, ""]


def test_a_column_of_nothing_is_one_word():
    assert json_column(pa.nulls(3, pa.string())) == "null"


@given(
    st.lists(st.none() | st.text(st.characters(codec="utf-8"), max_size=9), max_size=5), st.data()
)
def test_a_column_is_quoted_as_json_quotes_it(strings, data):
    start = data.draw(st.integers(0, len(strings)))
    column = quoted_column(pa.array(strings, pa.string()).slice(start))
    assert column.to_pylist() == [json.dumps(text, ensure_ascii=False) for text in strings[start:]]
    written = bytes(joined("<", column, ">\n"))
    assert written == "".join(f"<{text}>\n" for text in column.to_pylist()).encode()


@pytest.mark.parametrize("code", [*range(32), 34, 92, 127, 128, 0x2028])
def test_every_control_character_is_quoted_as_json_quotes_it(code):
    texts = ["plain", f"a{chr(code)}b", None]
    quoted = quoted_column(pa.array(texts)).to_pylist()
    assert quoted == [json.dumps(text, ensure_ascii=False) for text in texts]
