"""Recipes: closed, merged by clear rules, and walked in order."""

import pytest

from curate.errors import RecipeError
from curate.run.files import adopt, load, templates
from curate.run.recipe import Recipe, json_schema
from curate.run.stages import is_fresh, takes_part


def recipe(folder, text):
    path = folder / "own.yaml"
    path.write_text(text)
    return path


@pytest.mark.parametrize("name", templates())
def test_the_recipes_that_come_along_are_right(name):
    found = load(templates()[name])
    assert found.asks_people() == (name != "swarm")
    first = templates()[name].read_text(encoding="utf-8").splitlines()[0]
    assert first.startswith("# ")
    assert "?" in first


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("sampel: {}", "sampel: unknown key"),
        ("sample: {stratgy: random}", "sample.stratgy: unknown key"),
        ("sample: {n: many}", "sample.n"),
        ("[1, 2]", "a mapping of sections"),
        ("pool: [", "not YAML"),
        ("pool: {sources: [{paths: [a.jsonl], template: '{x}'}]}", "names x, which is not a field"),
        ("score: {quality: {}}", "give one of `values`, `clarity`"),
    ],
)
def test_what_is_wrong_is_named(tmp_path, text, words):
    with pytest.raises(RecipeError) as caught:
        load(recipe(tmp_path, text))
    assert words in caught.value.message
    assert "own.yaml" in caught.value.message
    assert caught.value.hint


def test_overrides_are_yaml(tmp_path):
    path = recipe(tmp_path, "sample: {n: 5}")
    found = load(path, ["sample.n=20", "push.overlap=all", "mix.within.strategy=top_k"])
    assert (found.sample.n, found.push.overlap, found.mix.within.strategy) == (20, "all", "top_k")
    with pytest.raises(RecipeError, match=r"section\.key=value"):
        load(path, ["sample.n"])


def test_one_encoder_for_all_unless_a_stage_names_its_own(tmp_path):
    shared = load(recipe(tmp_path, "encoder: use-m3"))
    assert shared.section("score").encoder == "use-m3"
    own = load(recipe(tmp_path, "encoder: use-m3\nscore: {encoder: chargram}"))
    assert own.section("score").encoder == "chargram"
    assert Recipe().section("score").encoder == "auto"


def test_the_schema_is_closed_and_described():
    schema = json_schema()
    assert schema["additionalProperties"] is False
    fields = schema["$defs"]["SampleSpec"]["properties"]
    assert all("description" in field for field in fields.values())


def test_what_takes_part(offline):
    here = offline.workspace
    plain = Recipe()
    assert takes_part(plain, here, "clean")
    assert not takes_part(plain, here, "push")
    assert not takes_part(plain, here, "mix")
    mixed = Recipe.model_validate({"mix": {"budget": "10%"}})
    assert takes_part(mixed, here, "export")


def test_adopting_a_recipe_says_what_changed(offline, tmp_path):
    first = recipe(tmp_path, "clean: {rules: [length]}\nsample: {n: 5}")
    assert adopt(offline.workspace, first) == ()
    second = tmp_path / "second.yaml"
    second.write_text("clean: {rules: [length, gopher_repetition]}\nsample: {n: 5}")
    assert adopt(offline.workspace, second) == ("clean.rules",)
    assert adopt(offline.workspace, second) == ()
    assert adopt(offline.workspace, offline.root / "recipe.yaml") == ()
    replaced = offline.workspace.ledger.last("recipe")["spec"]["replaced"]
    assert "[length]" in replaced


def test_fresh_and_stale(offline):
    offline.reviews()
    offline.pool()
    offline.run("clean")
    settings = offline.spec("clean")
    assert is_fresh(offline.workspace, "clean", settings)
    stricter = offline.spec("clean", limits={"length:words": {"min": 500}})
    assert not is_fresh(offline.workspace, "clean", stricter)
    offline.lines("films.jsonl", ["One more text, of several words."])
    pool = offline.spec("pool", sources=[{"paths": ["data/*.jsonl"]}], tokenizer="bytes")
    assert not is_fresh(offline.workspace, "pool", pool)
    assert is_fresh(offline.workspace, "clean", settings)  # until pool has run again
    offline.pool()
    assert not is_fresh(offline.workspace, "clean", settings)


def test_the_same_content_keeps_what_follows_fresh(offline):
    offline.reviews()
    offline.pool()
    offline.run("clean")
    offline.reviews()  # the same files, written again
    offline.pool()
    assert is_fresh(offline.workspace, "clean", offline.spec("clean"))
