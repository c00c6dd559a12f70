"""Lines of trace, diff and replay, broken on purpose."""

from __future__ import annotations

from tests.mutants.breaking import Mutant

TRACED = (
    Mutant(
        "a margin is the distance to the nearest bound",
        "curate/trace/checks.py",
        "min(margins, default=None)",
        "max(margins, default=None)",
        ("tests/test_trace.py::test_margins_say_how_nearly_a_rule_was_passed",),
    ),
    Mutant(
        "a document that another source holds stays without its own",
        "curate/trace/without.py",
        "return pc.and_(is_own, pc.invert(is_shared)), is_shared",
        "return is_own, is_shared",
        ("tests/test_trace.py::test_the_mixture_without_a_source_is_that_of_a_recipe_without_it",),
    ),
    Mutant(
        "labels that rest on other answers too are not counted as alone",
        "curate/trace/backward.py",
        "len(labels - others)",
        "len(labels)",
        ("tests/test_trace.py::test_answers_and_the_labels_that_rest_on_them_alone",),
    ),
    Mutant(
        "the nearest labelled documents are by the cosine",
        "curate/trace/teaching.py",
        "vectors / np.where(lengths > 0, lengths, 1)",
        "vectors / 1",
        ("tests/test_trace.py::test_nearest_labelled_documents_are_those_of_all_vectors",),
    ),
    Mutant(
        "answers under an excluded guideline do not count",
        "curate/agree/spec.py",
        "return annotator not in self.exclude and not is_excluded",
        "return annotator not in self.exclude",
        ("tests/test_trace.py::test_answers_under_a_guideline_can_be_excluded",),
    ),
    Mutant(
        "a group's share is a reason where it is smaller",
        "curate/diff/comparing.py",
        "if shares[0] < shares[1] * (1 - 1e-9):",
        "if shares[0] > shares[1] * (1 + 1e-9):",
        ("tests/test_diff.py::test_shares_that_moved_are_the_reason",),
    ),
    Mutant(
        "tokens are those of all copies",
        "curate/diff/comparing.py",
        '("tokens", number * (row[f"size_{side}"] or 0)),',
        '("tokens", (number > 0) * (row[f"size_{side}"] or 0)),',
        ("tests/test_diff.py::test_copies_budgets_and_cuts_are_told",),
    ),
    Mutant(
        "what was taken down does not come back",
        "curate/replay/finding.py",
        'why = pc.if_else(gone, "removed", why)',
        "why = pc.if_else(gone, why, why)",
        ("tests/test_replay.py::test_a_list_of_what_was_taken_down_holds_against_the_pool_too",),
    ),
    Mutant(
        "lines are in the order of the draw",
        "curate/replay/listed.py",
        "keys[is_trained] = ranks.astype(np.uint64)",
        "keys[is_trained] = np.sort(ranks).astype(np.uint64)",
        ("tests/test_replay.py::test_the_order_is_that_of_the_draw_and_not_of_this_version",),
    ),
)
