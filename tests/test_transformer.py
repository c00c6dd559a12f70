"""The transformer as a proxy: it reads a mixture exactly, learns it, and is measured exactly."""

import json
import multiprocessing
from collections import Counter
from pathlib import Path
from random import Random
from time import sleep

import numpy as np
import pytest

from curate.errors import CurateError, DataError
from curate.evaluate import trainings
from curate.evaluate.spec import EvaluateSpec
from curate.evaluate.stage import STAGE
from curate.evaluate.trainings import TrainingResult
from curate.proxies.making import proxy_of
from curate.proxies.ngram import Corpus
from curate.proxies.proxy import Mark, Samples, Training, mean_by_source
from curate.proxies.spec import ProxySpec, TransformerSpec
from curate.proxies.transformer import curves, measuring, optimizing, training, transformer
from curate.proxies.transformer.devices import Device, device_of
from curate.proxies.transformer.measuring import mean_loss, text_losses
from curate.proxies.transformer.models import gpt2
from curate.proxies.transformer.sizes import SIZES, Size
from curate.proxies.transformer.tokenizing import Bpe, Bytes, Tokens, tokens_of
from curate.proxies.transformer.transformer import Transformer
from curate.proxies.transformer.windows import NO_TARGET, Mixture
from curate.proxies.transformer.writing import written

CPU = Device("cpu", is_bf16=False)
NANO = Size(width=16, layers=1, heads=2, context=16, rate=1e-2)

FILMS = ["the film was long and dull", "a good film, and a short one", "what a cast!"] * 8
MEALS = ["今天的菜很好吃", "汤太咸了，米饭很硬。", "价格便宜，味道不错"] * 8


@pytest.fixture(autouse=True)
def _nano(monkeypatch):
    """Tests train in moments: the smallest size is smaller still."""
    monkeypatch.setitem(SIZES, "tiny", NANO)


def proxy(candidates=(*FILMS, *MEALS), holdout=None, folder=None, root=Path(), **settings):
    spec = TransformerSpec.model_validate(
        {"steps": 8, "batch": 8, "marks": 2, "sample": 8, **settings}
    )
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
    # Its logits have a variance of 1 across tokens, so it loses half a nat more on average.
    assert -0.1 <= untrained.training.nats_per_token["films"] - np.log(257) <= 0.75


def test_initial_weights_have_a_standard_deviation_of_one_by_the_root_of_the_width():
    import torch

    torch.manual_seed(0)
    size = Size(64, 1, 2, 32, 1e-3)
    weights = gpt2(size, 257, 256, 32, 0.0).transformer.wte.weight.detach()
    assert float(weights.std()) == pytest.approx(1 / 8, rel=0.03)
    assert abs(float(weights.mean())) < 0.005


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


@pytest.mark.parametrize("settings", [{"optimizer": "sgd", "rate": 0.5}, {"optimizer": "adam"}, {}])
@pytest.mark.parametrize("tokens", ["bytes", "bpe"])
def test_every_optimizer_lowers_the_loss(settings, tokens):
    own = proxy(steps=40, tokens=tokens, vocabulary=320, **settings)
    curve = own.learn(each(1), 0).training.curve
    assert curve[-1].training < curve[0].training - 0.4
    assert curve[-1].validation < curve[0].validation - 0.4


def test_the_rate_rises_then_falls_along_a_cosine():
    spec = TransformerSpec(warmup=0.2)
    falling = [0.05 + 0.95 * (1 + np.cos(np.pi * place / 8)) / 2 for place in range(9)]
    factors = [optimizing.factor(spec, step, 10) for step in range(10)]
    assert factors == pytest.approx([0.5, *falling])
    assert (falling[0], falling[4], falling[-1]) == pytest.approx((1, 0.525, 0.05))
    constant = TransformerSpec(schedule="constant", warmup=0.4)
    assert [optimizing.factor(constant, step, 10) for step in range(6)] == pytest.approx(
        [0.25, 0.5, 0.75, 1, 1, 1]
    )
    assert optimizing.factor(TransformerSpec(warmup=1.0), 3, 4) == 1
    own = {kind: TransformerSpec(optimizer=kind) for kind in ("adamw", "adam", "sgd")}
    assert [optimizing.rate_of(spec, 0.001) for spec in own.values()] == [0.001, 0.001, 0.1]
    assert optimizing.rate_of(TransformerSpec(rate=0.7, optimizer="sgd"), 0.001) == 0.7


