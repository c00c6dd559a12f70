"""`make chaos`: kill -9 of curate and of the server at random moments, again and again.

Each trial runs a recipe until it ends by itself, killed up to ten times on the way, first without
a server, then through a real Label Studio that is killed as well. The tables must be those of an
undisturbed run, and every answer must be at home once.
"""

import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from curate.servers import Home, label_studio
from recipes.demo import replay
from tests.servers import environments, running_label_studio
from tests.test_kills import DRIVER, ROOT, answers, contents, copied, prepared, run
from tests.test_loop import GOOD, answer

TRIALS, KILLS = 5, 10


def main():
    """Run all trials; exit 1 at the first that went wrong."""
    seed = int(sys.argv[1]) if len(sys.argv) > 1 else random.randrange(1 << 16)
    chance = random.Random(seed)
    print(f"seed {seed}")
    with tempfile.TemporaryDirectory() as place:
        offline(Path(place), chance)
        with_label_studio(Path(place), chance)
    print("nothing was lost, nothing was doubled")


def offline(place, chance):
    """Kill curate at random, with the folder backend; compare every table."""
    calm = prepared(place / "calm")
    assert run(calm) == 3
    answer(calm)
    stormy = [copied(calm, place / f"storm-{n}") for n in range(TRIALS)]
    assert run(calm) == 0
    for folder in stormy:
        kills = until_done(folder, chance, {**os.environ}, 0)
        assert contents(folder) == contents(calm), folder
        assert answers(folder) == 120
        print(f"offline: killed {kills} times, same tables")


def with_label_studio(place, chance):
    """Kill curate and the server at random; every answer given must be at home, once."""
    with running_label_studio(place / "home") as home:
        environment = {**os.environ, "CURATE_HOME": str(home.home)}
        environment["CURATE_ENVIRONMENTS"] = str(environments())
        for trial in range(TRIALS):
            folder = prepared(place / f"label-studio-{trial}")
            recipe = folder / "recipe.yaml"
            text = recipe.read_text().replace("backend: folder", "backend: label_studio")
            recipe.write_text(text)
            about = json.loads((folder / "workspace.json").read_text())
            (folder / "workspace.json").write_text(json.dumps({**about, "id": f"{trial:08}"}))
            kills = until_done(folder, chance, environment, 3, home)
            given = give(folder, home)
            kills += until_done(folder, chance, environment, 0, home)
            assert answers(folder) == given, (answers(folder), given)
            print(f"Label Studio: killed {kills} times, {given} answers at home, each once")


def until_done(folder, chance, environment, code, home=None):
    """Run until the command ends by itself; return how often something was killed."""
    command = [sys.executable, "-c", DRIVER, "-", "-", "0", "run", "-w", str(folder)]
    environment["PYTHONPATH"] = str(ROOT)
    for kill in range(KILLS + 1):
        process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE)
        if kill < KILLS:
            victim = process.pid
            if home is not None and chance.random() < 0.3:
                server = label_studio.status(home)
                victim = server.pid if server else victim
            time.sleep(chance.uniform(0.1, 6))
            if process.poll() is None:
                os.kill(victim, signal.SIGKILL)
        told = process.communicate()[1].decode()
        assert "Traceback" not in told, told
        if process.returncode == code:
            return kill
    raise AssertionError(told)


def give(folder, home: Home):
    """Let three people answer every task; return how many answers that is."""
    server = label_studio.start(home)
    project = json.loads((folder / "rounds/01/project.json").read_text())["project"]
    tokens = {account.email: account.token for account in label_studio.accounts(home)}
    client = replay.Client(server.url, label_studio.curator(home).token)
    path = f"/api/tasks?project={project['key']}&page_size=1000"
    tasks = [{"id": t["data"]["record_id"], **t["data"]} for t in client.call("GET", path)["tasks"]]
    assert len(tasks) == len({task["id"] for task in tasks}) == 60, len(tasks)
    ratings = {t["text"]: [2] if any(w in t["text"] for w in GOOD) else [-2] for t in tasks}
    plan = replay.plan(tasks, ratings, list(tokens), seed=1)
    replay.replay(server.url, tokens, project["key"], plan)
    return len(plan)


if __name__ == "__main__":
    main()
