"""What optimizers learn of the demo's pool, and what helps a proxy that overfits.

    python -m tests.benchmarks.optimizers [STEPS]

The pool is that of the English demo: tweets, film and product reviews (vaderSentiment, MIT), with
HELD_OUT bytes of each source held out. Each optimizer trains the transformer of size `tiny` with
its defaults on all of it. Then one hundredth of the pool is read 40 times in small steps: as it is,
with a dropout, and with a heavier weight decay. Runs are kept: it goes on after a kill.
"""

import json
import os
import sys
from pathlib import Path

import numpy as np

from curate.evaluate.trainings import TrainingResult, warnings_on
from curate.proxies.making import proxy_of
from curate.proxies.spec import ProxySpec
from recipes.demo import data
from tests.benchmarks import setting
from tests.benchmarks.english import noise
from tests.benchmarks.proxies import cut

OPTIMIZERS = ("sgd", "adam", "adamw")
HELD_OUT, PART, EPOCHS, MARKS = 16_000, 0.01, 40, 10
BATCH = 8
"""Windows of a step on so few texts: at 32, 200 steps in all teach no more than pairs of bytes."""

CURES = {
    "as it is": {},
    "dropout .3": {"dropout": 0.3},
    "weight decay 1": {"weight_decay": 1.0},
}


def pool():
    """Return the demo's texts to learn from, by chance, and those held out by source."""
    folder = setting.RUNS / "optimizers"
    data.write_english(folder / "data", Path("runs/downloads").resolve())
    candidates, held = [], {}
    for path in sorted((folder / "data").glob("*.jsonl")):
        rows = map(json.loads, path.read_text(encoding="utf-8").splitlines())
        texts = sorted({row["text"] for row in rows}, key=noise)
        held[path.stem], own = cut(texts, HELD_OUT)
        candidates += own
    return sorted(candidates, key=noise), held


def learned(texts, held, **settings):
    """Return the training of one run."""
    spec = {"transformer": {"sample": 0, "marks": MARKS, **settings}}
    folder = setting.RUNS / "optimizers" / "proxy"
    own = proxy_of(ProxySpec.model_validate(spec), texts, held, folder=folder)
    found = own.learn(np.ones(len(texts), int), 0).training
    sys.stderr.write(f"{settings}: {found.curve[-1]}\n")
    return found


def told(training):
    """Return what a training did, in figures; losses are in nats a token."""
    first, last = training.curve[0], training.curve[-1]
    result = TrainingResult.of("mixture", [training])
    return {
        "steps": training.steps,
        "epochs": round(training.epochs, 2),
        "training": [round(first.training, 3), round(last.training, 3)],
        "held out": [round(first.validation, 3), round(last.validation, 3)],
        "least held out": round(min(mark.validation for mark in training.curve), 3),
        "gap": round(last.gap, 3),
        "warnings": [own.words for own in warnings_on([result])],
        "tokens a second": round(training.tokens_a_second),
    }


def main():
    """Measure, print, and write the result."""
    steps = int((sys.argv[1:] or ["60"])[0])
    texts, held = pool()
    few = texts[: round(len(texts) * PART)]
    figures = {
        "load": round(os.getloadavg()[0], 1),
        "bytes": {"pool": size(texts), "one hundredth": size(few)},
        "optimizers": {
            name: told(learned(texts, held, steps=steps, optimizer=name)) for name in OPTIMIZERS
        },
    }
    setting.write("optimizers", figures, range(1))
    cured = figures[f"one hundredth, {EPOCHS} epochs, batch {BATCH}"] = {}
    for name, own in CURES.items():
        cured[name] = told(learned(few, held, epochs=EPOCHS, batch=BATCH, **own))
        setting.write("optimizers", figures, range(1))


def size(texts):
    return sum(len(text.encode()) for text in texts)


if __name__ == "__main__":
    main()
