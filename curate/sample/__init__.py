"""Choose which documents people see next, and with what probability.

clean ──sample──▶ a new round: sample · texts as shown · frame
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal, Protocol

from pydantic import Field

from curate.errors import DataError
from curate.rounds import freeze
from curate.spec import Spec
from curate.workspace import Workspace, now

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

READS = ("pool", "clean")
WRITES = ("sample",)

Purpose = Literal["label", "pilot", "review", "relabel", "import"]


class SampleSpec(Spec):
    """How many documents people see, and which."""

    n: Annotated[int, Field(ge=1, description="How many documents to send.")] = 200
    strategy: Annotated[
        Literal["random", "stratified"], Field(description="How they are chosen.")
    ] = "random"
    by: Annotated[
        tuple[Literal["source", "language", "license"], ...],
        Field(min_length=1, description="Columns whose values are the strata."),
    ] = ("source",)
    allocation: Annotated[
        Literal["equal", "proportional"], Field(description="How strata share the documents.")
    ] = "equal"
    purpose: Annotated[
        Literal["label", "pilot"], Field(description="A pilot is reported, never used as labels.")
    ] = "label"
    seed: Annotated[int, Field(description="Seed of the choice and of the order shown.")] = 0


@dataclass(frozen=True)
class SampleResult:
    """What was chosen, out of what."""

    round: int
    purpose: str
    documents: int
    frame: int
    strata: dict[str, int]


class Sampler(Protocol):
    """Row positions, best first, without repeats, and their inclusion probabilities."""

    def __call__(
        self, items: pd.DataFrame, n: int, rng: np.random.Generator, context: SampleSpec
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Choose n of the items; `stratum` is one of their columns."""
        ...


def random(
    items: pd.DataFrame, n: int, rng: np.random.Generator, context: SampleSpec
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Draw n rows without replacement, every row with the same probability."""
    import numpy as np

    n = min(n, len(items))
    return rng.permutation(len(items))[:n], np.full(n, n / max(1, len(items)))


def stratified(
    items: pd.DataFrame, n: int, rng: np.random.Generator, context: SampleSpec
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Draw rows at random within each value of the column `stratum`."""
    import numpy as np

    groups = [(name, rows.to_numpy()) for name, rows in _strata(items)]
    shares = allocate([len(rows) for _, rows in groups], n, context.allocation)
    picked, probabilities = [], []
    for (_, rows), share in zip(groups, shares, strict=True):
        picked.append(rng.permutation(rows)[:share])
        probabilities.append(np.full(share, share / len(rows)))
    order = rng.permutation(sum(shares))
    return np.concatenate(picked)[order], np.concatenate(probabilities)[order]


STRATEGIES: dict[str, Sampler] = {"random": random, "stratified": stratified}


def allocate(
    sizes: Sequence[int], n: int, allocation: Literal["equal", "proportional"]
) -> list[int]:
    """Share n among strata of the given sizes, whole numbers, none beyond its size.

    What a small stratum cannot give goes to the others; largest remainders settle the rest.
    """
    wanted, given = min(n, sum(sizes)), [0] * len(sizes)
    while left := wanted - sum(given):
        able = [place for place, size in enumerate(sizes) if given[place] < size]
        weights = [1 if allocation == "equal" else sizes[place] for place in able]
        quotas = {p: left * weight / sum(weights) for p, weight in zip(able, weights, strict=True)}
        for place, quota in quotas.items():
            given[place] += min(int(quota), sizes[place] - given[place])
        rest = [place for place in able if given[place] < sizes[place]]
        rest.sort(key=lambda place: int(quotas[place]) - quotas[place])
        for place in rest[: wanted - sum(given)]:
            given[place] += 1
    return given


def run(workspace: Workspace, spec: SampleSpec) -> SampleResult:
    """Open a new round with documents that no label round has sent before."""
    import numpy as np

    frame = _frame(workspace, spec)
    if frame.empty:
        raise DataError(
            "no document is left to send", hint="every kept document was sent in an earlier round"
        )
    number = workspace.next_number
    rng = np.random.default_rng([spec.seed, number])
    rows, propensities = STRATEGIES[spec.strategy](frame, spec.n, rng, spec)
    chosen = frame.iloc[rows].assign(propensity=propensities, rank=range(len(rows)))
    sample = [
        {
            **{name: row[name] for name in ("id", "rank", "stratum", "propensity")},
            "round": number,
            "kind": "design",
            "strategy": spec.strategy,
        }
        for row in chosen.to_dict("records")
    ]
    counts = {str(name): len(part) for name, part in _strata(frame)}
    about = {
        "purpose": spec.purpose,
        "created": now(),
        "sample": spec.settings(),
        "frame": {
            "documents": len(frame),
            "strata": counts,
            "clean": workspace.fingerprint("clean"),
        },
    }
    shown = workspace.find_texts(set(chosen["id"]))
    with freeze(workspace.root, number, about, sample, shown):
        pass
    strata = {str(name): len(part) for name, part in _strata(chosen)}
    return SampleResult(number, spec.purpose, len(sample), len(frame), strata)


def _frame(workspace: Workspace, spec: SampleSpec) -> pd.DataFrame:
    columns = ["id", "holdout", *spec.by]
    frame: pd.DataFrame = workspace.document_table(columns).to_pandas()
    sent = {id for each in workspace.rounds for id in each.sample()["id"].to_pylist()}
    frame = frame[~frame["holdout"] & ~frame["id"].isin(sent)].reset_index(drop=True)
    stratum = frame[list(spec.by)].fillna("unknown").agg("/".join, axis=1) if len(frame) else ""
    return frame.assign(stratum=stratum)


def _strata(frame: pd.DataFrame) -> list[tuple[Any, pd.Series[int]]]:
    import pandas as pd

    places = pd.Series(range(len(frame)))
    return [(name, part) for name, part in places.groupby(frame["stratum"].to_numpy())]
