"""A rule set for speech: the share of a sound in which somebody speaks.

The voice detector is Silero's (MIT), from the package `silero-vad`, whose file torch loads without
torchaudio. It reads 512 samples at a time; from a probability of .5 on they are speech. No limit is
set: music and noise are wanted by some.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curate.clean.rules.signals import Signal
from curate.media.packaged import folder_of
from curate.media.sounds import windows
from curate.media.spectra import RATE

if TYPE_CHECKING:
    from curate.clean.media.sight import Sight

SIGNALS: Mapping[str, Signal] = {
    "share": Signal("share of the time in which somebody speaks"),
}

STEP = 512
FILE = "silero_vad.jit"


def prepare(workspace: Any, settings: Any) -> str:
    """The digest of the model. Raises CurateError if its package is missing."""
    from curate.storage import sha256_of

    return sha256_of(_path())


def _path() -> Path:
    return next(folder_of("silero_vad", "the set speech").rglob(FILE))


@cache
def _model() -> Any:
    import warnings

    import torch

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        model = torch.jit.load(str(_path()), map_location="cpu")  # type: ignore[no-untyped-call]
    return model.eval()


def see(sight: Sight, prepared: str) -> dict[str, float]:
    """The share of speech in a sound."""
    import numpy as np
    import torch

    model = _model()
    model.reset_states()
    chances = []
    with sight.file() as file, torch.inference_mode():
        for part in windows(file, RATE, seconds=STEP * 32 / RATE):
            whole = np.pad(part, (0, -len(part) % STEP)).reshape(-1, STEP)
            chances += [float(model(row, RATE)) for row in torch.from_numpy(whole)]
    return {"share": float(np.mean(np.array(chances) >= 0.5)) if chances else 0.0}
