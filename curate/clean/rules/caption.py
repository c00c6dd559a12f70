"""A rule set for captions: the text beside an image, a sound or a film.

At least two words and five characters, as in the basic filter of DataComp (Gadre et al. 2023, arXiv
2304.14108, section 4.1: more than one word and five characters); at most 256 words. Most of the
words of a good caption are distinct. Names of files and addresses are no captions.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from curate.clean.rules.features import Features
from curate.clean.rules.signals import Signal

SIGNALS: Mapping[str, Signal] = {
    "words": Signal("words; characters, in scripts without spaces", low=2, high=256),
    "chars": Signal("characters", low=5),
    "repetition": Signal("share of the words that occurred before", high=0.5),
    "file_name": Signal("1 if it is the name of a file, as IMG_1234.jpg", high=0),
    "address": Signal("1 if it is an address on the web", high=0),
}

UNSPACED_CHARS = 2
"""Characters that a caption of a script without spaces has at least, to pass as five."""

_SUFFIX = re.compile(
    r"\S(?:.*\S)?\.(?:jpe?g|png|gif|webp|tiff?|bmp|svg|heic|avif|raw|cr2|nef|psd"
    r"|mp4|m4v|mov|avi|mkv|webm|wav|mp3|flac|ogg|opus|m4a|aac)",
    re.IGNORECASE,
)
_NUMBERED = re.compile(
    r"(?:img|dsc[nf]?|pxl|mvi|vid|gopr|gh|dji|scan|image|photo|picture|video|audio|file|untitled"
    r"|unnamed|screen ?shot|whatsapp (?:image|video|audio)"
    r"|图片|图像|照片|截图|屏幕截图|微信图片|视频"
    r"|未命名)[ _\-.]*(?:\(?\d[\d _\-.:()at]*\)?)?",
    re.IGNORECASE,
)
_HASH = re.compile(r"[0-9a-f]{16,}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d[\d_\-]{6,}")
_ADDRESS = re.compile(r"(?:https?://|www\.)\S+", re.IGNORECASE)


def measure(features: Features) -> dict[str, float]:
    """The signals of a caption."""
    text = features.text.strip()
    words = [word.lower() for word in features.words]
    chars = len(text)
    if features.unspaced and chars >= UNSPACED_CHARS:
        chars = max(chars, int(SIGNALS["chars"].low or 0))
    return {
        "words": float(len(words)),
        "chars": float(chars),
        "repetition": 0.0 if features.unspaced else 1 - len(set(words)) / (len(words) or 1),
        "file_name": float(is_file_name(text)),
        "address": float(_ADDRESS.fullmatch(text) is not None),
    }


def is_file_name(text: str) -> bool:
    """Whether a text is the name of a file: by its suffix, as cameras name them, or a hash."""
    line = text.strip()
    if "\n" in line or len(line) > 255:
        return False
    return any(pattern.fullmatch(line) for pattern in (_SUFFIX, _NUMBERED, _HASH))
