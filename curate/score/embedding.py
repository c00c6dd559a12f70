"""The vectors that heads learn from and predict with: of which encoders, of which documents."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from curate.embed import Vectors, VectorShard, candidates, embed, encode, windows
from curate.heads import Pieces, pieces_at
from curate.score.labelled import Labelled
from curate.score.spec import ScoreSpec
from curate.workspace import Workspace

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def encoders_of(workspace: Workspace, spec: ScoreSpec) -> tuple[tuple[str, ...], str]:
    """The encoders to choose from, and why; none where heads read characters alone."""
    if spec.features == "characters":
        return (), ""
    return candidates(workspace, spec.encoder, spec.media.as_mapping())


def window_of(spec: ScoreSpec) -> int | None:
    """The size of windows in characters; None where texts are read whole."""
    return spec.windows.size if spec.windows else None


def embed_all(
    workspace: Workspace, spec: ScoreSpec, names: Iterable[str], made: Mapping[str, Vectors]
) -> dict[str, Vectors]:
    """The vectors of all documents by some encoders; `made` are those that are there."""
    window = window_of(spec)
    return {name: made.get(name) or embed(workspace, name, window) for name in names}


def labelled_pieces(
    workspace: Workspace,
    spec: ScoreSpec,
    labelled: Labelled,
    names: Sequence[str],
    embedded: Mapping[str, Vectors],
) -> Pieces:
    """The windows of the labelled documents (without windows, their texts), with their vectors.

    Vectors are read where all documents are `embedded`, else made.
    """
    import numpy as np

    cut = [windows(text, window_of(spec)) for text in labelled.texts]
    texts = [piece for own in cut for piece in own]
    media = [own for own, parts in zip(labelled.media, cut, strict=True) for _ in parts]
    starts = np.cumsum([0, *(len(own) for own in cut)]).astype(np.int64)
    vectors = {}
    for name in names:
        if name in embedded:
            vectors[name] = _read(embedded[name].shards(workspace), labelled, starts)
            continue
        with workspace.watch(f"trying {name}", len(labelled.texts)) as advance:
            vectors[name] = encode(workspace, name, texts, media)
            advance(len(labelled.texts))
    return Pieces(vectors, texts, starts)


def means_of(pieces: Pieces) -> dict[str, NDArray[np.float32]]:
    """The mean vectors of documents over their pieces, by encoder: documents x dimension."""
    import numpy as np

    counts = np.diff(pieces.starts)[:, None].astype(np.float32)
    return {
        name: np.asarray(np.add.reduceat(own, pieces.starts[:-1], axis=0) / counts, np.float32)
        for name, own in pieces.vectors.items()
    }


def _read(
    shards: Sequence[VectorShard], labelled: Labelled, starts: NDArray[np.int64]
) -> NDArray[np.float32]:
    """The vectors of the pieces of labelled documents, which start at `starts`."""
    import numpy as np

    vectors = np.zeros((int(starts[-1]), shards[0].dimension), np.float32)
    for place in np.unique(labelled.shards).tolist():
        own = labelled.in_shard(place)
        stored, _ = pieces_at(shards[place].starts(), labelled.rows[own])
        vectors[pieces_at(starts, own)[0]] = shards[place].read(stored)
    return vectors
