"""kill -9 of curate or of its server in the middle of a push or a pull; then the same again."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from curate.connections import Connections, embedded
from curate.progress import unwatched
from curate.push.tasks import tasks_of
from curate.records import Annotation
from curate.rounds import Round
from curate.servers import Home
from tests.annotators import PERSON
from tests.servers import environments

RECIPE = """
encoder: chargram
pool: {{sources: [{{paths: ["data/*.jsonl"]}}], tokenizer: bytes}}
sample: {{n: {n}, seed: 3}}
push: {{backend: {server}, form: topic, overlap: 2}}
"""
FROZEN = ("form.xml", "guidelines.md", "tasks.parquet", "project.json")


class Storm:
    """A workspace with a sampled round, and a server to send it to."""

    def __init__(self, folder: Path, server: str, home: Home, n: int) -> None:
        self.folder, self.server, self.home, self.n = folder, server, home, n
        (folder / "data").mkdir(parents=True)
        lines = (json.dumps({"text": f"Text {k} of many. " + "word " * 40}) for k in range(n + 20))
        (folder / "data" / "texts.jsonl").write_text("\n".join(lines))
        (folder / "recipe.yaml").write_text(RECIPE.format(n=n, server=server))
        self.environment = {**os.environ, "CURATE_HOME": str(home.home)}
        self.environment["CURATE_ENVIRONMENTS"] = str(environments())
        for name in ("LABEL_STUDIO_URL", "ARGILLA_API_URL"):
            self.environment.pop(name, None)
        for stage in ("pool", "clean", "sample"):
            assert self.run(stage)[0] == 0

    @property
    def round(self) -> Round:
        return Round.load(1, self.folder / "rounds" / "01")

    def start(self, stage: str) -> subprocess.Popen[str]:
        """Start a command in a process of its own."""
        command = [sys.executable, "-m", "curate", stage, "-w", str(self.folder), "--json"]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        return subprocess.Popen(command, env=self.environment, text=True, **pipes)

    def run(self, stage: str) -> tuple[int, str]:
        """Run a command to its end; return its exit code and what it told."""
        process = self.start(stage)
        out, told = process.communicate()
        assert "Traceback" not in told, told
        return process.returncode, told + out

    def strike(self, stage: str, victim: str, after: float) -> bool:
        """Kill the client or the server while a command runs; return whether it hit in time."""
        process = self.start(stage)
        time.sleep(after)
        running = process.poll() is None
        if running:
            server = embedded(self.server).status(self.home)
            target = process.pid if victim == "client" else server and server.pid
            if target:
                os.kill(target, signal.SIGKILL)
        told = process.communicate()[1]
        assert "Traceback" not in told, told
        return running

    def repair(self, stage: str) -> int:
        """Run the command until it succeeds; return how often that was."""
        for attempt in range(1, 6):
            code, told = self.run(stage)
            if code == 0:
                return attempt
            assert "hint:" in told, told
        raise AssertionError(told)

    def on_server(self) -> Counter[str]:
        """Return how often each of our ids stands in the round's project, as the curator sees."""
        running, account = self._running()
        person = PERSON[self.server](running, account.token)
        key = self.round.project.key
        return Counter(person.ids(key))

    def _running(self):
        there = embedded(self.server)
        return there.start(self.home).url, there.curator(self.home)

    def forget_push(self) -> None:
        """Undo the push, on the server and at home."""
        if self.round.push is not None:
            running, account = self._running()
            PERSON[self.server](running, account.token).remove(self.round.project.key)
        folder = self.round.folder
        for name in FROZEN:
            (folder / name).unlink(missing_ok=True)

    def forget_pull(self) -> None:
        """Undo all pulls at home."""
        shutil.rmtree(self.round.folder / "annotations", ignore_errors=True)
        (self.round.folder / "closed.json").unlink(missing_ok=True)

    def answer_all(self) -> int:
        """Let two people answer everything at once; return how many answers that is.

        The project is made anew with them in it: one by one they would take minutes.
        """
        accounts = [each.email for each in embedded(self.server).accounts(self.home)][:2]
        running, curator = self._running()
        PERSON[self.server](running, curator.token).remove(self.round.project.key)
        backend = Connections(self.folder, unwatched, self.environment)(self.server)
        lost, tasks = self.round.project, tasks_of(self.round)
        anew = backend.ensure_project(lost.name, lost.form, overlap=2, guidelines="")
        backend.admit(anew, accounts)
        given = [
            Annotation(task.id, "topic", account, "news", "submitted")
            for task in tasks
            for account in accounts
        ]
        assert backend.restore(anew, tasks, given) == len(given)
        self.round.replace_project(None, anew, restored="2000-01-01T00:00:00+00:00")
        return len(given)

    def at_home(self) -> Counter[tuple[str, str]]:
        """Return how often each (id, annotator) was stored for the question."""
        rows = (row for row in self.round.history() if row["question"] == "topic")
        return Counter((row["id"], row["annotator"]) for row in rows)


def strike_push(storm: Storm, victim: str, after: float) -> bool:
    """Kill in the middle of a push; afterwards every task must be there, once."""
    hit = storm.strike("push", victim, after)
    storm.repair("push")
    found = storm.on_server()
    assert len(found) == storm.n, (len(found), storm.n)
    assert set(found.values()) == {1}, found.most_common(3)
    storm.forget_push()
    return hit


def strike_pull(storm: Storm, victim: str, after: float, given: int) -> bool:
    """Kill in the middle of a pull; afterwards every answer must be at home, once."""
    hit = storm.strike("pull", victim, after)
    storm.repair("pull")
    found = storm.at_home()
    assert len(found) == given, (len(found), given)
    assert set(found.values()) == {1}, found.most_common(3)
    storm.forget_pull()
    return hit
