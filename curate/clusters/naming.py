"""Names of clusters: the words that are typical of their texts.

A word is typical if many texts of a cluster have it and few others do. Words of every text, such as
`the`, are typical of none.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain, count
from math import log

from curate.scripts import IDEOGRAPH
from curate.text import words

WORDS = 3
"""The words of a name."""

MOST_WORDS = 6
"""The words of a name that would else be that of another cluster."""

RANKED = 40
"""So many of the most typical words of a cluster are looked at."""

FEW = 10
"""Of so few texts every word counts; of more texts, a word of two."""

LONGEST = 30
"""Longer words, in characters, are no words but addresses and the like."""

GRAMS = (2, 3, 4)
"""The lengths of words that are written without spaces between them, in ideographs."""

AS_OFTEN = 0.8
"""A longer word takes the place of its part if this share of the texts with the part has it."""

OWN_LANGUAGE = 0.9
"""How much the texts in a cluster's languages weigh in what its words are compared with.

Without them `the` is typical of an English cluster among Chinese ones; with them alone, no word is
typical of the only cluster in a language.
"""

WORDLESS = "no words"
"""The name of a cluster of texts without words."""

_IDEOGRAPHS = re.compile(f"{IDEOGRAPH}{{2,}}")

Text = tuple[str, str]
"""A text, and its language."""


def terms(text: str) -> set[str]:
    """The words that a name may consist of, in lower case.

    They are `words` with two characters and a letter. Of ideographs, which are a word each, they
    are the runs of two to four.
    """
    folded = text.lower()
    own = {
        word for word in words(folded) if 2 <= len(word) <= LONGEST and any(map(str.isalpha, word))
    }
    for run in () if folded.isascii() else _IDEOGRAPHS.findall(folded):
        own.update(run[at : at + n] for n in GRAMS for at in range(len(run) - n + 1))
    return own


def names(clusters: Iterable[Sequence[Text]]) -> tuple[str, ...]:
    """The name of each cluster by some of its texts: three words, the most typical first.

    No two names are the same: the later cluster has more words, or in the end a number. Names do
    not depend on the order of the texts. They have no marks but spaces, hyphens and apostrophes.
    """
    rankings = _rankings([_Counted.of(texts) for texts in clusters])
    names: dict[str, None] = {}
    for typical in rankings:
        lengths = range(min(WORDS, len(typical)), len(typical) + 1)
        longer = (" ".join(typical[:length]) or WORDLESS for length in lengths)
        numbered = (f"{' '.join(typical) or WORDLESS} {number}" for number in count(2))
        names[next(name for name in chain(longer, numbered) if name not in names)] = None
    return tuple(names)


@dataclass(frozen=True)
class _Counted:
    """The texts of a cluster: how many have each word, and the sum of these counts, by language."""

    texts: int
    words: Mapping[str, Counter[str]]
    sums: Counter[str]

    @staticmethod
    def of(texts: Sequence[Text]) -> _Counted:
        """Count some texts. Of more than ten, a word of a single one is left out: it is chance."""
        own: dict[str, Counter[str]] = {}
        for text, language in texts:
            own.setdefault(language, Counter()).update(terms(text))
        least = 2 if len(texts) > FEW else 1
        often = {
            language: Counter({word: n for word, n in counts.items() if n >= least})
            for language, counts in own.items()
        }
        sums = Counter({language: counts.total() for language, counts in own.items()})
        return _Counted(len(texts), often, sums)

    def together(self) -> Counter[str]:
        """How many texts have each word."""
        return sum(self.words.values(), Counter[str]())


def _rankings(clusters: Sequence[_Counted]) -> Iterator[list[str]]:
    """The words of each cluster, the most typical first; no two of them say the same.

    The weight of a word is the share of the texts with it, times the log of how much more frequent
    it is among the words of the cluster than elsewhere. So long texts, which have more of the
    frequent words, are not named by these.
    """
    everywhere: dict[str, float] = {}
    for own in clusters:
        for word, n in own.together().items():
            everywhere[word] = everywhere.get(word, 0.0) + n / own.sums.total() / len(clusters)
    sums = sum((own.sums for own in clusters), Counter[str]())
    words_of = {
        language: sum((own.words.get(language, Counter()) for own in clusters), Counter[str]())
        for language in sums
    }

    def likely(word: str, own: _Counted) -> float:
        """How frequent a word is in texts in the languages of a cluster."""
        parts = (n * words_of[name][word] / sums[name] for name, n in own.sums.items() if n)
        return sum(parts) / own.sums.total()

    for own in clusters:
        shares = {word: n / own.texts for word, n in own.together().items()}
        weights = {
            word: share
            * log(
                share * own.texts / own.sums.total() / _blend(likely(word, own), everywhere[word])
            )
            for word, share in shares.items()
        }
        ranking = sorted(weights, key=lambda word: (-round(weights[word], 9), word))
        yield _apart([_longest(word, shares) for word in ranking[:RANKED]])


def _blend(in_languages: float, everywhere: float) -> float:
    """How frequent a word is expected to be in a cluster without a subject."""
    return OWN_LANGUAGE * in_languages + (1 - OWN_LANGUAGE) * everywhere


def _longest(word: str, shares: Mapping[str, float]) -> str:
    """The longest word around a word of ideographs that stands wherever it does, or itself."""
    if not _IDEOGRAPHS.fullmatch(word):
        return word
    around = [
        other
        for other, share in shares.items()
        if len(other) > len(word) and word in other and share >= AS_OFTEN * shares[word]
    ]
    return min(around, key=lambda other: (-len(other), -shares[other], other), default=word)


def _apart(ranking: Sequence[str]) -> list[str]:
    """The first words that are not the beginning of one another, nor share two ideographs."""
    chosen: list[str] = []
    for word in ranking:
        if not any(map(partial(_alike, word), chosen)):
            chosen.append(word)
    return chosen[:MOST_WORDS]


def _alike(one: str, other: str) -> bool:
    if _IDEOGRAPHS.fullmatch(one):
        return any(one[at : at + 2] in other for at in range(len(one) - 1))
    return one.startswith(other) or other.startswith(one)
