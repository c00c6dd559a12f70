"""The arms of a comparison: mixtures of the same texts with the same budget of tokens.

An arm is drawn as `mix` draws. Its shares are the nearest to those it stands for that the texts can
fill, so that no arm is smaller than another.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from curate import chance
from curate.mixture import drawing
from curate.mixture.boxes import project_groups
from curate.mixture.limits import Infeasible

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MIXTURE = "mixture"

TOLD = 0.01
"""From this share of its tokens on, it is told that an arm is not the mixture it stands for."""

REFUSED = 0.05
"""From this share on, the mixture itself is not compared: the arm would be another mixture."""


class Shortfall(ValueError):
    """The texts cannot fill an arm; the message says what is short, and what makes room."""


@dataclass(frozen=True)
class Texts:
    """The texts that arms are drawn from; arrays of one length.

    `weight` is that of the mixture within its groups.
    """

    ids: list[str]
    source: NDArray[np.str_]
    group: NDArray[np.str_]
    tokens: NDArray[np.int64]
    weight: NDArray[np.float64]


@dataclass(frozen=True)
class Budget:
    """What every arm gets: so many tokens, no text more than `max_copies` times."""

    tokens: float
    max_copies: int


@dataclass(frozen=True)
class Arm:
    """A mixture: the shares it stands for, the shares that the texts can fill, and its rows.

    `rows` are those of each group; `weight` is that of every row.
    """

    name: str
    wanted: Mapping[str, float]
    shares: Mapping[str, float]
    rows: Mapping[str, NDArray[np.intp]]
    weight: NDArray[np.float64]
    is_noiseless: bool = False

    @property
    def moved(self) -> float:
        """The share of the tokens that is not where it was wanted."""
        return sum(abs(self.shares[name] - self.wanted[name]) for name in self.shares) / 2

    @property
    def shortest(self) -> str:
        """The group that lacks the most, in words."""
        name = max(self.wanted, key=lambda group: self.wanted[group] - self.shares[group])
        return f"{self.shares[name]:.1%} of {name}, not {self.wanted[name]:.1%}"

    def draw(self, texts: Texts, budget: Budget, seed: int) -> NDArray[np.int64]:
        """The copies of each text. The sum of their tokens is within one text of the budget."""
        import numpy as np

        noise = chance.gumbel(texts.ids, seed, "evaluate") * (not self.is_noiseless)
        copies, carry = np.zeros(len(texts.tokens), np.int64), 0.0
        for name, rows in self.rows.items():
            target = self.shares[name] * budget.tokens
            copies[rows] = drawing.draw(
                self.weight[rows],
                texts.tokens[rows],
                target,
                max_copies=budget.max_copies,
                noise=noise[rows],
                carry=carry,
            )
            carry += float((copies[rows] * texts.tokens[rows]).sum()) - target
        return copies


def arms_of(
    texts: Texts, budget: Budget, promised: Mapping[str, float], *, is_noiseless: bool
) -> tuple[Arm, ...]:
    """The mixture, by its promised shares of groups, and the plain mixtures of the sources.

    Raises Shortfall where the texts cannot fill the budget, or not with a mixture like this.
    """
    import numpy as np

    sources = _rows_by(texts.source)
    groups = {name: rows for name, rows in _rows_by(texts.group).items() if promised[name]}
    missing = {name: groups.get(name, np.zeros(0, np.intp)) for name in promised}
    supply = {name: int(texts.tokens[rows].sum()) for name, rows in sources.items()}
    proportional = {name: own / sum(supply.values()) for name, own in supply.items()}
    uniform = {name: 1 / len(sources) for name in sources}
    plain = np.ones(len(texts.tokens))
    mixture = _arm(MIXTURE, promised, missing, texts, texts.weight, budget, is_noiseless)
    if mixture.moved > REFUSED:
        raise Shortfall(
            f"the texts that the proxy reads can fill {mixture.shortest}; "
            "raise `evaluate.train_bytes`"
        )
    return (
        mixture,
        _arm("proportional", proportional, sources, texts, plain, budget),
        _arm("uniform", uniform, sources, texts, plain, budget),
    )


def _rows_by(names: NDArray[np.str_]) -> dict[str, NDArray[np.intp]]:
    """The rows of each name, by the order of the names."""
    import numpy as np

    return {str(name): np.flatnonzero(names == name) for name in np.unique(names)}


def _arm(
    name: str,
    wanted: Mapping[str, float],
    rows: Mapping[str, NDArray[np.intp]],
    texts: Texts,
    weight: NDArray[np.float64],
    budget: Budget,
    is_noiseless: bool = False,
) -> Arm:
    most = {
        group: budget.max_copies * int(texts.tokens[own][weight[own] > 0].sum())
        for group, own in rows.items()
    }
    try:
        shares = project_groups(
            wanted,
            low=dict.fromkeys(wanted, 0.0),
            high=dict.fromkeys(wanted, 1.0),
            supply={group: own / budget.tokens for group, own in most.items()},
        ).shares
    except Infeasible:
        raise Shortfall(
            f"the texts that the proxy reads hold {sum(most.values()):,} tokens for {name}, copies "
            f"counted, and every arm needs {budget.tokens:,.0f}; raise `evaluate.train_bytes`"
        ) from None
    return Arm(name, wanted, shares, rows, weight, is_noiseless)
