"""How often 90 % intervals hold the truth, in the light simulation of tests/light.py.

    python -m tests.benchmarks.coverage [RUNS] [SETTING …]

True labels drawn at random, actively (50 at random; of the others half by entropy with certainty,
half at random from the rest) and in rounds closed early (a random 70 % answered); three noisy
people, and the same with hard texts. 1,000 runs each, without an argument; it takes an hour or two.
Settings that are not named keep the figures they have.
"""

import json
import sys
import time
from functools import partial

from threadpoolctl import threadpool_limits

from tests import light
from tests.benchmarks import setting

LABELS = (100, 300, 1000)
HARD = 0.25
SETTINGS = {
    **{
        f"true labels, {design}": partial(light.run_true, design=design) for design in light.DESIGNS
    },
    "three noisy people": light.run_noisy,
    "three noisy people, hard texts": partial(light.run_noisy, hard=HARD),
}


def main():
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    names = sys.argv[2:] or [*SETTINGS]
    with threadpool_limits(1):
        for name in names:
            began = time.perf_counter()
            own = {str(n): light.coverage(runs, partial(SETTINGS[name], n=n)) for n in LABELS}
            sys.stderr.write(f"{name}: {time.perf_counter() - began:.0f} s\n")
            stored = json.loads((setting.RESULTS / "coverage.json").read_text(encoding="utf-8"))
            setting.write("coverage", {**stored["figures"], name: {"runs": runs, **own}})


if __name__ == "__main__":
    main()
