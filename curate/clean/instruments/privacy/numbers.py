"""Payment cards, resident identity numbers and IP addresses in a text."""

from __future__ import annotations

import re
from datetime import date
from ipaddress import ip_address

from curate.clean.instruments.privacy.forms import AFTER, BEFORE, RUN, Spans
from curate.scripts import STARTS

_CARD = re.compile(
    rf"(?:{BEFORE}|(?<=[Cc]ard=)|(?<=[Nn]umber=)|(?<=#))"
    + r"(?:[2-6]\d{13,18}|[2-6]\d{3}([ \t\-])\d{4}\1\d{4}\1\d{4}(?:\1\d{3})?"
    r"|3\d{3}([ \t\-])\d{6}\2\d{4,5})" + AFTER,
    re.ASCII,
)
_CARD_WORD = re.compile(
    r"card|\b(?:cc|pan|visa|amex)\b|credit|debit|payment|master|kart|carte|tarjeta|карт|卡|カード|카드",
    re.IGNORECASE,
)
_ISSUER = re.compile(
    r"4(?:\d{15}|\d{18})|5[1-5]\d{14}|(?:222[1-9]|22[3-9]\d|2[3-6]\d\d|27[01]\d|2720)\d{12}"
    r"|3[47]\d{13}|6(?:011|5\d\d|4[4-9]\d)\d{12}|35(?:2[89]|[3-8]\d)\d{12}|3(?:0[0-5]|[68]\d)\d{11}"
    r"|62\d{14,17}"
)


def find_cards(text: str) -> Spans:
    """Yield the range of every payment card number in a text."""
    if not RUN.search(text):
        return
    for match in _CARD.finditer(text):
        digits = re.sub(r"[ \t\-]", "", match[0])
        if _ISSUER.fullmatch(digits) and luhn(digits) and _is_of_a_card(text, match.start()):
            yield match.span()


def _is_of_a_card(text: str, start: int) -> bool:
    """Whether a number is no entry of a list: directly behind `#` it needs a word such as card."""
    before = text[max(0, start - 24) : start]
    return not before.endswith("#") or _CARD_WORD.search(before) is not None


def luhn(digits: str) -> bool:
    """Whether the last digit is Luhn's check digit, and the digits are not all the same."""
    doubled = [int(d) * (2 if place % 2 else 1) for place, d in enumerate(reversed(digits))]
    return sum(n - 9 if n > 9 else n for n in doubled) % 10 == 0 and len(set(digits)) > 1


_REGION = r"(?:1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5]|71|8[1-3])"
_ID = re.compile(
    r"(?<![0-9A-Za-z_.])" + _REGION + r"\d{4}([ \t\-]?)(?:19|20)\d{6}\1\d{3}[\dXx](?![0-9A-Za-z_])",
    re.ASCII,
)
_WEIGHTS = tuple(2 ** (17 - place) % 11 for place in range(17))


def find_ids(text: str) -> Spans:
    """Yield the range of every Chinese resident identity number in a text."""
    if not RUN.search(text):
        return
    for match in _ID.finditer(text):
        if chinese_id(re.sub(r"[ \t\-]", "", match[0])):
            yield match.span()


def chinese_id(number: str) -> bool:
    """Whether 18 characters have a valid date and check digit (ISO 7064 MOD 11-2)."""
    try:
        date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return False
    total = sum(weight * int(d) for weight, d in zip(_WEIGHTS, number, strict=False))
    return number[-1].upper() == "10X98765432"[total % 11]


_OCTET = r"(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"
_IP4 = re.compile(
    rf"(?<![0-9A-Za-z_.\-])(?<![A-Za-z]/)(?:{_OCTET}\.){{3}}{_OCTET}(?![0-9A-Za-z_]|[.\-]\d)",
    re.ASCII,
)
_IP6 = re.compile(r"(?<![0-9A-Za-z:.])[23][0-9A-Fa-f]{3}:[0-9A-Fa-f:]{2,34}(?![0-9A-Za-z:]|\.\d)")
_VERSION_WORD = re.compile(
    rf"(?:{STARTS}v|{STARTS}ver|version|release|build|版本|版)[ .:：]*$", re.IGNORECASE
)
_ADDRESS_WORD = re.compile(r"(?<![a-z])ip|addr|server|host|from|ping|地址|服务器", re.IGNORECASE)
_SMALL = 32


def find_addresses(text: str) -> Spans:
    """Yield the range of every public IP address in a text."""
    if text.count(".") >= 3:
        for match in _IP4.finditer(text):
            before = text[max(0, match.start() - 24) : match.start()]
            # Small numbers, and those behind the `=` of a package, are more likely a version.
            doubtful = sum(int(part) < _SMALL for part in match[0].split(".")) >= 3
            doubtful |= before.endswith("=")
            if _VERSION_WORD.search(before) or (doubtful and not _ADDRESS_WORD.search(before)):
                continue
            if ip_address(match[0]).is_global:
                yield match.span()
    if text.count(":") >= 2:
        for match in _IP6.finditer(text):
            address = match[0].rstrip(":") if not match[0].endswith("::") else match[0]
            try:
                public = ip_address(address).is_global
            except ValueError:
                continue
            if public:
                yield match.start(), match.start() + len(address)
