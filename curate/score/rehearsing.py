"""A rehearsal of `score` for a dry run: random vectors and answers, but the real work on them.

What it writes are scores that the stages behind `score` can read; they mean nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from curate import __version__, storage, tables
from curate.annotated.quality import quality_function
from curate.embed import VectorShard, blocks, contents
from curate.embed.vectors import BLOCK
from curate.errors import NothingToDo, RecipeError
from curate.records import Question
from curate.score.labelled import GROUPS, Labelled
from curate.score.labels import Labels, values_of
from curate.score.learning import facts_of, learn_all
from curate.score.predicting import Predict, items_of
from curate.score.questions import chosen
from curate.score.scorer import Scorer
from curate.score.spec import ScoreSpec
from curate.workspace import Workspace

ENCODER = "rehearsed"
"""The name under which the random vectors lie."""


def questions_of(questions: Sequence[Question], spec: ScoreSpec) -> dict[str, Question]:
    """The questions that `score` would learn; none if it cannot learn any."""
    try:
        return dict(chosen(spec.question, questions))
    except (NothingToDo, RecipeError):
        return {}


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
    workspace: Workspace,
    spec: ScoreSpec,
    shards: list[VectorShard],
    questions: Mapping[str, Question],
    n: int,
) -> None:
    """Learn questions from n made-up answers; write labels, and scores of every kept document."""
    quality = quality_function(spec.quality, questions)
    labelled = _labelled(shards[0], n)
    vectors = {ENCODER: shards[0].means(labelled.rows)}
    labels = [_labels(question, len(labelled.ids)) for question in questions.values()]
    resamples = spec.resamples if quality is not None else 0
    models = learn_all(spec, labels, labelled, vectors, resamples, lambda done: None)
    _write_labels(workspace, labels, labelled)
    learned = {model.name: model.learned for model in models}
    made = workspace.freshness.provenance(
        "score",
        spec,
        workspace.tables.fingerprints(("pool", "clean", "labels")),
        encoder=ENCODER,
        questions=facts_of(models),
    )
    items = items_of([shard.documents for shard in shards], {ENCODER: shards}, models, labelled)
    scorer = Scorer(learned, quality, half_width=0.2)
    with workspace.tables.building("scores", made) as folder:
        for _ in workspace.engine.each(Predict(folder, scorer), items):
            pass


def _labelled(shard: VectorShard, n: int) -> Labelled:
    """The first n documents of a shard, as if they were labelled."""
    import numpy as np

    table = shard.documents.read(["id", "text"]).slice(0, n)
    rows = np.arange(table.num_rows)
    groups = {name: np.full(len(rows), "probe") for name in GROUPS}
    return Labelled(
        tuple(table["id"].to_pylist()), 0 * rows, rows, tuple(table["text"].to_pylist()), groups
    )


def _labels(question: Question, n: int) -> Labels:
    """Answers to a question in turn: random vectors cannot tell them."""
    import numpy as np

    values = values_of(question)
    pairs = question.kind == "preference"
    members = np.arange(n // 2 * 2).reshape(-1, 2) if pairs else np.arange(n)[:, None]
    truth = np.eye(len(values))[np.arange(len(members)) % len(values)]
    ids = tuple(f"{number:09}" for number in range(len(members)))
    return Labels(question, values, ids, members, truth, np.ones(len(members), bool), 0)


def _write_labels(workspace: Workspace, labels: Sequence[Labels], labelled: Labelled) -> None:
    """Write the answers about documents as their labels."""
    rows = [
        {
            "id": id,
            "question": own.question.name,
            "value": json.dumps(own.values[shares.index(max(shares))]),
            "posterior": list(zip(own.values, shares, strict=True)),
            "confidence": 1.0,
            "votes": 1,
            "agreement": 1.0,
            "method": "majority",
            "undecided": False,
        }
        for own in labels
        if own.is_of_documents
        for id, shares in zip(labelled.ids, own.truth.tolist(), strict=True)
    ]
    made = storage.Provenance("agree", {}, {}, __version__)
    workspace.tables.write("labels", tables.rows("labels", rows), made)


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
