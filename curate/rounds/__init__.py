"""A round owns what people saw and said: frozen when sampled and first pushed, then append-only.

rounds/01/  spec.json  sample.parquet  texts.parquet  gold.json         frozen by `sample`
            form.xml  guidelines.md  tasks.parquet  project.json      frozen by the first `push`
            annotations/0001.parquet …                                appended by `pull`
            erased.json                                               tasks taken down
            closed.json                                               the end
"""

from curate.rounds.answers import KEY, Answer, newest
from curate.rounds.batch import Batch, text_digest
from curate.rounds.freezing import freeze
from curate.rounds.round import Round

__all__ = [
    "KEY",
    "Answer",
    "Batch",
    "Round",
    "freeze",
    "newest",
    "text_digest",
]
