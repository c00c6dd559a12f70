"""Kinds and formats of media: by their first bytes, and by the suffixes of files.

Every format is read by the one parser that it names, so a file never chooses its parser.
"""

from __future__ import annotations

import re

from curate.media.medium import Kind

HEAD = 4096
"""So many first bytes tell the format."""

SUFFIXES: dict[Kind, dict[str, str]] = {
    "image": {
        **{".png": "png", ".jpg": "jpeg", ".jpeg": "jpeg", ".jpe": "jpeg", ".gif": "gif"},
        **{".webp": "webp", ".bmp": "bmp", ".tif": "tiff", ".tiff": "tiff", ".avif": "avif"},
        **{".heic": "heic", ".heif": "heic"},
    },
    "audio": {
        **{".wav": "wav", ".flac": "flac", ".mp3": "mp3", ".ogg": "ogg", ".oga": "ogg"},
        **{".opus": "ogg", ".m4a": "m4a", ".aac": "aac", ".aif": "aiff", ".aiff": "aiff"},
    },
    "video": {
        **{".mp4": "mp4", ".m4v": "mp4", ".mov": "mov", ".webm": "webm", ".mkv": "mkv"},
        **{".avi": "avi", ".ogv": "ogg", ".mpg": "mpeg", ".mpeg": "mpeg"},
    },
}
"""The suffixes of each kind, and the format that they promise."""

FORMAT_OF: dict[str, str] = {
    suffix: format for suffixes in SUFFIXES.values() for suffix, format in suffixes.items()
}

KIND_OF: dict[str, Kind] = {
    suffix: kind for kind, suffixes in SUFFIXES.items() for suffix in suffixes
}

PILLOW = {
    **{"png": "PNG", "jpeg": "JPEG", "gif": "GIF", "webp": "WEBP", "bmp": "BMP"},
    **{"tiff": "TIFF", "avif": "AVIF", "heic": "HEIF"},
}
"""The parser of Pillow that reads a format of images; that of HEIC is a package of its own."""

DEMUXERS = {
    **{"wav": "wav", "flac": "flac", "mp3": "mp3", "ogg": "ogg", "m4a": "mov", "aac": "aac"},
    **{"aiff": "aiff", "mp4": "mov", "mov": "mov", "webm": "matroska", "mkv": "matroska"},
    **{"avi": "avi", "mpeg": "mpeg"},
}
"""The demuxer of FFmpeg that reads a format of audio or video; others, such as playlists, which
open further files, are never asked."""

FAMILIES: tuple[frozenset[str], ...] = (
    frozenset({"mp4", "m4a", "mov"}),
    frozenset({"webm", "mkv"}),
)
"""Formats of one container: a suffix of one of them fits all."""

MEDIA_TYPES = {
    **{name: f"image/{name}" for name in PILLOW},
    **{"wav": "audio/wav", "flac": "audio/flac", "mp3": "audio/mpeg", "ogg": "audio/ogg"},
    **{"m4a": "audio/mp4", "aac": "audio/aac", "aiff": "audio/aiff", "mp4": "video/mp4"},
    **{"mov": "video/quicktime", "webm": "video/webm", "mkv": "video/x-matroska"},
    **{"avi": "video/x-msvideo", "mpeg": "video/mpeg"},
}
"""The media type of each format, as a server of files names it."""

_STARTS: tuple[tuple[bytes, Kind, str], ...] = (
    (b"\x89PNG\r\n\x1a\n", "image", "png"),
    (b"\xff\xd8\xff", "image", "jpeg"),
    (b"GIF87a", "image", "gif"),
    (b"GIF89a", "image", "gif"),
    (b"II*\0", "image", "tiff"),
    (b"MM\0*", "image", "tiff"),
    (b"fLaC", "audio", "flac"),
    (b"OggS", "audio", "ogg"),
    (b"ID3", "audio", "mp3"),
    (b"\0\0\1\xba", "video", "mpeg"),
    (b"\0\0\1\xb3", "video", "mpeg"),
)

_RIFF: dict[bytes, tuple[Kind, str]] = {
    b"WEBP": ("image", "webp"),
    b"WAVE": ("audio", "wav"),
    b"AVI ": ("video", "avi"),
}

_BRANDS: dict[bytes, tuple[Kind, str]] = {
    **{b"avif": ("image", "avif"), b"avis": ("image", "avif"), b"M4A ": ("audio", "m4a")},
    **{b"M4B ": ("audio", "m4a"), b"qt  ": ("video", "mov")},
    **dict.fromkeys((b"heic", b"heix", b"heim", b"heis"), ("image", "heic")),
}

_STILLS = (b"mif1", b"msf1", b"heif")
"""Brands of still images, whose codec another brand tells."""

_STRANGERS: tuple[tuple[re.Pattern[bytes], str], ...] = (
    (re.compile(rb"<svg[\s>]", re.IGNORECASE), "an SVG, which may hold scripts"),
    (re.compile(rb"<(!doctype\s+)?html[\s>]", re.IGNORECASE), "a page of HTML"),
    (re.compile(rb"\A(\xef\xbb\xbf)?#EXTM3U"), "a playlist, which opens other files"),
    (re.compile(rb"\A%PDF-"), "a PDF"),
    (re.compile(rb"\A%!PS"), "PostScript, which is a program"),
    (re.compile(rb"\APK\x03\x04"), "a ZIP archive"),
    (re.compile(rb"\A(MZ|\x7fELF)"), "a program"),
)


def kind_and_format(head: bytes) -> tuple[Kind, str] | None:
    """The kind and format of a file by its first bytes (`HEAD` of them); None if not known.

    A container of sound alone, such as an MP4 without pictures, is told as video: `probe` sees it.
    """
    for start, kind, format in _STARTS:
        if head.startswith(start):
            is_theora = format == "ogg" and b"theora" in head[:512]
            return ("video" if is_theora else kind), format
    if head[:4] in (b"RIFF", b"RF64"):
        return _RIFF.get(head[8:12])
    if head[4:8] == b"ftyp":
        if head[8:12] in _STILLS:
            return "image", "avif" if b"avif" in head[16:64] else "heic"
        return _BRANDS.get(head[8:12], ("video", "mp4"))
    if head[4:8] in (b"moov", b"mdat", b"wide") and len(head) > 16:
        return "video", "mov"
    if head[:4] == b"FORM" and head[8:12] in (b"AIFF", b"AIFC"):
        return "audio", "aiff"
    if head[:4] == b"\x1aE\xdf\xa3":
        return "video", "webm" if b"webm" in head[:64] else "mkv"
    if head[:2] == b"BM" and head[6:10] == bytes(4):
        return "image", "bmp"
    return _bare_audio(head)


def _bare_audio(head: bytes) -> tuple[Kind, str] | None:
    """MP3 and AAC without a header: a frame's sync word alone."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return None
    layer = head[1] & 0x06
    if head[1] & 0xF6 == 0xF0:
        return "audio", "aac"
    return ("audio", "mp3") if layer == 0x02 else None


def stranger(head: bytes) -> str:
    """What a file is that is no medium, for its reason; empty if that is not known."""
    names = (name for pattern, name in _STRANGERS if pattern.search(head))
    return next(names, "")


def fits(suffix: str, format: str) -> bool:
    """Whether a file's suffix, in lower case, may stand for a format; one not known fits all."""
    promised = FORMAT_OF.get(suffix)
    if promised is None or promised == format:
        return True
    return any({promised, format} <= family for family in FAMILIES)
