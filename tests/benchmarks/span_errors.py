"""Are planted errors in spans found? Beside cleanlab on a trivial head of words.

Of the spans of a set 10 % are wrong: half have another label, half are missed. A word is wrong if
its class is another than before. Ours is the head of `curate.heads.tokens`; the trivial head knows
the share of each class among the same word in the other folds, and cleanlab takes its predictions
with the filter that it has by default. F1 is of the words that are said to be wrong, `texts`
the average precision of the ranking of texts, `head_precision` that of words by the head alone.
"""

import json
from collections import defaultdict

import numpy as np
import pandas as pd
from cleanlab.token_classification.filter import find_label_issues
from sklearn.metrics import average_precision_score, f1_score

from curate.annotated.spans import Marked, tag
from curate.heads.tokens import doubt_tokens, out_of_fold

TEXTS = 600
FOLDS = 5


def sets_of(folder):
    """Texts with the spans that experts marked: start, end, label."""
    items = pd.read_parquet(folder / "btc_ner" / "items.parquet").dropna(subset="gold")
    yield "btc_ner", items["text"], [json.loads(spans) for spans in items["gold"]]
    for name, file in (("zh_weibo_ner", "posts"), ("zh_dlps_gold", "sents")):
        table = pd.read_parquet(folder / name / f"{file}.parquet").drop_duplicates("text")
        if "type" in table:  # each text has the spans of one label alone
            table = table[table["type"] == "Person"]
        own = [[tuple(span.values()) for span in json.loads(spans)] for spans in table["spans"]]
        yield name, table["text"], own


def measured(texts, spans, seeds):
    """The mean figures of a set, of its first texts."""
    figures = defaultdict(list)
    texts = list(texts)[:TEXTS]
    right = [[dict(zip(("start", "end", "label"), one, strict=True)) for one in own]
             for own in spans[:TEXTS]]  # fmt: skip
    names = sorted({span["label"] for own in right for span in own})
    for seed in range(seeds):
        for name, figure in of_one(texts, right, planted(right, names, seed), names).items():
            figures[name].append(figure)
    return {name: round(float(np.mean(own)), 4) for name, own in figures.items()}


def planted(spans, names, seed):
    """The spans of which 10 % have another label or are missed (all are, if there is one label)."""
    rng = np.random.default_rng(seed)
    places = [(row, place) for row, own in enumerate(spans) for place in range(len(own))]
    wrong = [list(own) for own in spans]
    for turn, chosen in enumerate(rng.choice(len(places), len(places) // 10, replace=False)):
        row, place = places[chosen]
        others = [name for name in names if name != spans[row][place]["label"]]
        other = spans[row][place] | {"label": others[rng.integers(len(others))]} if others else None
        wrong[row][place] = other if turn % 2 else None
    return [[span for span in own if span is not None] for own in wrong]


def of_one(texts, right, wrong, names):
    tagged, true = (
        [tag(Marked(f"{row}", "text", text, own, None), names)
         for row, (text, own) in enumerate(zip(texts, spans, strict=True))]
        for spans in (wrong, right)
    )  # fmt: skip
    kept = [row for row, own in enumerate(tagged) if len(own.places)]
    tagged, true = ([own[row] for row in kept] for own in (tagged, true))
    codes = [own.classes for own in tagged]
    planted_words = [own != other.classes for own, other in zip(codes, true, strict=True)]
    words, of_text = np.concatenate(planted_words), np.array([own.any() for own in planted_words])
    number = len(names) + 1
    ours = out_of_fold(tagged, codes, number, FOLDS, 0)
    doubts = doubt_tokens(tagged, number)
    trivial = of_words(tagged, codes, number)
    said = np.concatenate([own.wrong for own in doubts])
    issues = np.concatenate([np.zeros(len(own), bool) for own in codes])
    starts = np.cumsum([0, *map(len, codes)])
    for text, word in find_label_issues([own.tolist() for own in codes], trivial, n_jobs=1):
        issues[starts[text] + word] = True
    return {
        "f1": f1_score(words, said),
        "said": int(said.sum()),
        "planted": int(words.sum()),
        "head_precision": average_precision_score(words, doubt(codes, ours)),
        "texts": average_precision_score(of_text, [own.doubt for own in doubts]),
        "cleanlab_f1": f1_score(words, issues),
        "cleanlab_precision": average_precision_score(words, doubt(codes, trivial)),
    }


def doubt(codes, predicted):
    """What is left to other classes, of all words."""
    labels, shares = np.concatenate(codes), np.concatenate(predicted)
    return 1 - shares[np.arange(len(labels)), labels]


def of_words(tagged, codes, number):
    """The shares of the classes of each word in the other folds, and one word of all of them."""
    fold = np.arange(len(tagged)) % FOLDS
    predicted = []
    counts = [defaultdict(lambda: np.zeros(number)) for _ in range(FOLDS)]
    overall = np.bincount(np.concatenate(codes), minlength=number) / sum(map(len, codes))
    for row, own in enumerate(tagged):
        for word, code in zip(said_words(own), codes[row], strict=True):
            for other in range(FOLDS):
                counts[other][word][code] += other != fold[row]
    for row, own in enumerate(tagged):
        shares = [counts[fold[row]][word] + overall for word in said_words(own)]
        predicted.append(np.array([share / share.sum() for share in shares]))
    return predicted


def said_words(tagged):
    return [tagged.text[start:end].lower() for start, end in tagged.places]
