"""How much memory and time does each stage behind `clean` take, and how do both grow?

    python -m tests.benchmarks.flat [DOCUMENTS …] [--largest N] [--long N] [--folder DIR] [--print]

Every stage runs as a process of its own with two workers, on workspaces that `generated` writes.
Memory is the largest sum of PSS over the process tree, in MB of 10^6 bytes. Processor seconds are
user and system time of the whole tree. Peers run beside them, measured the same way: the draw on
whole arrays in numpy, and a plain Parquet copy of the rows that are exported.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

WORKERS = 2
STAGES = ("sample", "agree", "score", "mix", "export", "evaluate", "report", "verify")
"""The stages in the order in which they run; `mix` and what follows it are by quality."""

RECIPE = {
    "workers": WORKERS,
    "sample": {"n": 300, "strategy": "stratified", "by": ["source", "language"]},
    "score": {
        "encoder": "given",
        "features": "embeddings",
        "quality": {"values": {"negative": 0.0, "neutral": 0.5, "positive": 1.0}},
    },
    "mix": {
        "groups": ["sentiment", "source"],
        "between": {"strategy": "temperature"},
        "within": {"strategy": "softmax"},
        "budget": "25%",
    },
}
BUDGET = 0.25
PLAIN = {"mix": {"groups": ["source", "language"], "budget": f"{BUDGET:.0%}"}}
"""The mixture that is also drawn in numpy, and that needs no scores."""

BY_HOST = {
    "mix": {
        "groups": ["meta.part"],
        "between": {"strategy": "temperature"},
        "limits": {"host=*": {"max_share": 0.002}, "language=zh": {"max_share": 0.05}},
        "budget": f"{BUDGET:.0%}",
    }
}
"""The mixture of 200 groups under limits of 1,000 hosts and a language."""

BY_SOURCE, NUMPY = "mix by source", "the draw in numpy"
LIMITED = "mix under limits of hosts"
COPY, COPY_ALL = "copy", "read all, copy the rows"

MEGABYTES, GROWTH = 1200, 1.25
SLOPE = 1.1
"""At n times as many documents, time is to be at most n * SLOPE times as long."""

CPU_SECONDS = {"mix": 15, BY_SOURCE: 15, LIMITED: 15, "sample": 10}
"""The most processor seconds at LARGE documents."""

LARGE = 2_000_000
TIMES_COPY = {"parquet": 5, "jsonl": 8}
TIMES_NUMPY = 2
CHARACTERS = 1000
"""Characters of a long document: their exports are compared with a plain copy."""


# ── measuring a process tree


@dataclass
class Measured:
    """Processor seconds, seconds, the largest memory in MB, and the last words of a failure."""

    cpu: float
    seconds: float
    megabytes: int
    failed: str = ""


def measured(*command, log):
    """Run `python` with some arguments; measure it and all processes under it."""
    started = time.perf_counter()
    with log.open("wb") as file:
        process = subprocess.Popen([sys.executable, *map(str, command)], stdout=file, stderr=file)
        status, usage, peak, sampled = _watched(process.pid)
    process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.perf_counter() - started
    # The first holds only processes that were waited for; the second misses their last moments.
    cpu = max(usage.ru_utime + usage.ru_stime, sampled)
    words = log.read_text(errors="replace").split("\n") if process.returncode else []
    failed = " / ".join([line.strip() for line in words if line.strip()][-2:])
    return Measured(round(cpu, 2), round(seconds, 2), round(peak * 1024 / 1e6), failed)


def _watched(pid):
    """Watch a child until it ends: its status, its usage, its largest memory in kB, and seconds."""
    peak, cpu = 0, {}
    while True:
        ended, status, usage = os.wait4(pid, os.WNOHANG)
        if ended:
            return status, usage, peak, sum(cpu.values())
        since = time.perf_counter()
        processes = family(pid)
        peak = max(peak, sum(map(pss, processes)))
        cpu |= {own: used for own in processes if (used := processor_seconds(own))}
        # Looking takes time itself, the more the larger the processes are.
        time.sleep(max(0.05, 5 * (time.perf_counter() - since)))


def family(pid):
    """Return a process and all under it, whichever thread started them."""
    processes = [pid]
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in _read(path).split():
            processes += family(int(child))
    return processes


def pss(pid):
    """Return the proportional set size of a process in kB; 0 for one that has ended."""
    lines = _read(Path(f"/proc/{pid}/smaps_rollup")).splitlines()
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)


def processor_seconds(pid):
    """Return user and system time of a process alone; 0 for one that has ended."""
    fields = _read(Path(f"/proc/{pid}/stat")).rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK") if fields else 0.0


def _read(path):
    try:
        return path.read_text()
    except OSError:
        return ""


# ── the stages, and their peers beside them


class Bench:
    """Workspaces in a folder, one at a time, and what was measured in them, part by part.

    `same` says of each part whether `mix` and the draw in numpy agree.
    """

    def __init__(self, folder):
        self.folder = folder
        self.figures = {}
        self.same = {}

    def workspace(self, documents, **settings):
        """Write a workspace."""
        from tests.benchmarks.generated import Plan, generate

        root, started = self.folder / f"{documents}", time.perf_counter()
        generate(Plan(root, documents, **settings), WORKERS)
        size = sum(path.stat().st_size for path in root.rglob("*") if path.is_file())
        seconds = time.perf_counter() - started
        say(f"{documents:,} documents: {size / 1e6:,.0f} MB written in {seconds:.0f} s")
        return root

    def measure(self, part, name, *command):
        """Measure a part of this module that runs as a process of its own."""
        own = measured("-m", "tests.benchmarks.flat", *command, log=self.folder / "log")
        self.figures.setdefault(part, {})[name] = asdict(own)
        say(
            f"  {name:24}{own.cpu:8.1f} CPU s{own.seconds:8.1f} s{own.megabytes:8,} MB {own.failed}"
        )

    def stage(self, root, part, name, stage, **recipe):
        """Measure a stage by the recipe, some sections of which are others."""
        (root / "recipe.yaml").write_text(json.dumps({**RECIPE, **recipe}))
        place = (root / "export",) if stage == "verify" else ("-w", root)
        self.measure(part, name, "stage", stage, *place)

    def draw(self, root, part):
        """Measure the mixture by source, and the same draw in numpy."""
        self.stage(root, part, BY_SOURCE, "mix", **PLAIN)
        self.measure(part, NUMPY, "draw", root)
        self.same[part] = is_same_draw(root)

    def every_stage(self, documents):
        """Measure every stage at one size."""
        root = self.workspace(documents)
        self.draw(root, f"{documents}")
        self.stage(root, f"{documents}", LIMITED, "mix", **BY_HOST)
        for name in STAGES:
            self.stage(root, f"{documents}", name, name)
        shutil.rmtree(root)

    def mixture(self, documents):
        """Measure the mixture alone, by source and under limits."""
        root = self.workspace(documents, vectors=False)
        self.draw(root, f"{documents}")
        self.stage(root, f"{documents}", LIMITED, "mix", **BY_HOST)
        shutil.rmtree(root)

    def exports(self, documents):
        """Measure exports of long documents, and plain copies of the same rows."""
        part = f"{documents} long"
        root = self.workspace(documents, characters=CHARACTERS, vectors=False)
        self.stage(root, part, BY_SOURCE, "mix", **PLAIN)
        for name in ("jsonl", "parquet"):
            self.stage(root, part, f"export {name}", "export", export={"format": name}, **PLAIN)
        self.measure(part, COPY, "copy", root)
        self.measure(part, COPY_ALL, "copy-all", root)
        shutil.rmtree(root)


def stage(name, *arguments):
    """Run a command of `curate`; the vectors of `score` are all there, so it encodes nothing."""
    from curate.cli import main

    if name == "score":
        from curate.embed import encoders, vectors
        from tests.benchmarks.generated import Given

        encoders.load = vectors.load = lambda name, root, texts: Given()
    sys.argv = ["curate", name, *arguments]
    main()


def draw(root):
    """Draw the mixture by source on whole arrays: hash, argsort, cumulative sum, and write it.

    The budget is less than the supply of every group, so no document is drawn twice.
    """
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    from curate import chance

    pool, clean = (read_all(root / name, columns) for name, columns in DRAWN_FROM.items())
    able = clean["kept"].to_numpy() & ~pool["holdout"].to_numpy() & (clean["tokens"].to_numpy() > 0)
    ids, tokens = clean["id"].filter(able), clean["tokens"].to_numpy()[able]
    names = [column.filter(able).combine_chunks() for column in (pool["source"], clean["language"])]
    source, language = (part.dictionary_encode() for part in names)
    width = len(language.dictionary)
    group = source.indices.to_numpy() * width + language.indices.to_numpy()
    labels = [f"{one}/{two}" for one in source.dictionary for two in language.dictionary]
    supply = np.bincount(group, tokens, len(labels))
    small = supply < 0.001 * supply.sum()
    group = np.where(small, len(labels), np.arange(len(labels)))[group]  # they are one group
    supply = np.bincount(group, tokens, len(labels) + 1)
    targets = supply / supply.sum() * round(BUDGET * supply.sum())
    order = np.lexsort((-chance.gumbel(ids.to_pylist(), 0, "draw"), group))
    ends = np.append(0, np.cumsum(np.bincount(group, minlength=len(supply))))
    copies, carry = np.zeros(len(group), np.int64), 0.0
    for number in sorted(np.flatnonzero(supply), key=[*labels, "~"].__getitem__):
        rows, target = order[ends[number] : ends[number + 1]], targets[number]
        sums = np.append(0, np.cumsum(tokens[rows]))
        take = int(np.searchsorted(sums, target, side="right")) - 1
        if take < len(rows):
            over, short = sums[take + 1] - target, target - sums[take]
            take += int(abs(carry + over) < abs(carry - short))
        copies[rows[:take]] = 1
        carry += float(sums[take]) - target
    table = pa.table({"id": ids, "copies": copies})
    pq.write_table(table, root / "numpy.parquet", compression="zstd")


DRAWN_FROM = {
    "pool": ["source", "holdout"],
    "clean": ["id", "kept", "tokens", "language"],
}


def read_all(folder, columns):
    """Read columns of a whole table into memory."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    paths = sorted(folder.glob("*.parquet"))
    return pa.concat_tables(pq.read_table(path, columns=columns) for path in paths)


