"""`OnlineMixer`: the weights of groups while a model trains, from their losses."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import isfinite
from typing import Any

from curate.errors import DataError, RecipeError
from curate.finite import is_number, shown
from curate.mixture.dynamic.state import GREATEST, LEAST, Numbers, Seen, Settings, State, shares
from curate.mixture.dynamic.strategies import STRATEGIES
from curate.mixture.limits import Infeasible, Limit
from curate.names import unknown

SMOOTHING = {"doremi": 0.0, "ado": 0.9, "loss": 0.9}
"""The default of each strategy."""

FLOOR, PART = 0.01, 0.1
"""The default floor, unless all floors together would be more than this part of the budget."""

Limits = Mapping[str, tuple[float, float]] | Sequence[Limit]


class OnlineMixer:
    """Weights of groups that follow their losses.

        mixer = OnlineMixer(mixture.weights, strategy="ado", limits={"web": (0.1, 0.6)})
        mixture.weights = mixer.step({"web": 3.1, "wiki": 2.7}, tokens={"web": 9000, "wiki": 4000})

    Parameters
    ----------
    prior: the weights of all groups at the start. `ado` multiplies them into what it wants.
    strategy: `doremi`, `ado` or `loss`.
    floor: the least share of every group; None is .01, or less where groups are more than ten.
    limits: (least, greatest) share of groups by name, or any `Limit` over the groups' numbers.
    smoothing: the part of the weights that stays at a step: of those in force (`doremi`, `loss`),
        or of the running mean (`ado`). None is 0 for `doremi`, .9 for the others.
    rate, spread: of `doremi`: the step (eta), and the share that is spread evenly (c).
    reference: of `doremi`: losses of a reference model by group; `step` may give others.
    warm_up, refit: of `ado`: the steps before the first curves, and at least to the next ones.
    window: of `loss`: the fall is that over so many losses.

    Raises RecipeError for settings that are none, and for limits that leave no weights.
    """

    def __init__(
        self,
        prior: Mapping[str, float],
        *,
        strategy: str = "ado",
        floor: float | None = None,
        limits: Limits | None = None,
        smoothing: float | None = None,
        rate: float = 1.0,
        spread: float = 1e-4,
        reference: Mapping[str, float] | None = None,
        warm_up: int = 10,
        refit: int = 10,
        window: int = 10,
    ) -> None:
        if strategy not in STRATEGIES:
            raise unknown(f"there is no strategy {strategy}", strategy, STRATEGIES)
        if not prior or not all(is_number(own) and own >= 0 for own in prior.values()):
            raise RecipeError("the prior has no groups, or weights that are not numbers from 0 up")
        if not any(prior.values()):
            raise RecipeError("all weights of the prior are 0")
        self.strategy, self.groups = strategy, tuple(prior)
        least = min(FLOOR, PART / len(prior)) if floor is None else floor
        smooth = SMOOTHING[strategy] if smoothing is None else smoothing
        own = shares([float(weight) for weight in prior.values()])
        self._settings = Settings(own, least, rate, spread, smooth, warm_up, refit, window)
        _check(self._settings, len(own))
        self._limits = _limits_of(self.groups, limits or {}, least)
        self._reference = self._numbers("reference loss", reference or {})
        self._state = State.at_start(self._projected(own), own)

    # ── weights and state

    @property
    def weights(self) -> dict[str, float]:
        """The weights in force, by group; they sum to 1."""
        return dict(zip(self.groups, self._state.weights, strict=True))

    @property
    def final(self) -> dict[str, float]:
        """The weights for another run: of `doremi` the mean over the steps, else those in force."""
        is_mean = self.strategy == "doremi"
        final = self._state.average if is_mean else self._state.weights
        return dict(zip(self.groups, final, strict=True))

    def state_dict(self) -> dict[str, Any]:
        """Where the mixer is, as plain values that JSON keeps exactly."""
        head = {"strategy": self.strategy, "groups": list(self.groups)}
        return {**head, **self._state.plain()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on exactly from a state. Raises DataError for one of other groups or strategy."""
        own = dict(state) if isinstance(state, Mapping) else {}
        head = own.pop("strategy", None), own.pop("groups", None)
        if head != (self.strategy, list(self.groups)):
            raise DataError(
                "the state is of another mixer", hint="make it with the same strategy and groups"
            )
        try:
            loaded = State.of_plain(own)
            self._check_loaded(loaded)
        except (KeyError, TypeError, ValueError) as error:
            raise DataError(f"the state cannot be read: {error}") from None
        self._state = loaded

    def _check_loaded(self, state: State) -> None:
        """Raise ValueError for a state that a step could not go on from."""
        if len(state.weights) != len(self.groups):
            raise ValueError("it has another number of groups in it")
        losses = [loss for own in state.points for _, loss in own]
        if any(abs(loss) > GREATEST or (self.strategy == "ado" and loss <= 0) for loss in losses):
            raise ValueError("points have a loss in them that cannot be computed with")

    # ── a step

    def step(
        self,
        losses: Mapping[str, float],
        tokens: Mapping[str, float] | float | None = None,
        reference: Mapping[str, float] | None = None,
    ) -> dict[str, float]:
        """The weights after one more step, by group.

        `losses` are mean losses of groups in nats a token; a group that is missing keeps what was
        known of it. `tokens` are those since the step before, by group; one number is shared out by
        the weights in force, and None is 1. `reference` are losses of a reference model.

        Raises DataError for an unknown group, and for a loss or tokens that are no finite number or
        beyond 1e60; the mixer is then as it was.
        """
        told = self._numbers("loss", losses)
        other = self._numbers("reference loss", reference) if reference else self._reference
        seen = Seen(self._tokens(1.0 if tokens is None else tokens), told, other)
        self._require(seen)
        self._state = self._followed(seen)
        return self.weights

    def _followed(self, seen: Seen) -> State:
        """The state after a step. Raises DataError where something in it would be no number."""
        import numpy as np

        follow = STRATEGIES[self.strategy]
        with np.errstate(over="ignore", invalid="ignore"):
            state, wanted = follow(self._state.with_seen(seen), seen, self._settings)
        if not all(map(isfinite, wanted)):
            raise DataError(f"the losses of this step are {TOO_LARGE} weights from", hint=DIVERGED)
        state = state.with_weights(self._projected(wanted))
        try:
            state.check()
        except ValueError:
            raise DataError(
                f"the numbers of this step are {TOO_LARGE} with", hint=DIVERGED
            ) from None
        return state

    def _require(self, seen: Seen) -> None:
        """Raise DataError for losses that the strategy cannot use."""
        for group, loss, reference in zip(self.groups, seen.losses, seen.reference, strict=True):
            if self.strategy == "ado" and loss is not None and loss <= 0:
                raise DataError(f"the loss of {group} is {loss:g}: ado needs losses above 0")
            if self.strategy == "doremi" and loss is not None and reference is None:
                raise DataError(
                    f"doremi needs the reference loss of {group}",
                    hint="give the losses of a model trained on the prior as `reference`",
                )

    def _numbers(self, what: str, values: Mapping[str, float]) -> tuple[float | None, ...]:
        """A number for each group, None where there is none. Raises DataError."""
        for group, value in values.items():
            if group not in self.groups:
                words = f"a {what} is for {group}, and there is no such group"
                raise unknown(words, group, self.groups, kind=DataError)
            if not is_number(value):
                raise DataError(f"the {what} of {group} is {shown(value)}, not a finite number")
            if abs(float(value)) > GREATEST:
                words = f"the {what} of {group} is {float(value):g}, {TOO_LARGE} with"
                raise DataError(words, hint=DIVERGED)
        return tuple(float(values[own]) if own in values else None for own in self.groups)

    def _tokens(self, tokens: Mapping[str, float] | float) -> Numbers:
        if not isinstance(tokens, Mapping):
            tokens = {group: tokens * weight for group, weight in self.weights.items()}
        counts = tuple(own or 0.0 for own in self._numbers("number of tokens", tokens))
        if min(counts) < 0:
            raise DataError("a number of tokens is below 0", hint="count from the step before")
        return tuple(count if count >= LEAST else 0.0 for count in counts)

    def _projected(self, wanted: Numbers) -> Numbers:
        """The nearest weights within floor and limits. Raises RecipeError where there are none."""
        import numpy as np

        from curate.mixture.projection import project

        top = np.ones(len(self.groups))
        try:
            found = project(np.array(wanted), top, self._limits, names=self.groups)
        except Infeasible as error:
            raise RecipeError(f"floor and limits: {error}", hint=error.hint) from None
        return shares(found.shares.tolist())