def test_weight_decay_holds_for_matrices_alone():
    model = gpt2(NANO, 257, 256, 16, 0.0)
    for kind, decay in (("adamw", 0.1), ("adam", 0.0), ("sgd", 0.0)):
        optimizer = optimizing.optimizer_of(
            TransformerSpec(optimizer=kind), model.parameters(), 0.5
        )
        matrices, others = optimizer.param_groups
        assert (matrices["weight_decay"], others["weight_decay"], matrices["lr"]) == (decay, 0, 0.5)
        assert {own.dim() for own in matrices["params"]} == {2}
        assert {own.dim() for own in others["params"]} == {1}
    sgd = optimizing.optimizer_of(
        TransformerSpec(optimizer="sgd", momentum=0.3, weight_decay=0.2), model.parameters(), 0.1
    )
    assert (sgd.param_groups[0]["momentum"], sgd.param_groups[0]["weight_decay"]) == (0.3, 0.2)


def test_sizes_have_the_parameters_that_are_written_beside_them(monkeypatch):
    monkeypatch.setitem(SIZES, "tiny", Size(128, 4, 4, 128, 3e-3))
    numbers = [
        sum(own.numel() for own in gpt2(size, 257, 256, size.context, 0.0).parameters())
        for size in SIZES.values()
    ]
    assert numbers == [842_624, 4_870_400, 25_613_824]


# ── curves


def marks(*pairs):
    return [Mark(step, *pair) for step, pair in enumerate(pairs)]


def test_overfitting_is_a_rise_held_out_while_training_falls():
    assert curves.overfits(marks((5, 5), (3, 3.2), (2, 3.3)))
    assert not curves.overfits(marks((5, 5), (3, 3.2), (2, 3.2 * 1.009)))  # within 1 %
    assert not curves.overfits(marks((5, 5), (3, 3.2), (3.1, 3.6)))  # both rise
    assert not curves.overfits(marks((5, 5), (3, 3.2), (2, 3.1)))
    assert Mark(1, 2.0, 3.5).gap == 1.5


def test_training_stops_when_marks_bring_nothing_better():
    curve = marks((5, 5), (3, 3), (2, 3.1), (1, 3.0))
    assert curves.best_of(curve).step == 1
    assert [curves.is_time_to_stop(curve, patience) for patience in (None, 1, 2, 3)] == [
        *(False, True, True, False)
    ]
    assert not curves.is_time_to_stop(curve[:1], 1)
    assert curves.marked_steps(60, 8) == (0, 8, 15, 22, 30, 38, 45, 52, 60)
    assert curves.marked_steps(2, 8) == (0, 1, 2)


