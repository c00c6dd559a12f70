"""Personal data and secrets: found by form, checked by arithmetic, flagged, masked or dropped.

email  an address with a host that can be one
phone  international, Chinese (mobile and area code), North American; others after a word like "tel"
ip     public IPv4 and IPv6 addresses; small numbers are a version unless a word says address
card   payment cards: issuer's range, length, grouping, Luhn's check digit (ISO/IEC 7812)
id     Chinese resident identity numbers: region, date, check digit (GB 11643-1999)
key    private key blocks, tokens with a known prefix, JWT, passwords in URLs, and assignments to
       names such as `api_key` whose value looks drawn at random

Precision goes before recall: a date, an ISBN, a hash or a price must not be taken for a person. Not
found: names, postal addresses, spelt-out addresses ("me at example dot org"), addresses in other
letters than ASCII, weak passwords.
What was found is counted and placed, never copied: no value leaves this module.
"""

from __future__ import annotations

import json
import re
from bisect import bisect
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import date
from ipaddress import ip_address
from math import log2
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple, get_args

from pydantic import Field, model_validator

from curate.spec import Spec
from curate.text import Edit, spans

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from curate.clean.edits import Batch
    from curate.workspace import Workspace

Kind = Literal["email", "phone", "ip", "card", "id", "key"]
Action = Literal["flag", "mask", "drop"]

KINDS: tuple[Kind, ...] = get_args(Kind)
UNSHOWN = "privacy:unshown"
SIGNALS = (*(f"privacy:{kind}" for kind in KINDS), UNSHOWN)


class Found(NamedTuple):
    """Where something private stands: half-open code points, and of what kind it is."""

    start: int
    end: int
    kind: Kind


_WIDE = re.compile("[０-９＠]")
_NARROW = {ord(char) + 0xFEE0: char for char in "0123456789ABCDEFXx@+-._"}


def find(text: str) -> list[Found]:
    """Return everything private in a text, in order, without overlaps; the surer kind wins.

    Full-width digits are digits: １３８ is 138.
    """
    if not text.isascii() and _WIDE.search(text):
        text = text.translate(_NARROW)  # character by character: places stay
    found: list[Found] = []
    for kind, finder in _FINDERS.items():
        for start, end in finder(text):
            at = bisect(found, (start,))
            before, after = found[at - 1 : at], found[at : at + 1]
            if (not before or before[0].end <= start) and (not after or end <= after[0].start):
                found.insert(at, Found(start, end, kind))
    return found


def masks(found: Iterable[Found], kinds: Collection[Kind]) -> list[Edit]:
    """Return the edits that put a placeholder such as `[email]` in the place of what is masked."""
    return [(start, end, f"[{kind}]") for start, end, kind in found if kind in kinds]


class PrivacySpec(Spec):
    """What is done with each kind: counted only, masked, or the document dropped."""

    email: Annotated[Action, Field(description="E-mail addresses.")] = "flag"
    phone: Annotated[Action, Field(description="Phone numbers.")] = "flag"
    ip: Annotated[Action, Field(description="Public network addresses.")] = "flag"
    card: Annotated[Action, Field(description="Payment cards.")] = "flag"
    id: Annotated[Action, Field(description="Chinese identity numbers.")] = "flag"
    key: Annotated[Action, Field(description="Keys, tokens and passwords.")] = "flag"

    @model_validator(mode="before")
    @classmethod
    def _one_for_all(cls, given: Any) -> Any:
        return dict.fromkeys(KINDS, given) if isinstance(given, str) else given

    def kinds(self, action: Action) -> tuple[Kind, ...]:
        """Return the kinds with which this is done."""
        return tuple(kind for kind in KINDS if getattr(self, kind) == action)


class Privacy:
    """The instrument: a count of each kind, and the masks as edits.

    A field that the document's text does not show can hold no mask: `privacy:unshown` counts what
    should be masked there, and such a document is dropped.
    """

    def prepare(self, workspace: Workspace, settings: PrivacySpec) -> tuple[Kind, ...]:
        return settings.kinds("mask")

    def measure(self, batch: Batch, prepared: tuple[Kind, ...]) -> Mapping[str, pa.Array]:
        import numpy as np
        import pyarrow as pa

        numbers = np.zeros((len(batch.texts), len(KINDS) + 1), np.float32)
        fields, template = (batch.pool[name].to_pylist() for name in ("fields", "template"))
        for place, text in enumerate(batch.texts):
            found = find(text)
            if found:
                batch.edit(place, masks(found, prepared))
            unshown = list(_unshown(fields[place], template[place])) if fields[place] else []
            for row in (*found, *unshown):
                numbers[place, KINDS.index(row.kind)] += 1
            numbers[place, -1] = sum(row.kind in prepared for row in unshown)
        return {name: pa.array(numbers[:, at]) for at, name in enumerate(SIGNALS)}

    def fails(self, measured: pa.Table, settings: PrivacySpec) -> NDArray[np.bool_]:
        import numpy as np

        failed = measured[UNSHOWN].to_numpy() > 0
        for kind in settings.kinds("drop"):
            failed = failed | (measured[f"privacy:{kind}"].to_numpy() > 0)
        return np.asarray(failed, np.bool_)


