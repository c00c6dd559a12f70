"""A workspace of any size, written directly: pool, clean with its index, vectors, a closed round.

    python -m tests.benchmarks.generated FOLDER DOCUMENTS [CHARACTERS]

Texts are made-up words of four languages, so that the tokens of a text are the sum of those of its
words. Ids, token counts, edits, index and manifests are those that the stages would have written.
"""

import json
import math
import shutil
import sys
from collections import Counter
from dataclasses import dataclass, field
from functools import cache, partial
from hashlib import blake2b
from pathlib import Path
from random import Random

import numpy as np
import pyarrow as pa

from curate import storage, tables, tokens
from curate.clean.duplicates import overlap
from curate.clean.stage import CleanResult
from curate.embed import blocks, contents
from curate.embed.vectors import BLOCK
from curate.engine import Local
from curate.forms import load_form
from curate.pool.stage import PoolResult
from curate.pool.work import ROWS_PER_SHARD
from curate.records import Project, moment, now
from curate.rounds import Batch, Round, freeze
from curate.rounds.standing import close
from curate.rounds.views import View
from curate.run.recipe import Recipe
from curate.text import TEXT
from curate.workspace import Workspace, index

SOURCES = {"web": 0.6, "forum": 0.2, "books": 0.12, "news": 0.05, "wiki": 0.025, "notes": 0.005}
"""The share of each source; a pool holds one source after the other."""

LANGUAGES = {
    "web": (0.7, 0.12, 0.08, 0.1),
    "forum": (0.85, 0.05, 0.02, 0.08),
    "books": (0.5, 0.3, 0.15, 0.05),
    "news": (0.4, 0.2, 0.1, 0.3),
    "wiki": (0.3, 0.25, 0.15, 0.3),
    "notes": (1.0, 0.0, 0.0, 0.0),
}
"""The shares of the languages in each source, in the order of SYLLABLES."""

LICENSES = {
    "web": (("unknown", 0.9), ("CC-BY-4.0", 0.1)),
    "forum": (("CC-BY-SA-4.0", 1.0),),
    "books": (("CC0-1.0", 0.97), ("CC-BY-NC-4.0", 0.03)),
    "news": (("unknown", 1.0),),
    "wiki": (("CC-BY-SA-4.0", 1.0),),
    "notes": (("MIT", 1.0),),
}
SYLLABLES = {
    "en": "the an in er on re ed ing ly ter al st ou com per ble men ous ex un",
    "de": "ge ver ein sch ung er en be lich keit zu auf ab über trag stell wort",
    "fr": "le ment tion ré dé qu eau eur ette con par ou ais é in our",
    "zh": "的 一 是 不 了 人 我 在 有 他 这 中 大 来 上 国 和 地 到 说 时 要 就 出 会 可 也 你",
}
WORDS = 3000
"""Words of a language; the n-th is drawn in proportion to 1 / n."""

ADDRESS, MASK = "ann@example.org", "[email]"
HOLDOUT, EDITED, COPIED, SHARED = 0.05, 0.02, 0.01, 0.005
"""Shares of documents: held out, with a mask, with an exact copy, and held by two sources."""

REASONS = {"length:words": 0.05, "language": 0.03, "gopher_quality:stop_words": 0.02}
"""Why documents are dropped, and the share of each reason."""

CLASSES = {"negative": 0.3, "neutral": 0.45, "positive": 0.25}
PEOPLE = {"ann": 0.9, "bob": 0.85, "cleo": 0.8}
"""The share of right answers of each person."""

LABELLED = 400
HOSTS, PARTS = 1_000, 200
DIMENSION = 64
ENCODER = "given"
TOKENIZER = "o200k_base"


class Given:
    """The encoder of the vectors, which cannot encode: all vectors are there."""

    id = ENCODER
    dimension = DIMENSION
    about = {"encoder": ENCODER, "sha256": "0" * 64}  # noqa: RUF012

    def encode(self, sentences):
        """Fail: a benchmark measures the heads alone."""
        raise AssertionError(f"{len(sentences)} documents have no vectors")


@dataclass(frozen=True)
class Plan:
    """What is written: how many documents, of about how many characters, and whether vectors."""

    folder: Path
    documents: int
    characters: int = 100
    vectors: bool = True
    seed: int = 0
    dimension: int = DIMENSION

    @property
    def shards(self):
        """The number of shards."""
        return math.ceil(self.documents / ROWS_PER_SHARD)


