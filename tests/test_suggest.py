"""What a model suggests and the form does not offer is counted, and takes nothing along."""

import pytest

from curate.forms import load_form, parse_form
from curate.push.suggest import SuggestSpec, suggest
from curate.rounds.views import View

TEXT = "Ines met Raul in Porto."
INES = {"start": 0, "end": 4, "label": "PERSON"}
PORTO = {"start": 17, "end": 22, "label": "LOC"}


def suggested(monkeypatch, form, question, *values, labels=None):
    """What is left of a model's values, one for each of some texts, and what was left out."""
    spec = SuggestSpec(question=question, by="own:model", labels=labels or {})
    views = {f"t{place}": View({"text": TEXT}) for place in range(len(values))}
    monkeypatch.setattr("curate.push.suggest._import_function", lambda *names: lambda texts: values)
    made = suggest(None, load_form(form), [spec], views)
    return [[own.value for own in made.by_task[id]] for id in views], dict(made.dropped)


@pytest.mark.parametrize(
    ("spans", "kept", "dropped"),
    [
        ([INES, {**PORTO, "label": "CITY"}], [[INES]], {"'CITY' is not one of the labels": 1}),
        (
            [INES, {**PORTO, "end": 99}, PORTO],
            [[INES, PORTO]],
            {"a span is not within the text": 1},
        ),
        (
            [{**INES, "start": 3, "end": 3}, PORTO],
            [[PORTO]],
            {"a span is not within the text": 1},
        ),
        (["Ines", INES], [[INES]], {"an entity has start, end and label": 1}),
        ([INES, INES], [[INES]], {"it is suggested twice": 1}),
        ([{**PORTO, "label": "CITY"}], [], {"'CITY' is not one of the labels": 1}),
        ([], [[]], {}),
        (None, [], {}),
        ("Ines", [], {"entities are a list": 1}),
    ],
)
def test_the_good_spans_of_a_text_stay(monkeypatch, spans, kept, dropped):
    own, left_out = suggested(monkeypatch, "entities", "entities", spans)
    assert own == [kept]
    assert left_out == {f"entities: {reason}": count for reason, count in dropped.items()}


def test_reasons_are_counted_over_texts_and_labels_are_turned_first(monkeypatch):
    city = {**PORTO, "label": "GPE"}
    own, left_out = suggested(
        monkeypatch, "entities", "entities", [city, {**INES, "end": 50}], [{**INES, "end": 60}],
        labels={"GPE": "LOC"},
    )  # fmt: skip
    assert own == [[[PORTO]], []]
    assert left_out == {"entities: a span is not within the text": 2}


@pytest.mark.parametrize(
    ("form", "question", "value", "kept", "reason"),
    [
        ("sentiment", "sentiment", "angry", [], "'angry' is not one of the choices"),
        ("flags", "flags", ["spam", "boring"], [["spam"]], "'boring' is not one of the choices"),
        ("flags", "flags", ["boring"], [], "'boring' is not one of the choices"),
    ],
)
def test_values_of_other_kinds_are_counted_too(monkeypatch, form, question, value, kept, reason):
    own, left_out = suggested(monkeypatch, form, question, value)
    assert own == [kept]
    assert left_out == {f"{question}: {reason}": 1}


def test_a_span_keeps_the_field_that_the_model_names(monkeypatch):
    """Of two fields it may mean either; what names neither is left out."""
    form = parse_form(
        '<View><Text name="p" value="$prompt"/><Text name="a" value="$answer"/>'
        '<Labels name="names" toName="p,a"><Label value="P"/></Labels></View>',
        name="two",
    )
    bob = {"start": 6, "end": 9, "label": "P", "field": "answer"}
    ada = {"start": 0, "end": 3, "label": "P"}
    values = [[bob, ada, {**bob, "field": "title"}]]
    monkeypatch.setattr("curate.push.suggest._import_function", lambda *names: lambda texts: values)
    spec = SuggestSpec(question="names", by="own:model")
    view = View({"prompt": "Ada ?", "answer": "Well, Bob wrote it."})
    made = suggest(None, form, [spec], {"t": view})
    assert [own.value for own in made.by_task["t"]] == [[bob, {**ada, "field": "prompt"}]]
    assert made.dropped == {"names: names marks no field title": 1}


def test_a_push_tells_what_was_left_out(offline, monkeypatch, tmp_path):
    (tmp_path / "two_words.py").write_text(
        "def guess(texts):\n"
        "    return [[{'start': 0, 'end': 2, 'label': label} for label in ('PERSON', 'FRUIT')]"
        " for _ in texts]\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    offline.lines("texts.jsonl", ["Al ate.", "Bo ate."])
    offline.pool()
    offline.run("clean", rules=[], near_duplicates=None)
    offline.run("sample", n=2)
    own = [{"question": "entities", "by": "two_words:guess"}]
    made = offline.run("push", backend="folder", form="entities", suggest=own)
    assert (made.suggestions, made.dropped) == (
        2,
        {"entities: 'FRUIT' is not one of the labels": 2},
    )
    (warning,) = made.warnings
    assert warning.key == "push.left_out"
    assert "2 suggested values were left out: entities: 'FRUIT'" in warning.words
    assert all(len(task["suggestions"][0]["value"]) == 1 for task in offline.tasks)
