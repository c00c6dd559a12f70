"""Who is asked what: all of it settled, or refused, before anything is sent."""

from collections import Counter
from dataclasses import replace

import pytest

from curate.errors import DataError
from curate.people import Person
from curate.push.assign import Item, Part, by_person, by_value, slugs, together

ANN, BOB, CY = Person(id="ann"), Person(id="bob"), Person(id="cy")
PEOPLE = (ANN, BOB, CY)


def items(n, gold=0, **more):
    return [Item(f"t{k:02}", gold=k >= n - gold, **more) for k in range(n)]


def test_together_asks_everyone_the_same():
    part = together(items(4), PEOPLE, 2)
    assert (part.name, part.people, part.overlap) == (None, ("ann", "bob", "cy"), 2)
    assert part.asks == dict.fromkeys(["t00", "t01", "t02", "t03"])


def test_the_overlap_of_gold_is_that_of_as_many_others():
    asks = together(items(10, gold=2), PEOPLE, 1).asks
    by_all = {id for id, overlap in asks.items() if overlap == 3}
    assert len(by_all) == 4
    assert {"t08", "t09"} < by_all
    assert set(together(items(10, gold=2), PEOPLE, 3).asks.values()) == {None}
    assert set(together(items(10, gold=2), PEOPLE, None).asks.values()) == {None}


def test_others_that_ask_everyone_are_not_told_from_gold_by_their_place():
    among = [Item(f"t{k:03}", gold=k % 10 == 5) for k in range(200)]
    asks = together(among, PEOPLE, 1).asks
    places = [k for k, item in enumerate(among) if asks[item.id] and not item.gold]
    assert len(places) == 20
    assert 60 < sum(places) / 20 < 140


def test_people_nobody_knows_cannot_be_too_few():
    assert together(items(2), None, 9).people is None


@pytest.mark.parametrize(
    ("people", "overlap", "words"),
    [
        (PEOPLE, 4, "4 people are to answer every text, but only 3 can be asked"),
        ((), 1, "only 0 can be asked"),
        ((), None, "only 0 can be asked"),
        (
            (Person(id="x", quota=3), Person(id="y", quota=4)),
            2,
            "quota of the people is too small for 2 answers",
        ),
        ((Person(id="x", quota=3),), None, "quota of the people is too small for 1 answers"),
    ],
)
def test_an_overlap_above_the_people_is_refused(people, overlap, words):
    with pytest.raises(DataError, match=words) as caught:
        together(items(4), people, overlap)
    assert caught.value.hint


def test_a_column_splits_and_readers_of_a_language_get_it():
    mixed = [
        Item("a", "en"),
        Item("b", "zh"),
        Item("c", "zh-Hant"),
        Item("d"),
        Item("g", gold=True),
    ]
    people = (Person(id="li", languages=("zh",)), Person(id="al", languages=("en",)), BOB)
    parts = {part.name: part for part in by_value(mixed, "language", people, {}, 1)}
    who = {name: part.people for name, part in parts.items()}
    assert who == {
        "en": ("al", "bob"),
        "zh": ("li", "bob"),
        "zh-Hant": ("li", "bob"),
        "unknown": ("bob",),
    }
    asks = {name: list(part.asks) for name, part in parts.items()}
    assert asks == {"en": ["a", "g"], "zh": ["b"], "zh-Hant": ["c"], "unknown": ["d"]}
    with pytest.raises(DataError, match="only 1 can be asked for unknown"):
        by_value(mixed, "language", people, {}, 2)


def test_nobody_sees_a_gold_item_twice():
    mixed = [
        *(Item(value + str(k), value) for value in ("en", "fr", "zh") for k in range(3)),
        *(Item(f"g{k}", gold=True) for k in range(2)),
    ]
    people = (Person(id="al", languages=("en", "fr")), Person(id="li", languages=("zh",)))
    parts = by_value(mixed, "language", people, {}, 1)
    given = {(item, id) for part in parts for item in part.asks for id in part.people}
    assert len(given) == sum(len(part.asks) for part in parts)
    assert {pair for pair in given if pair[0][0] == "g"} == {
        *(("g0", "al"), ("g0", "li")),
        *(("g1", "al"), ("g1", "li")),
    }
    unknown = by_value(mixed, "language", None, {}, 1)
    assert sum("g0" in part.asks for part in unknown) == 1


