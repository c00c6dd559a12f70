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
    r"pass|pwd|secret|token|key|signature|credential|bearer|hmac|jwt|auth"
    r"|(?:^|[^a-z])(?:sig|sas|cred|code|pw)(?:$|[^a-z])",
    re.IGNORECASE,
)
_HARMLESS = frozenset({"authsource", "authmechanism", "authenticator"})
"""Options whose names sound like a key and whose values are none."""

_OPTION = re.compile(r"(?:^|[?&;#\s])(?P<name>[^=?&;#/\s]+)=(?P<value>[^&;#]*)")
_DRAWN = re.compile(r"[A-Za-z0-9_+/=\-]{20,}")
_BITS = 3.5
"""The entropy of a character from which a value of letters and digits looks drawn at random."""


def without_key(address: str, *, names_user: bool = False) -> str:
    """The address itself. ValueError, which shows nothing of it, if it holds a key.

    `names_user`: a name alone before the host is a user, as in addresses of databases.
    """
    if "://" in address and (_has_login(address, names_user) or any(_keys(address))):
        raise ValueError(
            "an address holds a key: leave it out, or name a variable of the environment "
            "in its place, as in `postgresql://reader:${PASSWORD}@host/db`"
        )
    return address


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
        for option in _OPTION.finditer(written):
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
