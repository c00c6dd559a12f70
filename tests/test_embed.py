"""Encoders: the packaged models are the ones they should be, and Chinese is not forgotten."""

import shutil
from hashlib import blake2b
from heapq import nsmallest

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

import curate.pool.stage as pool
from curate import storage
from curate.embed import blocks, contents, embed, encoders
from curate.embed.chargram import FIT, CharGram
from curate.embed.contents import Sample, digests
from curate.embed.erasing import erase
from curate.engine import Local
from curate.errors import CurateError, DataError
from curate.progress import unwatched
from tests.conftest import BAD, FILMS, GOOD, MEALS, reviews


def cosine(one, other):
    return float(one @ other / np.linalg.norm(one) / np.linalg.norm(other))


def test_chargram_is_the_svd_over_all_features_whether_texts_have_them_or_not():
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import HashingVectorizer, TfidfTransformer

    texts = ["the cat sat", "a dog ran off", "猫坐在垫子上", "狗在跑步", "the dog sat"]
    hashing = HashingVectorizer(
        analyzer="char", ngram_range=(1, 3), n_features=2**17, alternate_sign=False
    )
    weights = TfidfTransformer(sublinear_tf=True).fit_transform(hashing.transform(texts))
    expected = TruncatedSVD(4, random_state=0).fit(weights).transform(weights)
    vectors = CharGram(lambda: iter(texts)).encode(texts)
    np.testing.assert_allclose(vectors @ vectors.T, expected @ expected.T, atol=1e-6)
    few = CharGram(lambda: iter(["aa", "a", "aaa"]))  # three features, by length
    assert few.encode(["a", "b"]).shape == (2, few.dimension)
    assert np.allclose(few.encode(["b"]), 0)


def test_chargram_needs_no_weights_and_reads_any_script():
    texts = [
        "the cat sat on the mat",
        "the cat sat on a mat",
        "今天天气很好",
        "今天天气真好",
        "x = f(y)",
    ]
    model = encoders.CharGram(lambda: iter(texts * 3))
    found = model.encode(texts)
    assert found.shape == (5, model.dimension)
    assert cosine(found[0], found[1]) > cosine(found[0], found[4])
    assert cosine(found[2], found[3]) > cosine(found[2], found[0])
    assert model.encode([]).shape == (0, model.dimension)


def test_chargram_does_not_depend_on_the_order_of_the_pool():
    texts = [f"text number {n} about things" for n in range(40)]
    one = encoders.CharGram(lambda: iter(texts))
    other = encoders.CharGram(lambda: iter(texts[::-1]))
    assert (one.id, one.about) == (other.id, other.about)
    assert CharGram(lambda: iter(texts[1:])).about != one.about
    assert np.array_equal(one.encode(texts), other.encode(texts))


@pytest.mark.parametrize(
    ("texts", "name"),
    [
        (["This is a perfectly ordinary English sentence about the weather."] * 5, "minilm"),
        (["今天天气很好，我们去公园散步吧，大家都很高兴。"] * 5, "use-m3"),
        (["Das ist ein ganz gewöhnlicher deutscher Satz über das Wetter."] * 5, "use-m3"),
    ],
)
def test_auto_chooses_by_language_and_says_so(texts, name):
    chosen, why = encoders.choose("auto", texts)
    assert chosen == name
    assert name in why


def test_a_model_that_is_not_there(tmp_path):
    with pytest.raises(CurateError, match="no encoder"):
        encoders.SentenceTransformerEncoder(str(tmp_path / "nothing"), tmp_path)


@pytest.mark.slow
def test_minilm_is_the_published_model(monkeypatch):
    model = encoders.load("minilm", None, None)
    found = model.encode(["This is an example sentence", "Each sentence is converted"])
    assert found.shape == (2, 384)
    assert found[0, :4] == pytest.approx((0.0676, 0.0635, 0.0487, 0.0793), abs=1e-4)
    monkeypatch.setattr(encoders, "MINILM_SHA256", "0" * 64)
    with pytest.raises(CurateError, match="not the model it should be"):
        encoders.load("minilm", None, None)


