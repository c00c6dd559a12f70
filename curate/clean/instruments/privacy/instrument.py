"""Personal data and secrets: found by form, checked by arithmetic, flagged, masked or dropped.

email  an address with a host that can be one
phone  international, Chinese (mobile and area code), North American; others after a word like "tel"
ip     public IPv4 and IPv6 addresses; small numbers are a version unless a word says address
card   payment cards: issuer's range, length, grouping, Luhn's check digit (ISO/IEC 7812)
id     Chinese resident identity numbers: region, date, check digit (GB 11643-1999)
place  metadata of an image or a film that tell where it was taken (see `curate.media.metadata`)
key    private key blocks, tokens with a known prefix, JWT, passwords in URLs, and assignments to
       names such as `api_key` whose value looks drawn at random

Numbers and addresses are found however they are written: with digits, spaces, dashes and invisible
characters of any script, and as links and markup encode them (see `plain`).

Precision comes before recall: a date, an ISBN, a hash or a price must not count as personal data.
Not found: names, postal addresses, spelt-out addresses ("me at example dot org"), addresses in
other letters than ASCII, weak passwords.

Only counts and positions leave this package, never a value.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple, get_args

from pydantic import Field, model_validator

from curate.clean.instruments.privacy.emails import find_emails
from curate.clean.instruments.privacy.forms import Spans
from curate.clean.instruments.privacy.numbers import find_addresses, find_cards, find_ids
from curate.clean.instruments.privacy.phones import find_phones
from curate.clean.instruments.privacy.plain import decoded, plain, with_letters
from curate.clean.instruments.privacy.secrets import find_keys
from curate.clean.media.looking import media_of
from curate.media import Medium
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
UNSHOWN, PLACE = "privacy:unshown", "privacy:place"
SIGNALS = (*(f"privacy:{kind}" for kind in KINDS), PLACE, UNSHOWN)

_FINDERS: dict[Kind, Callable[[str], Spans]] = {
    "key": find_keys,
    "email": find_emails,
    "id": find_ids,
    "card": find_cards,
    "ip": find_addresses,
    "phone": find_phones,
}
"""The surest first: where two overlap, the first is right."""


class PrivateSpan(NamedTuple):
    """The half-open range of something private, in code points, and its kind."""

    start: int
    end: int
    kind: Kind


def find(text: str) -> list[PrivateSpan]:
    """The private spans of a text, in order and without overlaps; the surer kind wins.

    Digits, spaces and dashes of any script are those of ASCII, and what shows nothing is not there.
    Outside keys, what links and markup write in code (`%40`) is read.
    """
    read = plain(text)
    open_read = decoded(text, read)
    private: list[PrivateSpan] = []
    taken = bytearray(len(text))
    for kind, finder in _FINDERS.items():
        reading = read if kind == "key" else open_read
        letters = with_letters(reading.text) if kind == "email" and "＠" in text else reading.text
        for place in finder(letters):
            start, end = reading.home(*place)
            if taken.find(1, start, end) < 0:
                taken[start:end] = b"\1" * (end - start)
                private.append(PrivateSpan(start, end, kind))
    return sorted(private)


def masks(private: Iterable[PrivateSpan], kinds: Collection[Kind]) -> list[Edit]:
    """The edits that replace the spans of these kinds by a placeholder such as `[email]`."""
    return [(start, end, f"[{kind}]") for start, end, kind in private if kind in kinds]


class PrivacySpec(Spec):
    """The action for each kind: only count it, mask it, or drop the document."""

    email: Annotated[Action, Field(description="E-mail addresses.")] = "flag"
    phone: Annotated[Action, Field(description="Phone numbers.")] = "flag"
    ip: Annotated[Action, Field(description="Public network addresses.")] = "flag"
    card: Annotated[Action, Field(description="Payment cards.")] = "flag"
    id: Annotated[Action, Field(description="Chinese identity numbers.")] = "flag"
    key: Annotated[Action, Field(description="Keys, tokens and passwords.")] = "flag"
    place: Annotated[
        Action, Field(description="Metadata that tell where, or that cannot be cleaned of it.")
    ] = "flag"

    @model_validator(mode="before")
    @classmethod
    def _one_for_all(cls, value: Any) -> Any:
        return dict.fromkeys((*KINDS, "place"), value) if isinstance(value, str) else value

    def kinds(self, action: Action) -> tuple[Kind, ...]:
        """The kinds that this action is for."""
        return tuple(kind for kind in KINDS if getattr(self, kind) == action)


class Privacy:
    """The instrument: a count of each kind, and the masks as edits.

    A field that the document's text does not show cannot be masked. `privacy:unshown` counts what
    should be masked there, and such a document is dropped.
    """

    def prepare(self, workspace: Workspace, settings: PrivacySpec) -> tuple[Kind, ...]:
        """The kinds to mask."""
        return settings.kinds("mask")

    def measure(self, batch: Batch, prepared: tuple[Kind, ...]) -> Mapping[str, pa.Array]:
        """The number of private spans of each kind, of places, and of what cannot be masked."""
        import numpy as np
        import pyarrow as pa

        counts = np.zeros((len(batch.texts), len(SIGNALS)), np.float32)
        fields, template = (batch.pool[name].to_pylist() for name in ("fields", "template"))
        media = media_of(batch.pool)
        for place, text in enumerate(batch.texts):
            private = find(text)
            if private:
                batch.edit(place, masks(private, prepared))
            own = _texts_of(fields[place] or (), media[place])
            unshown = list(_unshown(own, template[place])) if own else []
            for span in (*private, *unshown):
                counts[place, KINDS.index(span.kind)] += 1
            counts[place, -1] = sum(span.kind in prepared for span in unshown)
            counts[place, -2] = batch.seen[place].places
        return {name: pa.array(counts[:, column]) for column, name in enumerate(SIGNALS)}

    def fails(self, measured: pa.Table, settings: PrivacySpec) -> NDArray[np.bool_]:
        """Whether each document holds something that drops it, or that cannot be masked."""
        import numpy as np

        failed = measured[UNSHOWN].to_numpy() > 0
        for kind in settings.kinds("drop"):
            failed = failed | (measured[f"privacy:{kind}"].to_numpy() > 0)
        if settings.place == "drop":
            failed = failed | (measured[PLACE].to_numpy() > 0)
        return np.asarray(failed, np.bool_)


def _texts_of(
    fields: Sequence[Mapping[str, str]], media: Sequence[Medium]
) -> Sequence[Mapping[str, str]]:
    """The fields that are texts: in that of a medium its address stands."""
    addresses = {medium.field for medium in media}
    return [field for field in fields if field["name"] not in addresses] if media else fields


def _unshown(fields: Sequence[Mapping[str, str]], template: str | None) -> Iterator[PrivateSpan]:
    """Yield the private spans in fields that the text does not show. Images are not read."""
    values = {field["name"]: field["text"] for field in fields}
    for name in values.keys() - spans(values, template).keys():
        if not values[name].startswith("data:"):
            yield from find(values[name])
