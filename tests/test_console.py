"""What the terminal shows of names from outside: no character that it would obey."""

import pytest

from curate import console
from curate.errors import CurateError
from curate.warning import warn

HOSTILE = ("\x1b[2J\x1b]0;owned\x07a.txt", "a\rb.txt", "a\u202egnp.exe", "\x9b31mred", "a\x08\x08b")


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_moves_no_cursor(capsys, name):
    console.error(CurateError(f"{name}: no such file", hint=f"see {name}"))
    console.error_plainly(CurateError(f"{name}: no such file", hint=f"see {name}"))
    console.note(name)
    console.warnings([warn("pool.some", "{name} is odd", name=name)])
    console.table([{"file": name, "rows": 3}], title=name)
    console.show({"files": (name,)}, as_json=False)
    shown = "".join(capsys.readouterr())
    assert "\ufffd" in shown
    assert not set(shown) & set("\x1b\r\x07\x08\x9b\u202e")
