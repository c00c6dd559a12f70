"""Where copies stand in the sequence of their group, by brute force on whole sequences."""

from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curate.export.spreading import Place, Sum, places_of, strands_of

DOCUMENTS = st.lists(
    st.tuples(st.integers(1, 300), st.sampled_from([0, 1])), min_size=1, max_size=40
)


def kinds_of(documents):
    """Return the sums of documents (tokens, copies) of one sequence."""
    sums = {}
    for tokens, copies in documents:
        sums[0, copies] = sums.get((0, copies), Sum()).joined(Sum(tokens, tokens))
    return sums


def sequence_of(documents, seed=0):
    """Return the lines (time, document, passed) of documents (tokens, copies), in order."""
    places, before, lines = places_of(kinds_of(documents), seed), defaultdict(int), []
    for number, (tokens, copies) in enumerate(documents):
        passed = np.arange(1, copies + 1)
        start = np.full(copies, float(before[copies]))
        times = places[0, copies].times(start, np.full(copies, tokens), passed)
        before[copies] += tokens
        lines += [
            (at, number, one) for at, one in zip(times.tolist(), passed.tolist(), strict=True)
        ]
    return sorted(lines)


@settings(max_examples=300)
@given(DOCUMENTS, st.integers(1, 4))
def test_half_a_pass_lies_between_two_copies(documents, passes):
    documents = [(tokens, passes + more) for tokens, more in documents]
    if all(copies > passes for _, copies in documents):
        passes += 1
    lines = sequence_of(documents)
    a_pass = sum(tokens for tokens, _ in documents)
    longest = max(tokens for tokens, _ in documents)
    end, ends = 0, {}
    for at, document, passed in lines:
        assert 0 <= at < 1
        if document in ends:
            assert ends[document][0] == passed - 1
            gap = end - ends[document][1]
            assert gap >= a_pass / 2 or longest > a_pass / 2
        else:
            assert passed == 1
        end += documents[document][0]
        ends[document] = (passed, end)
    assert [passed for *_, passed in lines] == sorted(passed for *_, passed in lines)
    assert {document: passed for document, (passed, _) in ends.items()} == {
        number: copies for number, (_, copies) in enumerate(documents)
    }


@given(st.lists(st.integers(1, 500), min_size=1, max_size=60), st.integers(1, 3), st.integers(0, 9))
def test_a_group_is_within_a_document_of_its_time(tokens, copies, seed):
    lines = sequence_of([(own, copies) for own in tokens], seed)
    whole, spent = sum(tokens) * copies, 0
    for at, document, _ in lines:
        assert spent - 1e-6 <= at * whole <= spent + tokens[document] + 1e-6
        spent += tokens[document]


def test_prefixes_hold_the_shares():
    """Three groups of unlike lengths: at any line, each is within a document of its share."""
    rng = np.random.default_rng(3)
    lines, totals = [], []
    for number, (count, mean, copies) in enumerate([(900, 100, 1), (60, 900, 2), (2000, 8, 3)]):
        tokens = 1 + rng.poisson(mean, count)
        sums = {(number, copies): Sum(int(tokens.sum()), int(tokens.max()))}
        (place,) = places_of(sums, 0).values()
        before = np.repeat(np.cumsum(tokens) - tokens, copies)
        times = place.times(
            before, np.repeat(tokens, copies), np.tile(np.arange(1, copies + 1), count)
        )
        lines += zip(
            times.tolist(),
            np.repeat(tokens, copies).tolist(),
            [number] * count * copies,
            strict=True,
        )
        totals.append(int(tokens.sum()) * copies)
    spent, longest = np.zeros(3), np.zeros(3)
    for _, tokens, number in lines:
        longest[number] = max(longest[number], tokens)
    shares = np.array(totals) / sum(totals)
    for _, tokens, number in sorted(lines):
        spent[number] += tokens
        assert (np.abs(spent - shares * spent.sum()) <= longest + shares * longest.sum()).all()
    assert spent.tolist() == totals


def test_the_extra_documents_of_a_worked_example():
    """Passes of 10 + 6 tokens, 6 of them in a copy more; the longest of these has 2.

    So 8 - 2 = 6 tokens of the others stand among the extra ones, which fill the first 12 tokens:
    an extra document after x extra tokens stands at 2x. Others stand at twice their end as far as
    that is before 12, and then 6 tokens after their end, but within the pass.
    """
    extra = Place(passes=2, others=10, extra=6, longest=2, is_extra=True, phase=0.5)
    assert extra.whole == 38
    before, tokens = np.array([0.0, 2, 4]), np.array([2, 2, 2])
    assert (extra.times(before, tokens, np.array([1, 1, 1])) * 38).tolist() == [0, 4, 8]
    assert np.allclose(extra.times(before, tokens, np.array([2, 2, 2])) * 38, [16, 20, 24])
    assert np.allclose(extra.times(before, tokens, np.array([3, 3, 3])) * 38, [32, 34, 36])
    others = Place(passes=2, others=10, extra=6, longest=2, is_extra=False, phase=0.5)
    times = others.times(np.array([0.0, 3, 6, 7]), np.array([3, 3, 1, 3]), np.array([1, 1, 2, 2]))
    assert np.allclose(times * 38, [6, 12, 16 + 13, 16 + 15.75])


@pytest.mark.parametrize(
    ("copies", "strands"),
    [
        ([1], [[1]]),
        ([1, 2], [[1, 2]]),
        ([1, 2, 3], [[1, 2], [3]]),
        ([1, 3, 4], [[1], [3, 4]]),
        ([2, 4, 5, 6], [[2], [4, 5], [6]]),
    ],
)
def test_strands_are_numbers_of_copies_in_pairs(copies, strands):
    assert strands_of(copies) == strands
