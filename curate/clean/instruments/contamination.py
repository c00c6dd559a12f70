"""What a document shares with evaluation sets: runs of words that stand in both.

A run is 13 words long by default (Brown et al. 2020, arXiv 2005.14165, appendix C), characters
in Chinese and Japanese (see `grams`); an item that is shorter counts as one run if it has at least
`SHORTEST` words, and is not looked for if it has fewer. Runs that stand in many items (an
instruction that comes with each) say nothing of any one and are left out. What is measured is the
share of an item's runs that a document holds, for every item of which it holds one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from curate import storage
from curate.clean.instruments.arrays import Kept, keep
from curate.clean.instruments.grams import Hashed, hashed
from curate.clean.instruments.references import digest_of, read_texts
from curate.errors import DataError
from curate.spec import Spec

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from curate.clean.edits import Batch
    from curate.workspace import Workspace

SHORTEST = 8
COMMON = 10
"""A run in more items than this is no evidence (Brown et al.: more than ten documents)."""

SHARE = "contamination:share"
_BLOOM = 22


class EvaluationSet(Spec):
    """A file of items that a model will be tested on."""

    name: Annotated[str, Field(min_length=1, description="What reports call it.")]
    path: Annotated[str, Field(description="JSONL, JSON, CSV, TSV, Parquet or text; also gzipped.")]
    field: Annotated[
        str | tuple[str, ...], Field(description="The field, or the fields, that make an item.")
    ] = "text"
    id: Annotated[str | None, Field(description="The field that names an item; else its row.")] = (
        None
    )


class ContaminationSpec(Spec):
    """Which evaluation sets are looked for, and how much of an item is too much."""

    sets: Annotated[tuple[EvaluationSet, ...], Field(min_length=1, description="The sets.")]
    n: Annotated[int, Field(ge=3, le=50, description="Words, or CJK characters, in a run.")] = 13
    share: Annotated[
        float, Field(gt=0, le=1, description="Share of an item's runs from which a document goes.")
    ] = 0.5


@dataclass(frozen=True)
class Index:
    """The runs of evaluation items, by hash.

    `runs` are sorted and distinct; run r stands in the items `items[first[r]:first[r + 1]]`.
    `totals` counts the distinct runs of each item, `sizes` are the lengths of runs there are.
    `seen` marks the top bits of every run, so that most others are told apart at once.
    """

    runs: NDArray[np.uint64]
    first: NDArray[np.int64]
    items: NDArray[np.int32]
    totals: NDArray[np.int32]
    sizes: NDArray[np.int64]
    seen: NDArray[np.bool_]


def index(texts: Sequence[str], n: int) -> Index:
    """Return the index of evaluation items."""
    import numpy as np

    found = hashed(texts)
    lengths = np.diff(found.starts)
    runs, owners = found.grams(n)
    parts = [(runs, owners)]
    short = [int(size) for size in np.unique(lengths) if SHORTEST <= size < n]
    for size in short:
        shorter, owner = found.grams(size)
        own = lengths[owner] == size
        parts.append((shorter[own], owner[own]))
    runs = np.concatenate([part for part, _ in parts])
    owners = np.concatenate([owner for _, owner in parts])
    pairs = np.unique(np.stack((runs, owners.astype(np.uint64))), axis=1)
    runs, counts = np.unique(pairs[0], return_counts=True)
    telling = counts <= COMMON
    pairs = pairs[:, np.repeat(telling, counts)]
    runs, counts = runs[telling], counts[telling]
    items = pairs[1].astype(np.int32)
    seen = np.zeros(1 << _BLOOM, np.bool_)
    seen[runs >> np.uint64(64 - _BLOOM)] = True
    return Index(
        runs=runs,
        first=np.concatenate(([0], np.cumsum(counts))).astype(np.int64),
        items=items,
        totals=np.bincount(items, minlength=len(texts)).astype(np.int32),
        sizes=np.array([n, *short], np.int64),
        seen=seen,
    )


def shares(texts: Hashed, known: Index) -> list[dict[int, float]]:
    """Return for each text item → share of the item's runs that the text holds."""
    import numpy as np

    n_texts = len(texts.starts) - 1
    found: list[dict[int, float]] = [{} for _ in range(n_texts)]
    if not len(known.runs):
        return found
    hits: list[NDArray[np.int64]] = []
    for size in known.sizes.tolist():
        runs, where = texts.grams(size)
        maybe = known.seen[runs >> np.uint64(64 - _BLOOM)]
        runs, where = runs[maybe], where[maybe]
        at = np.minimum(np.searchsorted(known.runs, runs), len(known.runs) - 1)
        same = known.runs[at] == runs
        hits.append(np.stack((where[same], at[same]), axis=1))
    for text, run in np.unique(np.concatenate(hits), axis=0).tolist():
        for item in known.items[known.first[run] : known.first[run + 1]].tolist():
            found[text][item] = found[text].get(item, 0.0) + 1.0
    return [
        {item: count / int(known.totals[item]) for item, count in each.items()} for each in found
    ]


