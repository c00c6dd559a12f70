"""Who is asked what: a round as a whole, split by a column, or shared out to people.

    together     everyone is asked everything
    by_value     one part for each value of a column, with its own people
    by_person    one part for each person, every task in as many of them as answers are wanted

All is decided before anything is sent: too few people for the overlap are refused here.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from curate.errors import DataError
from curate.people import Person

UNKNOWN = "unknown"
"""The part of the tasks that have no value in the column."""


@dataclass(frozen=True)
class Item:
    """A task, in the order shown: its value of the column, its language, and whether it is gold."""

    id: str
    value: str | None = None
    language: str | None = None
    gold: bool = False


@dataclass(frozen=True)
class Part:
    """What becomes one project: its people (None: all who come) and its tasks.

    `asks` maps each task to an overlap of its own, or None for that of the part; an `overlap` of
    None asks everyone.
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
    """Ask everyone the same; `people` None are not known, and cannot be too few.

    A gold item asks all of them, and as many others do too: so the number says nothing.
    """
    if people is None:
        return Part(name, None, overlap, {item.id: None for item in items})
    _enough(len(items), people, overlap, name)
    everyone = len(people) if overlap is not None and overlap < len(people) else None
    golden = sum(item.gold for item in items)
    others = [item.id for item in items if not item.gold][:golden]
    asks = {item.id: everyone if item.gold or item.id in others else None for item in items}
    return Part(name, tuple(person.id for person in people), overlap, asks)


def by_value(
    items: Sequence[Item],
    column: str,
    people: Sequence[Person] | None,
    chosen: Mapping[str, Sequence[str]],
    overlap: int | None,
) -> list[Part]:
    """Make one part for each value; its people are those chosen, or those who read the language.

    A gold item without a value stands in every part.
    """
    parts: dict[str, list[Item]] = defaultdict(list)
    values = {item.value or UNKNOWN for item in items if item.value or not item.gold}
    for item in items:
        for value in [item.value or UNKNOWN] if item.value or not item.gold else values:
            parts[value].append(item)
    unused = sorted(set(chosen) - set(parts))
    if unused:
        raise DataError(
            f"push.people names {unused[0]}, and no task has that {column}",
            hint=f"there are: {', '.join(sorted(parts))}",
        )
    return [
        together(parts[value], _chosen(people, column, value, chosen), overlap, value)
        for value in sorted(parts)
    ]


def _chosen(
    people: Sequence[Person] | None, column: str, value: str, chosen: Mapping[str, Sequence[str]]
) -> Sequence[Person] | None:
    if value in chosen:
        known = {person.id: person for person in people or ()}
        missing = [id for id in chosen[value] if people is not None and id not in known]
        if missing:
            raise DataError(
                f"push.people: {missing[0]} cannot be asked",
                hint="see `curate people list`: an account on this server, and a period of work",
            )
        return [known.get(id, Person(id=id)) for id in chosen[value]]
    if people is None or column != "language":
        return people
    return [person for person in people if person.reads(value)]


def by_person(items: Sequence[Item], people: Sequence[Person], overlap: int | None) -> list[Part]:
    """Share the tasks out evenly: each goes to `overlap` people who read it and have room.

    Gold items go to everyone who reads them. Nobody gets more than their quota, gold counted.
    """
    given: dict[str, dict[str, int | None]] = {person.id: {} for person in people}
    order = {person.id: place for place, person in enumerate(people)}
    for item in sorted(items, key=lambda item: not item.gold):
        able = [person for person in people if item.language is None or person.reads(item.language)]
        free = [p for p in able if p.quota is None or len(given[p.id]) < p.quota]
        wanted = len(able) if item.gold or overlap is None else overlap
        if len(free) < wanted or not wanted:
            raise _too_few(wanted, len(free), item.language, len(able) > len(free))
        free.sort(key=lambda person: (len(given[person.id]), order[person.id]))
        for person in free[:wanted]:
            given[person.id][item.id] = None
    shown = {item.id: place for place, item in enumerate(items)}
    return [
        Part(id, (id,), 1, dict.fromkeys(sorted(tasks, key=lambda task: shown[task])))
        for id, tasks in given.items()
        if tasks
    ]


def _enough(tasks: int, people: Sequence[Person], overlap: int | None, name: str | None) -> None:
    if len(people) < (overlap or 1):
        raise _too_few(overlap or 1, len(people), name, False)
    if overlap is not None:
        room = sum(min(person.quota or tasks, tasks) for person in people)
        if room < tasks * overlap:
            raise _too_few(overlap, len(people), name, True)


def _too_few(wanted: int, there: int, where: str | None, quotas: bool) -> DataError:
    about = f" for {where}" if where else ""
    if quotas:
        return DataError(
            f"the people{about} have too small a quota for {wanted} answers to every text",
            hint="raise a quota in people.yaml, lower push.overlap, or sample fewer texts",
        )
    return DataError(
        f"{wanted} people are to answer every text, but only {there} can be asked{about}",
        hint="add people with `curate server accounts add`, or lower push.overlap",
    )


def slugs(names: Iterable[str]) -> dict[str, str]:
    """Return what stands for each part in the name of its project: letters, digits, `_`."""
    cleaned = {name: "".join(c if c.isalnum() else "_" for c in name)[:16] for name in names}
    often = Counter(cleaned.values())
    return {
        name: slug if often[slug] == 1 else f"{slug}_{place}"
        for place, (name, slug) in enumerate(sorted(cleaned.items()), 1)
    }
