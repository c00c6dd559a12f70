"""The overlap of documents with evaluation sets: runs of words that occur in both.

A run is 13 words long by default (Brown et al. 2020, arXiv 2005.14165, appendix C), or 13
characters in Chinese and Japanese (see `grams`). A shorter item is one run if it has at least
`SHORTEST` words; otherwise it is not searched for. Runs that occur in many items (an instruction
that comes with each) are no evidence of a single item and are left out. The measurement is the
share of an item's runs that a document holds, for every item with at least one such run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from curate import storage, tables
from curate.clean.instruments.arrays import StoredArrays, store_arrays
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
    """A file of items on which a model will be tested."""

    name: Annotated[str, Field(min_length=1, description="What reports call it.")]
    path: Annotated[str, Field(description="JSONL, JSON, CSV, TSV, Parquet or text; also gzipped.")]
    field: Annotated[
        str | tuple[str, ...], Field(description="The field, or the fields, that make an item.")
    ] = "text"
    id: Annotated[str | None, Field(description="The field that names an item; else its row.")] = (
        None
    )


class ContaminationSpec(Spec):
    """The evaluation sets to search for, and how much of an item is too much."""

    sets: Annotated[tuple[EvaluationSet, ...], Field(min_length=1, description="The sets.")]
    n: Annotated[int, Field(ge=3, le=50, description="Words, or CJK characters, in a run.")] = 13
    share: Annotated[
        float, Field(gt=0, le=1, description="Share of an item's runs from which a document goes.")
    ] = 0.5


@dataclass(frozen=True)
class Index:
    """The runs of evaluation items, by hash.

    `runs` are sorted and distinct. Run r occurs in `items[first[r]:first[r + 1]]`. `totals` has the
    number of distinct runs of each item, `sizes` the lengths of the runs. `seen` marks the top bits
    of every run, so that most other runs are ruled out at once.
    """

    runs: NDArray[np.uint64]
    first: NDArray[np.int64]
    items: NDArray[np.int32]
    totals: NDArray[np.int32]
    sizes: NDArray[np.int64]
    seen: NDArray[np.bool_]


def index(texts: Sequence[str], n: int) -> Index:
    """Build the index of evaluation items, with runs of n words."""
    import numpy as np

    hashes = hashed(texts)
    lengths = np.diff(hashes.starts)
    runs, owners = hashes.grams(n)
    parts = [(runs, owners)]
    short_sizes = [int(size) for size in np.unique(lengths) if SHORTEST <= size < n]
    for size in short_sizes:
        shorter, owner = hashes.grams(size)
        whole = lengths[owner] == size
        parts.append((shorter[whole], owner[whole]))
    runs = np.concatenate([part for part, _ in parts])
    owners = np.concatenate([owner for _, owner in parts])
    pairs = np.unique(np.stack((runs, owners.astype(np.uint64))), axis=1)
    runs, counts = np.unique(pairs[0], return_counts=True)
    rare = counts <= COMMON
    pairs = pairs[:, np.repeat(rare, counts)]
    runs, counts = runs[rare], counts[rare]
    items = pairs[1].astype(np.int32)
    seen = np.zeros(1 << _BLOOM, np.bool_)
    seen[runs >> np.uint64(64 - _BLOOM)] = True
    return Index(
        runs=runs,
        first=np.concatenate(([0], np.cumsum(counts))).astype(np.int64),
        items=items,
        totals=np.bincount(items, minlength=len(texts)).astype(np.int32),
        sizes=np.array([n, *short_sizes], np.int64),
        seen=seen,
    )


def shares(texts: Hashed, evaluation: Index) -> list[dict[int, float]]:
    """For each text, item → share of the item's runs that the text holds."""
    import numpy as np

    n_texts = len(texts.starts) - 1
    counts_by_text: list[dict[int, float]] = [{} for _ in range(n_texts)]
    if not len(evaluation.runs):
        return counts_by_text
    hits: list[NDArray[np.int64]] = []
    for size in evaluation.sizes.tolist():
        runs, where = texts.grams(size)
        maybe = evaluation.seen[runs >> np.uint64(64 - _BLOOM)]
        runs, where = runs[maybe], where[maybe]
        at = np.minimum(np.searchsorted(evaluation.runs, runs), len(evaluation.runs) - 1)
        same = evaluation.runs[at] == runs
        hits.append(np.stack((where[same], at[same]), axis=1))
    for text, run in np.unique(np.concatenate(hits), axis=0).tolist():
        counts = counts_by_text[text]
        for item in evaluation.items[evaluation.first[run] : evaluation.first[run + 1]].tolist():
            counts[item] = counts.get(item, 0.0) + 1.0
    return [
        {item: count / int(evaluation.totals[item]) for item, count in counts.items()}
        for counts in counts_by_text
    ]


