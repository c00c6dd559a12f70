"""The doubtful labels of all questions: of those learned, and of all that ask for spans."""

from __future__ import annotations

from collections.abc import Sequence

from curate.score.doubting.labels import doubtful_labels
from curate.score.doubting.ranking import Doubtful, ranked
from curate.score.doubting.spans import doubtful_spans
from curate.score.labelled import Labelled
from curate.score.learning import Model, Vectors
from curate.score.spec import ScoreSpec
from curate.workspace import Workspace


def find_doubtful(
    workspace: Workspace,
    spec: ScoreSpec,
    models: Sequence[Model],
    labelled: Labelled,
    vectors: Vectors,
) -> Doubtful:
    """Rank the settled labels. A question of spans needs no head of the quality: it has its own.

    Where its spans are doubted, whether each label occurs is not doubted once more.
    """
    asked = workspace.rounds.questions()
    spans = {
        question.name: doubtful_spans(workspace, spec, question)
        for question in asked
        if question.kind == "entities"
    }
    doubted = {
        part.name
        for question in asked
        if question.name in spans and spans[question.name].labels
        for part in question.parts()
    }
    others = [model for model in models if model.name not in doubted]
    return ranked([doubtful_labels(others, asked, labelled, vectors), *spans.values()])
