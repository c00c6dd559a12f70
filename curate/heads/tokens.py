"""Doubtful labels of tokens: what a head that never saw a text says against the spans marked there.

A token is a word of the text; its class is the label of the span that it lies in, or 0 for none.
The head is a logistic regression, one class against the rest, over hashed features: the letters of
the word, its shape, and the words and marks around it. It predicts each text from the others, fold
by fold. Scores and counts are those of `cleanlab.token_classification` (Wang and Mueller 2022,
arXiv 2210.03920): the doubt of a token is what the head leaves to other classes, that of a text is
the largest of its tokens (see `_scored`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from curate.heads.folds import stratified
from curate.threads import one_thread

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Codes = NDArray[np.int64]

COLUMNS = 2**18
"""Columns that features are hashed to."""

LEARNED = 200_000
"""Tokens that a head learns from, at most; of more, evenly spaced ones."""

STRENGTH = 1.0
"""The inverse strength of the L2 penalty (scikit-learn's `C`)."""

LEAST = 5
"""Texts that must have a class. No head can foresee one that hardly any other text has."""

OUTSIDE, UNKNOWN = 0, -1
"""The class of a token in no span, and of one that nobody was asked about."""

TEXTS = 500
"""Texts whose features are in memory at a time."""

Place = tuple[int, int]
"""The half-open range of a word, in code points of its text."""


@dataclass(frozen=True)
class Tagged:
    """A labelled text: its words, and the class of each (OUTSIDE, UNKNOWN, or from 1)."""

    id: str
    text: str
    places: Sequence[Place]
    classes: Codes


@dataclass(frozen=True)
class TokenDoubts:
    """How doubtful the labels of a text are.

    `wrong` says which words probably have a wrong class, by confident learning. `predicted` holds
    the class foreseen of these, and that given of the others. `doubt` is that of the whole, 0 to 1:
    above .5 a word is wrong.
    """

    doubt: float
    predicted: Codes
    wrong: NDArray[np.bool_]


def doubt_tokens(
    tagged: Sequence[Tagged], number: int, folds: int = 5, seed: int = 0
) -> list[TokenDoubts | None]:
    """Doubt the labels of texts; None of a text without a word whose class is known.

    `number` is that of the classes, OUTSIDE with them. Texts of one id are never in different
    folds. All are None if fewer than two classes are in LEAST texts.
    """
    import numpy as np

    common, codes = _coded(tagged, number)
    rows = [row for row, own in enumerate(codes) if (own != UNKNOWN).any()]
    doubts: list[TokenDoubts | None] = [None] * len(tagged)
    if len(common) < 2:
        return doubts
    learned = [tagged[row] for row in rows]
    predicted = out_of_fold(learned, [codes[row] for row in rows], len(common), folds, seed)
    known = [codes[row] != UNKNOWN for row in rows]
    labels = [codes[row][own] for row, own in zip(rows, known, strict=True)]
    probabilities = [own[mask] for own, mask in zip(predicted, known, strict=True)]
    scores, wrong = _scored(labels, probabilities)
    for place, row in enumerate(rows):
        marked = np.zeros(len(codes[row]), bool)
        marked[known[place]] = wrong[place]
        foreseen = tagged[row].classes.copy()
        foreseen[marked] = common[probabilities[place].argmax(axis=1)][wrong[place]]
        doubts[row] = TokenDoubts(float(1 - scores[place]), foreseen, marked)
    return doubts


def foretell_tokens(
    tagged: Sequence[Tagged], number: int, folds: int = 5, seed: int = 0
) -> list[Codes] | None:
    """The likeliest class of each word, by a head of other texts; UNKNOWN where nobody was asked.

    `number` is that of the classes, OUTSIDE with them. A class that fewer than LEAST texts have is
    never foretold. None if fewer than two classes are in LEAST texts.
    """
    import numpy as np

    common, codes = _coded(tagged, number)
    if len(common) < 2:
        return None
    foretold: list[Codes] = [np.full(len(own), UNKNOWN) for own in codes]
    rows = [row for row, own in enumerate(tagged) if (own.classes != UNKNOWN).any()]
    learned = [tagged[row] for row in rows]
    predicted = out_of_fold(learned, [codes[row] for row in rows], len(common), folds, seed)
    for row, probabilities in zip(rows, predicted, strict=True):
        asked = tagged[row].classes != UNKNOWN
        foretold[row][asked] = common[probabilities.argmax(axis=1)][asked]
    return foretold


def _coded(tagged: Sequence[Tagged], number: int) -> tuple[Codes, list[Codes]]:
    """The classes that can be learned, and those of each text by their place among them."""
    import numpy as np

    common = _common(tagged, number)
    code = np.full(number + 1, UNKNOWN)  # the last is that of UNKNOWN
    code[common] = np.arange(len(common))
    return common, [code[own.classes] for own in tagged]


def _common(tagged: Sequence[Tagged], number: int) -> Codes:
    """The classes that LEAST texts have, ascending."""
    import numpy as np

    texts = np.zeros(number, np.int64)
    for own in tagged:
        texts[np.unique(own.classes[own.classes != UNKNOWN])] += 1
    return np.flatnonzero(texts >= LEAST)


def _scored(
    labels: list[Codes], probabilities: list[Array]
) -> tuple[Array, list[NDArray[np.bool_]]]:
    """The score of each text, 0 to 1, and which of its words are probably wrong.

    A text is as good as its worst word. The doubt of a word that is not probably wrong counts half:
    a head often misses spans of a rare class, and it would contradict all of them.
    """
    import numpy as np
    from cleanlab.token_classification.filter import find_label_issues
    from cleanlab.token_classification.rank import get_label_quality_scores

    own = [codes.tolist() for codes in labels]
    wrong: list[NDArray[np.bool_]] = [np.zeros(len(codes), bool) for codes in labels]
    for text, word in find_label_issues(
        own, probabilities, filter_by="confident_learning", n_jobs=1
    ):
        wrong[text][word] = True
    _, scores = get_label_quality_scores(own, probabilities)
    worst = [
        np.where(is_wrong, of_words, (1 + of_words) / 2).min()
        for of_words, is_wrong in zip(map(np.asarray, scores), wrong, strict=True)
    ]
    return np.array(worst), wrong


# ── the head


def out_of_fold(
    tagged: Sequence[Tagged], codes: Sequence[Codes], number: int, folds: int, seed: int
) -> list[Array]:
    """The probability of each class (0 to `number` - 1) of each word, by heads of other texts."""
    import numpy as np

    fold_of = _folds(tagged, codes, number, folds, seed)
    features, classes, folds_of = _sample(tagged, codes, fold_of)
    predicted: list[Array] = [np.zeros((0, number))] * len(tagged)
    with one_thread():
        for fold in np.unique(fold_of):
            inside = folds_of != fold
            head = _fitted(features[inside], classes[inside])
            own = np.flatnonzero(fold_of == fold).tolist()
            for row, part in zip(own, _predicted(head, [tagged[row] for row in own]), strict=True):
                predicted[row] = _spread(part, head.classes_, number)
    return predicted


def _folds(
    tagged: Sequence[Tagged], codes: Sequence[Codes], number: int, folds: int, seed: int
) -> Codes:
    """The fold of each text; texts of one id share it. Rare classes are in all folds."""
    import numpy as np

    ids, of_id = np.unique([own.id for own in tagged], return_inverse=True)
    has = np.zeros((len(ids), number))
    for row, own in zip(of_id, codes, strict=True):
        has[row, own[own != UNKNOWN]] = 1
    rarity = has / np.maximum(has.sum(axis=0), 1)  # the largest is that of the rarest class
    return stratified(ids.tolist(), rarity, min(folds, len(ids)), seed)[of_id]


def _sample(
    tagged: Sequence[Tagged], codes: Sequence[Codes], fold_of: Codes
) -> tuple[Any, Codes, Codes]:
    """The features, class and fold of the words that are learned from."""
    import numpy as np
    from scipy.sparse import vstack

    known = sum(int((own != UNKNOWN).sum()) for own in codes)
    step = max(known / LEARNED, 1.0)
    chosen, seen = [], 0
    for own in codes:
        rows = np.flatnonzero(own != UNKNOWN)
        turns = np.floor(np.arange(seen, seen + len(rows) + 1) / step)
        chosen.append(rows[np.diff(turns) > 0])
        seen += len(rows)
    features = [matrix[rows] for matrix, rows in zip(_matrices(tagged), chosen, strict=True)]
    classes = np.concatenate([own[rows] for own, rows in zip(codes, chosen, strict=True)])
    folds = np.repeat(fold_of, [len(rows) for rows in chosen])
    return vstack(features, format="csr"), classes, folds


def _fitted(features: Any, classes: Codes) -> Any:
    from sklearn.linear_model import LogisticRegression
    from sklearn.multiclass import OneVsRestClassifier

    one = LogisticRegression(C=STRENGTH, solver="liblinear", tol=1e-2, random_state=0)
    return OneVsRestClassifier(one).fit(features, classes)


def _predicted(head: Any, tagged: Sequence[Tagged]) -> Iterator[Array]:
    for matrix in _matrices(tagged):
        yield head.predict_proba(matrix)


def _spread(part: Array, classes: Codes, number: int) -> Array:
    """The probabilities of all classes; one that the head does not know has hardly any."""
    import numpy as np

    spread = np.full((len(part), number), 1e-6)
    spread[:, classes] = np.maximum(part, 1e-6)
    return np.asarray(spread / spread.sum(axis=1, keepdims=True))


# ── features


def _matrices(tagged: Sequence[Tagged]) -> Iterator[Any]:
    """Yield the hashed features of each text: words x COLUMNS, sparse."""
    import numpy as np
    from sklearn.feature_extraction import FeatureHasher

    hasher = FeatureHasher(COLUMNS, input_type="string", dtype=np.float32, alternate_sign=False)
    for start in range(0, len(tagged), TEXTS):
        part = tagged[start : start + TEXTS]
        words = [features for own in part for features in features_of(own.text, own.places)]
        matrix, at = hasher.transform(words), 0
        for own in part:
            yield matrix[at : at + len(own.places)]
            at += len(own.places)


def features_of(text: str, places: Sequence[Place]) -> list[list[str]]:
    """The features of each word, by name."""
    words = [text[start:end] for start, end in places]
    edge = ["", ""]
    lowered = [*edge, *map(str.lower, words), *edge]
    shapes = [*edge, *map(shape, words), *edge]
    ends = [0, *(end for _, end in places)]
    starts = [*(start for start, _ in places), len(text)]
    marks = [text[end:start].strip()[:3] for end, start in zip(ends, starts, strict=True)]
    return [
        [
            *(f"{by}={lowered[row + 2 + by]}" for by in (-2, -1, 0, 1, 2)),
            f"-1,0={lowered[row + 1]} {lowered[row + 2]}",
            f"0,1={lowered[row + 2]} {lowered[row + 3]}",
            *(f"shape {by}={shapes[row + 2 + by]}" for by in (-1, 0, 1)),
            f"before={marks[row]}",
            f"after={marks[row + 1]}",
            *_letters(lowered[row + 2]),
        ]
        for row in range(len(words))
    ]


def _letters(word: str) -> list[str]:
    """The n-grams of a word's letters, 2 to 4, with its borders."""
    if len(word) < 2:
        return []
    own = f"^{word}$"
    return [own[at : at + size] for size in (2, 3, 4) for at in range(len(own) - size + 1)]


def shape(word: str) -> str:
    """The kinds of a word's letters, each run once: `Xx` for Ann, `X0` for B52."""
    kinds = ["X" if one.isupper() else "0" if one.isdigit() else "x" for one in word]
    return "".join(kind for row, kind in enumerate(kinds) if row == 0 or kinds[row - 1] != kind)
