"""Licences of rows as SPDX names: out of texts, lists, mappings, addresses and common names.

SPDX: https://spdx.org/licenses. What no rule here knows stays as it is written.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from curate.cards.licenses import LONGEST
from curate.sources.values import parsed
from curate.text import canonical

UNKNOWN = "unknown"

NO_NAMES = frozenset(
    {"", "unknown", "none", "null", "nan", "n/a", "na", "noassertion", "no_license", "no license"}
)
"""What stands where a licence is not known, in small letters."""

KEYS = (
    *("spdx_id", "spdxid", "spdx", "identifier", "id", "license", "licence", "licenses", "key"),
    *("type", "name", "title", "url", "href", "@id", "uri", "link"),
)
"""The keys of a mapping that may name its licence, the likeliest first, in small letters."""


def license_of(value: Any) -> str:
    """The licence of a row as an SPDX expression; several are joined by AND.

    `unknown` for what names none; a name that is not known stays as it is.
    """
    names = list(dict.fromkeys(_names(value, 0)))
    return _all_of(names) if names else UNKNOWN


def _all_of(names: Sequence[str]) -> str:
    """Several licences as one; a choice among some stands in brackets."""
    if len(names) == 1:
        return names[0]
    return " AND ".join(f"({name})" if " OR " in name.upper() else name for name in names)


DEEPEST = 5
"""A licence that lies deeper in lists and mappings is not looked for."""


def _names(value: Any, depth: int) -> Iterator[str]:
    if isinstance(value, str):
        inner = _parsed(value)
        if inner is None:
            yield from filter(None, [_named(canonical(value))])
        else:
            yield from _names(inner, depth + 1)
    elif isinstance(value, Mapping) and depth < DEEPEST:
        yield from _of_mapping(value, depth)
    elif isinstance(value, list | tuple | set) and depth < DEEPEST:
        for item in value:
            yield from _names(item, depth + 1)
    elif isinstance(value, int | float) and not isinstance(value, bool) and value == value:
        yield canonical(str(value))


def _of_mapping(value: Mapping[Any, Any], depth: int) -> Iterator[str]:
    """The licence that a mapping names: of its keys, the first whose value SPDX knows."""
    by_key = {str(key).lower(): item for key, item in value.items()}
    found = [list(_names(by_key[key], depth + 1)) for key in KEYS if key in by_key]
    named = [names for names in found if names]
    known = (names for names in named if all(map(expression, names)))
    yield from next(known, named[0] if named else [])


def _parsed(text: str) -> Any:
    """The list or mapping that a text writes; None for any other text."""
    try:
        return parsed(text) if len(text) <= LONGEST else None
    except ValueError:
        return None


@lru_cache(maxsize=4096)
def _named(text: str) -> str | None:
    """One text as a licence: an expression, an address, a common name, or several of them."""
    text = " ".join(text.split()) if len(text) <= LONGEST else text
    if text.lower() in NO_NAMES:
        return None
    return expression(text) or _several(text) or text


@lru_cache(maxsize=4096)
def expression(text: str) -> str | None:
    """A text as an expression in SPDX's own letters; None if it is none."""
    if len(text) > LONGEST:
        return None
    text = _LABEL.sub("", text)
    if link := _LINK.fullmatch(text):
        words = (link["words"] or link["shown"], link["address"] or link["href"])
        known = set(filter(None, map(expression, words)))
        return known.pop() if len(known) == 1 else None
    return _spdx(text) or _by_address(text) or _by_name(text)


_LABEL = re.compile(r"^(?:spdx-license-identifier|licen[sc]e)\s*:\s*", re.IGNORECASE)
_LINK = re.compile(
    r"\[(?P<words>[^\[\]]+)\]\((?P<address>[^\s()]+)\)"
    r"|<a\s[^<>]*href\s*=\s*[\"']?(?P<href>[^\s\"'<>]+)[^<>]*>(?P<shown>[^<>]+)</a>",
    re.IGNORECASE,
)
"""A link of Markdown or HTML: it names a licence by its words or its address, or one by both."""


def _spdx(text: str) -> str | None:
    from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

    try:
        known = str(canonicalize_license_expression(text))
    except InvalidLicenseExpression:
        return None
    return None if known.startswith("LicenseRef-") else known


def _several(text: str) -> str | None:
    """Several licences in one text, all of which are known: with commas, and, or, or slashes."""
    for pattern, word in ((r"\s+or\s+|\s*\|+\s*", "OR"), (r"\s*[,;&/]\s*|\s+and\s+", "AND")):
        parts = [part for part in re.split(pattern, text, flags=re.IGNORECASE) if part]
        if len(parts) < 2:
            continue
        known = [expression(part) or _several(part) for part in parts]
        if all(known):
            names = list(dict.fromkeys(filter(None, known)))
            return _all_of(names) if word == "AND" else f" {word} ".join(names)
    return None


# ── addresses

