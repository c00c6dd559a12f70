"""Telephone numbers in a text."""

from __future__ import annotations

import re

from curate.clean.instruments.privacy.forms import AFTER, RUN, Spans
from curate.scripts import ENDS, STARTS

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
    rf"|(?:1[\-. ])?{_NORTH}){AFTER}",
    re.ASCII,
)
_LABELLED = re.compile(
    rf"(?=[tmcfgpwт电電手传傳联携전휴])(?:{STARTS}"  # the first letters of these words
    r"(?:tel(?:[eéè]f\w{0,12}|ephone)?|tél(?:éphone)?|tlf|mob(?:il|ile)?|cell|fax|faksi?|gsm"
    rf"|phone|puh(?:elin)?|whatsapp|call|тел(?:ефон)?){ENDS}|电话|電話|手机|手機|传真|傳真|联系方式"
    r"|携帯|전화|휴대)(?: (?:us|me|him|her|number|no|nr|at|on)\b){0,2}"
    r"(?: ?[#№])?(?: ?[.:：)]){0,2}\s{0,2}"
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


def find_phones(text: str) -> Spans:
    """Yield the range of every phone number in a text."""
    if not RUN.search(text):
        return
    match = _PHONES.search(text)
    while match:
        end = match.start() + _phone(match, text)
        if end > match.start():
            yield match.start(), end
        match = _PHONES.search(text, max(end, match.start() + 1))
    for match in _LABELLED.finditer(text):
        if 7 <= len(_digits(match[1])) <= 15 and not _NO_PHONE.fullmatch(match[1]):
            yield match.span(1)


def _phone(match: re.Match[str], text: str) -> int:
    """The number of characters of a match that are a phone number; 0 if none are."""
    # Eleven digits in a row can be an order number, and +70.19616341 a decimal number.
    # They only count near a word such as phone.
    doubtful = (match["mobile"] and not match["gap"]) or re.fullmatch(r"\+\d+\.\d+", match[0])
    if doubtful and not _PHONE_WORD.search(text[max(0, match.start() - 30) : match.end() + 10]):
        return 0
    return _international(match[0]) if match["world"] else len(match[0])


def _international(written: str) -> int:
    """The number of leading characters that are an international number; 0 if none are.

    The last groups of digits may be another number. They are left out until the rest is valid.
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
