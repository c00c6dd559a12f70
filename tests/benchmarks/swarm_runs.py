"""A swarm on real text: does the fitted optimum beat the best run, and how long do 64 runs take?

    python -m tests.benchmarks.swarm_runs FOLDER

Sources: code, docstrings and licences out of the running Python and its packages, and out of FOLDER
Chinese reviews (`zh_waimai`), English reviews (`sst5`) and questions (`trec`) as parquet. They are
pooled, cleaned and mixed; a mixture is two fifths of what there is, a text at most four times.

32 runs of each design are trained with the n-gram proxy, ten repeats with other seeds. What
`propose` makes of them is trained beside the run with the least loss, five fresh draws of both
with seeds that no run had, the same for both. The objective is the mean loss of the sources in nats
a byte.
"""

import json
import shutil
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from curate.proxies.making import proxy_of
from curate.proxies.spec import ProxySpec
from curate.swarm.allowed import allowed
from curate.swarm.designs import designed
from curate.swarm.plan import read_plan
from curate.swarm.planning import Wanted, make_plan
from curate.swarm.propose import Wishes, propose
from curate.swarm.runs import runs_of
from curate.swarm.texts import read_held_out, read_texts
from curate.swarm.train import Drawer, train
from tests.benchmarks import setting
from tests.benchmarks.english import code, help_pages, licences, noise

REPEATS, RUNS, FRESH = 10, 32, 5
SIZES = {"code": 300_000, "help": 200_000, "licences": 150_000, "waimai": 250_000,
         "reviews": 250_000, "questions": 100_000}  # fmt: skip
LAW = {"model": "log_linear"}
SEARCHES = {
    "space_filling": {
        "log_linear": LAW,
        "log_linear, no price": LAW | {"kl": 0.0},
    },
    "dirichlet": {"log_linear": LAW, "log_linear, no price": LAW | {"kl": 0.0}},
}
"""What is searched with after each design."""


def kinds(folder):
    """Yield each source and its texts."""
    downloads = Path("runs/downloads")
    yield "code", [text[:4000] for text in code(downloads)]
    yield "help", list(help_pages(downloads))
    yield "licences", [text[:4000] for text in licences(downloads)]
    yield "waimai", pq.read_table(folder / "zh_waimai" / "reviews.parquet")["review"].to_pylist()
    yield "reviews", pq.read_table(folder / "sst5" / "sentences.parquet")["text"].to_pylist()
    yield "questions", pq.read_table(folder / "trec" / "questions.parquet")["text"].to_pylist()


def base(folder):
    """Return a workspace with a mixture of the sources."""
    place = setting.RUNS / "swarm_runs"
    shutil.rmtree(place, ignore_errors=True)
    where = setting.workspace(place)
    (place / "data").mkdir()
    for name, texts in kinds(folder):
        size, chosen = 0, []
        for text in sorted({text.strip() for text in texts if text and text.strip()}, key=noise):
            size += len(text.encode())
            if size > SIZES[name]:
                break
            chosen.append({"text": text})
        lines = "".join(json.dumps(row) + "\n" for row in chosen)
        (place / "data" / f"{name}.jsonl").write_text(lines, encoding="utf-8")
    sources = [{"name": name, "paths": [f"data/{name}.jsonl"]} for name in SIZES]
    setting.stage(where, "pool", sources=sources, tokenizer="bytes", holdout=0.06)
    setting.stage(where, "clean")
    setting.stage(where, "mix", budget="40%", max_epochs=4)
    return where


def timed(where):
    """Return the seconds of `plan` and `train` for 64 runs, and what was read."""
    start = time.perf_counter()
    found = make_plan(where, Wanted(runs=64))
    planned = time.perf_counter()
    train(where)
    return {
        "plan, s": round(planned - start, 1),
        "train 64 runs, s": round(time.perf_counter() - planned, 1),
        "tokens of a run": round(found.budget),
        "tokens read": {own.group: own.tokens for own in found.groups},
    }


