"""Settled spans beside experts', on crowds who marked words of one type at a time.

    python -m tests.benchmarks.spans [FOLDER]

FOLDER holds `btc_ner` with `answers.parquet` (item, type, worker, tokens) and `items.parquet`
(item, offsets, gold). Each type is a question of its own; a text has the union of their spans. F1
is of entities with the same ends and type, over the types that were asked. `decided` leaves out
texts of which a type is undecided, `half` takes spans that exactly half marked for settled.

Beside them words: their majority, and a plain model of Dawid and Skene with transitions between
words (a hidden Markov model of two states; each person's two rates have the prior counts of ours).
"""

import json
import sys
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import pandas as pd

from curate.agree.truth.dawid_skene import DIAGONAL, OFF_DIAGONAL
from curate.agree.truth.spans import majority_spans
from curate.records import span_of_key
from tests.benchmarks import setting

DATA = Path("../shared/data")
ROUNDS = 30


def main():
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else DATA
    if not (folder / "btc_ner").is_dir():
        sys.exit(f"skipped: {folder} lacks btc_ner")
    answers, offsets, gold = read(folder / "btc_ner")
    figures = settled(answers, offsets, gold)
    for name, share in (("at least half", 0.5), ("more than half", 0.5 + 1e-9)):
        marked = {key: majority(own, len(offsets[key[0]])) >= share for key, own in answers.items()}
        figures[f"words, {name}"] = of_words(marked, offsets, gold)
    posterior = with_transitions(answers, {item: len(own) for item, own in offsets.items()})
    marked = {key: own > 0.5 for key, own in posterior.items()}
    figures["words, Dawid-Skene with transitions"] = of_words(marked, offsets, gold)
    setting.write("spans", figures, seeds=[0])


def read(folder):
    """Marked words of each worker by (item, type); the words' ends; the experts' entities."""
    table = pd.read_parquet(folder / "answers.parquet")
    items = pd.read_parquet(folder / "items.parquet").set_index("item")
    answers = defaultdict(dict)
    for row in table.itertuples():
        answers[row.item, row.type][row.worker] = sorted(map(int, row.tokens))
    offsets = {item: json.loads(own) for item, own in items["offsets"].items()}
    gold = {
        item: {tuple(span) for span in json.loads(own) if (item, span[2]) in answers}
        for item, own in items["gold"].dropna().items()
    }
    return dict(answers), offsets, gold


def runs(words):
    """Neighbouring words as half-open ranges."""
    own = []
    for word in words:
        if own and own[-1][1] == word:
            own[-1][1] = word + 1
        else:
            own.append([word, word + 1])
    return own


def spans(words, offsets):
    return [(offsets[start][0], offsets[end - 1][1]) for start, end in runs(words)]


def settled(answers, offsets, gold):
    """Our settled spans: on the decided texts, and with those that half marked."""
    decided, half, undecided = defaultdict(set), defaultdict(set), set()
    for (item, kind), people in answers.items():
        votes = [
            (item, who, [{"start": start, "end": end, "label": kind} for start, end in own])
            for who, words in people.items()
            for own in [spans(words, offsets[item])]
        ]
        (label,) = majority_spans(votes, "text").labels
        undecided |= {item} if label.undecided else set()
        for key, share in label.posterior.items():
            span = span_of_key(key)
            place = (span["start"], span["end"], kind)
            if share >= 0.5:
                half[item].add(place)
            if share > 0.5:
                decided[item].add(place)
    left = {item: own for item, own in gold.items() if item not in undecided}
    return {
        "decided": f1(decided, left),
        "half": f1(half, gold),
        "undecided left empty": f1(decided, gold),
    }


def f1(found, gold):
    """Micro F1 over texts."""
    right = sum(len(found[item] & own) for item, own in gold.items())
    said = sum(len(found[item]) for item in gold)
    known = sum(map(len, gold.values()))
    figures = {"f1": 2 * right / (said + known), "precision": right / said, "recall": right / known}
    return {"texts": len(gold), **{name: round(value, 4) for name, value in figures.items()}}


def majority(people, length):
    """The share of people who marked each word."""
    counts = Counter(word for words in people.values() for word in words)
    return np.array([counts[word] / len(people) for word in range(length)])


def of_words(marked, offsets, gold):
    found = defaultdict(set)
    for (item, kind), own in marked.items():
        found[item] |= {(*span, kind) for span in spans(np.flatnonzero(own), offsets[item])}
    return f1(found, gold)


def with_transitions(answers, lengths):
    """The probability of each word to be in an entity, by (item, type), types fitted apart."""
    posterior = {}
    for kind in sorted({kind for _, kind in answers}):
        own = {key: people for key, people in answers.items() if key[1] == kind}
        posterior |= fitted(own, lengths)
    return posterior


def fitted(answers, lengths):
    people = sorted({who for own in answers.values() for who in own})
    code = {who: place for place, who in enumerate(people)}
    said = {}
    for key, own in answers.items():
        marks = np.zeros((len(own), lengths[key[0]]), int)
        for row, words in enumerate(own.values()):
            marks[row, words] = 1
        said[key] = np.array([code[who] for who in own]), marks
    beliefs = {
        key: np.stack([1 - marks.mean(0), marks.mean(0)]) for key, (_, marks) in said.items()
    }
    pairs = None
    for _ in range(ROUNDS):
        start, move, rows = maximised(said, beliefs, pairs, len(people))
        beliefs, pairs = expected(said, start, move, rows)
    return {key: own[1] for key, own in beliefs.items()}


def maximised(said, beliefs, pairs, number):
    """The first state, the transitions, and each person's rates: person x state x mark."""
    start, rows = (
        np.ones(2),
        np.full((number, 2, 2), OFF_DIAGONAL) + np.eye(2) * (DIAGONAL - OFF_DIAGONAL),
    )
    move = np.ones((2, 2)) if pairs is None else np.ones((2, 2)) + pairs
    for key, (who, marks) in said.items():
        belief = beliefs[key]
        start += belief[:, 0]
        if pairs is None:
            move += belief[:, :-1] @ belief[:, 1:].T
        for person, own in zip(who, marks, strict=True):
            rows[person, :, 1] += belief @ own
            rows[person, :, 0] += belief @ (1 - own)
    return [own / own.sum(axis=-1, keepdims=True) for own in (start, move, rows)]


def expected(said, start, move, rows):
    """The belief about each word, and the expected transitions, by forward and backward."""
    beliefs, pairs = {}, np.zeros((2, 2))
    for key, (who, marks) in said.items():
        chance = np.prod(
            rows[who][:, :, :].transpose(0, 2, 1)[np.arange(len(who))[:, None], marks], 0
        )
        length = len(chance)
        ahead, back = np.zeros((length, 2)), np.ones((length, 2))
        for place in range(length):
            own = (start if place == 0 else ahead[place - 1] @ move) * chance[place]
            ahead[place] = own / own.sum()
        for place in range(length - 2, -1, -1):
            own = move @ (chance[place + 1] * back[place + 1])
            back[place] = own / own.sum()
        own = ahead * back
        beliefs[key] = (own / own.sum(1, keepdims=True)).T
        for place in range(length - 1):
            step = np.outer(ahead[place], chance[place + 1] * back[place + 1]) * move
            pairs += step / step.sum()
    return beliefs, pairs


if __name__ == "__main__":
    main()