def test_a_quota_is_of_the_whole_round():
    mixed = [Item(f"{value}{k}", value) for value in ("en", "zh") for k in range(3)]
    with pytest.raises(DataError, match="is too small for"):
        by_value(mixed, "language", (Person(id="ann", quota=4),), {}, 1)
    assert len(by_value(mixed, "language", (Person(id="ann", quota=6),), {}, 1)) == 2


def test_other_columns_have_the_people_that_were_named():
    mixed = [Item("a", "web"), Item("b", "books")]
    parts = by_value(mixed, "source", PEOPLE, {"web": ("bob",)}, 1)
    assert {p.name: p.people for p in parts} == {"books": ("ann", "bob", "cy"), "web": ("bob",)}
    twice = {"web": ("bob", "bob")}
    with pytest.raises(DataError, match="only 1 can be asked for web"):
        by_value(mixed, "source", PEOPLE, twice, 2)
    with pytest.raises(DataError, match="names radio, and no task has that source") as caught:
        by_value(mixed, "source", PEOPLE, {"radio": ("bob",)}, 1)
    assert "books, web" in caught.value.hint
    with pytest.raises(DataError, match="zoe cannot be asked"):
        by_value(mixed, "source", PEOPLE, {"web": ("zoe",)}, 1)


def test_people_share_the_tasks_evenly_and_all_get_the_gold():
    parts = by_person(items(20, gold=2), PEOPLE, 2)
    counts = Counter(task for part in parts for task in part.asks)
    by_all = {task for task, n in counts.items() if n != 2}
    assert len(by_all) == 4  # no server tells gold by the number of projects that it stands in
    assert {"t18", "t19"} < by_all
    assert [len(part.asks) for part in parts] == [15, 15, 14]
    assert all(list(part.asks) == sorted(part.asks) for part in parts)  # in the order shown
    assert {part.overlap for part in parts} == {1}


def test_quotas_and_languages_hold_when_sharing_out():
    people = (Person(id="ann", quota=3), Person(id="li", languages=("zh",)), BOB)
    given = by_person(items(12, language="en"), people, 1)
    assert {part.name: len(part.asks) for part in given} == {"ann": 3, "bob": 9}
    with pytest.raises(DataError, match="only 2 can be asked for en"):
        by_person(items(3, language="en"), people, 3)
    with pytest.raises(DataError, match="is too small for"):
        by_person(items(9, language="zh"), (Person(id="ann", quota=3),), 1)


def test_what_few_can_read_is_given_out_first():
    ann = Person(id="ann", languages=("en", "zh"), quota=1)
    mixed = [Item("e", language="en"), Item("z", language="zh")]
    bob = Person(id="bob", languages=("en",))
    parts = by_person(mixed, (ann, bob), 1)
    assert {part.name: list(part.asks) for part in parts} == {"ann": ["z"], "bob": ["e"]}
    for overlap in (1, None):
        with pytest.raises(DataError, match=r"1 people .* only 0 can be asked for ja"):
            by_person(items(1, language="ja"), (ann,), overlap)


def test_names_of_projects_hold_letters_and_are_told_apart():
    assert slugs(["en", "zh", "my source"]) == {"en": "en", "zh": "zh", "my source": "my_source"}
    assert len(set(slugs(["a b", "a-b", "中文", "a" * 30, "a" * 31]).values())) == 5


def test_gold_items_alone_make_one_part():
    (part,) = by_value(items(2, gold=2), "language", [ANN], {}, 1)
    assert (part.name, part.people, set(part.asks)) == ("unknown", ("ann",), {"t00", "t01"})


class OneOverlap:
    """A server that asks the same number of people about every text."""

    name, asks_by_task = "argilla", False


def test_gold_that_asks_more_people_than_a_server_can_is_refused_before_freezing():
    from curate.push.first import _refuse_own_overlaps

    fits = Part(None, None, 3, {"t1": None, "gold": 3})
    _refuse_own_overlaps(OneOverlap(), [fits])
    with pytest.raises(DataError, match="asks 2 people about every text, and gold wants 3"):
        _refuse_own_overlaps(OneOverlap(), [replace(fits, overlap=2)])
