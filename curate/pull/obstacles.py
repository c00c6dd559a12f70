"""What keeps a round from its end, each told with the one command that ends it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from curate.rounds import Round
from curate.rounds.standing import Standing
from curate.warning import StageWarning, warn


def obstacles_of(
    current: Round, altered: int, state: Standing, unserved: Sequence[str], *, done: bool
) -> Iterator[StageWarning]:
    """Yield a warning for each obstacle.

    `altered` is the number of projects whose form was changed on the server. `unserved` are the
    texts that lack answers, and that the server shows to nobody any more.
    """
    end = "" if done else f"; `curate round close {current.number}` ends the round"
    ending = {"end": end, "round": None if done else current.number}
    if altered:
        words = (
            "the form was changed on the server: answers that fit the form of the round come home, "
            "others are rejected, and nothing more is sent{end}"
        )
        yield warn("pull.altered", words, projects=altered, **ending)
    if unserved:
        words = (
            "the server shows {texts:,} texts to nobody any more, though they lack answers: it "
            "counts some that do not count here ({ids}){end}"
        )
        yield warn("pull.unserved", words, texts=len(unserved), ids=list(unserved), **ending)
    if state.waits_for and not done:
        words = (
            "{texts:,} texts wait for {people}: their answers were rejected, and only they can "
            "mend them on the server{end}"
        )
        names, texts = sorted(state.waits_for), max(state.waits_for.values())
        yield warn("pull.waits", words, texts=texts, people=names, **ending)
