"""The list of mutants holds, and the runner tells the seen from the unseen."""

import ast
import re

import pytest

from tests.mutants.breaking import ROOT, Mutant, broken, seen_by
from tests.mutants.listed import MUTANTS


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_each_line_stands_once_and_its_tests_are_there(mutant):
    text = (ROOT / mutant.file).read_text(encoding="utf-8")
    changed = broken(text, mutant)
    assert changed != text
    ast.parse(changed)
    for test in mutant.tests:
        path, _, name = test.partition("::")
        source = (ROOT / path).read_text(encoding="utf-8")
        assert not name or re.search(rf"^def {re.escape(name)}\(", source, re.MULTILINE)


def test_names_tell_mutants_apart():
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS)


@pytest.fixture
def tree(tmp_path):
    (tmp_path / "sums.py").write_text("def add(a, b):\n    return a + b  # or b + a\n")
    (tmp_path / "test_sums.py").write_text(
        "from sums import add\n\n\ndef test_sum():\n    assert add(1, 2) == 3\n"
    )
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers =\n  live\n  browser\n")
    return tmp_path


@pytest.mark.parametrize(("made", "by"), [("a - b", "test_sums.py::test_sum"), ("b + a", None)])
def test_a_mutant_is_seen_or_not_and_the_tree_is_whole_again(tree, made, by):
    before = (tree / "sums.py").read_text()
    mutant = Mutant("sum", "sums.py", "return a + b", f"return {made}", ("test_sums.py",))
    assert seen_by(tree, mutant) == by
    assert (tree / "sums.py").read_text() == before


def test_tests_that_cannot_run_see_nothing(tree):
    mutant = Mutant("sum", "sums.py", "return a + b", "return a - b", ("test_none.py",))
    with pytest.raises(RuntimeError, match="did not run"):
        seen_by(tree, mutant)


@pytest.mark.parametrize(("exact", "times"), [("return b", 0), ("a", 4)])
def test_a_line_that_moved_is_told(tree, exact, times):
    mutant = Mutant("sum", "sums.py", exact, "c", ("test_sums.py",))
    with pytest.raises(LookupError, match=rf"holds its text {times} times"):
        seen_by(tree, mutant)
