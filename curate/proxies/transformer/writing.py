"""What a model writes after a prompt, token by token, each drawn by its probability."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from curate.proxies.transformer.devices import Device
from curate.proxies.transformer.tokenizing import Tokenizer

if TYPE_CHECKING:
    import torch


def written(
    model: Any,
    tokenizer: Tokenizer,
    prompt: str,
    *,
    tokens: int,
    temperature: float,
    context: int,
    device: Device,
    seed: int,
) -> str:
    """So many tokens after a prompt, which is not part of them; without one, a new text.

    p ∝ exp(logit / temperature). An end of text is written as an empty line.
    Bytes that are no text, and characters that cannot be shown, are replaced.
    """
    import torch

    rng = torch.Generator().manual_seed(seed)
    shown = [tokenizer.end, *tokenizer.encode([prompt])[0]]
    first = len(shown)
    model.eval()
    with torch.inference_mode():
        for _ in range(tokens):
            window = torch.tensor([shown[-context:]], device=device.name)
            with device.autocast():
                logits = model(input_ids=window, use_cache=False).logits[0, -1]
            shown.append(_drawn(logits[: tokenizer.size], temperature, rng))
    return _text(tokenizer, shown[first:])


def _drawn(logits: torch.Tensor, temperature: float, rng: torch.Generator) -> int:
    import torch

    chances = torch.softmax(logits.double().cpu() / temperature, dim=0)
    return int(torch.multinomial(chances, 1, generator=rng))


def _text(tokenizer: Tokenizer, tokens: list[int]) -> str:
    texts: list[list[int]] = [[]]
    for token in tokens:
        if token == tokenizer.end:
            texts.append([])
        else:
            texts[-1].append(token)
    return "\n\n".join("".join(map(_shown, tokenizer.decode(own))) for own in texts)


def _shown(character: str) -> str:
    """A character as a page or a terminal can show it."""
    return character if character.isprintable() or character in "\n\t" else "\ufffd"
