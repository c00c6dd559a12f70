"""Keys and passwords in a text."""

from __future__ import annotations

import re
from collections import Counter
from math import log2

from curate.clean.instruments.privacy.forms import Spans
from curate.scripts import STARTS

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
    rf"|(?=b){STARTS}bearer)"
    r"[0-9A-Za-z_]{0,16}[\"']?\s{0,3}(?:(?::=|=>|=|:)\s{0,3}[\"']?|(?<=bearer) )"
    r"([0-9A-Za-z+/_\-=.~!@#$%^&*]{16,256}+)(?!\()",  # a call is not a value
    re.IGNORECASE,
)
_NAMES = ("key", "secret", "token", "passw", "passphrase", "credential", "bearer")
_DUMMY = re.compile(
    r"x{4,}|\*{3,}|\.{3}|[{}<>\[\]]|^\$[a-z_]|example|sample|dummy|placeholder|change|your|todo"
    r"|redacted|environ|getenv|config|0{6,}|1234567|abcdef",
    re.IGNORECASE,
)
_WORDS = frozenset(("pass", "passwd", "password", "pwd", "pw", "secret", "token", "tiger"))
"""Words that documentation writes in place of a password."""


def find_keys(text: str) -> Spans:
    """Yield the range of every private key, token and password in a text."""
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
        lower = text.lower()
        if any(name in lower for name in _NAMES):
            for match in _ASSIGNED.finditer(text):
                if _is_random(match[1]):
                    yield match.span(1)


def _is_random(value: str) -> bool:
    """Whether a value looks random: letters and digits, high entropy, no placeholder."""
    kinds = sum(any(map(test, value)) for test in (str.isdigit, str.islower, str.isupper))
    if not any(map(str.isdigit, value)) or kinds < 2 or _DUMMY.search(value):
        return False
    return entropy(value) >= (3.0 if re.fullmatch(r"[0-9a-fA-F\-]+", value) else 3.5)


def entropy(value: str) -> float:
    """The Shannon entropy of the characters of a string, in bits per character."""
    n = len(value)
    return -sum(count / n * log2(count / n) for count in Counter(value).values())
