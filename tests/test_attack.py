"""A sample of the part of `make attack` that needs no server: everything holds."""

from importlib import import_module

import pytest

from tests.attack.__main__ import attacked

OFFLINE = ("damage", "tampering", "files", "readers")
SAMPLE = 16
"""So many tries of each kind take under three minutes together; `make attack` runs all."""


@pytest.mark.slow
@pytest.mark.parametrize("kind", OFFLINE)
def test_everything_holds(kind):
    tried, failed = attacked(kind, import_module(f"tests.attack.{kind}").tries, SAMPLE)
    assert tried == SAMPLE
    assert failed == []


def test_a_try_that_does_not_hold_is_told(capsys):
    tries = [("one", lambda: None), ("two", lambda: "it gave way")]
    assert attacked("kind", lambda folder: iter(tries)) == (2, ["kind: two: it gave way"])
    assert "it gave way" in capsys.readouterr().out
