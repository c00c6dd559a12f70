"""Ours on our embedded servers beside the SDKs' own documented ways, in one run on the same texts.

    python -m tests.benchmarks.servers [TEXTS]

10,000 texts of about 100 words, 3 annotations each. Label Studio: `import_tasks`, `tasks.list` at
page sizes of 100 and 1000, and the export. Argilla: `records.log` and iteration over records with
responses, on a server without our patches (but with our search engine: the stock one needs
Elasticsearch); its pushes go in fewer texts where that takes minutes, as a rate.
"""

import random
import sys
import tempfile
import time
import warnings
from pathlib import Path

from curate.backends.argilla.backend import ArgillaBackend
from curate.backends.label_studio.backend import LabelStudioBackend
from curate.forms import load_form
from curate.records import Annotation, Task
from curate.servers import Home, daemon
from curate.servers.argilla import server as argilla
from curate.servers.embedded import Embedded
from curate.servers.label_studio import server as label_studio
from tests.benchmarks.setting import write
from tests.servers import NAMES, PEOPLE, environments

WORDS = "the of a to in is was he for it with as his on be at by i this had not are but from"
STOCK = f"""
import importlib.util, sys
spec = importlib.util.spec_from_file_location("daemon", {daemon.__file__!r})
daemon = importlib.util.module_from_spec(spec)
spec.loader.exec_module(daemon)
find = daemon.find_our_modules
def find_and_take_out_the_patches(name):
    find(name)
    from curate.servers.argilla import patches
    patches.build_validators_once = patches.build_no_events = lambda: None
daemon.find_our_modules = find_and_take_out_the_patches
daemon.main(*sys.argv[1:])
"""


class Unpatched(Embedded):
    """The embedded Argilla as a server without our patches of its ingest."""

    def _command(self, environment, *arguments):
        python, isolated, _, *rest = super()._command(environment, *arguments)
        return [python, isolated, "-c", STOCK, *rest]


def main():
    """Measure everything; print and keep every number."""
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as place:
        found = {"texts": n, "annotations": 3 * n}
        found["label_studio"] = on_label_studio(Path(place), tasks(n))
        found["argilla"] = on_argilla(Path(place), tasks(n))
    write("servers", found)


def tasks(n):
    """Return n texts of about 100 words."""
    chance, words = random.Random(1), WORDS.split()
    return [
        Task(f"{k:032x}", {"text": " ".join(chance.choice(words) for _ in range(100))})
        for k in range(n)
    ]


def timed(what):
    """Return how many seconds something takes, and what it returned."""
    started = time.perf_counter()
    made = what()
    seconds = time.perf_counter() - started
    return seconds, made


def answered(sent, accounts):
    """Return three people's answers to every text."""
    return [
        Annotation(task.id, "sentiment", account, "positive", "submitted")
        for task in sent
        for account in accounts
    ]


def compared(ours, theirs, n):
    """Return rates and ratios: ours beside each of their ways, by name."""
    shown = {"ours": round(n / ours, 1)} | {k: round(n / s, 1) for k, s in theirs.items()}
    ratios = {name: round(seconds / ours, 2) for name, seconds in theirs.items()}
    for name, ratio in ratios.items():
        print(f"  ours {shown['ours']}/s, {name} {shown[name]}/s: {ratio}x", flush=True)
    return {"per_second": shown, "times_faster": ratios}