class Trainer:
    """Trains any mixture by the proxy, made ready once; runs of a transformer are kept."""

    def __init__(self, where, **proxy):
        self.plan = read_plan(where)
        texts, candidates = read_texts(where, self.plan.part)
        self.drawer = Drawer.of(where, self.plan, texts)
        held = read_held_out(where, self.plan.holdout)
        spec = ProxySpec.model_validate(proxy)
        self.proxy = proxy_of(spec, candidates, held.texts, folder=setting.RUNS / "swarm_proxy")
        self.allowed = allowed(where, str(self.plan.target_budget))
        self.groups = self.allowed.groups
        self.prior = np.array([self.plan.prior[group] for group in self.groups])
        read = [sum(texts.tokens[texts.group == group]) for group in self.groups]
        most = np.array(read) * self.allowed.epochs / self.plan.budget
        self.region = self.allowed.region.under(most)

    def losses(self, shares, seed):
        """Return the shares that were drawn, and the losses by source."""
        arm = self.drawer.arm("run", dict(zip(self.groups, shares.tolist(), strict=True)))
        copies = arm.draw(self.drawer.drawn.texts, self.drawer.drawn.budget, seed)
        return self.drawer.shares(copies), self.proxy.by_source(
            self.proxy.learn(copies, seed).losses
        )

    def fresh(self, shares, seed):
        """Return the mean objective of fresh draws."""
        return [
            float(np.mean([*self.losses(shares, 10_000 + seed * FRESH + n)[1].values()]))
            for n in range(FRESH)
        ]


def repeat(trainer, design, number):
    """Return how each search does beside the best run, on fresh draws."""
    mixtures = trainer.region.near(designed(design, trainer.prior, range(RUNS), number))
    trained = [trainer.losses(own, 100 * number + n) for n, own in enumerate(mixtures)]
    names = [f"{n:04}" for n in range(RUNS)]
    shares = dict(
        zip(names, ({g: own[0][g] for g in trainer.groups} for own in trained), strict=True)
    )
    runs = runs_of(shares, dict(zip(names, (own[1] for own in trained), strict=True)))
    best = runs.shares[runs.objective.argmin()]
    base = Wishes(trainer.prior, trainer.region, refits=0, seed=number)
    reached = {"best run": trainer.fresh(best, number), "prior": trainer.fresh(mixtures[0], number)}
    for name, more in SEARCHES[design].items():
        wishes = replace(base, **more)
        found = np.array(list(propose(runs, wishes).shares.values()))
        reached[name] = trainer.fresh(found, number)
    return {name: [float(np.mean(own)), float(np.std(own))] for name, own in reached.items()}


def summary(repeats):
    best = np.array([own["best run"][0] for own in repeats])
    table = {}
    for name in repeats[0]:
        mean = np.array([own[name][0] for own in repeats])
        table[name] = {
            "mean loss": round(float(mean.mean()), 4),
            "better than the best run": int((mean < best).sum()),
            "gain over the best run": round(float((best - mean).mean()), 4),
        }
    spread = float(np.mean([own["best run"][1] for own in repeats]))
    return {
        "repeats": len(repeats),
        "SD of a fresh draw": round(spread, 4),
        "figures": table,
    }


def main():
    """Measure, print, and write the result."""
    where = base(Path(sys.argv[1]))
    times = timed(where)
    sys.stderr.write(f"{times}\n")
    trainer = Trainer(where)
    found = {}
    for design in sys.argv[2:] or SEARCHES:
        repeats = []
        for number in range(1, 1 + REPEATS):
            repeats.append(repeat(trainer, design, number))
            sys.stderr.write(f"{design} {number}: {repeats[-1]}\n")
        found[design] = summary(repeats)
    setting.write("swarm_runs", {"times": times, **found})


if __name__ == "__main__":
    main()
