"""A tiny run: texts whose meaning nobody doubts, and hands that take it through the stages."""

from __future__ import annotations

import gc
import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from secrets import token_hex
from typing import Any

import pytest
from hypothesis import settings

from curate.backends.folder import FolderBackend
from curate.embed import encoders
from curate.engine import Local
from curate.run.recipe import Recipe
from curate.run.stages import maker, run_stage
from curate.servers import Home
from curate.servers.processes import held
from curate.workspace import Workspace
from tests.servers import running_argilla, running_label_studio

# Many threads on small matrices wait for each other: four times the time on a busy machine.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
# Read when its package is imported: a name that no hub has fails at once, also without a network.
os.environ["HF_HUB_OFFLINE"] = "1"

gc.disable()  # until all tests are collected: modules and tests stay, and are many

settings.register_profile("quick", deadline=None, max_examples=50, derandomize=True, database=None)
settings.load_profile("quick")


def pytest_collection_finish() -> None:
    """Look for garbage again, but never among what was loaded."""
    gc.freeze()
    gc.enable()


GOOD = ("wonderful", "lovely", "brilliant", "delightful", "excellent")
BAD = ("dreadful", "awful", "horrible", "terrible", "miserable")
FILMS = ("western", "musical", "comedy", "thriller", "cartoon", "romance", "mystery")
MEALS = ("soup", "curry", "salad", "pudding", "omelette", "sandwich", "stew")
PLACES = ("in town", "by the sea", "up north", "near home")


def reviews(things: Sequence[str], words: Sequence[str]) -> list[str]:
    """Return texts that leave no doubt what their writer feels; 28 for seven things."""
    return [
        f"The {thing} {place} was {words[(i + j) % 5]}, truly {words[(i + 2 * j + 1) % 5]}, and "
        f"all who tried that {thing} called it {words[(i * j + 3) % 5]} as well."
        for i, thing in enumerate(things)
        for j, place in enumerate(PLACES)
    ]


def feeling(text: str) -> str:
    """Return what the writer of such a text feels."""
    return "positive" if any(word in text for word in GOOD) else "negative"


class Offline:
    """A workspace on the folder backend; `run` runs a stage and writes the ledger."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.workspace = Workspace(
            root,
            engine=Local(1),
            connect=lambda name: FolderBackend(root / "rounds"),
            maker=maker,
        )
        self.workspace.init("tiny")

    def lines(self, name: str, rows: Iterable[Any]) -> Path:
        """Write data/NAME: one JSON value a line; a bare text becomes {"text": …}."""
        path = self.root / "data" / name
        path.parent.mkdir(exist_ok=True)
        values = [{"text": row} if isinstance(row, str) else row for row in rows]
        path.write_text("".join(json.dumps(value) + "\n" for value in values), encoding="utf-8")
        return path

    def reviews(self) -> None:
        """Write two sources of good and bad reviews."""
        self.lines("films.jsonl", reviews(FILMS, GOOD) + reviews(FILMS, BAD))
        self.lines("meals.jsonl", reviews(MEALS, GOOD) + reviews(MEALS, BAD))

    def spec(self, stage: str, **given: Any) -> Any:
        """Return a stage's Spec with some settings."""
        return type(Recipe().section(stage)).model_validate(given)

    def run(self, stage: str, **given: Any) -> Any:
        """Run one stage; return its result."""
        return run_stage(self.workspace, stage, self.spec(stage, **given)).result

    def pool(self, *paths: str, **given: Any) -> Any:
        """Run `pool` over files of data/, all of them by default."""
        sources = [{"paths": [f"data/{path}"]} for path in paths or ("*.jsonl",)]
        return self.run("pool", **{"sources": sources, "tokenizer": "bytes", **given})

    def prepare(self, n: int = 40, **given: Any) -> None:
        """Run from the reviews to a pushed round of n texts."""
        self.reviews()
        self.pool(holdout=0.1)
        self.run("clean")
        self.run("sample", **{"n": n, "strategy": "stratified", "seed": 1, **given})
        self.run("push", backend="folder", form="sentiment", overlap=2)

    def rows(self, name: str) -> list[dict[str, Any]]:
        """Return a table's rows."""
        return self.workspace.tables.read(name).to_pylist()

    @property
    def tasks(self) -> list[dict[str, str]]:
        """Return the newest round's tasks as people find them."""
        path = self.workspace.rounds.current().folder / "tasks.jsonl"
        with path.open(encoding="utf-8") as file:
            return [json.loads(line) for line in file]

    def answer(
        self,
        *people: str,
        ids: Iterable[str] | None = None,
        opinion: Callable[[str], Any] = feeling,
        question: str = "sentiment",
        **more: Any,
    ) -> None:
        """Append answers to the newest round: `opinion` of each text, by each person."""
        wanted = None if ids is None else set(ids)
        rows = [
            {"id": task["id"], "question": question, "annotator": person, **more}
            | {"value": opinion(task["text"])}
            for task in self.tasks
            for person in people
            if wanted is None or task["id"] in wanted
        ]
        self.say(*rows)

    def say(self, *rows: Mapping[str, Any]) -> None:
        """Append lines to the newest round's answers.jsonl."""
        path = self.workspace.rounds.current().folder / "answers.jsonl"
        with path.open("a", encoding="utf-8") as file:
            file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)

    def answer_files(self) -> list[Path]:
        """Return every annotation file of every round."""
        return sorted((self.root / "rounds").glob("*/annotations/*.parquet"))


