"""How much memory and time do scores and each sampling strategy take on a million documents?

    python -m tests.benchmarks.sampling [DOCUMENTS] [--n N] [--folder DIR] [--print]

`generated` writes a workspace with vectors of 384 dimensions. `score` learns from its labels on
embeddings, and writes quality with its intervals. Other scores then take their place, as `score`
would write them: probabilities of three classes, near to 0 or 1 for most. Each strategy then opens
a round of 300 in a process of its own with two workers, as `curate sample` does. Memory is the
largest sum of PSS over the process tree, in MB of 10^6 bytes.
"""

import argparse
import json
import shutil
import sys
import tempfile
from dataclasses import asdict
from functools import partial
from pathlib import Path

import numpy as np

from tests.benchmarks.flat import WORKERS, measured, say

DIMENSION = 384
VALUES = ("negative", "neutral", "positive")
STRATEGIES = (
    *("random", "stratified", "neyman", "least_confidence", "margin", "entropy", "k_means"),
    *("facility_location", "k_center", "uncertainty_diversity", "disagreement", "mixture"),
)
SECONDS, MEGABYTES = 60, 1500


def write_scores(workspace, engine):
    """Write the table `scores` of a generated workspace."""
    from curate.run.recipe import ScoreSpec

    about = {"kind": "choice", "values": VALUES, "encoder": "given", "features": "embeddings"}
    inputs = workspace.tables.fingerprints(("pool", "clean", "labels"))
    made = workspace.freshness.provenance(
        "score", ScoreSpec(), inputs, encoder="given", questions={"sentiment": about}
    )
    with workspace.tables.building("scores", made) as folder:
        for _ in engine.each(partial(write_shard, folder), workspace.documents.shards()):
            pass


def write_shard(folder, shard):
    """Write the scores of one shard."""
    import pyarrow as pa

    from curate import storage

    ids = shard.read(["id"])["id"]
    rng = np.random.default_rng(shard.number)
    probabilities = rng.dirichlet([0.3] * len(VALUES), len(ids))
    quality = probabilities @ [0.0, 0.5, 1.0]
    columns = dict.fromkeys(("quality", "low", "high"), quality)
    columns |= {"spread_low": quality, "spread_high": quality}
    columns |= {name: np.zeros(len(ids), bool) for name in ("abstained", "out_of_fold")}
    columns["sentiment"] = pa.array(VALUES).take(pa.array(probabilities.argmax(axis=1)))
    columns |= {f"sentiment:{value}": own for value, own in zip(VALUES, probabilities.T)}  # noqa: B905
    storage.write_parquet(folder / shard.name, pa.table({"id": ids, **columns}))


def sample(root, name, n):
    """Open a round in this process; its encoder has made all vectors."""
    from curate.embed import encoders, vectors
    from curate.engine import Local
    from curate.run.recipe import SampleSpec
    from curate.run.stages import run_stage
    from curate.workspace import Workspace
    from tests.benchmarks.generated import Given

    Given.dimension = DIMENSION
    encoders.load = vectors.load = lambda name, root, texts: Given()
    strategy = {"strategy": "stratified", "allocation": name} if name == "neyman" else {}
    spec = SampleSpec.model_validate({"strategy": name, "n": int(n), **strategy})
    workspace = Workspace(Path(root), engine=Local(WORKERS))
    result = run_stage(workspace, "sample", spec).result
    workspace.engine.close()
    assert result.tasks == int(n), result
    shutil.rmtree(workspace.rounds.numbered(result.round).folder)


def score(root):
    """Score all documents in this process; its encoder has made all vectors."""
    from curate.embed import encoders, vectors
    from curate.engine import Local
    from curate.run.recipe import ScoreSpec
    from curate.run.stages import run_stage
    from curate.workspace import Workspace
    from tests.benchmarks.generated import Given

    Given.dimension = DIMENSION
    encoders.load = vectors.load = lambda name, root, texts: Given()
    worth = dict(zip(VALUES, (0.0, 0.5, 1.0), strict=True))
    settings = {"encoder": "given", "features": "embeddings", "quality": {"values": worth}}
    workspace = Workspace(Path(root), engine=Local(WORKERS))
    result = run_stage(workspace, "score", ScoreSpec.model_validate(settings)).result
    workspace.engine.close()
    assert result.encoded == 0, result
    assert result.quality.half_width is not None


def rescore(root):
    """Write the scores that strategies read."""
    from curate.engine import Local
    from curate.workspace import Workspace

    workspace = Workspace(root, engine=Local(WORKERS))
    write_scores(workspace, workspace.engine)
    workspace.engine.close()


def prepare(root, documents):
    """Write the workspace: pool, clean, vectors, an answered round, labels."""
    from curate.engine import Local
    from curate.run.recipe import Recipe
    from curate.run.stages import run_stage
    from curate.workspace import Workspace
    from tests.benchmarks.generated import Plan, generate

    generate(Plan(root, documents, dimension=DIMENSION), WORKERS)
    workspace = Workspace(root, engine=Local(WORKERS))
    run_stage(workspace, "agree", Recipe().agree)
    workspace.engine.close()


def main():
    """Measure every strategy; print what is asked beside it, and keep all figures."""
    parser = argparse.ArgumentParser()
    parser.add_argument("documents", nargs="?", type=int, default=1_000_000)
    parser.add_argument("--n", type=int, default=300, help="documents of a round")
    parser.add_argument("--only", nargs="*", default=STRATEGIES, choices=STRATEGIES)
    parser.add_argument("--folder", type=Path, help="where the workspace is written, and removed")
    parser.add_argument("--print", action="store_true", help="write no results/sampling.json")
    given = parser.parse_args()
    figures = {}
    with tempfile.TemporaryDirectory(prefix="sampling-", dir=given.folder) as folder:
        root = Path(folder) / "run"
        prepare(root, given.documents)
        figures["score"] = asdict(
            measured("-m", "tests.benchmarks.sampling", "score", root, log=Path(folder) / "log")
        )
        say(f"{'score':24}{json.dumps(figures['score'])}")
        rescore(root)
        for name in given.only:
            command = ("-m", "tests.benchmarks.sampling", "one", root, name, given.n)
            own = measured(*command, log=Path(folder) / "log")
            figures[name] = asdict(own)
            say(f"{name:24}{json.dumps(figures[name])}")
    missed = [
        name
        for name, own in figures.items()
        if own["failed"] or own["seconds"] > SECONDS or own["megabytes"] > MEGABYTES
    ]
    if not given.print:
        from tests.benchmarks.setting import write

        limits = {"seconds": SECONDS, "megabytes": MEGABYTES}
        write(
            "sampling",
            {
                "documents": given.documents,
                "measured": figures,
                "at_most": limits,
                "missed": missed,
            },
        )
    say(f"missed: {', '.join(missed) or 'nothing'}")


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["score", root]:
            score(root)
        case ["one", root, name, n]:
            sample(root, name, n)
        case _:
            main()