LETTERS = list("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
RANDOM = ["".join(np.random.default_rng(n).permutation(LETTERS)) for n in range(24)]
"""Each is an order of its own of all letters: what is learned beyond these is learned by heart."""


def overfitted(**settings):
    """A model that is far larger than its four texts, and reads them 30 times."""
    own = proxy(
        candidates=RANDOM[:4],
        holdout={"x": RANDOM[4:]},
        **{"epochs": 30, "batch": 8, "marks": 10, "rate": 1e-2, **settings},
    )
    return own, own.learn(np.ones(4, int), 0).training


def test_overfitting_is_named_and_dropout_or_decay_narrows_its_gap(monkeypatch):
    monkeypatch.setitem(SIZES, "tiny", Size(32, 2, 2, 16, 1e-2))
    _, plain = overfitted()
    assert plain.overfits
    assert plain.epochs == pytest.approx(30, rel=0.05)
    gaps = [
        overfitted(**settings)[1].curve[-1].gap
        for settings in ({"dropout": 0.5}, {"weight_decay": 3.0})
    ]
    assert max(gaps) < plain.curve[-1].gap * 0.8
    stopped = overfitted(patience=2)[1]
    assert stopped.stopped
    assert stopped.steps < plain.steps
    assert stopped.kept == curves.best_of(plain.curve).step


def test_the_best_weights_are_measured_where_training_may_stop(monkeypatch):
    monkeypatch.setitem(SIZES, "tiny", Size(32, 2, 2, 16, 1e-2))
    own, early = overfitted(patience=2)
    other, late = overfitted()
    copies = np.ones(4, int)
    better, worse = (sum(one.learn(copies, 0).losses) for one in (own, other))
    assert better < worse
    per_token = early.nats_per_token["x"]
    assert per_token == pytest.approx(curves.best_of(early.curve).validation, rel=0.1)
    assert late.kept == late.steps


# ── going on after a kill


def killed_after(number, monkeypatch):
    """Make a training end as by a kill, right after it was saved so often."""
    saved = []
    save = transformer.Kept.save

    def once(self, *own):
        save(self, *own)
        saved.append(self)
        if len(saved) == number:
            raise KeyboardInterrupt

    monkeypatch.setattr(transformer.Kept, "save", once)
    return saved


@pytest.mark.parametrize("settings", [{"dropout": 0.2}, {"optimizer": "sgd"}, {"patience": 3}])
def test_a_training_goes_on_after_a_kill_as_if_nothing_had_been(tmp_path, monkeypatch, settings):
    whole = proxy(marks=4, **settings).learn(each(1), 5)
    with monkeypatch.context() as context:
        saved = killed_after(2, context)
        with pytest.raises(KeyboardInterrupt):
            proxy(folder=tmp_path, marks=4, **settings).learn(each(1), 5)
    assert len(list(tmp_path.glob("*.pt"))) == len(saved) - 1 == 1
    steps = []
    batch = Mixture.batch
    monkeypatch.setattr(Mixture, "batch", lambda *own: steps.append(own[1]) or batch(*own))
    again = proxy(folder=tmp_path, marks=4, **settings).learn(each(1), 5)
    assert 1 not in steps, "what was read before the kill is not read again"
    assert (again.losses == whole.losses).all()
    assert again.training.curve == whole.training.curve
    assert again.training.samples == whole.training.samples
    assert again.training.tokens == whole.training.tokens
    assert [path.suffix for path in tmp_path.iterdir()] == [".json"], "the weights are gone"
    steps.clear()
    third = proxy(folder=tmp_path, marks=4, **settings).learn(each(1), 5)
    assert (third.losses == whole.losses).all()
    assert third.training == again.training
    assert set(steps) == {0}, "only the windows that marks measure are read: nothing is trained"


def test_another_mixture_seed_start_or_setting_is_another_run(tmp_path, monkeypatch):
    runs = [
        own._run(copies, seed)
        for own in (proxy(), proxy(rate=0.1), proxy(candidates=[*FILMS, *MEALS[1:], "x"]))
        for copies in (each(1), each(2))
        for seed in (0, 1)
    ]
    assert len(set(runs)) == 12
    assert proxy()._run(each(1), 0) == runs[0]
    monkeypatch.setattr(transformer, "START", "elsewhere")
    assert proxy()._run(each(1), 0) != runs[0]


def test_a_broken_checkpoint_means_a_new_start(tmp_path):
    own = proxy(folder=tmp_path)
    (tmp_path / f"{own._run(each(1), 0)}.pt").write_bytes(b"PK" + bytes(99))
    assert (own.learn(each(1), 0).losses == proxy().learn(each(1), 0).losses).all()


def learn(folder, place):
    """Train for some hundred steps, and write the losses to a place."""
    texts = [f"the film {n} was long, and its end was {n * n}" for n in range(40)]
    spec = TransformerSpec(steps=150, marks=10, batch=8, dropout=0.1, sample=10)
    own = Transformer(texts, {"x": texts[:5]}, spec, CPU, folder=folder)
    place.write_bytes(own.learn(np.ones(40, int), 0).losses.tobytes())


@pytest.mark.slow
def test_after_kill_9_the_losses_are_those_of_an_undisturbed_run(tmp_path, monkeypatch):
    """In forks of this process, which has loaded torch: to load it takes longer than the run."""
    monkeypatch.setitem(SIZES, "tiny", Size(32, 2, 2, 32, 1e-2))
    folder, end = tmp_path / "killed", tmp_path / "end"
    forks = multiprocessing.get_context("fork")

    def started():
        process = forks.Process(target=learn, args=(folder, end))
        process.start()
        return process

    learn(tmp_path / "whole", tmp_path / "undisturbed")
    kills = 0
    while kills < 2:
        process = started()
        before = newest(folder)
        while process.is_alive() and newest(folder) == before:
            sleep(0.002)
        if process.is_alive():
            process.kill()
            kills += 1
        process.join()
    assert not list(folder.glob("*.json")), "it was killed before its end"
    started().join()
    assert end.read_bytes() == (tmp_path / "undisturbed").read_bytes()


def newest(folder):
    """When a checkpoint was last written; 0 without one."""
    return max((path.stat().st_mtime_ns for path in folder.glob("*.pt")), default=0)


# ── what it writes


def test_what_is_written_depends_on_the_seed_and_the_temperature():
    model = Fixed(np.random.default_rng(0).normal(size=(257, 257)))

    def own(seed, temperature, prompt=""):
        return written(
            model,
            Bytes(),
            prompt,
            tokens=30,
            temperature=temperature,
            context=16,
            device=CPU,
            seed=seed,
        )

    assert own(0, 1.0) == own(0, 1.0) != own(1, 1.0)
    assert own(0, 0.01) == own(1, 0.01), "the coldest is the most probable"
    assert own(0, 1.0, "今天") != own(0, 1.0)


def test_an_end_of_text_is_an_empty_line_and_bytes_that_are_no_text_are_replaced():
    logits = np.full((257, 257), -99.0)
    for before, after in ((256, 0xE4), (0xE4, ord("a")), (ord("a"), 256)):
        logits[before, after] = 99
    text = written(
        Fixed(logits), Bytes(), "", tokens=5, temperature=1, context=4, device=CPU, seed=0
    )
    assert text == "\ufffda\n\n\ufffda"


def test_after_training_it_writes_what_it_has_read(monkeypatch):
    monkeypatch.setitem(SIZES, "tiny", Size(32, 2, 2, 32, 1e-2))
    settings = {"steps": 60, "batch": 16, "sample": 40, "temperature": 0.5}
    texts = ["abab" * 10] * 24 + ["天" * 14] * 24
    own = proxy(candidates=texts, **settings)
    for copies, letters in (([1, 0], "ab\n"), ([0, 1], "天\n\ufffd")):
        samples = own.learn(np.repeat(copies, 24), 0).training.samples
        assert set(samples.after) <= set(letters)
        assert not set(samples.before) <= set(letters)
        assert all(letter.isprintable() or letter in "\n\t" for letter in samples.before)
    assert proxy(sample=0).learn(each(1), 0).training.samples is None


# ── a model out of a folder, devices, errors


@pytest.fixture
def folder(tmp_path):
    """A GPT-2 with a tokenizer of its own, as `save_pretrained` writes it."""
    import torch
    from transformers import PreTrainedTokenizerFast

    bpe = Bpe([*FILMS, *MEALS], 300)
    bpe._fast.add_special_tokens(["<|end|>"])
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=bpe._fast, eos_token="<|end|>")
    tokenizer.save_pretrained(tmp_path / "model")
    torch.manual_seed(9)
    model = gpt2(NANO, len(tokenizer), tokenizer.eos_token_id, 16, 0.0)
    model.save_pretrained(tmp_path / "model")
    return tmp_path / "model"


