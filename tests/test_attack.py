"""The part of `make attack` that needs no server: everything holds."""

from importlib import import_module
from pathlib import Path

import pytest

from tests import attack
from tests.attack.__main__ import attacked

OFFLINE = ("damage", "tampering", "files")


@pytest.mark.slow
@pytest.mark.parametrize("kind", OFFLINE)
def test_everything_holds(kind):
    if not (Path(attack.__file__).parent / f"{kind}.py").exists():
        pytest.skip(f"tests/attack has no {kind}.py yet")
    tried, failed = attacked(kind, import_module(f"tests.attack.{kind}").tries)
    assert tried > 0
    assert failed == []


def test_a_try_that_does_not_hold_is_told(capsys):
    tries = [("one", lambda: None), ("two", lambda: "it gave way")]
    assert attacked("kind", lambda folder: iter(tries)) == (2, ["kind: two: it gave way"])
    assert "it gave way" in capsys.readouterr().out
