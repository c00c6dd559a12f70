"""Do weights that follow the losses help on real text? The arm `dynamic` of `evaluate`.

    python -m tests.benchmarks.dynamic_run FOLDER [transformer]

Texts and workspace are those of `swarm_runs`. The mixture (sources by their size, as `mix` promises
them), `proportional` and `dynamic` have one budget. With `transformer` they are trained again, by
fewer seeds, since the dynamic arm trains ten models a seed. Each row of `weights` is a part of the
budget; the last one are the weights for another run. The figure is reported as it is.
"""

import json
import os
import sys
import time
from pathlib import Path

from tests.benchmarks import setting
from tests.benchmarks.swarm_runs import base

ARMS = ["mixture", "proportional", "dynamic"]
PROXIES = {
    "ngram": {"seeds": 10},
    "transformer": {"seeds": 3, "transformer": {"steps": 60, "sample": 0, "marks": 1}},
}


def compared(where, settings):
    """Return what `evaluate` says of the arms, and the weights over time."""
    start = time.process_time()
    setting.stage(where, "evaluate", arms=ARMS, judge=["pool", "promised"], **settings)
    found = json.loads((where.root / "evaluate.json").read_text(encoding="utf-8"))
    followed = found["dynamic"]
    parts = [*followed["parts"], followed["final"]]
    return {
        "settings": settings,
        "cpu, s": round(time.process_time() - start),
        "load": round(os.getloadavg()[0], 1),
        "loss": {own["arm"]: rounded(own["by_judge"]) for own in found["proxy"]},
        "by source": {own["arm"]: rounded(own["by_source"]) for own in found["proxy"]},
        "mixture beside": [
            {
                name: round(own[name], 4) if isinstance(own[name], float) else own[name]
                for name in ("arm", "judge", "difference", "low", "high", "verdict")
            }
            for own in found["comparisons"]
        ],
        "weights": {group: [round(part[group], 3) for part in parts] for group in parts[0]},
    }


def rounded(losses):
    return {name: round(own, 4) for name, own in losses.items()}


def main():
    """Measure, print, and write the result."""
    where = base(Path(sys.argv[1]))
    sys.argv[1] = "FOLDER"  # the result names no path of this machine
    figures = {}
    for proxy in ("ngram", *sys.argv[2:]):
        figures[proxy] = compared(where, PROXIES[proxy])
        setting.write("dynamic_run", figures, range(PROXIES["ngram"]["seeds"]))
    setting.stage(where, "report")  # draws the weights over time


if __name__ == "__main__":
    main()
