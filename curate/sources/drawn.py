"""Whether a value looks drawn at random, as keys are, and neither written nor computed from a file.

Words that people write change seldom between small letters, capitals and digits; drawn ones do at
nearly every character. Digests and identifiers look drawn too: they are known by their forms.
"""

from __future__ import annotations

import re

LEAST = 20
"""The characters from which a word can be told from a written one."""

_WORD = re.compile(rf"[A-Za-z0-9]{{{LEAST},}}")
_PART = re.compile(r"[A-Za-z0-9_\-]{20,}")
_RUN = re.compile(r"[A-Z]?[a-z]+|[A-Z]+|\d+")
_HEX = re.compile(r"g?[0-9a-f]+|[0-9A-F]+")
_SHARE = 0.55
"""The share of a word in long runs from which it looks written."""

_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_DIGEST = re.compile(
    r"(?:md5|sha\d{1,3}|blake2[bs]?|blake3|crc32c?|xxh\d{0,3})"
    r"[-:](?:[0-9A-Fa-f]+|[A-Za-z0-9+/_\-]{22,88}={0,2})",
    re.IGNORECASE,
)
_IDENTIFIER = re.compile(
    r"Qm[1-9A-HJ-NP-Za-km-z]{44}|b[a-z2-7]{58}"  # the content of a file, as IPFS names it
    r"|[0-7][0-9A-HJKMNP-TV-Z]{25}"  # ULID
    r"|1[\w\-]{32}|1[\w\-]{43}|0B[\w\-]{26}"  # a file or a sheet of Google's
    r"|PL[\w\-]{32}|UC[\w\-]{22}"  # a list of films, a channel
)


def is_identifier(value: str) -> bool:
    """Whether a value has the form of a UUID, of a digest after its name, or of an identifier."""
    return any(form.fullmatch(value) for form in (_UUID, _DIGEST, _IDENTIFIER))


def is_hex(value: str) -> bool:
    """Whether a value is hexadecimal, of small letters or of capitals."""
    return bool(_HEX.fullmatch(value))


def looks_drawn(value: str) -> bool:
    """Whether a word in a value looks drawn; a hexadecimal one may be a digest and does not."""
    if is_identifier(value):
        return False
    words = (word for word in _WORD.findall(value) if not is_hex(word))
    return any(map(_is_drawn, words)) or any(map(_is_joined, _PART.findall(value)))


def holds_drawn(path: str) -> bool:
    """Whether a part of a path looks drawn, or is hexadecimal and of no length of a digest."""
    for part in path.split("/"):
        name = part.partition(".")[0]
        if is_identifier(name):
            continue
        if looks_drawn(part) or any(_is_no_digest(word) for word in _WORD.findall(part)):
            return True
    return False


def _is_no_digest(word: str) -> bool:
    """Whether a hexadecimal word is longer than SHA-1 and not as long as a later digest.

    A digest may lack its first bytes, which then name the folders that it lies in.
    """
    length = len(word)
    is_digest = length <= 41 or 56 <= length <= 64 or 92 <= length <= 96 or 124 <= length <= 128
    has_both = not word.isdigit() and not word.isalpha()
    return has_both and is_hex(word) and not is_digest


def _is_joined(part: str) -> bool:
    """Whether a part with few `-` and `_`, as base64 for addresses has them, looks drawn."""
    word = re.sub(r"[_\-]", "", part)
    if is_identifier(part) or len(part) - len(word) > len(part) // 16:
        return False
    return any(map(str.isdigit, word)) and _is_mixed(word) and _changes(word, 2.4, long=4)


def _is_drawn(word: str) -> bool:
    """Whether a word changes at nearly every character.

    Of 240,000 names of files, one was told in error. 19 of 20 drawn keys are told; of letters of
    one case and digits, three of four (small) and half (capitals to base 32).
    """
    if _is_mixed(word):
        return _changes(word, 3.0, long=4)
    has_digits = len(re.findall(r"\d+", word)) > 1
    return has_digits and _changes(word, 3.3, long=6)


def _is_mixed(word: str) -> bool:
    return word.upper() != word != word.lower()


def _changes(word: str, mean: float, *, long: int) -> bool:
    """Whether runs of small letters, capitals or digits are short in the mean, and few long."""
    runs = _RUN.findall(word)
    in_long_runs = sum(len(run) for run in runs if len(run) >= long)
    return len(word) < mean * len(runs) and in_long_runs < _SHARE * len(word)
