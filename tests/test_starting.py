"""`curate init`: a recipe that fits the data that lies there, or what is missing for one."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from curate.starting import beginning
from curate.starting.looking import Seen
from curate.starting.shapes import shape_of
from tests.command import command
from tests.conftest import BAD, FILMS, GOOD, reviews

ENGLISH = reviews(FILMS, GOOD) + reviews(FILMS, BAD)
CHINESE = [f"我们在第{number}家饭馆吃饭，味道很好，服务员也非常热情。" for number in range(40)]
RUSSIAN = [f"Сегодня мы гуляли по городу и видели дом номер {number}." for number in range(40)]
IDS = [f"{number:08x}" for number in range(40)]


def seen(**columns: Sequence[Any]) -> Seen:
    """A file of rows with these columns."""
    rows = [
        dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)
    ]
    return Seen("data/a.jsonl", "jsonl", 1000, rows, is_whole=True)


# ── the shape of a file


@pytest.mark.parametrize(
    ("columns", "kind", "source"),
    [
        ({"id": IDS, "text": ENGLISH[:40]}, "text", {}),
        ({"id": IDS, "Review": ENGLISH[:40], "stars": [3] * 40}, "text", {"text": "Review"}),
        ({"a": IDS, "b": ENGLISH[:40], "c": ["good"] * 40}, "text", {"text": "b"}),
        ({"编号": IDS, "评论": CHINESE}, "text", {"text": "评论"}),
        (
            {"text": ENGLISH[:40], "license": ["MIT"] * 40, "lang": ["en"] * 40},
            "text",
            {"license": {"field": "license"}, "language": {"field": "lang"}},
        ),
        (
            {"instruction": ENGLISH[:40], "output": RUSSIAN},
            "answer",
            {"fields": {"prompt": "instruction", "response": "output"}},
        ),
        (
            {"messages": [[{"role": "user", "content": text}] for text in RUSSIAN]},
            "chat",
            {"chat": {"shown": "text"}},
        ),
        (
            {"conversations": [[{"from": "human", "value": text}] for text in RUSSIAN]},
            "chat",
            {
                "chat": {
                    "field": "conversations",
                    "role": "from",
                    "content": "value",
                    "shown": "text",
                }
            },
        ),
    ],
)
def test_the_shape_of_a_file_is_found_by_its_columns(
    columns: Mapping[str, Sequence[Any]], kind: str, source: Mapping[str, Any]
) -> None:
    shape = shape_of(seen(**columns))
    assert shape is not None
    assert (shape.kind, dict(shape.source)) == (kind, source)


def test_two_responses_are_a_pair() -> None:
    shape = shape_of(seen(prompt=ENGLISH[:40], chosen=RUSSIAN, rejected=CHINESE))
    assert shape is not None
    assert shape.kind == "pair"
    assert shape.source["fields"]["response_b"] == "rejected"


@pytest.mark.parametrize(
    "columns",
    [
        {"a": [1] * 9, "b": [2.5] * 9},
        {"number": ["12", "-3.5", "7"], "code": ["ab", "cd", "ef"]},
        {"same": ["one and the same long sentence"] * 9},
    ],
)
def test_numbers_codes_and_repeats_are_no_texts(columns: Mapping[str, Sequence[Any]]) -> None:
    assert shape_of(seen(**columns)) is None


# ── the command

Init = Callable[..., tuple[int, str]]


@pytest.fixture
def init(tmp_path: Path, monkeypatch: Any, capsys: Any) -> Init:
    monkeypatch.chdir(tmp_path)

    def run(*arguments: object) -> tuple[int, str]:
        code, _, err = command(monkeypatch, capsys)("init", "run", *arguments)
        return code, err

    return run


def recipe_of(folder: Path) -> dict[str, Any]:
    return dict(yaml.safe_load((folder / "recipe.yaml").read_text(encoding="utf-8")))


def write_csv(path: Path, rows: Sequence[Sequence[Any]], delimiter: str = ",") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, delimiter=delimiter).writerows(rows)


def test_a_csv_elsewhere_gets_a_recipe(init: Init, tmp_path: Path) -> None:
    write_csv(tmp_path / "shop.csv", [("no", "Review"), *enumerate(ENGLISH)], ";")
    code, err = init("shop.csv")
    assert code == 0, err
    assert "56 texts in 1 file" in err
    assert "shop.csv: texts in the column Review" in err
    assert "languages: en" in err
    assert "next: curate run -w run" in err
    recipe = recipe_of(tmp_path / "run")
    assert recipe["pool"]["sources"] == [{"paths": [str(tmp_path / "shop.csv")], "text": "Review"}]
    assert recipe["sample"]["n"] == 20
    assert recipe["push"] == {"backend": "label_studio", "form": "quality", "overlap": 1}
    assert (tmp_path / "run" / "label_configs" / "quality.xml").exists()


def test_chinese_lines_under_data_get_a_chinese_form(init: Init, tmp_path: Path) -> None:
    path = tmp_path / "run" / "data" / "饭馆.jsonl"
    path.parent.mkdir(parents=True)
    path.write_text("\n".join(json.dumps({"正文": text}) for text in CHINESE), encoding="utf-8")
    code, err = init("--offline")
    assert code == 0, err
    assert "languages: zh" in err
    recipe = recipe_of(tmp_path / "run")
    assert recipe["pool"]["sources"] == [{"paths": ["data/饭馆.jsonl"], "text": "正文"}]
    assert (recipe["push"]["form"], recipe["push"]["backend"]) == ("quality_zh", "folder")


def test_files_of_several_kinds_are_sources_of_their_own(init: Init, tmp_path: Path) -> None:
    data = tmp_path / "run" / "data"
    write_csv(data / "a.csv", [("n", "body"), *enumerate(ENGLISH)])
    (data / "b.txt").write_text(ENGLISH[0])
    (data / "empty.csv").write_text("")
    (data / "numbers.csv").write_text("a,b\n1,2\n3,4\n")
    code, err = init()
    assert code == 0, err
    assert recipe_of(tmp_path / "run")["pool"]["sources"] == [
        {"paths": ["data/a.csv"], "text": "body"},
        {"paths": ["data/b.txt"]},
    ]
    assert "left out: data/numbers.csv" in err
    assert "empty.csv" in err


def test_folders_of_texts_are_sources_and_none_is_forgotten(init: Init, tmp_path: Path) -> None:
    for folder, texts in {"a": ENGLISH[:25], "b": RUSSIAN[:5], "c": ENGLISH[25:26]}.items():
        (tmp_path / "run" / "data" / folder).mkdir(parents=True)
        for number, text in enumerate(texts):
            (tmp_path / "run" / "data" / folder / f"{number}.txt").write_text(
                text, encoding="utf-8"
            )
    code, err = init("--offline")
    assert code == 0, err
    assert "about 31 texts in 31 files" in err
    recipe = recipe_of(tmp_path / "run")
    assert recipe["pool"]["sources"] == [
        {"name": "a", "paths": ["data/a/*.txt"]},
        {"name": "b", "paths": ["data/b/*.txt"]},
        {"paths": ["data/c/0.txt"]},
    ]
    assert recipe["sample"]["n"] == 15


def test_rows_of_files_that_were_not_looked_into_are_guessed(init: Init, tmp_path: Path) -> None:
    for number in range(24):
        path = tmp_path / "run" / "data" / f"{number:02}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(json.dumps({"text": text}) + "\n" for text in ENGLISH[:10]))
    code, err = init("--offline")
    assert code == 0, err
    amount = int(err.partition("about ")[2].partition(" texts in 24 files")[0])
    assert 230 <= amount <= 250
    assert recipe_of(tmp_path / "run")["pool"]["sources"] == [{"paths": ["data/*.jsonl"]}]


def test_without_data_it_says_what_is_missing(init: Init, tmp_path: Path) -> None:
    code, err = init()
    assert code == 0
    assert "there are no texts yet" in err
    assert "put files into run/data" in err
    assert not (tmp_path / "run" / "recipe.yaml").exists()
    write_csv(tmp_path / "run" / "data" / "a.csv", [("n", "text"), *enumerate(ENGLISH)])
    assert init()[0] == 0
    assert init()[1].startswith("error: ")


def test_without_a_column_of_texts_it_names_those_there_are(init: Init, tmp_path: Path) -> None:
    write_csv(tmp_path / "t.csv", [("height", "width"), (1, 2), (3, 4)])
    code, err = init("t.csv")
    assert code == 1
    assert "no column holds texts; there are: height, width" in err
    assert not (tmp_path / "run" / "recipe.yaml").exists()
    code, err = init("t.csv", "--text", "heigt")
    assert code == 2
    assert "height" in err
    assert init("t.csv", "--text", "height")[0] == 0


def test_a_template_takes_no_other_choice(init: Init) -> None:
    code, err = init("--template", "offline", "--offline")
    assert code == 2
    assert "--offline has no effect beside --template" in err


def test_without_the_package_of_the_server_answers_are_files(
    init: Init, tmp_path: Path, monkeypatch: Any
) -> None:
    monkeypatch.setattr(beginning, "is_there", lambda package: False)
    write_csv(tmp_path / "a.csv", [("n", "text"), *enumerate(ENGLISH)])
    code, err = init("a.csv")
    assert code == 0
    assert "pip install 'curate[label-studio]'" in err
    assert recipe_of(tmp_path / "run")["push"]["backend"] == "folder"


@pytest.mark.parametrize(
    ("rows", "kind"),
    [
        ([{"messages": [{"role": "user", "content": text}]} for text in ENGLISH], "chat"),
        ([{"prompt": text, "response": text[::-1]} for text in ENGLISH], "answer"),
        (
            [{"prompt": text, "chosen": text[5:], "rejected": text[:-9]} for text in ENGLISH],
            "pair",
        ),
    ],
)
def test_a_recipe_for_other_shapes_goes_as_far_as_people(
    init: Init, tmp_path: Path, monkeypatch: Any, capsys: Any, rows: Any, kind: str
) -> None:
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, rows)))
    assert init("a.jsonl", "--offline")[0] == 0
    code, _, err = command(monkeypatch, capsys)("run", "-w", "run", "--workers", "1")
    assert code == 3, err
    task = (tmp_path / "run/rounds/01/tasks.jsonl").read_text().splitlines()[0]
    assert json.loads(task)[{"pair": "response_a", "answer": "response"}.get(kind, "text")]
