"""What keeps a round from its end, each told with the one command that ends it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from curate.records import Unserved
from curate.rounds import Round
from curate.rounds.standing import Standing
from curate.warning import StageWarning, warn


def obstacles_of(
    current: Round, altered: int, state: Standing, unserved: Unserved, *, done: bool
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
    if unserved.gone:
        again = end if altered else "; `curate push` sends them again"
        words = "{texts:,} texts that lack answers are gone from the server ({ids}){again}"
        ids = list(unserved.gone)
        yield warn("pull.gone", words, texts=len(ids), ids=ids, again=again, **ending)
    if unserved.counted:
        words = (
            "the server shows {texts:,} texts to nobody any more, though they lack answers: it "
            "counts some that do not count here ({ids}){end}"
        )
        ids = list(unserved.counted)
        yield warn("pull.unserved", words, texts=len(ids), ids=ids, **ending)
    if state.waits_for and not done:
        words = (
            "{texts:,} texts wait for {people}: their answers were rejected, and only they can "
            "mend them on the server{end}"
        )
        names, texts = sorted(state.waits_for), max(state.waits_for.values())
        yield warn("pull.waits", words, texts=texts, people=names, **ending)


def waiting_for(current: Round, outside: Sequence[str]) -> Iterator[StageWarning]:
    """Yield a warning for people who are waited for and do not see the texts."""
    if outside:
        words = (
            "{people} do not see the texts on the server: `curate push` lets them in; "
            "`curate round close {round}` ends the round"
        )
        yield warn("pull.outside", words, people=list(outside), round=current.number)
