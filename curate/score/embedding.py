"""The vectors that heads learn from and predict with: of which encoders, of which documents."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from curate.embed import Vectors, VectorShard, candidates, embed, encode, windows
from curate.score.labelled import Labelled
from curate.score.spec import ScoreSpec
from curate.workspace import Workspace

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def encoders_of(workspace: Workspace, spec: ScoreSpec) -> tuple[tuple[str, ...], str]:
    """The encoders to choose from, and why; none where heads read characters alone."""
    return ((), "") if spec.features == "characters" else candidates(workspace, spec.encoder)


def window_of(spec: ScoreSpec) -> int | None:
    """The size of windows in characters; None where texts are read whole."""
    return spec.windows.size if spec.windows else None


def embed_all(
    workspace: Workspace, spec: ScoreSpec, names: Iterable[str], made: Mapping[str, Vectors]
) -> dict[str, Vectors]:
    """The vectors of all documents by some encoders; `made` are those that are there."""
    window = window_of(spec)
    return {name: made.get(name) or embed(workspace, name, window) for name in names}


def labelled_vectors(
    workspace: Workspace,
    spec: ScoreSpec,
    labelled: Labelled,
    names: Sequence[str],
    embedded: Mapping[str, Vectors],
) -> dict[str, NDArray[np.float32]]:
    """The vectors of the labelled documents by each encoder: documents x dimension.

    They are read where all documents are `embedded`, else made. A text of several windows has
    their mean.
    """
    vectors = {}
    for name in names:
        if name in embedded:
            vectors[name] = _read(embedded[name].shards(workspace), labelled)
            continue
        with workspace.watch(f"trying {name}", len(labelled.texts)) as advance:
            vectors[name] = _encoded(workspace, window_of(spec), name, labelled)
            advance(len(labelled.texts))
    return vectors


def _read(shards: Sequence[VectorShard], labelled: Labelled) -> NDArray[np.float32]:
    import numpy as np

    vectors = np.zeros((len(labelled.ids), shards[0].dimension), np.float32)
    for place in np.unique(labelled.shards).tolist():
        own = labelled.in_shard(place)
        vectors[own] = shards[place].means(labelled.rows[own])
    return vectors


def _encoded(
    workspace: Workspace, window: int | None, name: str, labelled: Labelled
) -> NDArray[np.float32]:
    import numpy as np

    cut = [windows(text, window) for text in labelled.texts]
    vectors = encode(workspace, name, [piece for own in cut for piece in own])
    edges = np.cumsum([0, *(len(own) for own in cut)])[:-1]
    counts = np.array([len(own) for own in cut], np.float32)
    return np.asarray(np.add.reduceat(vectors, edges, axis=0) / counts[:, None], np.float32)
