"""Rule sets and languages for each source: a pool of prose, code and Chinese."""

import itertools
import json

import pyarrow as pa
import pytest

from curate.clean import measuring
from curate.clean.deciding import decide
from curate.clean.edits import Batch
from curate.clean.explaining import explain, what_if
from curate.clean.measuring import rule_signals
from curate.clean.rules import c4
from curate.clean.rules.registry import named, rows_by_rules
from curate.clean.spec import CleanSpec
from curate.errors import RecipeError
from curate.spec import validated
from curate.text import content_id
from tests.command import command

PROSE = " ".join(
    f"We walked the {n} miles to the old mill, and that was a long way with the rain."
    for n in "abcde"
)
PAGE = f"Home | About | Contact\n{PROSE}\nRead more"
CODE = "\n".join(f"def get_{n}(self):\n    return self._{n} + {{}}[{n!r}]\n" for n in "abcdefgh")
CHINESE = (
    "我们昨天去了山那边的老磨坊。路很远，天上还下着大雨，走到那里已经是中午了。"
    "磨坊的主人给我们端来热茶，又讲起从前的事情：河水涨得最高的那一年，桥都被冲走了。"
    "后来大家围着火炉吃晚饭，有鱼，有豆腐，还有自己种的青菜。孩子们听着故事睡着了，我们很晚才回家。"
)

SETS = {"web": ["gopher_quality", "c4"], "code": ["code"], "zh": ["cjk"]}


@pytest.fixture
def mixed(offline):
    """Make a pool of the sources web, code, zh and misc."""
    texts = {"web": [PAGE, "Short."], "code": [CODE], "zh": [CHINESE], "misc": ["x", PAGE]}
    for name, each in texts.items():
        offline.lines(f"{name}.jsonl", each)
    sources = [{"name": name, "paths": [f"data/{name}.jsonl"]} for name in texts]
    offline.run("pool", sources=sources, tokenizer="bytes")
    return offline


def rows(offline):
    found = {row["id"]: row for row in offline.rows("clean")}
    return [found[content_id({"text": text})] for text in (PAGE, "Short.", CODE, CHINESE, "x")]


def test_one_list_for_all_drops_the_code(mixed):
    mixed.run("clean", rules=["gopher_quality", "c4"])
    page, _, code, chinese, _ = rows(mixed)
    assert page["kept"]
    assert code["reason"].startswith("gopher_quality:")
    assert chinese["kept"]


def test_each_source_has_its_own_sets(mixed):
    made = mixed.run("clean", rules=SETS)
    page, *_ = found = rows(mixed)
    reasons = [None, "gopher_quality:words", None, None, None]
    assert [row["reason"] for row in found] == reasons
    assert made.reasons == {"gopher_quality:words": 1}
    assert (made.documents, made.kept) == (5, 4)
    for row, own in zip(found, ("web", "web", "code", "zh", None), strict=True):
        measured = {name.split(":")[0] for name in row if ":" in name and row[name] is not None}
        assert measured == {*SETS.get(own, ())}
    assert {name.split(":")[0] for name in page if ":" in name} == {*named(SETS)}


def test_only_the_named_source_is_edited(mixed):
    made = mixed.run("clean", rules=SETS)
    page, _, code, chinese, other = rows(mixed)
    assert page["edits"]  # it stands in misc too, and is of the source that owns it
    assert page["tokens"] < len(PAGE)
    assert not any(row["edits"] for row in (code, chinese, other))
    assert code["tokens"] == len(CODE)
    kept = len(CODE.encode()) + len(CHINESE.encode()) + 1
    assert made.tokens == page["tokens"] + kept
    mixed.run("clean", rules={"code": ["c4"]})
    page, _, code, *_ = rows(mixed)
    assert code["edits"]
    assert not page["edits"]


