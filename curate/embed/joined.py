"""Documents with media → vectors: those of text, pictures and sound, side by side.

    minilm+image=efficientnet-lite0+audio=log-mel

Each part has length one, or is zeros where a document has nothing of the kind. So a caption and its
picture weigh alike. The part of pictures is the mean over images, and over the key frames of films.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curate.embed import encoders
from curate.embed.encoders import Encoder
from curate.errors import DataError
from curate.media import Medium, MediumError
from curate.media.films import key_frames
from curate.media.hearing import SoundModel, sound_model
from curate.media.images import decode
from curate.media.models import EfficientNetLite0, PictureModel, picture_model, unit
from curate.media.names import LITE0, LOG_MEL
from curate.media.opening import checked, opened, read_checked
from curate.media.sounds import windows
from curate.media.spectra import RATE

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

TOGETHER, IMAGE, AUDIO = "+", "image=", "audio="

AT_ONCE = 8
"""Pictures that a thread encodes at once: 16 are no faster, and take twice the memory."""

Media = Sequence[Medium]


def is_joined(name: str) -> bool:
    """Whether a name is that of an encoder of media, as in `image=efficientnet-lite0`."""
    return any(part.startswith((IMAGE, AUDIO)) for part in name.split(TOGETHER))


def name_of(text: str | None, image: str | None, audio: str | None) -> str:
    """The name of the encoder that joins these; None for a part that it lacks."""
    parts = [text, image and f"{IMAGE}{image}", audio and f"{AUDIO}{audio}"]
    return TOGETHER.join(part for part in parts if part)


def parts_of(name: str) -> tuple[str | None, str | None, str | None]:
    """The encoders of text, of pictures and of sound that a name joins."""
    at = name.find(IMAGE) if IMAGE in name else name.find(AUDIO)
    text = name[:at].removesuffix(TOGETHER) or None
    rest = name[at:]
    image, _, audio = rest.partition(f"{TOGETHER}{AUDIO}") if IMAGE in rest else ("", "", rest)
    return text, image.removeprefix(IMAGE) or None, audio.removeprefix(AUDIO) or None


def files_of(name: str, root: Path) -> dict[str, Path]:
    """The files of an encoder of any kind, by their names: see `encoders.files_of`."""
    if not is_joined(name):
        return encoders.files_of(name, root)
    text, image, audio = parts_of(name)
    files = encoders.files_of(text, root) if text else {}
    if image == LITE0:
        weights = EfficientNetLite0().file
        files[weights.name] = weights
    for model in (image, audio):
        if model not in (None, LITE0, LOG_MEL):
            files |= encoders.files_of(str(model), root)
    return files


class Joined:
    """An encoder of documents with media; see the module. `root` is where addresses begin."""

    def __init__(self, name: str, root: Path, text: Encoder | None) -> None:
        _, image, audio = parts_of(name)
        self.root = root
        self.id = name.strip("/").replace("/", "--")
        self._text = text
        self._pictures = picture_model(image, root) if image else None
        self._sounds = sound_model(audio, root) if audio else None
        self._parts = [part for part in (text, self._pictures, self._sounds) if part is not None]
        self.dimension = sum(part.dimension for part in self._parts)
        self.about: Mapping[str, Any] = {
            "encoder": self.id,
            "parts": [dict(part.about) for part in self._parts],
        }

    def encode(self, sentences: list[str]) -> Floats:
        """The vectors of texts without media."""
        return self.encode_documents(sentences, [()] * len(sentences))

    def encode_documents(self, texts: Sequence[str], media: Sequence[Media]) -> Floats:
        """The vectors of documents: documents x dimension. Raises DataError for a bad medium."""
        import numpy as np

        blocks = []
        if self._text is not None:
            blocks.append(_of_texts(self._text, texts))
        if self._pictures is not None:
            blocks.append(self._each(partial(_of_pictures, self._pictures, self.root), media))
        if self._sounds is not None:
            blocks.append(self._each(partial(_of_sounds, self._sounds, self.root), media))
        return np.hstack(blocks) if blocks else np.zeros((len(texts), 0), np.float32)

    def _each(self, work: Any, media: Sequence[Media]) -> Floats:
        """Encode the media of documents, some at a time, in as many threads as there are cores.

        Decoders and models let go of Python's lock, so each thread does both by itself.
        """
        import numpy as np

        parts = [media[start : start + AT_ONCE] for start in range(0, len(media), AT_ONCE)]
        with _one_thread_each(), ThreadPoolExecutor(os.cpu_count() or 1) as threads:
            vectors = np.vstack(list(threads.map(work, parts)))
        _give_back()
        return vectors


def _give_back() -> None:
    """Give freed memory back to the system, where the C library can.

    glibc has an arena for each thread, and keeps what is freed there: a process that embeds grew
    by 30 MB for each thousand pictures.
    """
    with suppress(AttributeError, OSError, TypeError):  # a C library without it
        ctypes.CDLL(None).malloc_trim(0)


@contextmanager
def _one_thread_each() -> Iterator[None]:
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _of_texts(encoder: Encoder, texts: Sequence[str]) -> Floats:
    import numpy as np

    vectors = np.zeros((len(texts), encoder.dimension), np.float32)
    rows = [row for row, text in enumerate(texts) if text.strip()]
    if rows:
        vectors[rows] = unit(encoder.encode([texts[row] for row in rows]))
    return vectors


def _of_pictures(model: PictureModel, root: Path, media: Sequence[Media]) -> Floats:
    """The mean vectors of the pictures of some documents."""
    import numpy as np

    vectors = np.zeros((len(media), model.dimension), np.float32)
    prepared = _prepared(model, root, media)
    while chunk := [pair for _, pair in zip(range(AT_ONCE), prepared, strict=False)]:
        rows, pictures, weights = zip(*chunk, strict=True)
        own = model.vectors(np.stack(pictures)) * np.array(weights, np.float32)[:, None]
        np.add.at(vectors, list(rows), own)
    return unit(vectors)


def _prepared(
    model: PictureModel, root: Path, media: Sequence[Media]
) -> Iterator[tuple[int, Floats, float]]:
    """Yield the document, the prepared picture, and its weight, picture by picture."""
    for row, own in enumerate(media):
        for medium in own:
            if medium.kind == "image":
                with _named(medium):
                    yield row, model.prepared(decode(read_checked(medium, root))), 1.0
            elif medium.kind == "video":
                with _named(medium):
                    checked(medium, root)
                    with opened(medium.address, root) as file:
                        frames = key_frames(file)
                    for _, picture in frames:
                        yield row, model.prepared(picture), 1 / len(frames)


def _of_sounds(model: SoundModel, root: Path, media: Sequence[Media]) -> Floats:
    """The mean vectors of the sounds of some documents."""
    import numpy as np

    vectors = np.zeros((len(media), model.dimension), np.float32)
    for row, own in enumerate(media):
        for medium in own:
            if medium.kind == "audio":
                with _named(medium):
                    checked(medium, root)
                    with opened(medium.address, root) as file:
                        vectors[row] += model.vector(windows(file, RATE, seconds=model.seconds))
    return unit(vectors)


@contextmanager
def _named(medium: Medium) -> Iterator[None]:
    """Name the medium that cannot be read; it has changed since `clean` looked at it, if it did."""
    try:
        yield
    except MediumError as error:
        raise DataError(
            f"{medium.address} cannot be encoded: {error}",
            hint="run `curate pool` and `curate clean` again; the set "
            f"`{medium.kind}` drops what cannot be read",
        ) from None