def _unshown(fields: str, template: str | None) -> Iterator[Found]:
    """Yield what is private in the fields that the text does not show; images are not read."""
    values = dict(json.loads(fields))
    for name in values.keys() - spans(values, template).keys():
        if not values[name].startswith("data:"):
            yield from find(values[name])


Spans = Iterator[tuple[int, int]]

# ── numbers: nothing is looked for where no run of digits is long enough

_RUN = re.compile(r"\d[\d ().\-/]{5,}\d|\d{7}", re.ASCII)
_BEFORE = r"(?<![0-9A-Za-z_.=/#\-$€£¥])"
_AFTER = r"(?![0-9A-Za-z_=\-]|\.\d)"

# ── payment cards

_CARD = re.compile(
    rf"(?:{_BEFORE}|(?<=[Cc]ard=)|(?<=[Nn]umber=))"
    + r"(?:[2-6]\d{13,18}|[2-6]\d{3}([ \-])\d{4}\1\d{4}\1\d{4}(?:\1\d{3})?"
    r"|3\d{3}([ \-])\d{6}\2\d{4,5})" + _AFTER,
    re.ASCII,
)
_ISSUER = re.compile(
    r"4(?:\d{15}|\d{18})|5[1-5]\d{14}|(?:222[1-9]|22[3-9]\d|2[3-6]\d\d|27[01]\d|2720)\d{12}"
    r"|3[47]\d{13}|6(?:011|5\d\d|4[4-9]\d)\d{12}|35(?:2[89]|[3-8]\d)\d{12}|3(?:0[0-5]|[68]\d)\d{11}"
    r"|62\d{14,17}"
)


def _cards(text: str) -> Spans:
    if not _RUN.search(text):
        return
    for match in _CARD.finditer(text):
        digits = re.sub(r"[ \-]", "", match[0])
        if _ISSUER.fullmatch(digits) and luhn(digits):
            yield match.span()


def luhn(digits: str) -> bool:
    """Whether the last digit is Luhn's check digit of the others, and they are not all the same."""
    doubled = [int(d) * (2 if place % 2 else 1) for place, d in enumerate(reversed(digits))]
    return sum(n - 9 if n > 9 else n for n in doubled) % 10 == 0 and len(set(digits)) > 1


# ── Chinese resident identity numbers

_REGION = r"(?:1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5]|71|8[1-3])"
_ID = re.compile(
    r"(?<![0-9A-Za-z_.])" + _REGION + r"\d{4}([ \-]?)(?:19|20)\d{6}\1\d{3}[\dXx](?![0-9A-Za-z_])",
    re.ASCII,
)
_WEIGHTS = tuple(2 ** (17 - place) % 11 for place in range(17))


def _ids(text: str) -> Spans:
    if not _RUN.search(text):
        return
    for match in _ID.finditer(text):
        if chinese_id(re.sub("[ -]", "", match[0])):
            yield match.span()


def chinese_id(number: str) -> bool:
    """Whether 18 characters have a date and a check digit (ISO 7064 MOD 11-2) as they should."""
    try:
        date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return False
    total = sum(weight * int(d) for weight, d in zip(_WEIGHTS, number, strict=False))
    return number[-1].upper() == "10X98765432"[total % 11]


# ── network addresses

_OCTET = r"(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"
_IP4 = re.compile(
    rf"(?<![0-9A-Za-z_.\-])(?<![A-Za-z]/)(?:{_OCTET}\.){{3}}{_OCTET}(?![0-9A-Za-z_]|[.\-]\d)",
    re.ASCII,
)
_IP6 = re.compile(r"(?<![0-9A-Za-z:.])[23][0-9A-Fa-f]{3}:[0-9A-Fa-f:]{2,34}(?![0-9A-Za-z:]|\.\d)")
_VERSION_WORD = re.compile(r"(?:\bv|\bver|version|release|build|版本|版)[ .:：]*$", re.IGNORECASE)
_ADDRESS_WORD = re.compile(r"(?<![a-z])ip|addr|server|host|from|ping|地址|服务器", re.IGNORECASE)
_SMALL = 32