@dataclass
class Sums:
    """Counts of the documents written."""

    documents: int = 0
    kept: int = 0
    tokens: int = 0
    tokens_kept: int = 0
    holdout: int = 0
    edited: int = 0
    sources: Counter = field(default_factory=Counter)
    reasons: Counter = field(default_factory=Counter)
    overlap: Counter = field(default_factory=Counter)

    def __add__(self, other):
        return Sums(*(mine + theirs for mine, theirs in zip(*map(_values, (self, other)))))  # noqa: B905


def _values(sums):
    return vars(sums).values()


# ── texts


@dataclass(frozen=True)
class Vocabulary:
    """All words, one language after the other, with their tokens after a space and alone.

    `frequent` holds for each language 65,536 places of words, each as often as it is to be drawn.
    """

    words: pa.Array
    lengths: np.ndarray
    after_space: np.ndarray
    alone: np.ndarray
    frequent: np.ndarray
    address: int
    saved: int


@cache
def vocabulary():
    """Return the vocabulary; the mail address is its last word."""
    words = [word for language in SYLLABLES for word in _made_up(language)]
    shares = 1 / np.arange(1, WORDS + 1)
    ranks = np.searchsorted(
        np.cumsum(shares / shares.sum()), (np.arange(1 << 16) + 0.5) / (1 << 16)
    )
    starts = WORDS * np.arange(len(SYLLABLES))
    words.append(ADDRESS)
    count = tokens.counter(TOKENIZER)
    return Vocabulary(
        words=pa.array(words),
        lengths=np.array([len(word) for word in words]),
        after_space=np.array([count(f" {word}") for word in words]),
        alone=np.array([count(word) for word in words]),
        frequent=starts[:, None] + np.minimum(ranks, WORDS - 1),
        address=len(words) - 1,
        saved=count(ADDRESS) - count(MASK),
    )


def _made_up(language):
    """Return distinct words of a language, the short ones first."""
    rng, syllables = Random(language), SYLLABLES[language].split()
    words: dict[str, None] = {}
    while len(words) < WORDS:
        size = 1 + int(math.log(len(words) + 1, len(syllables))) + rng.randrange(2)
        words["".join(rng.choices(syllables, k=size))] = None
    return list(words)


def texts_of(start, languages, has_address, characters, rng):
    """Return the texts of a shard and their tokens; the last three words number the documents."""
    import pyarrow.compute as pc

    known = vocabulary()
    rows = len(languages)
    mean = characters / (known.lengths[known.frequent].mean(axis=1)[languages] + 1)
    sizes = np.maximum(4, mean * np.exp(rng.normal(-0.08, 0.4, rows))).astype(np.int64) + 1
    ends = np.cumsum(sizes)
    starts = ends - sizes
    language = np.repeat(languages, sizes)
    words = known.frequent[language, rng.integers(0, 1 << 16, ends[-1], dtype=np.uint16)]
    for place in range(3):
        words[ends - 1 - place] = languages * WORDS + (
            np.arange(start, start + rows) >> 8 * place & 255
        )
    words[starts[has_address]] = known.address
    counts = np.add.reduceat(known.after_space[words], starts)
    first = words[starts]
    counts += known.alone[first] - known.after_space[first]
    lists = pa.ListArray.from_arrays(
        pa.array(np.append(0, ends), pa.int32()), known.words.take(pa.array(words))
    )
    return pc.binary_join(lists, " "), counts


# ── shards


@dataclass(frozen=True)
class Written:
    """What a worker says of a shard: its sums, its copies, and documents for people to label."""

    sums: Sums
    copies: list[tuple[str, str]]
    labelled: list[tuple[str, str, str, str]]


def name_of(number):
    """The file of a shard in every table."""
    return f"0001-{number:07}-0000.parquet"


