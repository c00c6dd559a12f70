"""The models: a GPT-2 made from scratch (Radford et al. 2019), or one that lies in a folder."""

from __future__ import annotations

from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curate.errors import CurateError
from curate.proxies.transformer.sizes import Size
from curate.proxies.transformer.tokenizing import Own

if TYPE_CHECKING:
    import torch

DROPOUTS = ("attn_pdrop", "embd_pdrop", "resid_pdrop", "attention_dropout", "hidden_dropout")
"""What architectures call the dropout of their layers."""

START = "1 / sqrt(width)"
"""Names the weights that `gpt2` starts from: what starts elsewhere cannot be compared.

Trainings of before had no name for theirs: GPT-2's own, of deviation .02.
"""


def gpt2(size: Size, vocabulary: int, end: int, context: int, dropout: float) -> torch.nn.Module:
    """A GPT-2 with random weights, by torch's generator.

    Their standard deviation is 1 / sqrt(width): GPT-2's own .02 is that of a width of 2,500, and a
    model of 128 needs half its steps to leave it.
    """
    from transformers import GPT2Config, GPT2LMHeadModel

    config = GPT2Config(
        vocab_size=vocabulary,
        n_positions=context,
        n_embd=size.width,
        n_layer=size.layers,
        n_head=size.heads,
        initializer_range=size.width**-0.5,
        activation_function="gelu_pytorch_tanh",
        bos_token_id=end,
        eos_token_id=end,
        resid_pdrop=dropout,
        embd_pdrop=dropout,
        attn_pdrop=dropout,
    )
    model: torch.nn.Module = GPT2LMHeadModel(config)
    return model


class Folder:
    """A causal language model in a folder: its configuration, weights and tokenizer.

    Nothing is fetched, and no code of the folder is run. Raises CurateError for a folder without
    such a model, or whose tokenizer has no end of text.
    """

    def __init__(self, path: Path, dropout: float) -> None:
        self._path, self._dropout = path, dropout
        if not path.is_dir():
            raise CurateError(f"{path} is not a folder", hint="`start_from` names a model's folder")
        self.tokenizer = Own(_loaded(path, "AutoTokenizer"))
        model = self.make()
        self.digest = digest_of(model)
        self.most: int | None = getattr(model.config, "max_position_embeddings", None)

    def make(self) -> Any:
        """The model with its weights."""
        dropouts = {
            name: self._dropout
            for name in DROPOUTS
            if hasattr(_loaded(self._path, "AutoConfig"), name)
        }
        import torch

        model = _loaded(self._path, "AutoModelForCausalLM", dtype=torch.float32, **dropouts)
        if model.get_input_embeddings().num_embeddings < self.tokenizer.size:
            raise CurateError(
                f"the model in {self._path} has fewer tokens than its tokenizer",
                hint="name a folder with a model and its own tokenizer",
            )
        return model


def _loaded(path: Path, kind: str, **settings: Any) -> Any:
    """What a folder holds of a kind. Raises CurateError where it cannot be loaded."""
    import transformers
    from safetensors import SafetensorError

    transformers.utils.logging.disable_progress_bar()
    transformers.utils.logging.set_verbosity_error()
    try:
        found = getattr(transformers, kind).from_pretrained(
            str(path), local_files_only=True, trust_remote_code=False, **settings
        )
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        first_line = str(error).strip().split("\n")[0]
        raise CurateError(
            f"no causal language model could be read from {path}: {first_line}",
            hint="`start_from` names a folder with config.json, weights and a tokenizer",
        ) from None
    if kind == "AutoTokenizer" and found.eos_token_id is None:
        raise CurateError(
            f"the tokenizer in {path} has no end of text",
            hint="set eos_token in its tokenizer_config.json",
        )
    return found


def digest_of(model: torch.nn.Module) -> str:
    """The blake2b-128 of a model's weights, in hex."""
    hasher = blake2b(digest_size=16)
    for name, tensor in sorted(model.state_dict().items()):
        hasher.update(name.encode() + tensor.cpu().numpy().tobytes())
    return hasher.hexdigest()
