"""Look at the media of a shard's documents: one medium is open at a time, and all rules see it.

A medium that cannot be read costs its document alone: its signal `unreadable` is 1, and the reason
stands in the column `damage`. One that lies on the web is not looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curate.clean.media.seen import Seen, Values
from curate.clean.media.sight import Sight
from curate.clean.rules.signals import Signal
from curate.errors import CurateError
from curate.media import Medium, MediumError
from curate.media.medium import Kind

if TYPE_CHECKING:
    import pyarrow as pa

UNREADABLE = "unreadable"


@dataclass(frozen=True)
class Look:
    """A rule set that looks at media of some kinds: its signals, and how they are found.

    `see` takes a medium and what the set has prepared. Of several media in a document the least
    value of a signal counts; where only large values fail, the largest.
    """

    name: str
    kinds: tuple[Kind, ...]
    signals: Mapping[str, Signal]
    see: Callable[[Sight, Any], Values]
    prepared: Any = None

    def seen(self, sights: Sequence[Sight]) -> Values | None:
        """The signals over the media of a document; None if it has none that can be looked at."""
        own = [sight for sight in sights if sight.medium.kind in self.kinds]
        rows = [self.see(sight, self.prepared) for sight in own if not sight.is_elsewhere]
        if not rows:
            return None
        return {name: self._worst(name, [row[name] for row in rows]) for name in self.signals}

    def _worst(self, name: str, values: Sequence[float]) -> float:
        signal = self.signals[name]
        return max(values) if signal.low is None and signal.high is not None else min(values)

    def unreadable(self) -> Values:
        """The signals of a medium that cannot be read."""
        return {name: 1.0 if name == UNREADABLE else float("nan") for name in self.signals}


@dataclass(frozen=True)
class Looks:
    """All that is looked for in a document: rule sets, metadata that tell places, fingerprints."""

    sets: tuple[Look, ...] = ()
    places: bool = False
    fingerprints: bool = False

    def seen(self, media: Sequence[Medium], text: str, folder: Path) -> Seen:
        """What is seen of the media of one document."""
        kinds = frozenset(medium.kind for medium in media)
        sights = [Sight(medium, folder, text) for medium in media]
        damage = None
        try:
            values = dict(self._values(sights))
            near = [sight for sight in sights if not sight.is_elsewhere]
            places = sum(sight.tells_place for sight in near) if self.places else 0
            wanted = self.fingerprints and len(media) == 1 and len(near) == 1
            return Seen(kinds, values, None, places, near[0].fingerprint if wanted else None)
        except MediumError as error:
            damage = str(error)
        except (CurateError, KeyboardInterrupt):
            raise
        except Exception as error:  # decoders raise whatever comes of hostile bytes
            damage = f"it cannot be decoded: {type(error).__name__}"
        own = [look for look in self.sets if kinds & set(look.kinds)]
        return Seen(kinds, {look.name: look.unreadable() for look in own}, damage)

    def _values(self, sights: Sequence[Sight]) -> Iterator[tuple[str, Values]]:
        for look in self.sets:
            values = look.seen(sights)
            if values is not None:
                yield look.name, values


def media_of(pool: pa.Table) -> list[list[Medium]]:
    """The media of each document of a shard."""
    if "media" not in pool.column_names or pool["media"].null_count == pool.num_rows:
        return [[] for _ in range(pool.num_rows)]
    return [[Medium.of(own) for own in row or ()] for row in pool["media"].to_pylist()]