def write_shard(plan, folders, number):
    """Write one shard of pool, clean and vectors; return what there is to say of it."""
    rng = np.random.default_rng([plan.seed, number])
    start = number * ROWS_PER_SHARD
    rows = min(ROWS_PER_SHARD, plan.documents - start)
    places = np.arange(start, start + rows)
    source = np.searchsorted(np.cumsum(list(SOURCES.values())), (places + 0.5) / plan.documents)
    language = _drawn(np.array(list(LANGUAGES.values()))[source], rng)
    has_address = rng.random(rows) < EDITED
    texts, counts = texts_of(start, language, has_address, plan.characters, rng)
    ids = [blake2b(text.encode(), digest_size=16).hexdigest() for text in texts.to_pylist()]
    pool = _pool(ids, texts, counts, source, language, rng)
    clean = _clean(ids, texts, counts, language, has_address, rng)
    storage.write_parquet(folders["pool"] / name_of(number), pool)
    storage.write_parquet(folders["clean"] / name_of(number), clean)
    index.write(index.path_of(folders["clean"] / name_of(number)), clean["id"])
    feeling = _drawn(np.tile(list(CLASSES.values()), (rows, 1)), rng)
    if "vectors" in folders:
        write_vectors(
            folders["vectors"], number, pool, clean, vectors_of(feeling, rng, plan.dimension)
        )
    copied = np.flatnonzero(rng.random(rows) < COPIED)
    return Written(
        _sums(pool, clean),
        [(ids[place], list(SOURCES)[source[place]]) for place in copied],
        _labelled(plan, number, pool, clean, feeling),
    )


def _drawn(shares, rng):
    """Draw a column for each row of `shares`."""
    reached = np.cumsum(shares, axis=1)
    return (rng.random((len(shares), 1)) * reached[:, -1:] >= reached).sum(axis=1)


def _names(names, places):
    return pa.array(list(names), pa.string()).take(pa.array(places))


def _meta(rows, rng):
    """The address and the part of each document: 1,000 hosts, some larger, and 200 parts."""
    hosts, parts = (HOSTS * rng.random(rows) ** 2).astype(int), rng.integers(0, PARTS, rows)
    return pa.array(
        [
            f'{{"url": "https://h{host}.org/", "part": "p{part:03}"}}'
            for host, part in zip(hosts.tolist(), parts.tolist(), strict=True)
        ]
    )


def _pool(ids, texts, counts, source, language, rng):
    rows = len(ids)
    sources = _names(SOURCES, source)
    licenses = sorted({name for pairs in LICENSES.values() for name, _ in pairs})
    shares = np.array(
        [[dict(pairs).get(name, 0) for name in licenses] for pairs in LICENSES.values()]
    )
    other = _names(SOURCES, (source + 1) % len(SOURCES))
    is_shared = rng.random(rows) < SHARED
    offsets = np.append(0, np.cumsum(is_shared)).astype(np.int32)
    # The web declares no language: `clean` detects it.
    declared = pa.array(np.where(source == 0, len(SYLLABLES), language))
    return _table(
        "pool",
        {
            "id": ids,
            "text": texts,
            "source": sources,
            "origin": [f"data/{name}.jsonl:{row}" for row, name in enumerate(sources.to_pylist())],
            "meta": _meta(len(ids), rng),
            "also": pa.ListArray.from_arrays(pa.array(offsets), other.filter(pa.array(is_shared))),
            "license": _names(licenses, _drawn(shares[source], rng)),
            "language": pa.array([*SYLLABLES, None], pa.string()).take(declared),
            "tokens": counts,
            "holdout": rng.random(rows) < HOLDOUT,
            "batch": np.ones(rows, np.int32),
        },
        rows,
    )


def _clean(ids, texts, counts, language, has_address, rng):
    import pyarrow.compute as pc

    rows = len(ids)
    kept_share = 1 - sum(REASONS.values())
    reason = _drawn(np.tile([*REASONS.values(), kept_share], (rows, 1)), rng)
    offsets = np.append(0, np.cumsum(has_address)).astype(np.int32)
    edit = {"start": 0, "end": len(ADDRESS), "replacement": MASK}
    edits = pa.array(
        [edit] * int(has_address.sum()), tables.schema("clean").field("edits").type.value_type
    )
    chars = pc.utf8_length(texts).to_numpy()
    return _table(
        "clean",
        {
            "id": ids,
            "kept": reason == len(REASONS),
            "reason": pa.array([*REASONS, None], pa.string()).take(pa.array(reason)),
            "edits": pa.ListArray.from_arrays(
                pa.array(offsets, mask=np.append(~has_address, False)), edits
            ),
            "tokens": counts - has_address * vocabulary().saved,
            "language": _names(SYLLABLES, language),
            "length:chars": chars.astype(np.float32),
            "length:words": (chars / 6).astype(np.float32),
            "language:confidence": rng.random(rows, np.float32),
            "privacy:email": has_address.astype(np.float32),
        },
        rows,
    )


