"""The overlap of documents with evaluation sets: runs of words that occur in both.

A run is 13 words long by default (Brown et al. 2020, arXiv 2005.14165, appendix C), or 13
characters in Chinese and Japanese (see `grams`). `benchmarks` says which runs are searched for.

Two measurements: the share of an item's runs that a document holds, and the longest passage of the
item, in words, of which the document holds every run. The share finds an item inside a document,
however long the document is. The passage finds a part of a long item. By default 50 words in a row
are a passage, as in Lee et al. 2022 (arXiv 2107.06499).

Items of fewer than `SHORTEST` words are not searched for: the same words stand in other texts by
chance. They are counted, and told.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

from pydantic import Field, model_validator

from curate import storage, tables
from curate.clean.instruments.arrays import StoredArrays, store_arrays
from curate.clean.instruments.benchmarks import (
    COMMON,
    COMMON_SHARE,
    MOST_COMMON,
    SHORTEST,
    Index,
    Overlap,
    index,
    overlaps,
)
from curate.clean.instruments.grams import hashed
from curate.clean.instruments.references import digest_of, read_texts
from curate.errors import DataError
from curate.spec import Spec

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from curate.clean.edits import Batch
    from curate.workspace import Workspace

SHARE, PASSAGE = "contamination:share", "contamination:passage"
MOST_TOLD = 20
"""Items named for a document."""


class EvaluationSet(Spec):
    """A file of items on which a model will be tested."""

    name: Annotated[str, Field(min_length=1, description="What reports call it.")]
    path: Annotated[str, Field(description="JSONL, JSON, CSV, TSV, Parquet or text; also packed.")]
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
        float,
        Field(gt=0, le=1, description="Share of an item's runs from which a document is dropped."),
    ] = 0.5
    passage: Annotated[
        int | None,
        Field(
            ge=3, description="Words in a row of an item from which a document is dropped, or null."
        ),
    ] = 50

    @model_validator(mode="after")
    def _a_passage_is_no_shorter_than_a_run(self) -> ContaminationSpec:
        if self.passage is not None and self.passage < self.n:
            raise ValueError(f"passage ({self.passage}) is shorter than a run (n: {self.n})")
        return self


class Searched(NamedTuple):
    """How many items an evaluation set has, and how many of them cannot be searched for.

    `short` have too few words. All runs of the items `alike` are in many other items.
    """

    items: int
    short: int
    alike: int


@dataclass(frozen=True)
class Prepared:
    """The index, the names of the evaluation sets, and what of each is searched for."""

    index: StoredArrays
    sets: tuple[str, ...]
    searched: tuple[Searched, ...]


class Contamination:
    """The instrument: `contamination`, `contamination:share` and `contamination:passage`."""

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
        rules = [SHORTEST, COMMON, COMMON_SHARE, MOST_COMMON]
        arrays = store_arrays(
            workspace.root,
            "contamination",
            storage.digest([settings.n, rules, digests, fields]),
            lambda: _arrays(workspace, settings),
        )
        searched = arrays.arrays()["searched"].tolist()
        names = tuple(item_set.name for item_set in settings.sets)
        return Prepared(arrays, names, tuple(Searched(*row) for row in searched))

    def measure(self, batch: Batch, prepared: Prepared) -> Mapping[str, pa.Array]:
        """The items shared by each document, the largest share of one, and the longest passage."""
        import pyarrow as pa

        arrays: Mapping[str, Any] = prepared.index.arrays()
        evaluation = Index(**{name: arrays[name] for name in Index.__dataclass_fields__})
        by_text = overlaps(hashed(batch.edited), evaluation)
        items = [_told(by_item, prepared.sets, arrays) if by_item else None for by_item in by_text]
        largest = [max((held.share for held in by.values()), default=0.0) for by in by_text]
        longest = [max((held.words for held in by.values()), default=0) for by in by_text]
        return {
            "contamination": pa.array(items, tables.schema("clean").field("contamination").type),
            SHARE: pa.array(largest, pa.float32()),
            PASSAGE: pa.array(longest, pa.float32()),
        }

    def fails(self, measured: pa.Table, settings: ContaminationSpec) -> NDArray[np.bool_]:
        """Whether each document holds too large a share of an item, or too long a passage."""
        import numpy as np

        failed = measured[SHARE].to_numpy() >= np.float32(settings.share)
        if settings.passage is not None:
            failed = failed | (measured[PASSAGE].to_numpy() >= settings.passage)
        return np.asarray(failed, np.bool_)


def searched_of(prepared: Mapping[str, Any]) -> dict[str, dict[str, int]]:
    """What is searched for of each evaluation set; empty where the instrument is not used."""
    used: Prepared | None = prepared.get("contamination")
    if used is None:
        return {}
    return {name: row._asdict() for name, row in zip(used.sets, used.searched, strict=True)}


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
    evaluation = index(texts, settings.n, sets)
    if not len(evaluation.runs):
        raise DataError(
            "clean.contamination: no item is long enough to be looked for",
            hint=f"an item has at least {SHORTEST} words (characters, in Chinese)",
        )
    short = evaluation.lengths < SHORTEST
    columns = (np.ones(len(texts)), short, ~short & (evaluation.totals == 0))
    counts = [np.bincount(sets, column, len(settings.sets)) for column in columns]
    return {
        **{name: getattr(evaluation, name) for name in Index.__dataclass_fields__},
        "sets": np.array(sets, np.int32),
        "names": np.array(names, np.str_),
        "searched": np.column_stack(counts).astype(np.int64),
    }


def _told(
    by_item: Mapping[int, Overlap], sets: Sequence[str], arrays: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """The largest shares, and the longest passage, each with its set and its item."""
    ordered = sorted(by_item, key=lambda item: (-by_item[item].share, item))
    longest = max(ordered, key=lambda item: by_item[item].words)
    chosen = ordered[:MOST_TOLD]
    return [
        {
            "set": sets[int(arrays["sets"][item])],
            "item": str(arrays["names"][item]),
            "share": round(by_item[item].share, 4),
            "words": by_item[item].words,
        }
        for item in (chosen if longest in chosen else [*chosen[:-1], longest])
    ]
