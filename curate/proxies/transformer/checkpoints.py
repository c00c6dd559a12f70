"""What a training keeps, so that it goes on after a kill: one file a run, and one a result.

A run is known by the digest of all that decides it: settings, texts, copies, seed. The file of a
run is replaced as a whole and removed with the run's end; the result stays until the whole
comparison is done, whose maker removes the folder.
"""

from __future__ import annotations

import pickle
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curate import storage
from curate.proxies.proxy import Learned, Mark, Samples, Training

if TYPE_CHECKING:
    import torch

    from curate.proxies.transformer.training import State


@dataclass(frozen=True)
class Kept:
    """The files of one run, in a folder; without one, nothing is kept."""

    folder: Path | None
    run: str

    @property
    def _state(self) -> Path:
        return (self.folder or Path()) / f"{self.run}.pt"

    @property
    def _result(self) -> Path:
        return (self.folder or Path()) / f"{self.run}.json"

    def result(self) -> Learned | None:
        """What the run learned, if it has ended."""
        import numpy as np

        record = storage.read_json(self._result) if self.folder else None
        if record is None:
            return None
        training = record["training"]
        curve = tuple(Mark(**mark) for mark in training.pop("curve"))
        samples = training.pop("samples")
        samples = Samples(**samples) if samples else None
        return Learned(
            np.array(record["losses"]), Training(curve=curve, samples=samples, **training)
        )

    def finish(self, learned: Learned) -> None:
        """Keep what the run learned, and remove its state."""
        if self.folder is None or learned.training is None:
            return
        record = {"losses": learned.losses.tolist(), "training": asdict(learned.training)}
        storage.write_json(self._result, record)
        self._state.unlink(missing_ok=True)

    def save(self, about: dict[str, Any], model: Any, optimizer: Any, state: State) -> None:
        """Keep all that the run needs to go on: weights, optimizer, random numbers, curve."""
        import torch

        if self.folder is None:
            return
        kept = {
            "about": about,
            "model": model.state_dict(),
            "optimizer": optimizer.state_dict(),
            "random": torch.get_rng_state(),
            "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
            "state": vars(state) | {"curve": [asdict(mark) for mark in state.curve]},
        }
        with storage.replacing(self._state) as temporary:
            torch.save(kept, temporary)

    def load(
        self, model: torch.nn.Module, optimizer: torch.optim.Optimizer, state: State
    ) -> dict[str, Any] | None:
        """Go on from where the run was killed; what `save` was told `about` it.

        None where nothing is kept, or what is kept cannot be read: the run then starts again.
        """
        import torch

        if self.folder is None or not self._state.is_file():
            return None
        try:
            kept = torch.load(self._state, map_location="cpu", weights_only=True)
        except (OSError, RuntimeError, EOFError, pickle.UnpicklingError):
            return None
        model.load_state_dict(kept["model"])
        optimizer.load_state_dict(kept["optimizer"])
        torch.set_rng_state(kept["random"])
        if kept["cuda"]:
            torch.cuda.set_rng_state_all(kept["cuda"])
        curve = [Mark(**mark) for mark in kept["state"]["curve"]]
        vars(state).update(kept["state"], curve=curve)
        return dict(kept["about"])
