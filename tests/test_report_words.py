"""The page in two languages: every key has words in both, with the same figures."""

import ast
import re
import string
from pathlib import Path

import pytest

import curate.report
from curate import STAGES
from curate.metrics.entities import SCHEMES
from curate.metrics.measures import CLASSES, RATINGS
from curate.report.lexicon import Lexicon
from curate.report.section import Key, as_written, say
from curate.report.sections.judged import notes_of
from curate.report.sections.measures import named
from curate.report.words.columns import COLUMNS
from curate.report.words.sentences import SENTENCES
from curate.report.words.values import VALUES
from curate.report.words.warnings import WARNINGS
from curate.warning import note, warn

ENGLISH, CHINESE = Lexicon("en"), Lexicon("zh")
ROOT = Path(curate.report.__file__).parent
CODE = "\n".join(
    path.read_text(encoding="utf-8") for path in (*ROOT.rglob("*.py"), ROOT / "page.html.j2")
)


def figures(words):
    return sorted({name for _, name, _, _ in string.Formatter().parse(words) if name})


@pytest.mark.parametrize("key", SENTENCES)
def test_both_languages_say_the_same_figures(key):
    english, chinese = SENTENCES[key]
    if key == "bias.one":  # `evaluate` has English words alone
        assert english == "{words}"
        return
    assert figures(english) == figures(chinese)
    assert english.count("`") == chinese.count("`")
    assert english.count("`") % 2 == 0


def test_every_key_that_is_said_has_words_and_every_word_is_said():
    said = set(re.findall(r'"([a-z_]+\.[a-z_]+)"', CODE))
    made = {f"{name}.heading" for name in re.findall(r'section\(\s*"([a-z_]+)"', CODE)}
    made |= {f"verdict.{mood}" for mood in ("good", "bad", "unsure")}
    made |= {
        f"chapter.{name}" for name in ("corpus", "people", "model", "mixture", "proof", "origin")
    }
    made |= {f"what_if.{name}" for name in ("alpha", "beta", "temperature", "cap")}
    made |= {"measures.spans", "measures.labels", "as_written"}
    assert made <= set(SENTENCES)
    assert set(SENTENCES) <= said | made


def columns():
    """The keys of the rows that sections make, as their sources spell them."""
    for path in (ROOT / "sections").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Dict):
                yield from (key.value for key in node.keys if isinstance(key, ast.Constant))


NOT_SHOWN = {"name", "media", "sd", "low", "high", "median", "naive", "question", "score", "which"}
OF_LIVE = {
    *("budget", "has_temperature", "today", "temperature", "groups", "words", "none", "alpha"),
    *("impossible", "promised", "tokens", "uniform", "proportional", "beta", "kind", "names"),
    *("codes", "x", "y", "texts", "colours", "colour", "hint", "label", "powered", "hajek"),
    *("nothing",),
}


def test_every_column_has_a_heading_in_both_languages():
    assert sorted({*columns()} - {*COLUMNS} - NOT_SHOWN - OF_LIVE) == []
    for english, chinese in (*COLUMNS.values(), *VALUES.values()):
        assert english
        assert chinese


def test_notes_are_sentences():
    words = "every text of it has a near copy among the candidates"
    told = "Every text of it has a near copy among the candidates"
    of_file = note("evaluate.all_copies", words)
    of_score = note(
        "evaluate.judge_left_out",
        "`{judge}` is left out: {why}",
        judge="good",
        why="no held-out text has a quality",
        reason="evaluate.no_quality",
    )
    own = say("proxy.none", verdict="V", notes=[of_score, of_file])
    assert ENGLISH.say(own) == (f"V. `good` is left out: no held-out text has a quality. {told}.")
    assert CHINESE.say(own) == (
        "V。没有使用 `good`：没有留出文本有 `score` 的质量。其中每个文本在候选中都有近似的副本。"
    )
    assert ENGLISH.say(say("proxy.none", verdict="V", notes=[of_file])) == f"V. {told}."
    about = [say("judged.one", judge=name, texts=3, about="a, b") for name in ("x", "y")]
    said = ENGLISH.say(say("judged.words", about=about, notes=[]))
    assert said.startswith("`x`, 3 texts: a, b. `y`, 3 texts: a, b. A judge is")
    assert CHINESE.say(say("judged.words", about=about, notes=[])).startswith(
        "`x`，3 个文本：a, b。`y`，3 个文本：a, b。每个评判"
    )


