"""CSV files that curate writes: no name from outside is a formula, and none is lost."""

import csv

import numpy as np
import pytest

from curate.console.tables import write_csv
from curate.swarm.results import METRICS, MIXTURES, Trained, write_tables
from curate.swarm.runs import read_table

NAMES = ("=cmd|' /C calc'!A0", "@sum(A1)", "+1", "-2", "'=a", "\u7f51\u9875", "a,b", 'say "hi"')


def _cells(path):
    with path.open(encoding="utf-8", newline="") as file:
        return [cell for row in csv.reader(file) for cell in row]


def test_names_of_columns_and_lists_are_no_formulas(tmp_path):
    rows = [{name: number for number, name in enumerate(NAMES)}]
    write_csv(tmp_path / "a.csv", rows)
    assert not [cell for cell in _cells(tmp_path / "a.csv") if cell[:1] in tuple("=@+-")]
    assert _cells(tmp_path / "a.csv")[: len(NAMES)] == [
        f"'{name}" if name[0] in "=@+-'" else name for name in NAMES
    ]


def test_groups_named_as_formulas_come_back_from_the_tables_of_a_swarm(tmp_path):
    shares = {name: (number + 1) / 36 for number, name in enumerate(NAMES)}
    run = Trained("=1+1", shares, {"@x": 2.5}, 1, 10.0, "hashed", True, {}, {})
    write_tables(tmp_path, [run])
    for name, values in ((MIXTURES, shares), (METRICS, {"@x": 2.5})):
        cells = _cells(tmp_path / name)
        assert not [cell for cell in cells if cell[:1] in tuple("=@+-")]
        table = read_table(tmp_path / name)
        assert table.names == tuple(sorted(values))
        assert table.ids == ("=1+1",)
        assert np.array_equal(table.values, [[values[own] for own in sorted(values)]])


@pytest.mark.parametrize("name", ["'a", "''", "a'=b"])
def test_a_name_of_ones_own_is_read_as_it_stands(name, tmp_path):
    (tmp_path / "a.csv").write_text(f"run,{name}\n1,2.5\n", encoding="utf-8")
    assert read_table(tmp_path / "a.csv").names == (name,)
