"""Exact token counts."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curate import tokens
from curate.errors import RecipeError


@pytest.mark.parametrize(
    ("text", "count"),
    [("", 0), ("hello world", 2), ("Hello, world!", 4), ("<|endoftext|>", 7), ("a" * 1000, 125)],
)
def test_the_default_encoding(text, count):
    assert tokens.counter(tokens.DEFAULT)(text) == count


def test_encodings_differ():
    chinese = "我们需要更好的训练数据。" * 3
    assert tokens.counter("o200k_base")(chinese) < tokens.counter("cl100k_base")(chinese)


@given(st.text(max_size=60))
def test_bytes(text):
    assert tokens.counter("bytes")(text) == len(text.encode())


@given(st.text(max_size=60))
def test_no_token_is_less_than_a_byte(text):
    assert 0 <= tokens.counter(tokens.DEFAULT)(text) <= len(text.encode())


TEXTS = [
    *(
        "",
        " \n\t ",
        "It's 10 000 km² — naïve, ﬁne.\r\n\n",
        "def f(x):\n    return x ** 2  # ок\n" * 40,
    ),
    *(
        "我们需要更好的训练数据。" * 30,
        "안녕하세요 세계 🙂👩‍👩‍👧",
        "<|endoftext|><|fim_prefix|>",
        "\ud800 lone",
    ),
    *("a" * 3000, "e\u0301" * 99, "1234567890" * 50, "\x00\u200b\ufeff"),
]


@pytest.mark.parametrize("name", tokens.ENCODINGS)
def test_a_count_is_the_number_of_tokens(name):
    encode, count = tokens.encoding_of(name), tokens.counter(name)
    assert [count(text) for text in TEXTS] == [len(encode(text)) for text in TEXTS]


@given(st.text(max_size=60))
def test_a_count_is_the_number_of_tokens_of_any_text(text):
    encode = tokens.encoding_of(tokens.DEFAULT)
    assert tokens.counter(tokens.DEFAULT)(text) == len(encode(text))


@pytest.mark.parametrize("has_backend", [False, True])
def test_tokens_are_listed_only_where_they_cannot_be_counted(has_backend, monkeypatch):
    listed = []
    whole = tokens.encoding_of(tokens.DEFAULT)
    monkeypatch.setattr(tokens, "encoding_of", lambda name: lambda text: listed.append(0) or [1])
    if not has_backend:
        monkeypatch.setattr(tokens, "_counted", lambda name: None)
    own = tokens._from_encoding(tokens.DEFAULT)("good soup")
    assert (own, len(listed)) == ((len(whole("good soup")), 0) if has_backend else (1, 1))


def test_a_tokenizer_file(tmp_path):
    from tokenizers import Tokenizer, models, pre_tokenizers, processors

    vocabulary = {"[UNK]": 0, "[CLS]": 1, "good": 2, "soup": 3}
    model = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    model.pre_tokenizer = pre_tokenizers.Whitespace()
    model.post_processor = processors.TemplateProcessing(
        single="[CLS] $A", special_tokens=[("[CLS]", 1)]
    )
    model.save(str(tmp_path / "tokenizer.json"))
    count = tokens.counter(str(tmp_path / "tokenizer.json"))
    assert count("good soup soup strange") == 4  # no special token is added


@pytest.mark.parametrize(
    ("name", "words"),
    [("gpt-9000", "no encoding named gpt-9000"), ("absent/tokenizer.json", "no file")],
)
def test_a_wrong_name_is_told(name, words):
    with pytest.raises(RecipeError, match=words) as caught:
        tokens.counter(name)
    assert "tokenizer.json" in caught.value.hint


def test_a_file_that_is_no_tokenizer_is_told(tmp_path):
    path = tmp_path / "broken.json"
    path.write_text(json.dumps({"model": "none"}))
    with pytest.raises(RecipeError, match=r"is not a tokenizer\.json"):
        tokens.counter(str(path))


@settings(max_examples=40)
@given(st.text(st.sampled_from("ab1 .\n,数é'"), max_size=80), st.integers(1, 30))
def test_runs_are_the_text_and_are_long_only_where_nothing_breaks_it(text, most):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tokens, "MOST_CHARACTERS", most)
        parts = list(tokens.runs(text))
    assert "".join(parts) == text
    for part in parts:
        assert len(part) <= most or not tokens.BREAK.search(part, 1, most)


@pytest.mark.parametrize("name", ["o200k_base", "cl100k_base"])
def test_a_text_in_pieces_has_the_tokens_of_the_whole(name, monkeypatch):
    words = (
        "Soup",
        "and",
        "it's",
        "123456",
        "brød,",
        "(two)",
        "a.b",
        "茶 tea",
        "end.\n\nNew",
        "x  y",
    )
    rng = np.random.default_rng(1)
    text = " ".join(rng.choice(words, 4000))
    whole = tokens.encoding_of(name)(text)
    monkeypatch.setattr(tokens, "MOST_CHARACTERS", 1000)
    assert len(list(tokens.runs(text))) > 10
    assert tokens.encoding_of(name)(text) == whole


LONG = {
    "chinese": "今天的汤很好喝面包也很新鲜我们下次还会再来",
    "chinese with marks": "今天的汤很好喝，面包也很新鲜。我们下次还会再来！",
    "japanese": "今日のスープはとてもおいしかったですまた来ます",
    "digits": "3141592653589793238462643383279",
    "letters": "Donaudampfschifffahrtsgesellschaftskapitän",
    "base64": "aGVsbG8gd29ybGQ0NTY3ODkK/+xYz",
    "spaces": "   \t ",
    "rules": "-=-=-----",
    "smileys": "🙂🙃👩‍👩‍👧",
    "marks over letters": "e\u0301a\u0300o\u0302",
    "capitals": "SOUPbreadTEA",
}


@pytest.mark.parametrize("kind", LONG)
@pytest.mark.parametrize("name", ["o200k_base", "cl100k_base"])
def test_a_run_without_a_break_has_the_tokens_of_the_whole(name, kind, monkeypatch):
    rng = np.random.default_rng(2)
    letters = list(LONG[kind])
    text = LONG[kind] * 60 + "".join(rng.choice(letters, 3000)) + LONG[kind] * 60
    encode = tokens.encoding_of(name)
    whole = encode(text)
    monkeypatch.setattr(tokens, "MOST_CHARACTERS", 500)
    assert encode(text) == whole


@pytest.mark.parametrize("text", ["Soup is good. ", "a", "茶"])
def test_a_text_of_a_million_characters_and_more_is_counted(text):
    count = tokens.counter(tokens.DEFAULT)(text * (1_200_000 // len(text)))
    few = tokens.counter(tokens.DEFAULT)(text * (12_000 // len(text)))
    assert abs(count / (100 * few) - 1) < 0.01