def test_a_star_is_every_other_source(mixed):
    mixed.run("clean", rules={"*": ["length"], "code": ["code"], "zh": []})
    _, short, code, chinese, other = rows(mixed)
    assert short["reason"] == other["reason"] == "length:words"
    assert code["length:words"] is chinese["length:words"] is None
    assert code["code:lines"] > 0
    assert short["code:lines"] is None
    mixed.run("clean", rules=[], languages={"web": ["en"], "*": ["zh"]})
    assert [row["reason"] for row in rows(mixed)[:4]] == [None, "language", "language", None]


def test_a_mapping_that_names_all_sources_alike_is_the_list(mixed):
    mixed.run("clean", rules=["c4", "length"])
    listed = rows(mixed)
    mixed.run("clean", rules={"*": ["c4", "length"]})
    assert repr(rows(mixed)) == repr(listed)  # NaN is not itself


@pytest.mark.parametrize("turned", [False, True])
def test_the_order_is_that_of_the_source(mixed, turned):
    one, other = ["length", "gopher_quality"], ["gopher_quality", "length"]
    chosen = {"web": one, "misc": other}
    mixed.run("clean", rules=dict(reversed(chosen.items())) if turned else chosen)
    _, short, _, _, x = rows(mixed)
    assert (short["reason"], x["reason"]) == ("length:words", "gopher_quality:words")


def test_each_row_stands_under_one_list_of_sets():
    given = {"a": ("c4",), "b": (), "*": ("length",)}
    sources = ["a", "z", "b", "a", "y"]
    found = rows_by_rules(given, sources)
    assert found == {("c4",): [0, 3], ("length",): [1, 4], (): [2]}
    assert sorted(itertools.chain(*found.values())) == [*range(5)]
    assert rows_by_rules({"a": ("c4",)}, sources) == {("c4",): [0, 3], (): [1, 2, 4]}
    assert rows_by_rules(("c4",), sources) == {("c4",): [*range(5)]}
    assert named({"a": ("c4", "lines"), "b": ("lines", "code")}) == ("c4", "lines", "code")


def test_sources_may_stand_together_in_a_shard(monkeypatch):
    monkeypatch.setattr(measuring, "AT_ONCE", 2)
    sources = ["web", "code", "zh", "misc"] * 3
    texts = [PAGE, CODE, CHINESE, "x"] * 3
    prepared = {"gopher_quality": None, "c4": c4.Prepared(), "code": None, "cjk": None}
    languages = pa.array(["en", None, "zh", None] * 3, pa.string())
    batch = Batch(pa.table({"text": texts, "source": sources, "language": languages}))
    chosen = {source: tuple(names) for source, names in SETS.items()}
    found = pa.table({"source": sources, **rule_signals(batch, prepared, chosen)})
    for name, own in (("c4:sentences", "web"), ("code:lines", "code"), ("cjk:chars", "zh")):
        assert [value is not None for value in found[name].to_pylist()] == [
            source == own for source in sources
        ]
    assert [bool(edits) for edits in batch.edits] == [source == "web" for source in sources]
    limits = {"code:lines": (None, 3), "c4:sentences": (99, None)}
    reasons = decide(found, rules=chosen, limits=limits, instruments=())
    assert reasons.to_pylist() == ["c4:sentences", "code:lines", None, None] * 3


def test_a_source_that_is_not_there_is_told(mixed):
    with pytest.raises(RecipeError, match=r"clean\.rules: no source wbe") as caught:
        mixed.run("clean", rules={"wbe": ["c4"], "*": []})
    assert "web, code, zh, misc" in caught.value.hint


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"web": ["lenth"]}, "rules: no set lenth; there are length, lines, "),
        ({"web": ["c4", "length", "c4"]}, "rules: the set c4 appears 2 times"),
        ({"web": None}, "rules: it is a list of sets, or source → list"),
        ({"web": {"code": ["c4"]}}, "rules: it is a list of sets, or source → list"),
        ([{}], "rules: no set {}"),
        (3, "rules: it is a list of sets, or source → list"),
    ],
)
def test_what_is_no_list_of_sets_is_told_in_a_line(given, message):
    with pytest.raises(RecipeError, match=message) as caught:
        validated(CleanSpec, {"rules": given}, where="recipe.yaml")
    assert str(caught.value).count("recipe.yaml") == 1


