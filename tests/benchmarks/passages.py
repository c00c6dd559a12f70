"""Are planted repeats found, and what do seconds and memory a million words come to?

    python -m tests.benchmarks.passages [documents]

Documents are drawn from a vocabulary whose words are as frequent as Zipf says, and share nothing
but what is planted: passages of 50 to 500 words, half of them in the middle of a line, half as
lines of their own. Three ways look for them, each in a process of its own, on one core:

- `own`: what `clean` does, from shards on disk to passages on disk;
- `suffix array`: pydivsufsort over all words in memory, and Kasai's longest common prefixes, which
  is where a search by a suffix array begins;
- `lines`: hashes of whole lines, as web corpora were first freed from boilerplate.

Compare processor seconds; a busy machine changes them, their ratios hardly. Memory is read before
what was found is judged.
"""

import json
import shutil
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from curate import tables
from curate.clean.duplicates.settling import Gone
from curate.clean.duplicates.shards import Shard, of_shard
from curate.clean.duplicates.spec import PassagesSpec
from curate.clean.passages.finding import find
from curate.engine import Local
from tests.benchmarks import setting

FOLDER = setting.RUNS / "passages"
DOCUMENTS, SHARD = 100_000, 10_000
PASSAGES, HOLDERS = 2000, 4
WORDS, VOCABULARY, LINE = 50, 50_000, 20
WAYS = ("own", "suffix array", "lines")


def drawn(rng, count):
    """Return words as frequent as Zipf says, as numbers."""
    rank = np.exp(rng.random(count) * np.log(VOCABULARY))
    return rank.astype(np.int64) % VOCABULARY