@pytest.mark.slow
def test_use_m3_crosses_languages(monkeypatch):
    model = encoders.load("use-m3", None, None)
    found = model.encode(["I love this film", "我喜欢这部电影", "股票市场今天下跌"])
    assert found.shape == (3, 512)
    assert cosine(found[0], found[1]) > cosine(found[0], found[2]) + 0.2
    monkeypatch.setitem(encoders.USE_SHA256, "sp.model", "0" * 64)
    with pytest.raises(CurateError, match=r"sp\.model is not the model"):
        encoders.load("use-m3", None, None)


def test_a_packaged_model_is_loaded_when_it_first_encodes(monkeypatch):
    monkeypatch.setattr(encoders, "_checked", lambda path, sha256: sha256)
    monkeypatch.setattr(encoders, "_sentence_transformer", lambda name: pytest.fail("loaded"))
    model = encoders.load("minilm", None, None)
    assert (model.id, model.dimension) == ("minilm", 384)
    assert model.about == {"encoder": "minilm", "sha256": encoders.MINILM_SHA256}
    with pytest.raises(pytest.fail.Exception):
        model.encode(["a text"])


def test_a_fit_that_was_saved_encodes_the_same(tmp_path, monkeypatch):
    texts = [f"text number {n} about things" for n in range(40)] + ["今天天气很好"]
    model = CharGram(lambda: iter(texts))
    model.save(tmp_path / FIT)
    again = CharGram.open(tmp_path / FIT)
    assert (again.about, again.dimension) == (model.about, model.dimension)
    unseen = [*texts, "今天 and \N{SNOWMAN}", ""]
    assert np.array_equal(again.encode(unseen), model.encode(unseen))
    assert CharGram.open(tmp_path / "nothing.npz") is None
    monkeypatch.setattr(CharGram, "dimension", 12)
    assert CharGram.open(tmp_path / FIT) is None


# ── the table


class Fake:
    """An encoder that counts letters and remembers what it was asked for."""

    id = "fake"
    dimension = 3

    def __init__(self, version="1"):
        self.about = {"encoder": "fake", "sha256": version}
        self.seen = []

    def encode(self, sentences):
        self.seen += sentences
        counts = [[text.count(letter) for letter in "aeo"] for text in sentences]
        return np.array(counts, np.float32).reshape(len(sentences), 3)


@pytest.fixture
def small(offline, monkeypatch):
    """The reviews, cleaned, in shards of 20 rows and blocks of 8."""
    monkeypatch.setattr(pool, "ROWS_PER_SHARD", 20)
    monkeypatch.setattr("curate.embed.vectors.BLOCK", 8)
    offline.reviews()
    offline.pool()
    offline.run("clean")
    return offline


@pytest.fixture
def fake(monkeypatch):
    """Put an encoder in the place of any other; the result makes one."""

    def place(version="1"):
        made = Fake(version)
        monkeypatch.setattr("curate.embed.vectors.load", lambda *arguments: made)
        return made

    return place


def check(offline, made):
    """Check that every kept document has the vector of its text as it reads now."""
    ids, vectors = made.vectors(offline.workspace)
    documents = offline.workspace.documents.table(["id", "text"])
    assert ids == documents["id"].to_pylist()
    assert np.array_equal(vectors, Fake().encode(documents["text"].to_pylist()))
    assert made.documents == len(ids)
    folder = offline.workspace.tables.folder(made.table)
    for path in folder.glob("*.parquet"):
        table = pq.read_table(path)
        assert table.schema.names == ["id", "part", "content", "vector"]
        assert 0 < table.num_rows <= 8
        assert path.stem.rsplit("-", 2)[1] == made.digest


def test_a_vector_is_made_once_for_a_content(small, fake):
    encoder = fake()
    made = embed(small.workspace, "fake")
    check(small, made)
    texts = [row["text"] for row in small.rows("pool")]
    assert encoder.seen == texts
    assert made.encoded == made.documents == len(texts) == 112
    assert embed(small.workspace, "fake").encoded == 0
    assert encoder.seen == texts


def test_what_is_dropped_and_kept_again_is_not_encoded_again(small, fake):
    fake()
    embed(small.workspace, "fake")
    encoder = fake()
    for limit in (95, 1, 100):
        small.run("clean", limits={"length:chars": {"min": limit}})
        made = embed(small.workspace, "fake")
        assert made.encoded == 0
        check(small, made)
    assert made.documents < 112
    assert encoder.seen == []


