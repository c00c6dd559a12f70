"""What mixtures are judged on: weightings of the texts that the proxy is measured on.

- `pool`: the holdout as it is. Every source counts the same, and within a source every byte.
- `promised`: the holdout with the shares that the mixture promises its groups (or, where the group
  of a held-out document cannot be told, with the shares of sources in the mixture).
- `good`: the fifth of the held-out texts with the highest quality, by bytes.
- a file of the user's: its texts, by bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from curate.evaluate.heldout import HeldOut
from curate.evaluate.paired import Weighting
from curate.evaluate.spec import JudgeFile
from curate.mixture.groups import OTHER
from curate.warning import StageWarning, note, warn

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

FIFTH = 5

LEAST_SHARE = 0.01
"""Groups without held-out text are told from this share of the mixture on."""


@dataclass(frozen=True)
class Judge:
    """A weighting of all texts that the proxy is measured on, and what it means in words.

    `source` is the source of each text, empty for a text of a file.
    """

    name: str
    about: StageWarning
    weighting: Weighting
    source: NDArray[np.str_]

    @property
    def texts(self) -> int:
        """The number of texts that count."""
        return int((self.weighting.weight > 0).sum())

    def loss(self, losses: Array) -> Array:
        """The mean loss of each draw: (seeds x texts) to (seeds,)."""
        import numpy as np

        return np.asarray(losses @ self.weighting.weight)

    def of_sources(self) -> Iterator[tuple[str, Weighting]]:
        """Yield the weighting within each source that it judges on."""
        import numpy as np

        for source in np.unique(self.source).tolist():
            own = self.weighting.within(self.source == source) if source else None
            if own is not None:
                yield source, own


@dataclass(frozen=True)
class Panel:
    """All judges, and what is to be said about them."""

    judges: tuple[Judge, ...]
    notes: tuple[StageWarning, ...] = ()
    warnings: tuple[StageWarning, ...] = ()


@dataclass(frozen=True)
class Promises:
    """The shares that the mixture promises its groups, and those that its sources were drawn with.

    `follows_scores` says that scores chose the mixture.
    """

    groups: Mapping[str, float]
    sources: Mapping[str, float]
    follows_scores: bool = True


@dataclass(frozen=True)
class Weighed:
    """A weighting of the held-out documents in words; None where there is none, and `about` why."""

    about: StageWarning
    weighting: Weighting | None = None
    warnings: tuple[StageWarning, ...] = ()


def panel_of(
    names: Sequence[str | JudgeFile],
    held_out: HeldOut,
    files: Mapping[str, Sequence[str]],
    promises: Promises,
    others: int = 0,
) -> Panel:
    """The judges with these names.

    The proxy's texts are those held out, then those of `files` in their order, then `others` that
    no judge counts.
    """
    judges: list[Judge] = []
    notes: list[StageWarning] = []
    warnings: list[StageWarning] = []
    places, total = {}, len(held_out)
    for path, texts in files.items():
        places[path], total = total, total + len(texts)
    total += others
    for name in names:
        if isinstance(name, JudgeFile):
            weighed, own, place = _file(files[name.file]), name.file, places[name.file]
        else:
            weighed, own, place = OF_HOLDOUT[name](held_out, promises), name, 0
        warnings += weighed.warnings
        if weighed.weighting is None:
            notes.append(_left_out(own, weighed.about))
        else:
            whole = _placed(weighed.weighting, place, total)
            judges.append(Judge(own, weighed.about, whole, _sources(held_out, total)))
    return Panel(tuple(judges), tuple(notes), tuple(warnings))


def _left_out(name: str, why: StageWarning) -> StageWarning:
    words = "`{judge}` is left out: {why}"
    return note("evaluate.judge_left_out", words, judge=name, why=why.words, reason=why.key)


def _placed(own: Weighting, start: int, total: int) -> Weighting:
    """A weighting of some texts as one of all, which are `total`."""
    import numpy as np

    weight, stratum = np.zeros(total), np.zeros(total, np.int64)
    weight[start : start + len(own.weight)] = own.weight
    stratum[start : start + len(own.weight)] = own.stratum
    return Weighting(weight, stratum)


def _sources(held_out: HeldOut, total: int) -> NDArray[np.str_]:
    import numpy as np

    return np.append(held_out.source, np.full(total - len(held_out), "")).astype(str)


def _file(texts: Sequence[str]) -> Weighed:
    import numpy as np

    if not texts:
        words = "each of its texts has a near copy among the candidates"
        return Weighed(note("evaluate.all_copies", words))
    sizes = np.array([float(len(text.encode())) for text in texts])
    by_bytes = Weighting.of(sizes, np.zeros(len(sizes), np.int64))
    return Weighed(note("evaluate.of_file", "your own texts, by bytes"), by_bytes)


def _pool(held_out: HeldOut, promises: Promises) -> Weighed:
    import numpy as np

    _, number = np.unique(held_out.source, return_inverse=True)
    words = (
        "held-out texts as they come, where a mixture that prefers some is expected to lose; every "
        "source counts the same"
    )
    return Weighed(note("evaluate.of_pool", words), Weighting.of(held_out.mass, number))


def _promised(held_out: HeldOut, promises: Promises) -> Weighed:
    """The holdout with the promised shares of groups; with those of sources if they are unknown."""
    import numpy as np

    if held_out.group is None:
        place, shares = held_out.source, promises.sources
        words = (
            "held-out texts in the shares that sources have in the mixture; the groups of held-out "
            "texts are not known"
        )
        about = note("evaluate.of_sources", words)
    else:
        place, shares = _merged(held_out.group, promises.groups), promises.groups
        words = "held-out texts in the shares that the mixture promises its groups"
        about = note("evaluate.of_groups", words)
    names, number = np.unique([*shares, *place.tolist()], return_inverse=True)
    number = number[len(shares) :]
    own = np.array([shares.get(name, 0.0) for name in names.tolist()])
    mass = np.bincount(number, held_out.mass, len(names))
    if not (own * mass).sum():
        words = "nothing is held out of what the mixture promises"
        return Weighed(note("evaluate.none_of_promised", words))
    silent = [
        name
        for name, share, size in zip(names.tolist(), own.tolist(), mass.tolist(), strict=True)
        if share >= LEAST_SHARE and not size
    ]
    share = sum(shares[name] for name in silent)
    return Weighed(about, Weighting.of(held_out.mass, number, own), _silent(silent, share))


def _merged(groups: NDArray[np.str_], shares: Mapping[str, float]) -> NDArray[np.str_]:
    """The groups; those that `mix` merged have the name of the merged ones."""
    import numpy as np

    other = next((name for name in (f"{OTHER}:", OTHER) if name in shares), None)
    if other is None:
        return groups
    return np.array([name if name in shares else other for name in groups.tolist()], str)


def _silent(groups: Sequence[str], share: float) -> tuple[StageWarning, ...]:
    words = "no text is held out of {groups}, {share:.0%} of the mixture: `promised` leaves it out"
    warning = warn("evaluate.group_not_held_out", words, groups=groups, share=share)
    return (warning,) if groups else ()


def _good(held_out: HeldOut, promises: Promises) -> Weighed:
    """The best fifth of the held-out texts with a known quality; ties by id."""
    import numpy as np

    known = np.flatnonzero(~np.isnan(held_out.quality)).tolist()
    if not known:
        return Weighed(note("evaluate.no_quality", "no held-out text has a quality by `score`"))
    known.sort(key=lambda row: (-held_out.quality[row], held_out.ids[row]))
    best = known[: -(-len(known) // FIFTH)]
    is_good = np.zeros(len(held_out), bool)
    is_good[best] = True
    answered = int(held_out.answered[best].sum())
    by_people = f", or by people's answers ({answered:,} of them)" if answered else ""
    same = "; the same score chose the mixture, which favours it" if promises.follows_scores else ""
    about = note(
        "evaluate.of_good",
        "the fifth of the held-out texts that is best by the score{by_people}{same}",
        by_people=by_people,
        same=same,
        answered=answered,
        follows_scores=promises.follows_scores,
    )
    return Weighed(about, Weighting.of(held_out.mass * is_good, np.zeros(len(is_good), np.int64)))


OF_HOLDOUT: Mapping[str, Callable[[HeldOut, Promises], Weighed]] = {
    "pool": _pool,
    "promised": _promised,
    "good": _good,
}