def test_another_model_is_started_from_its_folder(folder):
    start = proxy(root=folder.parent, start_from="model", rate=1e-12).learn(each(1), 0)
    same = proxy(start_from=str(folder), rate=1e-12).learn(each(1), 1)
    assert same.losses == pytest.approx(start.losses, rel=1e-5), "weights are those of the folder"
    assert -0.1 <= start.training.curve[0].validation - np.log(300) <= 0.75
    trained = proxy(start_from=str(folder), rate=1e-2, steps=30).learn(each(1), 0)
    assert trained.losses.sum() < start.losses.sum() * 0.9
    again = proxy(start_from=str(folder), rate=1e-12, dropout=0.5).learn(each(1), 0)
    assert again.losses == pytest.approx(start.losses, rel=1e-5), "dropout is for training alone"


def test_a_folder_without_a_model_costs_one_line(folder, tmp_path):
    with pytest.raises(CurateError, match="is not a folder") as caught:
        proxy(start_from=str(tmp_path / "none"))
    assert "start_from" in caught.value.hint
    (tmp_path / "empty").mkdir()
    with pytest.raises(CurateError, match="no causal language model could be read") as caught:
        proxy(start_from=str(tmp_path / "empty"))
    assert "\n" not in caught.value.message
    with pytest.raises(CurateError, match="sees 16 tokens at most, not 99"):
        proxy(start_from=str(folder), context=99)
    (folder / "model.safetensors").write_bytes(b"broken")
    with pytest.raises(CurateError, match="no causal language model could be read"):
        proxy(start_from=str(folder))
    config = json.loads((folder / "tokenizer_config.json").read_text())
    del config["eos_token"]
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    with pytest.raises(CurateError, match="has no end of text"):
        proxy(start_from=str(folder))