def test_what_is_kept_later_alone_is_encoded_later(small, fake):
    small.run("clean", limits={"length:chars": {"min": 100}})
    fake()
    first = embed(small.workspace, "fake")
    encoder = fake()
    small.run("clean")
    made = embed(small.workspace, "fake")
    assert made.encoded == len(encoder.seen) == 112 - first.encoded > 0
    assert all(len(text) < 100 for text in encoder.seen)
    check(small, made)


def test_another_edit_is_another_content(offline, fake, monkeypatch):
    monkeypatch.setattr("curate.embed.vectors.BLOCK", 8)
    offline.lines("a.jsonl", [*reviews(FILMS, GOOD), "Write to anna.a@mail.example.org, please."])
    offline.pool()
    offline.run("clean")
    fake()
    check(offline, embed(offline.workspace, "fake"))
    encoder = fake()
    offline.run("clean", privacy="mask")
    made = embed(offline.workspace, "fake")
    check(offline, made)
    assert encoder.seen == ["Write to [email], please."]
    offline.run("clean")
    assert embed(offline.workspace, "fake").encoded == 0


def test_another_model_under_the_same_name_uses_no_vector_of_the_first(small, fake):
    fake()
    first = embed(small.workspace, "fake")
    encoder = fake("2")
    encoder.encode = lambda sentences: np.full((len(sentences), 3), 7, np.float32)
    made = embed(small.workspace, "fake")
    assert made.encoded == made.documents == first.documents
    assert (made.vectors(small.workspace)[1] == 7).all()
    names = {path.name for path in (small.root / "vectors" / "fake").glob("*.parquet")}
    assert all(made.digest in name and first.digest not in name for name in names)
    assert small.workspace.tables.made("vectors/fake").spec == {"encoder": "fake", "sha256": "2"}


def test_documents_that_move_to_another_shard_take_their_vectors_along(small, fake):
    fake()
    first = embed(small.workspace, "fake")
    small.lines("alpha.jsonl", [f"A new text about nothing, number {n}." for n in range(7)])
    small.pool()
    small.run("clean")
    encoder = fake()
    made = embed(small.workspace, "fake")
    check(small, made)
    assert made.documents == first.documents + 7
    assert sorted(encoder.seen) == sorted(
        f"A new text about nothing, number {n}." for n in range(7)
    )


def test_vectors_of_documents_that_left_the_pool_go(small, fake):
    fake()
    embed(small.workspace, "fake")
    folder = small.root / "vectors" / "fake"
    before = {path.name for path in folder.glob("*.parquet")}
    (small.root / "data" / "meals.jsonl").unlink()
    small.pool()
    small.run("clean")
    made = embed(small.workspace, "fake")
    assert made.encoded == 0
    check(small, made)
    stored = {
        id for path in folder.glob("*.parquet") for id in pq.read_table(path)["id"].to_pylist()
    }
    ids = {row["id"] for row in small.rows("pool")}
    assert len(ids) == 56
    assert ids == stored
    assert not before & {path.name for path in folder.glob("*.parquet")}  # shards of another batch


def test_a_block_of_a_shard_that_no_document_needs_goes(small, fake):
    """A block of documents that a takedown or another pool took goes when the folder is sealed."""
    fake()
    first = embed(small.workspace, "fake")
    path = first.shards(small.workspace)[0].blocks[0]
    table = pq.read_table(path)
    gone = table.set_column(0, "id", pa.array([f"{n:032x}" for n in range(table.num_rows)]))
    gone = gone.set_column(2, "content", pa.array(np.arange(table.num_rows, dtype=np.uint64)))
    left = path.with_name(f"{path.stem.rsplit('-', 1)[0]}-00000000.parquet")
    pq.write_table(gone, left)
    small.run("clean", limits={"length:chars": {"min": 100}})
    made = embed(small.workspace, "fake")
    check(small, made)
    assert not left.exists()
    assert path.exists()
    assert made.encoded == 0


