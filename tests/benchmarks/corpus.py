"""How fast is a corpus collected, and are its near-duplicates found?

    python -m tests.benchmarks.corpus near            signatures, the whole step, beside datasketch
    python -m tests.benchmarks.corpus whole 1000000   read, ruled, deduplicated, counted, written

Both run on real text out of installed packages (see texts.py). Ratios are of one run on the same
documents, in processor time of one core, so that a busy machine changes them little.
"""

import json
import os
import shutil
import sys
import threading
import time
from importlib.metadata import version
from pathlib import Path

import numpy as np

from curate import text as canon
from curate.clean.duplicates.near import Shard, near_duplicates, signatures
from curate.clean.rules.registry import ranges
from curate.engine import Local
from curate.minhash import PERMUTATIONS, SEED
from curate.run.recipe import Recipe
from curate.run.stages import run_stage
from curate.shingles import flat
from curate.workspace import Workspace
from tests.benchmarks import setting, texts

DOWNLOADS = Path("runs/downloads").resolve()
FOLDER = setting.RUNS / "corpus"
RULES = ["gopher_quality", "gopher_repetition", "c4", "fineweb"]
BASES, EDITED, VERIFY = 4000, 1000, 0.5


def timed(function):
    """Return what a function makes, and its processor time in seconds."""
    started = time.process_time()
    made = function()
    return made, time.process_time() - started


# ── near-duplicates beside datasketch


def near():
    """Measure both languages."""
    found = {}
    for kind in ("prose", "chinese"):
        bases, edits = planted(kind)
        found[kind] = {**speed([*bases, *edits]), **recall(bases, edits)}
    found["peer"] = f"datasketch {version('datasketch')}"
    return found


def planted(kind, seed=0):
    """Return documents, and edits of the first of them: 5 % of the words or characters changed."""
    rng = texts.Random(seed)
    units = texts.pieces(DOWNLOADS)[kind]
    bases = [texts.composed(units, texts.SPANS[kind], rng) for _ in range(BASES)]
    return bases, [texts.edited(text, kind, 0.05, rng) for text in bases[:EDITED]]


def speed(documents):
    """Compare the making of signatures, and the step from text to candidates."""
    from datasketch import MinHash, MinHashLSH
    from rensa import RMinHash

    tokens = [canon.shingles(text) for text in documents]
    hashes, ends = flat(documents)
    places = ends.astype(np.uint64)

    def own_signatures():
        return RMinHash.digest_matrix_from_flat_token_hashes(hashes, places, PERMUTATIONS, SEED)

    def their_signatures(sets):
        found = []
        for some in sets:
            one = MinHash(num_perm=PERMUTATIONS, seed=SEED)
            one.update_batch(some)
            found.append(one)
        return found

    def their_step():
        made = their_signatures([canon.shingles(text) for text in documents])
        index = MinHashLSH(num_perm=PERMUTATIONS, params=(32, 4))
        pairs = 0
        for place, one in enumerate(made):
            pairs += len(index.query(one))
            index.insert(str(place), one)
        return pairs

    settled(documents[:50], np.inf)  # imports are not what is measured
    _, own = timed(own_signatures)
    made, theirs = timed(lambda: their_signatures(tokens))
    _, own_step = timed(lambda: settled(documents, np.inf))
    _, their_whole = timed(their_step)
    n = len(made)
    return {
        "documents": n,
        "mean_chars": round(float(np.mean([len(text) for text in documents]))),
        "signatures": {
            "own_per_second": round(n / own),
            "datasketch_per_second": round(n / theirs),
            "ratio": round(theirs / own, 1),
        },
        "step": {
            "own_per_second": round(n / own_step),
            "datasketch_per_second": round(n / their_whole),
            "ratio": round(their_whole / own_step, 1),
        },
    }


def recall(bases, edits):
    """Return how many of the planted pairs are found, and pairs that are not alike in truth."""
    found = settled([*bases, *edits], VERIFY)
    wanted = {len(bases) + at: at for at in range(len(edits))}
    true = [similarity(edits[at], bases[at]) for at in range(len(edits))]
    able = [at for at in range(len(edits)) if true[at] >= VERIFY]
    hit = sum(len(bases) + at in found for at in able)
    documents = [*bases, *edits]
    false = sum(
        similarity(documents[one], documents[other]) < VERIFY for one, other in found.items()
    )
    return {
        "planted": len(wanted),
        "alike_in_truth": len(able),
        "recall": round(hit / len(able), 4),
        "recall_of_all_planted": round(sum(k in found for k in wanted) / len(wanted), 4),
        "false_pairs": false,
    }


