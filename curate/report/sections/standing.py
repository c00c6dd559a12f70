"""The texts that stand for each group: best, middle, worst, and most disputed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from curate.report.picks import EACH, Pick
from curate.report.qualities import Qualities
from curate.report.section import Example, Section, Shelf, say, section
from curate.report.texts import Texts

SIDES = ("standing.best", "standing.middle", "standing.worst")


def ids_of(qualities: Qualities) -> Iterator[str]:
    """Yield the ids of all examples but the disputed ones."""
    for own in qualities.picks.values():
        for side in own.sides:
            yield from (pick.id for pick in side)


def standing(
    qualities: Qualities, disputed: Sequence[Mapping[str, Any]], texts: Texts
) -> Section | None:
    """The documents that stand for the largest groups; None without quality.

    `disputed` are rows of labels, the most disputed first.
    """
    shelves = [
        Shelf(
            say("standing.group", group=group),
            (
                *(
                    (say(name), tuple(_example(pick, texts) for pick in side if pick.id in texts))
                    for name, side in zip(SIDES, own.sides, strict=True)
                ),
                (say("standing.disputed"), _disputed(qualities, group, disputed, texts)),
            ),
            folded=number > 0,
        )
        for number, (group, own) in enumerate(qualities.picks.items())
    ]
    shown = [own for own in shelves if own]
    return section("standing", say("standing.words"), shelves=shown) if shown else None


def _example(pick: Pick, texts: Texts) -> Example:
    return texts.example(pick.id, {"quality": pick.quality, "copies": pick.copies})


def _disputed(
    qualities: Qualities, group: str, disputed: Sequence[Mapping[str, Any]], texts: Texts
) -> tuple[Example, ...]:
    """The documents of a group that people disagree on most, each once."""
    own = {
        row["id"]: row["disagreement"]
        for row in reversed(disputed)
        if qualities.labelled.get(row["id"]) == group and row["id"] in texts
    }
    most = list(reversed(own.items()))[:EACH]
    return tuple(texts.example(id, {"disagreement": value}) for id, value in most)
