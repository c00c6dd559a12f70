"""What is measured beside the rule sets: how fast, and how rightly.

    python -m tests.benchmarks.instruments

Speed: documents of 400 characters a second and core, each instrument through the function that the
workers call. Privacy: what is found of planted values, and what is found in sources of the standard
library, where next to nothing is private. Contamination: planted items in other case and
punctuation, beside the same items with every eighth word changed. Relevance: AUC with which 100
documents of a genre find the others of that genre, beside length alone and the paper's plain sum:
means over draws of the 100, and the least and the greatest.
"""

import random
import sys
import sysconfig
import time
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np

from curate.clean import detecting
from curate.clean.instruments import benchmarks, relevance
from curate.clean.instruments.grams import hashed
from curate.clean.instruments.privacy import instrument, numbers
from tests.benchmarks import setting

DATA = Path("../shared/data")


def main():
    if not DATA.exists():
        sys.exit(f"skipped: {DATA} is absent")
    setting.write(
        "instruments",
        {
            "docs_per_second_one_core": speed(),
            "privacy": {"recall_of_planted": planted(), "standard_library": clean_code()},
            "contamination": overlap(),
            "relevance_auc": genres(),
        },
    )


def frame(name):
    import pandas as pd

    return pd.read_parquet(DATA / name)


def sources(size=400, most=20_000):
    """Return pieces of the standard library's sources."""
    found = []
    for path in sorted(Path(sysconfig.get_path("stdlib")).glob("*.py")):
        text = path.read_text(encoding="utf-8", errors="replace")
        found += [text[at : at + size] for at in range(0, len(text), size)]
    return found[:most]


# ── speed


def speed():
    web = [text[:400] for text in frame("hplt_web_quality/docs.parquet")["text"]]
    chinese = frame("zh_shopping/reviews.parquet").iloc[:, :].astype(str).agg(" ".join, axis=1)
    texts = [*web, *sources(most=4000), *(text[:400] for text in chinese[:2000])]
    random.Random(0).shuffle(texts)
    known = benchmarks.index(texts[:1000], 13)
    ratios = relevance.importance(relevance.counts(texts[:500]), relevance.counts(texts))
    work = {
        "language": lambda: detecting.detect(texts),
        "privacy": lambda: [instrument.find(text) for text in texts],
        "contamination": lambda: benchmarks.overlaps(hashed(texts), known),
        "relevance": lambda: relevance.scores(texts, ratios),
    }
    figures = {"documents": len(texts), "characters": round(float(np.mean([*map(len, texts)])))}
    for name, run in work.items():
        seconds = []
        for _ in range(3):
            began = time.process_time()
            run()
            seconds.append(time.process_time() - began)
        figures[name] = round(len(texts) / min(seconds))
    return figures


# ── privacy


def planted(n=2000):
    """Return the share of planted values that is found whole, by kind."""
    rng = random.Random(1)
    carriers = sources(200, n)
    found = Counter()
    makers = {
        "email": lambda: f"{word(rng)}.{word(rng)}{rng.randint(1, 99)}@{word(rng)}.com",
        "phone": lambda: phone(rng),
        "ip": lambda: ".".join(str(rng.randint(40, 220)) for _ in range(4)),
        "card": lambda: card(rng),
        "id": lambda: identity(rng),
        "key": lambda: "ghp_" + "".join(rng.choices("abcdefXYZ0123456789", k=36)),
    }
    for kind, make in makers.items():
        for carrier in carriers:
            value = make()
            text = f"{carrier}\ncontact: {value}, thanks"
            spans = [text[s:e] for s, e, each in instrument.find(text) if each == kind]
            found[kind] += value in spans
    return {kind: round(found[kind] / len(carriers), 4) for kind in makers}


def word(rng):
    return "".join(rng.choices("abcdefghiklmnoprstuvw", k=rng.randint(3, 9)))


def phone(rng):
    digits = "".join(rng.choices("0123456789", k=8))
    rest = rng.choice([f"{digits[:4]} {digits[4:]}", digits, f"{digits[:4]}-{digits[4:]}"])
    return rng.choice([f"+44 20 {rest}", f"+86 139{digits}", f"+49 30 {rest}", f"138{digits}"])


