"""Keys in the addresses of sources: found by the structure of an address, and refused.

Recipes, the ledger and exports are copied and kept, so no address in them may hold a key. Refused
are passwords, a lone name before the host of a store, values under a name that sounds like a key,
and values that look drawn at random, under any name and in the path of a web address. Digests and
identifiers pass there. `${NAME}` may stand in place of a key.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import unquote_plus

from curate.sources.drawn import LEAST, holds_drawn, is_hex, is_identifier, looks_drawn

VARIABLE = re.compile(r"\$\{\w+\}")
_VARIABLES = re.compile(rf"(?:{VARIABLE.pattern})+")
_SECRET = re.compile(
    r"pass(?!age|enger|ive)|pwd|secret|token(?!i[zs])|key(?!word|board|frame|note)|signature|credential"
    r"|bearer|hmac|jwt|auth(?!or(?!i[zs]))|sessid|accesscode|kennwort|wachtwoord|contrase|密码|密碼|口令|密钥|令牌"
    r"|(?:^|[^a-z])(?:sig|sas|cred|pw|upw|psw|pswd|psk|tok|tkn|otp|senha)(?:$|[^a-z])",
    re.IGNORECASE,
)
_DOUBTFUL = re.compile(
    r"session|cookie|userinfo|(?:^|[^a-z])"
    r"(?P<word>pin|mac|sid|access|api|ticket|code|pat|login|basic|hash|p|k|sk)(?:$|[^a-z])",
    re.IGNORECASE,
)
"""Names of options whose values may be keys, or plain ones as in `access=public`."""

_PLAIN = re.compile(
    r"(?:[A-Za-z]?[a-z]{0,14}|[A-Z]{1,8})(?:\d{0,4})|\d{1,8}|\d{1,4}[A-Za-z]{1,3}"
    r"|(?:[a-z]\d{1,4}){2,3}"
)
"""A part of a value that is a word, a number, a date, a version, or as in `s01e02`."""

_OF_DIGESTS = re.compile(
    r"hash|md5|sha\d|sum$|digest|etag|commit|rev|ref|version|snapshot|(?:^|[^a-z])v$|i?id$",
    re.IGNORECASE,
)
"""Names of options whose values may be digests, or identifiers in hexadecimal form."""

_HARMLESS = frozenset({"authsource", "authmechanism", "authenticator", "versionid"})
"""Options whose names sound like a key, or whose values look drawn, and that hold none."""

_OPTION = re.compile(r"(?:^|(?<=[?&;#\s]))(?P<name>[^=?&;#/\s]+)=(?=(?P<value>[^&;#]{0,256}))")
_ASIDE = re.compile(
    r"(?<=[/,(|~:!;?&#\[{])(?P<name>[^=?&;#/\s,(|~:!\[{]+)[=:]"
    r"(?=(?P<value>[^?&;#/,)|~!\]}]{1,256}))"
)
"""Options in a path or a list, as in `/lang=en/` and `sort=name:up`: most are none."""

_BARE = re.compile(r"(?<=[?&#])[^=?&;#\s]{20,1024}(?=[?&;#]|$)")
_WAY = re.compile(
    r"/(?:(?:api|access|auth|private)?[_\-]?(?:token|key)|secret|password|sig(?:nature)?|sas)"
    r"/(?P<value>[^/?#]{8,1024})",
    re.IGNORECASE,
)
"""A folder whose name says that a key follows."""

_WEB = re.compile(r"(?:https?|ftps?|webdavs?|davs?)://", re.IGNORECASE)
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
    r"[;:]\s*(?:pwd|password|accountkey|sharedaccess\w*)\s*=\s*(?!\$\{)\S"
    r"|^jdbc:[^/@]{0,64}:[^/@:]{1,64}/(?!\$\{\w+\}@)[^@]+@"
    r"|^[^/\s@]+/(?!\$\{\w+\}@)[^/\s@]+@(?://|[\w.\-]+:\d+[/:])",
    re.IGNORECASE,
)
"""Options of a database, or a name and a password as Oracle writes them."""

_ISSUED = re.compile(
    r"(?<![A-Za-z0-9])(?:(?:gh[pousr]_|github_pat_|glpat-|xox[abps]-)(?=[A-Za-z_\-]*\d)[\w\-]{12,}"
    r"|AIza(?=[\w\-]{0,34}\d)(?=[\w\-]{0,34}[A-Z])[\w\-]{35}(?![\w\-])"
    r"|A[KS]IA[A-Z0-9]{16}(?![A-Za-z0-9])|sk-[0-9a-f]{32}(?![A-Za-z0-9])"
    r"|[srp]k_(?:live|test)_\w{16,}|(?:dapi|shp(?:at|ca|pa|ss)_|dop_v1_)[0-9a-f]{32,}"
    r"|(?:ya29|hvs)\.[\w\-]{20,}|npm_[A-Za-z0-9]{36}"
    r"|eyJ[\w\-]{5,400}\.[\w\-]{4,}\.[\w\-]{4,}|bot\d{6,}:[\w\-]{20,})"
)
"""Keys by the form in which their services issue them, wherever they stand."""

_MAY_BE_ISSUED = re.compile(r"(?<![A-Za-z0-9])(?:hf_|sk-)(?P<rest>[A-Za-z0-9_\-]{16,})")
"""Forms that names of files have too: a key has a part that looks drawn."""


_WORDS = re.compile(r"[A-Za-z0-9]{16,}")
_DIGITS = re.compile(r"\d+")
_LONG = 30


def without_key(address: str, *, names_user: bool = False) -> str:
    """The address itself. ValueError, which shows nothing of it, if it holds a key.

    `names_user`: a name alone before the host is a user, as in addresses of databases. An address
    without a scheme is a path, unless a name and a password stand before a host.
    """
    if "://" in address:
        has_key = (
            _has_login(address, names_user)
            or any(_keys(address))
            or _nests_login(address)
            or (_WEB.match(address) is not None and _is_in_path(address))
        )
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
    nested = (found[0] for form in _readings(address) for found in _NESTED.finditer(form))
    return any(_has_login(own, names_user=True) for own in nested)


def _has_login(address: str, names_user: bool) -> bool:
    """Whether a password, or a name that may be a key, stands before the host.

    A password may hold `/`, `?` and `#`, which would otherwise end the host.
    """
    rest = address.partition("://")[2]
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    if "@" in authority:
        name, _, password = rest[: authority.rindex("@")].partition(":")
    elif "@" in rest and ":" in authority:
        name, _, password = rest[: rest.rindex("@")].partition(":")
        port = authority.partition(":")[2]
        if port.isdigit() and not names_user:
            return False
    else:
        return False
    if password:
        return not _VARIABLES.fullmatch(password)
    return bool(name) and not (names_user or _VARIABLES.fullmatch(name))


def _readings(address: str) -> tuple[str, ...]:
    """What stands behind the scheme, as it is written and decoded again and again."""
    forms = [address.partition("://")[2]]
    while len(forms) < 5 and (decoded := unquote_plus(forms[-1])) != forms[-1]:
        forms.append(decoded)
    return tuple(forms)


def _is_in_path(address: str) -> bool:
    """Whether a part of the path, or a word alone in the query, is a key."""
    for form in _readings(address):
        path = re.split(r"[?#]", form.partition("/")[2], maxsplit=1)[0]
        if holds_drawn(path) or any(holds_drawn(bare[0]) for bare in _BARE.finditer(form)):
            return True
        if any(_is_made(way["value"]) for way in _WAY.finditer(f"/{path}")):
            return True
    return False


def _is_made(value: str) -> bool:
    """Whether a value is hexadecimal and long, or holds digits among small letters and capitals."""
    if len(value) >= LEAST and is_hex(value):
        return True
    return value.upper() != value != value.lower() and len(_DIGITS.findall(value)) > 1


def _keys(address: str) -> Iterator[bool]:
    """Yield, for each option of an address, whether its value is a key; also of nested options."""
    for form in _readings(address):
        for option in (*_OPTION.finditer(form), *_PAIR.finditer(form)):
            yield _is_key(unquote_plus(option["name"]), unquote_plus(option["value"]).strip())
        for option in _ASIDE.finditer(form):
            name, value = unquote_plus(option["name"]), unquote_plus(option["value"])
            if _SECRET.search(name) and not _VARIABLES.fullmatch(value):
                yield not _is_plain(value, has_digits=True)


def _is_key(name: str, value: str) -> bool:
    if looks_drawn(name):
        return True
    if not value or _VARIABLES.fullmatch(value) or name.lower() in _HARMLESS:
        return False
    if _SECRET.search(name):
        return True
    if _OF_DIGESTS.search(name) and (is_hex(value) or is_identifier(value)):
        return False
    doubtful = _DOUBTFUL.search(name)
    if doubtful and not _is_plain(value, has_digits=(doubtful["word"] or "").lower() != "pin"):
        return True
    return looks_drawn(value) or (len(value) >= LEAST and is_hex(value) and not value.isdigit())


def _is_plain(value: str, *, has_digits: bool) -> bool:
    """Whether a value is made of words, and of short numbers unless these are the secret."""
    if not has_digits and any(map(str.isdigit, value)):
        return False
    return all(map(_PLAIN.fullmatch, re.split(r"[^A-Za-z0-9]+", value)))
