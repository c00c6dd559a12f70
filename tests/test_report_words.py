"""The page in two languages: every key has words in both, with the same figures."""

import ast
import re
import string
from pathlib import Path

import pytest

import curate.report
from curate import STAGES
from curate.report.lexicon import Lexicon
from curate.report.section import Key, as_written, say
from curate.report.words.columns import COLUMNS
from curate.report.words.sentences import SENTENCES
from curate.report.words.values import VALUES
from curate.report.words.warnings import WARNINGS
from curate.warning import warn

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
    own = warn("agree.one_annotator", "one person alone answered {questions}: …", questions=["q"])
    assert ENGLISH.warning(own) == "one person alone answered q: …"
    assert CHINESE.warning(own) == "只有一个人回答了 q：无法知道标签有多可靠"
    older = warn("agree.one_annotator", "one person answered {who}", who="q")
    assert CHINESE.warning(older) == "one person answered q"
    unknown = warn("mix.no_such_warning", "words of {its} own", its="their")
    assert CHINESE.warning(unknown) == "words of their own"


def test_warnings_in_chinese_are_of_stages():
    assert {key.split(".")[0] for key in WARNINGS} <= {*STAGES}
