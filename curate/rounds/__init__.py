"""Rounds of asking people: frozen when sampled and first pushed, then append-only.

`round` is the value, `rounds` lists those of a workspace, `opened` and `sent` are the records on
disk, `views` maps documents to pages and back, `standing` counts how far people are, and `design`
says how much of the corpus the answered documents stand for.
"""

from curate.rounds.answers import KEY, Answer, newest
from curate.rounds.batch import Batch, text_digest
from curate.rounds.freezing import freeze
from curate.rounds.round import Round
from curate.rounds.rounds import Rounds

__all__ = [
    "KEY",
    "Answer",
    "Batch",
    "Round",
    "Rounds",
    "freeze",
    "newest",
    "text_digest",
]
