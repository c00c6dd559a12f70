"""What the rule sets `gopher_quality`, `fineweb` and `c4` expect of a language.

These sets count words of a language, and marks that end its sentences. So a document is judged by
the norm of its own language, and left alone if there is none. English has the limits of the sets'
papers. `_PUBLISHED` has those of FineWeb2 (Penedo et al. 2025, arXiv 2506.20920), from the
configurations in its repository, huggingface/fineweb-2, configs/*.yml, as of the last ones found:
the stop words (frequent words of Wikipedia), the mean length of a word, the share of tokens with a
letter, the share of lines that end a sentence, and the line ends per token. They were chosen with
other tokenizers than ours; tests/benchmarks/results/norms.json has what they keep here of web text
that people found natural. FineWeb2 gives up the share of short lines, allows 10 % of repeated lines
and leaves out `c4`. Here `c4` takes the marks of any script for ends of sentences.

There are norms for the most spoken languages that have spaces between words and a configuration
for such words. Korean has one, but for parts of words.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from unicodedata import normalize

from curate import scripts
from curate.clean.detecting import MINIMUM, UNKNOWN, Likely, candidates, primary
from curate.clean.rules.signals import Range

ENGLISH = "en"

_PUBLISHED = """
ar Arab 2 9 .787 .143 .189 ، في من على إلى عام أن مع أو هو عن التي كان بين ما كانت هي المتحدة بعد
bn Beng 3 24 .8 .125 .171 এবং ও হয় করে একটি তিনি করা থেকে
de Latn 0 15 .774 0 .152 der und die in von im den des mit das er dem als wurde für
es Latn 3 14 .825 .182 .138 de la en el y a que del los se por un con una las su
fa Arab 2 9 .812 .2 .15 در و ، به از که است این را با یک
fr Latn 2 11 .812 .1 .185 de la le et à en l' des du les est d' un une il dans par au
hi Deva 2 21 .837 .091 .316 के में है की और से का को एक हैं पर
id Latn 3 12 .805 .111 .157 dan yang di pada dari ini dengan adalah untuk dalam
it Latn 3 21 .807 .025 .2 di e il la in a del che è della un per nel l' con da i una
mr Deva 2 35 .798 .008 .351 आहे आणि हे व या एक ते हा आहेत स असते होते ही येथे मध्ये केले असतो महाराष्ट्र हवामान इ गाव राज्यातील जाते केली जिल्ह्यातील म्हणून पर्यंत
pt Latn 3 13 .814 .077 .186 de a e o em do da que um no uma com para na é foi
ru Cyrl 3 11 .713 .231 .139 в и на с года по году из был к не от что за для его как а он также до после
sw Latn 3 9 .802 .143 .167 ya na wa katika kwa ni la za mwaka
ta Taml 4 37 .779 .125 .195 மற்றும் ஒரு இந்த ஆம் இது என்ற இவர் உள்ள ஆகும் ஆண்டு அல்லது என்பது முதல் உள்ளது என்று இந்திய மக்கள் ஊராட்சி இல் இருந்து மேலும் பல
te Telu 4 68 .739 .08 .18 నుండి కి ఉన్నాయి మీ గ్రామం ఉంది దూరంలో ఈ కేంద్రం
tr Latn 3 21 .773 .2 .273 ve bir olarak bu ile için olan da de tarafından yılında sonra en daha ilk
ur Arab 2 31 .839 .1 .222 کے میں ، کی اور ہے سے کا نے اس پر کو ایک
vi Latn 3 11 .803 .333 .103 là và của một được trong năm các có loài này đã người
"""  # noqa: E501
"""Language, script, mean length of a word (least, most), share of tokens with a letter, share of
lines that end a sentence, line ends per token, and stop words.

tr is of an earlier configuration, without its stop word `the`."""


@dataclass(frozen=True)
class Norm:
    """The norm of a language.

    `stop_words` has the stop word of each spelling. `limits` are the ranges in which a
    text passes, by column; other signals have the range of their set.
    """

    language: str
    script: str
    stop_words: Mapping[str, str]
    limits: Mapping[str, Range] = field(default_factory=dict)

    @property
    def is_english(self) -> bool:
        """Whether the sets judge by their papers alone."""
        return self.language == ENGLISH


_STOP_WORDS = ("the", "be", "to", "of", "and", "that", "have", "with")
"""Rae et al. 2021, arXiv 2112.11446, section A1.1."""


@cache
def norms() -> Mapping[str, Norm]:
    """The norms by language (ISO 639)."""
    english = Norm(ENGLISH, "Latn", {word: word for word in _STOP_WORDS})
    return {ENGLISH: english} | {
        norm.language: norm for norm in map(_published, _PUBLISHED.strip().split("\n"))
    }


def _published(line: str) -> Norm:
    language, script, *rest = line.split()
    shortest, longest, lettered, punctuated, line_ends = map(float, rest[:5])
    stop_words = {normalize(form, word): word for word in rest[5:] for form in ("NFC", "NFD")}
    limits: dict[str, Range] = {
        "gopher_quality:mean_word_length": (shortest, longest),
        "gopher_quality:lettered": (lettered, None),
        "fineweb:punctuated_lines": (punctuated, None),
        "fineweb:short_lines": (None, None),
        "fineweb:duplicate_line_chars": (None, 0.1),
        "fineweb:line_ends": (None, line_ends),
    }
    return Norm(language, script, stop_words, limits)


_FREQUENT = (" the ", " and ", " of ", " to "), (" is ", " in ", " for ", " a ")
_ENOUGH = 0.04
_SHORT, _TOO_SHORT = 30, 3
"""Words of a text that is too short to have many of the most frequent ones, or to have any."""

_WORDS = 0.7
"""A short text of which fewer tokens are words has no language."""

_ONLY_ENGLISH = {
    *(
        "the",
        "and",
        "that",
        "this",
        "these",
        "you",
        "your",
        "they",
        "their",
        "there",
        "its",
        "it's",
    ),
    *("are", "were", "been", "have", "has", "would", "could", "should", "don't", "can't", "i'm"),
    *("what", "how", "who", "which", "when", "where", "than", "then", "because", "about", "from"),
    *("with", "into", "only", "other"),
}
"""Frequent words of English that other languages written in ASCII hardly have.

