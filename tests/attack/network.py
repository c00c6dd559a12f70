"""A network that fails three times in ten, before both servers: nothing is lost, nothing is twice.

A proxy hangs up before a request, after it, in the middle of an answer, or answers for the server.
Commands are repeated until they succeed; each failure must be told in words.
"""

from __future__ import annotations

import json
import os
import random
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock, Thread
from typing import Any
from urllib.parse import urlsplit

from curate.connections import VARIABLES, embedded
from curate.rounds import Round
from tests.annotators import PERSON, answer_all
from tests.attack.finished import command
from tests.servers import RUNNING

Try = tuple[str, Callable[[], str | None]]

SHARE = 0.3
"""So many requests of all do not come through whole."""

MOST = 60
"""A command succeeds after this many times at most."""

TASKS = 30
RECIPE = """
encoder: chargram
pool: {{sources: [{{paths: ["data/*.jsonl"]}}], tokenizer: bytes}}
sample: {{n: {n}, seed: 3}}
push: {{backend: {server}, form: topic, overlap: 2}}
"""
FAULTS = ("hang up", "lose the answer", "cut the answer", "502", "503", "a page")
HOP = ("connection", "keep-alive", "transfer-encoding", "content-length")
PAGE = b"<html><body>Bad gateway</body></html>"