def test_a_killed_run_goes_on(small, fake):
    encoder = fake()
    encoder.encode, whole = (lambda sentences: pytest.fail("killed")), encoder.encode
    with pytest.raises(pytest.fail.Exception):
        embed(small.workspace, "fake")
    (scratch,) = (small.root / ".building").iterdir()
    digests_before = {path.name: path.stat().st_mtime_ns for path in scratch.iterdir()}
    calls = []
    encoder.encode = lambda sentences: (
        calls.append(len(sentences))
        or (whole(sentences) if len(calls) <= 5 else pytest.fail("killed"))
    )
    with pytest.raises(pytest.fail.Exception):
        embed(small.workspace, "fake")
    assert {path.name: path.stat().st_mtime_ns for path in scratch.iterdir()} == digests_before
    encoder = fake()
    made = embed(small.workspace, "fake")
    assert made.encoded == len(encoder.seen) == 112 - sum(calls[:5])
    check(small, made)
    assert not any((small.root / ".building").iterdir())


def test_two_encoders_share_what_was_read(small, fake):
    fake()
    embed(small.workspace, "fake")
    other = fake()
    other.id, other.about = "other", {"encoder": "other"}
    labels = []
    small.workspace.watch = lambda label, total: labels.append(label) or unwatched(label, total)
    made = embed(small.workspace, "other")
    check(small, made)
    assert labels == ["looking for vectors", "embedding with other"]


def test_workers_change_nothing(small, fake):
    fake()
    one = embed(small.workspace, "fake")
    folder = small.root / "vectors" / "fake"
    files = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    shutil.rmtree(small.root / "vectors")
    small.workspace.engine = Local(2)
    fake()
    assert embed(small.workspace, "fake") == one
    small.workspace.engine.close()
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == files


def test_auto_remembers_its_choice_until_the_documents_change(small, fake, monkeypatch):
    encoder, asked = fake(), []
    encoder.id = "minilm"

    def chosen(name, texts):
        asked.append(list(texts))
        return "minilm", "encoder: minilm, because of a test"

    monkeypatch.setattr("curate.embed.vectors.choose", chosen)
    texts = [row["text"] for row in small.rows("pool")]
    for _ in range(2):
        made = embed(small.workspace, "auto")
        assert (made.encoder, made.note) == ("minilm", "encoder: minilm, because of a test")
        assert embed(small.workspace, "minilm").note == ""
        assert [sorted(asked[0])] == [sorted(texts)]
    small.run("clean", limits={"length:chars": {"min": 100}})
    embed(small.workspace, "auto")
    assert len(asked) == 2


@given(st.lists(st.lists(st.text("abc", max_size=3), max_size=6), max_size=5), st.integers(0, 12))
def test_a_sample_is_that_of_all_texts(tmp_path_factory, shards, n):
    folder = tmp_path_factory.mktemp("contents")
    texts = [text for shard in shards for text in shard]

    class Shard:
        def __init__(self, number, own):
            self.name, self.own = f"{number:05}.parquet", own

        def read(self, columns):
            own = pa.array(self.own, pa.string())
            media = pa.nulls(len(own), pa.list_(pa.string()))
            return pa.table({"id": own, "text": own, "media": media}).select(columns)

    documents = [Shard(number, own) for number, own in enumerate(shards)]
    for shard in documents:
        np.save(contents.path_of(folder, shard), digests(shard.own))
    sample = Sample.of(folder, documents, n)

    def key(text):
        return blake2b(text.encode(), digest_size=8).digest()

    assert sample.texts(documents) == nsmallest(n, texts, key=key) == contents.some(texts, n)
    assert sample.changed(sample.digests) == 0
    assert sample.changed(digests(["other"])) == 1
    assert Sample.of(folder, documents, 0).changed(digests([])) == 0


def test_chargram_keeps_its_fit_until_a_tenth_of_its_texts_has_changed(offline):
    every = [*reviews(FILMS, GOOD), *reviews(FILMS, BAD), *reviews(MEALS, GOOD)]  # 84 texts
    offline.lines("a.jsonl", every[:70])
    offline.pool()
    offline.run("clean")
    first = embed(offline.workspace, "chargram")
    assert first.note == ""
    _, vectors = first.vectors(offline.workspace)
    offline.lines("a.jsonl", every[:77])
    offline.pool()
    offline.run("clean")
    made = embed(offline.workspace, "chargram")
    assert (made.digest, made.encoded) == (first.digest, 7)
    assert made.note == "encoder: chargram keeps its fit: 9.1% of its texts have changed since"
    assert np.array_equal(made.vectors(offline.workspace)[1][:70], vectors)
    offline.lines("a.jsonl", every[:79])
    offline.pool()
    offline.run("clean")
    made = embed(offline.workspace, "chargram")
    assert made.digest != first.digest
    assert (made.encoded, made.note) == (79, "")


