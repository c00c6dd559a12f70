"""The page: complete, self-contained, and safe to open whatever the texts say."""

import json
import re
from base64 import b64encode
from collections import Counter, defaultdict
from hashlib import blake2b, sha256
from html import unescape
from math import isnan
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curate import storage, tables
from curate.engine import Local
from curate.mixture import selection
from curate.progress import unwatched
from curate.report import charts, copies, counts, quartiles
from curate.report.folding import scratch
from curate.report.lexicon import Lexicon
from curate.report.page import coded
from curate.report.qualities import quality_by_group
from curate.report.section import section
from curate.report.sections import measures, model, people
from curate.report.sections.bias import bias
from curate.report.verdicts import count_verdicts
from curate.takedown import takedown
from curate.takedown.naming import NamedDocument
from curate.text import words as words_of
from curate.workspace.predictions import Predicted
from tests.conftest import FILMS, GOOD, reviews
from tests.shards import recut

ENGLISH = Lexicon("en")
EVIL = "<script>alert('x')</script>"


def page(run):
    return (run.root / "report.html").read_text(encoding="utf-8")


def test_the_page_tells_the_whole_run(whole):
    html = page(whole)
    for heading in (
        *("From rows to documents", "Agreement", "Annotators", "The model of sentiment"),
        *("Calibration", "Quality by group", "The mixture", "Does it help?", "Provenance"),
    ):
        assert f">{heading}</h3>" in html
    assert html.count("<svg") >= 6
    assert re.search(r"made by curate, 20\d\d-\d\d-\d\d \d\d:\d\d UTC<", html)
    for group in whole.rows("groups"):
        assert group["group"] in html


def test_the_page_tells_every_model(whole, monkeypatch):
    path = whole.root / "evaluate.json"
    evaluation = json.loads(path.read_text())
    (own,) = evaluation["models"].values()
    other = {**own, "accuracy": 0.123, "trivial_accuracy": 0.0625, "calibration_error": 0.4321}
    evaluation["models"]["语气"] = other
    evaluation["models"]["unmeasured"] = None
    path.write_text(json.dumps(evaluation, ensure_ascii=False))
    learned = {"语气": Predicted("语气", "choice", ("good", "bad"), "minilm", "both")}
    monkeypatch.setattr(model, "predicted_questions", lambda tables: learned)
    told = model.accuracy(whole.workspace)
    assert ENGLISH.say(told.title) == "The models"
    assert [row["question"] for row in told.rows[::2]] == ["sentiment", "语气"]
    assert [row["accuracy"] for row in told.rows[2:4]] == [0.123, 0.0625]
    reads = [ENGLISH.shown(row["reads"]) for row in told.rows]
    assert reads == ["–", "–", "minilm, characters", "–"]
    assert {row["value"] for row in told.chart.rows} >= {"语气 · positive"}
    errors = model.calibration(whole.workspace).rows
    assert [row["expected calibration error"] for row in errors][1] == 0.4321


def test_the_page_tells_measures_beside_the_baseline_and_what_is_confused(whole):
    stored = json.loads((whole.root / "evaluate.json").read_text())
    told = measures.measures(whole.workspace)
    accuracy = told.rows[0]
    own = stored["people"]["sentiment"]["measures"][0]
    assert (accuracy["question"], accuracy["measure"], accuracy["of"]) == (
        *("sentiment", "accuracy", 40),
    )
    for name, key in (("model", "value"), ("low", "low"), ("trivial baseline", "trivial"),
                      ("gain", "better"), ("gain, high", "better_high")):  # fmt: skip
        assert accuracy[name] == own[key]
    matrix = measures.confusion(whole.workspace).rows
    texts = [
        number
        for row in matrix
        for column, number in row.items()
        if ENGLISH.column(column) == f"predicted {row['people said']}"
    ]
    assert sum(texts) == pytest.approx(stored["models"]["sentiment"]["accuracy"] * 40)
    assert {row["people said"] for row in matrix} == {"negative", "neutral", "positive"}


