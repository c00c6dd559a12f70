"""The encoder that needs no weights: character n-grams, TF-IDF and SVD, fitted on texts."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curate import storage
from curate.embed.contents import digests, some

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FIT = "_fit.npz"
"""The file in the encoder's folder that keeps its fit."""

FEATURES = 2**17


class CharGram:
    """Character 1- to 3-grams, hashed, TF-IDF, reduced by SVD; fitted on at most 20,000 texts.

    `sample` holds the digests of the texts that it was fitted on, ascending.
    """

    id = "chargram"
    dimension = 128
    fit_on = 20_000

    def __init__(self, texts: Callable[[], Iterator[str]]) -> None:
        sample = some(texts(), self.fit_on)
        self._set(digests(sample), *_fitted(sample or [""], self.dimension))

    def _set(
        self, sample: NDArray[np.uint64], idf: NDArray[np.float64], components: NDArray[np.float64]
    ) -> None:
        self.sample, self._idf, self._components = sample, idf, components
        self.dimension = len(components)  # a few texts give fewer than requested
        fitted_on = blake2b(sample.astype(">u8").tobytes(), digest_size=16).hexdigest()
        self.about: Mapping[str, Any] = {
            **settings(),
            "encoder": self.id,
            "fitted_on": fitted_on,
        }

    def save(self, path: Path) -> None:
        """Write the fit: the features that its texts have, as they are in memory."""
        import numpy as np

        features = np.flatnonzero(self._components.any(axis=0))
        with storage.replacing(path) as temporary, temporary.open("wb") as file:
            np.savez(
                file,
                settings=json.dumps(settings()),
                sample=self.sample,
                idf=self._idf,
                features=features,
                components=self._components[:, features],
            )

    @classmethod
    def open(cls, path: Path) -> CharGram | None:
        """Read a fit; None if there is none, or one made with other settings."""
        import numpy as np

        if not path.exists():
            return None
        with np.load(path, allow_pickle=False) as stored:
            if json.loads(str(stored["settings"])) != settings():
                return None
            components = np.zeros((len(stored["components"]), FEATURES))
            components[:, stored["features"]] = stored["components"]
            encoder = cls.__new__(cls)
            encoder._set(stored["sample"], stored["idf"], components)
        return encoder

    def encode(self, sentences: list[str]) -> NDArray[np.float32]:
        """The vectors, one row per sentence."""
        import numpy as np

        if not sentences:
            return np.zeros((0, self.dimension), np.float32)
        weights = _weighting(self._idf).transform(_counts(sentences))
        return np.asarray(weights @ self._components.T, np.float32)


def settings() -> dict[str, Any]:
    """What a fit depends on, besides its texts."""
    return {
        "dimension": CharGram.dimension,
        "ngrams": [1, 3],
        "features": FEATURES,
        "fit_on": CharGram.fit_on,
    }


def _counts(texts: list[str]) -> Any:
    from sklearn.feature_extraction.text import HashingVectorizer

    hashing = HashingVectorizer(
        analyzer="char", ngram_range=(1, 3), n_features=FEATURES, alternate_sign=False
    )
    return hashing.transform(texts)


def _weighting(idf: NDArray[np.float64] | None = None) -> Any:
    from sklearn.feature_extraction.text import TfidfTransformer

    weighting = TfidfTransformer(sublinear_tf=True)
    if idf is not None:
        weighting.idf_ = idf
    return weighting


def _fitted(texts: list[str], dimension: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The idf of every feature, and the components: dimension x features.

    Features that no text has are left out of the decomposition: their components are 0, and with
    few texts they are nearly all of them.
    """
    import numpy as np
    from sklearn.decomposition import TruncatedSVD

    weighting, counts = _weighting(), _counts(texts)
    weights = weighting.fit_transform(counts)
    features = np.union1d(counts.indices, [0, 1])  # the decomposition asks for two at least
    number = min(dimension, max(2, len(texts) - 1), len(features))
    with np.errstate(invalid="ignore", divide="ignore"):  # the variance that a single text explains
        svd = TruncatedSVD(number, random_state=0).fit(weights[:, features])
    components = np.zeros((len(svd.components_), FEATURES))
    components[:, features] = np.where(np.isin(features, counts.indices), svd.components_, 0.0)
    return weighting.idf_, components
