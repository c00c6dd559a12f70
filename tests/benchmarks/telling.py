"""Whether `evaluate` tells mixtures apart: false alarms and power by the number of seeds.

    python -m tests.benchmarks.telling

200 comparisons of each kind, on small corpora of made-up words (`tests/alarms.py` says how they are
made). The two equal arms are drawn with independent noise. `gap` is two standard deviations of one
draw's mean loss. What is made up has no proxy: its losses vary by draw, by document, or by both.
"""

from tests import alarms
from tests.benchmarks import setting

COMPARISONS = 200


def main():
    told = alarms.compared(COMPARISONS, 20)
    made_up = {
        name: {seeds: alarms.alarms(2000, seeds, **sizes) for seeds in alarms.SEEDS}
        for name, sizes in alarms.VARY.items()
    }
    setting.write(
        "telling",
        {
            "comparisons": COMPARISONS,
            "told_apart_by_seeds": told,
            "false_alarms_made_up": {"comparisons": 2000, "by_what_varies": made_up},
        },
    )


if __name__ == "__main__":
    main()