def similarity(one, other):
    """Return the Jaccard similarity of the true shingles, as strings."""
    a, b = frozenset(canon.shingles(one)), frozenset(canon.shingles(other))
    return len(a & b) / len(a | b) if a and b else 0.0


def settled(documents, threshold):
    """Run the whole step on one core, files included; return {place: place of the kept}."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    folder = FOLDER / "near"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    rows = len(documents)
    ids = [f"{place:010x}".ljust(32, "0") for place in range(rows)]
    table = pa.table(
        {
            "id": ids,
            "text": documents,
            "source": ["a"] * rows,
            "batch": pa.array([1] * rows, pa.int32()),
            "_signature": pa.array(signatures(documents), pa.binary()),
            "reason": pa.nulls(rows, pa.string()),
        }
    )
    path = folder / "texts.parquet"
    pq.write_table(table, path)
    shard = Shard(0, path, path, None, path, {"a": 0})
    gone = near_duplicates(Local(1), [shard], threshold, folder / "scaffold")
    return {row["row"]: int(row["kept"][:10], 16) for row in gone.of(0).to_pylist()}


# ── the whole corpus


def whole(documents):
    """Collect and clean a corpus; return times, rates, memory and what was found."""
    root = FOLDER / str(documents)
    if not (root / "data").exists():
        planted_ = texts.write(root / "data", documents, DOWNLOADS)
        (root / "planted.json").write_text(json.dumps(vars(planted_)))
    for name in ("pool", "clean", ".building"):
        shutil.rmtree(root / name, ignore_errors=True)
    steps = {}
    memory = Memory()
    memory.start()
    engine = Local()
    where = Workspace(root, engine=engine)
    where.init("corpus")
    sources = [{"name": "web", "paths": ["data/*.jsonl"]}]
    # All signals are measured and all documents compared: the limits drop nothing.
    limits = {name: {"min": None, "max": None} for name in ranges(RULES)}
    rules = {"rules": RULES, "limits": limits, "near_duplicates": 0.7}
    plan = (("pool", {"sources": sources}), ("clean", rules))
    before = os.times()
    for stage, settings in plan:
        started = time.perf_counter()
        spec = type(Recipe().section(stage)).model_validate(settings)
        made = run_stage(where, stage, spec).result
        steps[stage] = {"seconds": round(time.perf_counter() - started, 1)}
        if stage == "pool":
            steps[stage] |= {"documents": made.documents, "copies": made.copies}
            steps[stage] |= {"tokens": made.tokens}
        else:
            steps[stage] |= {"kept": made.kept, "near": made.reasons.get("near_duplicate", 0)}
    engine.close()
    after = os.times()
    memory.stop()
    seconds = sum(step["seconds"] for step in steps.values())
    used = sum(after[k] - before[k] for k in range(4))
    return {
        "planted": json.loads((root / "planted.json").read_text()),
        "steps": steps,
        "seconds": round(seconds, 1),
        "cpu_seconds": round(used, 1),
        "seconds_if_cores_were_free": round(used / engine.workers, 1),
        "documents_per_second": round(documents / seconds),
        "load_average": [round(each, 1) for each in os.getloadavg()],
        "peak_pss_mb": round(memory.peak / 1024),
        "peak_pss_mb_by_process": memory.parts,
    }


class Memory(threading.Thread):
    """Watches the summed memory (PSS) of this process and all under it."""

    def __init__(self):
        super().__init__(daemon=True)
        self.peak = 0
        self.parts = []
        self.going = True

    def run(self):
        while self.going:
            parts = [pss(pid) for pid in family(os.getpid())]
            if sum(parts) > self.peak:
                self.peak, self.parts = sum(parts), [part // 1024 for part in parts]
            time.sleep(0.2)

    def stop(self):
        self.going = False
        self.join()


def family(pid):
    """Return a process and all under it."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return []
    return [pid, *(each for child in children for each in family(int(child)))]


def pss(pid):
    """Return the proportional set size of a process in kB."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)


def main():
    """Measure what the arguments ask for, and keep it beside what was measured before."""
    path = setting.RESULTS / "corpus.json"
    figures = json.loads(path.read_text())["figures"] if path.exists() else {}
    match sys.argv[1:]:
        case ["near"]:
            figures["near"] = near()
        case ["whole", number]:
            figures[f"whole_{number}"] = whole(int(number))
        case _:
            raise SystemExit(__doc__)
    setting.write("corpus", figures)


if __name__ == "__main__":
    main()