TOO_LARGE = "too large to compute"
DIVERGED = "training diverged: leave the step out, and lower the learning rate"


def _shown(value: Any) -> str:
    return f"{value:g}" if is_number(value) else shown(value)


def _check(settings: Settings, groups: int) -> None:
    """Raise RecipeError for settings out of their range."""
    ranges = {
        "floor": (0, 1 / groups),
        "rate": (0, float("inf")),
        "spread": (0, 1),
        "smoothing": (0, 1),
        "warm_up": (0, float("inf")),
        "refit": (1, float("inf")),
        "window": (2, float("inf")),
    }
    for name, (low, high) in ranges.items():
        value = getattr(settings, name)
        if not (is_number(value) and low <= value <= high):
            raise RecipeError(f"{name} is {_shown(value)}, not between {low:g} and {high:g}")


def _limits_of(groups: Sequence[str], limits: Limits, floor: float) -> list[Limit]:
    """The limits, and one for the floor of each group. It is less where a limit leaves less."""
    own = _by_group(groups, limits) if isinstance(limits, Mapping) else _told(limits)
    floors = [floor] * len(groups)
    for limit in own:
        for place in limit.cells.tolist():
            floors[place] = min(floors[place], limit.high / len(limit.cells))
    pairs = enumerate(zip(groups, floors, strict=True))
    return [*own, *(_limit(place, name, low, 1.0, "floor") for place, (name, low) in pairs)]


