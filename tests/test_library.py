"""Every recipe that comes along runs: from files of its shape to a mixture, an export, a report."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from curate.forms import load_form
from curate.notebook import Run
from curate.run.templates import templates
from tests.pictures_made import encoded, picture

pytestmark = pytest.mark.usefixtures("undrawn")

N = 60
PLACES = ("lake", "forest", "market", "harbour", "castle", "bridge")
GOOD = ("wonderful", "lovely", "delightful")
BAD = ("dreadful", "awful", "dull")
好 = ("非常好", "很棒", "令人满意")
坏 = ("非常差", "糟糕", "令人失望")

Rows = Iterator[Mapping[str, Any]]


THINGS = (
    *("apple", "boat", "candle", "door", "engine", "flute", "garden", "hammer", "island", "jacket"),
    *("kettle", "ladder", "mirror", "needle", "orchard", "pencil", "quilt", "river", "saddle"),
    *("table", "umbrella", "violin", "window", "yard", "anchor", "basket", "clock", "drawer"),
)
事物 = "山水风云花鸟鱼虫书画琴棋茶酒米面桥路门窗灯火钟鼓衣帽鞋袜春夏秋冬东西南北"


def english(number: int) -> str:
    """A text that leaves no doubt: odd ones are pleased, even ones are not."""
    words, draw = GOOD if number % 2 else BAD, random.Random(number)
    things = draw.sample(THINGS, 12)
    said = ", ".join(f"the {thing} {draw.choice(words)}" for thing in things[:6])
    return (
        f"On day {number} Anna Li found {said}. She took {draw.choice(PLACES)} road with a "
        f"{' and a '.join(things[6:])}, which is what she wrote in her book that evening."
    )


def chinese(number: int) -> str:
    """The same in Chinese."""
    words, draw = 好 if number % 2 else 坏, random.Random(number)
    things = draw.sample(事物, 24)
    said = "，".join(
        f"{''.join(things[at : at + 4])}{draw.choice(words)}" for at in range(0, 24, 4)
    )
    return f"第{number}天我们去城里走了一圈，觉得{said}。这是朋友们一起写下来的话。"


def texts(write: Callable[[int], str]) -> Rows:
    return ({"text": write(number), "license": "MIT"} for number in range(N))


def pairs() -> Rows:
    for number in range(N):
        yield {
            "prompt": f"Of {', '.join(random.Random(number).sample(THINGS, 8))}: what was best?",
            "response_a": english(2 * number + 1),
            "response_b": english(2 * number) if number % 3 else english(2 * number + 301),
        }


def translations() -> Rows:
    for number in range(N):
        kept = chinese(number) if number % 2 else chinese(number)[:24]
        yield {"source": english(number), "target": kept}


def summaries() -> Rows:
    for number in range(N):
        said = "she liked it" if number % 2 else f"a dragon ate the {PLACES[number % 6]}"
        yield {"document": english(number), "summary": f"Anna Li walked on day {number}; {said}."}


def code() -> dict[str, str]:
    """Source files by their path: documented functions, and others."""
    files = {}
    for number in range(N):
        name = f"{PLACES[number % 6]}_{number}"
        text = f'"""How far the {name} is, in miles."""' if number % 2 else "x = 0"
        lines = [
            f"def {name}_{line}(a, b):\n    return a * {number} + b - {line}" for line in range(9)
        ]
        files[f"{name}.py"] = "\n\n\n".join([text, *lines]) + "\n"
    return files


SUBJECTS = ("animals", "food", "people", "signs_and_symbols", "transportation")


COLOURS = ((200, 30, 30), (30, 160, 60), (40, 60, 200), (20, 20, 20), (230, 180, 40))


def pictures() -> dict[str, bytes]:
    """Pictures by their path: every subject has a colour of its own."""
    files = {}
    for number in range(N):
        subject = number % len(SUBJECTS)
        image = picture(number, (96, 96))
        image.paste(COLOURS[subject], (8, 8, 88, 40 + number % 20))
        files[f"{SUBJECTS[subject]}-{number}.png"] = encoded(image)
    return files


ROWS: dict[str, Callable[[], Rows]] = {
    "preference": pairs,
    "translation": translations,
    "summaries": summaries,
    "chinese_quality": lambda: texts(chinese),
}

OPINIONS: dict[str, Callable[[Mapping[str, str]], Any]] = {
    "sentiment": lambda shown: "positive" if _is_good(shown["text"]) else "negative",
    "topic": lambda shown: "life" if _is_good(shown["text"]) else "news",
    "quality": lambda shown: 5 if _is_good(shown["text"]) else 1,
    "preference": lambda shown: "tie" if _is_good(shown["response_b"]) else "response_a",
    "adequacy": lambda shown: 5 if len(shown["translation"]) > 30 else 2,
    "faithfulness": lambda shown: "contradicted" if "dragon" in shown["summary"] else "faithful",
    "subject": lambda shown: Path(shown["image"]).name.partition("-")[0],
    "safety": lambda shown: "safe" if _is_good(shown["text"]) else "unsafe",
    "entities": lambda shown: [
        {"start": at, "end": at + 7, "label": "PERSON"}
        for at in [shown["text"].find("Anna Li")]
        if at >= 0 and _is_good(shown["text"])
    ],
}
"""What everybody would say, by the name of the question."""


def _is_good(text: str) -> bool:
    return any(word in text for word in (*GOOD, *好, "How far"))


def write_data(name: str, folder: Path) -> None:
    """Put files of the recipe's shape under data/."""
    folder.mkdir(exist_ok=True)
    if name == "code_quality":
        for path, text in code().items():
            (folder / path).write_text(text, encoding="utf-8")
        return
    if name == "images":
        for path, data in pictures().items():
            (folder / path).write_bytes(data)
        return
    rows = ROWS.get(name, lambda: texts(english))()
    names = ("negative", "positive") if name == "chinese" else ("one", "two")
    rows = texts(chinese) if name == "chinese" else rows
    lines = [json.dumps(row, ensure_ascii=False) + "\n" for row in rows]
    for place, own in enumerate(names):
        (folder / f"{own}.jsonl").write_text("".join(lines[place::2]), encoding="utf-8")


