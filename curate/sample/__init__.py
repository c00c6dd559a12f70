"""Choose which documents people see next, and with what probability.

clean ──sample──▶ a new round: sample · texts as shown · frame
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal, Protocol, cast

from pydantic import Field, model_validator

from curate import chance
from curate.errors import DataError
from curate.rounds import freeze
from curate.sample.gold import read_gold
from curate.spec import Spec
from curate.text import TEXT, apply_edits
from curate.views import SIDES, View, cut, task_id, widened, window
from curate.workspace import Kept, Workspace, now

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

    _refuse_open(workspace)
    number = workspace.next_number
    rng = np.random.default_rng([spec.seed, number])
    frame = _again(workspace, spec.relabel) if spec.relabel else _frame(workspace, spec)
    chosen = _chosen(frame, rng, spec)
    places = _places(spec, chosen, number)
    if not places:
        raise DataError("no document is left to send", hint=_why_none(spec))
    documents = workspace.find_kept(id for row in places for id in _members(row))
    if spec.window and not spec.relabel:
        places = list(_windows(places, documents, spec.window, spec.seed, number))
    sample, views = _tasks(places, documents)
    strata = Counter(str(row["stratum"]) for row in sample)
    for row in sample:
        row |= {"kind": "design", "strategy": "relabel" if spec.relabel else spec.strategy}
    golden = read_gold(workspace.path(spec.gold), spec.window) if spec.gold else {}
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
        documents=len(documents),
        tasks=len(sample),
        gold=len(answers),
        frame=len(frame),
        strata=dict(sorted(strata.items())),
    )


def _refuse_open(workspace: Workspace) -> None:
    """Raise DataError while people are asked: what they said after that would not come home."""
    asked = [each for each in workspace.rounds if each.purpose != "import"]
    if asked and asked[-1].push is not None and not asked[-1].closed:
        raise DataError(
            f"round {asked[-1].number} is still open",
            hint="let people finish it, or end it with `curate round close`",
        )


def _chosen(frame: pd.DataFrame, rng: np.random.Generator, spec: SampleSpec) -> pd.DataFrame:
    """Return the rows of the frame that are taken, best first, with their `propensity`."""
    if spec.relabel or frame.empty:
        rows, _ = random(frame, spec.n, rng, spec)
        return frame.iloc[rows]
    n = spec.n * len(SIDES) if spec.compare else spec.n
    rows, propensities = STRATEGIES[spec.strategy](frame, n, rng, spec)
    return frame.iloc[rows].assign(propensity=propensities)


def _places(spec: SampleSpec, chosen: pd.DataFrame, number: int) -> list[dict[str, Any]]:
    """Return which documents each task shows; what is sent again, as it was shown before."""
    documents = cast(list[dict[str, Any]], chosen.to_dict("records"))
    if spec.relabel:
        return [{**row["place"], "stratum": row["stratum"]} for row in documents]
    return list(_pairs(documents, number)) if spec.compare else documents


def _members(place: Mapping[str, Any]) -> Sequence[str]:
    return place.get("members") or (place["id"],)


def _pairs(documents: Sequence[dict[Any, Any]], number: int) -> Iterator[dict[str, Any]]:
    """Yield documents two by two; who stands left is drawn by the pair and round."""
    for one, other in zip(documents[::2], documents[1::2], strict=False):
        members = sorted((one["id"], other["id"]))
        id = task_id(members)
        if chance.uniform([id], number, "left")[0] < 0.5:
            members.reverse()
        yield {"id": id, "members": members, "stratum": one["stratum"]}


def _windows(
    places: Sequence[dict[str, Any]],
    documents: Mapping[str, Kept],
    size: int,
    seed: int,
    number: int,
) -> Iterator[dict[str, Any]]:
    """Yield the documents, and a window at random of each that is one text longer than `size`."""
    chances = chance.uniform([place["id"] for place in places], seed, f"window {number}")
    for place, where in zip(places, chances.tolist(), strict=True):
        id, document = place["id"], documents[place["id"]]
        if [*document.whole.fields] == [TEXT] and len(document.text) > size:
            start, end = window(len(document.text), size, where, document.edits)
            yield {**place, "members": [id], "start": start, "end": end}
        else:
            yield place


def _tasks(
    places: Sequence[dict[str, Any]], documents: Mapping[str, Kept]
) -> tuple[list[dict[str, Any]], dict[str, View]]:
    """Return the rows of `sample`, and what they show: a text, a part of it, or two side by side.

    Documents of several fields are compared as the text that their template makes of them.
    """
    rows, views = [], {}
    for place in places:
        shown = [documents[id] for id in _members(place)]
        if not place.get("members"):
            row, view = place, shown[0].whole
        elif len(shown) == len(SIDES):
            row, view = place, _side_by_side(place["members"], shown)
        else:
            row, view = _part(place, shown[0])
        rows.append(row)
        views[row["id"]] = view
    return rows, views


def _side_by_side(members: Sequence[str], shown: Sequence[Kept]) -> View:
    sides = dict(zip(SIDES, shown, strict=True))
    return View(
        {side: apply_edits(each.text, each.edits) for side, each in sides.items()},
        tuple(members),
        by_field={side: each.edits for side, each in sides.items() if each.edits},
    )


def _part(place: Mapping[str, Any], shown: Kept) -> tuple[dict[str, Any], View]:
    start, end = widened(place["start"], place["end"], shown.edits)  # a text sent again may have
    part, inside = cut(shown.text, start, end, shown.edits)  # other edits than it had
    members = tuple(place["members"])
    row = {**place, "id": task_id(members, start, end), "start": start, "end": end}
    return row, View({TEXT: part}, members, start, inside)


def _why_none(spec: SampleSpec) -> str:
    if spec.relabel:
        return f"nothing that was answered has {spec.relabel}"
    two = ", and a comparison needs two" if spec.compare else ""
    return f"every kept document was sent in an earlier round{two}"


def _again(workspace: Workspace, wanted: str) -> pd.DataFrame:
    """Return the tasks answered before that have a label, a guideline or an annotator.

    Of several tasks about the same documents the newest counts: `place` says what it showed.
    """
    import pandas as pd

    what, _, value = wanted.partition("=")
    kept = workspace.document_table(["id", "holdout"]).to_pylist()
    there = {row["id"] for row in kept if not row["holdout"]}
    labelled = _labelled(workspace, value) if what == "label" else set()
    found: dict[tuple[str, ...], dict[str, Any]] = {}
    for each in workspace.rounds:
        tasks = {row["id"]: row for row in each.sample().to_pylist() if row["kind"] != "gold"}
        for answer in each.answers():
            task = tasks.get(answer["id"])
            if task is None or answer["status"] != "submitted":
                continue
            documents = tuple(sorted(task["members"] or (task["id"],)))
            asked = {
                "label": bool({*documents, task["id"]} & labelled),
                "guideline": str(answer["guideline"] or "").startswith(value),
                "annotator": answer["annotator"] == value,
            }
            if asked[what] and there.issuperset(documents):
                found[documents] = {key: task[key] for key in ("id", "members", "start", "end")}
    places = pd.Series([found[documents] for documents in sorted(found)], dtype=object)
    return pd.DataFrame({"place": places, "stratum": wanted})


def _labelled(workspace: Workspace, value: str) -> set[str]:
    """Return the ids that have a label: a choice, one of several, a span's, or a rating."""
    workspace.require("labels")
    rows = workspace.read("labels").to_pylist()
    return {row["id"] for row in rows if _holds(json.loads(row["value"]), value)}


def _holds(label: Any, value: str) -> bool:
    if isinstance(label, list):
        return any(_holds(each, value) for each in label)
    if isinstance(label, dict):
        return bool(label["label"] == value)
    return value in (label, str(label), f"{label:g}" if isinstance(label, float) else None)


def _frame(workspace: Workspace, spec: SampleSpec) -> pd.DataFrame:
    columns = ["id", "holdout", *spec.by]
    frame: pd.DataFrame = workspace.document_table(columns).to_pandas()
    unsent = [each.number for each in workspace.rounds if each.closed and each.push is None]
    taken = (each for each in workspace.rounds if each.number not in unsent)
    sent = {id for each in taken for ids in each.documents().values() for id in ids}
    frame = frame[~frame["holdout"] & ~frame["id"].isin(sent)].reset_index(drop=True)
    stratum = frame[list(spec.by)].fillna("unknown").agg("/".join, axis=1) if len(frame) else ""
    return frame.assign(stratum=stratum)


def _strata(frame: pd.DataFrame) -> list[tuple[Any, pd.Series[int]]]:
    import pandas as pd

    places = pd.Series(range(len(frame)))
    return [(name, part) for name, part in places.groupby(frame["stratum"].to_numpy())]