def test_the_page_tells_whose_documents_are_kept(whole):
    path = whole.root / "evaluate.json"
    told = bias(whole.workspace)
    words = ENGLISH.paragraph(told.words)
    assert "none is more than chance" in words or "the largest first" in words
    rows = {(row["by"], row["value"]): row for row in told.rows}
    assert rows["source", "films"]["documents"] == 56
    assert rows["source", "films"]["kept"] == 1000
    assert rows["source", "films"]["drawn"] is not None
    evaluation = json.loads(path.read_text())
    row = {"stage": "clean", "key": "language", "value": "zh", "here": 0.43, "beside": 0.91,
           "difference": -0.48, "low": -0.5, "high": -0.46, "p": 1e-9, "is_certain": True,
           "words": "of 1,000 Chinese documents `clean` keeps 430, of others 910"}  # fmt: skip
    evaluation["bias"]["differences"] = [row, {**row, "is_certain": False, "words": "no"}]
    path.write_text(json.dumps(evaluation))
    told = bias(whole.workspace)
    assert ENGLISH.paragraph(told.words).startswith(
        "Of 2 differences these are certain, the largest first: of 1,000 Chinese documents"
    )
    name = told.chart.rows[0]["name"]
    assert ENGLISH.say(name) == "clean · language zh"
    assert Lexicon("zh").say(name) == "clean · 语言 zh"
    assert {"documents", "kept", "low", "high"} <= told.tables[0].numbers
    evaluation.pop("bias")
    path.write_text(json.dumps(evaluation))
    assert bias(whole.workspace) is None


def test_the_page_is_in_the_language_that_is_asked(whole):
    assert '<html lang="en">' in page(whole)
    whole.run("report", lang="zh")
    html = page(whole)
    assert '<html lang="zh-Hans">' in html
    assert ">配比</h2>" in html
    assert '<th scope="col" class="number">文档</th>' in html
    english = re.findall(r"<h[23][^>]*>([^<]+)</h[23]>", html)
    assert [own for own in english if not re.search("[一-鿿]", own)] == []


WORD = "[A-Za-z][A-Za-z'-]+"
OURS_IN_LATIN = {"Krippendorff alpha", "films.jsonl", "meals.jsonl"}
"""Names that are the same in every language, and those of the run's files."""


def test_a_chinese_page_has_no_english_sentence(whole):
    whole.run("report", lang="zh")
    html = re.sub(r"<(style|script|code)\b.*?</\1>", " ", page(whole), flags=re.DOTALL)
    html = re.sub(r'<div class="example">.*?</div>', " ", html, flags=re.DOTALL)
    texts = {row["text"][:40] for row in whole.rows("pool")}
    shown = [
        *re.findall(r'aria-label="([^"]*)"', html),
        *re.sub(r"<[^>]+>", "\n", html).split("\n"),
    ]
    ours = "\n".join(line for line in map(unescape, shown) if line.strip()[:40] not in texts)
    found = {own.group() for own in re.finditer(rf"{WORD}(?:[ ,;:.]+{WORD})+", ours)}
    assert found - OURS_IN_LATIN == set()


def test_lengths_are_in_the_language_of_the_page(whole):
    path = whole.root / "evaluate.json"
    evaluation = json.loads(path.read_text())
    (own, *_) = evaluation["bias"]["values"]
    rows = [{**own, "key": "length", "value": value} for value in ("7 tokens", "8 to 1,200 tokens")]
    evaluation["bias"]["values"] = rows
    path.write_text(json.dumps(evaluation))
    values = [row["value"] for row in bias(whole.workspace).rows]
    assert [*map(ENGLISH.say, values)] == ["7 tokens", "8 to 1,200 tokens"]
    assert [*map(Lexicon("zh").say, values)] == ["7 个词元", "8 到 1,200 个词元"]


def test_no_person_stands_in_what_is_exported(whole):
    people = {row["annotator"] for row in whole.rows("annotators")}
    assert people == {"ann", "bob"}
    files = [path for path in (whole.root / "export").rglob("*") if path.is_file()]
    assert {"README.md", "manifest.json", "croissant.json"} <= {path.name for path in files}
    for path in files:
        is_table = path.suffix == ".parquet"
        said = str(pq.read_table(path).to_pylist()) if is_table else path.read_text()
        assert not re.search(rf"\b({'|'.join(people)})\b", said), path.name


def test_numbers_stand_to_the_right(whole):
    html = page(whole)
    assert '<th scope="col" class="number">documents</th>' in html
    assert '<td class="number">' in html
    rows = [{"x": 1, "y": "one", "z": None}, {"x": None, "y": 2}]
    assert section("a", rows=rows).tables[0].numbers == {"x"}


