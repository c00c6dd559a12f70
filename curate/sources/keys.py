"""Keys in the addresses of sources: found by the structure of an address, and refused.

Recipes, the ledger and exports are copied and kept, so no address in them may hold a key. Refused
are passwords, a lone name before the host of a store, values under a name that sounds like a key,
and values that look drawn at random under any name. `${NAME}` may stand in their place.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from math import log2
from urllib.parse import unquote_plus

VARIABLE = re.compile(r"\$\{\w+\}")
_VARIABLES = re.compile(rf"(?:{VARIABLE.pattern})+")
_SECRET = re.compile(
    r"pass(?!age|enger|ive)|pwd|secret|token(?!i[zs])|key(?!word|board|frame|note)|signature|credential"
    r"|bearer|hmac|jwt|auth(?!or(?!i[zs]))|sessid"
    r"|(?:^|[^a-z])(?:sig|sas|cred|code|pw|upw|tok|otp)(?:$|[^a-z])",
    re.IGNORECASE,
)
_DOUBTFUL = re.compile(
    r"session|cookie|(?:^|[^a-z])(?P<word>pin|mac|sid|access|api|ticket)(?:$|[^a-z])", re.IGNORECASE
)
"""Names of options whose values may be keys, or plain ones as in `access=public`."""

_PLAIN = re.compile(r"(?:[A-Za-z]?[a-z]{0,14}|[A-Z]{1,8})(?:\d{0,4})|\d{1,8}|\d{1,4}[A-Za-z]{1,3}")
"""A part of a value that is a word, a number, a date or a version."""

_HARMLESS = frozenset({"authsource", "authmechanism", "authenticator"})
"""Options whose names sound like a key and whose values are none."""

_OPTION = re.compile(r"(?:^|(?<=[?&;#\s]))(?P<name>[^=?&;#/\s]+)=(?=(?P<value>[^&;#]{0,1024}))")
_PAIR = re.compile(r"[\"'](?P<name>[^\"']+)[\"']\s*:\s*[\"']?(?P<value>[^\"',}]*)")
_NESTED = re.compile(r"[a-z][a-z0-9+.\-]{0,19}://[^\s\"'&;]*", re.IGNORECASE)
_LOGIN = re.compile(
    r"//[^/\s:@]+:(?!\$\{\w+\}@)[^/\s@]+@[^/\s@]+(?:/|$)"
    r"|[^/\s:@]+:(?!\$\{\w+\}@)[^/\s@]+@"
    r"(?:localhost|(?:\d+\.){3}\d+|[^/\s@:]+(?=:)|[^/\s@:]+\."
    r"(?!(?:jsonl?|csv|tsv|txt|parquet|arrow|gz|bz2|xz|zst|zip|tar|md|html?|xml|ya?ml)(?:$|/))"
    r"(?:[a-z]{2,24}|xn--[a-z0-9\-]+))(?::\d*)?(?:/|$)",
    re.IGNORECASE,
)
"""A name and a password before a host without a scheme; a version or a file is no host."""

_WITHIN = re.compile(
    r";\s*(?:pwd|password|accountkey|sharedaccess\w*)\s*=\s*(?!\$\{)\S", re.IGNORECASE
)
_ISSUED = re.compile(
    r"(?<![A-Za-z0-9])(?:(?:gh[pousr]_|github_pat_|glpat-|xox[abps]-)(?=[A-Za-z_\-]*\d)[\w\-]{12,}"
    r"|AIza(?=[\w\-]{0,34}\d)(?=[\w\-]{0,34}[A-Z])[\w\-]{35}(?![\w\-])"
    r"|AKIA[A-Z0-9]{16}(?![A-Za-z0-9])|sk-[0-9a-f]{32}(?![A-Za-z0-9])"
    r"|eyJ[\w\-]{5,400}\.[\w\-]{4,}\.[\w\-]{4,}|bot\d{6,}:[\w\-]{20,})"
)
"""Keys by the form in which their services issue them, wherever they stand."""

_MAY_BE_ISSUED = re.compile(r"(?<![A-Za-z0-9])(?:hf_|sk-)(?P<rest>[A-Za-z0-9_\-]{16,})")
"""Forms that names of files have too: a key has a part that looks drawn."""


_WORDS = re.compile(r"[A-Za-z0-9]{16,}")
_DIGITS = re.compile(r"\d+")
_LONG = 30

_DRAWN = re.compile(r"[A-Za-z0-9_+/=\-]{20,}")
_BITS = 3.5
"""The entropy of a character from which a value of letters and digits looks drawn at random."""


def without_key(address: str, *, names_user: bool = False) -> str:
    """The address itself. ValueError, which shows nothing of it, if it holds a key.

    `names_user`: a name alone before the host is a user, as in addresses of databases. An address
    without a scheme is a path, unless a name and a password stand before a host.
    """
    if "://" in address:
        has_key = _has_login(address, names_user) or any(_keys(address)) or _nests_login(address)
    else:
        has_key = bool(_LOGIN.match(address) or _WITHIN.search(address))
    if has_key or _ISSUED.search(address) or _has_issued(address):
        raise ValueError(
            "an address holds a key: leave it out, or name a variable of the environment "
            "in its place, as in `postgresql://reader:${PASSWORD}@host/db`"
        )
    return address


def _has_issued(address: str) -> bool:
    """Whether a part between `-` and `_` is drawn from small letters, capitals and digits.

    Keys of some services have no digits: a long part of small letters and capitals counts as well.
    """
    words = (
        word for key in _MAY_BE_ISSUED.finditer(address) for word in _WORDS.findall(key["rest"])
    )
    return any(
        word.upper() != word != word.lower()
        and (len(word) >= _LONG or len(_DIGITS.findall(word)) > 1)
        for word in words
    )


def _nests_login(address: str) -> bool:
    """Whether an address that stands within this one, perhaps encoded, has a password."""
    rest = address.partition("://")[2]
    forms = (rest, unquote_plus(rest), unquote_plus(unquote_plus(rest)))
    nested = (found[0] for form in forms for found in _NESTED.finditer(form))
    return any(_has_login(own, names_user=True) for own in nested)


def _has_login(address: str, names_user: bool) -> bool:
    """Whether a password, or a name that may be a key, stands before the host.

    A password may hold `/`, `?` and `#`, which would otherwise end the host.
    """
    rest = address.partition("://")[2]
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    if "@" in authority:
        name, colon, password = rest[: authority.rindex("@")].partition(":")
    elif "@" in rest and ":" in authority:
        name, colon, password = rest[: rest.rindex("@")].partition(":")
        port = authority.partition(":")[2]
        if port.isdigit() and not names_user:
            return False
    else:
        return False
    if colon:
        return bool(password) and not _VARIABLES.fullmatch(password)
    return bool(name) and not (names_user or _VARIABLES.fullmatch(name))


def _keys(address: str) -> Iterator[bool]:
    """Yield, for each option of an address, whether its value is a key; also of nested options."""
    rest = address.partition("://")[2]
    for written in dict.fromkeys((rest, unquote_plus(rest), unquote_plus(unquote_plus(rest)))):
        for option in (*_OPTION.finditer(written), *_PAIR.finditer(written)):
            yield _is_key(unquote_plus(option["name"]), unquote_plus(option["value"]).strip())


def _is_key(name: str, value: str) -> bool:
    if not value or _VARIABLES.fullmatch(value):
        return False
    if _SECRET.search(name) and name.lower() not in _HARMLESS:
        return True
    doubtful = _DOUBTFUL.search(name)
    if doubtful and not _is_plain(value, has_digits=(doubtful["word"] or "").lower() != "pin"):
        return True
    return bool(_DRAWN.fullmatch(value)) and _looks_drawn(value)


def _is_plain(value: str, *, has_digits: bool) -> bool:
    """Whether a value is made of words, and of short numbers unless these are the secret."""
    if not has_digits and any(map(str.isdigit, value)):
        return False
    return all(map(_PLAIN.fullmatch, re.split(r"[^A-Za-z0-9]+", value)))


def _looks_drawn(value: str) -> bool:
    counts = Counter(value)
    entropy = -sum(n / len(value) * log2(n / len(value)) for n in counts.values())
    has_both = any(map(str.isdigit, value)) and any(map(str.isalpha, value))
    return has_both and entropy >= _BITS
