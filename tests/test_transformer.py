"""The transformer as a proxy: it reads a mixture exactly, learns it, and is measured exactly."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from curate.errors import DataError
from curate.proxies.making import proxy_of
from curate.proxies.ngram import Corpus
from curate.proxies.proxy import mean_by_source
from curate.proxies.spec import ProxySpec, TransformerSpec
from curate.proxies.transformer import measuring
from curate.proxies.transformer.devices import Device
from curate.proxies.transformer.measuring import mean_loss, text_losses
from curate.proxies.transformer.models import gpt2
from curate.proxies.transformer.sizes import SIZES, Size
from curate.proxies.transformer.tokenizing import Bpe, Bytes, Tokens, tokens_of
from curate.proxies.transformer.transformer import Transformer
from curate.proxies.transformer.windows import NO_TARGET, Mixture

CPU = Device("cpu", is_bf16=False)
NANO = Size(width=16, layers=1, heads=2, context=16, rate=1e-2)

FILMS = ["the film was long and dull", "a good film, and a short one", "what a cast!"] * 8
MEALS = ["今天的菜很好吃", "汤太咸了，米饭很硬。", "价格便宜，味道不错"] * 8


@pytest.fixture(autouse=True)
def _nano(monkeypatch):
    """Tests train in moments: the smallest size is smaller still."""
    monkeypatch.setitem(SIZES, "tiny", NANO)


def proxy(candidates=(*FILMS, *MEALS), holdout=None, folder=None, root=Path(), **settings):
    spec = TransformerSpec.model_validate({"steps": 8, "batch": 8, "marks": 2, **settings})
    texts = holdout or {"films": FILMS[:3], "meals": MEALS[:3]}
    return Transformer(list(candidates), texts, spec, CPU, folder=folder, root=root)


def each(number, *, of=24):
    return np.full(2 * of, number)


# ── reading


@pytest.mark.parametrize("context", [3, 7, 64])
@pytest.mark.parametrize("batch", [1, 4, 9])
def test_an_epoch_reads_every_text_as_often_as_its_copies(context, batch):
    """By brute force: the targets of an epoch are the tokens of all copies and an end of each."""
    texts = ["abc", "", "de", "never", "今天", "f" * 40]
    copies = np.array([2, 1, 3, 0, 1, 1])
    tokens = tokens_of(texts, Bytes())
    mixture = Mixture(tokens, copies, context, seed=4)
    expected = Counter()
    for text, number in zip(texts, copies, strict=True):
        expected.update(list(text.encode() + b"") * number + [256] * int(number))
    assert mixture.size == sum(expected.values())
    for epoch in (0, 1, 2):
        first, last = epoch * mixture.windows, (epoch + 1) * mixture.windows
        wanted = [
            row
            for number in range(-(-last // batch))
            for row in mixture.batch(number, batch)[1].tolist()
        ]
        read = Counter(token for row in wanted[first:last] for token in row)
        read.pop(NO_TARGET, None)
        assert read == expected


def test_every_token_is_shown_after_those_that_precede_it():
    """What is shown is what is wanted, one place later: streams can be put together again."""
    texts = ["abc", "de", "", "fghij" * 5]
    mixture = Mixture(tokens_of(texts, Bytes()), np.array([1, 2, 1, 1]), 8, seed=0)
    shown, wanted = mixture.batch(0, mixture.windows)
    assert (shown[:, 1:] == np.where(wanted[:, :-1] == NO_TARGET, 256, wanted[:, :-1])).all()
    after = {int(row[0]): row for row in shown}
    assert 256 in after, "a stream begins with an end of text"
    pieces = [bytes(t for t in row if t not in (256, NO_TARGET)) for row in wanted]
    assert sum(map(len, pieces)) == 3 + 2 * 2 + 25


def test_texts_and_windows_are_in_another_order_in_every_epoch_and_by_every_seed():
    tokens = tokens_of([*FILMS, *MEALS], Bytes())
    one, same, other = (Mixture(tokens, each(1), 16, seed) for seed in (1, 1, 2))
    number = one.windows
    assert (one.batch(0, number)[1] == same.batch(0, number)[1]).all()
    assert (one.batch(0, number)[1] != other.batch(0, number)[1]).any()
    assert (one.batch(0, number)[1] != one.batch(1, number)[1]).any()


def test_a_mixture_without_texts_is_refused():
    with pytest.raises(DataError, match="no text to learn"):
        proxy().learn(each(0), 0)


def test_bytes_and_a_learned_bpe_lose_nothing():
    texts = [*FILMS, *MEALS, "", "tabs\tand\n\nlines  ", "é̀ 🙂"]
    bpe = Bpe(texts, 400)
    assert bpe.size <= 400
    assert bpe.end == bpe.size - 1
    for tokenizer in (Bytes(), bpe):
        tokens = tokens_of(texts, tokenizer)
        assert tokens.numbers.dtype == np.uint16
        assert len(tokens.sizes) == len(texts)
        parts = np.split(tokens.numbers, tokens.starts[1:-1])
        assert [tokenizer.decode(part.tolist()) for part in parts] == texts
        assert tokens.numbers.max() < tokenizer.end
    assert len(tokens.numbers) < len("".join(texts).encode()) / 2
    assert Bytes().decode([0xE4, 0xBB]) == "�"


# ── measuring


class Fixed:
    """A model whose next token depends on the token before it alone: rows of logits."""

    def __init__(self, logits):
        import torch

        self.logits = torch.tensor(logits, dtype=torch.float32)

    def eval(self):
        pass

    def __call__(self, input_ids, use_cache):
        from types import SimpleNamespace

        return SimpleNamespace(logits=self.logits[input_ids])


def test_by_hand_a_loss_is_the_sum_of_the_logarithms():
    """After an end of text `a` has .5 and `b` .25; after `a`, `b` has .125."""
    chances = np.full((3, 3), 1 / 3)
    chances[2] = [0.5, 0.25, 0.25]
    chances[0] = [0.125, 0.125, 0.75]
    tokens = Tokens(np.array([0, 1, 1], np.uint16), np.array([0, 2, 2, 3]), end=2)
    losses = text_losses(Fixed(np.log(chances)), tokens, 8, CPU)
    assert losses.tolist() == pytest.approx([-np.log(0.5) - np.log(0.125), 0.0, -np.log(0.25)])


@pytest.mark.parametrize(("context", "width"), [(4, 1 << 13), (5, 8), (16, 40), (7, 1)])
def test_the_loss_of_a_text_equals_brute_force_token_by_token(monkeypatch, context, width):
    import torch

    monkeypatch.setattr(measuring, "WIDE", width)
    torch.manual_seed(1)
    model = gpt2(NANO, 257, 256, 16, 0.0)
    texts = ["", "a", "今天的菜", "the film was long, and dull " * 2, "abcd", "abcde", "abcdef"]
    tokens = tokens_of(texts, Bytes())
    found = text_losses(model, tokens, context, CPU)
    stride = max(1, context // 2)
    model.eval()
    for text, loss in zip(texts, found, strict=True):
        stream, expected = [256, *text.encode()], 0.0
        for place in range(1, len(stream)):
            window = 0 if place <= context else -(-(place - context) // stride) * stride
            seen = torch.tensor([stream[window:place]])
            assert len(seen[0]) <= context
            assert window == 0 or len(seen[0]) > context - stride
            with torch.no_grad():
                logits = model(input_ids=seen).logits[0, -1].double()
            expected -= float(torch.log_softmax(logits, 0)[stream[place]])
        assert loss == pytest.approx(expected, rel=1e-5, abs=1e-9)


def test_a_model_that_knows_nothing_loses_the_logarithm_of_its_tokens():
    tokens = tokens_of(FILMS[:2], Bytes())
    losses = text_losses(Fixed(np.zeros((257, 257))), tokens, 16, CPU)
    assert losses == pytest.approx(np.log(257) * tokens.sizes)
    shown, wanted = Mixture(tokens, np.array([1, 1]), 16, 0).batch(0, 2)
    assert mean_loss(Fixed(np.zeros((257, 257))), shown, wanted, CPU) == pytest.approx(np.log(257))
    untrained = proxy(rate=1e-12).learn(each(1), 0)
    assert untrained.training.nats_per_token["films"] == pytest.approx(np.log(257), rel=0.02)


def test_nats_per_byte_and_per_token_divide_the_same_losses():
    sizes, source = np.array([4, 6, 0, 5]), np.array([0, 0, 1, 2])
    losses = np.array([8.0, 2.0, 0.0, 5.0])
    assert mean_by_source(("a", "b", "c"), source, sizes, losses) == {"a": 1.0, "c": 1.0}
    learned = proxy(tokens="bpe", vocabulary=320).learn(each(1), 0)
    own = proxy(tokens="bpe", vocabulary=320)
    per_byte = own.by_source(learned.losses)
    tokens = tokens_of(MEALS[:3], Bpe([*FILMS, *MEALS], 320))
    nats = per_byte["meals"] * len("".join(MEALS[:3]).encode())
    assert learned.training.nats_per_token["meals"] == pytest.approx(nats / tokens.sizes.sum())
    assert per_byte["meals"] < learned.training.nats_per_token["meals"]


def test_it_is_a_proxy_as_the_n_grams_are():
    held = {"films": FILMS[:2], "meals": MEALS[:3]}
    one = proxy_of(ProxySpec(transformer={"steps": 1}), FILMS, held)
    other = proxy_of(ProxySpec(), FILMS, held)
    assert isinstance(one, Transformer)
    assert isinstance(other, Corpus)
    assert one.names == other.names
    assert (one.source == other.source).all()
    assert (one.bytes == other.bytes).all()
    losses = np.arange(5.0)
    assert one.by_source(losses) == other.by_source(losses)
    with pytest.raises(DataError, match="no text is held out"):
        proxy_of(ProxySpec(proxy="transformer"), FILMS, {"films": []})


# ── learning


def test_like_teaches_like_and_the_same_seed_the_same():
    films, meals = np.repeat([1, 0], 24), np.repeat([0, 1], 24)
    own = proxy(steps=30, batch=8)
    one, two = own.learn(films, 0), own.learn(meals, 0)
    of_films, of_meals = own.by_source(one.losses), own.by_source(two.losses)
    assert of_films["films"] < of_meals["films"] - 0.3
    assert of_meals["meals"] < of_films["meals"] - 0.3
    assert (proxy(steps=30, batch=8).learn(films, 0).losses == one.losses).all()
    assert (own.learn(films, 1).losses != one.losses).any()


def test_a_text_without_copies_is_never_read():
    only = np.repeat([1, 0], 24)
    one = proxy().learn(only, 3)
    changed = proxy(candidates=[*FILMS, *(["?" * len(text.encode()) for text in MEALS])])
    assert (changed.learn(only, 3).losses == one.losses).all()
    assert (changed.learn(each(1), 3).losses != proxy().learn(each(1), 3).losses).any()


def test_torchs_own_random_numbers_stay_as_they_were():
    import torch

    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    proxy(dropout=0.2).learn(each(1), 0)
    assert (torch.rand(3) == expected).all()
