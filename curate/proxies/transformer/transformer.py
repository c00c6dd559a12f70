"""The transformer as a proxy: texts tokenized once, and a model trained again for every mixture."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curate.errors import CurateError, DataError
from curate.proxies.proxy import Learned, Mark, Samples, Training, mean_by_source
from curate.proxies.spec import TransformerSpec
from curate.proxies.transformer import curves, optimizing
from curate.proxies.transformer.checkpoints import Kept
from curate.proxies.transformer.devices import Device
from curate.proxies.transformer.measuring import mean_loss, text_losses
from curate.proxies.transformer.models import START, Folder, gpt2
from curate.proxies.transformer.sizes import SIZES
from curate.proxies.transformer.tokenizing import Bpe, Bytes, Tokenizer, Tokens, tokens_of
from curate.proxies.transformer.training import Plan, State, steps_of, train
from curate.proxies.transformer.windows import Mixture
from curate.proxies.transformer.writing import written
from curate.storage import digest

if TYPE_CHECKING:
    import numpy as np
    import torch
    from numpy.typing import NDArray

    Windows = tuple[NDArray[np.int64], NDArray[np.int64]]

PROBED = 32
"""So many windows of the mixture are measured at each mark, and about as many held out."""

CONTEXT, RATE = 256, 3e-4
"""The context of a model out of a folder by default, at most, and its highest rate."""


class Transformer:
    """Candidates and held-out texts by source, tokenized once.

    `names` are those of the sources; `source` is the number of each held-out text's source, `bytes`
    its size. What training keeps, to go on after a kill, is kept in `folder`. `root` is the folder
    that `start_from` is relative to.
    """

    def __init__(
        self,
        candidates: Sequence[str],
        holdout: Mapping[str, Sequence[str]],
        spec: TransformerSpec,
        device: Device,
        *,
        root: Path = Path(),
        folder: Path | None = None,
    ) -> None:
        import numpy as np

        self._spec, self._device, self._folder = spec, device, folder
        self._from = _folder_of(spec, root)
        self._tokenizer = self._from.tokenizer if self._from else _tokenizer(spec, candidates)
        self._context = _context(spec, self._from)
        texts = [(number, text) for number, own in enumerate(holdout.values()) for text in own]
        if not texts:
            raise DataError("no text is held out to measure a proxy on", hint=_HELD_OUT)
        self.names = tuple(holdout)
        self.source = np.array([number for number, _ in texts], np.int64)
        self.bytes = np.array([len(text.encode()) for _, text in texts], np.int64)
        self._candidates = tokens_of(candidates, self._tokenizer)
        self._held = tokens_of([text for _, text in texts], self._tokenizer)
        self._probed = [self._first_of(number) for number in np.unique(self.source).tolist()]
        self._texts = [_digest(self._candidates), _digest(self._held), *map(str, self.source)]

    def learn(self, copies: NDArray[np.int64], seed: int) -> Learned:
        """Train a model on the candidates, each as often as `copies` says, and measure it."""
        kept = Kept(self._folder, self._run(copies, seed))
        if (before := kept.result()) is not None:
            return before
        mixture = Mixture(self._candidates, copies, self._context, seed)
        with _seeded(seed):
            model = self._model().to(self._device.name)
            plan = self._plan(mixture)
            optimizer = optimizing.optimizer_of(self._spec, model.parameters(), plan.rate)
            state = State()
            about = kept.load(model, optimizer, state)
            if about is None:
                about = {"before": self._sample(model, seed)}
            train(
                model,
                optimizer,
                plan,
                state,
                lambda step: self._mark(model, mixture, step),
                lambda: kept.save(about, model, optimizer, state),
            )
        losses = text_losses(model, self._held, self._context, self._device)
        samples = Samples(self._spec.prompt, about["before"], self._sample(model, seed))
        learned = Learned(losses, self._told(model, plan, state, losses, samples))
        kept.finish(learned)
        return learned

    def by_source(self, losses: NDArray[np.float64]) -> dict[str, float]:
        """The mean of each source with a held-out byte, in nats per byte, from each text's loss."""
        return mean_by_source(self.names, self.source, self.bytes, losses)

    def _run(self, copies: NDArray[np.int64], seed: int) -> str:
        """The digest of all that decides what a run learns."""
        import torch

        weights = self._from.digest if self._from else START
        made = [torch.__version__, torch.get_num_threads(), self._device.name, weights]
        drawn = blake2b(copies.astype("<i8").tobytes(), digest_size=16).hexdigest()
        return digest([self._spec.settings(), made, self._texts, drawn, seed])

    def _model(self) -> Any:
        if self._from:
            return self._from.make()
        tokenizer, spec = self._tokenizer, self._spec
        size = SIZES[spec.size]
        return gpt2(size, tokenizer.size, tokenizer.end, self._context, spec.dropout)

    def _plan(self, mixture: Mixture) -> Plan:
        usual = RATE if self._from else SIZES[self._spec.size].rate
        rate = optimizing.rate_of(self._spec, usual)
        return Plan(self._spec, mixture, steps_of(self._spec, mixture), rate, self._device)

    def _first_of(self, source: int) -> Windows:
        """Some windows of a source's held-out texts, which are measured at each mark."""
        import numpy as np

        own = (self.source == source).astype(np.int64)
        mixture = Mixture(self._held, own, self._context, 0)
        number = max(1, PROBED // len(np.unique(self.source)))
        return mixture.batch(0, min(number, mixture.windows))

    def _mark(self, model: Any, mixture: Mixture, step: int) -> Mark:
        trained = mixture.batch(0, min(PROBED, mixture.windows))
        held = [mean_loss(model, *windows, self._device) for windows in self._probed]
        return Mark(step, mean_loss(model, *trained, self._device), sum(held) / len(held))

    def _sample(self, model: Any, seed: int) -> str:
        return written(
            model,
            self._tokenizer,
            self._spec.prompt,
            tokens=self._spec.sample,
            temperature=self._spec.temperature,
            context=self._context,
            device=self._device,
            seed=seed,
        )

    def _told(
        self,
        model: torch.nn.Module,
        plan: Plan,
        state: State,
        losses: NDArray[np.float64],
        samples: Samples,
    ) -> Training:
        """How the model was trained, in figures."""
        best = curves.best_of(state.curve)
        sizes = self._held.sizes
        return Training(
            parameters=sum(own.numel() for own in model.parameters()),
            steps=state.step,
            kept=state.step if state.best is None else best.step,
            tokens=state.tokens,
            epochs=state.tokens / plan.mixture.size,
            tokens_a_second=state.tokens / state.seconds if state.seconds else 0.0,
            stopped=state.step < plan.steps,
            overfits=curves.overfits(state.curve),
            curve=tuple(state.curve),
            samples=samples if self._spec.sample else None,
            nats_per_token=mean_by_source(self.names, self.source, sizes, losses),
        )


_HELD_OUT = "set `pool: {holdout: .05}`"


def _folder_of(spec: TransformerSpec, root: Path) -> Folder | None:
    if spec.start_from is None:
        return None
    return Folder(root / Path(spec.start_from).expanduser(), spec.dropout)


def _tokenizer(spec: TransformerSpec, candidates: Sequence[str]) -> Tokenizer:
    return Bytes() if spec.tokens == "bytes" else Bpe(candidates, spec.vocabulary)


def _context(spec: TransformerSpec, model: Folder | None) -> int:
    """The tokens a model sees. Raises CurateError for more than it can."""
    if model is None:
        return spec.context or SIZES[spec.size].context
    most = model.most or CONTEXT
    if spec.context and spec.context > most:
        raise CurateError(
            f"the model of `start_from` sees {most} tokens at most, not {spec.context}",
            hint=f"set `context: {most}`, or leave it out",
        )
    return spec.context or min(CONTEXT, most)


def _digest(tokens: Tokens) -> str:
    hasher = blake2b(tokens.numbers.tobytes(), digest_size=16)
    hasher.update(tokens.starts.tobytes())
    return hasher.hexdigest()


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """Within it, torch's random numbers are those of a seed; afterwards, as they were."""
    import torch

    with torch.random.fork_rng():
        torch.manual_seed(seed)
        yield