def is_same_draw(root):
    """Whether `mix` and the draw in numpy gave every document the same copies."""
    import pyarrow.parquet as pq

    if not (root / "mix").exists() or not (root / "numpy.parquet").exists():
        return False
    own, other = read_all(root / "mix", ["id", "copies"]), pq.read_table(root / "numpy.parquet")
    return own["id"].equals(other["id"]) and own["copies"].equals(other["copies"])


def copy(root):
    """Read the Parquet files of the export, and write them again."""
    import pyarrow.parquet as pq

    (root / "copy").mkdir()
    for path in sorted((root / "export").glob("data-*.parquet")):
        pq.write_table(pq.read_table(path), root / "copy" / path.name, compression="zstd")


def copy_all(root):
    """Read the pool, and write the rows that were drawn."""
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    drawn = read_all(root / "mix", ["id", "copies"])
    ids = drawn.filter(pc.greater(drawn["copies"], 0))["id"].combine_chunks()
    (root / "copy-all").mkdir()
    for path in sorted((root / "pool").glob("*.parquet")):
        table = pq.read_table(path, columns=["id", "text", "source", "license"])
        table = table.filter(pc.is_in(table["id"], ids))
        pq.write_table(table, root / "copy-all" / path.name, compression="zstd")


PEERS = {"draw": draw, "copy": copy, "copy-all": copy_all}
"""What runs beside the stages, as processes of their own."""


