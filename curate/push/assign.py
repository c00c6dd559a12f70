"""Who is asked what: a round as a whole, split by a column, or shared out to people.

    together     everyone is asked everything
    by_value     one part for each value of a column, with its own people
    by_person    one part for each person, every task in as many of them as answers are wanted

All is decided before anything is sent: too few people for the overlap are refused here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b

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
    wanted = len(people) if overlap is None else overlap
    if not 0 < wanted <= len(people):
        raise _too_few(max(1, wanted), len(people), name)
    everyone = len(people) if wanted < len(people) else None
    asking_all = _asking_all(items) if everyone else frozenset[str]()
    asks = {item.id: everyone if item.id in asking_all else None for item in items}
    part = Part(name, tuple(person.id for person in people), overlap, asks)
    _refuse_quotas([part], people, name)
    return part


def _asking_all(items: Sequence[Item]) -> frozenset[str]:
    """Return the gold items and as many others, which lie anywhere among them.

    Which others depends on what is gold, so that it cannot be told from the ids.
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
    """Make one part for each value; its people are those chosen, or those who read the language.

    A gold item without a value stands in parts that have no people in common: seen twice, it would
    be known.
    """
    parts: dict[str, list[Item]] = {
        value: [] for value in sorted({i.value or UNKNOWN for i in items if i.value or not i.gold})
    }
    unused = sorted(set(chosen) - set(parts))
    if unused:
        raise DataError(
            f"push.people names {unused[0]}, and no task has that {column}",
            hint=f"there are: {', '.join(parts)}",
        )
    who = {value: _chosen(people, column, value, chosen) for value in parts}
    turn = 0
    for item in items:
        if item.value or not item.gold:
            parts[item.value or UNKNOWN].append(item)
        else:
            for value in _apart(who, turn):
                parts[value].append(item)
            turn += 1
    made = [together(parts[value], who[value], overlap, value) for value in parts]
    _refuse_quotas(made, {p.id: p for each in who.values() for p in each or ()}.values())
    return made


def _apart(who: Mapping[str, Sequence[Person] | None], first: int) -> list[str]:
    """Return parts that have no people in common, beginning with one of them."""
    values, found, seen = [*who], list[str](), set[str]()
    for value in (*values[first % len(values) :], *values[: first % len(values)]):
        ids = {person.id for person in who[value] or ()}
        if not found or (ids and not ids & seen):
            found.append(value)
            seen |= ids
    return found


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
        return [known.get(id, Person(id=id)) for id in dict.fromkeys(chosen[value])]
    if people is None or column != "language":
        return people
    return [person for person in people if person.reads(value)]


def by_person(items: Sequence[Item], people: Sequence[Person], overlap: int | None) -> list[Part]:
    """Share the tasks out evenly: each goes to `overlap` people who read it and have room.

    Gold items, and as many others, go to everyone who reads them. Nobody gets more than their
    quota. What few can read is given out first.
    """
    given: dict[str, dict[str, int | None]] = {person.id: {} for person in people}
    order = {person.id: place for place, person in enumerate(people)}
    able = {
        language: [p for p in people if language is None or p.reads(language)]
        for language in {item.language for item in items}
    }
    asking_all = _asking_all(items)
    for item in sorted(items, key=lambda i: (i.id not in asking_all, len(able[i.language]))):
        readers = able[item.language]
        free = [p for p in readers if p.quota is None or len(given[p.id]) < p.quota]
        every = item.id in asking_all or overlap is None
        wanted = len(readers) if every else overlap or 1
        if not 0 < wanted <= len(readers):
            raise _too_few(max(1, wanted), len(readers), item.language)
        if len(free) < wanted:
            raise _small_quotas(wanted, item.language)
        free.sort(key=lambda person: (len(given[person.id]), order[person.id]))
        for person in free[:wanted]:
            given[person.id][item.id] = None
    shown = {item.id: place for place, item in enumerate(items)}
    return [
        Part(id, (id,), 1, dict.fromkeys(sorted(tasks, key=lambda task: shown[task])))
        for id, tasks in given.items()
        if tasks
    ]


def _refuse_quotas(
    parts: Sequence[Part], people: Iterable[Person], where: str | None = None
) -> None:
    """Raise DataError if people have too little room for what is asked, in sum or of them all."""
    wanted, least, most = 0, Counter[str](), Counter[str]()
    for part in parts:
        ids = part.people or ()
        asks = [each or part.overlap or len(ids) for each in part.asks.values()]
        wanted += sum(asks) if ids else 0
        least.update(dict.fromkeys(ids, asks.count(len(ids))))
        most.update(dict.fromkeys(ids, len(asks)))
    room = {p.id: most[p.id] if p.quota is None else min(p.quota, most[p.id]) for p in people}
    if sum(room.values()) < wanted or any(room[id] < number for id, number in least.items()):
        raise _small_quotas(max(part.overlap or len(part.people or ()) for part in parts), where)


def _small_quotas(wanted: int, where: str | None) -> DataError:
    about = f" for {where}" if where else ""
    return DataError(
        f"the people{about} have too small a quota for {wanted} answers to every text",
        hint="raise a quota in people.yaml, lower push.overlap, or sample fewer texts",
    )


def _too_few(wanted: int, there: int, where: str | None) -> DataError:
    about, name = (f" for {where}", "name some in push.people, ") if where else ("", "")
    return DataError(
        f"{wanted} people are to answer every text, but only {there} can be asked{about}",
        hint=f"add people with `curate server accounts add`, {name}or lower push.overlap",
    )


def slugs(names: Iterable[str]) -> dict[str, str]:
    """Return what stands for each part in the name of its project: letters, digits, `_`."""
    cleaned = {name: "".join(c if c.isalnum() else "_" for c in name)[:16] for name in names}
    often = Counter(cleaned.values())
    return {
        name: slug if often[slug] == 1 else f"{slug}_{place}"
        for place, (name, slug) in enumerate(sorted(cleaned.items()), 1)
    }
