"""Licences as hubs name them: SPDX in, the hub's identifiers out."""

from __future__ import annotations

import re
from collections.abc import Iterable

_HUB = """
    afl-3.0 agpl-3.0 apache-2.0 apple-amlr apple-ascl artistic-2.0 bigcode-openrail-m
    bigscience-bloom-rail-1.0 bigscience-openrail-m bsd bsd-2-clause bsd-3-clause bsd-3-clause-clear
    bsl-1.0 c-uda cc cc-by-2.0 cc-by-2.5 cc-by-3.0 cc-by-4.0 cc-by-nc-2.0 cc-by-nc-3.0 cc-by-nc-4.0
    cc-by-nc-nd-3.0 cc-by-nc-nd-4.0 cc-by-nc-sa-2.0 cc-by-nc-sa-3.0 cc-by-nc-sa-4.0 cc-by-nd-4.0
    cc-by-sa-3.0 cc-by-sa-4.0 cc0-1.0 cdla-permissive-1.0 cdla-permissive-2.0 cdla-sharing-1.0
    creativeml-openrail-m deepfloyd-if-license ecl-2.0 epl-1.0 epl-2.0 etalab-2.0 eupl-1.1 eupl-1.2
    fair-noncommercial-research-license gemma gfdl gpl gpl-2.0 gpl-3.0 grok2-community h-research
    intel-research isc lgpl lgpl-2.1 lgpl-3.0 lgpl-lr llama2 llama3 llama3.1 llama3.2 llama3.3
    llama4 lppl-1.3c mit mpl-2.0 ms-pl ncsa odbl odc-by ofl-1.1 openmdw-1.0 openrail openrail++
    osl-3.0 pddl postgresql unlicense wtfpl zlib
"""
HUB = frozenset(_HUB.split())
"""The identifiers of the Hugging Face Hub, but for `unknown` and `other`.

Source: https://huggingface.co/docs/hub/repositories-licenses
"""

OTHER_NAMES = {
    "c-uda-1.0": "c-uda",
    "etalab-2.0": "etalab-2.0",
    "lgpllr": "lgpl-lr",
    "odbl-1.0": "odbl",
    "odc-by-1.0": "odc-by",
    "pddl-1.0": "pddl",
}
"""SPDX names, in small letters, that the hub writes otherwise."""

UNKNOWN = "unknown"
"""What `pool` writes where no licence is given."""

LONGEST = 500
"""Longer names are no names of SPDX."""

MOST_NAMED = 3
"""So many licences are joined to one name; more are `several`."""


def spdx(name: str) -> str | None:
    """The SPDX name of a licence in SPDX's own letters; None where it is no single name of it."""
    from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

    if len(name) > LONGEST:
        return None
    try:
        known = str(canonicalize_license_expression(name))
    except InvalidLicenseExpression:
        return None
    return None if " " in known or known.startswith("LicenseRef-") else known


def spdx_link(name: str) -> str | None:
    """The page of a licence at SPDX; None where it is no name of SPDX."""
    known = spdx(name)
    return f"https://spdx.org/licenses/{known.removesuffix('+')}.html" if known else None


def hub_license(name: str) -> str | None:
    """The hub's identifier of one licence; None where the hub has none.

    To the hub, `-only` and `-or-later` are one licence, and so are the versions of the GFDL.
    """
    plain = re.sub(r"(-only|-or-later|\+)$", "", name.strip().lower())
    plain = re.sub(r"^gfdl-1\.\d(-(no-)?invariants)?$", "gfdl", plain)
    plain = OTHER_NAMES.get(plain, plain)
    return plain if plain in HUB else None


def hub_licenses(names: Iterable[str]) -> dict[str, str]:
    """What the front matter of a card says of the licences of all documents.

    Several, unknown ones, and those that the hub does not list are `other`, with a name and, where
    SPDX has a page of it, a link.
    """
    own = sorted(set(names))
    known = {hub_license(name) for name in own}
    if len(known) == 1 and None not in known:
        return {"license": str(*known)}
    link = spdx_link(own[0]) if len(own) == 1 else None
    named = {"license": "other", "license_name": _joined(own)}
    return named | ({"license_link": link} if link else {})


def _joined(names: list[str]) -> str:
    """One name for all, in the characters that the hub allows: small letters, digits, `-`, `.`."""
    slugs = list(dict.fromkeys(filter(None, map(_slug, names))))
    return "-and-".join(slugs) if 0 < len(slugs) <= MOST_NAMED else "several" if slugs else UNKNOWN


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9.]+", "-", name[:LONGEST].lower())[:60].strip("-.")