def test_a_takedown_leaves_no_vector_and_nothing_learned_from_the_text(small):
    made = embed(small.workspace, "chargram")
    folder = small.root / "vectors" / "chargram"
    one, other = (small.rows("pool")[row] for row in (3, 50))
    fit = np.load(folder / FIT)["sample"]
    assert set(digests([one["text"]])) < set(fit)
    small.run("clean", limits={"length:chars": {"min": 500}})
    assert erase(folder, pa.array([one["id"], "0" * 32])) == 1
    assert not (folder / FIT).exists()
    assert not (folder / "_contents").exists()
    stored = storage.stored_folder(folder)
    assert stored.rows == made.documents - 1
    rows = [row for path in storage.shards(folder) for row in pq.read_table(path).to_pylist()]
    assert len(rows) == made.documents - 1
    assert one["id"] not in {row["id"] for row in rows}
    assert other["id"] in {row["id"] for row in rows}
    np.savez(folder / FIT, sample=digests(["something else"]))
    assert erase(folder, pa.array([other["id"]])) == 1
    assert (folder / FIT).exists()  # it has not seen that text


def test_documents_without_vectors_are_told(small, fake):
    fake()
    made = embed(small.workspace, "fake")
    (path, *_) = (small.root / "vectors" / "fake").glob("*.parquet")
    path.unlink()
    with pytest.raises(DataError, match="no vectors"):
        made.vectors(small.workspace)


def test_rows_of_a_shard_are_read_in_the_order_asked_for(small, fake):
    fake()
    made = embed(small.workspace, "fake")
    (shard, *_) = made.shards(small.workspace)
    assert np.array_equal(shard.read(np.array([7, 2, 19])), shard.read()[[7, 2, 19]])
    rows, parts = zip(*shard.batches(), strict=True)
    assert sorted(np.concatenate(rows).tolist()) == list(range(20))
    assert np.array_equal(np.concatenate(parts), shard.read(np.concatenate(rows)))
    assert sorted(map(len, parts)) == [4, 8, 8]
    assert blocks.digest_of(Fake().about) == made.digest


def test_blocks_are_a_function_of_the_pool(offline, monkeypatch):
    monkeypatch.setattr("curate.embed.vectors.BLOCK", 16)
    offline.reviews()
    offline.pool()
    offline.run("clean")
    made = embed(offline.workspace, "chargram")
    folder = offline.workspace.tables.folder(made.table)
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    storage.shards(folder)[1].unlink()
    (folder / "_manifest.json").unlink()
    again = embed(offline.workspace, "chargram")
    assert again.encoded == 16
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before
    ids, vectors = again.vectors(offline.workspace)
    assert ids == [row["id"] for row in offline.rows("clean") if row["kept"]]
    assert vectors.shape == (len(ids), made.dimension)


@pytest.mark.parametrize(
    "texts", [[], ["A single text of some words."], ["One whole text.", "Another text."]]
)
def test_a_tiny_pool_has_vectors(offline, texts):
    offline.lines("few.jsonl", [*texts, "no", "yes"])
    offline.pool()
    offline.run("clean", limits={"length:words": {"min": 2}})
    made = embed(offline.workspace, "chargram")
    ids, vectors = made.vectors(offline.workspace)
    assert len(ids) == len(texts)
    assert vectors.shape == (len(texts), made.dimension)
    assert np.isfinite(vectors).all()


def test_the_files_of_an_encoder_are_those_that_are_pinned(tmp_path):
    minilm = encoders.files_of("minilm", tmp_path)
    assert storage.sha256_of(minilm["model.safetensors"]) == encoders.MINILM_SHA256
    assert {"config.json", "tokenizer.json", "1_Pooling/config.json"} <= set(minilm)
    use = encoders.files_of("use-m3", tmp_path)
    assert {name: storage.sha256_of(path) for name, path in use.items()} == encoders.USE_SHA256
    assert encoders.files_of("chargram", tmp_path) == {}
    for name in ("own/b.bin", "own/.hidden", "own/a/c.json", "own/code.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert list(encoders.files_of("own", tmp_path)) == ["a/c.json", "b.bin"]
    assert encoders.files_of("owner/of-a-hub", tmp_path) == {}
