"""`make chaos`: kill -9 of curate and of the server at random moments, again and again.

First without a server: a recipe runs until it ends by itself, killed up to ten times on the way;
the tables must be those of an undisturbed run. Then on each real server: curate or the server is
killed in the middle of pushes and pulls; a re-run must repair, and nothing be lost or doubled.
"""

import random
import sys
import tempfile
import time
from pathlib import Path

from tests import deadly
from tests.servers import RUNNING
from tests.storms import Storm, strike_pull, strike_push
from tests.test_kills import answers, contents, copied, prepared, run
from tests.test_loop import answer

TRIALS, KILLS, TASKS = 5, 10, 2_000


def main():
    """Run all trials; exit 1 at the first that went wrong."""
    seed = int(sys.argv[1]) if len(sys.argv) > 1 else random.randrange(1 << 16)
    chance = random.Random(seed)
    print(f"seed {seed}")
    with tempfile.TemporaryDirectory() as place:
        offline(Path(place), chance)
        for server in RUNNING:
            with_server(Path(place), chance, server)
    print("nothing was lost, nothing was doubled")


def offline(place, chance):
    """Kill curate at random, with the folder backend; compare every table."""
    calm = prepared(place / "calm")
    assert run(calm) == 3
    answer(calm)
    stormy = [copied(calm, place / f"storm-{n}") for n in range(TRIALS)]
    assert run(calm) == 0
    for folder in stormy:
        kills = until_done(folder, chance, 0)
        assert contents(folder) == contents(calm), folder
        assert answers(folder) == 120
        print(f"offline: killed {kills} times, same tables")


def until_done(folder, chance, code):
    """Run until the command ends by itself; return how often it was killed."""
    log = folder.parent / "said.txt"
    for kill in range(KILLS + 1):
        process = deadly.start(["run", "-w", folder], log)
        if kill < KILLS:
            process.join(chance.uniform(0.1, 6))
            process.kill()  # nothing, where it has ended
        process.join()
        told = log.read_text(encoding="utf-8")
        assert "Traceback" not in told, told
        if process.exitcode == code:
            return kill
    raise AssertionError(told)


def with_server(place, chance, server):
    """Kill curate, and the server, in the middle of pushes and pulls: ten hits of each kind."""
    with RUNNING[server](place / f"home-{server}") as home:
        storm = Storm(place / server, server, home, TASKS)
        strikes(server, "push", chance, timed(storm, "push"), lambda *at: strike_push(storm, *at))
        storm.repair("push")
        given = storm.answer_all()
        calm = timed(storm, "pull")
        strikes(server, "pull", chance, calm, lambda *at: strike_pull(storm, *at, given))


def timed(storm, stage):
    """Return how many seconds a command takes when nobody disturbs it; it is undone."""
    started = time.monotonic()
    assert storm.run(stage)[0] in (0, 3)
    seconds = time.monotonic() - started
    storm.forget_push() if stage == "push" else storm.forget_pull()
    return seconds


def strikes(server, stage, chance, seconds, strike):
    """Strike at random moments until each victim was hit ten times while the command ran."""
    for victim in ("client", "server"):
        hits = tries = 0
        while hits < KILLS:
            hits += strike(victim, chance.uniform(0, seconds))
            tries += 1
            assert tries < 5 * KILLS, f"{hits} of {tries} strikes hit"
        print(
            f"{server}: the {victim} killed in {hits} of {tries} runs of {stage}; all is there once"
        )


if __name__ == "__main__":
    main()
