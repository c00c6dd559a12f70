"""Models from sounds to vectors: statistics of log energies, or a model of transformers by path."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from curate.errors import CurateError
from curate.media.medium import MediumError
from curate.media.models import digest_of, unit
from curate.media.names import LOG_MEL
from curate.media.spectra import RATE, log_mel

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

BANDS = 64

WINDOW = 30.0
"""Seconds that a model hears at once."""


class SoundModel(Protocol):
    """A model from a sound, window by window, to one vector of length one."""

    @property
    def dimension(self) -> int:
        """The numbers of a vector."""
        ...

    @property
    def about(self) -> Mapping[str, Any]:
        """Exactly which model it is."""
        ...

    @property
    def seconds(self) -> float:
        """How much it hears at once."""
        ...

    def vector(self, windows: Iterator[Floats]) -> Floats:
        """The vector of a sound of 16,000 samples a second. Raises MediumError if it is empty."""
        ...


def sound_model(name: str, root: Path) -> SoundModel:
    """The model of that name, or in that folder under `root`. Raises CurateError without it."""
    return LogMel() if name == LOG_MEL else TransformersSound(root / name)


class LogMel:
    """Mean, spread and mean change of the log energies in 64 mel bands (10 ms apart)."""

    dimension = 3 * BANDS
    seconds = 10.0
    about: Mapping[str, Any] = {"encoder": LOG_MEL, "bands": BANDS, "version": 1}

    def vector(self, windows: Iterator[Floats]) -> Floats:
        """The three statistics of each band; the means around their own mean."""
        import numpy as np

        total, squares, change = (np.zeros(BANDS) for _ in range(3))
        frames = 0
        for part in windows:
            energies = log_mel(part, bands=BANDS, length=400, hop=160).astype(float)
            total += energies.sum(axis=0)
            squares += (energies**2).sum(axis=0)
            change += np.abs(np.diff(energies, axis=0)).sum(axis=0)
            frames += len(energies)
        if not frames:
            raise MediumError("it holds no sound")
        mean = total / frames
        spread = np.sqrt(np.maximum(squares / frames - mean**2, 0))
        return unit(np.concatenate([mean - mean.mean(), spread, change / frames]))


class TransformersSound:
    """A model of transformers that hears samples (wav2vec 2.0, HuBERT, WavLM …), in fp32.

    The vector is the mean of its last states over the time.
    """

    seconds = WINDOW

    def __init__(self, folder: Path) -> None:
        if not (folder / "config.json").is_file():
            raise CurateError(
                f"no model in {folder}", hint=f"{LOG_MEL}, or a folder with config.json"
            )
        self.folder = folder
        self.about: Mapping[str, Any] = {"encoder": folder.name, "files": digest_of(folder)}

    @cached_property
    def _model(self) -> Any:
        from transformers import AutoModel

        return AutoModel.from_pretrained(
            str(self.folder), local_files_only=True, trust_remote_code=False
        ).eval()

    @cached_property
    def dimension(self) -> int:
        """The numbers of a vector."""
        return int(self._model.config.hidden_size)

    def vector(self, windows: Iterator[Floats]) -> Floats:
        """The mean of the last states; each window is scaled to mean 0 and variance 1."""
        import numpy as np
        import torch

        total, frames = np.zeros(self.dimension), 0
        for part in windows:
            own = np.pad(part, (0, max(0, RATE // 10 - len(part))))
            scaled = (own - own.mean()) / np.sqrt(own.var() + 1e-7)
            with torch.inference_mode():
                inputs = torch.from_numpy(scaled.astype(np.float32))[None]
                states = self._model(input_values=inputs).last_hidden_state[0].numpy()
            total += states.sum(axis=0)
            frames += len(states)
        if not frames:
            raise MediumError("it holds no sound")
        return unit(total / frames)
