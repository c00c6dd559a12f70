"""A rule set for captions that say what the picture shows: the cosine of both in a CLIP.

CLIP (Radford et al. 2021) and its kin (SigLIP, Chinese CLIP …) are given by path: the folder of a
model of `transformers`, or of `open_clip`. No limit is set, since cosines differ from model to
model: LAION-400M keeps .3 and above by ViT-B/32 (Schuhmann et al. 2021), DataComp the best 30 %.
Of a film the largest cosine of four frames counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from curate.clean.rules.signals import Signal
from curate.spec import PATH, Spec

if TYPE_CHECKING:
    from curate.clean.media.sight import Sight
    from curate.media.models import PairModel

SIGNALS: Mapping[str, Signal] = {
    "similarity": Signal("cosine of picture and text in the model, −1 to 1"),
}


class ClipSpec(Spec):
    """The model that compares pictures with texts."""

    model: Annotated[
        str,
        PATH,
        Field(min_length=1, description="Folder of a CLIP of transformers or open_clip."),
    ]


def prepare(workspace: Any, settings: ClipSpec) -> tuple[str, str]:
    """The folder of the model, and the digest of its files. Raises CurateError without them."""
    from curate.media.models import digest_of

    folder = workspace.path(settings.model)
    return str(folder), digest_of(folder)


@cache
def _model(folder: str, digest: str) -> PairModel:
    from curate.media.models import pair_model

    return pair_model(Path(folder))


def see(sight: Sight, prepared: tuple[str, str]) -> dict[str, float]:
    """The cosine of a picture and the text beside it; NaN without a text."""
    if not sight.text.strip():
        return {"similarity": float("nan")}
    model = _model(*prepared)
    pictures, (text,) = model.pictures(sight.some_pictures), model.texts([sight.text])
    return {"similarity": float((pictures @ text).max())}
