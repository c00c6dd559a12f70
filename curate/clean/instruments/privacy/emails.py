"""E-mail addresses in a text."""

from __future__ import annotations

import re

from curate.clean.instruments.privacy.forms import Spans

_LOCAL = re.compile(r"[A-Za-z0-9_%+][A-Za-z0-9._%+\-]{0,63}\Z")
_LETTER = r"A-Za-z0-9\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f\u0370-\u052f"
"""The letters of a host: Latin, Greek, Cyrillic. Words in other letters may follow at once."""

_NATIONAL = "рф|рус|укр|бел|бг|срб|мкд|мон|қаз|ею|ελ|ευ|москва|дети|онлайн|сайт|орг|ком|католик"
"""Top domains in Greek and Cyrillic letters."""

_SPACED = (
    "مصر|السعودية|امارات|ایران|عمان|المغرب|موقع|شبكة|قطر|فلسطين|سورية|سوريا|الاردن|تونس|الجزائر"
    "|عراق|سودان|پاکستان|بھارت|كوم|بازار|عرب|ישראל|קום|հայ|გე"
    "|भारत|संगठन|नेट|कॉम|ভারত|বাংলা|భారత్|ભારત|ਭਾਰਤ|இந்தியா|இலங்கை|சிங்கப்பூர்"
)
"""Top domains in letters without capitals, whose words stand between spaces."""

_UNSPACED = (
    "中国|中國|香港|台湾|台灣|新加坡|澳门|澳門|公司|网络|網絡|网址|网站|在线|中文网|集团|商城|商店"
    "|移动|政务|公益|机构|组织机构|我爱你|みんな|コム|한국|닷컴|닷넷|ไทย|คอม|ລາວ"
)
"""Top domains in letters that words may follow at once."""

_ASCII_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9\-]{0,61}[A-Za-z0-9])?"
_LABEL = rf"[{_LETTER}](?:[{_LETTER}\-]{{0,61}}[{_LETTER}])?"
_TOP = r"[A-Za-z]{2,24}(?![A-Za-z0-9@])"
"""Words in other letters may follow at once, as in `ann@mail.deÜber uns`."""

_ALPHABETS = r"\u0370-\u052f"
_CAPITALS = "".join(filter(str.isupper, map(chr, range(0x370, 0x530))))
_NATIONAL_TOP = (
    rf"(?i:{_NATIONAL})(?![{_ALPHABETS}0-9@])|(?:{_NATIONAL})(?=[{_CAPITALS}])"
    rf"|(?:{_NATIONAL.upper()})(?=[{_CAPITALS}](?![{_CAPITALS}])[{_ALPHABETS}])"
)
"""Another word begins with a capital, as in `ann@почта.рфТелефон`, or in another alphabet."""

_OTHER = r"\u0590-\u10ff\u3005\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af"
_OTHER_LABEL = (
    rf"[{_OTHER}A-Za-z0-9](?:[{_OTHER}A-Za-z0-9\u200c\u200d\-]{{0,61}}[{_OTHER}A-Za-z0-9])?"
)

_HOST = re.compile(
    rf"(?:{_LABEL}\.)+(xn--[A-Za-z0-9\-]{{2,59}}(?![A-Za-z0-9\-@])|{_TOP}|{_NATIONAL_TOP})"
)
_SPACED_TOP = rf"(?:{_SPACED})(?![\u0590-\u10ff](?<![،؛؟۔।॥])|[0-9@])"
_OTHER_HOST = re.compile(rf"(?:{_OTHER_LABEL}\.)+({_TOP}|{_SPACED_TOP}|(?:{_UNSPACED})(?!@))")
_ASCII_HOST = re.compile(rf"(?:{_ASCII_LABEL}\.)+({_TOP})")
_NO_DOMAIN = frozenset(
    [
        *("css", "dll", "exe", "gif", "gz", "htm", "html", "jpeg", "jpg", "js", "json", "jsx"),
        *("pdf", "png", "scss", "svg", "tgz", "toml", "ts", "tsx", "txt", "webp", "xml", "yaml"),
        *("yml", "example", "invalid", "local", "localhost", "test"),  # reserved: RFC 2606, 6762
    ]
)
_NO_PERSON = frozenset(("git", "hg", "svn"))


def find_emails(text: str) -> Spans:
    """Yield the range of every e-mail address in a text."""
    at = text.find("@")
    while at >= 0:
        if host := _host(text, at + 1):
            local = _LOCAL.search(text, max(0, at - 64), at)
            if local and local[0].lower() not in _NO_PERSON:
                yield local.start(), host.end()
        at = text.find("@", at + 1)


def _host(text: str, at: int) -> re.Match[str] | None:
    """The host that starts at a place: in all letters, or else the part of it in ASCII."""
    first = text[at : at + 1]
    if first.isascii() and not first.isalnum():
        return None
    found = (pattern.match(text, at) for pattern in (_HOST, _OTHER_HOST, _ASCII_HOST))
    return next((host for host in found if host and host[1].lower() not in _NO_DOMAIN), None)
