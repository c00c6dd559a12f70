"""A swarm of 32 small transformers on real text: how long it takes, and what its optimum is worth.

    python -m tests.benchmarks.swarm_transformer FOLDER [STEPS]

Texts and workspace are those of `swarm_runs`. 32 runs of the space-filling design are trained
again; the proposal of the log-linear law is trained beside the run with the least loss and beside
the prior, FRESH times each with draws and seeds that no run had, the same for all. The objective is
the mean loss of the sources in nats a byte. Runs are kept until all are done.
"""

import os
import shutil
import sys
import time
from pathlib import Path

import numpy as np

from curate.swarm.designs import designed
from curate.swarm.planning import Wanted, make_plan
from curate.swarm.propose import Wishes, propose
from curate.swarm.runs import runs_of
from tests.benchmarks import setting
from tests.benchmarks.swarm_runs import FRESH, RUNS, Trainer, base


def main():
    """Measure, print, and write the result."""
    steps = int((sys.argv[2:] or ["60"])[0])
    where = base(Path(sys.argv[1]))
    sys.argv[1] = "FOLDER"  # the result names no path of this machine
    make_plan(where, Wanted(runs=RUNS))
    trainer = Trainer(where, transformer={"steps": steps, "sample": 0, "marks": 1})
    mixtures = trainer.region.near(designed("space_filling", trainer.prior, range(RUNS), 0))
    start = time.perf_counter(), time.process_time()
    trained = []
    for number, shares in enumerate(mixtures):
        trained.append(trainer.losses(shares, number))
        sys.stderr.write(f"{number}: {time.perf_counter() - start[0]:.0f} s\n")
    wall, cpu = time.perf_counter() - start[0], time.process_time() - start[1]
    names = [f"{number:04}" for number in range(RUNS)]
    drawn = [{group: own[0][group] for group in trainer.groups} for own in trained]
    losses = dict(zip(names, (own[1] for own in trained), strict=True))
    runs = runs_of(dict(zip(names, drawn, strict=True)), losses)
    wishes = Wishes(trainer.prior, trainer.region, refits=0, seed=0, model="log_linear")
    proposal = propose(runs, wishes)
    candidates = {
        "best run": runs.shares[runs.objective.argmin()],
        "proposal": np.array(list(proposal.shares.values())),
        "prior": mixtures[0],
    }
    reached = {name: trainer.fresh(shares, 1) for name, shares in candidates.items()}
    gains = np.array(reached["best run"]) - reached["proposal"]
    setting.write(
        "swarm_transformer",
        {
            "steps": steps,
            "load": round(os.getloadavg()[0], 1),
            "32 runs": {"wall, s": round(wall), "cpu, s": round(cpu)},
            "groups": list(trainer.groups),
            "shares": {name: np.round(own, 3).tolist() for name, own in candidates.items()},
            "fresh losses": {name: np.round(own, 4).tolist() for name, own in reached.items()},
            "gain over the best run": setting.spread(gains.tolist()),
        },
        range(FRESH),
    )
    shutil.rmtree(setting.RUNS / "swarm_proxy", ignore_errors=True)


if __name__ == "__main__":
    main()
