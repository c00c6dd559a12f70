"""People label while 10,000 texts are pushed and pulled: nothing is lost, and how long they wait.

    python -m tests.benchmarks.at_work [TEXTS]

Two people submit one answer after the other: on an idle server, while another round is pushed,
while one is pulled, and on an idle server again: a submit takes longer the fuller a project is.
Median seconds of a submit, and their ratio to the idle ones, of before and after.
"""

import sys
import tempfile
import threading
import time
from pathlib import Path
from statistics import median

from curate.backends.argilla.backend import ArgillaBackend
from curate.backends.label_studio.backend import LabelStudioBackend
from curate.forms import load_form
from curate.servers import Home
from curate.servers.argilla import server as argilla
from curate.servers.label_studio import server as label_studio
from tests.annotators import PERSON
from tests.benchmarks.servers import answered, tasks
from tests.benchmarks.setting import write
from tests.servers import RUNNING

BACKENDS = {
    "label_studio": (label_studio, LabelStudioBackend),
    "argilla": (argilla, ArgillaBackend),
}
ALONE = 40


def main():
    """Measure both servers; print and keep every number."""
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    found = {"texts": n}
    with tempfile.TemporaryDirectory() as place:
        for name in BACKENDS:
            with RUNNING[name](Path(place) / name) as home:
                found[name] = measured(name, home, n)
            print(name, found[name], flush=True)
    write("at_work", found)


def measured(name: str, home: Home, n: int):
    """Return medians while idle, pushing and pulling, and how many answers were checked."""
    server, kind = BACKENDS[name]
    running = server.status(home)
    backend = kind(running.url, server.curator(home).token, bulk=running.bulk)
    form, texts = load_form("sentiment"), tasks(n)
    people = server.accounts(home)[:2]
    logins = [each.email for each in people]
    work = backend.ensure_project("work-0-r01", form, overlap=2, guidelines="")
    backend.admit(work, logins)
    list(backend.push(work, texts[:3000]))
    hands = [PERSON[name](running.url, each.token) for each in people]
    labelling = Labelling(hands, work.key, [task.id for task in texts[:3000]])
    idle = labelling.during(lambda: labelling.wait_for(ALONE))

    accounts = [each.email for each in server.accounts(home)]
    pushing: list[float] = []
    while len(pushing) < ALONE:  # one push is over before many have submitted
        name = f"work-{len(pushing)}-r02"
        bulk = backend.ensure_project(name, form, overlap=3, guidelines="")
        backend.admit(bulk, accounts)
        pushing += labelling.during(lambda bulk=bulk: list(backend.push(bulk, texts)))
    full = backend.ensure_project("work-0-r03", form, overlap=3, guidelines="")
    backend.admit(full, accounts)
    backend.restore(full, texts, answered(texts, accounts))
    pulling = labelling.during(lambda: backend.pull(full, cursor=None, known={}))
    idle += labelling.during(lambda: labelling.wait_for(ALONE))

    at_home = {each.key for each in backend.pull(work, cursor=None, known={}).annotations}
    given = {(id, "sentiment", logins[who]) for who, id in labelling.given}
    assert given == at_home, (len(given), len(at_home))
    medians = {"idle": idle, "pushing": pushing, "pulling": pulling}
    return {
        "median_seconds": {name: round(median(times), 4) for name, times in medians.items()},
        "submits": {name: len(times) for name, times in medians.items()},
        "times_idle": {
            name: round(median(times) / median(idle), 2)
            for name, times in medians.items()
            if name != "idle"
        },
        "answers_given_and_at_home": len(given),
    }


class Labelling:
    """Two people who submit one answer after the other."""

    def __init__(self, hands, project, ids):
        self.hands, self.project, self.ids = hands, project, ids
        self.places = hands[0].tasks(project)
        self.given: list[tuple[int, str]] = []
        self.times: list[float] = []

    def during(self, what):
        """Return how long each submit took while something else happened."""
        self.times, over = [], threading.Event()
        threads = [threading.Thread(target=self.work, args=(k, over)) for k in (0, 1)]
        for each in threads:
            each.start()
        what()
        over.set()
        for each in threads:
            each.join()
        return list(self.times)

    def work(self, who, over):
        mine = sum(each == who for each, _ in self.given)
        for id in self.ids[mine:]:
            if over.is_set():
                return
            started = time.perf_counter()
            self.hands[who].answer(self.project, self.places[id], {"sentiment": "positive"})
            self.times.append(time.perf_counter() - started)
            self.given.append((who, id))
            time.sleep(0.2)  # as long as nobody can think

    def wait_for(self, number):
        while len(self.times) < number:
            time.sleep(0.1)


if __name__ == "__main__":
    main()