def _told(limits: Any) -> list[Limit]:
    """The limits of a list. Raises RecipeError for what is none."""
    is_list = isinstance(limits, Sequence) and all(isinstance(own, Limit) for own in limits)
    if not is_list:
        words = f"limits are {shown(limits)}, neither shares by group nor a list of `Limit`"
        raise RecipeError(words, hint=LIMITS)
    return list(limits)


def _by_group(groups: Sequence[str], limits: Mapping[str, tuple[float, float]]) -> list[Limit]:
    pairs = {name: _pair(own) for name, own in limits.items()}
    for name, own in pairs.items():
        if name not in groups:
            raise unknown(f"a limit is for {name}, and there is no such group", name, groups)
        if len(own) != 2 or not all(map(is_number, own)) or not 0 <= own[0] <= own[1] <= 1:
            words = f"the limits of {name} are not shares: {' to '.join(map(_shown, own))}"
            raise RecipeError(words, hint=LIMITS)
    return [
        _limit(groups.index(name), name, low, high, "min") for name, (low, high) in pairs.items()
    ]


LIMITS = "give the least and the greatest share of a group, as in {'web': (0.1, 0.6)}"


def _pair(limits: Any) -> tuple[Any, ...]:
    """The least and the greatest; what is no such pair as the only one, so that it is shown."""
    if isinstance(limits, (str, bytes, Mapping)):
        return (limits,)
    return tuple(limits) if isinstance(limits, Iterable) else (limits,)


def _limit(place: int, name: str, low: float, high: float, low_name: str) -> Limit:
    import numpy as np

    return Limit(name, np.array([place]), low, high, low_name=low_name)
