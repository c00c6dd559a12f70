"""How often intervals of mixtures hold the truth, and how far true shares are from what is wanted.

    python -m tests.benchmarks.mixtures [RUNS] [SETTING …]

The light simulation (tests/light_mixtures.py): shares of sources by quality, and the true shares of
classes in what is drawn by predicted class; labels that are true, in rounds closed early, or those
of three noisy people. 400 runs each without an argument; settings that are not named keep the
figures they have.
"""

import json
import sys
from functools import partial

from threadpoolctl import threadpool_limits

from tests import light_mixtures
from tests.benchmarks import setting

LABELS = (100, 300, 1000)
HARD = 0.25
PEOPLE = {"labels_of": "three noisy people"}
SETTINGS = {
    "true labels": {},
    "true labels, closed": {"design": "closed"},
    "true labels, active": {"design": "active"},
    "three noisy people": PEOPLE,
    "three noisy people, hard texts": {**PEOPLE, "hard": HARD},
}


def main():
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 400
    path = setting.RESULTS / "mixtures.json"
    with threadpool_limits(1):
        for name in sys.argv[2:] or [*SETTINGS]:
            own = {
                str(n): light_mixtures.measured(
                    runs, partial(light_mixtures.run, n=n, **SETTINGS[name])
                )
                for n in LABELS
            }
            stored = (
                json.loads(path.read_text(encoding="utf-8"))["figures"] if path.exists() else {}
            )
            setting.write("mixtures", {**stored, name: {"runs": runs, **own}})


if __name__ == "__main__":
    main()