def test_notes_of_an_older_version_are_sentences_too():
    (own,) = notes_of({"notes": ["no holdout"]})
    assert ENGLISH.say(say("proxy.none", verdict="V", notes=[own])) == "V. No holdout."


def test_an_amount_of_an_older_mixture_stands_in_its_own_words():
    own = warn("mix.short_amount", "{drawn} of {budget}", drawn="3 items", budget="9 items")
    assert CHINESE.warning(own) == "3 items of 9 items"


def test_figures_are_said_in_the_language_of_the_page():
    own = say("annotators.words", counted=[
        say("annotators.counted", count=1200, status=Key("submitted")),
        say("annotators.counted", count=3, status=Key("draft")),
    ])  # fmt: skip
    assert "1,200 submitted; 3 draft." in ENGLISH.say(own)
    assert "已提交 1,200；草稿 3。" in CHINESE.say(own)
    assert ENGLISH.shown(("a", Key("drawn"))) == "a, drawn"
    assert CHINESE.shown(("a", Key("drawn"))) == "a、抽到"
    assert CHINESE.say(as_written("{x} drawn")) == "{x} drawn"
    assert CHINESE.column("documents") == "文档"
    assert CHINESE.column("meta.own") == "meta.own"


@pytest.mark.parametrize(
    ("value", "english", "chinese"),
    [
        (None, "–", "–"),
        (True, "yes", "是"),
        (1234567, "1,234,567", "1,234,567"),
        (0.12345, "0.123", "0.123"),
        (float("nan"), "–", "–"),
        ("drawn", "drawn", "drawn"),
        (Key("drawn"), "drawn", "抽到"),
        (("minilm", Key("characters")), "minilm, characters", "minilm、字符"),
    ],
)
def test_cells(value, english, chinese):
    assert (ENGLISH.shown(value), CHINESE.shown(value)) == (english, chinese)


def test_a_warning_is_said_in_chinese_or_as_its_stage_said_it():
    own = warn("agree.one_annotator", "only one person answered {questions}: …", questions=["q"])
    assert ENGLISH.warning(own) == "only one person answered q: …"
    assert CHINESE.warning(own) == "只有一个人回答了 q：无法知道标签有多可靠"
    older = warn("agree.one_annotator", "one person answered {who}", who="q")
    assert CHINESE.warning(older) == "one person answered q"
    unknown = warn("mix.no_such_warning", "words of {its} own", its="their")
    assert CHINESE.warning(unknown) == "words of their own"


def test_a_sentence_begins_with_a_capital_but_for_names():
    own = warn("score.few_labels", "the model of {question} is …", question="taste", labels=10)
    assert ENGLISH.sentence(own) == "The model of taste is …."
    assert CHINESE.sentence(own) == "taste 只有 10 个标签。"
    assert ENGLISH.sentence(warn("a.b", "{source} is empty", source="web")) == "web is empty."


def sentences():
    """Yield (key, names of figures or None where they are not written out) of every warning."""
    for path in ROOT.parent.rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            name = getattr(node, "func", None)
            if getattr(name, "id", None) not in ("warn", "note") or len(node.args) < 2:
                continue
            names = {own.arg for own in node.keywords}
            for key in keys(node.args[0], tree):
                yield key, None if None in names else names


