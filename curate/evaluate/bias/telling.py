"""How the documents of a value fare beside the others: rows, differences, and words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from curate.errors import DataError
from curate.evaluate.bias.counting import LENGTH, SUMS, count, edges
from curate.inference.contrasts import (
    Contrast,
    Moments,
    Tokens,
    holm,
    of_means,
    of_rates,
    of_shares,
    wilson,
)
from curate.rounding import rounded
from curate.workspace import Workspace
from curate.workspace.readers import HOST, META, UNKNOWN

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

LEAST = 20
"""A value with fewer documents is not compared; with fewer others, none is."""

COMPARED = 200
"""The values of a key that are listed: those with the most documents."""

CERTAIN = 0.05
"""Below this corrected p-value a difference is more than chance."""

FIFTHS = 5

SHOWN = 5
"""The differences that the terminal shows."""


@dataclass(frozen=True)
class Value:
    """The documents of one value of a key, before and after each stage.

    `keep_low` and `keep_high` are the 95 % interval of the keep rate. `quality` is the mean of
    those kept. Shares are of documents before and after `clean`, and of tokens before and after
    `mix`. What was not measured is None.
    """

    key: str
    value: str
    documents: int
    share_of_pool: float
    share_of_kept: float | None
    keep_rate: float
    keep_low: float
    keep_high: float
    quality: float | None
    share_of_candidates: float | None
    share_of_mixture: float | None


@dataclass(frozen=True)
class BiasDifference:
    """How the documents of a value fare at a stage, beside the others.

    `here` is their keep rate, their mean quality, or their share of the mixture's tokens; `beside`
    that of the others, or their share of the tokens that could be drawn. `p` is corrected for the
    number of differences that are looked at (Holm); `is_certain` says that it is below .05.
    """

    stage: str
    key: str
    value: str
    here: float
    beside: float
    difference: float
    low: float
    high: float
    p: float
    is_certain: bool
    words: str


@dataclass(frozen=True)
class Bias:
    """Every value of every key, and the differences: the certain ones first, the largest first."""

    values: tuple[Value, ...] = ()
    differences: tuple[BiasDifference, ...] = ()

    def largest(self) -> tuple[str, ...]:
        """The largest differences that are more than chance, in words."""
        return tuple(own.words for own in self.differences if own.is_certain)[:SHOWN]


def find_bias(workspace: Workspace, keys: Sequence[str], *, scores: bool, mix: bool) -> Bias:
    """Compare the documents of each value with the others, at each stage whose tables there are.

    Raises DataError for a key of `meta` that no document has, or that has too many values.
    """
    if not keys:
        return Bias()
    values, differences = [], []
    for key, own in count(workspace, keys, scores=scores, mix=mix).items():
        if key.startswith(META) and set(own) <= {UNKNOWN}:
            raise DataError(
                f"evaluate.bias: no document has {key}", hint="name a key that `meta` holds"
            )
        sums = _fifths(own) if key == LENGTH else own
        total = sum(sums.values(), start=_nothing())
        listed = sorted(sums, key=lambda value: -sums[value][0])[:COMPARED]
        values += [_value(key, value, sums[value], total) for value in _ordered(key, listed)]
        differences += [
            difference
            for value in _compared(listed, sums, total)
            for difference in _differences(
                key, value, _others(key, value, listed), sums[value], total - sums[value]
            )
        ]
    return Bias(tuple(values), _corrected(differences))


def _nothing() -> Array:
    import numpy as np

    return np.zeros(len(SUMS))


def _ordered(key: str, values: list[str]) -> list[str]:
    """Lengths from short to long; other values with the most documents first."""
    if key != LENGTH:
        return values
    return sorted(values, key=lambda value: int(value.split()[0].replace(",", "")))


def _compared(listed: Sequence[str], sums: Mapping[str, Array], total: Array) -> list[str]:
    """The values to compare with the others. Of two values one says what the other would."""
    enough = [
        value for value in listed if sums[value][0] >= LEAST and total[0] - sums[value][0] >= LEAST
    ]
    return enough[-1:] if len(sums) == 2 else enough


def _fifths(bins: Mapping[str, Array]) -> dict[str, Array]:
    """The sums of fifths of the documents by length, from those of fine bins."""
    total = sum(own[0] for own in bins.values())
    parts: dict[int, list[int]] = {}
    below = 0.0
    for number in sorted(map(int, bins)):
        documents = bins[str(number)][0]
        parts.setdefault(int(FIFTHS * (below + documents / 2) / total), []).append(number)
        below += documents
    return {
        _range(numbers): sum((bins[str(one)] for one in numbers), start=_nothing())
        for numbers in parts.values()
    }


def _range(numbers: Sequence[int]) -> str:
    low, high = int(edges()[numbers[0]]), int(edges()[numbers[-1] + 1]) - 1
    return f"{low:,} tokens" if low == high else f"{low:,} to {high:,} tokens"


def _value(key: str, value: str, own: Array, total: Array) -> Value:
    sums, all_ = dict(zip(SUMS, own.tolist(), strict=True)), dict(zip(SUMS, total, strict=True))
    low, high = wilson(sums["kept"], sums["documents"])
    return Value(
        key=key,
        value=value,
        documents=int(sums["documents"]),
        share_of_pool=float(sums["documents"] / all_["documents"]),
        share_of_kept=_share(sums["kept"], all_["kept"]),
        keep_rate=sums["kept"] / sums["documents"],
        keep_low=low,
        keep_high=high,
        quality=_share(sums["quality"], sums["known"]),
        share_of_candidates=_share(sums["before"], all_["before"]),
        share_of_mixture=_share(sums["after"], all_["after"]),
    )


def _share(part: float, whole: float) -> float | None:
    return float(part / whole) if whole else None


# ── differences


def _others(key: str, value: str, listed: Sequence[str]) -> str:
    """All other documents, in words: by their value, where they have one."""
    if len(listed) != 2:
        return "others"
    return documents_of(key, listed[1 - listed.index(value)])


def _differences(
    key: str, value: str, others: str, own: Array, rest: Array
) -> Iterator[BiasDifference]:
    one, other = (dict(zip(SUMS, sums.tolist(), strict=True)) for sums in (own, rest))
    kept = one["kept"] / one["documents"], other["kept"] / other["documents"]
    rates = of_rates(one["kept"], one["documents"], other["kept"], other["documents"])
    yield _difference("clean", key, value, others, kept, rates)
    qualities = [Moments(sums["known"], sums["quality"], sums["quality squares"])
                 for sums in (one, other)]  # fmt: skip
    contrast = of_means(*qualities) if min(own.number for own in qualities) >= LEAST else None
    if contrast is not None:
        means = tuple(own.mean for own in qualities)
        yield _difference("score", key, value, others, means, contrast)
    tokens = [Tokens(*(sums[name] for name in ("candidates", *SUMS[6:]))) for sums in (one, other)]
    contrast = of_shares(*tokens) if min(own.documents for own in tokens) >= LEAST else None
    if contrast is not None:
        after = one["after"] / (one["after"] + other["after"])
        yield _difference("mix", key, value, others, (after, after - contrast.value), contrast)


def _difference(
    stage: str, key: str, value: str, others: str, both: Sequence[float], contrast: Contrast
) -> BiasDifference:
    here, beside = both
    return BiasDifference(
        *(stage, key, value, here, beside),
        *(contrast.value, contrast.low, contrast.high, contrast.p),
        is_certain=False,
        words=_words(stage, documents_of(key, value), others, here, beside, contrast),
    )


def _corrected(differences: Sequence[BiasDifference]) -> tuple[BiasDifference, ...]:
    """The differences with p-values for their number, the certain ones first, then by size."""
    corrected = [
        replace(own, p=p, is_certain=p < CERTAIN)
        for own, p in zip(differences, holm([own.p for own in differences]), strict=True)
    ]
    return tuple(sorted(corrected, key=lambda own: (not own.is_certain, -abs(own.difference))))


# ── words


def _words(
    stage: str, documents: str, others: str, here: float, beside: float, contrast: Contrast
) -> str:
    if stage == "score":
        ends = f"{rounded(contrast.low, '+.3f')} to {rounded(contrast.high, '+.3f')}"
        return (
            f"{documents} have a mean quality of {rounded(here, '.3f')}, {others} "
            f"{rounded(beside, '.3f')} "
            f"({rounded(contrast.value, '+.3f')}, 95 % interval {ends})"
        )
    ends = f"{rounded(1000 * contrast.low, '+,.0f')} to {rounded(1000 * contrast.high, '+,.0f')}"
    interval = f"({rounded(1000 * contrast.value, '+,.0f')}, 95 % interval {ends})"
    if stage == "clean":
        return (
            f"of 1,000 {documents} `clean` keeps {rounded(1000 * here, ',.0f')}, of 1,000 {others} "
            f"{rounded(1000 * beside, ',.0f')} {interval}"
        )
    return (
        f"of 1,000 tokens that `mix` could draw {rounded(1000 * beside, ',.0f')} are of "
        f"{documents}, of 1,000 that it drew {rounded(1000 * here, ',.0f')} {interval}"
    )


def documents_of(key: str, value: str) -> str:
    """The documents of a value, in words."""
    if value == UNKNOWN:
        return f"documents of unknown {key.removeprefix(META)}"
    if key == "language":
        return f"{language_name(value)} documents"
    words = {"source": "of", "license": "under", HOST: "from", LENGTH: "of"}
    return f"documents {words.get(key, f'with {key.removeprefix(META)}')} {value}"


def language_name(tag: str) -> str:
    """The English name of a language, and its tag where there is none."""
    from babel import Locale, UnknownLocaleError

    if tag == "und":
        return "undetermined"
    try:
        return Locale.parse(tag, sep="-").get_display_name("en") or tag
    except (UnknownLocaleError, ValueError):
        return tag
