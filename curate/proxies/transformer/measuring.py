"""The losses of a model: on windows while it trains, and on held-out texts as a whole.

The loss on a text of tokens t_1 … t_n is −Σ ln p(t_i | end of text, t_1 … t_{i−1}), in nats. Where
a text is longer than the model's context, windows of `context` tokens move on by half of it: each
token but the first ones is predicted from at least half a context. Nats per byte are the sum over
texts, divided by their bytes in UTF-8: so models with other tokens compare. Nats per token are the
sum divided by the tokens, and perplexity is e to the power of these.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from curate.proxies.transformer.devices import Device
from curate.proxies.transformer.tokenizing import Tokens
from curate.proxies.transformer.windows import NO_TARGET

if TYPE_CHECKING:
    import numpy as np
    import torch
    from numpy.typing import NDArray

WIDE = 1 << 13
"""So many tokens are measured at once, at most: 8,192."""


def token_losses(
    model: Any, shown: NDArray[np.int64], wanted: NDArray[np.int64], device: Device
) -> torch.Tensor:
    """−ln p of each token that is wanted, windows x tokens; 0 where none is."""
    import torch
    from torch.nn.functional import cross_entropy

    with device.autocast():
        logits = model(input_ids=torch.from_numpy(shown).to(device.name), use_cache=False).logits
    targets = torch.from_numpy(wanted).to(device.name)
    losses = cross_entropy(
        logits.float().flatten(0, 1), targets.flatten(), ignore_index=NO_TARGET, reduction="none"
    )
    return losses.view(targets.shape)


def mean_loss(
    model: Any, shown: NDArray[np.int64], wanted: NDArray[np.int64], device: Device
) -> float:
    """The mean loss over the tokens that are wanted, in nats; the model does not learn."""
    import torch

    model.eval()
    with torch.inference_mode():
        total = sum(
            float(token_losses(model, shown[rows], wanted[rows], device).sum())
            for rows in _batches(len(shown), shown.shape[1])
        )
    return total / int((wanted != NO_TARGET).sum())


def text_losses(model: Any, tokens: Tokens, context: int, device: Device) -> NDArray[np.float64]:
    """The loss on each text as a whole, in nats; 0 on an empty text."""
    import numpy as np
    import torch

    text, first = _windows(tokens.sizes, context)
    lengths = np.minimum(tokens.sizes[text] - first, context)
    order = np.argsort(lengths, kind="stable")  # windows of like length share a batch
    losses = np.zeros(len(tokens.sizes))
    model.eval()
    with torch.inference_mode():
        for rows in _batches(len(order), context):
            own = order[rows]
            shown, wanted = _shown(tokens, text[own], first[own], lengths[own], context)
            sums = token_losses(model, shown, wanted, device).double().sum(dim=1)
            np.add.at(losses, text[own], sums.cpu().numpy())
    return losses


def _batches(windows: int, context: int) -> Iterator[slice]:
    size = max(1, WIDE // context)
    return (slice(start, start + size) for start in range(0, windows, size))


def _windows(sizes: NDArray[np.int64], context: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The text of each window, and the place of the first token that it predicts."""
    import numpy as np

    stride = max(1, context // 2)
    number = np.where(sizes > 0, 1 + -(-np.maximum(sizes - context, 0) // stride), 0)
    text = np.repeat(np.arange(len(sizes)), number)
    place = np.arange(len(text)) - np.repeat(np.cumsum(number) - number, number)
    return text, place * stride


def _shown(
    tokens: Tokens,
    text: NDArray[np.int64],
    first: NDArray[np.int64],
    lengths: NDArray[np.int64],
    context: int,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """What windows show and want. What an earlier window of the text has predicted is not wanted.

    What a window shows before its first token is the token before it, or an end of text.
    """
    import numpy as np

    column = np.arange(lengths.max())
    start = (tokens.starts[text] + first)[:, None]
    is_in = column < lengths[:, None]
    wanted = _at(tokens, start + column, is_in)
    shown = _at(tokens, start + column - 1, is_in & ((first[:, None] > 0) | (column > 0)))
    overlap = np.where(first > 0, context - max(1, context // 2), 0)
    is_new = is_in & (column >= overlap[:, None])
    return shown, np.where(is_new, wanted, NO_TARGET)


def _at(tokens: Tokens, places: NDArray[np.int64], is_in: NDArray[np.bool_]) -> NDArray[np.int64]:
    """The tokens at places, and ends of texts where they are not in."""
    import numpy as np

    numbers = np.full(places.shape, tokens.end, np.int64)
    numbers[is_in] = tokens.numbers[places[is_in]]
    return numbers