94 % of 11,710 English sentences of 4 to 30 words have one (trec, subj, cr), and 1 to 8 % of such
sentences in Dutch, German, Finnish, Norwegian, Polish, Spanish, Catalan and Gaelic
(hplt_web_quality), most of them names of works. Short words such as `of`, `in`, `is`, `for`, `to`
and `a` are words of several languages."""

_ALSO_ENGLISH = {
    *("in", "die", "den", "des", "de", "la", "an", "do", "no", "per", "con", "da", "un"),
    *("as", "mit", "dem", "et", "para"),
}


def is_plainly_english(text: str) -> bool:
    """Whether the most frequent words of English are as frequent as only English has them.

    One of them is `the` or `and`: Dutch has `of`, `in` and `is` as well.
    """
    if " the " not in text and " and " not in text:
        return False
    spaces = _single_spaces(text)
    total = distinct = 0
    for words in _FREQUENT:
        counts = [text.count(word) for word in words]
        total, distinct = total + sum(counts), distinct + sum(map(bool, counts))
        if distinct > 1 and total >= _ENOUGH * spaces:
            return True
    return False


_NO_NORMS = re.compile(
    f"[{scripts.inside(scripts.IDEOGRAPHS, scripts.HANGUL, scripts.SOUTHEAST)}]+"
)
_ENOUGH_SHARE = 0.6


def is_without_norms(text: str) -> bool:
    """Whether most of a text is in scripts of which no language has a norm.

    The model need not say which of them it is.
    """
    if text.isascii():
        return False
    return sum(map(len, _NO_NORMS.findall(text))) >= _ENOUGH_SHARE * len(text)


def _single_spaces(text: str) -> int:
    """About how many spaces part words: those of an indentation do not count."""
    return text.count(" ") - 2 * text.count("  ")


def is_short_and_plain(text: str) -> bool:
    """Whether a text is short, in ASCII, and has a word of English alone, or hardly any words.

    Code, lists of numbers and labels have hardly any.
    """
    spaces = _single_spaces(text)
    if not text.isascii() or spaces >= _SHORT:
        return False
    words = {word.strip(_MARKS) for word in text.lower().split()}
    letters = sum(word.translate(_JOINTS).isalpha() for word in words)
    if len(words) < _TOO_SHORT or letters < _WORDS * len(words):
        return True
    return not words.isdisjoint(_ONLY_ENGLISH) and len(words & _others()) < 2


_MARKS = '.,;:!?"()[]'
_JOINTS = dict.fromkeys(map(ord, "'’-"))
"""What stands within words, as in `l'ami` and `anak-anak`."""


@cache
def _others() -> frozenset[str]:
    """The stop words in ASCII of all languages but English, without those that English has too."""
    words = {word for norm in norms().values() for word in norm.stop_words}
    words -= norms()[ENGLISH].stop_words.keys() | _ALSO_ENGLISH
    return frozenset(word for word in words if word.isascii() and len(word) > 1)


def norm_of(
    text: str, declared: str | None, detect: Callable[[str], Sequence[Likely]] = candidates
) -> Norm | None:
    """The norm of a text's language, declared or else detected; None if there is none.

    `detect` gives the likeliest languages of a text. It is not asked about most English texts: it
    takes as long as all rule sets together. A text counts as English if its language is unknown, as
    it does in the papers. It does not if the likeliest language is another one, and the model gives
    half or more to others than English together: it only doubts which of them it is.
    """
    if declared and primary(declared) != UNKNOWN:
        return _declared(declared)
    if is_plainly_english(text) or is_short_and_plain(text):
        return norms()[ENGLISH]
    if is_without_norms(text):
        return None
    languages = detect(text)
    best, confidence = languages[0]
    if confidence >= MINIMUM:
        return norms().get(best)
    others = sum(share for language, share in languages if language != ENGLISH)
    is_other = best != ENGLISH and others >= MINIMUM
    return None if is_other else norms()[ENGLISH]


def _declared(tag: str) -> Norm | None:
    """The norm of a tag, if it names no other script."""
    norm = norms().get(primary(tag))
    scripts = [part.title() for part in tag.replace("_", "-").split("-")[1:] if len(part) == 4]
    return norm if norm and all(part == norm.script for part in scripts if part.isalpha()) else None
