"""What predicts, on disk beside the scores: heads without pickle, and the rest in JSON.

scores/_heads/scorer.json      what is learned, and the settings of the quality
scores/_heads/00/ 01/ …        the heads, one folder a question
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from curate import storage
from curate.annotated.quality import quality_function
from curate.embed import Vectors
from curate.errors import DataError, MissingInput
from curate.heads import Learned, load, save
from curate.records import Question
from curate.score.scorer import Scorer
from curate.score.spec import ScoreSpec

FOLDER, ABOUT = "_heads", "scorer.json"


def save_scorer(
    folder: Path,
    scorer: Scorer,
    spec: ScoreSpec,
    kinds: Mapping[str, str],
    embedded: Mapping[str, Vectors],
) -> None:
    """Write what predicts into the folder of the scores; `kinds` are those of the questions."""
    heads = folder / FOLDER
    shutil.rmtree(heads, ignore_errors=True)
    for number, learned in enumerate(scorer.learned.values()):
        own = heads / f"{number:02}"
        own.mkdir(parents=True)
        save(learned, own)
    about = {
        "questions": dict(kinds),
        "spec": spec.settings(),
        "half_width": scorer.half_width,
        "abstaining": sorted(scorer.abstaining),
        "encoders": {name: embedded[name].digest for name in scorer.encoders},
    }
    storage.write_json(heads / ABOUT, about)


def load_scorer(folder: Path) -> tuple[Scorer, dict[str, str]]:
    """Read what predicts from the folder of the scores, and the digests of its encoders.

    Raises MissingInput without any, DataError if it is damaged.
    """
    heads = folder / FOLDER
    if not (heads / ABOUT).exists():
        raise MissingInput("no head has been learned yet", hint="run `curate score` first")
    try:
        about: dict[str, Any] = storage.read_json(heads / ABOUT)
        spec = ScoreSpec.model_validate(about["spec"])
        kinds = dict(about["questions"])
        learned = {
            name: load(heads / f"{number:02}") for number, name in enumerate(about["questions"])
        }
        half_width, abstaining = about["half_width"], frozenset(about["abstaining"])
        names = {own.encoder for own in learned.values() if own.encoder}
        encoders = {name: str(about["encoders"][name]) for name in sorted(names)}
    except (DataError, ValueError, KeyError, TypeError) as error:
        words = f"{heads} holds no heads that can be read: {error}"
        raise DataError(words, hint="run `curate score` again") from None
    questions = {name: _question(name, kinds[name], own) for name, own in learned.items()}
    scorer = Scorer(
        learned=learned,
        quality=quality_function(spec.quality, questions),
        windows=spec.windows,
        half_width=half_width,
        group_by=spec.calibrate_by,
        abstaining=abstaining,
    )
    return scorer, encoders


def _question(name: str, kind: str, learned: Learned) -> Question:
    """The question, as far as quality needs to know it."""
    return Question(name, kind, (), learned.values, learned.values)  # type: ignore[arg-type]