def _addresses(text: str) -> Spans:
    if text.count(".") >= 3:
        for match in _IP4.finditer(text):
            before = text[max(0, match.start() - 24) : match.start()]
            # Small numbers are a version, and so are those that a package is set equal to.
            doubtful = sum(int(part) < _SMALL for part in match[0].split(".")) >= 3
            doubtful |= before.endswith("=")
            if _VERSION_WORD.search(before) or (doubtful and not _ADDRESS_WORD.search(before)):
                continue
            if ip_address(match[0]).is_global:
                yield match.span()
    if text.count(":") >= 2:
        for match in _IP6.finditer(text):
            whole = match[0].rstrip(":") if not match[0].endswith("::") else match[0]
            try:
                public = ip_address(whole).is_global
            except ValueError:
                continue
            if public:
                yield match.start(), match.start() + len(whole)


# ── phones

_MOBILE = r"1(?:3\d|4[5-9]|5[0-35-9]|6[2567]|7[0-8]|8\d|9[0-35-9])"
_CODE = re.compile(
    r"(?:1|7|2(?:0|7|[1-689]\d)|3(?:[0-4]|6|9|[578]\d)|4(?:[013-9]|2\d)|5(?:[1-8]|[09]\d)"
    r"|6(?:[0-6]|[789]\d)|8(?:[1246]|[05]\d|8\d)|9(?:[0-58]|[679]\d))"
)
_LINE = r"(?<![0-9A-Za-z_.=#\-$€£¥+])(?<![^0-9]/)"
_AREA = r"0(?:10|2\d|[3-9]\d\d)"
_NORTH = r"(?:\([2-9]\d\d\) ?[2-9]\d\d[\-.]|[2-9]\d\d(?P<dash>[\-.])[2-9]\d\d(?P=dash))\d{4}"
_PHONES = re.compile(
    # +44 20 7946 0958, +49 (0) 30 52005, 0086-138-0013-8000
    r"(?P<world>(?<![0-9A-Za-z_.+)])(?:\+|00(?=86))[1-9](?:[ .\-/]?\(?\d\)?){6,16})"
    # 138 0013 8000, 13800138000, 86-13800138000
    rf"|{_LINE}(?:(?:86-)?(?P<mobile>{_MOBILE}(?P<gap>[ \-]?)\d{{4}}(?P=gap)\d{{4}})"
    # 010-62345678, (0755) 8234 5678
    rf"|(?:\({_AREA}\) ?|（{_AREA}）|{_AREA}[\- ])[2-8]\d{{2,3}}[ \-]?\d{{4}}"
    # (212) 555-0123, 212-555-0123
    rf"|(?:1[\-. ])?{_NORTH}){_AFTER}",
    re.ASCII,
)
_SAID = re.compile(
    r"(?:\b(?:tel(?:[eéè]f\w{0,12}|ephone)?|tél(?:éphone)?|tlf|mob(?:il|ile)?|cell|fax|faksi?|gsm"
    r"|phone|puh(?:elin)?|whatsapp|call|тел(?:ефон)?)\b|电话|電話|手机|手機|传真|傳真|联系方式"
    r"|携帯|전화|휴대)(?: (?:us|me|him|her|number|no|nr|at|on)\b){0,2}[.:：)]{0,2}\s{0,2}"
    r"(\+?\(?[0-9][0-9 ().\-/]{5,17}[0-9])(?![0-9A-Za-z_])",
    re.IGNORECASE,
)
_PHONE_WORD = re.compile(
    r"tel|phone|mobile|cell|call|text|contact|whatsapp|wechat|sms|[\u4e00-\u9fff]", re.IGNORECASE
)
_NO_PHONE = re.compile(
    r"(?:19|20)\d\d([\-./ ])\d{1,2}\1\d{1,2}|\d{1,2}([\-./ ])\d{1,2}\2(?:19|20)\d\d"  # dates
    r"|(?:19|20)\d\d ?[\-/] ?(?:19|20)\d\d|(?:19|20)\d\d(?:0\d|1[0-2])[0-3]\d"  # years, a date
    r"|\d{1,3}(?:[. ]\d{3})+|\d+\.\d+|\d+(?:\.\d+){3}"  # amounts, decimals, versions
    r"|\d\d?\.\d\d ?- ?\d\d?\.\d\d|.*\((?:19|20)\d\d\).*"  # hours, a journal's volume (year)
)