def test_the_page_tells_how_quality_ranks_the_texts_of_each_source(whole):
    known = whole.workspace.tables.made("scores").facts["quality"]
    labels = {
        row["id"]: sum(own * {"negative": 0, "neutral": 0.5, "positive": 1}[value]
                       for value, own in row["posterior"])
        for row in whole.rows("labels") if not row["undecided"]
    }  # fmt: skip
    source = {row["id"]: row["source"] for row in whole.rows("pool")}
    predicted = {row["id"]: row["quality"] for row in whole.rows("scores")}
    told = {row["source"]: row["rank correlation"] for row in model.foresight(whole.workspace).rows}
    assert next(iter(told)) == "all sources"
    assert set(told) - {"all sources"} == {
        name for name, n in Counter(map(source.get, labels)).items() if n >= 20
    }
    for name, shown in told.items():
        own = [id for id in labels if name in ("all sources", source[id])]
        ranks = [pd.Series([of[id] for id in own]).rank() for of in (labels, predicted)]
        assert shown == pytest.approx(np.corrcoef(*ranks)[0, 1])
    assert known["documents"] == len(labels)
    assert f"over {len(labels)} labelled texts" in page(whole)


def test_the_page_says_what_low_and_high_are(whole):
    html = page(whole)
    assert "answer is between low and high" in html
    assert "not what people would answer" not in html


def test_nothing_is_fetched_from_anywhere(whole):
    html = page(whole)
    assert not re.search(r"""(src|href)\s*=\s*["']?(https?:)?//""", html)
    assert "@import" not in html
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]+)"', html)
    (script,) = re.findall(r"<script>(.+?)</script>", html, re.DOTALL)
    digest = b64encode(sha256(script.encode()).digest()).decode()
    assert policy.startswith("default-src 'none'; ")
    assert f"script-src 'sha256-{digest}'" in policy


def test_names_are_shown_never_run(offline):
    offline.lines(f"{EVIL.replace('/', '∕')}.jsonl", ["A plain text of several words."] * 2)
    offline.lines("other.jsonl", ["A plain text of several words.", "And one that is its own."])
    offline.pool()
    offline.run("clean")
    offline.run("mix")
    offline.run("report", title=EVIL)
    html = page(offline)
    assert "<script>alert" not in html
    assert "&lt;script&gt;" in html


def test_copies_between_sources_are_told(offline):
    offline.lines("a.jsonl", ["One text that stands twice.", "Only here, in this source."])
    offline.lines("b.jsonl", ["One text that stands twice.", "Only here in this source!"])
    offline.pool()
    offline.run("clean")
    offline.run("report")
    html = page(offline)
    assert "1 texts are in two sources, letter for letter; 2 if punctuation" in html


@pytest.mark.parametrize(
    ("words", "html"),
    [
        ("run `curate mix` again", "run <code>curate mix</code> again"),
        ("`a<b` & c", "<code>a&lt;b</code> &amp; c"),
        ("one ` alone <b>", "one ` alone &lt;b&gt;"),
        ("none", "none"),
    ],
)
def test_what_stands_between_backticks_is_code(words, html):
    assert str(coded(words)) == html


@pytest.mark.parametrize("name", ["中文", "a & b", '"quoted"', EVIL])
def test_charts_escape_what_they_draw(name):
    svg = charts.bars([{"group": name, "documents": 3}], "group", "documents")
    assert svg.startswith("<svg")
    assert "<script" not in svg
    if name == "中文":
        assert name in svg


def test_a_page_needs_the_tables_and_not_the_ledger(whole):
    (whole.root / "ledger.jsonl").unlink()
    whole.run("report")
    for words in (
        "From rows to documents",
        "Measured out of fold on settled texts",
        "tokens are drawn for",
    ):
        assert words in page(whole)


# ── the counts, beside all rows in memory


def without_time(html):
    """The page without the time at which it was made."""
    return re.sub(r"made by curate[^<]*", "", html)


def test_the_page_is_the_same_whatever_the_shards_and_the_workers(whole):
    whole.run("report", map=False)  # embeddings are of the shards as they were
    before = page(whole)
    for rows, workers in ((7, 1), (7, 2), (1000, 2)):
        recut(whole.workspace, rows)
        whole.workspace.engine = Local(workers)
        (whole.root / "report.html").unlink()
        whole.run("report", map=False)
        whole.workspace.engine.close()
        # What ran when is told from the ledger, which has one line more.
        assert cut_off(page(whole)) == cut_off(before)


def cut_off(html):
    """The page without its time, its verdict and warnings, and what ran when."""
    html = re.sub(r"<header>.*?</header>", "", without_time(html), flags=re.DOTALL)
    return html.partition('id="chapter-origin"')[0]


def spreads_in_memory(rows):
    """Group, number, mean and quartiles of candidates and of those drawn, of all rows in memory."""
    frame = pd.DataFrame(rows, columns=["group", "copies", "quality"])
    for group, part in frame.groupby("group", sort=True):
        for own in (part, part[part["copies"] > 0]):
            quarters = own["quality"].quantile([0.25, 0.5, 0.75]).tolist()
            yield str(group), len(own), own["quality"].mean(), quarters