def copied(root: Path, place: Path) -> Offline:
    """Copy a workspace that several tests begin with."""
    shutil.copytree(root, place)
    return Offline(place)


@pytest.fixture(scope="session", autouse=True)
def _own_home(tmp_path_factory: pytest.TempPathFactory) -> Iterable[None]:
    """Keep servers' state out of the user's folders, and the encoder of most tests small."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(encoders.CharGram, "dimension", 24)
        patch.setenv("CURATE_HOME", str(tmp_path_factory.mktemp("home")))
        # Ray would write one into the home folder, and takes no other in the same process.
        patch.setenv("RAY_AUTH_TOKEN", token_hex(16))
        patch.delenv("CURATE_WORKSPACE", raising=False)
        yield


@pytest.fixture
def undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave charts undrawn, which takes much of the time of a report: tests/test_charts.py draws.

    Their specifications are made all the same.
    """
    import vl_convert

    monkeypatch.setattr(vl_convert, "vegalite_to_svg", lambda spec: "<svg></svg>")


@pytest.fixture(scope="session")
def label_studio_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """A running Label Studio with three people; do not stop it."""
    with running_label_studio(tmp_path_factory.mktemp("home")) as home:
        yield home


@pytest.fixture(scope="session")
def argilla_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """A running Argilla with three people; do not stop it."""
    with running_argilla(tmp_path_factory.mktemp("argilla")) as home:
        yield home


@pytest.fixture
def offline(tmp_path: Path) -> Offline:
    """An empty workspace."""
    return Offline(tmp_path / "run")


def shared(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Path:
    """Return a folder that the first test runner makes, and all others use as it is."""
    base = factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / name
    with held(folder.with_suffix(".lock")):
        if not folder.exists():
            building = folder.with_suffix(".building")
            make(building)
            building.rename(folder)
    return folder


def _make_whole_run(root: Path) -> None:
    run = Offline(root)
    run.prepare()
    run.answer("ann", "bob")
    run.run("pull")
    run.run("agree", bootstrap=50)
    quality = {"values": {"negative": 0.0, "neutral": 0.5, "positive": 1.0}}
    run.run("score", encoder="chargram", resamples=5, quality=quality)
    run.run("mix", groups=["sentiment", "source"], within={"strategy": "softmax"}, budget="50%")
    run.run("export", shard_documents=20)
    run.run("evaluate", seeds=2, train_bytes=20_000, holdout_bytes=2_000)
    run.run("report")


@pytest.fixture(scope="session")
def _whole_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return shared(tmp_path_factory, "whole", _make_whole_run)


@pytest.fixture
def whole(_whole_run: Path, tmp_path: Path) -> Offline:
    """A run with every stage done; a copy, to be changed at will."""
    return copied(_whole_run, tmp_path / "run")
