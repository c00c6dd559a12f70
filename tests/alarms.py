"""Simulated comparisons of two arms: how often a difference is told where there is none, or is one.

Small corpora of made-up words, two sources, drawn and measured as `evaluate` does it. Equal arms
are drawn with independent noise: with shared noise their difference would be exactly 0.
"""

import numpy as np

from curate.evaluate.arms import Arm
from curate.evaluate.paired import Weighting, difference
from curate.evaluate.strata import Budget, Texts
from curate.proxies.ngram import Corpus

SEEDS = (2, 3, 5, 10, 30)


def texts_of(rng, documents, words):
    """Documents of 10 to 60 words, of a Zipf distribution over a source's own order of words."""
    order, sizes = rng.permutation(words), rng.integers(10, 60, documents)
    ranks = np.minimum(rng.zipf(1.3, int(sizes.sum())), len(words)) - 1
    return [" ".join(own) for own in np.split(order[ranks], np.cumsum(sizes)[:-1])]


def corpus_of(seed, training=80, held_out=25):
    """Texts to draw from, and the corpus that measures what was drawn."""
    rng = np.random.default_rng(seed)
    letters = list("abcdefghijklmnopqrstuvwxyz")
    words = np.array(["".join(rng.choice(letters, rng.integers(2, 8))) for _ in range(300)])
    parts = {name: texts_of(rng, training + held_out, words) for name in ("film", "meal")}
    training_texts = [text for own in parts.values() for text in own[:training]]
    corpus = Corpus(training_texts, {name: own[training:] for name, own in parts.items()})
    source = np.repeat(list(parts), training)
    tokens = np.array([len(text) for text in training_texts])
    ids = [f"{seed}-{place}" for place in range(len(tokens))]
    return Texts(ids, source, source, tokens, np.ones(len(tokens))), corpus


def arm_of(texts, shares):
    """An arm with these shares of the sources."""
    rows = {name: np.flatnonzero(texts.source == name) for name in shares}
    return Arm("arm", shares, shares, rows, texts.weight)


def losses_of(arm, texts, corpus, seeds):
    """The losses of an arm, seeds x documents, in nats per byte."""
    budget = Budget(0.5 * float(texts.tokens.sum()), 1)
    drawn = [corpus.losses(arm.draw(texts, budget, seed)) for seed in seeds]
    return np.stack(drawn) / corpus.bytes


def compared(comparisons, corpora, *, seeds=SEEDS):
    """The shares of comparisons in which a difference is told, by the number of seeds.

    `equal`: two equal arms. `gap`: one of them better by two standard deviations of one draw's
    mean loss. `shared`: a mixture of 60 and 40 % beside one of equal parts, drawn with shared noise
    as `evaluate` does it; `independent`: the same with independent noise.
    """
    told = {kind: dict.fromkeys(seeds, 0) for kind in ("equal", "gap", "shared", "independent")}
    most = max(seeds)
    for number in range(comparisons):
        if number % (comparisons // corpora) == 0:
            texts, corpus = corpus_of(number)
            holdout = Weighting.of(corpus.bytes.astype(float), corpus.source)
        even, other = (arm_of(texts, {"film": p, "meal": 1 - p}) for p in (0.5, 0.6))
        first, second = (
            range(start, start + most) for start in (2000 * number, 2000 * number + 1000)
        )
        one, two = (losses_of(even, texts, corpus, own) for own in (first, second))
        moved = losses_of(other, texts, corpus, first)
        gap = 2 * (one @ holdout.weight).std(ddof=1)
        pairs = {"equal": (one, two), "gap": (one - gap, two)}
        pairs |= {"shared": (moved, one), "independent": (moved, two)}
        for kind, (left, right) in pairs.items():
            for size in seeds:
                told[kind][size] += difference(left[:size], right[:size], holdout).is_told
    return {kind: {n: hits / comparisons for n, hits in own.items()} for kind, own in told.items()}


def pool(rng, source, sizes):
    """Sources count the same, and documents of a source by their bytes."""
    return Weighting.of(sizes, source)


def promised(rng, source, sizes):
    """The larger part counts a quarter, and the smaller one three quarters."""
    return Weighting.of(sizes, source, np.array([0.25, 0.75]))


def good(rng, source, sizes):
    """A fifth of the documents counts, whatever its source."""
    is_good = np.arange(len(source)) < len(source) // 5
    return Weighting.of(sizes * rng.permutation(is_good), np.zeros(len(source), int))


JUDGES = {"pool": pool, "promised": promised, "good": good}


def made_up(rng, seeds, *, of_seed, of_document, of_both, judge=pool, documents=(60, 30)):
    """Losses of two arms that differ by nothing on the mean: by draw, by document, by both."""
    source = np.repeat(np.arange(len(documents)), documents)
    holdout = judge(rng, source, np.rint(np.exp(rng.normal(6, 0.7, len(source)))))
    rows = of_seed * rng.normal(size=(seeds, 1)) + of_both * rng.normal(size=(seeds, len(source)))
    skewed = rng.exponential(size=len(source)) - 1
    common = 2 + rng.normal(size=(seeds, len(source)))
    return common + rows + of_document * skewed, common, holdout


def alarms(comparisons, seeds, seed=0, **sizes):
    """The share of comparisons of such arms in which a difference is told."""
    rng = np.random.default_rng(seed)
    told = [difference(*made_up(rng, seeds, **sizes)).is_told for _ in range(comparisons)]
    return float(np.mean(told))


VARY = {
    "draws": {"of_seed": 0.1, "of_document": 0.0, "of_both": 0.02},
    "documents": {"of_seed": 0.002, "of_document": 1.0, "of_both": 0.02},
    "both": {"of_seed": 0.1, "of_document": 0.5, "of_both": 0.2},
}
"""What the losses of the arms differ by."""
