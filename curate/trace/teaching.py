"""What taught the heads that scored a document: labels, the people behind them, neighbours."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from curate.embed import VectorShard
from curate.embed.vectors import found
from curate.errors import CurateError, NothingToDo
from curate.records import Question
from curate.score.labelled import Labelled, look_up
from curate.score.labels import Labels, labels_of, read_answered
from curate.score.questions import learnable
from curate.tables import predicted
from curate.trace.people import Said
from curate.trace.results import Neighbour, Predicted, Score, Teachers
from curate.workspace import Workspace
from curate.workspace.predictions import Predicted as Head
from curate.workspace.predictions import predicted_questions

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

NEAREST = 5
"""Labelled documents that are named, for each question."""


@dataclass(frozen=True)
class _Near:
    """The vectors by an encoder, by shard, and those of the labelled documents, of length 1."""

    encoder: str
    shards: Sequence[VectorShard]
    labelled: NDArray[np.float32]

    def likeness(self, shard: int, place: int) -> NDArray[np.float32]:
        """The cosine of a document, by its shard and kept row, to each labelled one."""
        import numpy as np

        own = _normed(self.shards[shard].means(np.array([place])))
        return np.asarray(self.labelled @ own[0], np.float32)


@dataclass(frozen=True)
class Teaching:
    """What each head was learned from: its labels, the documents of all, people behind them.

    `near` holds vectors by encoder, as far as these are there.
    """

    heads: Mapping[str, Head]
    labels: Mapping[str, Labels]
    labelled: Labelled
    teachers: tuple[Teachers, ...]
    values: Mapping[tuple[str, str], str | None]
    near: Mapping[str, _Near]

    @staticmethod
    def of(workspace: Workspace, said: Said) -> Teaching:
        """Read what the heads of the present scores were learned from."""
        heads = predicted_questions(workspace.tables)
        asked = learnable(workspace.rounds.questions())
        questions = {name: asked[name] for name in heads if name in asked}
        answered = {name: read_answered(workspace, one) for name, one in questions.items()}
        ids = {id for own in answered.values() for one in own.values() for id in one.members}
        labelled = look_up(workspace, ids)
        labels = {}
        for name, question in questions.items():
            try:
                labels[name] = labels_of(question, answered[name], labelled)
            except NothingToDo:  # scores of other labels than today's: a note tells it
                continue
        encoders = {head.encoder for head in heads.values() if head.encoder}
        return Teaching(
            heads=heads,
            labels=labels,
            labelled=labelled,
            teachers=tuple(_teachers(questions, labels, said)),
            values={
                (own.question, label): own.value
                for label, many in said.labels.items()
                for own in many
            },
            near={
                name: own
                for name in sorted(encoders)
                if (own := _near(workspace, name, labelled)) is not None
            },
        )

    def score(self, row: Mapping[str, Any], shard: int, place: int) -> Score:
        """Why a document has its score; `place` is its row among the kept ones of its shard."""
        numbers = self.labelled.row_of()
        own = numbers.get(row["id"])
        is_teacher = own is not None and any(
            own in labels.members.ravel() for labels in self.labels.values()
        )
        return Score(
            **{name: row[name] for name in ("quality", "low", "high", "abstained", "out_of_fold")},
            is_teacher=is_teacher,
            predictions=tuple(_predictions(self.heads, row)),
            labels={name: len(labels.ids) for name, labels in self.labels.items()},
            teachers=self.teachers,
            nearest=tuple(self._nearest(row["id"], shard, place)),
        )

    def _nearest(self, id: str, shard: int, place: int) -> Iterator[Neighbour]:
        """Yield the labelled documents nearest to one, for each question that is of documents."""
        for name, labels in self.labels.items():
            near = self.near.get(self.heads[name].encoder or "")
            if near is None or not labels.is_of_documents:
                continue
            likeness = near.likeness(shard, place)
            rows = [row for row in labels.members[:, 0].tolist() if self.labelled.ids[row] != id]
            for row in sorted(rows, key=lambda row: -float(likeness[row]))[:NEAREST]:
                other = self.labelled.ids[row]
                value = self.values.get((name, other))
                yield Neighbour(name, other, value, round(float(likeness[row]), 6), near.encoder)


def _teachers(
    questions: Mapping[str, Question], labels: Mapping[str, Labels], said: Said
) -> Iterator[Teachers]:
    """Yield the people whose answers taught each head, by question, then by round and person."""
    for name, own in labels.items():
        asked = name.split(":")[0] if questions[name].is_part else name
        answers: Counter[tuple[int, str]] = Counter()
        taught: Counter[tuple[int, str]] = Counter()
        for label in own.ids:
            about = [
                (answer.round, answer.annotator)
                for answer in said.answers.get(label, ())
                if answer.counts and answer.question == asked
            ]
            answers.update(about)
            taught.update(set(about))
        for key in sorted(answers):
            yield Teachers(name, key[1], key[0], taught[key], answers[key])


def _predictions(heads: Mapping[str, Head], row: Mapping[str, Any]) -> Iterator[Predicted]:
    """Yield the value of each question, and its probability, from a row of scores."""
    for name, head in heads.items():
        value = row.get(predicted(name))
        column = f"{name}:{value}"
        yield Predicted(name, value, row.get(column) if head.makes_groups else None)


def _near(workspace: Workspace, encoder: str, labelled: Labelled) -> _Near | None:
    """The vectors by an encoder, and those of the labelled documents; None where these lack."""
    import numpy as np

    try:
        vectors = found(workspace, encoder.replace("/", "--"))
        if vectors is None:
            return None
        own = np.zeros((len(labelled.ids), vectors.dimension), np.float32)
        shards = vectors.shards(workspace)
        for place, shard in enumerate(shards):
            rows = labelled.in_shard(place)
            if len(rows):
                own[rows] = _normed(shard.means(labelled.rows[rows]))
        return _Near(encoder, shards, own)
    except CurateError:
        return None


def _normed(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Vectors of length 1: rows x dimension; those of length 0 stay."""
    import numpy as np

    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.where(lengths > 0, lengths, 1), np.float32)