def on_label_studio(place, sent):
    """Push and pull on the embedded Label Studio, by us and by its SDK."""
    home = Home(place / "label_studio", environments())
    label_studio.add_accounts(home, PEOPLE)
    running = label_studio.start(home)
    try:
        key = label_studio.curator(home).token
        backend = LabelStudioBackend(running.url, key, bulk=running.bulk)
        sdk, form, n = backend.client.sdk, load_form("sentiment"), len(sent)
        plain = sdk.projects.create(title="their way", label_config=form.xml)
        rows = [{"record_id": task.id, **task.fields} for task in sent]
        theirs, _ = timed(lambda: sdk.projects.import_tasks(id=plain.id, request=rows))
        project = backend.ensure_project("bench-0-r01", form, overlap=3, guidelines="")
        ours, ids = timed(lambda: list(backend.push(project, sent)))
        assert len(ids) == n
        print("Label Studio, push", flush=True)
        push = compared(ours, {"import_tasks": theirs}, n)

        full = backend.ensure_project("bench-0-r02", form, overlap=3, guidelines="")
        backend.restore(full, sent, answered(sent, [email for email, _ in PEOPLE]))
        ours, pulled = timed(lambda: backend.pull(full, cursor=None, known={}))
        assert len(pulled.annotations) == 3 * n
        number = int(full.key)
        ways = {}
        for size in (100, 1000):
            ways[f"tasks.list, pages of {size}"], found = timed(
                lambda size=size: list(sdk.tasks.list(project=number, fields="all", page_size=size))
            )
            assert sum(len(task.annotations) for task in found) == 3 * n
        ways["export"], found = timed(lambda: sdk.projects.exports.as_json(number))
        assert len(found) == n
        print("Label Studio, pull", flush=True)
        pull = compared(ours, ways, n)
        known = {each.key: each.mark for each in pulled.annotations}
        again, more = timed(lambda: backend.pull(full, cursor=pulled.cursor, known=known))
        assert more.annotations == ()
        print(f"  again, with nothing new: {again:.2f} s")
        return {"push": push, "pull": pull, "pull_nothing_new_seconds": round(again, 2)}
    finally:
        label_studio.stop(home)


def on_argilla(place, sent):
    """Push and pull on the embedded Argilla, by us; by its SDK on one without our patches."""
    form, n = load_form("sentiment"), len(sent)
    home = Home(place / "argilla", environments())
    argilla.add_accounts(home, NAMES)
    running = argilla.start(home)
    try:
        backend = ArgillaBackend(running.url, argilla.curator(home).token, bulk=running.bulk)
        project = backend.ensure_project("bench-0-r01", form, overlap=3, guidelines="")
        ours_push, ids = timed(lambda: list(backend.push(project, sent)))
        assert len(ids) == n
        full = backend.ensure_project("bench-0-r02", form, overlap=3, guidelines="")
        people = [name for name, _ in NAMES]
        backend.admit(full, people)
        backend.restore(full, sent, answered(sent, people))
        ours_pull, pulled = timed(lambda: backend.pull(full, cursor=None, known={}))
        assert len(pulled.annotations) == 3 * n
    finally:
        argilla.stop(home)
    stock = Unpatched(**vars(argilla.SERVER))
    other = Home(place / "stock", environments())
    stock.add_accounts(other, NAMES)
    running = stock.start(other)
    try:
        their_push, their_pull = by_the_sdk(running.url, stock.curator(other).token, form, sent)
    finally:
        stock.stop(other)
    print("Argilla, push", flush=True)
    push = compared(ours_push, {"records.log, unpatched": their_push}, n)
    print("Argilla, pull", flush=True)
    pull = compared(ours_pull, {"iteration, unpatched": their_pull}, n)
    return {"push": push, "pull": pull}


def by_the_sdk(url, key, form, sent):
    """Push and pull by the SDK's documented ways; return the seconds for all texts."""
    import argilla as rg

    client = rg.Argilla(api_url=url, api_key=key)
    client.workspaces.add(rg.Workspace(name="their-way"))
    (question,) = form.questions
    made = rg.Settings(
        fields=[rg.TextField(name="text")],
        questions=[rg.LabelQuestion(name="sentiment", labels=list(question.labels))],
        distribution=rg.TaskDistribution(min_submitted=3),
    )
    dataset = rg.Dataset(name="their-way", workspace="their-way", settings=made, client=client)
    dataset.create()
    users = [user for user in client.users if user.role == "annotator"]
    records = [rg.Record(id=task.id, fields=dict(task.fields)) for task in sent]
    push, _ = timed(lambda: dataset.records.log(records))
    with_answers = [
        rg.Record(
            id=task.id,
            fields=dict(task.fields),
            responses=[
                rg.Response("sentiment", "positive", user.id, status="submitted") for user in users
            ],
        )
        for task in sent
    ]
    dataset.records.log(with_answers)
    pull, found = timed(lambda: list(dataset.records(with_responses=True)))
    assert sum(len(list(record.responses)) for record in found) == 3 * len(sent)
    return push, pull


if __name__ == "__main__":
    main()