QUALITY = st.one_of(st.none(), st.sampled_from([0.0, 0.1, 0.3, 0.75, 1.0]), st.floats(0, 1))


@given(st.data())
def test_quality_by_group_is_that_of_all_rows_in_memory(tmp_path_factory, data):
    rows = data.draw(
        st.lists(
            st.tuples(st.sampled_from("abc"), st.sampled_from([0, 1, 2]), QUALITY),
            min_size=1,
            max_size=60,
        )
    )
    root = tmp_path_factory.mktemp("quality")
    size = data.draw(st.integers(1, 60))
    for folder in ("mix", "scores"):
        (root / folder).mkdir()
    for start in range(0, len(rows), size):
        write_quality(root, start, rows[start : start + size])
    workspace = SimpleNamespace(
        engine=Local(1), watch=unwatched, tables=StoredTables(root, len(rows)), root=root
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(selection, "FEW", data.draw(st.sampled_from([1, 5, 100_000])))
        patch.setattr(quartiles, "AT_ONCE", data.draw(st.sampled_from([2, 400])))
        result = quality_by_group(workspace, root / "scratch")
    if all(quality is None for _, _, quality in rows):
        assert result == []
        return
    spreads = [(g.group, own) for g in result for own in (g.candidates, g.drawn)]
    expected = list(spreads_in_memory(rows))
    assert len(spreads) == len(expected)
    for (group, own), (name, documents, mean, quarters) in zip(spreads, expected, strict=True):
        assert (group, own.documents) == (name, documents)
        assert own.mean == pytest.approx(mean, rel=1e-12, abs=1e-15, nan_ok=True)
        assert [*map(isnan, own.quartiles)] == [*map(isnan, quarters)]
        assert isnan(quarters[0]) or list(own.quartiles) == quarters


def write_quality(root, start, rows):
    """Write a shard of mix and of scores; scores have a document more, in another order."""
    ids = [f"{start + place:032}" for place in range(len(rows))]
    groups, numbers, quality = zip(*rows, strict=True)
    mix = {"id": ids, "group": groups, "copies": pa.array(numbers, pa.int64())}
    mix["size"] = pa.array([7] * len(rows), pa.int64())
    pq.write_table(pa.table(mix), root / "mix" / f"{start:05}.parquet")
    values = pa.array([None, *quality[::-1]], pa.float64())
    scores = {"id": [f"x{start:031}", *ids[::-1]], "quality": values}
    pq.write_table(pa.table(scores), root / "scores" / f"{start:05}.parquet")


class StoredTables:
    """The shards in a folder, without manifests."""

    def __init__(self, root, rows):
        self.root, self.number = root, rows

    def shards(self, name):
        """The shards of a table."""
        return storage.shards(self.root / name)

    def folder(self, name):
        """The folder of a table."""
        return self.root / name

    def rows(self, name):
        """The number of rows of any table."""
        return self.number


TEXT = st.sampled_from(
    [
        "One two.",
        "one TWO",
        "Two, one.",
        "well-known",
        "well known",
        "中文。",
        "中 文",
        "",
        "!",
        "?!",
    ]
)
SOURCES = ("a", "b", "c")


@given(
    st.lists(
        st.tuples(TEXT, st.sampled_from(SOURCES), st.lists(st.sampled_from(SOURCES), max_size=2))
    ),
    st.integers(1, 9),
)
def test_texts_in_two_sources_are_those_of_all_texts_in_memory(tmp_path_factory, rows, size):
    root = tmp_path_factory.mktemp("copies")
    (root / "pool").mkdir()
    schema = tables.schema("pool", "text", "source", "also")
    for start in range(0, len(rows), size):
        names = ("text", "source", "also")
        part = [dict(zip(names, row, strict=True)) for row in rows[start : start + size]]
        path = root / "pool" / f"{start:05}.parquet"
        pq.write_table(pa.Table.from_pylist(part, schema=schema), path)
    workspace = SimpleNamespace(
        engine=Local(1), watch=unwatched, tables=StoredTables(root, len(rows)), root=root
    )
    holders = defaultdict(set)
    for text, source, also in rows:
        letters = "".join(words_of(text)).lower() or text
        holders[blake2b(letters.encode(), digest_size=16).digest()] |= {source, *also}
    expected = sum(len(sources) > 1 for sources in holders.values())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(copies, "WIDTH", 10 << 20)  # as many buckets as rows
        shared = copies.count_in_two_sources(workspace, SOURCES, root / "scratch")
    assert shared == expected


@given(
    st.lists(
        st.tuples(
            st.booleans(), st.sampled_from(SOURCES), st.lists(st.sampled_from(SOURCES), max_size=3)
        ),
        min_size=1,
    )
)
def test_the_counts_of_a_shard_keep_the_order_of_first_occurrences(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("pool") / "00000.parquet"
    schema = tables.schema("pool", "source", "also", "holdout")
    names = ("holdout", "source", "also")
    records = [dict(zip(names, row, strict=True)) for row in rows]
    pq.write_table(pa.Table.from_pylist(records, schema=schema), path)
    number, own = counts.count_pool(path)
    pairs = Counter((source, other) for _, source, also in rows for other in also)
    sources = Counter(source for _, source, _ in rows)
    assert (number, own.holdout) == (len(rows), sum(holdout for holdout, _, _ in rows))
    assert own.pairs.most_common() == pairs.most_common()
    assert own.sources.most_common() == sources.most_common()


def test_verdicts_are_counted_in_the_order_of_the_shards(offline, monkeypatch):
    offline.lines("films.jsonl", reviews(FILMS, GOOD))
    offline.pool()
    offline.run("clean")
    settings = {"share": 0.5, "sets": [{"name": "one", "path": "x"}, {"name": "two", "path": "y"}]}
    names = ["de", None, "en", "", "de", "und", "zh", "en"]
    overlaps = [[("one", "i", 0.5), ("one", "j", 0.4)], [], None, [("one", "i", 0.9)]]
    rows = [
        {
            "id": f"{n:032}",
            "kept": n % 3 > 0,
            "tokens": n,
            "language": names[n % 8],
            "contamination": overlaps[n % 4]
            and [
                dict(zip(("set", "item", "share"), overlap, strict=True))
                for overlap in overlaps[n % 4]
            ],
        }
        for n in range(40)
    ]
    table = tables.rows("clean", rows)
    for signal in ("language:confidence", "contamination:share"):
        table = table.append_column(signal, pa.array(np.zeros(40, np.float32)))
    made = offline.workspace.tables.made("clean")
    made.spec["contamination"] = settings
    for size, workers in ((100, 1), (3, 1), (3, 2)):
        offline.workspace.engine = Local(workers)
        offline.workspace.tables.write("clean", table, made, rows_per_shard=size)
        verdicts = count_verdicts(offline.workspace)
        offline.workspace.engine.close()
        assert verdicts.kept == sum(row["kept"] for row in rows)
        documents, kept, tokens = Counter(), Counter(), Counter()
        for row in rows:
            name = row["language"] or "und"
            documents[name] += 1
            kept[name] += row["kept"]
            tokens[name] += row["tokens"] if row["kept"] else 0
        assert verdicts.languages.documents.most_common() == documents.most_common()
        assert verdicts.languages.kept == kept
        assert verdicts.languages.tokens == tokens
        assert (verdicts.overlaps.touched, verdicts.overlaps.over) == ({"one": 20}, {"one": 20})
        assert verdicts.overlaps.items == {"one": {"i"}}


def test_a_page_is_made_also_of_tables_of_different_runs(whole):
    """Where a document was taken down, mixture and scores are older than the documents."""
    gone = whole.rows("mix")[0]["id"]
    document = NamedDocument(gone, "films", "films.jsonl", "asked")
    takedown.run(whole.workspace, [document], [gone], "asked by its author")
    whole.run("report")
    assert ">Quality by group</h3>" in page(whole)
    (path,) = whole.workspace.tables.shards("scores")
    path.rename(path.with_name("other.parquet"))
    manifest = path.with_name(storage.MANIFEST)
    manifest.write_text(manifest.read_text().replace(path.name, "other.parquet"))
    whole.run("report")
    assert ">Quality by group</h3>" not in page(whole)


def test_scratch_files_are_removed_also_after_a_kill(whole):
    folder = whole.root / ".building" / "report"
    (folder / "quality").mkdir(parents=True)
    (folder / "quality" / "old.arrow").touch()
    whole.run("report")
    assert not folder.exists()
    with scratch(whole.workspace) as own:
        assert list(own.iterdir()) == []
    assert not folder.exists()


@pytest.mark.parametrize(
    ("value", "shown"),
    [("2.0", "2"), ("3.25", "3.25"), ("4.66666667", "4.667"), ('"good"', "good"), ("true", "True")],
)
def test_a_settled_rating_is_named_as_people_gave_it(value, shown):
    assert people._settled(value) == shown
