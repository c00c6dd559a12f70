"""Lines of exports and of the stream that are broken on purpose: order, units, weights."""

from __future__ import annotations

from tests.mutants.breaking import Mutant

EXPORTS = (
    Mutant(
        "extra documents stand early enough in a pass",
        "curate/export/spreading.py",
        "room = min(self.others, max(0.0, half - self.longest))",
        "room = self.others",
        ("tests/test_spreading.py::test_half_a_pass_lies_between_two_copies",),
    ),
    Mutant(
        "the last copy stands in a pass of the extra ones alone",
        "curate/export/spreading.py",
        "within = np.where(passed > self.passes, before, within)",
        "within = np.where(passed > self.passes, within, within)",
        ("tests/test_spreading.py::test_the_extra_documents_of_a_worked_example",),
    ),
    Mutant(
        "a share of documents is not one of tokens",
        "curate/export/trainers.py",
        "number / sum(drawn),",
        "target / total,",
        ("tests/test_trainers.py::test_weights_of_documents",),
    ),
    Mutant(
        "shards are even",
        "curate/export/order.py",
        "cuts = [lines * number // shards for number in range(shards + 1)]",
        "cuts = [min(lines, -(-lines // shards) * n) for n in range(shards + 1)]",
        ("tests/test_exporting.py::test_a_plan_covers_every_line_once",),
    ),
    Mutant(
        "a group keeps what it is ahead of its share",
        "curate/stream/turns.py",
        "ahead = (turn.time - now) * old if old else turn.time",
        "ahead = turn.time - now if old else turn.time",
        ("tests/test_stream.py::test_other_shares_keep_what_a_group_is_ahead",),
    ),
    Mutant(
        "ranks take turns by batches",
        "curate/stream/mixture.py",
        "numbers = (self._state.documents + places - first) // self.batch",
        "numbers = (self._state.documents + places - first) // 1",
        ("tests/test_stream.py::test_ranks_share_the_order",),
    ),
)
