"""C4's heuristics: which lines stay, what is counted over them, and how they are removed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curate.clean import spec as spec_
from curate.clean.rules.c4 import Prepared, measure, prepare
from curate.clean.rules.features import Features
from curate.errors import RecipeError
from curate.text import apply_edits, content_id


def left(text, **settings):
    return apply_edits(text, measure(Features(text, "en"), Prepared(**settings))[1])


def signals(text, **settings):
    return measure(Features(text, "en"), Prepared(**settings))[0]


@pytest.mark.parametrize(
    "line",
    [
        "No mark at its end",
        "Too short.",
        "It goes on and on...",
        "Please enable Javascript to see this.",
        "This page uses cookies, as most do.",
        "Read our Privacy Policy with care.",
        "One word is too long: " + "x" * 1001 + ".",
        "   ",
    ],
)
def test_a_line_goes(line):
    kept = "This is a line that stays."
    for text in (f"{line}\n{kept}", f"{kept}\n{line}", f"{kept}\n{line}\n"):
        assert left(text) == kept
    assert left(f"{kept}\n{line}\n{kept}") == f"{kept}\n{kept}"


@pytest.mark.parametrize("end", [".", "?", "!", '"', "'"])
def test_a_line_stays(end):
    assert left(f"Three words stay{end}") == f"Three words stay{end}"


def test_white_space_and_citations_go_from_lines_that_stay():
    assert left("  It was so [1] in the end.[23] \n\n Was it[citation needed]so?") == (
        "It was so  in the end.\nWas itso?"
    )


def test_sentences_are_counted_over_the_lines_that_stay():
    assert signals("One is here. Two is there? Three, e.g. this one!\nFour")["sentences"] == 3
    assert signals("We paid 3.50 for it all.")["sentences"] == 1
    assert signals("")["sentences"] == 0


def test_pages_that_hold_what_no_page_may():
    assert signals("Here is Lorem Ipsum for you.")["lorem_ipsum"] == 1
    assert signals("A function {x} is here.")["curly_brackets"] == 1
    assert signals("function() { return")["curly_brackets"] == 0  # no line that stays
    assert signals("Yes it is so.")["lorem_ipsum"] == 0


def test_lines_may_do_without_a_terminal_mark():
    text = "A line without its mark\nNo"
    assert left(text, terminal_marks=False) == "A line without its mark"
    assert signals(text, terminal_marks=False)["lines_kept"] == 0.5


def test_bad_words_are_counted_where_a_list_is_given():
    text = "A Darn thing, and darned too: darn it."
    assert signals(text, bad_words=("darn",))["bad_words"] == 2
    assert signals(text, bad_words=())["bad_words"] == 0
    assert signals(text)["bad_words"] != signals(text)["bad_words"]  # not measured


def test_lines_are_only_counted_if_so_asked():
    text = "Menu\nThis is a line that stays."
    assert measure(Features(text, "en"), Prepared(remove_lines=False))[1] == []
    assert signals(text, remove_lines=False)["lines_kept"] == 0.5


@given(st.lists(st.sampled_from(["Menu", "", " A line that stays. ", "So [1] it is.", "\u2028"])))
def test_what_is_left_is_the_lines_that_stay(lines):
    text = "\n".join(lines)
    stay = {" A line that stays. ": "A line that stays.", "So [1] it is.": "So  it is."}
    assert left(text) == "\n".join(stay[line] for line in lines if line in stay)


# ── in the stage

PAGE = "Home | Shop\nIt rained all day. We stayed in. She read to us. He slept. I wrote this."


def test_the_lines_are_edits_and_the_tokens_follow(offline):
    offline.lines("pages.jsonl", [PAGE])
    offline.pool()
    made = offline.run("clean", rules=["c4"])
    (row,) = offline.rows("clean")
    assert row["edits"] == [{"start": 0, "end": 12, "replacement": ""}]
    assert (row["kept"], row["tokens"], made.tokens) == (True, len(PAGE) - 12, len(PAGE) - 12)
    (shown,) = offline.workspace.documents.find_views([content_id({"text": PAGE})]).values()
    assert shown.fields["text"].startswith("It rained")


def test_a_list_of_words_is_read_from_its_file(offline):
    offline.lines("pages.jsonl", [PAGE])
    offline.pool()
    (offline.root / "words.txt").write_text("rained\n\n")
    made = offline.run("clean", rules=["c4"], c4={"bad_words": "words.txt"})
    assert made.reasons == {"c4:bad_words": 1}
    (offline.root / "words.txt").write_text("snowed\n")
    assert offline.run("clean", rules=["c4"], c4={"bad_words": "words.txt"}).measured == 1
    spec = spec_.CleanSpec.model_validate({"c4": {"bad_words": "none.txt"}})
    with pytest.raises(RecipeError, match="no file"):
        prepare(offline.workspace, spec.c4)


def test_another_list_of_words_makes_clean_stale(offline):
    from curate.run.stages import is_fresh

    offline.lines("pages.jsonl", ["A fine day. " * 6, "A foul day. " * 6])
    offline.pool()
    (offline.root / "bad.txt").write_text("foul\n")
    asked = {"rules": ["c4"], "c4": {"bad_words": "bad.txt"}}
    assert offline.run("clean", **asked).reasons == {"c4:bad_words": 1}
    assert is_fresh(offline.workspace, "clean", offline.spec("clean", **asked))
    (offline.root / "bad.txt").write_text("fine\nfoul\n")
    assert not is_fresh(offline.workspace, "clean", offline.spec("clean", **asked))
    assert offline.run("clean", **asked).reasons == {"c4:bad_words": 2}