_ADDRESSES: tuple[tuple[str, str], ...] = (
    (r"creativecommons\.org/licen[sc]es/([a-z-]+)/([\d.]+)(?:/([a-z]{2})\b)?", "CC-{0}-{1}-{2}"),
    (r"creativecommons\.org/publicdomain/zero/([\d.]+)", "CC0-{0}"),
    (r"creativecommons\.org/publicdomain/mark/([\d.]+)", "CC-PDM-{0}"),
    (r"apache\.org/licenses/license-([\d.]+)", "Apache-{0}"),
    (r"gnu\.org/(?:old-licenses|licenses)/(?:old-licenses/)?(a?l?gpl|fdl)-([\d.]+)", "{0}-{1}"),
    (r"mozilla\.org/(?:en-us/)?mpl/([\d.]+)", "MPL-{0}"),
    (r"eclipse\.org/legal/epl-(?:v)?([\d.]+)", "EPL-{0}"),
    (r"opendatacommons\.org/licenses/by/(?:v)?([\d.-]+)", "ODC-By-{0}"),
    (r"opendatacommons\.org/licenses/odbl/?(?:v)?([\d.-]*)", "ODbL-{0}"),
    (r"opendatacommons\.org/licenses/pddl/?(?:v)?([\d.-]*)", "PDDL-{0}"),
    (r"boost\.org/license_([\d_]+)", "BSL-{0}"),
    (r"(?:www\.)?unlicense\.org", "Unlicense"),
    (r"(?:www\.)?wtfpl\.net", "WTFPL"),
    (r"mit-license\.org", "MIT"),
    (r"nationalarchives\.gov\.uk/doc/open-government-licence/version/(\d)", "OGL-UK-{0}.0"),
    (r"(?:opensource|spdx)\.org/licen[sc]es?/([\w.+-]+)", "{0}"),
    (r"choosealicense\.com/licenses/([\w.+-]+)", "{0}"),
)
"""Addresses of licences, in small letters, and the names that they mean."""


def _by_address(text: str) -> str | None:
    """The licence of an address that is known."""
    address = text.lower().removeprefix("url:").strip(" <>")
    if not re.match(r"(?:https?:)?//|www\.|[\w.-]+\.(?:org|com|net|uk)/", address):
        return None
    for pattern, name in _ADDRESSES:
        if match := re.search(rf"(?:^|//|\.){pattern}", address):
            return _of_address(name, [group or "" for group in match.groups()])
    return None


def _of_address(name: str, groups: list[str]) -> str | None:
    words = [re.sub(r"\.(?:html?|txt|php|en)$", "", word.strip("./-_")) for word in groups]
    words = [re.sub(r"(?<=\d)[-_](?=\d)", ".", word) for word in words]
    words = [word.removesuffix("-license") for word in words]
    spelt = [name.format(*words).strip("-"), name.format(*words[:-1], "").strip("-")]
    spelt = [re.sub(r"^fdl", "gfdl", word) for word in spelt]
    spelt += [f"{spelt[0]}.0", f"{spelt[0]}-1.0"]
    return next(filter(None, map(_spdx, spelt)), None)


# ── common names

_VERSION = r"(?:version|ver\.?|v\.?)?\s*(\d+(?:\.\d+)*)"
_NAMES: tuple[tuple[str, str], ...] = (
    (rf"(?:asl|al|apache(?: software)?(?: (?:public )?licen[sc]e)?)\s*{_VERSION}", "Apache-{0}"),
    (r"(?:mit|expat|mit/x11|x11/mit|mit \(expat\))(?: licen[sc]e)?(?: \(mit\))?", "MIT"),
    (
        r"(?:modified |new |revised |3.clause |bsd.3.clause |bsd.?3 )bsd(?: licen[sc]e)?",
        "BSD-3-Clause",
    ),
    (r"bsd.?(?:3|three).?(?:clause)?\b(?: [\w ]+)?", "BSD-3-Clause"),
    (r"(?:simplified |freebsd |2.clause )(?:bsd)?(?: licen[sc]e)?", "BSD-2-Clause"),
    (r"bsd.?(?:2|two).?(?:clause)?\b(?: [\w ]+)?", "BSD-2-Clause"),
    (r"(?:0bsd|bsd.?(?:0|zero).?clause(?: licen[sc]e)?)", "0BSD"),
    (rf"(?:mpl|mozilla public licen[sc]e)\s*{_VERSION}", "MPL-{0}"),
    (rf"(?:epl|eclipse public licen[sc]e)\s*-?\s*{_VERSION}", "EPL-{0}"),
    (rf"(?:eupl|european union public licen[sc]e)\s*{_VERSION}", "EUPL-{0}"),
    (rf"(?:boost software licen[sc]e|boost|bsl)\s*-?\s*{_VERSION}", "BSL-{0}"),
    (rf"(?:artistic licen[sc]e|artistic)\s*{_VERSION}", "Artistic-{0}"),
    (r"(?:isc|isc licen[sc]e)(?: \(iscl?\))?", "ISC"),
    (r"(?:unlicen[sc]e|unlicen[sc]ed? \(public domain\))", "Unlicense"),
    (r"zlib(?:/libpng)?(?: licen[sc]e)?", "Zlib"),
    (r"(?:wtfpl|do what the f[u*]ck you want to public licen[sc]e)(?: v?2)?", "WTFPL"),
    (r"(?:cc.?0|cc.?zero|creative commons zero)(?: ?v?1\.0)?(?: universal)?", "CC0-1.0"),
    (
        rf"(?:odbl|open database licen[sc]e|odc open database licen[sc]e)\s*(?:{_VERSION})?",
        "ODbL-1.0",
    ),
    (r"(?:odc.by|open data commons attribution licen[sc]e)(?: ?v?1\.0)?", "ODC-By-1.0"),
    (r"(?:pddl|public domain dedication and licen[sc]e)(?: ?v?1\.0)?", "PDDL-1.0"),
    (
        rf"(?:uk )?(?:ogl|open government licen[sc]e)(?: uk)?\s*{_VERSION}",
        "OGL-UK-{0}",
    ),
    (rf"(?:etalab|licence ouverte|etalab open licen[sc]e)\s*{_VERSION}", "etalab-{0}"),
    (r"(?:psf|python software foundation)(?: licen[sc]e)?(?: v?2(?:\.0)?)?", "PSF-2.0"),
)
"""Common names, in small letters without "the", and the SPDX names that they mean."""