def _phones(text: str) -> Spans:
    if not _RUN.search(text):
        return
    match = _PHONES.search(text)
    while match:
        end = match.start() + _phone(match, text)
        if end > match.start():
            yield match.start(), end
        match = _PHONES.search(text, max(end, match.start() + 1))
    for match in _SAID.finditer(text):
        if 7 <= len(_digits(match[1])) <= 15 and not _NO_PHONE.fullmatch(match[1]):
            yield match.span(1)


def _phone(match: re.Match[str], text: str) -> int:
    """Return how many characters of a match are a phone number; 0 if it is none."""
    # Eleven digits in a row are an order number as well, and +70.19616341 is a number:
    # something near has to say phone.
    doubtful = (match["mobile"] and not match["gap"]) or re.fullmatch(r"\+\d+\.\d+", match[0])
    if doubtful and not _PHONE_WORD.search(text[max(0, match.start() - 30) : match.end() + 10]):
        return 0
    return _international(match[0]) if match["world"] else len(match[0])


def _international(written: str) -> int:
    """Return how much of what begins like an international number is one; 0 if none is.

    Groups of digits that follow may be another number: they are left out until what is left fits.
    """
    ends = [at for at in range(8, len(written) + 1) if not written[at : at + 1].isdigit()]
    for end in reversed(ends):
        if _is_international(_digits(written[:end]).removeprefix("00")):
            return end
    return 0


def _is_international(digits: str) -> bool:
    if digits.startswith("1"):
        return re.fullmatch(r"1[2-9]\d\d[2-9]\d{6}", digits) is not None
    if digits.startswith("86"):
        return re.fullmatch(rf"86(?:{_MOBILE}\d{{8}}|0?[1-9]\d{{8,10}})", digits) is not None
    return 9 <= len(digits) <= 15 and len(set(digits)) > 2 and bool(_CODE.match(digits))


def _digits(written: str) -> str:
    return re.sub("[^0-9]", "", written)


# ── e-mail

_LOCAL = re.compile(r"[A-Za-z0-9_%+][A-Za-z0-9._%+\-]{0,63}\Z")
_HOST = re.compile(
    r"(?:[A-Za-z0-9](?:[A-Za-z0-9\-]{0,61}[A-Za-z0-9])?\.)+([A-Za-z]{2,24})(?![A-Za-z0-9@])"
)
_NO_DOMAIN = frozenset(
    [
        *("css", "dll", "exe", "gif", "gz", "htm", "html", "jpeg", "jpg", "js", "json", "jsx"),
        *("pdf", "png", "scss", "svg", "tgz", "toml", "ts", "tsx", "txt", "webp", "xml", "yaml"),
        *("yml", "example", "invalid", "local", "localhost", "test"),  # reserved: RFC 2606, 6762
    ]
)
_NO_PERSON = frozenset(("git", "hg", "svn"))


def _emails(text: str) -> Spans:
    at = text.find("@")
    while at >= 0:
        host = _HOST.match(text, at + 1)
        if host and host[1].lower() not in _NO_DOMAIN:
            local = _LOCAL.search(text, max(0, at - 64), at)
            if local and local[0].lower() not in _NO_PERSON:
                yield local.start(), host.end()
        at = text.find("@", at + 1)


# ── keys