def card(rng):
    body = rng.choice(["4", "51", "2221"]) + "".join(rng.choices("0123456789", k=14))
    body = body[:15]
    number = next(body + d for d in "0123456789" if numbers.luhn(body + d))
    return rng.choice([number, " ".join(number[at : at + 4] for at in range(0, 16, 4))])


def identity(rng):
    born = f"{rng.randint(1950, 2010)}{rng.randint(1, 12):02}{rng.randint(1, 28):02}"
    body = f"{rng.choice(['110105', '440301', '310101'])}{born}{rng.randint(0, 999):03}"
    return next(body + d for d in "0123456789X" if numbers.chinese_id(body + d))


def clean_code():
    """Return what is found in pieces of sources; e-mail addresses of authors are really there."""
    texts = sources()
    found = Counter(each.kind for text in texts for each in instrument.find(text))
    return {"pieces": len(texts), **{kind: found[kind] for kind in instrument.KINDS}}


# ── contamination


def overlap(n=1500):
    rng = random.Random(2)
    # Pieces that repeat each other (headers, licences) would contaminate one another by right.
    pieces = [p for p in sources(300, 9000) if len(hashed([p]).words) >= 30]
    rng.shuffle(pieces)
    items, others = pieces[:n], pieces[n : 2 * n]
    known = benchmarks.index(items, 13)
    changed = [item.upper().replace(" ", "  ").replace(".", " !") for item in items]
    near = [
        " ".join(w if place % 8 else "pear" for place, w in enumerate(item.split()))
        for item in items
    ]

    def hit(texts, wanted=None):
        held = benchmarks.overlaps(hashed(texts), known)
        best = [max((each.share for each in items.values()), default=0.0) for items in held]
        return round(float(np.mean([share >= 0.5 for share in best])), 4)

    carried = [f"{other} {item} {other}" for item, other in zip(changed, others, strict=False)]
    return {
        "items": n,
        "planted_found": hit(carried),
        "every_eighth_word_changed_found": hit(near),
        "other_texts_found": hit(others),
    }


# ── relevance


def genres(n=100, draws=10):
    """Return the AUC per genre; `sum` is the paper's, with its own ratio."""
    from sklearn.metrics import roc_auc_score

    data = frame("svcore_registers/docs.parquet")
    texts, labels = data["text"].tolist(), data["label"].to_numpy()
    pool = relevance.counts(texts)
    lengths = np.array([len(text) for text in texts])
    figures = {}
    for label in [name for name, count in data["label"].value_counts().items() if count >= 300]:
        own = np.flatnonzero(labels == label)
        rng = np.random.default_rng(0)
        aucs, follows = defaultdict(list), defaultdict(list)
        for _ in range(draws):
            seeds = rng.choice(own, n, replace=False)
            target = relevance.counts([texts[at] for at in seeds])
            mean = relevance.scores(texts, relevance.importance(target, pool))
            rest = np.setdiff1d(np.flatnonzero(~np.isnan(mean)), seeds)
            found = {"mean": mean, "sum": sums(texts, target, pool), "length": lengths}
            for name, scores in found.items():
                aucs[name].append(roc_auc_score(labels[rest] == label, scores[rest]))
                follows[name].append(np.corrcoef(scores[rest], lengths[rest])[0, 1])
        figures[label] = {
            name: {
                "auc": round(float(np.mean(each)), 3),
                "least_and_greatest": [round(float(min(each)), 3), round(float(max(each)), 3)],
                "correlation_with_length": round(float(np.mean(follows[name])), 3),
            }
            for name, each in aucs.items()
        }
    return figures


def sums(texts, target, pool):
    """Return the importance as in the paper's code: a sum of plain log ratios."""
    ratios = np.log(target / target.sum() + 1e-8) - np.log(pool / pool.sum() + 1e-8)
    found, where = relevance.buckets(hashed(texts))
    return np.bincount(where, ratios[found], len(texts))


if __name__ == "__main__":
    main()
