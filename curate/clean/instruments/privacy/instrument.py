"""Personal data and secrets: found by form, checked by arithmetic, flagged, masked or dropped.

email  an address with a host that can be one
phone  international, Chinese (mobile and area code), North American; others after a word like "tel"
ip     public IPv4 and IPv6 addresses; small numbers are a version unless a word says address
card   payment cards: issuer's range, length, grouping, Luhn's check digit (ISO/IEC 7812)
id     Chinese resident identity numbers: region, date, check digit (GB 11643-1999)
key    private key blocks, tokens with a known prefix, JWT, passwords in URLs, and assignments to
       names such as `api_key` whose value looks drawn at random

Precision goes before recall: a date, an ISBN, a hash or a price must not be taken for a person. Not
found: names, postal addresses, spelt-out addresses ("me at example dot org"), addresses in other
letters than ASCII, weak passwords.
What was found is counted and placed, never copied: no value leaves this module.
"""

from __future__ import annotations

import json
import re
from bisect import bisect
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple, get_args

from pydantic import Field, model_validator

from curate.clean.instruments.privacy.emails import emails
from curate.clean.instruments.privacy.forms import Spans
from curate.clean.instruments.privacy.numbers import find_addresses, find_cards, ids
from curate.clean.instruments.privacy.phones import phones
from curate.clean.instruments.privacy.secrets import keys
from curate.spec import Spec
from curate.text import Edit, spans

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from curate.clean.edits import Batch
    from curate.workspace import Workspace

Kind = Literal["email", "phone", "ip", "card", "id", "key"]
Action = Literal["flag", "mask", "drop"]

KINDS: tuple[Kind, ...] = get_args(Kind)
UNSHOWN = "privacy:unshown"
SIGNALS = (*(f"privacy:{kind}" for kind in KINDS), UNSHOWN)


class Found(NamedTuple):
    """Where something private stands: half-open code points, and of what kind it is."""

    start: int
    end: int
    kind: Kind


_WIDE = re.compile("[０-９＠]")
_NARROW = {ord(char) + 0xFEE0: char for char in "0123456789ABCDEFXx@+-._"}


def find(text: str) -> list[Found]:
    """Return everything private in a text, in order, without overlaps; the surer kind wins.

    Full-width digits are digits: １３８ is 138.
    """
    if not text.isascii() and _WIDE.search(text):
        text = text.translate(_NARROW)  # character by character: places stay
    found: list[Found] = []
    for kind, finder in _FINDERS.items():
        for start, end in finder(text):
            at = bisect(found, (start,))
            before, after = found[at - 1 : at], found[at : at + 1]
            if (not before or before[0].end <= start) and (not after or end <= after[0].start):
                found.insert(at, Found(start, end, kind))
    return found


def masks(found: Iterable[Found], kinds: Collection[Kind]) -> list[Edit]:
    """Return the edits that put a placeholder such as `[email]` in the place of what is masked."""
    return [(start, end, f"[{kind}]") for start, end, kind in found if kind in kinds]


class PrivacySpec(Spec):
    """What is done with each kind: counted only, masked, or the document dropped."""

    email: Annotated[Action, Field(description="E-mail addresses.")] = "flag"
    phone: Annotated[Action, Field(description="Phone numbers.")] = "flag"
    ip: Annotated[Action, Field(description="Public network addresses.")] = "flag"
    card: Annotated[Action, Field(description="Payment cards.")] = "flag"
    id: Annotated[Action, Field(description="Chinese identity numbers.")] = "flag"
    key: Annotated[Action, Field(description="Keys, tokens and passwords.")] = "flag"

    @model_validator(mode="before")
    @classmethod
    def _one_for_all(cls, given: Any) -> Any:
        return dict.fromkeys(KINDS, given) if isinstance(given, str) else given

    def kinds(self, action: Action) -> tuple[Kind, ...]:
        """Return the kinds with which this is done."""
        return tuple(kind for kind in KINDS if getattr(self, kind) == action)


class Privacy:
    """The instrument: a count of each kind, and the masks as edits.

    A field that the document's text does not show can hold no mask: `privacy:unshown` counts what
    should be masked there, and such a document is dropped.
    """

    def prepare(self, workspace: Workspace, settings: PrivacySpec) -> tuple[Kind, ...]:
        return settings.kinds("mask")

    def measure(self, batch: Batch, prepared: tuple[Kind, ...]) -> Mapping[str, pa.Array]:
        import numpy as np
        import pyarrow as pa

        numbers = np.zeros((len(batch.texts), len(KINDS) + 1), np.float32)
        fields, template = (batch.pool[name].to_pylist() for name in ("fields", "template"))
        for place, text in enumerate(batch.texts):
            found = find(text)
            if found:
                batch.edit(place, masks(found, prepared))
            unshown = list(_unshown(fields[place], template[place])) if fields[place] else []
            for row in (*found, *unshown):
                numbers[place, KINDS.index(row.kind)] += 1
            numbers[place, -1] = sum(row.kind in prepared for row in unshown)
        return {name: pa.array(numbers[:, at]) for at, name in enumerate(SIGNALS)}

    def fails(self, measured: pa.Table, settings: PrivacySpec) -> NDArray[np.bool_]:
        import numpy as np

        failed = measured[UNSHOWN].to_numpy() > 0
        for kind in settings.kinds("drop"):
            failed = failed | (measured[f"privacy:{kind}"].to_numpy() > 0)
        return np.asarray(failed, np.bool_)


def _unshown(fields: str, template: str | None) -> Iterator[Found]:
    """Yield what is private in the fields that the text does not show; images are not read."""
    values = dict(json.loads(fields))
    for name in values.keys() - spans(values, template).keys():
        if not values[name].startswith("data:"):
            yield from find(values[name])


_FINDERS: dict[Kind, Callable[[str], Spans]] = {
    "key": keys,
    "email": emails,
    "id": ids,
    "card": find_cards,
    "ip": find_addresses,
    "phone": phones,
}
"""In the order of sureness: where two overlap, the first is right."""