# ── what it must show


def checks(bench, sizes, largest, long):
    """Yield what is asked, what was measured, and the limit, None where it is only told.

    What failed misses its limit.
    """
    figures = bench.figures
    for part, names in figures.items():
        for name, own in names.items():
            if own["failed"]:
                yield f"{part}, {name}: {own['failed']}", 1, 0
    few, many = worked(figures, sizes[0]), worked(figures, sizes[-1])
    than = f"times at {sizes[0]:,}"
    for name in (*STAGES, BY_SOURCE, LIMITED):
        if name in few and name in many and sizes[0] < sizes[-1]:
            yield from memory_checks(name, than, few[name], many[name])
            for unit in ("seconds", "cpu"):
                limit = SLOPE * sizes[-1] / sizes[0]
                yield f"{name}: {unit}, {than}", many[name][unit] / few[name][unit], limit
        if name in CPU_SECONDS and name in many and sizes[-1] == LARGE:
            yield f"{name}: CPU seconds", many[name]["cpu"], CPU_SECONDS[name]
    yield from export_checks(worked(figures, f"{long} long"))
    yield from draw_checks(bench.same, sizes[-1], many)
    most = worked(figures, largest)
    yield from draw_checks(bench.same, largest, most, TIMES_NUMPY)
    for name in (BY_SOURCE, LIMITED):
        if name in few and name in most:
            yield from memory_checks(f"{name}, {largest:,}", than, few[name], most[name])


