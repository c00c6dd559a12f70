"""The arm `dynamic`: its weights follow the proxy's losses while it trains (`OnlineMixer`).

The budget is read in parts. After each the losses of the groups, on texts that no judge counts,
give the weights of the next. The texts read so far are drawn as one mixture, whose budget grows,
and are learned as a whole: of the n-gram model, whose counts add up, that is training on. Another
proxy starts again after each part.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from curate.evaluate.arms import Arm, Drawn
from curate.evaluate.spec import DYNAMIC
from curate.evaluate.strata import Budget, Texts
from curate.metrics import per_unit
from curate.mixture.dynamic import OnlineMixer
from curate.proxies.proxy import Proxy

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

STRATEGY = "ado"
PARTS, WARM_UP, SMOOTHING = 10, 5, 0.5
"""Parts of the budget, those before the first curves, and what stays of the mean at each."""

SLACK = 1e-6
"""What limits, as they are stored, are widened by."""


@dataclass(frozen=True)
class Validation:
    """Texts that tell the loss of groups: the group of each text of a proxy, empty for others.

    `tokens` are those of each group.
    """

    group: NDArray[np.str_]
    tokens: Mapping[str, float]

    def losses(self, losses: NDArray[np.float64]) -> dict[str, float]:
        """The mean loss of each group in nats a token, from that of each text."""
        return {
            group: per_unit(float(losses[self.group == group].sum()), tokens)
            for group, tokens in self.tokens.items()
        }


@dataclass(frozen=True)
class Group:
    """What the mixture promises a group, and the least and greatest share that its limits allow."""

    promised: float
    low: float = 0.0
    high: float = 1.0


@dataclass(frozen=True)
class Followed:
    """The weights of all groups: in each part, and those for another run. Means over the seeds."""

    strategy: str
    parts: tuple[Mapping[str, float], ...]
    final: Mapping[str, float]


@dataclass(frozen=True)
class Online:
    """The arm. `prior` are the shares that it begins with, `limits` those of the mixture's groups.

    `paths` are the weights of each seed that was drawn, those for another run the last.
    """

    texts: Texts
    drawn: Drawn
    proxy: Proxy
    validation: Validation
    prior: Mapping[str, float]
    limits: Mapping[str, tuple[float, float]]
    name: str = DYNAMIC
    paths: dict[int, list[Mapping[str, float]]] = field(default_factory=dict)

    def draw(self, texts: Texts, budget: Budget, seed: int) -> NDArray[np.int64]:
        """The copies of each text after the last part."""
        import numpy as np

        mixer = OnlineMixer(
            self.prior,
            strategy=STRATEGY,
            limits=self.limits,
            warm_up=WARM_UP,
            refit=1,
            smoothing=SMOOTHING,
        )
        copies: NDArray[np.int64] = np.zeros(len(texts.tokens), np.int64)
        wanted, self.paths[seed] = dict.fromkeys(self.prior, 0.0), [mixer.weights]
        for part in range(1, PARTS + 1):
            wanted = {group: wanted[group] + own / PARTS for group, own in mixer.weights.items()}
            so_far = Budget(budget.tokens * part / PARTS, budget.max_copies)
            before, copies = copies, self._arm(wanted, so_far).draw(texts, so_far, seed)
            losses = self.validation.losses(self.proxy.learn(copies, seed).losses)
            self.paths[seed].append(mixer.step(losses, self._tokens(copies - before)))
        self.paths[seed][-1] = mixer.final
        return copies

    def _arm(self, wanted: Mapping[str, float], budget: Budget) -> Arm:
        """What is read so far, as a mixture."""
        total = sum(wanted.values())
        shares = {group: own / total for group, own in wanted.items()}
        return self.drawn.at(budget).with_shares(self.name, shares)

    def _tokens(self, copies: NDArray[np.int64]) -> dict[str, float]:
        """The tokens that each group was read, at least 0: a text at the edge may go again."""
        own = copies * self.texts.tokens
        return {
            group: max(0.0, float(own[self.texts.group == group].sum())) for group in self.prior
        }

    def followed(self) -> Followed:
        """The weights over the parts, on the mean over the seeds."""
        means = [
            {group: sum(own[group] for own in step) / len(step) for group in self.prior}
            for step in zip(*self.paths.values(), strict=True)
        ]
        return Followed(STRATEGY, tuple(means[:-1]), means[-1])


def online_arm(
    texts: Texts, drawn: Drawn, proxy: Proxy, validation: Validation, groups: Mapping[str, Group]
) -> Online:
    """The arm for the groups of the mixture, which have texts."""
    present = set(texts.group.tolist())
    own = {name: group for name, group in groups.items() if group.promised and name in present}
    limits = {
        name: (max(0.0, group.low - SLACK), min(1.0, group.high + SLACK))
        for name, group in own.items()
    }
    prior = {name: group.promised for name, group in own.items()}
    return Online(texts, drawn, proxy, validation, prior, limits)
