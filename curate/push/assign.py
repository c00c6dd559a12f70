"""Who is asked what: a round as a whole, split by a column, or shared out to people.

    together     everyone is asked everything
    by_value     one part for each value of a column, with its own people
    by_person    one part for each person; each task goes into `overlap` of them

Everything is decided before anything is sent. Too few people for the overlap are an error.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b

from curate.errors import DataError
from curate.names import unknown
from curate.people import Person

UNKNOWN = "unknown"
"""The part of the tasks that have no value in the column."""


@dataclass(frozen=True)
class Item:
    """A task: its value of the column, its language, and whether it is gold.

    Sequences of items are in the order shown.
    """

    id: str
    value: str | None = None
    language: str | None = None
    gold: bool = False


@dataclass(frozen=True)
class Part:
    """A future project: its people (None: everyone who comes) and its tasks.

    `asks` maps each task to an overlap of its own; None stands for the overlap of the part. An
    `overlap` of None asks everyone.
    """

    name: str | None
    people: tuple[str, ...] | None
    overlap: int | None
    asks: Mapping[str, int | None] = field(default_factory=dict)


def together(
    items: Sequence[Item],
    people: Sequence[Person] | None,
    overlap: int | None,
    name: str | None = None,
) -> Part:
    """The part that asks everyone the same tasks; `people` is None where nobody is known.

    Gold items ask everyone. So do as many other items, so the overlap does not reveal gold.
    Raises DataError for too few people or too small quotas. Unknown people are never too few.
    """
    if people is None:
        return Part(name, None, overlap, {item.id: None for item in items})
    number = len(people) if overlap is None else overlap
    if not 0 < number <= len(people):
        raise _too_few(max(1, number), len(people), name)
    everyone = len(people) if number < len(people) else None
    asking_all = _asking_all(items) if everyone else frozenset[str]()
    asks = {item.id: everyone if item.id in asking_all else None for item in items}
    part = Part(name, tuple(person.id for person in people), overlap, asks)
    _refuse_quotas([part], people, name)
    return part


def _asking_all(items: Sequence[Item]) -> frozenset[str]:
    """The ids of the gold items and of as many others, spread over all items.

    The choice of the others depends on the gold ids: the ids of the tasks do not reveal it.
    """
    gold = sorted(item.id for item in items if item.gold)
    salt = " ".join(gold)
    rest = (item.id for item in items if not item.gold)
    others = sorted(rest, key=lambda id: blake2b(f"{salt} {id}".encode()).digest())
    return frozenset((*gold, *others[: len(gold)]))


def by_value(
    items: Sequence[Item],
    column: str,
    people: Sequence[Person] | None,
    chosen: Mapping[str, Sequence[str]],
    overlap: int | None,
) -> list[Part]:
    """One part for each value. `chosen` maps values to ids of people; other parts ask everyone.

    For the column `language`, everyone means the people who read that language. A gold item
    without a value goes into parts that have no people in common: nobody sees it twice and
    recognizes it. Raises DataError for a value or person that is missing, and as `together` does.
    """
    values = sorted(
        {item.value or UNKNOWN for item in items if item.value or not item.gold} or {UNKNOWN}
    )
    items_of: dict[str, list[Item]] = {value: [] for value in values}
    unused = sorted(set(chosen) - set(items_of))
    if unused:
        complaint = f"push.people names {unused[0]}, and no task has that {column}"
        raise unknown(complaint, unused[0], items_of, kind=DataError)
    people_of = {value: _people_for(value, column, people, chosen) for value in items_of}
    turn = 0
    for item in items:
        if item.value or not item.gold:
            items_of[item.value or UNKNOWN].append(item)
        else:
            for value in _apart(people_of, turn):
                items_of[value].append(item)
            turn += 1
    parts = [together(items_of[value], people_of[value], overlap, value) for value in items_of]
    everyone = {person.id: person for group in people_of.values() for person in group or ()}
    _refuse_quotas(parts, everyone.values())
    return parts


def _apart(people_of: Mapping[str, Sequence[Person] | None], first: int) -> list[str]:
    """The values whose parts have no people in common, beginning at number `first`."""
    values, apart, used_ids = [*people_of], list[str](), set[str]()
    for value in (*values[first % len(values) :], *values[: first % len(values)]):
        ids = {person.id for person in people_of[value] or ()}
        if not apart or (ids and not ids & used_ids):
            apart.append(value)
            used_ids |= ids
    return apart


def _people_for(
    value: str, column: str, people: Sequence[Person] | None, chosen: Mapping[str, Sequence[str]]
) -> Sequence[Person] | None:
    """The people of one part; None where nobody is known. Raises DataError for a stranger."""
    if value in chosen:
        people_by_id = {person.id: person for person in people or ()}
        missing = [id for id in chosen[value] if people is not None and id not in people_by_id]
        if missing:
            raise DataError(
                f"push.people: {missing[0]} cannot be asked",
                hint="see `curate people list`: an account on this server, and a period of work",
            )
        return [people_by_id.get(id, Person(id=id)) for id in dict.fromkeys(chosen[value])]
    if people is None or column != "language":
        return people
    return [person for person in people if person.reads(value)]


def by_person(items: Sequence[Item], people: Sequence[Person], overlap: int | None) -> list[Part]:
    """Share the tasks out evenly: each goes to `overlap` people who read it and have room.

    Gold items, and as many others, go to everyone who reads them. Nobody gets more than their
    quota. Tasks that few people can read are shared out first. Raises DataError for too few
    people or too small quotas.
    """
    asks: dict[str, dict[str, int | None]] = {person.id: {} for person in people}
    person_places = {person.id: place for place, person in enumerate(people)}
    readers_of = {
        language: [person for person in people if language is None or person.reads(language)]
        for language in {item.language for item in items}
    }
    asking_all = _asking_all(items)
    rare_first = sorted(
        items, key=lambda item: (item.id not in asking_all, len(readers_of[item.language]))
    )
    for item in rare_first:
        readers = readers_of[item.language]
        free = [
            person
            for person in readers
            if person.quota is None or len(asks[person.id]) < person.quota
        ]
        asks_everyone = item.id in asking_all or overlap is None
        number = len(readers) if asks_everyone else overlap or 1
        if not 0 < number <= len(readers):
            raise _too_few(max(1, number), len(readers), item.language)
        if len(free) < number:
            raise _small_quotas(number, item.language)
        free.sort(key=lambda person: (len(asks[person.id]), person_places[person.id]))
        for person in free[:number]:
            asks[person.id][item.id] = None
    item_places = {item.id: place for place, item in enumerate(items)}
    return [
        Part(id, (id,), 1, dict.fromkeys(sorted(tasks, key=lambda task: item_places[task])))
        for id, tasks in asks.items()
        if tasks
    ]


def _refuse_quotas(
    parts: Sequence[Part], people: Iterable[Person], where: str | None = None
) -> None:
    """Raise DataError if the quotas are too small, in total or for tasks that ask everyone."""
    answers, least, most = 0, Counter[str](), Counter[str]()
    for part in parts:
        ids = part.people or ()
        overlaps = [overlap or part.overlap or len(ids) for overlap in part.asks.values()]
        answers += sum(overlaps) if ids else 0
        least.update(dict.fromkeys(ids, overlaps.count(len(ids))))
        most.update(dict.fromkeys(ids, len(overlaps)))
    room = {
        person.id: most[person.id] if person.quota is None else min(person.quota, most[person.id])
        for person in people
    }
    if sum(room.values()) < answers or any(room[id] < number for id, number in least.items()):
        raise _small_quotas(max(part.overlap or len(part.people or ()) for part in parts), where)


def _small_quotas(overlap: int, where: str | None) -> DataError:
    about = f" for {where}" if where else ""
    return DataError(
        f"the quota of the people{about} is too small for {overlap} answers to every text",
        hint="raise a quota in people.yaml, lower push.overlap, or sample fewer texts",
    )


def _too_few(overlap: int, available: int, where: str | None) -> DataError:
    about, name = (f" for {where}", "name some in push.people, ") if where else ("", "")
    return DataError(
        f"{overlap} people are to answer every text, but only {available} can be asked{about}",
        hint=f"add people with `curate server accounts add`, {name}or lower push.overlap",
    )


def slugs(names: Iterable[str]) -> dict[str, str]:
    """The short name of each part, for the name of its project: letters, digits, `_`."""
    short = {
        name: "".join(character if character.isalnum() else "_" for character in name)[:16]
        for name in names
    }
    counts = Counter(short.values())
    return {
        name: slug if counts[slug] == 1 else f"{slug}_{place}"
        for place, (name, slug) in enumerate(sorted(short.items()), 1)
    }