def worked(figures, part):
    """Return the figures of a part without those of what failed."""
    return {name: own for name, own in figures.get(f"{part}", {}).items() if not own["failed"]}


def memory_checks(name, than, few, many):
    """Yield the checks of memory: its size, and how it grows with the documents."""
    yield f"{name}: MB", many["megabytes"], MEGABYTES
    yield f"{name}: MB, {than}", many["megabytes"] / few["megabytes"], GROWTH


def export_checks(part):
    """Yield how many times the processor seconds of plain copies an export takes."""
    for name, limit in TIMES_COPY.items():
        for peer, most in ((COPY, limit), (COPY_ALL, None)):
            if {f"export {name}", peer} <= part.keys():
                times = part[f"export {name}"]["cpu"] / part[peer]["cpu"]
                yield f"export {name}: cpu, times {peer}", times, most


def draw_checks(same, size, part, limit=None):
    """Yield how many times the draw in numpy `mix` takes, and whether both draw the same."""
    if {BY_SOURCE, NUMPY} <= part.keys():
        for unit in ("seconds", "cpu"):
            times = part[BY_SOURCE][unit] / part[NUMPY][unit]
            yield f"{BY_SOURCE}, {size:,}: {unit}, times numpy", times, limit
        yield f"{BY_SOURCE}, {size:,}: draws unlike numpy's", int(not same[f"{size}"]), 0


def say(line):
    """Tell how far it is."""
    print(line, file=sys.stderr, flush=True)


def main():
    """Measure every size; print what is asked beside it, and keep all figures."""
    parser = argparse.ArgumentParser()
    parser.add_argument(
        "documents", nargs="*", type=int, default=[200_000, LARGE], help="for every stage; 0: none"
    )
    parser.add_argument("--largest", type=int, default=10_000_000, help="for mix alone; 0: none")
    parser.add_argument("--long", type=int, default=200_000, help="long documents; 0: none")
    parser.add_argument("--folder", type=Path, help="where workspaces are written, and removed")
    parser.add_argument("--print", action="store_true", help="write no results/flat.json")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="flat-", dir=given.folder) as folder:
        bench = Bench(Path(folder))
        for documents in filter(None, given.documents):
            bench.every_stage(documents)
        if given.long:
            bench.exports(given.long)
        if given.largest:
            bench.mixture(given.largest)
    rows = [
        {
            "what": what,
            "measured": round(value, 2),
            "at_most": limit,
            "holds": limit is None or value <= limit,
        }
        for what, value, limit in checks(bench, given.documents, given.largest, given.long)
    ]
    if not given.print:
        from tests.benchmarks.setting import write

        write("flat", {"workers": WORKERS, "measured": bench.figures, "asked": rows})
    for row in rows:
        limit = "" if row["at_most"] is None else f"   at most {row['at_most']:,.4g}"
        say(f"{row['what']:56}{row['measured']:10,.2f}{limit}{'' if row['holds'] else '   MISSED'}")


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["stage", name, *arguments]:
            stage(name, *arguments)
        case [name, root] if name in PEERS:
            PEERS[name](Path(root))
        case _:
            main()