@dataclass(frozen=True)
class Prepared:
    """The index, and the names of the evaluation sets."""

    index: StoredArrays
    sets: tuple[str, ...]


class Contamination:
    """The instrument: the columns `contamination` and `contamination:share`."""

    def prepare(self, workspace: Workspace, settings: ContaminationSpec) -> Prepared:
        """Store the index of the evaluation sets.

        Raises RecipeError if a file is missing, DataError if no item is long enough.
        """
        paths = [workspace.path(item_set.path) for item_set in settings.sets]
        places = [f"clean.contamination.sets.{n}.path" for n in range(len(paths))]
        digests = [digest_of(path, place) for path, place in zip(paths, places, strict=True)]
        fields = [
            item_set.model_dump(include={"name", "field", "id"}) for item_set in settings.sets
        ]
        digest = storage.digest([settings.n, SHORTEST, COMMON, digests, fields])
        arrays = store_arrays(
            workspace.root, "contamination", digest, lambda: _arrays(workspace, settings)
        )
        return Prepared(arrays, tuple(item_set.name for item_set in settings.sets))

    def measure(self, batch: Batch, prepared: Prepared) -> Mapping[str, pa.Array]:
        """The items shared by each document, and the largest share of one item."""
        import pyarrow as pa

        arrays: Mapping[str, Any] = prepared.index.arrays()
        evaluation = Index(**{name: arrays[name] for name in Index.__dataclass_fields__})
        by_text = shares(hashed(batch.edited), evaluation)
        items = [_told(by_item, prepared.sets, arrays) if by_item else None for by_item in by_text]
        largest = [max(by_item.values(), default=0.0) for by_item in by_text]
        return {
            "contamination": pa.array(items, tables.schema("clean").field("contamination").type),
            SHARE: pa.array(largest, pa.float32()),
        }

    def fails(self, measured: pa.Table, settings: ContaminationSpec) -> NDArray[np.bool_]:
        """Whether each document holds too large a share of an item."""
        import numpy as np

        return np.asarray(measured[SHARE].to_numpy() >= np.float32(settings.share))


def _arrays(workspace: Workspace, settings: ContaminationSpec) -> dict[str, Any]:
    import numpy as np

    names: list[str] = []
    texts: list[str] = []
    sets: list[int] = []
    for number, item_set in enumerate(settings.sets):
        fields = (item_set.field,) if isinstance(item_set.field, str) else item_set.field
        for name, text in read_texts(workspace.path(item_set.path), fields, item_set.id):
            names.append(name)
            texts.append(text)
            sets.append(number)
    evaluation = index(texts, settings.n)
    if not len(evaluation.runs):
        raise DataError(
            "clean.contamination: no item is long enough to be looked for",
            hint=f"an item has at least {SHORTEST} words (characters, in Chinese)",
        )
    return {
        **{name: getattr(evaluation, name) for name in Index.__dataclass_fields__},
        "sets": np.array(sets, np.int32),
        "names": np.array(names, np.str_),
    }


def _told(
    by_item: Mapping[int, float], sets: Sequence[str], arrays: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """The largest 20 shares, each with its set and its item."""
    ordered = sorted(by_item.items(), key=lambda pair: (-pair[1], pair[0]))[:20]
    return [
        {
            "set": sets[int(arrays["sets"][item])],
            "item": str(arrays["names"][item]),
            "share": round(share, 4),
        }
        for item, share in ordered
    ]
