"""Lines of the documents about an export: a wrong figure there is read by others."""

from __future__ import annotations

from tests.mutants.breaking import Mutant

CARDS = (
    Mutant(
        "what is repeated counts as often as it stands in the export",
        "curate/summaries/scanning.py",
        'tokens = pc.multiply(drawn["tokens"], drawn["lines"])',
        'tokens = drawn["tokens"]',
        ("tests/test_card.py::test_facts_are_those_of_the_lines",),
    ),
    Mutant(
        "a bar is quoted",
        "curate/cards/quoting.py",
        r'_MARKUP = re.compile(r"[\\`*\[\]<>|#~$&]',
        r'_MARKUP = re.compile(r"[\\`*\[\]<>#~$&]',
        ("tests/test_cards.py::test_a_name_stays_where_it_stands",),
    ),
    Mutant(
        "what several licences are together is not one of them",
        "curate/cards/licenses.py",
        "if len(known) == 1 and None not in known:",
        "if None not in known:",
        ("tests/test_cards.py::test_what_the_hub_does_not_list_is_other_with_a_name",),
    ),
    Mutant(
        "the largest domain names are those with the most tokens",
        "curate/cards/summary.py",
        "ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))",
        "ordered = sorted(counts.items())",
        ("tests/test_card.py::test_the_largest_tenth_of_the_domain_names_is_listed",),
    ),
    Mutant(
        "licences count by the tokens of all copies",
        "curate/export/drawn.py",
        '_by_word(table["license"], entries.row, times * tokens, "unknown"),',
        '_by_word(table["license"], entries.row, tokens, "unknown"),',
        ("tests/test_exporting.py::test_the_card_counts_lines_by_licence_and_language",),
    ),
)
