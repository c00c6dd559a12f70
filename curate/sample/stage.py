"""Choose which documents people see next, and with what probability.

clean ──sample──▶ a new round: sample · texts as shown · frame
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from curate.errors import DataError
from curate.records import now
from curate.rounds import freeze
from curate.rounds.views import SIDES, View
from curate.sample.frame import read_frame, strata_of
from curate.sample.gold import read_gold
from curate.sample.relabel import answered_before
from curate.sample.spec import SampleSpec
from curate.sample.strategies import STRATEGIES, random
from curate.sample.tasks import members_of, pairs, task_rows, windows
from curate.workspace import Workspace

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

READS = ("pool", "clean")
WRITES = ("sample",)


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


def run(workspace: Workspace, spec: SampleSpec) -> SampleResult:
    """Open a new round with documents that no round has sent before, or with some sent again."""
    import numpy as np

    _refuse_open(workspace)
    number = workspace.next_number
    rng = np.random.default_rng([spec.seed, number])
    frame = (
        answered_before(workspace, spec.relabel) if spec.relabel else read_frame(workspace, spec)
    )
    chosen = _chosen(frame, rng, spec)
    places = _places(spec, chosen, number)
    if not places:
        raise DataError("no document is left to send", hint=_why_none(spec))
    documents = workspace.find_kept(id for row in places for id in members_of(row))
    if spec.window and not spec.relabel:
        places = list(windows(places, documents, spec.window, spec.seed, number))
    sample, views = task_rows(places, documents)
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
            "strata": {str(name): len(part) for name, part in strata_of(frame)},
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
    return list(pairs(documents, number)) if spec.compare else documents


def _why_none(spec: SampleSpec) -> str:
    if spec.relabel:
        return f"nothing that was answered has {spec.relabel}"
    two = ", and a comparison needs two" if spec.compare else ""
    return f"every kept document was sent in an earlier round{two}"