def _table(name, columns, rows):
    """Return a table by its schema, with columns of its own behind; the others are null."""
    schema = tables.schema(name)
    arrays = {
        column.name: pa.array(columns[column.name], column.type)
        if column.name in columns
        else pa.nulls(rows, column.type)
        for column in schema
    }
    return pa.table({**arrays, **{key: columns[key] for key in columns if key not in arrays}})


def vectors_of(feeling, rng, dimension=DIMENSION):
    """Return vectors around a centre for each class: documents x dimension."""
    centres = np.random.default_rng(0).normal(0, 0.35, (len(CLASSES), dimension))
    noise = rng.standard_normal((len(feeling), dimension), np.float32)
    return (centres[feeling] + noise).astype(np.float32)


def write_vectors(folder, number, pool, clean, vectors):
    """Write the vectors of a shard's kept documents, in blocks, and the digests of their texts."""
    rows = np.flatnonzero(clean["kept"].to_numpy())
    ids, digests = clean["id"].take(rows), contents.digests(_edited(pool["text"].take(rows)))
    np.save(folder / contents.FOLDER / f"{Path(name_of(number)).stem}.npy", digests)
    encoder = blocks.digest_of(Given.about)
    for start in range(0, len(rows), BLOCK):
        part = slice(start, start + BLOCK)
        own = ids.slice(start, BLOCK)
        blocks.write(folder, name_of(number), encoder, own, digests[part], vectors[rows[part]])


def _edited(texts):
    """Return the texts with the address masked where they begin with it."""
    import pyarrow.compute as pc

    return pc.replace_substring_regex(texts, f"^{ADDRESS}", MASK).to_pylist()


def _sums(pool, clean):
    import pyarrow.compute as pc

    kept = clean["kept"]
    return Sums(
        documents=pool.num_rows,
        kept=pc.sum(kept).as_py(),
        tokens=pc.sum(pool["tokens"]).as_py(),
        tokens_kept=pc.sum(clean["tokens"].filter(kept)).as_py(),
        holdout=pc.sum(pool["holdout"]).as_py(),
        edited=int(clean["privacy:email"].to_numpy().sum()),
        sources=Counter(pool["source"].to_pylist()),
        reasons=Counter(clean["reason"].drop_null().to_pylist()),
        overlap=overlap.exact(pool),
    )


