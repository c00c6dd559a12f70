"""The held-out documents that mixtures are judged on: their texts, groups and qualities.

`mix` stores nothing of them. Their group is told by the keys that make groups, where these are
columns of a document (source, language, license) or the predicted class of a question.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from curate import tables
from curate.annotated.answers import answers_of, estimable
from curate.annotated.qualities import answered_together, quality_of, quality_truth
from curate.evaluate.choosing import Chosen, read_holdout
from curate.mixture.groups import grouped, name_of
from curate.workspace import Workspace
from curate.workspace.documents import DocumentShard
from curate.workspace.predictions import predicted_questions

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

COLUMNS = ("source", "language", "license")
"""Keys of groups that are columns of any document."""

OF_SCORES = ("quality", "abstained")


@dataclass(frozen=True)
class HeldOut:
    """Held-out documents, sorted by source; arrays and lists of one length.

    `bytes` are those of the text, `mass` those of the held-out text that it stands for: where only
    a part of a source's holdout is read, a document stands for others. `group` is None where the
    groups of the mixture cannot be told. `quality` is NaN where it is unknown or not trusted;
    `answered` says where people's answers decide it.
    """

    ids: list[str]
    texts: list[str]
    source: NDArray[np.str_]
    bytes: Array
    mass: Array
    group: NDArray[np.str_] | None
    quality: Array
    answered: NDArray[np.bool_]

    def __len__(self) -> int:
        """The number of documents."""
        return len(self.ids)

    def without(self, is_out: NDArray[np.bool_]) -> HeldOut:
        """The others."""
        rows = (~is_out).nonzero()[0]
        return HeldOut(
            [self.ids[row] for row in rows],
            [self.texts[row] for row in rows],
            self.source[rows],
            self.bytes[rows],
            self.mass[rows],
            None if self.group is None else self.group[rows],
            self.quality[rows],
            self.answered[rows],
        )

    @property
    def by_source(self) -> dict[str, list[str]]:
        """The texts of each source."""
        texts: dict[str, list[str]] = {}
        for source, text in zip(self.source.tolist(), self.texts, strict=True):
            texts.setdefault(source, []).append(text)
        return texts


def read_held_out(
    workspace: Workspace,
    shards: Sequence[DocumentShard],
    chosen: Chosen,
    held_out: Mapping[str, int],
) -> HeldOut:
    """Read the held-out documents; `held_out` are the tokens that each source holds out.

    Only with held-out documents.
    """
    import numpy as np
    import pyarrow.compute as pc

    columns = _key_columns(workspace)
    scored = [name for name in OF_SCORES if shards and name in shards[0].scored()]
    table = read_holdout(workspace, shards, chosen, [*(columns or ()), *scored])
    ids, source = table["id"].to_pylist(), table["source"].to_numpy().astype(str)
    sizes = pc.binary_length(table["text"]).to_numpy().astype(float)
    quality, answered = _qualities(workspace, table, ids)
    return HeldOut(
        ids,
        table["text"].to_pylist(),
        source,
        sizes,
        sizes * _stands_for(source, table["tokens"].to_numpy().astype(float), held_out),
        None if columns is None else np.array(_groups(table, columns), str),
        quality,
        answered,
    )


def _stands_for(source: NDArray[np.str_], tokens: Array, held_out: Mapping[str, int]) -> Array:
    """How many times the tokens that are read of its source the source holds out."""
    import numpy as np

    names, number = np.unique(source, return_inverse=True)
    read = np.bincount(number, tokens, len(names))
    whole = np.array([float(held_out.get(name, 0)) for name in names.tolist()])
    return np.asarray((np.maximum(whole, 1.0) / np.maximum(read, 1.0))[number])


def _key_columns(workspace: Workspace) -> list[str] | None:
    """The columns whose values make the group of a held-out document; None if others do too."""
    spec = workspace.tables.made("mix").spec
    keys = next((own["groups"] for own in spec.get("phases") or () if own.get("groups")), None)
    learned = predicted_questions(workspace.tables) if workspace.freshness.fits("scores") else {}
    columns = []
    for key in keys or spec["groups"]:
        if key not in COLUMNS and not (key in learned and learned[key].makes_groups):
            return None
        columns.append(key if key in COLUMNS else tables.predicted(key))
    return columns


def _groups(table: pa.Table, columns: Sequence[str]) -> list[str]:
    values, number = grouped(table, columns)
    names = [name_of(own) for own in values]
    return [names[place] for place in number.tolist()]


def _qualities(
    workspace: Workspace, table: pa.Table, ids: Sequence[str]
) -> tuple[Array, NDArray[np.bool_]]:
    """The quality of each document, by people's answers or else the score; and by which."""
    import numpy as np

    quality: Array = np.full(len(ids), np.nan)
    if "quality" in table.column_names:
        scores = table["quality"].to_numpy(zero_copy_only=False).astype(float)
        abstained = table["abstained"].fill_null(False).to_numpy().astype(bool)
        quality = np.asarray(np.where(abstained, np.nan, scores))
    told = _answered(workspace, ids)
    answered = np.array([id in told for id in ids], bool)
    own = [told.get(id, np.nan) for id in ids]
    return np.where(answered, own, quality), answered


def _answered(workspace: Workspace, ids: Sequence[str]) -> dict[str, float]:
    """The quality of held-out documents with labels: imported answers may be of them."""
    if not workspace.freshness.fits("scores", "labels"):
        return {}
    labels, learned = workspace.tables.read("labels"), predicted_questions(workspace.tables)
    answers = {
        question.name: answers_of(question, labels)
        for question in estimable(workspace.rounds.questions())
        if question.name in learned
    }
    quality = quality_of(workspace, answers)
    if quality is None:
        return {}
    read = {name: answers[name] for name in quality.questions}
    wanted = set(ids).intersection(
        answered_together([*read.values()]), *(own.ids for own in read.values())
    )
    if not wanted:
        return {}
    own = sorted(wanted)
    return dict(zip(own, quality_truth(quality, read, own).values.tolist(), strict=True))
