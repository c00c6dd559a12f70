"""The lines about formats of exports that are broken on purpose."""

from __future__ import annotations

from tests.mutants.breaking import Mutant

_OWN = "tests/test_export_formats.py"

FORMATS = (
    Mutant(
        "a mask that lies in no message alone refuses the document",
        "curate/export/placing.py",
        "if replacement and not inside:",
        "if False:",
        (f"{_OWN}::test_a_mask_without_a_place_refuses_the_document_by_name",),
    ),
    Mutant(
        "masked words in a role refuse the document",
        "curate/export/messages.py",
        "if any(word in role for role in roles for word in words):",
        "if False:",
        (f"{_OWN}::test_masked_words_in_a_role_refuse_the_document",),
    ),
    Mutant(
        "masked words are masked in other columns too",
        "curate/export/placing.py",
        "value = value.replace(word, new)",
        "value = str(value)",
        (f"{_OWN}::test_what_is_masked_in_the_text_is_masked_in_other_columns_too",),
    ),
    Mutant(
        "a row counts only if it gives the document's id again",
        "curate/export/originals.py",
        'if document["id"] == id:',
        "if id:",
        (f"{_OWN}::test_a_source_that_changed_is_told_by_its_line",),
    ),
    Mutant(
        "ids have the width that the token at the end needs too",
        "curate/export/formats/tokens.py",
        "largest = max(known.size - 1, end or 0)",
        "largest = known.size - 1",
        ("tests/test_formats.py::test_ids_are_those_of_the_tokenizer",),
    ),
    Mutant(
        "special tokens within a text are plain text",
        "curate/tokens.py",
        "model.encode_special_tokens = True",
        "model.encode_special_tokens = False",
        ("tests/test_formats.py::test_a_special_token_in_a_text_stays_text_and_a_long_text_whole",),
    ),
    Mutant(
        "turns of a text that is not canonical are moved with it",
        "curate/sources/chats.py",
        "if canonical(text) == text:",
        "if True:",
        ("tests/test_sources.py::test_turns_are_where_the_messages_lie",),
    ),
)
