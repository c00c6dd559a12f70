"""The arms of a comparison: mixtures of the same texts with the same budget of tokens.

An arm is drawn as `mix` draws. Its shares are the nearest to those it stands for that the texts can
fill, so that no arm is smaller than another.

- the mixture, and others with shares of its groups: drawn within groups as the mixture is;
- `proportional` and `uniform`: shares of sources, all texts of a source alike;
- `random`: shares of groups from a flat Dirichlet distribution, all texts of a group alike;
- an export: its own documents with the weight of their copies, where the texts that the proxy reads
  hold enough of them; else its shares of groups, drawn as the mixture is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from curate import chance
from curate.evaluate.spec import MIXTURE
from curate.evaluate.strata import Budget, Shortfall, Texts, rows_by, strata_of
from curate.mixture import drawing
from curate.mixture.boxes import project_groups
from curate.mixture.limits import Infeasible
from curate.rounding import rounded

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

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
    def least_filled(self) -> str:
        """The group that lacks the most."""
        return max(self.wanted, key=lambda group: self.wanted[group] - self.shares[group])

    @property
    def shortest(self) -> str:
        """The group that lacks the most, in words."""
        name = self.least_filled
        has, wanted = (rounded(own[name], ".1%") for own in (self.shares, self.wanted))
        return f"{has} of {name}, not {wanted}"

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


@dataclass(frozen=True)
class Other:
    """An arm beside the mixture: a plain one by its name, or one with shares of groups.

    `copies` is how often an export drew each text.
    """

    name: str
    shares: Mapping[str, float] | None = None
    copies: NDArray[np.int64] | None = None


PLAIN = (Other("proportional"), Other("uniform"))


def arms_of(
    drawn: Drawn, promised: Mapping[str, float], others: Sequence[Other] = PLAIN
) -> tuple[Arm, ...]:
    """The mixture, by its promised shares of groups, and the others.

    Where limits tell texts of a group apart, the mixture has the shares that they promise.

    Raises Shortfall where the texts cannot fill the budget, or not with a mixture like this.
    """
    mixture = drawn.with_shares(MIXTURE, promised)
    if mixture.moved > REFUSED:
        raise Shortfall(
            f"the texts that the proxy reads can fill {mixture.shortest}; "
            "raise `evaluate.train_bytes`"
        )
    return (mixture, *(drawn.other(own) for own in others))


@dataclass(frozen=True)
class Drawn:
    """Makes arms of the texts; `is_noiseless` and `seed` are those of the draw of `mix`."""

    texts: Texts
    budget: Budget
    is_noiseless: bool
    seed: int = 0

    def at(self, budget: Budget) -> Drawn:
        """The same for another budget."""
        return replace(self, budget=budget)

    def with_shares(self, name: str, shares: Mapping[str, float]) -> Arm:
        """The mixture with these shares of groups."""
        noiseless = self.is_noiseless
        strata = strata_of(self.texts, self.budget, shares, is_noiseless=noiseless, seed=self.seed)
        texts, budget = self.texts, self.budget
        return _arm(
            name, strata.shares, strata.rows, texts, texts.weight, budget, noiseless, strata.most
        )

    def other(self, other: Other) -> Arm:
        """An arm beside the mixture."""
        if other.copies is not None:
            own = self._of_documents(other.name, other.copies)
            if own is not None:
                return own
            if other.shares is None:
                raise Shortfall(
                    f"the texts that the proxy reads hold too few documents of {other.name}, and "
                    "its groups are not those of the mixture"
                )
        if other.shares is not None:
            return self.with_shares(other.name, other.shares)
        return self._plain(other.name)

    def _plain(self, name: str) -> Arm:
        """All texts of a source alike; of `random` all texts of a group."""
        import numpy as np

        texts = self.texts
        rows = rows_by(texts.group if name == "random" else texts.source)
        supply = {group: int(texts.tokens[own].sum()) for group, own in rows.items()}
        shares = {
            "proportional": {group: own / sum(supply.values()) for group, own in supply.items()},
            "uniform": dict.fromkeys(rows, 1 / len(rows)),
            "random": random_shares(list(rows)),
        }[name]
        return _arm(name, shares, rows, texts, np.ones(len(texts.tokens)), self.budget)

    def _of_documents(self, name: str, copies: NDArray[np.int64]) -> Arm | None:
        """The documents of an export; None where the texts hold too few of them."""
        import numpy as np

        is_in = copies > 0
        tokens = copies * self.texts.tokens
        if not is_in.any():
            return None
        rows = {
            group: own[is_in[own]]
            for group, own in rows_by(self.texts.group).items()
            if is_in[own].any()
        }
        shares = {group: float(tokens[own].sum() / tokens.sum()) for group, own in rows.items()}
        most = {
            group: max(self.budget.max_copies, int(copies[own].max()))
            for group, own in rows.items()
        }
        try:
            arm = _arm(
                name, shares, rows, self.texts, copies.astype(np.float64), self.budget, copies=most
            )
        except Shortfall:
            return None
        return arm if arm.moved <= REFUSED else None


def random_shares(groups: Sequence[str], seed: int = 0) -> dict[str, float]:
    """Shares of groups from a flat Dirichlet distribution."""
    import numpy as np

    drawn = np.random.default_rng(seed).dirichlet(np.ones(len(groups)))
    return dict(zip(groups, drawn.tolist(), strict=True))


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
