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
    r"|bearer|hmac|jwt|auth(?!or(?!i[zs]))|session|sessid|cookie"
    r"|(?:^|[^a-z])(?:sig|sas|cred|code|pw|upw|tok|otp|pin|mac|sid|access|api|ticket)(?:$|[^a-z])",
    re.IGNORECASE,
)
_HARMLESS = frozenset({"authsource", "authmechanism", "authenticator"})
"""Options whose names sound like a key and whose values are none."""

_OPTION = re.compile(r"(?:^|(?<=[?&;#\s]))(?P<name>[^=?&;#/\s]+)=(?=(?P<value>[^&;#]*))")
_PAIR = re.compile(r"[\"'](?P<name>[^\"']+)[\"']\s*:\s*[\"']?(?P<value>[^\"',}]*)")
_NESTED = re.compile(r"[a-z][a-z0-9+.\-]*://[^\s\"'&;]*", re.IGNORECASE)
_LOGIN = re.compile(r"(?://)?[^/\s:@]+:[^/\s@]+@[^/\s@]+(?:/|$)")
_WITHIN = re.compile(
    r";\s*(?:pwd|password|accountkey|sharedaccess\w*)\s*=\s*(?!\$\{)\S", re.IGNORECASE
)
_ISSUED = re.compile(
    r"\b(?:hf_|gh[pousr]_|github_pat_|glpat-|xox[abps]-|sk-|AKIA|AIza)[A-Za-z0-9_\-]{12,}"
    r"|\beyJ[\w\-]{5,}\.[\w\-]{4,}\.[\w\-]{4,}|\bbot\d{6,}:[\w\-]{20,}"
)
"""Keys by the form in which their services issue them, wherever they stand."""

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
    if has_key or _ISSUED.search(address):
        raise ValueError(
            "an address holds a key: leave it out, or name a variable of the environment "
            "in its place, as in `postgresql://reader:${PASSWORD}@host/db`"
        )
    return address


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
    return bool(_DRAWN.fullmatch(value)) and _looks_drawn(value)


def _looks_drawn(value: str) -> bool:
    counts = Counter(value)
    entropy = -sum(n / len(value) * log2(n / len(value)) for n in counts.values())
    has_both = any(map(str.isdigit, value)) and any(map(str.isalpha, value))
    return has_both and entropy >= _BITS