def keys(written, tree):
    """The keys of a warning: those of a name are all that the file has in a tuple's first place."""
    if isinstance(written, ast.Constant):
        return [written.value]
    if isinstance(written, ast.JoinedStr):
        kind = written.values[-1].value
        return [f"{stage}{kind}" for stage in ("export", "evaluate", "estimate", "mix")]
    firsts = [node.elts[0] for node in ast.walk(tree) if isinstance(node, ast.Tuple) and node.elts]
    told = [one.value for one in firsts if isinstance(one, ast.Constant)]
    return [one for one in told if re.fullmatch(r"[a-z]+[.][a-z_]+", str(one))]


SENTENCES_OF_STAGES = [*sentences()]


def test_every_sentence_of_a_stage_has_chinese_words():
    said = {key for key, _ in SENTENCES_OF_STAGES}
    assert {"clean.duplicates", "evaluate.of_good", "mix.left_out", "report.part"} <= said
    assert sorted(said - {*WARNINGS}) == []
    assert {key.split(".")[0] for key in WARNINGS} <= {*STAGES, "estimate"}


@pytest.mark.parametrize(("key", "names"), SENTENCES_OF_STAGES)
def test_chinese_words_use_figures_that_the_stage_gives(key, names):
    words = WARNINGS[key]
    if isinstance(words, str) and names is not None:
        assert {*figures(words)} <= names


OUTDATED = {"of": "scores", "source": "labels", "maker": "score"}
LOSS = {"source": "web", "lost": 95, "of": 100, "unit": "documents", "reason": "c4"}
BY_FUNCTION = {
    "mix.newer_answers": ({"answers": 3}, "标签确定之后又有 3 个回答；`curate agree` 会处理它们"),
    "mix.left_out": (
        {"table": "scores", **OUTDATED},
        "没有使用分数：`scores` 不是由现在的 `labels` 做成的（`curate score` 重做它，`curate run` "
        "重做一切过期的）",
    ),
    "export.left_out": (
        {"table": "scores"},
        "没有使用分数：配比是在没有它的情况下做的（`curate mix` 会使用）",
    ),
    "pull.failed": ({"message": "no server", "hint": ""}, "pull 失败：“no server”"),
    "clean.dropped": (
        {"most": 0.9, "losses": [LOSS]},
        "`clean` 去掉了超过 90% 的文档，因为规则：web（100 个文档中的 95 个，多因 c4）",
    ),
    "clean.duplicates": (
        {
            "most": 0.9,
            "losses": [{**LOSS, "unit": "tokens", "reason": ""}],
            "templates": [{"source": "web", "documents": 9, "text": "hello", "id": "ab"}],
        },
        "`clean` 去掉了超过 90% 的文档，因为近似重复：web（100 个词元中的 95 个）；"
        "web 有 9 个文档含有“hello”（`curate clean --explain ab`）",
    ),
    "clean.short_items": (
        {"least": 8, "counted": [{"set": "mmlu", "found": 2, "items": 10}]},
        "有的评测条目少于 8 个词，太短，不会被查找：mmlu（10 条中的 2 条）",
    ),
    "clean.alike_items": (
        {"counted": [{"set": "mmlu", "found": 2, "items": 10}]},
        "有的评测条目没有自己的词，不会被查找：mmlu（10 条中的 2 条）",
    ),
    "pull.gone": (
        {"round": 4, "texts": 1200, "again": "; `curate push` sends them again"},
        "有 1,200 个缺少回答的文本在服务器上不见了；用 `curate push` 重新发送",
    ),
    "pull.altered": (
        {"round": 4},
        "服务器上的表单被改过：符合本轮表单的回答会收回，其他的被拒，不再发送任何文本；"
        "`curate round close 4` 结束本轮",
    ),
    "pull.waits": (
        {"texts": 2, "people": ["ann", "bo"], "round": None},
        "有 2 个文本在等 ann、bo：他们的回答被拒，只有他们自己能在服务器上修改",
    ),
    "score.drift": (
        {"p_value": 0.001, "auc": 0.8, "sources": {"web": 0.1}},
        "有标签的文本与语料不像（p = 0.001；分类器区分两者的 AUC 为 0.80）：请多抽取 web",
    ),
    "mix.short_amount": (
        {"drawn": 4000, "budget": 5000, "unit": "items"},
        "预算 5,000 条，只抽取了 4,000 条",
    ),
    "mix.over_amount": (
        {"drawn": 70.5, "budget": 60.0, "unit": "seconds"},
        "预算 60.0 秒，抽取了 70.5 秒",
    ),
    "mix.unreachable": (
        {"limit": "web", "side": "max", "asked": 0.1, "reachable": 0.25},
        "以前的部分已经抽取的文档使 web 达不到上限 10.00%：最接近的是 25.00%",
    ),
    "evaluate.moved": (
        {"arm": "mixture", "group": "web", "has": 0.1, "wanted": 0.2},
        "对照 mixture 中 web 占 10.0%，而不是 20.0%：代理模型读的文本中没有更多",
    ),
    "evaluate.contaminated": (
        {"candidates": 5, "held_out": 2, "files": {"own.jsonl": 1}},
        "5 个候选、2 个留出文本、own.jsonl 中的 1 个文本近似相同："
        "代理模型既不读它们，也不用它们评判",
    ),
    "evaluate.epochs": (
        {"epochs": [{"source": "web", "target": 2.0, "proxy": None}]},
        "代理模型重复 web（2.00 轮，没有读到文本） 的次数与整个训练不同："
        "请提高 `evaluate.train_bytes`",
    ),
    "evaluate.judge_left_out": (
        {"judge": "good", "reason": "evaluate.no_quality"},
        "没有使用 `good`：没有留出文本有 `score` 的质量",
    ),
    "evaluate.of_good": (
        {"answered": 4, "follows_scores": True},
        "留出文本中按分数或按人的回答（其中 4 个）最好的五分之一；选择配比的是同一个分数，对它有利",
    ),
    "sample.outdated_scores": (
        OUTDATED,
        "本轮抽样所用的分数已过期：`scores` 不是由现在的 `labels` 做成的（`curate score` 重做它）",
    ),
    "export.differs": (
        {"changed": 3, "stage": "clean"},
        "内容与原来的导出不同：3 个文档读起来不一样；clean 是第一个不同的阶段",
    ),
    "export.missing": (
        {"documents": 2, "lines": 3, "counts": {"gone": 2}},
        "抽取中的 2 个文档没有了（gone 2），共 3 行：见 missing.csv",
    ),
}  # fmt: skip


