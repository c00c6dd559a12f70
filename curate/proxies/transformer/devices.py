"""Where a transformer is trained, and in which numbers: float32 on a CPU, bfloat16 on CUDA."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, Literal

from curate.errors import CurateError
from curate.extras import require


@dataclass(frozen=True)
class Device:
    """A device by torch's name. With `is_bf16` a model computes in bfloat16; weights do not."""

    name: str
    is_bf16: bool

    def autocast(self) -> AbstractContextManager[Any]:
        """Within it, a model computes in the device's numbers."""
        import torch

        if not self.is_bf16:
            return nullcontext()
        return torch.autocast(self.name, torch.bfloat16)


def device_of(wanted: Literal["auto", "cpu", "cuda"]) -> Device:
    """The device of that name. Raises CurateError if it is not there."""
    require("torch", "the transformer proxy")
    import torch

    has_cuda = torch.cuda.is_available()
    if wanted == "cuda" and not has_cuda:
        raise CurateError("there is no CUDA device here", hint="leave `device` out, or write `cpu`")
    if wanted == "cpu" or not has_cuda:
        return Device("cpu", is_bf16=False)
    return Device("cuda", is_bf16=torch.cuda.is_bf16_supported())