def planted(documents, seed=0):
    """Return the words of every document, where its lines begin, and what is planted in it.

    What is planted are rows of (document, first word, words, passage, whether lines of its own).
    """
    rng = np.random.default_rng(seed)
    words = [drawn(rng, size) for size in rng.integers(20, 180, documents)]
    lines = [set(range(0, len(own), LINE)) for own in words]
    passages = max(10, PASSAGES * documents // DOCUMENTS)
    holders = rng.permutation(documents)[: passages * HOLDERS].reshape(passages, HOLDERS)
    rows = []
    for number, places in enumerate(holders.tolist()):
        passage = drawn(rng, int(rng.integers(50, 501)))
        for place in places:
            at = int(rng.integers(0, len(words[place]) + 1))
            own_lines = number % 2 == 1
            # Words of its own around it: else a copy may go on with a common word by chance.
            edges = VOCABULARY + 2 * place + np.arange(2)
            parts = [words[place][:at], edges[:1], passage, edges[1:], words[place][at:]]
            words[place] = np.concatenate(parts)
            shift, at = len(passage) + 2, at + 1
            moved = {line + shift if line >= at else line for line in lines[place]}
            inside = {at + line for line in range(0, len(passage), LINE)}
            lines[place] = moved | ({*inside, at + len(passage)} if own_lines else {0})
            rows.append((place, at, len(passage), number, own_lines))
    return words, lines, rows


def write(documents):
    """Write the documents as shards of a pool, and what is planted."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    names = np.array([f"{word:x}".translate(LETTERS) for word in range(VOCABULARY + 2 * documents)])
    words, lines, rows = planted(documents)
    edits = tables.schema("clean", "edits").field("edits").type
    for number, first in enumerate(range(0, documents, SHARD)):
        own = range(first, min(first + SHARD, documents))
        texts = [_text(names[words[place]], lines[place]) for place in own]
        ids = [f"{4 * place:010x}".ljust(32, "0") for place in own]
        count = len(own)
        columns = {
            "texts": {"id": ids, "text": texts, "source": ["a"] * count, "batch": [1] * count},
            "measured": {"edits": pa.nulls(count, edits), "tokens": [1] * count},
            "reasons": {"reason": pa.nulls(count, pa.string())},
        }
        for name, values in columns.items():
            pq.write_table(pa.table(values), FOLDER / f"{name}-{number:03}.parquet")
    np.savez(
        FOLDER / "truth.npz",
        words=np.concatenate(words),
        ends=np.cumsum([len(own) for own in words]),
        planted=np.array(rows),
    )


LETTERS = str.maketrans("0123456789abcdef", "bdfghklmnprstvwz")


def _text(words, lines):
    starts = sorted(at for at in lines if at < len(words))
    ends = [*starts[1:], len(words)]
    return "\n".join(" ".join(words[a:b]) for a, b in zip(starts, ends, strict=True))


# ── three ways, each in its process


def peak():
    """Return the most megabytes that this process has held; that of its parent does not count."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    (line,) = (line for line in lines if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def own():
    """Return the words that `clean` would remove, as pairs of document and word."""
    spec = PassagesSpec(tokens=WORDS)
    paths = sorted(FOLDER.glob("texts-*.parquet"))
    shards = []
    for number, path in enumerate(paths):
        measured, reasons = (
            path.with_name(path.name.replace("texts", name)) for name in ("measured", "reasons")
        )
        shards.append(Shard(number, path, measured, measured, reasons, {"a": 0}, spec))
    began = time.process_time()
    buckets = find(Local(1), shards, Gone(), spec, FOLDER / "scratch")
    taken = time.process_time() - began, peak()
    removed = set()
    for shard in shards:
        for row in of_shard(buckets, shard.number).to_pylist():
            place = shard.number * SHARD + row["row"]
            removed.update((place, row["word"] + at) for at in range(row["words"]))
    return taken, removed


def suffix_array():
    """Return the words in a repeat of 50 across documents; copies that come first are among them.

    The verdict is not timed, only the arrays.
    """
    from pydivsufsort import divsufsort, kasai

    truth = np.load(FOLDER / "truth.npz")
    words, ends = truth["words"].astype(np.uint32), truth["ends"]
    began = time.process_time()
    suffixes = divsufsort(words)
    common = kasai(words, suffixes)
    taken = time.process_time() - began, peak()
    document = np.searchsorted(ends, np.arange(len(words)), "right")
    left = ends[document] - np.arange(len(words))
    suffixes = np.asarray(suffixes)
    one, other = suffixes[:-1], suffixes[1:]
    shared = np.minimum(np.asarray(common)[: len(one)], np.minimum(left[one], left[other]))
    apart = (document[one] != document[other]) & (shared >= WORDS)
    edges = np.zeros(len(words) + 1, np.int64)
    begins = np.unique(np.concatenate([one[apart], other[apart]]))
    edges[begins] += 1
    edges[begins + WORDS] -= 1
    at = np.flatnonzero(np.cumsum(edges) > 0)
    starts = np.concatenate([[0], ends[:-1]])[document[at]]
    return taken, set(zip(document[at].tolist(), (at - starts).tolist(), strict=True))


def lines():
    """Return the words of lines that an earlier document holds too."""
    pq.read_table(FOLDER / "texts-000.parquet")  # imports are not what is measured
    began, seen, removed = time.process_time(), {}, set()
    place = 0
    for path in sorted(FOLDER.glob("texts-*.parquet")):
        for text in pq.read_table(path, columns=["text"])["text"].to_pylist():
            at = 0
            for line in text.split("\n"):
                size = len(line.split())
                if size >= 5 and seen.setdefault(hash(line), place) != place:
                    removed.update((place, at + k) for k in range(size))
                at += size
            place += 1
    return (time.process_time() - began, peak()), removed


def _by_passage(rows):
    by_passage = {}
    for row in rows:
        by_passage.setdefault(row[3], []).append(row)
    return by_passage


def judged(way):
    """Print what a way found, beside what was planted, and what it took."""
    before = peak()
    (seconds, most), removed = {"own": own, "suffix array": suffix_array, "lines": lines}[way]()
    truth = np.load(FOLDER / "truth.npz")
    millions = len(truth["words"]) / 1e6
    rows = truth["planted"].tolist()
    first = {number: min(row[0] for row in own) for number, own in _by_passage(rows).items()}
    copies, allowed = {True: [], False: []}, set()
    for place, at, size, number, own_lines in rows:
        span = {(place, at + k) for k in range(size)}
        allowed |= span
        if place != first[number]:
            copies[bool(own_lines)].append(len(span & removed) / len(span))
    figures = {
        "words": len(truth["words"]),
        "documents": len(truth["ends"]),
        "copies": len(copies[True]) + len(copies[False]),
        **{
            f"{what}_{where}": round(float(np.mean(share)), 4)
            for where, own in (("within_lines", copies[False]), ("as_lines", copies[True]))
            for what, share in (
                ("copies_found", np.array(own) == 1),
                ("words_found", np.array(own)),
            )
        },
        "false_words": len(removed - allowed),
        "cpu_seconds_per_million_words": round(seconds / millions, 3),
        "peak_megabytes": round(most),
        "megabytes_above_start": round(most - before),
    }
    sys.stdout.write(json.dumps(figures))


def measured(documents):
    """Measure all three ways on the same documents."""
    write(documents)
    found = {}
    for way in WAYS:
        command = [sys.executable, "-m", "tests.benchmarks.passages", "judged", way]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        found[way] = json.loads(done.stdout)
    own_cost, other = (
        found[way]["cpu_seconds_per_million_words"] for way in ("own", "suffix array")
    )
    found["ratio_to_suffix_array"] = round(own_cost / other, 2)
    found["peer"] = f"pydivsufsort {version('pydivsufsort')}"
    return found


if __name__ == "__main__":
    if sys.argv[1:2] == ["judged"]:
        judged(sys.argv[2])
    else:
        sizes = [int(size) for size in sys.argv[1:]] or [DOCUMENTS // 4, DOCUMENTS]
        setting.write("passages", {f"{size:,}": measured(size) for size in sizes}, seeds=(0,))
