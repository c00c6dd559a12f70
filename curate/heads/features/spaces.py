"""The features of labelled texts, rotated: a linear head depends on their Gram matrix alone.

With an L2 penalty the weights are a combination of the labelled rows (the representer theorem). So
every feature set is rotated once into as many dimensions as there are rows, at most, and heads are
fitted there. What was fitted is turned back into weights for the features as they are.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from curate.errors import DataError
from curate.heads.features.characters import Characters
from curate.heads.lesson import Lesson, Options

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

EXACT = 1_500
"""With more rows the rotation keeps only the largest `RANK` dimensions."""

RANK = 1_000

TINY = 1e-10
"""Dimensions whose share of the largest one's variance is smaller are dropped."""


@dataclass(frozen=True)
class Part:
    """One kind of features: centred at their mean, and scaled to a mean squared norm."""

    matrix: Any
    mean: Array
    scale: float

    @classmethod
    def of(cls, matrix: Any, norm: float) -> Part:
        """The part of a matrix (dense or sparse) whose mean squared norm becomes `norm`."""
        import numpy as np

        mean = np.asarray(matrix.mean(axis=0), np.float64).ravel()
        squares = (
            matrix.multiply(matrix).sum() if hasattr(matrix, "multiply") else (matrix**2).sum()
        )
        spread = float(squares) / matrix.shape[0] - float(mean @ mean)
        return cls(matrix, mean, float(np.sqrt(norm / spread)) if spread > TINY else 0.0)

    def times(self, right: Array) -> Array:
        """Scaled features x `right`."""
        import numpy as np

        return np.asarray(self.scale * (self.matrix @ right - self.mean @ right))

    def transposed_times(self, right: Array) -> Array:
        """The transpose of the scaled features x `right`."""
        import numpy as np

        centred = self.matrix.T @ right - np.outer(self.mean, right.sum(axis=0))
        return np.asarray(self.scale * centred)

    def gram(self) -> Array:
        """The products of all scaled rows with each other: rows x rows."""
        import numpy as np

        product = self.matrix @ self.matrix.T
        dense = np.asarray(product.todense() if hasattr(product, "todense") else product)
        along = np.asarray(self.matrix @ self.mean)
        centred = dense - along[:, None] - along[None, :] + self.mean @ self.mean
        return np.asarray(self.scale**2 * centred)

    def primal(self, duals: Array) -> tuple[Array, Array]:
        """Weights for the features as they are, and their bias, from a combination of the rows."""
        weights = self.scale * self.transposed_times(duals)
        return weights, -self.mean @ weights


@dataclass(frozen=True)
class Primal:
    """Weights for features as they are: of vectors, of the columns of `characters`, and the bias.

    None where a head does not read them.
    """

    vectors: Array | None
    characters: Array | None
    bias: Array


@dataclass(frozen=True)
class Space:
    """One set of features of the labelled documents, rotated: documents x dimensions.

    `duals` (documents x dimensions) turns weights of the rotated features into a combination of
    the documents.
    """

    encoder: str | None
    characters: Characters | None
    parts: tuple[Part, ...]
    rotated: Array
    duals: Array

    @property
    def features(self) -> str:
        """The name of the set."""
        if self.encoder and self.characters:
            return "both"
        return "embeddings" if self.encoder else "characters"

    def primal(self, weights: Array) -> Primal:
        """Turn weights of the rotated features, dimensions x outputs, into those of features."""
        import numpy as np

        own = [part.primal(self.duals @ weights) for part in self.parts]
        bias = np.sum([bias for _, bias in own], axis=0)
        return Primal(
            own[0][0] if self.encoder else None, own[-1][0] if self.characters else None, bias
        )


def spaces_of(lesson: Lesson, options: Options) -> list[Space]:
    """Every set of features that may be chosen, the simplest first.

    Raises DataError if a vector is not finite, or if there is nothing to read.
    """
    vectors, texts = lesson.documents()
    _refuse_broken(vectors)
    reads_text = options.features != "embeddings" and any(map(str.strip, texts))
    characters = Characters.fit(texts, lesson.background) if reads_text else None
    spaces = list(_sets(vectors, characters, options.features))
    if not spaces:
        raise DataError(
            f"heads on {options.features} have nothing to read", hint="give vectors or texts"
        )
    return spaces


def _refuse_broken(vectors: dict[str, Any]) -> None:
    import numpy as np

    for encoder, own in vectors.items():
        broken = int((~np.isfinite(own).all(axis=1)).sum())
        if broken:
            raise DataError(
                f"{broken} labelled documents have vectors of {encoder} that are not finite",
                hint="delete the encoder's vectors and run `curate score` again",
            )


def _sets(vectors: dict[str, Any], characters: Any, wanted: str) -> Iterator[Space]:
    import numpy as np

    dense = {encoder: own.astype(np.float64) for encoder, own in sorted(vectors.items())}
    if wanted in ("auto", "embeddings"):
        for encoder, own in dense.items():
            yield _rotated(encoder, None, (Part.of(own, 1.0),))
    if characters is None:
        return
    weighting, matrix = characters
    if wanted in ("auto", "characters"):
        yield _rotated(None, weighting, (Part.of(matrix, 1.0),))
    if wanted in ("auto", "both"):
        for encoder, own in dense.items():
            yield _rotated(encoder, weighting, (Part.of(own, 0.5), Part.of(matrix, 0.5)))


def _rotated(encoder: str | None, characters: Characters | None, parts: tuple[Part, ...]) -> Space:
    """Rotate features: their Gram matrix is U S Uᵀ, and the rotated features are U S^½."""
    import numpy as np

    rows = parts[0].matrix.shape[0]
    if rows <= EXACT:
        variances, vectors = np.linalg.eigh(sum(part.gram() for part in parts))
    else:
        variances, vectors = _largest(parts, rows)
    kept = np.flatnonzero(variances > TINY * variances[-1])[::-1]
    roots = np.sqrt(variances[kept])
    own = vectors[:, kept]
    return Space(encoder, characters, parts, own * roots, own / roots)


def _largest(parts: tuple[Part, ...], rows: int) -> tuple[Array, Array]:
    """The largest eigenvalues of the Gram matrix, ascending, and their vectors.

    By random projections and two power iterations (Halko et al. 2011, arXiv 0909.4061).
    """
    import numpy as np

    def gram_times(right: Array) -> Array:
        return np.asarray(sum(part.times(part.transposed_times(right)) for part in parts))

    basis = np.random.default_rng(0).standard_normal((rows, RANK + 50))
    for _ in range(3):
        basis, _ = np.linalg.qr(gram_times(basis))
    variances, inner = np.linalg.eigh(basis.T @ gram_times(basis))
    return variances[-RANK:], (basis @ inner)[:, -RANK:]
