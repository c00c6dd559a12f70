"""Pictures as a model reads them: scaled, cut, and centred as its configuration says."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL.Image import Image

    Floats = NDArray[np.float32]

CLIP_MEAN = (0.48145466, 0.4578275, 0.40821073)
CLIP_STD = (0.26862954, 0.26130258, 0.27577711)

BICUBIC = 3
"""The number of bicubic resampling in Pillow, which most models were trained with."""


@dataclass(frozen=True)
class Preparing:
    """How pictures are prepared.

    `size` is height and width. `shortest` is the length that the shorter side is scaled to before
    the middle is cut out; None scales the whole picture to `size`.
    """

    size: tuple[int, int]
    shortest: int | None
    mean: tuple[float, ...] = CLIP_MEAN
    std: tuple[float, ...] = CLIP_STD
    resample: int = BICUBIC
    scale: float = 1 / 255

    @classmethod
    def of(cls, folder: Path) -> Preparing:
        """As `preprocessor_config.json` of a folder says, or as `config.json` if there is none."""
        path = folder / "preprocessor_config.json"
        if not path.is_file():
            config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
            vision = config.get("vision_config", config)
            side = int(vision.get("image_size", 224))
            return cls((side, side), side)
        told: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        told = told.get("image_processor", told)
        size = _sides(told.get("size", 224))
        cut = told.get("do_center_crop", False) and told.get("crop_size")
        shortest = told["size"].get("shortest_edge") if isinstance(told.get("size"), dict) else None
        if cut:
            shortest = shortest or min(size)
        return cls(
            _sides(cut) if cut else size,
            shortest,
            tuple(told.get("image_mean") or CLIP_MEAN) if told.get("do_normalize", True) else (0,),
            tuple(told.get("image_std") or CLIP_STD) if told.get("do_normalize", True) else (1,),
            int(told.get("resample", BICUBIC)),
            float(told.get("rescale_factor", 1 / 255)) if told.get("do_rescale", True) else 1.0,
        )

    @classmethod
    def of_open_clip(cls, config: Mapping[str, Any]) -> Preparing:
        """As `open_clip_config.json` says."""
        side = config["model_cfg"]["vision_cfg"].get("image_size", 224)
        size = _sides(side)
        told = config.get("preprocess_cfg") or {}
        shortest = None if told.get("resize_mode") == "squash" else min(size)
        mean, std = told.get("mean", CLIP_MEAN), told.get("std", CLIP_STD)
        return cls(size, shortest, tuple(mean), tuple(std))

    def __call__(self, picture: Image) -> Floats:
        """A picture as channels x height x width."""
        import numpy as np
        from PIL.Image import Resampling

        height, width = self.size
        if self.shortest is None:
            own = picture.resize((width, height), Resampling(self.resample), reducing_gap=3.0)
        else:
            own = _middle(picture, self.shortest, self.size, Resampling(self.resample))
        pixels = np.asarray(own.convert("RGB"), np.float32) * np.float32(self.scale)
        mean, std = np.array(self.mean, np.float32), np.array(self.std, np.float32)
        return np.ascontiguousarray(((pixels - mean) / std).transpose(2, 0, 1), np.float32)


def _sides(size: Any) -> tuple[int, int]:
    """Height and width of what a configuration calls a size."""
    if isinstance(size, Mapping):
        shortest = size.get("shortest_edge", 224)
        return int(size.get("height", shortest)), int(size.get("width", shortest))
    if isinstance(size, list | tuple):
        return int(size[0]), int(size[-1])
    return int(size), int(size)


def _middle(picture: Image, shortest: int, size: tuple[int, int], resample: Any) -> Image:
    """The middle of a picture whose shorter side was scaled."""
    factor = shortest / min(picture.size)
    width, height = (max(1, round(side * factor)) for side in picture.size)
    scaled = picture.resize((width, height), resample, reducing_gap=3.0)
    left, top = (width - size[1]) // 2, (height - size[0]) // 2
    return scaled.crop((left, top, left + size[1], top + size[0]))
