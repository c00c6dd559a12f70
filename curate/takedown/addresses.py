"""The web addresses in the metadata of a document, and those within an address.

A page may be known by the address of its copy: in an archive, a cache, a translation, behind
`view-source:`, or as wget writes it, between angle brackets.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any
from urllib.parse import unquote

ADDRESS = ("url", "uri", "link", "address", "href")
"""What the keys of addresses contain: all of their values are taken."""

_HOST = r"(?:[^\W_](?:[\w-]{0,62}[^\W_])?\.)+(?:[^\W\d_]{2,63}|xn--[\w-]{1,59})"
_ADDRESS = re.compile(
    rf"<?(?:[a-z][a-z0-9+.-]{{0,30}}:)*(?://)(?:[^\s/@]{{1,200}}@)?[^\s/]+(?:/\S*)?>?"
    rf"|<?(?:(?:view-source|cache|feed):)?{_HOST}\.?(?::\d{{1,5}})?(?:[/?#]\S*)?>?",
    re.IGNORECASE,
)
_BETWEEN = re.compile(r"[\s|;]+|,(?=\s|https?:|www\.)", re.IGNORECASE)
_QUOTED = re.compile(r"[\"'](https?://[^\"'\s]{1,4000})[\"']", re.IGNORECASE)

_MARKS = "\ufeff\u200b\u2060"
_ENCODED = re.compile(r"[a-z][a-z0-9+.-]{0,30}%3A%2F%2F", re.IGNORECASE)
_LINK = re.compile(
    r"!?\[[^\]]{0,1000}\]\(\s*<?(?P<markdown>[^\s<>()]+)>?(?:\s+\"[^\"]*\")?\s*\)"
    r"|<a\s[^<>]{0,1000}?href\s*=\s*[\"']?(?P<html>[^\"'\s<>]+)[\"']?[^<>]{0,1000}>[^<>]{0,1000}</a>",
    re.IGNORECASE,
)
"""A link of Markdown or HTML."""

_SURT = re.compile(
    r"(?:https?://)?\(?(?P<host>[\w-]{1,63}(?:,[\w-]{1,63}){1,20}),?(?::\d{1,5})?\)(?P<path>/\S*)?",
    re.IGNORECASE,
)
"""The key of an address in the index of an archive: `org,example)/page`."""

LONGEST, MOST_PARTS = 4096, 100
"""Characters of an address; and a value of more parts is a text, no list of addresses."""


def is_named(key: str) -> bool:
    """Whether a key says that its values are addresses."""
    return any(word in key.lower() for word in ADDRESS)


def addresses_in(value: Any) -> Iterator[str]:
    """Yield the addresses in a value of JSON: at any depth and key, and in JSON within a text."""
    if isinstance(value, str):
        yield from _in_text(value)
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _in_text(key)
            if isinstance(item, str) and is_named(key):
                yield item
            yield from addresses_in(item)
    elif isinstance(value, list):
        for item in value:
            yield from addresses_in(item)


def _in_text(text: str) -> Iterator[str]:
    """Yield the addresses that a text consists of: one, several, or those of JSON in it."""
    text = _as_written(text)
    is_short = len(text) <= LONGEST
    if is_short and (link := _LINK.fullmatch(text)):
        text = link["markdown"] or link["html"]
    if text[:1] in ("{", "["):
        try:
            yield from addresses_in(json.loads(text))
        except (ValueError, RecursionError):  # as Python writes it, or cut short
            yield from (match[1] for match in _QUOTED.finditer(text))
        return
    if is_short and (key := _SURT.fullmatch(text)):
        text = f"//{'.'.join(reversed(key['host'].split(',')))}{key['path'] or ''}"
    if is_short and _ADDRESS.fullmatch(text):
        yield text
        return
    parts = [part for part in _BETWEEN.split(text[: 2 * LONGEST], MOST_PARTS) if part]
    if len(text) <= 2 * LONGEST and len(parts) > 1 and all(map(_ADDRESS.fullmatch, parts)):
        yield from parts


def _as_written(text: str) -> str:
    """A text without what scripts and forms put around and into an address."""
    text = text.strip().strip(_MARKS).strip()
    text = text.replace("\\/", "/") if text[:1] not in ("{", "[") else text
    return unquote(text) if _ENCODED.match(text) else text


# ── forms

_BEFORE = re.compile(
    r"(?:view-source|cache|feed|blob|filesystem|jar|web\+\w+):(?=\S)", re.IGNORECASE
)
_WITHIN = re.compile(r"(?<![\w.-])https?:/{1,3}(?=[^\s/])", re.IGNORECASE)
_WAYBACK = re.compile(r"/(?:web|all)/\d{1,14}(?:[a-z]{2}_|\*)?/(?=[\w<])", re.IGNORECASE)
_CACHED = re.compile(r"[?&]q=cache:(?:[\w-]{8,20}:)?", re.IGNORECASE)
_AMP = re.compile(r"/(?:amp|c|v|i|r)/s?/?(?=[\w-]+\.)", re.IGNORECASE)
_COPIES = re.compile(
    r"(?:^|\.)(?:archive\.(?:org|ph|is|today|li|vn|md|fo)|googleusercontent\.com|bingj\.com"
    r"|webcitation\.org|translatetheweb\.com|microsofttranslator\.com|google\.[a-z.]{2,6}"
    r"|proxy|yandex\.[a-z]{2,3})$"
)
"""Hosts that show pages of others, named in a query."""

_AMP_HOST = re.compile(r"(?:^|\.)(?:ampproject\.org|google\.[a-z.]{2,6})$")
_AS_NAME = re.compile(r"([\w-]+)\.(?:translate\.goog|cdn\.ampproject\.org)$", re.IGNORECASE)

DEEPEST = 5
"""So many addresses within one another are looked at."""


def forms(address: str) -> Iterator[str]:
    """Yield an address without what stands around it, and the addresses that it is a copy of."""
    waiting, told = [address[:LONGEST]], set[str]()
    for _ in range(DEEPEST):
        plain_ones = [one for one in dict.fromkeys(map(plain, waiting)) if one not in told]
        yield from plain_ones
        told.update(plain_ones)
        waiting = [within for one in plain_ones for within in _within(one)]


def plain(address: str) -> str:
    """An address without brackets, quotes, and schemes of browsers; slashes are forward ones."""
    address = address.strip().strip("<>\"'").replace("\\", "/")
    while before := _BEFORE.match(address):
        address = address[before.end() :]
    return address


def _within(address: str) -> Iterator[str]:
    """Yield the addresses that stand within one, at which the same page can be found."""
    rest = address.partition("//")[2] or address
    host = re.split(r"[/?#:]", rest, maxsplit=1)[0].lower()
    if as_name := _AS_NAME.search(host):
        yield f"//{re.sub('(?<!-)-(?!-)', '.', as_name[1]).replace('--', '-')}/"
    path = re.split(r"[?#]", address, maxsplit=1)[0]
    patterns = [_WITHIN, _WAYBACK]
    if _AMP_HOST.search(host):
        patterns.append(_AMP)
    is_copy = bool(_COPIES.search(host)) or address.startswith("about:reader")
    for written in dict.fromkeys((address, unquote(address), unquote(unquote(address)))):
        searched = written if is_copy else written[: len(path)] if written is address else path
        for pattern in (*patterns, _CACHED) if is_copy else patterns:
            for match in islice(pattern.finditer(searched, 1), DEEPEST):
                start = match.start() if pattern is _WITHIN else match.end()
                yield _one_slash(re.split(r"[\s&]", written[start:], maxsplit=1)[0])


def _one_slash(address: str) -> str:
    """An address of an archive with both slashes after its scheme: a server may join them."""
    return re.sub(r"^(https?):/{1,3}", r"\1://", address, flags=re.IGNORECASE)