def test_settings_come_back_as_they_were_written():
    for given in (("c4", "length"), {"web": ("c4",), "*": ()}):
        spec = CleanSpec.model_validate({"rules": given})
        assert spec.rules == given
        assert CleanSpec.model_validate(json.loads(json.dumps(spec.settings()))) == spec
    assert CleanSpec.model_validate({"rules": {"web": "c4"}}).rules == {"web": ("c4",)}


def test_limits_hold_where_the_set_does(mixed):
    short = {"code:lines": {"max": 3}}
    made = mixed.run("clean", rules=SETS, limits=short)
    assert made.reasons == {"gopher_quality:words": 1, "code:lines": 1}
    assert mixed.run("clean", rules=SETS).measured == 0
    with pytest.raises(RecipeError, match="no signal length:words in the chosen rules"):
        mixed.run("clean", rules=SETS, limits={"length:words": {"min": 1}})


def test_another_mapping_measures_again(mixed):
    assert mixed.run("clean", rules=SETS).measured == 5
    assert mixed.run("clean", rules={**SETS, "misc": ["length"]}).measured == 5
    assert mixed.run("clean", rules={**SETS, "misc": ["length"]}, languages=None).measured == 0


def test_examples_and_other_limits_pass_over_what_was_not_measured(mixed):
    mixed.run("clean", rules=SETS)
    found = explain(mixed.workspace, "gopher_quality:words")
    assert {each.source for each in found} == {"web"}
    outcomes = what_if(mixed.workspace, ["gopher_quality:words.min=1000", "code:lines.min"])
    kept = {(each.limits, each.source): each.kept for each in outcomes}
    strict = "gopher_quality:words.min=1000"
    sources = ("web", "code", "zh", "misc")
    assert [kept["as it is", each] for each in sources] == [1, 1, 1, 1]
    assert [kept[strict, each] for each in sources] == [0, 1, 1, 1]
    assert any(limits.startswith("code:lines.min=") for limits, _ in kept)


def test_a_row_that_failed_its_own_rules_evicts_nobody(offline):
    twin = f"{PAGE} It was late."
    for name, text in (("web", PAGE), ("misc", twin)):
        offline.lines(f"{name}.jsonl", [text])
    sources = [{"name": name, "paths": [f"data/{name}.jsonl"]} for name in ("web", "misc")]
    offline.run("pool", sources=sources, tokenizer="bytes")
    chars = {"length:chars": {"min": len(PAGE) + 100}}
    offline.run("clean", rules={"web": ["length"]}, limits=chars, near_duplicates=0.5)
    assert [row["reason"] for row in offline.rows("clean")] == ["length:chars", None]
    offline.run("clean", rules={"misc": ["length"]}, limits=chars, near_duplicates=0.5)
    assert [row["reason"] for row in offline.rows("clean")] == [None, "length:chars"]
    offline.run("clean", rules={}, near_duplicates=0.5)
    assert [row["reason"] for row in offline.rows("clean")] == [None, "near_duplicate"]


def test_a_recipe_of_it_is_checked_and_run(offline, monkeypatch, capsys):
    run = command(monkeypatch, capsys)
    offline.lines("a.jsonl", ["Short."])
    path = offline.root / "recipe.yaml"
    text = (
        "pool: {sources: [{name: a, paths: [data/a.jsonl]}], tokenizer: bytes}\n"
        "clean: {rules: {a: [code], '*': [gopher_quality]}}\n"
    )
    path.write_text(text)
    code, _, err = run("recipe", "check", path)
    assert code == 0, err
    assert run("pool", "-w", offline.root)[0] == run("clean", "-w", offline.root)[0] == 0
    assert run("report", "-w", offline.root)[0] == 0
    path.write_text(text.replace("[code]", "[cod]"))
    code, _, err = run("recipe", "check", path)
    assert code == 2
    assert "no set cod; there are" in err