@dataclass(frozen=True)
class Prepared:
    """The index, and what its items are called."""

    index: Kept
    sets: tuple[str, ...]


class Contamination:
    """The instrument: the columns `contamination` and `contamination:share`."""

    def prepare(self, workspace: Workspace, settings: ContaminationSpec) -> Prepared:
        paths = [workspace.path(each.path) for each in settings.sets]
        places = [f"clean.contamination.sets.{n}.path" for n in range(len(paths))]
        digests = [digest_of(path, place) for path, place in zip(paths, places, strict=True)]
        read = [each.model_dump(include={"name", "field", "id"}) for each in settings.sets]
        mark = storage.digest([settings.n, SHORTEST, COMMON, digests, read])
        kept = keep(workspace.root, "contamination", mark, lambda: _arrays(workspace, settings))
        return Prepared(kept, tuple(each.name for each in settings.sets))

    def measure(self, batch: Batch, prepared: Prepared) -> Mapping[str, pa.Array]:
        import pyarrow as pa

        arrays: Mapping[str, Any] = prepared.index.arrays()
        known = Index(**{name: arrays[name] for name in Index.__dataclass_fields__})
        found = shares(hashed(batch.edited), known)
        told = [_told(each, prepared.sets, arrays) if each else None for each in found]
        most = [max(each.values(), default=0.0) for each in found]
        return {
            "contamination": pa.array(told, pa.string()),
            SHARE: pa.array(most, pa.float32()),
        }

    def fails(self, measured: pa.Table, settings: ContaminationSpec) -> NDArray[np.bool_]:
        import numpy as np

        return np.asarray(measured[SHARE].to_numpy() >= np.float32(settings.share))


def _arrays(workspace: Workspace, settings: ContaminationSpec) -> dict[str, Any]:
    import numpy as np

    names: list[str] = []
    texts: list[str] = []
    sets: list[int] = []
    for number, each in enumerate(settings.sets):
        fields = (each.field,) if isinstance(each.field, str) else each.field
        for name, text in read_texts(workspace.path(each.path), fields, each.id):
            names.append(name)
            texts.append(text)
            sets.append(number)
    built = index(texts, settings.n)
    if not len(built.runs):
        raise DataError(
            "clean.contamination: no item is long enough to be looked for",
            hint=f"an item has at least {SHORTEST} words (characters, in Chinese)",
        )
    return {
        **{name: getattr(built, name) for name in Index.__dataclass_fields__},
        "sets": np.array(sets, np.int32),
        "names": np.array(names, np.str_),
    }


def _told(found: Mapping[int, float], sets: Sequence[str], arrays: Mapping[str, Any]) -> str:
    ordered = sorted(found.items(), key=lambda pair: (-pair[1], pair[0]))[:20]
    rows = [
        [sets[int(arrays["sets"][item])], str(arrays["names"][item]), round(share, 4)]
        for item, share in ordered
    ]
    return json.dumps(rows, ensure_ascii=False)