def test_devices_are_chosen_and_cuda_that_is_not_there_costs_one_line(monkeypatch):
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert device_of("cpu") == device_of("auto") == CPU
    with pytest.raises(CurateError, match="there is no CUDA device here") as caught:
        proxy_of(ProxySpec(proxy="transformer", device="cuda"), FILMS, {"x": FILMS[:1]})
    assert caught.value.hint
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    for has_bf16 in (True, False):
        monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda own=has_bf16: own)
        assert device_of("auto") == device_of("cuda") == Device("cuda", is_bf16=has_bf16)
    assert device_of("cpu") == CPU


def test_in_bfloat16_a_model_computes_but_keeps_its_weights():
    import torch

    half = Device("cpu", is_bf16=True)
    with half.autocast():
        assert torch.nn.Linear(2, 2)(torch.ones(1, 2)).dtype == torch.bfloat16
    with CPU.autocast():
        assert torch.nn.Linear(2, 2)(torch.ones(1, 2)).dtype == torch.float32
    model = gpt2(NANO, 257, 256, 16, 0.0)
    tokens = tokens_of(FILMS[:3], Bytes())
    exact, coarse = (text_losses(model, tokens, 16, device) for device in (CPU, half))
    assert coarse == pytest.approx(exact, rel=0.02)
    assert (coarse != exact).any()
    assert {own.dtype for own in model.parameters()} == {torch.float32}


def test_a_loss_that_is_no_number_costs_one_line(tmp_path):
    own = proxy(folder=tmp_path, optimizer="sgd", rate=1e30, clip=None, warmup=0.0, steps=20)
    with pytest.raises(CurateError, match=r"is not a number at step \d+ of 20") as caught:
        own.learn(each(1), 0)
    assert "lower its rate (now 1e+30)" in caught.value.hint
    assert not list(tmp_path.glob("*.json"))


# ── what `evaluate` tells


def training_of(*pairs, overfits=False, nats=2.0):
    curve = tuple(marks(*pairs))
    return Training(
        parameters=9,
        steps=len(pairs) - 1,
        kept=len(pairs) - 1,
        tokens=100,
        epochs=0.5,
        tokens_a_second=10.0,
        stopped=False,
        overfits=overfits,
        curve=curve,
        samples=Samples("p", "b", "a"),
        nats_per_token={"x": nats, "y": nats + 1},
    )


def test_figures_of_an_arm_are_means_over_its_trainings():
    one = training_of((5, 6), (3, 4), (1, 3), nats=1.0)
    two = training_of((7, 6), (5, 5), overfits=True, nats=2.0)
    found = TrainingResult.of("mixture", [one, two])
    assert found.curve == (Mark(0, 6, 6), Mark(1, 4, 4.5))
    assert found.gap == pytest.approx((2 + 0) / 2)
    assert (found.steps, found.overfits, found.trainings) == (1.5, 1, 2)
    assert found.nats_per_token == pytest.approx(2.0)
    assert found.perplexity == pytest.approx(np.exp(2))
    assert found.samples == Samples("p", "b", "a")
    assert trainings.warnings_on([found]) == ()
    (warning,) = trainings.warnings_on([found, TrainingResult.of("uniform", [two])])
    assert warning.figures == {"arms": ["uniform"]}