class Faulty(BaseHTTPRequestHandler):
    """Hands requests on to `to`, a port, and lets a share of them fail in turn."""

    to: int
    chance: random.Random
    seen: Counter[str]
    guard = Lock()

    def forward(self) -> None:
        """Serve one request, or let it fail."""
        self.close_connection = True
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        with self.guard:
            fails = self.chance.random() < SHARE
            fault = self.chance.choice(FAULTS) if fails else "none"
            self.seen[fault] += 1
        if fault == "hang up":
            return
        if fault in ("502", "503", "a page"):
            self.answer(200 if fault == "a page" else int(fault), [("Retry-After", "0")], PAGE)
            return
        status, headers, data = self.asked(body)
        if fault != "lose the answer":
            self.answer(status, headers, data, cut=fault == "cut the answer")

    def asked(self, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        """What the server says."""
        sent = {name: value for name, value in self.headers.items() if name.lower() not in HOP}
        server = HTTPConnection("127.0.0.1", self.to, timeout=300)
        try:
            server.request(self.command, self.path, body or None, sent)
            got = server.getresponse()
            return got.status, got.getheaders(), got.read()
        finally:
            server.close()

    def answer(
        self, status: int, headers: list[tuple[str, str]], data: bytes, *, cut: bool = False
    ) -> None:
        """Answer with all the data, or with half of them."""
        self.send_response_only(status)
        for name, value in headers:
            if name.lower() not in HOP:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(data[: len(data) // 2] if cut else data)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = forward

    def log_message(self, *arguments: Any) -> None:
        """Say nothing."""


class Front(ThreadingHTTPServer):
    """Serves, and says nothing of clients that hang up."""

    daemon_threads = True

    def handle_error(self, *arguments: Any) -> None:
        """Say nothing."""


@contextmanager
def faulty(to: int, seed: int = 0) -> Iterator[tuple[str, Counter[str]]]:
    """Yield the address of a faulty proxy before a port, and how often each fault came."""
    seen: Counter[str] = Counter()
    about = {"to": to, "chance": random.Random(seed), "seen": seen}
    with Front(("127.0.0.1", 0), type("Own", (Faulty,), about)) as server:
        thread = Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", seen
        finally:
            server.shutdown()
            thread.join()


def tries(folder: Path) -> Iterator[Try]:
    """Yield the steps of a round on each server, in their order."""
    for server in RUNNING:
        with RUNNING[server](folder / server / "home") as home:
            there = embedded(server)
            running = there.status(home)
            assert running is not None
            port = urlsplit(running.url).port
            assert port is not None
            with faulty(port) as (url, seen), _environment(server, url, there.curator(home).token):
                people = {own.email: own.token for own in there.accounts(home)[:2]}
                scene = Scene(folder / server / "run", server, running.url, people)
                for name, step in scene.steps(there.curator(home).token):
                    yield f"{server}: {name}", step
                yield f"{server}: requests did fail", lambda seen=seen: _failed(seen)


@contextmanager
def _environment(server: str, url: str, key: str) -> Iterator[None]:
    names = VARIABLES[server]
    before = {name: os.environ.get(name) for name in names}
    os.environ.update(zip(names, (url, key), strict=True))
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name)
            if value is not None:
                os.environ[name] = value


def _failed(seen: Counter[str]) -> str | None:
    missing = [fault for fault in FAULTS if not seen[fault]]
    return f"these never came: {', '.join(missing)}" if missing else None


class Scene:
    """A workspace with a sampled round, and two people who answer past the proxy."""

    def __init__(self, root: Path, server: str, url: str, people: dict[str, str]) -> None:
        self.root, self.server = root, server
        self.url = url
        self.people = {who: PERSON[server](url, key) for who, key in people.items()}
        (root / "data").mkdir(parents=True)
        lines = (json.dumps({"text": f"Text {k} of many. " + "word " * 9}) for k in range(TASKS))
        (root / "data" / "texts.jsonl").write_text("\n".join(lines), encoding="utf-8")
        recipe = RECIPE.format(n=TASKS, server=server)
        (root / "recipe.yaml").write_text(recipe, encoding="utf-8")
        for stage in ("pool", "clean", "sample"):
            code, said = command(stage, "-w", root)
            assert code == 0, said

    @property
    def round(self) -> Round:
        """The round as it lies on disk."""
        return Round.load(1, self.root / "rounds" / "01")

    def steps(self, curator: str) -> Iterator[Try]:
        """Yield the steps of the round, and what must hold after each."""
        own = PERSON[self.server](self.url, curator)
        yield "push comes to its end", lambda: self.repeated("push")
        yield "every task is there once", lambda: self.once(own)
        yield "push again sends nothing", lambda: self.repeated("push") or self.once(own)
        yield "pull amid answers", self.answered
        yield "every answer is at home once", self.at_home
        yield "the round has ended", lambda: None if self.round.closed else "it is open"

    def repeated(self, *arguments: str) -> str | None:
        """Run a command until it succeeds; what is wrong if it never does, or says nothing."""
        said = ""
        for _ in range(MOST):
            code, said = command(*arguments, "-w", self.root, seconds=300)
            if code in (0, 3):
                return None
            if code == 99 or "error: " not in said:
                return f"`{' '.join(arguments)}` failed with code {code}: {said[-300:]}"
        return f"`{' '.join(arguments)}` failed {MOST} times: {said[-300:]}"

    def once(self, curator: Any) -> str | None:
        """Whether the server has every task once."""
        counts = Counter(curator.ids(self.round.project.key))
        twice = sum(count > 1 for count in counts.values())
        return None if len(counts) == TASKS and not twice else f"{len(counts)} tasks, {twice} twice"

    def answered(self) -> str | None:
        """Answer in two halves, with a pull after each."""
        planned = self.expected()
        for half in (planned[: len(planned) // 2], planned[len(planned) // 2 :]):
            given = [(who, id, {"topic": value}) for who, id, value in half]
            answer_all(self.people, self.round.project.key, given)
            if wrong := self.repeated("pull"):
                return wrong
        return None

    def expected(self) -> list[tuple[str, str, str]]:
        """Who answers what to each task."""
        ids = sorted(id for id in self.people[next(iter(self.people))].tasks(self._key()))
        values = ("news", "sport", "health")
        return [
            (who, id, values[(n + place) % 3])
            for place, who in enumerate(self.people)
            for n, id in enumerate(ids)
        ]

    def _key(self) -> str:
        return self.round.project.key

    def at_home(self) -> str | None:
        """Whether each person's answers are at home, once each and as they were given."""
        rows = [row for row in self.round.history() if row["question"] == "topic"]
        told = [(row["annotator"], row["id"], json.loads(row["value"])) for row in rows]
        found, wanted = _of_people(told), _of_people(self.expected())
        return None if found == wanted else f"{len(told)} answers, and not those that were given"


def _of_people(answers: list[tuple[str, str, str]]) -> list[list[tuple[str, str]]]:
    """The answers of each person, whatever the person is called."""
    people: dict[str, list[tuple[str, str]]] = {}
    for who, id, value in answers:
        people.setdefault(who, []).append((id, value))
    return sorted(sorted(own) for own in people.values())
