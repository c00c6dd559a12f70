"""The skill of each person: the probability that they give the right value, and its interval."""

from __future__ import annotations

from collections.abc import Mapping

from curate.agree.truth.coded import Coded
from curate.agree.truth.confusion import Confusion, normalised
from curate.agree.truth.truth import Rightness, Skill

QUANTILES = (0.05, 0.95)
"""The ends of the interval of a skill."""


def mean_skill(coded: Coded, model: Confusion) -> dict[str, float]:
    """The skill of each person by a fitted model: the mean over values, by prevalence."""
    import numpy as np

    skill = np.einsum("j,wjj->w", model.prevalence, model.rows)
    return dict(zip(coded.people, skill.tolist(), strict=True))


def rightness(coded: Coded, model: Confusion) -> dict[str, Rightness]:
    """The probability that each answer is right by a fitted model, by person."""
    import numpy as np

    answers = np.arange(len(coded.item))
    posterior = model.posterior[coded.item]
    with np.errstate(divide="ignore"):
        logs = np.log(posterior) - np.log(model.rows[coded.person, :, coded.value])
    without_own, _ = normalised(logs)
    columns = [right[answers, coded.value] for right in (posterior, without_own)]
    order = np.argsort(coded.person, kind="stable")
    ends = np.cumsum(coded.answers_of)[:-1]
    parts = zip(*(np.split(column[order], ends) for column in columns), strict=True)
    return {person: Rightness(*own) for person, own in zip(coded.people, parts, strict=True)}


def skills(means: Mapping[str, float], right: Mapping[str, Rightness]) -> dict[str, Skill]:
    """The skills with their intervals."""
    return {person: Skill(mean, *interval(right[person])) for person, mean in means.items()}


def interval(right: Rightness) -> tuple[float, float]:
    """The 90 % interval of the skill of a person, from the rightness of their answers.

    It reaches from the skill without the person's own answers, which is too low, to the skill with
    them, which is too high. It is widened by the doubt about the truth. A Beta distribution has
    their middle as its mean, and that variance.
    """
    from scipy.special import betaincinv

    n, sides = len(right.with_own), (right.with_own, right.without_own)
    means = [(float(side.sum()) + 0.5) / (n + 1) for side in sides]
    doubt = sum(float((side * (1 - side)).sum()) for side in sides)
    middle = min(max(sum(means) / 2, 0.001), 0.999)
    spread = middle * (1 - middle)
    variance = spread / (n + 2) + doubt / (2 * n**2) + (means[0] - means[1]) ** 2 / 4
    strength = max(spread / variance - 1, 0.5)
    low, high = betaincinv(strength * middle, strength * (1 - middle), QUANTILES)
    return float(low), float(high)