def _labelled(plan, number, pool, clean, feeling):
    """Return some documents that people may see: id, text as shown, source and class."""
    start = number * ROWS_PER_SHARD
    ends = (min(place, plan.documents) * LABELLED for place in (start, start + ROWS_PER_SHARD))
    first, last = (end // plan.documents for end in ends)
    rows = np.flatnonzero(clean["kept"].to_numpy() & ~pool["holdout"].to_numpy())[: last - first]
    part = pool.select(["id", "text", "source"]).take(rows)
    classes = np.array(list(CLASSES))[feeling[rows]].tolist()
    return list(
        zip(
            part["id"].to_pylist(),
            _edited(part["text"]),
            part["source"].to_pylist(),
            classes,
            strict=True,
        )
    )


# ── the workspace


def generate(plan, workers=2):
    """Write a workspace; return its sums. A folder that is there is removed."""
    shutil.rmtree(plan.folder, ignore_errors=True)
    names = {"pool": "pool", "clean": "clean"}
    names |= {"vectors": f"vectors/{ENCODER}"} if plan.vectors else {}
    folders = {name: plan.folder / path for name, path in names.items()}
    for folder in folders.values():
        folder.mkdir(parents=True)
    (folders["clean"] / index.FOLDER).mkdir()
    if plan.vectors:
        (folders["vectors"] / contents.FOLDER).mkdir()
    engine = Local(workers)
    work = partial(write_shard, plan, folders)
    written = [shard for _, shard in sorted(engine.each(work, range(plan.shards)))]
    engine.close()
    sums = sum((shard.sums for shard in written), Sums())
    workspace = Workspace(plan.folder)
    workspace.init("generated")
    _seal(workspace, folders, sums, [copy for shard in written for copy in shard.copies])
    _ask(workspace, [row for shard in written for row in shard.labelled], Random(plan.seed))
    return sums


def _seal(workspace, folders, sums, copies):
    """Write duplicates and the records of all tables; `vectors` come last."""
    pool = Recipe.model_validate(
        {"pool": {"sources": [{"paths": ["data/*.jsonl"]}], "holdout": HOLDOUT}}
    ).pool
    files = [
        {"path": f"data/{name}.jsonl", "size": 1, "sha256": storage.digest(name) * 2}
        for name in SOURCES
    ]
    facts = {"sources": list(SOURCES), "files": files, "tokenizer": TOKENIZER}
    made = workspace.freshness.provenance("pool", pool, {"sources": "generated"}, **facts)
    storage.write_json(folders["pool"] / "_rejected.json", [])
    storage.seal(folders["pool"], made)
    ids, sources = zip(*copies, strict=True)
    origins = [f"data/{source}.jsonl:{row}" for row, source in enumerate(sources)]
    duplicates = _table("duplicates", {"id": ids, "source": sources, "origin": origins}, len(ids))
    storage.write_file_table(workspace.tables.folder("duplicates"), duplicates, made)
    _record(workspace, made, ("pool", "duplicates"), pool_result(sums, len(copies)))

    clean = Recipe.model_validate({"clean": {"languages": [*SYLLABLES], "privacy": "mask"}}).clean
    measured = {"digest": "generated", "signed": False}
    inputs = workspace.tables.fingerprints(("pool",))
    made = workspace.freshness.provenance("clean", clean, inputs, measured=measured)
    pairs = [[*pair, n] for pair, n in sums.overlap.most_common()]
    storage.write_json(folders["clean"] / overlap.FILE, {"exact": pairs, "near": []})
    storage.seal(folders["clean"], made)
    _record(workspace, made, ("clean",), clean_result(sums))
    if "vectors" in folders:
        inputs = workspace.tables.fingerprints(("pool", "clean"))
        storage.seal(folders["vectors"], storage.Provenance("embed", Given.about, inputs, "", {}))


def _record(workspace, made, names, result):
    workspace.ledger.append(made, workspace.tables.fingerprints(names), result, 1.0)


def pool_result(sums, copies):
    """Return what `pool` would have said."""
    return PoolResult(
        rows=sums.documents + copies,
        documents=sums.documents,
        copies=copies,
        shared=sums.overlap.total(),
        bad_rows=0,
        skipped=0,
        reasons={},
        encodings={},
        replaced=0,
        lost_bytes=0,
        left_out=0,
        tokens=sums.tokens,
        media_tokens=0,
        media={},
        holdout=sums.holdout,
        read=sums.documents + copies,
        added=sums.documents,
        batch=1,
        sources=dict(sums.sources),
        notes=(),
    )


def clean_result(sums):
    """Return what `clean` would have said."""
    return CleanResult(
        documents=sums.documents,
        measured=sums.documents,
        kept=sums.kept,
        tokens=sums.tokens_kept,
        reasons=dict(sums.reasons.most_common()),
        licenses={},
        privacy={"email": sums.edited},
        differing_languages=0,
    )


def _ask(workspace, labelled, rng):
    """Write a closed round: every person has answered every text, rightly as often as they do."""
    opened = {
        "purpose": "label",
        "created": now(),
        "sample": Recipe().sample.settings(),
        "frame": {"documents": len(labelled), "strata": {}, "clean": None},
    }
    sample = [
        {"id": id, "round": 1, "rank": rank, "kind": "design", "strategy": "random"}
        | {"stratum": source, "propensity": 0.5}
        for rank, (id, _, source, _) in enumerate(labelled)
    ]
    views = {id: View({TEXT: text}) for id, text, _, _ in labelled}
    with freeze(workspace.root, 1, opened, sample, views):
        pass
    form = load_form("sentiment")
    project = Project("folder", "", "generated-r01", "1", form, len(PEOPLE), "")
    batch, tasks = Batch(None, project), [{"id": id} for id in views]
    settings = Recipe.model_validate({"push": {"backend": "folder", "overlap": "all"}}).push
    round_ = Round.load(1, workspace.root / "rounds" / "01").freeze_push(
        settings.settings(), form, [batch], tasks
    )
    round_.append(
        [
            {"id": id, "question": "sentiment", "annotator": person, "status": "submitted"}
            | {"value": json.dumps(_answer(feeling, skill, rng)), "at": moment(now())}
            | {"seconds": 5.0, "backend": "folder", "project": project.name, "round": 1}
            | {"form": form.digest, "blind": True}
            for id, _, _, feeling in labelled
            for person, skill in PEOPLE.items()
        ],
        {},
    )
    close(round_, "complete")


def _answer(feeling, skill, rng):
    return feeling if rng.random() < skill else rng.choice(list(CLASSES))


if __name__ == "__main__":
    folder, *numbers = sys.argv[1:]
    generate(Plan(Path(folder), *map(int, numbers)))