def mixed(offline):
    """A mixture of two sources, with a holdout."""
    for name, texts in (("films", FILMS), ("meals", MEALS)):
        space = " " if name == "films" else ""
        pieces = sorted({piece for text in texts for piece in (text.split() if space else text)})
        rng = Random(name)
        lines = [space.join(rng.choices(pieces, k=14)) for _ in range(3 * len(texts))]
        offline.lines(f"{name}.jsonl", lines)
    offline.pool(holdout=0.25)
    offline.run("clean", rules=[], near_duplicates=None)
    offline.run("mix", budget="50%", between={"strategy": "uniform"})


SMALL = {"steps": 4, "batch": 4, "marks": 2, "sample": 8, "prompt": "the <b>"}


def test_evaluate_tells_how_the_proxy_was_trained_and_the_page_shows_it(offline):
    mixed(offline)
    found = offline.run("evaluate", seeds=2, transformer={**SMALL, "sample": 60, "rate": 0.05})
    assert found.verdict.startswith("by the transformer proxy the mixture is ")
    assert [own.arm for own in found.trainings] == [own.arm for own in found.proxy]
    told = json.loads((offline.root / "evaluate.json").read_text())["trainings"][0]
    assert [mark["step"] for mark in told["curve"]] == [0, 2, 4]
    assert (told["trainings"], told["steps"], told["parameters"]) == (2, 4.0, 7680)
    assert told["tokens_a_second"] > 0
    assert 0 < told["epochs"] < 1
    assert told["samples"]["prompt"] == "the <b>"
    assert told["samples"]["before"] != told["samples"]["after"]
    assert not (offline.root / ".building" / "proxy").exists()
    offline.run("report")
    page = (offline.root / "report.html").read_text()
    assert "How the proxy was trained" in page
    assert "the &lt;b&gt;" in page
    assert "the <b>" not in page
    again = offline.run("evaluate", seeds=2)
    assert again.trainings == ()
    assert "n-gram" in again.verdict
    offline.run("report")
    assert "How the proxy was trained" not in (offline.root / "report.html").read_text()


def test_a_comparison_goes_on_after_a_kill_and_trains_nothing_twice(offline, monkeypatch):
    mixed(offline)
    trained = []
    step = training._step
    monkeypatch.setattr(training, "_step", lambda *own: trained.append(1) or step(*own))
    whole = offline.run("evaluate", seeds=2, transformer=SMALL)
    steps = len(trained)
    with monkeypatch.context() as context:
        killed_after(4, context)  # each run is saved twice: this is in the middle of the second
        with pytest.raises(KeyboardInterrupt):
            offline.run("evaluate", seeds=2, transformer=SMALL)
    trained.clear()
    again = offline.run("evaluate", seeds=2, transformer=SMALL)
    assert again.proxy == whole.proxy
    assert again.comparisons == whole.comparisons
    assert len(trained) == steps - 6, "all but the first run, and half of the second"


def test_a_loss_that_is_no_number_leaves_the_last_result(offline):
    mixed(offline)
    offline.run("evaluate", seeds=2)
    before = (offline.root / "evaluate.json").read_bytes()
    wild = {**SMALL, "optimizer": "sgd", "rate": 1e30, "clip": None, "warmup": 0.0}
    with pytest.raises(CurateError, match="is not a number"):
        offline.run("evaluate", seeds=2, transformer=wild)
    assert (offline.root / "evaluate.json").read_bytes() == before


def test_giving_a_transformer_implies_it():
    assert ProxySpec(transformer={"steps": 3}).proxy == "transformer"
    assert ProxySpec().proxy == "ngram"
    assert ProxySpec().settings() == {"proxy": "ngram"}
    assert ProxySpec(proxy="transformer").settings()["transformer"]["steps"] == 60


def test_a_dry_run_does_not_train():
    spec = EvaluateSpec(proxy="transformer", seeds=3)
    with pytest.raises(DataError, match="a transformer would have to be trained 3 times an arm"):
        STAGE.cost.run(None, spec)