_GNU = re.compile(
    r"(?:gnu )?(?P<kind>affero|lesser|library|free documentation|agpl|lgpl|gpl|gfdl|fdl|general)"
    r"(?: general)?(?: public)?(?: licen[sc]e)?(?: \(\w+\))?[\s,-]*"
    rf"{_VERSION}(?:[\s-]*only)?(?P<later>[\s,]*(?:\+|\(?or (?:any )?(?:later|newer).*|-or-later))?"
    r"(?: \([al]?gplv?\d(?P<plus>\+)?\))?"
)
_GNU_KINDS = {
    **dict.fromkeys(("affero", "agpl"), "AGPL"),
    **dict.fromkeys(("lesser", "library", "lgpl"), "LGPL"),
    **dict.fromkeys(("general", "gpl"), "GPL"),
    **dict.fromkeys(("free documentation", "gfdl", "fdl"), "GFDL"),
}

_CC_WORDS = {
    "attribution": "by",
    "sharealike": "sa",
    "share alike": "sa",
    "noncommercial": "nc",
    "non commercial": "nc",
    "noderivatives": "nd",
    "noderivs": "nd",
    "no derivatives": "nd",
    "no derivs": "nd",
}
_CC = re.compile(
    r"cc\s+(?P<parts>by(?:\s+(?:nc|sa|nd))*)\s+v?\s*(?P<version>\d(?:\.\d)?)(?:\s+(?!nc|nd|sa)[a-z]{2})?"
)


def _by_name(text: str) -> str | None:
    """The licence of a common name; None where the name leaves its version open."""
    name = re.sub(r"^the\s+", "", text.lower().replace("“", "").replace('"', ""))
    name = re.sub(r",\s*(?=v|\d)", " ", name).strip(" .")
    if found := _creative_commons(name) or _gnu(name):
        return found
    for pattern, spdx in _NAMES:
        if match := re.fullmatch(pattern, name):
            version = next(filter(None, match.groups()), "")
            spelt = spdx.format(version)
            return _spdx(spelt) or _spdx(f"{spelt}.0")
    return None


def _creative_commons(name: str) -> str | None:
    words = re.sub(r"[-_]", " ", re.sub(r"\s*\(cc[^()]*\)$", "", name))
    words = re.sub(r"^attribution\b", "creative commons attribution", words)
    if words.startswith("creative commons"):
        words = words.replace("creative commons", "cc", 1)
        for long, short in _CC_WORDS.items():
            words = words.replace(long, short)
    words = re.sub(r"\b(?:licen[sc]e|international|unported|generic|public)\b", " ", words)
    match = _CC.fullmatch(" ".join(words.split()))
    if not match:
        return None
    order = sorted(match["parts"].split(), key=("by", "nc", "nd", "sa").index)
    version = match["version"] if "." in match["version"] else f"{match['version']}.0"
    spelt = ("-".join(["CC", *parts, version]) for parts in (order, match["parts"].split()))
    return next(filter(None, map(_spdx, spelt)), None)


def _gnu(name: str) -> str | None:
    match = _GNU.fullmatch(name)
    if not match:
        return None
    version = next(group for group in match.groups()[1:] if group and group[0].isdigit())
    version = version if "." in version else f"{version}.0"
    is_later = bool(match["later"] or match["plus"])
    kind = _GNU_KINDS[match["kind"]]
    return _spdx(f"{kind}-{version}-{'or-later' if is_later else 'only'}")
