"""Choose which documents people see next, and with what probability.

clean ──sample──▶ a new round: sample · texts as shown · frame
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal, Protocol

from pydantic import Field, model_validator

from curate import chance
from curate.errors import DataError
from curate.rounds import freeze
from curate.sample.gold import read_gold
from curate.spec import Spec
from curate.text import TEXT, render
from curate.views import SIDES, View, cut, task_id, window
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
    compare: Annotated[
        bool, Field(description="Show two documents side by side, as $a and $b; n are the pairs.")
    ] = False
    window: Annotated[
        int | None, Field(ge=20, description="Show this many characters of a longer text.")
    ] = None
    gold: Annotated[
        str | None, Field(description="A JSONL file of texts with known answers, mixed in unseen.")
    ] = None
    relabel: Annotated[
        str | None,
        Field(
            pattern=r"^(label|guideline|annotator)=.+$",
            description="Send again what has this label, guideline or annotator.",
        ),
    ] = None
    seed: Annotated[int, Field(description="Seed of the choice and of the order shown.")] = 0

    @model_validator(mode="after")
    def _one_view(self) -> SampleSpec:
        if self.compare and self.window:
            raise ValueError("give either `compare` or `window`")
        return self


@dataclass(frozen=True)
class SampleResult:
    """What was chosen, out of what; `tasks` counts what is shown, gold items too."""

    round: int
    purpose: str
    documents: int
    tasks: int
    gold: int
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
    """Open a new round with documents that no round has sent before, or with some sent again."""
    import numpy as np

    number = workspace.next_number
    rng = np.random.default_rng([spec.seed, number])
    frame = _again(workspace, spec.relabel) if spec.relabel else _frame(workspace, spec)
    if frame.empty:
        raise DataError("no document is left to send", hint=_why_none(spec))
    sampler = random if spec.relabel else STRATEGIES[spec.strategy]
    rows, propensities = sampler(frame, spec.n * (2 if spec.compare else 1), rng, spec)
    chosen = frame.iloc[rows].assign(propensity=propensities)
    sample, views = _tasks(workspace, spec, chosen, number)
    golden = read_gold(workspace.path(spec.gold)) if spec.gold else {}
    known = {id: item for id, item in golden.items() if id not in views}
    sample += [{"id": id, "kind": "gold", "strategy": "gold"} for id in known]
    views |= {id: View(item.fields) for id, item in known.items()}
    for rank, row in enumerate(sample):
        row |= {"round": number, "rank": rank}
    about = {
        "purpose": "relabel" if spec.relabel else spec.purpose,
        "created": now(),
        "sample": spec.settings(),
        "frame": {
            "documents": len(frame),
            "strata": {str(name): len(part) for name, part in _strata(frame)},
            "clean": workspace.fingerprint("clean"),
        },
    }
    answers = {
        id: {"answers": dict(item.answers), "about": dict(item.about)}
        for id, item in golden.items()
    }
    with freeze(workspace.root, number, about, sample, views, answers):
        pass
    return SampleResult(
        round=number,
        purpose=str(about["purpose"]),
        documents=len(chosen),
        tasks=len(sample),
        gold=len(answers),
        frame=len(frame),
        strata={str(name): len(part) for name, part in _strata(chosen)},
    )


def _tasks(
    workspace: Workspace, spec: SampleSpec, chosen: pd.DataFrame, number: int
) -> tuple[list[dict[str, Any]], dict[str, View]]:
    """Return the rows of `sample` for the documents chosen, and what each of them shows."""
    design = {"kind": "design", "strategy": "relabel" if spec.relabel else spec.strategy}
    documents = chosen.to_dict("records")
    shown = workspace.find_views(chosen["id"])
    if spec.compare:
        return _pairs(documents, shown, design, number)
    rows, views = [], {}
    whole = workspace.find_views(chosen["id"], edited=False) if spec.window else {}
    chances = chance.uniform([row["id"] for row in documents], spec.seed, f"window {number}")
    for document, where in zip(documents, chances.tolist(), strict=True):
        id, row = document["id"], {**design, "stratum": document["stratum"]}
        row |= {"id": id, "propensity": None if spec.relabel else document["propensity"]}
        view = shown[id]
        text = whole[id].fields.get(TEXT, "") if whole else ""
        if spec.window and len(text) > spec.window:
            start, end = window(len(text), spec.window, where, view.edits)
            part, edits = cut(text, start, end, view.edits)
            row |= {"id": task_id([id], start, end), "members": [id], "start": start, "end": end}
            view = View({TEXT: part}, (id,), start, edits)
        rows.append(row)
        views[row["id"]] = view
    return rows, views


def _pairs(
    documents: Sequence[dict[Any, Any]],
    shown: Mapping[str, View],
    design: Mapping[str, str],
    number: int,
) -> tuple[list[dict[str, Any]], dict[str, View]]:
    """Put documents side by side, two by two; who stands left is drawn by the pair and round."""
    rows, views = [], {}
    for one, other in zip(documents[::2], documents[1::2], strict=False):
        members = sorted((one["id"], other["id"]))
        id = task_id(members)
        if chance.uniform([id], number, "left")[0] < 0.5:
            members.reverse()
        texts = {
            side: render(shown[each].fields) for side, each in zip(SIDES, members, strict=True)
        }
        edits = {side: shown[each].edits for side, each in zip(SIDES, members, strict=True)}
        rows.append({**design, "id": id, "members": members, "stratum": one["stratum"]})
        views[id] = View(texts, tuple(members), by_field={k: v for k, v in edits.items() if v})
    return rows, views


def _why_none(spec: SampleSpec) -> str:
    if spec.relabel:
        return f"nothing that was answered has {spec.relabel}"
    return "every kept document was sent in an earlier round"


def _again(workspace: Workspace, wanted: str) -> pd.DataFrame:
    """Return the documents answered before that have a label, a guideline or an annotator."""
    import pandas as pd

    what, _, value = wanted.partition("=")
    there = set(workspace.document_table(["id"])["id"].to_pylist())
    if what == "label":
        workspace.require("labels")
        rows = workspace.read("labels").to_pylist()
        ids = {row["id"] for row in rows if json.loads(row["value"]) == value}
    else:
        ids = {
            id
            for each in workspace.rounds
            for row in each.answers()
            if str(row[what] or "").startswith(value)
            for id in each.documents()[row["id"]]
        }
    found = sorted(ids & there)
    return pd.DataFrame({"id": found, "stratum": [wanted] * len(found)})


def _frame(workspace: Workspace, spec: SampleSpec) -> pd.DataFrame:
    columns = ["id", "holdout", *spec.by]
    frame: pd.DataFrame = workspace.document_table(columns).to_pandas()
    asked = (ids for each in workspace.rounds for ids in each.documents().values())
    sent = {id for ids in asked for id in ids}
    frame = frame[~frame["holdout"] & ~frame["id"].isin(sent)].reset_index(drop=True)
    stratum = frame[list(spec.by)].fillna("unknown").agg("/".join, axis=1) if len(frame) else ""
    return frame.assign(stratum=stratum)


def _strata(frame: pd.DataFrame) -> list[tuple[Any, pd.Series[int]]]:
    import pandas as pd

    places = pd.Series(range(len(frame)))
    return [(name, part) for name, part in places.groupby(frame["stratum"].to_numpy())]
