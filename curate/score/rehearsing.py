"""A rehearsal of `score` for a dry run: random vectors and answers, but the real work on them.

What it writes are scores that the stages behind `score` can read; they mean nothing.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from curate import __version__, storage, tables
from curate.embed import VectorShard, blocks, contents
from curate.embed.vectors import BLOCK
from curate.records import Question
from curate.score.heads import LEARNERS
from curate.score.learning import Learned, Lesson, learn_heads
from curate.score.predicting import Predict, ShardToScore
from curate.score.quality import quality_function
from curate.score.scaling import measure
from curate.score.spec import ScoreSpec
from curate.score.threads import one_thread
from curate.workspace import Workspace

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

ENCODER = "rehearsed"
"""The name under which the random vectors lie."""


def question_of(questions: Sequence[Question], spec: ScoreSpec) -> Question | None:
    """The question that `score` would learn; None if there is none that it can."""
    parts = (part for question in questions for part in question.parts())
    learnable = [question for question in (*questions, *parts) if question.kind in LEARNERS]
    named = [question for question in learnable if spec.question in (None, question.name)]
    return named[0] if named else None


def write_vectors(workspace: Workspace, dimension: int) -> list[VectorShard]:
    """Write random vectors for the kept documents of a workspace, in blocks as `embed` does."""
    import numpy as np

    shards = workspace.documents.shards()
    digests = contents.find(workspace, shards, workspace.tables.fingerprints(("pool", "clean")))
    folder = workspace.tables.folder(f"vectors/{ENCODER}")
    encoder, rng = blocks.digest_of({"encoder": ENCODER}), np.random.default_rng(0)
    for shard in shards:
        ids = shard.read(["id"])["id"]
        own = np.load(contents.path_of(digests, shard))
        for start in range(0, len(own), BLOCK):
            part = own[start : start + BLOCK]
            vectors = rng.standard_normal((len(part), dimension), np.float32)
            blocks.write(folder, shard.name, encoder, ids.slice(start, BLOCK), part, vectors)
    listed, _ = blocks.listed(folder, encoder)
    return blocks.shards_of(shards, digests, listed, dimension)


def rehearse(
    workspace: Workspace, spec: ScoreSpec, shards: list[VectorShard], question: Question, n: int
) -> None:
    """Learn a question from n made-up answers; write labels, and scores of every kept document."""
    import numpy as np

    scale, quality = measure(workspace, shards), quality_function(spec, question)
    rng = np.random.default_rng(spec.seed)
    lesson = _lesson(n, shards[0].dimension, len(question.labels), spec.folds)
    with one_thread():
        heads, labelled = learn_heads(
            LEARNERS[question.kind](question.labels), lesson, quality, spec.resamples, rng
        )
    learned = Learned(question.name, question.labels, scale, heads, quality)
    rows = np.arange(min(n, shards[0].rows()))
    _write_labels(workspace, question, shards[0], lesson.truth[rows])
    items = [
        ShardToScore(shard, own, labelled.take(own), np.ones(len(own), bool))
        for place, shard in enumerate(shards)
        for own in [rows if place == 0 else rows[:0]]
    ]
    made = workspace.freshness.provenance(
        "score",
        spec,
        workspace.tables.fingerprints(("pool", "clean", "labels")),
        encoder=ENCODER,
        question=question.name,
        kind=question.kind,
        values=list(question.labels),
    )
    with workspace.tables.building("scores", made) as folder:
        for _ in workspace.engine.each(Predict(folder, learned), items):
            pass


def _write_labels(
    workspace: Workspace, question: Question, shard: VectorShard, truth: NDArray[np.float64]
) -> None:
    """Write the answers as the labels of the first documents of a shard."""
    ids = shard.documents.read(["id"])["id"].to_pylist()[: len(truth)]
    labels = [
        {
            "id": id,
            "question": question.name,
            "value": json.dumps(question.labels[shares.index(max(shares))]),
            "posterior": list(zip(question.labels, shares, strict=True)),
            "confidence": 1.0,
            "votes": 1,
            "agreement": 1.0,
            "method": "majority",
            "undecided": False,
        }
        for id, shares in zip(ids, truth.tolist(), strict=True)
    ]
    made = storage.Provenance("agree", {}, {}, __version__)
    workspace.tables.write("labels", tables.rows("labels", labels), made)


def _lesson(n: int, dimension: int, values: int, folds: int) -> Lesson:
    """Random vectors with random answers that they tell in part: n x dimension, n x values."""
    import numpy as np

    rng = np.random.default_rng(0)
    answers = np.arange(n) % values
    vectors: NDArray[np.float64] = rng.standard_normal((n, dimension))
    vectors += 0.35 * rng.standard_normal((values, dimension))[answers]
    return Lesson(vectors, np.eye(values)[answers], np.arange(n) // values % folds)


def stored_vectors(workspace: Workspace, spec: ScoreSpec) -> tuple[int, int]:
    """The number of vectors that an encoder has stored, and their dimension; 0 without any.

    `auto` takes those of the encoder that has stored the most.
    """
    name = "*" if spec.encoder == "auto" else spec.encoder.strip("/").replace("/", "--")
    best = (0, 0)
    for manifest in sorted((workspace.root / "vectors").glob(f"{name}/{storage.MANIFEST}")):
        stored, paths = storage.stored_folder(manifest.parent), storage.shards(manifest.parent)
        if stored and paths:
            dimension = int(blocks.read_vectors(paths[0]).shape[1])
            best = max(best, (stored.rows, dimension))
    return best
