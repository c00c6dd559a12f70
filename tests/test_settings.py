"""Settings: what has no effect is refused by name, and a bad value costs one line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from curate import yamls
from curate.errors import RecipeError
from curate.names import near, suggestion
from curate.run.files import adopt, load
from curate.run.recipe import Recipe
from curate.spec import Spec, UsedIf, refuse_unused, validated
from curate.workspace import Workspace

SOURCE = {"paths": ["data/*.txt"]}

UNUSED = {
    "score.windows.bound": {"score": {"windows": {"by": "minimum", "bound": 0.3}}},
    "pool.seed": {"pool": {"seed": 3}},
    "pool.sources.0.format": {
        "pool": {"sources": [{"dataset": {"name": "some/set"}, "format": "csv"}]}
    },
    "pool.sources.0.encoding": {
        "pool": {"sources": [{**SOURCE, "format": "parquet", "encoding": "cp1251"}]}
    },
    "pool.sources.0.undecodable": {
        "pool": {"sources": [{"dataset": {"name": "some/set"}, "undecodable": "replace"}]}
    },
    "pool.sources.0.text": {
        "pool": {"sources": [{**SOURCE, "fields": ["ask", "say"], "text": "body"}]}
    },
    "pool.sources.1.captions": {
        "pool": {"sources": [SOURCE, {**SOURCE, "format": "jsonl", "captions": [".txt"]}]}
    },
    "pool.sources.0.interleaved": {
        "pool": {"sources": [{**SOURCE, "format": "audio", "interleaved": {"parts": "all"}}]}
    },
    "pool.sources.0.chat": {"pool": {"sources": [{**SOURCE, "format": "image", "chat": {}}]}},
    "pool.sources.0.interleaved.place": {
        "pool": {"sources": [{**SOURCE, "interleaved": {"parts": "all", "place": "before"}}]}
    },
    "export.marks": {
        "mix": {},
        "export": {"format": "webdataset", "messages": True, "marks": True},
    },
    "mix.tokenizer": {"mix": {"budget": "10 items", "tokenizer": "bytes"}},
    "mix.extra_tokens": {"mix": {"budget": "1 h", "extra_tokens": 1}},
    "pool.sources.0.delimiter": {
        "pool": {"sources": [{**SOURCE, "format": "parquet", "delimiter": ";"}]}
    },
    "pool.sources.0.pages": {
        "pool": {"sources": [{"dataset": {"name": "some/set"}, "pages": "joined"}]}
    },
    "pool.sources.0.extract": {
        "pool": {"sources": [{**SOURCE, "format": "image", "extract": "html"}]}
    },
    "pool.sources.0.media": {
        "pool": {"sources": [{**SOURCE, "format": "image", "media": ["photo"]}]}
    },
    "clean.lines": {"clean": {"rules": ["length"], "lines": {"keep": 0.7}}},
    "clean.c4": {"clean": {"rules": {"*": ["lines"]}, "c4": {"bad_words": "words.txt"}}},
    "clean.language_confidence": {"clean": {"language_confidence": 0.9}},
    "clean.near_duplicates.date": {
        "clean": {"near_duplicates": {"similarity": 0.7, "keep": "longest", "date": "day"}}
    },
    "clean.image": {"clean": {"rules": ["length"], "image": {"formats": ["png"]}}},
    "clean.clip": {"clean": {"clip": {"model": "models/clip"}}},
    "clean.near_media.date": {"clean": {"near_media": {"similarity": 0.95, "date": "day"}}},
    "clean.semantic.date": {"clean": {"semantic": {"similarity": 0.9, "date": "day"}}},
    "clean.passages.date": {"clean": {"passages": {"tokens": 50, "date": "day"}}},
    "clean.passages.least": {"clean": {"passages": {"action": "flag", "least": 5}}},
    "clean.relevance.encoder": {
        "clean": {"relevance": {"target": [{"path": "a.txt"}], "encoder": "minilm"}}
    },
    "sample.strategy": {"sample": {"relabel": "label=odd", "strategy": "stratified"}},
    "sample.of": {"sample": {"strategy": "random", "of": "sentiment"}},
    "sample.random_share": {"sample": {"strategy": "stratified", "random_share": 0.5}},
    "sample.by": {"sample": {"relabel": "label=odd", "by": ["license"]}},
    "sample.allocation": {"sample": {"strategy": "random", "allocation": "equal"}},
    "sample.purpose": {"sample": {"relabel": "label=odd", "purpose": "pilot"}},
    "sample.compare": {"sample": {"relabel": "label=odd", "compare": True}},
    "sample.window": {"sample": {"relabel": "label=odd", "window": 40}},
    "pull": {"pull": {"enough": 0.5}},
    "agree.seed": {"agree": {"bootstrap": 0, "seed": 9}},
    "mix.between.alpha": {"mix": {"between": {"strategy": "uniform", "alpha": 0.5}}},
    "mix.between.beta": {"mix": {"between": {"strategy": "temperature", "beta": 1.0}}},
    "mix.between.shares": {
        "mix": {"between": {"strategy": "quality", "shares": {"source": {"a": 1}}}}
    },
    "mix.within.temperature": {"mix": {"within": {"strategy": "top_k", "temperature": 0.5}}},
    "mix.between.shares_of": {"mix": {"between": {"shares_of": "truth"}}},
    "mix.between.weights": {
        "mix": {"between": {"strategy": "uniform", "weights": {"file": "w.json"}}}
    },
    "mix.within.at_least": {"mix": {"within": {"at_least": 0.7}}},
    "mix.within.columns": {"mix": {"within": {"columns": {"quality": 2.0}}}},
    "mix.within.steepness": {"mix": {"within": {"steepness": 9.0}}},
    "mix.within.cut": {"mix": {"within": {"cut": 0.3}}},
    "mix.within.power": {"mix": {"within": {"power": 2.0}}},
    "mix.within.floor": {"mix": {"within": {"floor": 0.1}}},
    "mix.budget": {"mix": {"phases": [{"name": "a", "budget": "1M"}], "budget": "2M"}},
    "mix.clusters": {"mix": {"clusters": 9}},
    "mix.consumed": {"mix": {"consumed": "seen.txt"}},
    "mix.seed": {"mix": {"within": {"strategy": "top_k"}, "seed": 4}},
    "export": {"export": {"format": "parquet"}},
    "export.shard_documents": {"mix": {}, "export": {"shards": 8, "shard_documents": 9}},
    "export.shard_tokens": {"mix": {}, "export": {"shards": 8, "shard_tokens": "1M"}},
    "export.end_of_text": {"mix": {}, "export": {"end_of_text": 3}},
    "export.messages": {"mix": {}, "export": {"format": "tokens", "messages": True}},
    "export.meta": {"mix": {}, "export": {"format": "tokens", "meta": ["url"]}},
    "export.original": {"mix": {}, "export": {"format": "parquet", "original": True}},
    "evaluate": {"mix": {}, "evaluate": {"seeds": 7}},
    **{
        f"evaluate.{name}": {
            "pool": {"holdout": 0.1},
            "mix": {},
            "evaluate": {"proxy": "ngram", name: value},
        }
        for name, value in (("transformer", {"steps": 9}), ("device", "cpu"))
    },
    **{
        f"evaluate.transformer.{name}": {
            "pool": {"holdout": 0.1},
            "mix": {},
            "evaluate": {"transformer": {name: value, **beside}},
        }
        for name, value, beside in (
            ("size", "small", {"start_from": "model"}),
            ("tokens", "bpe", {"start_from": "model"}),
            ("vocabulary", 900, {}),
            ("steps", 9, {"epochs": 2}),
            ("momentum", 0.5, {}),
        )
    },
}
"""A setting, and a recipe in which it would have no effect."""


def recipe(folder: Path, settings: Any) -> Path:
    path = folder / "own.yaml"
    text = settings if isinstance(settings, str) else yaml.safe_dump(settings, allow_unicode=True)
    path.write_text(text, encoding="utf-8")
    return path


def nested(annotation: Any) -> Iterator[type[Spec]]:
    """Yield every Spec that a type holds."""
    if isinstance(annotation, type) and issubclass(annotation, Spec):
        yield annotation
        for field in annotation.model_fields.values():
            yield from nested(field.annotation)
    for part in get_args(annotation):
        yield from nested(part)


SPECS = list(dict.fromkeys(nested(Recipe)))


def marked() -> set[tuple[type[Spec], str]]:
    return {
        (model, name)
        for model in SPECS
        for name, field in model.model_fields.items()
        if any(isinstance(mark, UsedIf) for mark in field.metadata)
    }


def at(path: str) -> tuple[type[Spec], str]:
    """The model and the name of the setting at a dotted path."""
    *parents, name = [step for step in path.split(".") if not step.isdigit()]
    model: Any = Recipe
    for parent in parents:
        model = next(nested(model.model_fields[parent].annotation))
    return model, name


@pytest.mark.parametrize("path", UNUSED)
def test_a_setting_without_effect_is_refused_by_name(path: str, tmp_path: Path) -> None:
    with pytest.raises(RecipeError) as caught:
        load(recipe(tmp_path, UNUSED[path]))
    assert f"own.yaml: {path} has no effect " in caught.value.message
    assert caught.value.hint
    kept = Recipe.model_validate(UNUSED[path])
    section, *_ = path.split(".")
    if path not in ("pull", "evaluate") and section != "export":  # sections are refused whole
        again = type(kept.section(section)).model_validate(kept.section(section).settings())
        assert not list(again.unused()), "what a table was made with can be a recipe again"


def test_every_mark_is_tried() -> None:
    assert marked() == {at(path) for path in UNUSED}


@pytest.mark.parametrize(
    ("settings", "path"),
    [
        ({"clean": {"rules": {"web": ["c4"]}, "c4": {"remove_lines": False}}}, "clean"),
        ({"clean": {"languages": {}, "language_confidence": 0.3}}, "clean"),
        ({"sample": {"strategy": "stratified", "allocation": "proportional"}}, "sample"),
        ({"pool": {"holdout": 0.1, "seed": 3}}, "pool"),
        ({"pool": {"share": 0.5, "seed": 3}}, "pool"),
        ({"mix": {"between": {"strategy": "quality", "alpha": 0.1, "beta": 3}}}, "mix"),
        ({"mix": {"between": {"shares": {"source": {"a": 1}}}}}, "mix"),
        ({"mix": {"between": {"strategy": "shares", "shares": {"source": {"a": 1}}}}}, "mix"),
        ({"mix": {}, "export": {"format": "parquet"}}, "export"),
        ({"mix": {}, "export": {"format": "tokens", "end_of_text": 0}}, "export"),
        ({"mix": {}, "export": {"format": "jsonl.zst", "original": True, "meta": ["a"]}}, "export"),
        ({"push": {"form": "topic"}, "pull": {"enough": 0.5}}, "pull"),
    ],
)
def test_a_setting_that_is_used_stays(settings: Any, path: str, tmp_path: Path) -> None:
    found = load(recipe(tmp_path, settings)).section(path)
    given_here = settings[path]
    kept = found.model_dump(mode="json", exclude_unset=True)
    assert {key: kept[key] for key in given_here}.keys() == given_here.keys()


def test_an_override_may_leave_the_recipes_settings_without_effect(tmp_path: Path) -> None:
    path = recipe(
        tmp_path,
        {"sample": {"strategy": "stratified", "allocation": "proportional", "window": 50}},
    )
    found = load(path, ["sample.relabel=label=odd"])
    assert found.sample.settings() == {"n": 200, "gold": None, "relabel": "label=odd", "seed": 0}
    with pytest.raises(RecipeError, match=r"--set: mix\.within\.temperature has no effect"):
        load(path, ["mix.within.temperature=2"])
    with pytest.raises(RecipeError, match=r"--set: mix\.within\.temperature has no effect"):
        load(path, ["mix.within={strategy: top_k, temperature: 2}"])


def test_the_recipes_encoder_reaches_every_stage_that_encodes(tmp_path: Path) -> None:
    found = load(
        recipe(
            tmp_path,
            "encoder: minilm\n"
            "clean:\n"
            "  semantic: 0.97\n"
            "  relevance: {target: [{path: a.txt}], method: embedding}\n",
        )
    )
    clean: Any = found.section("clean")
    assert (clean.semantic.similarity, clean.semantic.encoder) == (0.97, "minilm")
    assert clean.relevance.encoder == found.section("score").settings()["encoder"] == "minilm"
    own = load(recipe(tmp_path, "encoder: minilm\nclean: {semantic: {encoder: use-m3}}"))
    assert own.section("clean").settings()["semantic"]["encoder"] == "use-m3"
    assert own.section("clean").settings()["relevance"] is None
    with pytest.raises(RecipeError, match="chargram is fitted on what passes"):
        load(
            recipe(
                tmp_path,
                "encoder: chargram\n"
                "clean: {relevance: {target: [{path: a.txt}], method: embedding}}",
            )
        )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("sample: {n: 3}\nmix: {}\nsample: {n: 4}", "own.yaml, line 3: sample appears twice"),
        ("sample: {n: 3,\n  n: 4}", "own.yaml, line 2: n appears twice"),
        ("pool:\n  sources:\n  - {name: a, paths: [x], name: b}", "line 3: name appears twice"),
        ("sample: {n: 1234567890123456789012}", "line 1: 1.23e+21 is too large a number"),
        ("mix: {groups: [source, source]}", "source appears twice"),
        ("mix: {between: {strategy: shares}}", "needs `shares`"),
        ("mix: {between: {shares: {}}}", "mix.between.shares: it is empty"),
        ("mix: {limits: {a: {min: .6, max: .5}}}", "min is 0.6, above max, 0.5"),
        ("mix: {limits: {a: {min: .6}, b: {min: .5}}}", "sum to 1.1, more than 1"),
        ("mix: {budget: " + "9" * 30 + "T}", "more than any corpus holds"),
        ("sample: {seed: -1}", "sample.seed: input should be greater than or equal to 0"),
        ("sample: {n: true}", "sample.n: it should be a number, not true"),
        ("mix: {between: {shares: {source: {a: true}}}}", "it should be a number, not true"),
        ("clean: {semantic: true}", "clean.semantic: it should be a number, not true"),
        ("push: {overlap: three}", "push.overlap: it should be a whole number, or input should"),
        ("clean: {privacy: maks}", "own.yaml: clean.privacy: input should be 'flag', 'mask' or"),
        ("pool: {sources: {paths: [a]}}", "pool.sources: it should be a list, as in [a, b]"),
        ("pool: [a]", "pool: it should be a mapping, as in {key: value}"),
        ("clean: {relevance: {}}", "clean.relevance.target: it is missing"),
        (
            "sample: {relabel: lable=x}",
            "doubtful, disputed, label=…, guideline=… or annotator=… (did you mean label=?",
        ),
        ("sample: {by: [sauce]}", "own.yaml: sample.by.0: input should be 'source', 'language'"),
        ("[a]", "own.yaml: a recipe is a mapping of sections"),
        ("encoder: ''", "own.yaml: encoder: it is empty"),
        ("score: {encoder: ''}", "score.encoder: it is empty"),
        (
            "evaluate: {seeds: 3}\npool: {holdout: .1}",
            "evaluate has no effect without a section `mix`: it compares mixtures",
        ),
        (
            "evaluate: {seeds: 3}\nmix: {groups: [source]}",
            "evaluate has no effect without held-out text to compare mixtures on, such as",
        ),
        ("mix: {}\nexport: {format: tokens, end_of_text: -1}", "token is from 0 to 4,294,967,295"),
        ("mix: {}\nexport: {meta: [url, url]}", "export.meta: a name appears twice"),
        ("mix: 2026-02-31", "not YAML: day"),
        ("mix:\n\tseed: 3", "own.yaml, line 2: not YAML: "),
        ("mix: " + "[" * 2000, "nested too deeply"),
    ],
)
def test_what_cannot_be_meant_costs_a_line(text: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(RecipeError) as caught:
        load(recipe(tmp_path, text))
    assert words in caught.value.message
    assert "\n" not in caught.value.message


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("clean.c4.bad_words=w.txt", "--set: clean.c4 has no effect without the set c4"),
        ("clean={c4: {bad_words: w.txt}}", "--set: clean.c4 has no effect"),
        ("mix.between.alpha=.3", "--set: mix.between.alpha has no effect"),
        ("=3", "--set =3: write section.key=value"),
        ("sample..n=3", "--set sample..n=3: write section.key=value"),
        ("smaple.n=3", "--set: smaple: unknown key"),
        ("sample.n=-1", "--set: sample.n: input should be greater"),
    ],
)
def test_what_the_command_line_sets_is_told_as_such(
    override: str, words: str, tmp_path: Path
) -> None:
    with pytest.raises(RecipeError) as caught:
        load(recipe(tmp_path, "mix: {}\nsample: {}\n"), [override])
    assert caught.value.message.startswith(words)


@pytest.mark.parametrize("encoding", ["utf-16", "latin-1", "gb18030"])
def test_a_recipe_in_another_encoding_is_told(encoding: str, tmp_path: Path) -> None:
    path = tmp_path / "own.yaml"
    path.write_bytes("report: {title: é}\n".encode(encoding))
    with pytest.raises(RecipeError, match=r"own\.yaml is not in UTF-8") as caught:
        adopt(Workspace(tmp_path / "run"), path)
    assert caught.value.hint == "save it as UTF-8"
    path.write_bytes("report: {title: é}\n".encode("utf-8-sig"))
    adopt(Workspace(tmp_path / "run"), path)
    assert load(tmp_path / "run" / "recipe.yaml").report.title == "é"


def test_what_is_evaluated_can_be_set_beside_a_mixture_and_a_holdout(tmp_path: Path) -> None:
    both = "mix: {}\npool: {holdout: .1}\n"
    assert load(recipe(tmp_path, both + "evaluate: {seeds: 7}")).evaluate.seeds == 7
    assert load(recipe(tmp_path, "evaluate:\n")).evaluate.seeds == 5, "nothing is set"


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("mix:\n\tseed: 3", "indent by spaces"),
        ("mix: {seed: 3, seed: 3}", "leave one of them out"),
        ("mix: {seed: 123456789012345678901234567890}", "numbers end below 2 to the 63rd"),
        ("smaple: {n: 3}", "did you mean sample?"),
        ("mix: {betwen: {}}", "did you mean between?"),
        ("mix: {between: {shars: {}}}", "did you mean shares?"),
        ("pool: {sources: [{path: [a]}]}", "did you mean paths?"),
        ("pool: {sources: [{paths: [a], licence: MIT}]}", "did you mean license?"),
        ("push: {suggest: [{question: a, by: b, label: {}}]}", "did you mean labels?"),
        ("clean: {limits: {length:words: {mni: 3}}}", "did you mean min?"),
        ("mix: {between: {strategy: unifrom}}", "did you mean uniform?"),
        ("push: {backend: argila}", "did you mean argilla?"),
    ],
)
def test_a_misspelt_key_or_word_is_told(text: str, hint: str, tmp_path: Path) -> None:
    with pytest.raises(RecipeError) as caught:
        load(recipe(tmp_path, text))
    assert caught.value.hint.startswith(hint)


def test_what_was_meant() -> None:
    assert near("Postive", ["negative", "positive"]) == "positive"
    assert near("zebra", ["negative", "positive"]) is None
    assert suggestion("zebra", []) == "there are none"
    assert suggestion("zebra", ["cat", "dog"]) == "there are: cat, dog"
    assert suggestion("dgo", ["cat", "dog"]) == "did you mean dog? There are: cat, dog"
    assert suggestion("zebra", [f"n{n}" for n in range(25)]).endswith("n19 and 5 more")


def test_yaml_merges_and_repeats_across_items_are_no_repeats() -> None:
    text = "a: &base {x: 1}\nb: {<<: *base, x: 2}\nc: [{x: 1}, {x: 2}]"
    assert yamls.parse(text, "own")["b"] == {"x": 2}


# ── bad values


FIELDS = [(model, name) for model in SPECS for name in model.model_fields]

VALUES = st.one_of(
    st.sampled_from([-1, 0, 1, 10**12, (1 << 63) - 1, -(1 << 62), 0.5, -0.5, 1e300, 5e-324]),
    st.sampled_from([float("nan"), float("inf"), "", " ", "\x00", "ä/b", "a\nb", "{", "{}", "%"]),
    st.sampled_from([True, False, None, [], {}, [[]], [None], {"": {}}, {1: 2}, {"*": {}}, [-1]]),
    st.recursive(
        st.none() | st.booleans() | st.integers(-(1 << 62), 1 << 62) | st.floats() | st.text(),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.text() | st.integers(), inner, max_size=3)
        ),
        max_leaves=6,
    ),
)


REQUIRED = {
    "SourceSpec": {"paths": ["data/*"], "fields": ["ask"]},
    "Database": {"address": "sqlite:///a.db", "query": "select 1"},
    "Hub": {"name": "some/set"},
    "Column": {"field": "kind"},
    "EvaluationSet": {"name": "exam", "path": "exam.jsonl"},
    "ContaminationSpec": {"sets": [{"name": "exam", "path": "exam.jsonl"}]},
    "TargetText": {"path": "wanted.txt"},
    "RelevanceSpec": {"target": [{"path": "wanted.txt"}]},
    "SuggestSpec": {"question": "topic", "by": "scores"},
}


@pytest.mark.parametrize(("model", "name"), FIELDS, ids=[f"{m.__name__}.{n}" for m, n in FIELDS])
@given(value=VALUES)
def test_a_bad_value_costs_a_line(model: type[Spec], name: str, value: Any) -> None:
    try:
        spec = validated(model, {**REQUIRED.get(model.__name__, {}), name: value}, where="own.yaml")
        refuse_unused(spec, where="own.yaml")
    except RecipeError as error:
        complaint = error.message
    else:
        complaint = "own.yaml: "
        if model is not Recipe:  # two of its sections are refused where others are missing
            again = validated(model, spec.settings(), where="own.yaml")
            assert again.settings() == spec.settings()
    assert complaint.startswith("own.yaml: ")
