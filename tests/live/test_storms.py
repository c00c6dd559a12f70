"""One kill of each kind on each server, in the middle of a push and of a pull."""

import pytest

from tests.annotators import PERSON
from tests.servers import RUNNING
from tests.storms import Storm, strike_pull, strike_push

pytestmark = [pytest.mark.live, pytest.mark.slow]


@pytest.mark.parametrize("server", list(PERSON))
def test_a_kill_in_mid_push_and_mid_pull_loses_and_doubles_nothing(server, tmp_path):
    with RUNNING[server](tmp_path / "home") as home:
        storm = Storm(tmp_path / "run", server, home, 600)
        for victim in ("client", "server"):
            strike_push(storm, victim, 2.5)
        storm.repair("push")
        given = storm.answer_all()
        for victim in ("client", "server"):
            strike_pull(storm, victim, 2.0, given)
