"""Languages as hubs name them: BCP 47 in, ISO 639 out."""

from __future__ import annotations

import re
from collections.abc import Iterable

_TWO_LETTERS = """
    aa ab ae af ak am an ar as av ay az ba be bg bh bi bm bn bo br bs ca ce ch co cr cs cu cv cy da
    de dv dz ee el en eo es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy hz
    ia id ie ig ii ik io is it iu ja jv ka kg ki kj kk kl km kn ko kr ks ku kv kw ky la lb lg li ln
    lo lt lu lv mg mh mi mk ml mn mr ms mt my na nb nd ne ng nl nn no nr nv ny oc oj om or os pa pi
    pl ps pt qu rm rn ro ru rw sa sc sd se sg sh si sk sl sm sn so sq sr ss st su sv sw ta te tg th
    ti tk tl tn to tr ts tt tw ty ug uk ur uz ve vi vo wa wo xh yi yo za zh zu
"""
TWO_LETTERS = frozenset(_TWO_LETTERS.split())
"""The codes of ISO 639-1, with `bh` and `sh`, which are still in use."""

RENAMED = {"in": "id", "iw": "he", "ji": "yi", "jw": "jv", "mo": "ro"}
"""Codes that are no longer valid, and what took their place."""

NO_LANGUAGE = frozenset(("mis", "mul", "und", "zxx"))
"""Codes of ISO 639 that name no language: uncoded, several, undetermined, none."""


def iso_639(tag: str) -> str | None:
    """The code of a language by its BCP 47 tag (`zh-Hans` is `zh`); None where it names none.

    Of three letters the shape alone is checked, and that they are not for private use.
    """
    primary = re.split(r"[-_]", tag.strip().lower())[0]
    code = RENAMED.get(primary, primary)
    if len(code) == 2:
        return code if code in TWO_LETTERS else None
    is_code = re.fullmatch(r"[a-z]{3}", code) and not "qaa" <= code <= "qtz"
    return code if is_code and code not in NO_LANGUAGE else None


def iso_codes(tags: Iterable[str]) -> list[str]:
    """The codes of all languages that have one, sorted, each once."""
    return sorted({code for code in map(iso_639, tags) if code})
