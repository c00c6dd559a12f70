"""How many tasks go at once: by time, by characters, and in halves where that is too much."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from curate.backends.pace import Pace, Row, TooLarge, in_batches
from curate.errors import BackendUnavailable, PartialPush

LIGHT: list[Row] = [{"text": "x"} for _ in range(2_000)]


def weigh(row: Row) -> int:
    return len(row["text"])


def pace(first: int = 100, most: int = 500) -> Pace:
    return Pace(weigh, first=first, most=most)


def test_a_batch_is_sized_by_time() -> None:
    ours = pace()
    assert len(ours.next(LIGHT, 0)) == 100
    ours.took(100, 0.01)
    assert ours.size == 200
    for _ in range(5):
        ours.took(ours.size, 0.001)
    assert len(ours.next(LIGHT, 0)) == 500
    assert len(ours.next(LIGHT, 1_990)) == 10
    ours.took(500, 20)
    assert ours.size == 25, "the price of many small ones would be higher still"


def test_a_batch_is_sized_by_characters_but_never_empty() -> None:
    heavy = [{"text": "x" * 5_000_000}] * 3
    assert len(pace().next(heavy, 0)) == 1
    assert len(pace().next(heavy, 2)) == 1


def test_what_is_too_large_goes_in_halves_and_never_again_in_more() -> None:
    sizes = []

    def store(batch: Sequence[Row]) -> None:
        sizes.append(len(batch))
        if len(batch) > 60:
            raise TooLarge("too large")

    ours = pace()
    sent = [len(batch) for batch in in_batches(LIGHT[:200], ours, store)]
    assert sent == [50, 50, 50, 50]
    assert sizes == [100, *sent]
    assert ours.most == 50


def test_one_row_that_is_too_large_is_the_fault_itself() -> None:
    def store(batch: Sequence[Row]) -> None:
        raise TooLarge("too large")

    with pytest.raises(TooLarge):
        list(in_batches(LIGHT[:4], pace(), store))


def test_a_fault_says_how_many_were_sent() -> None:
    stored: list[Row] = []

    def store(batch: Sequence[Row]) -> None:
        if stored:
            raise BackendUnavailable("down")
        stored.extend(batch)

    batches = in_batches(LIGHT[:250], pace(), store)
    assert next(batches) == stored
    with pytest.raises(PartialPush, match="100 tasks were sent, 150 were not: down") as caught:
        next(batches)
    assert (caught.value.sent, caught.value.failed) == (100, 150)


def test_a_fault_of_the_first_batch_is_the_fault_itself() -> None:
    def store(batch: Sequence[Row]) -> None:
        raise BackendUnavailable("down")

    with pytest.raises(BackendUnavailable):
        list(in_batches(LIGHT, pace(), store))