@pytest.mark.parametrize("key", BY_FUNCTION)
def test_sentences_that_are_made_of_figures(key):
    given, chinese = BY_FUNCTION[key]
    assert CHINESE.warning(warn(key, "English", **given)) == chinese
    names = next((names for own, names in SENTENCES_OF_STAGES if own == key), None)
    assert names is None or {*given} - {"templates"} <= names


def test_a_sentence_for_every_function():
    kinds = {words for words in WARNINGS.values() if callable(words)}
    tested = {WARNINGS[key] for key in BY_FUNCTION}
    untested = {key for key, words in WARNINGS.items() if words in kinds - tested}
    assert untested == {
        *("clean.passages", "pull.unserved", "sample.stop"),
        *(f"{stage}.{how}" for stage in STAGES[:-1] for how in ("failed", "skipped")),
    } - {"pull.failed"}


@pytest.mark.parametrize("name", [*CLASSES, *RATINGS, *(f"{own} F1" for own in SCHEMES)])
def test_measures_have_chinese_names(name):
    assert name in VALUES


def test_a_list_that_is_long_ends_in_a_number():
    own = warn("score.constant", "{sources}", sources=[*"abcdefg"])
    assert CHINESE.warning(own).startswith("a、b、c、d、e 等，另有 2 个 内部")


def test_a_measure_of_a_label_names_it():
    assert ENGLISH.say(named("strict F1 of person")) == "strict F1 of person"
    assert CHINESE.say(named("strict F1 of person")) == "person 的 strict F1"
    assert CHINESE.shown(named("macro recall")) == "宏平均召回率"