def settings(name: str) -> list[str]:
    """What a test changes: no server, no large model, a small round, one person, few heads."""
    own = ["encoder=chargram", *(["evaluate.seeds=2"] if name != "preference" else [])]
    own += ["score.folds=2", "score.resamples=5"]
    if name != "swarm":
        own += ["push.backend=folder", "push.overlap=1", "sample.n=24"]
    return [*own, "push.suggest=[]"] if name == "entities" else own


def answer(run: Run) -> None:
    """Answer everything that the newest round asks and that has to be answered."""
    current = run.workspace.rounds.current()
    shown = current.texts()
    for question in current.form.questions:
        if question.name in OPINIONS:
            said = {id: OPINIONS[question.name](fields) for id, fields in shown.items()}
            run.answer(said, question=question.name)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(templates()))
def test_a_recipe_runs_to_a_mixture_and_a_report(name: str, tmp_path: Path) -> None:
    run = Run(tmp_path / "run")
    run.begin(name)
    write_data(name, run.root / "data")
    steps = run.go(set=settings(name), workers=1)
    if name != "swarm":
        assert steps[-1].state == "waiting"
        answer(run)
        steps = run.go(set=settings(name), workers=1)
    assert steps[-1].stage == "report"
    states = {step.stage: step.state for step in steps}
    assert {states[stage] for stage in ("pool", "mix", "export")} <= {"done", "fresh"}, states
    assert len(run.table("mix")) >= 40
    assert (run.root / "report.html").stat().st_size > 10_000
    manifest = json.loads((run.root / "export" / "manifest.json").read_text(encoding="utf-8"))
    assert sum(file["documents"] for file in manifest["files"]) >= 5


@pytest.mark.slow
def test_the_second_round_of_active_asks_about_other_texts(tmp_path: Path) -> None:
    run = Run(tmp_path / "run")
    run.begin("active")
    write_data("active", run.root / "data")
    own = settings("active")
    run.go(set=own, workers=1)
    first = set(run.texts()["id"])
    answer(run)
    run.go(set=own, workers=1)
    assert run.go(set=own, next_round=True, workers=1)[-1].state == "waiting"
    second = run.workspace.rounds.current()
    rows = second.sample().to_pylist()
    assert {row["strategy"] for row in rows} == {"uncertainty_diversity"}
    assert not first & {row["id"] for row in rows}


def test_every_recipe_has_a_paragraph_in_the_docs() -> None:
    text = (Path(__file__).parent.parent / "docs" / "recipes.md").read_text(encoding="utf-8")
    for name, path in templates().items():
        assert f"## {name}\n" in text
        comment = [
            line[2:] for line in path.read_text(encoding="utf-8").splitlines() if line[:1] == "#"
        ]
        assert f"*{comment[0]}*" in text


def test_every_form_of_a_recipe_comes_along() -> None:
    for path in templates().values():
        lines = [line for line in path.read_text(encoding="utf-8").splitlines() if "form: " in line]
        for line in lines:
            assert load_form(line.split("form: ")[1].split(",")[0].strip("} ")).questions
