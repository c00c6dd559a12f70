"""Do weights that follow the losses help? 20 simulated worlds (`tests.trainers_of_powers`).

Each has 8 groups whose loss is a power law of their own tokens, exponents .1 to .5, no transfer,
and a supply of its own. 200 steps; losses are seen with 1 % noise. Judged by the unweighted mean of
the final losses, beside the best that fixed weights could reach. `even` and `supply` are priors.

    python -m tests.benchmarks.dynamic
"""

import numpy as np

from tests.benchmarks import setting
from tests.trainers_of_powers import World, best, trained

WORLDS = range(20)
GROUPS = 8


def losses(world, seed):
    """The final mean loss by each way to weigh the groups of a world."""
    even = np.full(GROUPS, 1 / GROUPS)
    found = {"best fixed": best(world), "uniform": trained(world, even)[0]}
    found["proportional"] = trained(world, world.supply)[0]
    for strategy in ("ado", "loss"):
        for name, prior in (("even", even), ("supply", world.supply)):
            found[f"{strategy}, {name}"] = trained(world, prior, strategy, seed=seed)[0]
    return found


def main():
    rows = [losses(World.make(np.random.default_rng(seed)), seed) for seed in WORLDS]
    ways = [way for way in rows[0] if "," in way]
    figures = {
        "mean loss": {way: round(float(np.mean([row[way] for row in rows])), 4) for way in rows[0]},
        "worlds won": {
            way: {
                other: sum(row[way] < row[other] for row in rows)
                for other in ("uniform", "proportional")
            }
            for way in ways
        },
        "part of uniform's gap to the best that is closed": {
            way: setting.spread(
                [(row["uniform"] - row[way]) / (row["uniform"] - row["best fixed"]) for row in rows]
            )
            for way in ways
        },
    }
    setting.write("dynamic", figures, WORLDS)


if __name__ == "__main__":
    main()