_PREFIXES: dict[str, str] = {
    "AKIA": r"AKIA[0-9A-Z]{16}",
    "ASIA": r"ASIA[0-9A-Z]{16}",
    "LTAI": r"LTAI[0-9A-Za-z]{12,26}",
    "AKID": r"AKID[0-9A-Za-z]{28,40}",
    "AIza": r"AIza[0-9A-Za-z_\-]{35}",
    "ya29.": r"ya29\.[0-9A-Za-z_\-]{20,}",
    "ghp_": r"ghp_[0-9A-Za-z]{36,}",
    "gho_": r"gho_[0-9A-Za-z]{36,}",
    "ghu_": r"ghu_[0-9A-Za-z]{36,}",
    "ghs_": r"ghs_[0-9A-Za-z]{36,}",
    "ghr_": r"ghr_[0-9A-Za-z]{36,}",
    "github_pat_": r"github_pat_[0-9A-Za-z_]{22,}",
    "glpat-": r"glpat-[0-9A-Za-z_\-]{20,}",
    "xox": r"xox[abeprs]-[0-9A-Za-z\-]{10,}",
    "sk-": r"sk-[0-9A-Za-z_\-]{20,}",
    "_live_": r"[srp]k_live_[0-9A-Za-z]{16,}",
    "_test_": r"[sr]k_test_[0-9A-Za-z]{16,}",
    "npm_": r"npm_[0-9A-Za-z]{36}",
    "pypi-": r"pypi-[0-9A-Za-z_\-]{60,}",
    "hf_": r"hf_[0-9A-Za-z]{30,}",
    "SG.": r"SG\.[0-9A-Za-z_\-]{16,}\.[0-9A-Za-z_\-]{16,}",
    "dop_v1_": r"dop_v1_[0-9a-f]{64}",
    "shpat_": r"shpat_[0-9a-f]{32}",
    "eyJ": r"eyJ[0-9A-Za-z_\-]{8,}\.eyJ[0-9A-Za-z_\-]{8,}\.[0-9A-Za-z_\-]{8,}",
}
_TOKENS = {
    mark: re.compile(rf"(?<![0-9A-Za-z_\-]){form}(?![0-9A-Za-z])")
    for mark, form in _PREFIXES.items()
}
_BLOCK = re.compile(
    r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----"
    r"(?:(?!-----).)*(?:-----END (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----)?",
    re.DOTALL,
)
_URL_PASSWORD = re.compile(r"://[^\s/:@\"'<>]{0,64}:([^\s/@\"'<>]{3,128})@(?=[0-9A-Za-z\[])")
_ASSIGNED = re.compile(
    r"(?:(?:api|access|account|private)_?-?key|secret|token|passw(?:or)?d|passphrase|credential"
    r"|\bbearer)[0-9A-Za-z_]{0,16}[\"']?\s{0,3}(?:(?::=|=>|=|:)\s{0,3}[\"']?|(?<=bearer) )"
    r"([0-9A-Za-z+/_\-=.~!@#$%^&*]{16,256}+)(?!\()",  # a call is no value
    re.IGNORECASE,
)
_NAMES = ("key", "secret", "token", "passw", "passphrase", "credential", "bearer")
_DUMMY = re.compile(
    r"x{4,}|\*{3,}|\.{3}|[{}<>\[\]]|^\$[a-z_]|example|sample|dummy|placeholder|change|your|todo"
    r"|redacted|environ|getenv|config|0{6,}|1234567|abcdef",
    re.IGNORECASE,
)
_WORDS = frozenset(("pass", "passwd", "password", "pwd", "pw", "secret", "token", "tiger"))
"""What documentation writes for a password."""


def _keys(text: str) -> Spans:
    for mark, form in _TOKENS.items():
        if mark in text:
            for match in form.finditer(text):
                if mark != "sk-" or _is_random(match[0][3:]):
                    yield match.span()
    if "PRIVATE KEY" in text:
        for match in _BLOCK.finditer(text):
            yield match.start(), match.start() + len(match[0].rstrip())
    if "://" in text and "@" in text:
        for match in _URL_PASSWORD.finditer(text):
            if not _DUMMY.search(match[1]) and match[1].lower() not in _WORDS:
                yield match.span(1)
    if "=" in text or ":" in text:
        low = text.lower()
        if any(name in low for name in _NAMES):
            for match in _ASSIGNED.finditer(text):
                if _is_random(match[1]):
                    yield match.span(1)


def _is_random(value: str) -> bool:
    """Whether a value looks drawn at random: letters and digits, high entropy, no stand-in."""
    kinds = sum(any(map(test, value)) for test in (str.isdigit, str.islower, str.isupper))
    if not any(map(str.isdigit, value)) or kinds < 2 or _DUMMY.search(value):
        return False
    return entropy(value) >= (3.0 if re.fullmatch(r"[0-9a-fA-F\-]+", value) else 3.5)


def entropy(value: str) -> float:
    """Return the Shannon entropy of the characters of a string, in bits per character."""
    n = len(value)
    return -sum(count / n * log2(count / n) for count in Counter(value).values())


_FINDERS: dict[Kind, Callable[[str], Spans]] = {
    "key": _keys,
    "email": _emails,
    "id": _ids,
    "card": _cards,
    "ip": _addresses,
    "phone": _phones,
}
"""In the order of sureness: where two overlap, the first is right."""
