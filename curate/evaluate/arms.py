"""The arms of a comparison: mixtures of the same texts with the same budget of tokens.

An arm is drawn as `mix` draws. Its shares are the nearest to those it stands for that the texts can
fill, so that no arm is smaller than another.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

from curate import chance
from curate.evaluate.strata import Budget, Shortfall, Texts, rows_by, strata_of
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


@dataclass(frozen=True)
class Arm:
    """A mixture: the shares it stands for, the shares that the texts can fill, and its rows.

    `rows` are those of each group; `weight` is that of every row. `most` are the most copies of a
    text of a group, where they are not those of the budget.
    """

    name: str
    wanted: Mapping[str, float]
    shares: Mapping[str, float]
    rows: Mapping[str, NDArray[np.intp]]
    weight: NDArray[np.float64]
    is_noiseless: bool = False
    most: Mapping[str, int] = field(default_factory=dict)

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
                max_copies=self.most.get(name, budget.max_copies),
                noise=noise[rows],
                carry=carry,
            )
            carry += float((copies[rows] * texts.tokens[rows]).sum()) - target
        return copies


def arms_of(
    texts: Texts,
    budget: Budget,
    promised: Mapping[str, float],
    *,
    is_noiseless: bool,
    seed: int = 0,
) -> tuple[Arm, ...]:
    """The mixture, by its promised shares of groups, and the plain mixtures of the sources.

    Where limits tell texts of a group apart, the mixture has the shares that they promise; `seed`
    is that of `mix`.

    Raises Shortfall where the texts cannot fill the budget, or not with a mixture like this.
    """
    import numpy as np

    sources = rows_by(texts.source)
    supply = {name: int(texts.tokens[rows].sum()) for name, rows in sources.items()}
    proportional = {name: own / sum(supply.values()) for name, own in supply.items()}
    uniform = {name: 1 / len(sources) for name in sources}
    plain = np.ones(len(texts.tokens))
    strata = strata_of(texts, budget, promised, is_noiseless=is_noiseless, seed=seed)
    mixture = _arm(
        MIXTURE, strata.shares, strata.rows, texts, texts.weight, budget, is_noiseless, strata.most
    )
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


def _arm(
    name: str,
    wanted: Mapping[str, float],
    rows: Mapping[str, NDArray[np.intp]],
    texts: Texts,
    weight: NDArray[np.float64],
    budget: Budget,
    is_noiseless: bool = False,
    copies: Mapping[str, int] = MappingProxyType({}),
) -> Arm:
    most = {
        group: copies.get(group, budget.max_copies) * int(texts.tokens[own][weight[own] > 0].sum())
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
    return Arm(name, wanted, shares, rows, weight, is_noiseless, copies)
