"""What `pool` and `clean` cost beside an earlier commit, in paired runs on the same documents.

    python -m tests.benchmarks.before COMMIT DOCUMENTS PAIRS     beside the last commit

Each run is a process of its own with one worker. The two trees take turns in being first, and what
is compared is the processor time of both commands, start included. All rule sets measure and all
documents are compared; the limits drop nothing. The results file keeps a row a size of corpus.
"""

import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
import time
from pathlib import Path
from statistics import median

import yaml

from tests.benchmarks import setting, texts

FOLDER = setting.RUNS / "before"
DOWNLOADS = Path("runs/downloads").resolve()
RULES = ["gopher_quality", "gopher_repetition", "c4", "fineweb"]
NAMES = (
    "import json, sys; from curate.clean.rules.registry import ranges;"
    f"print(json.dumps([sys.modules['curate'].__file__, *sorted(ranges({RULES!r}))]))"
)
STAGES = ("pool", "clean")


def tree_of(commit):
    """Return the folder with the files of a commit."""
    folder = FOLDER / "trees" / commit
    if not folder.exists():
        archive = subprocess.run(
            ["git", "archive", commit, "curate", "label_configs", "recipes"],
            check=True,
            capture_output=True,
        ).stdout
        with tarfile.open(fileobj=io.BytesIO(archive)) as files:
            files.extractall(folder, filter="data")
    return folder


def data_of(documents):
    """Return the folder with the texts, and what was planted in them."""
    folder = FOLDER / f"texts-{documents}"
    about = folder / "planted.json"
    if not about.exists():
        planted = texts.write(folder / "data", documents, DOWNLOADS)
        about.write_text(json.dumps(vars(planted)), encoding="utf-8")
    return folder / "data", json.loads(about.read_text(encoding="utf-8"))


def environment(tree):
    """Return the variables of a process that runs the code of a tree, with one worker."""
    return {**os.environ, "PYTHONPATH": str(tree), "CURATE_WORKERS": "1", "OMP_NUM_THREADS": "1"}


def run(tree, data, limits):
    """Run both stages in a new workspace; return processor seconds of each, and what was kept."""
    root = FOLDER / "run"
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir(parents=True)
    (root / "data").symlink_to(data)
    recipe = {
        "pool": {"sources": [{"name": "web", "paths": ["data/*.jsonl"]}]},
        "clean": {"rules": RULES, "limits": limits, "near_duplicates": 0.7},
    }
    (root / "recipe.yaml").write_text(yaml.safe_dump(recipe), encoding="utf-8")
    told = {}
    for stage in STAGES:
        command = [sys.executable, "-m", "curate", stage, "-w", str(root), "--json"]
        before, began = os.times(), time.perf_counter()
        # `-m` looks into the current folder first
        made = subprocess.run(
            command, cwd=tree, env=environment(tree), capture_output=True, text=True
        )
        assert made.returncode == 0, made.stderr[-2000:]
        after = os.times()
        told[stage] = {
            "cpu_seconds": round(
                after.children_user
                + after.children_system
                - before.children_user
                - before.children_system,
                2,
            ),
            "seconds": round(time.perf_counter() - began, 1),
            "documents": json.loads(made.stdout)["kept" if stage == "clean" else "documents"],
        }
    return told


def pair(number, trees, data, limits):
    """Run both trees, the one first in even pairs and the other in odd ones."""
    order = list(trees) if number % 2 == 0 else list(reversed(trees))
    made = {name: run(trees[name], data, limits) for name in order}
    return {name: made[name] for name in trees}


def seconds(made):
    """Return the processor seconds of both stages."""
    return sum(stage["cpu_seconds"] for stage in made.values())


def compared(pairs):
    """Return the ratios of the new tree to the earlier one, and their medians."""
    ratios = {
        stage: [
            own["now"][stage]["cpu_seconds"] / own["before"][stage]["cpu_seconds"] for own in pairs
        ]
        for stage in STAGES
    }
    ratios["both"] = [seconds(own["now"]) / seconds(own["before"]) for own in pairs]
    return {
        name: {"median": round(median(own), 3), "ratios": [round(one, 3) for one in own]}
        for name, own in ratios.items()
    }


def limits_for(trees):
    """Return limits that drop nothing, for the signals that all trees know."""
    known = []
    for tree in trees.values():
        command = [sys.executable, "-c", NAMES]
        made = subprocess.run(
            command, check=True, cwd=tree, env=environment(tree), capture_output=True, text=True
        )
        place, *names = json.loads(made.stdout)
        assert Path(place).is_relative_to(tree), place  # the code of the tree, and no other
        known.append(set(names))
    return {name: {"min": None, "max": None} for name in sorted(set.intersection(*known))}


def main():
    """Measure, and add the figures to the results file."""
    commit, documents, number = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    head = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], check=True, capture_output=True, text=True
    ).stdout.strip()
    trees = {"before": tree_of(commit), "now": tree_of(head)}
    data, planted = data_of(documents)
    limits = limits_for(trees)
    pairs = []
    for at in range(number):
        pairs.append(pair(at, trees, data, limits))
        print(json.dumps(pairs[-1]), flush=True)
    path = setting.RESULTS / "before.json"
    figures = json.loads(path.read_text(encoding="utf-8"))["figures"] if path.exists() else {}
    figures[str(documents)] = {
        "commits": {"before": commit, "now": head},
        "planted": planted,
        "now_to_before": compared(pairs),
        "pairs": pairs,
    }
    setting.write("before", figures, seeds=range(number))


if __name__ == "__main__":
    main()
