"""How close is the dry run to the run: time and memory of every stage, foreseen and measured?

    python -m tests.benchmarks.foreseen [DOCUMENTS …] [--embed N] [--folder DIR] [--print]

`generated` writes a workspace and its source files. A dry run foresees what the run takes there.
Then the stages run one after the other in one process with two workers, as in `curate run`. Memory
is the largest sum of PSS over the process tree while a stage runs, in MiB. With `--embed` the
vectors are not there, and a packaged encoder makes them.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from pathlib import Path

from tests.benchmarks.flat import RECIPE, WORKERS, family, pss, say

STAGES = ("sample", "agree", "score", "mix", "export", "evaluate", "report")
"""The stages that run; `agree` makes labels of the generated answers, and has no forecast."""

ENCODER = "use-m3"
FACTOR = 2
"""Time and memory are to be foreseen within this factor."""

LEAST_SECONDS = 2.0
"""A stage that takes less, foreseen and measured, is only told."""


def recipe_of(root, encoder):
    """Return the recipe of a workspace, with a source of its own for each source file."""
    sources = [
        {"name": path.stem, "paths": [f"data/{path.name}"], "language": {"field": "language"}}
        for path in sorted((root / "data").glob("*.jsonl"))
    ]
    score = {**RECIPE["score"], "encoder": encoder}
    front = {
        "pool": {"sources": sources, "holdout": 0.05},
        "clean": {"languages": ["en", "de", "fr", "zh"], "privacy": "mask"},
        "push": {"backend": "folder", "form": "sentiment"},
    }
    return {**front, **RECIPE, "score": score}


def write_sources(root):
    """Write the texts of a generated pool as source files, one for each source."""
    import pyarrow.parquet as pq

    (root / "data").mkdir()
    for shard in sorted((root / "pool").glob("*.parquet")):
        table = pq.read_table(shard, columns=["source", "text"])
        clean = pq.read_table(root / "clean" / shard.name, columns=["language"])
        lines = defaultdict(list)
        rows = table.append_column("language", clean["language"]).to_pylist()
        for row in rows:
            lines[row.pop("source")].append(json.dumps(row, ensure_ascii=False) + "\n")
        for source, own in lines.items():
            with (root / "data" / f"{source}.jsonl").open("a", encoding="utf-8") as file:
                file.writelines(own)


def foresee(root):
    """Return what a dry run says."""
    command = (sys.executable, "-m", "curate", "run", "--dry-run", "--json", "-w", str(root))
    return json.loads(subprocess.run(command, check=True, capture_output=True).stdout)


def run_stages(root):
    """Run the stages in this process, and print a line when one begins and when one has ended."""
    from curate.engine import Local
    from curate.run import files
    from curate.run.stages import run_stage
    from curate.workspace import Workspace
    from tests.benchmarks import generated

    recipe = files.load(root / "recipe.yaml")
    if recipe.score.encoder == generated.ENCODER:
        from curate.embed import encoders, vectors

        encoders.load = vectors.load = lambda name, root, texts: generated.Given()
    workspace = Workspace(root, engine=Local(WORKERS))
    # In a run the workers are there already: `pool` and `clean` have had them started.
    for _ in workspace.engine.each(abs, range(WORKERS)):
        pass
    for name in STAGES:
        print(f"begin {name}", flush=True)
        step = run_stage(workspace, name, recipe.section(name))
        print(f"end {name} {step.seconds}", flush=True)
    workspace.engine.close()


def measure(root):
    """Run the stages in a process of their own: (seconds, MB) of each."""
    command = (sys.executable, "-m", "tests.benchmarks.foreseen", "stages", str(root))
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    now = ["start"]
    peaks, seconds = defaultdict(float), {}

    def listen():
        for line in process.stdout:
            word, *rest = line.split()
            now[0] = rest[0] if word == "begin" else ""
            seconds.update({rest[0]: float(rest[1])} if word == "end" else {})

    listener = threading.Thread(target=listen)
    listener.start()
    while process.poll() is None:
        since, stage = time.perf_counter(), now[0]
        peaks[stage] = max(peaks[stage], sum(map(pss, family(process.pid))))
        time.sleep(max(0.05, 5 * (time.perf_counter() - since)))
    listener.join()
    if process.returncode:
        raise SystemExit(f"the stages ended with {process.returncode}")
    return {name: (seconds[name], peaks[name] / 1024) for name in STAGES}


def compare(folder, documents, encoder=None):
    """Return the rows of one size: what was foreseen of each stage beside what it took."""
    from tests.benchmarks.generated import ENCODER as GIVEN
    from tests.benchmarks.generated import Plan, generate

    root = folder / f"{documents}"
    generate(Plan(root, documents, vectors=encoder is None), WORKERS)
    write_sources(root)
    (root / "recipe.yaml").write_text(json.dumps(recipe_of(root, encoder or GIVEN)))
    started = time.perf_counter()
    told = foresee(root)
    say(f"{documents:,} documents, foreseen in {time.perf_counter() - started:.0f} s")
    for note in told["notes"]:
        say(f"  {note}")
    foreseen = {own["stage"]: (own["seconds"], own["memory_mb"]) for own in told["stages"]}
    took = measure(root)
    rows = []
    for name in STAGES:
        if name in foreseen:
            (guess, guess_mb), (seconds, megabytes) = foreseen[name], took[name]
            row = {"stage": name, "seconds": round(seconds, 2), "foreseen_seconds": guess}
            row |= {"megabytes": round(megabytes), "foreseen_megabytes": guess_mb}
            is_long = max(seconds, guess) >= LEAST_SECONDS
            row |= {"holds": near(guess_mb, megabytes) and (not is_long or near(guess, seconds))}
            rows.append(row)
            say(
                f"  {name:10}{seconds:8.1f} s, foreseen{guess:8.1f}  {megabytes:8.0f} MB, "
                f"foreseen{guess_mb:8.0f}{'' if row['holds'] else '   MISSED'}"
            )
    return rows


def near(guess, value):
    """Whether two positive numbers are within FACTOR of each other."""
    return max(guess, value) <= FACTOR * max(1e-9, min(guess, value))


def main():
    """Compare every size, and keep the figures."""
    parser = argparse.ArgumentParser()
    parser.add_argument("documents", nargs="*", type=int, default=[20_000, 1_000_000])
    parser.add_argument("--embed", type=int, default=20_000, help="documents to encode; 0: none")
    parser.add_argument("--folder", type=Path, help="where workspaces are written, and removed")
    parser.add_argument("--print", action="store_true", help="write no results/foreseen.json")
    given = parser.parse_args()
    figures = {}
    with tempfile.TemporaryDirectory(prefix="foreseen-", dir=given.folder) as folder:
        for documents in filter(None, given.documents):
            figures[f"{documents}"] = compare(Path(folder), documents)
        if given.embed:
            figures[f"{given.embed} to encode"] = compare(
                Path(folder) / "embed", given.embed, ENCODER
            )
    if not given.print:
        from tests.benchmarks.setting import write

        write("foreseen", {"workers": WORKERS, "measured": figures})


if __name__ == "__main__":
    if sys.argv[1:2] == ["stages"]:
        run_stages(Path(sys.argv[2]))
    else:
        main()
