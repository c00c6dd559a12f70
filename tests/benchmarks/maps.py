"""Which map of embeddings is worth its weight: PCA, openTSNE, umap-learn?

    python -m tests.benchmarks.maps WORKSPACE [WORKSPACE …]

The embeddings are those of the first workspace (`make demo-chinese` makes one). What is not
installed is left out. `kept` is the share of the 10 nearest neighbours of a document that are among
its 10 nearest on the map, over 1,000 documents; `among 100` among its 100 nearest. `report` is what
the page costs with the map and without: processor seconds of `curate report`, the least of paired
runs in turn.
"""

import importlib.metadata
import importlib.util
import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from curate.engine import Local
from curate.report import plane
from curate.report.sections.map import _vectors
from curate.workspace import Workspace
from tests.benchmarks.setting import write

ASKED, NEAR, FAR, PAIRS = 1_000, 10, 100, 3


def by_pca(vectors):
    """The map of the report."""
    return plane.plane(vectors)[0]


def by_tsne(vectors):
    """t-SNE, by openTSNE with its defaults."""
    from openTSNE import TSNE

    return np.asarray(TSNE(n_jobs=1, random_state=0).fit(vectors))


def by_umap(vectors):
    """UMAP, by umap-learn with its defaults."""
    from umap import UMAP

    return UMAP(n_jobs=1, random_state=0).fit_transform(vectors)


MAPS = {"PCA": (by_pca, "numpy"), "t-SNE": (by_tsne, "openTSNE"), "UMAP": (by_umap, "umap")}


def nearest(points, rows, number):
    """The nearest other points of some rows: rows x number."""
    own = (points[rows] ** 2).sum(axis=1)[:, None] + (points**2).sum(axis=1)
    distance = own - 2 * points[rows] @ points.T
    distance[np.arange(len(rows)), rows] = np.inf
    return np.argpartition(distance, number, axis=1)[:, :number]


def kept(vectors, place, number):
    """The mean share of near neighbours that are among the nearest on the map."""
    rows = np.random.default_rng(0).choice(len(vectors), min(ASKED, len(vectors)), replace=False)
    pairs = zip(nearest(vectors, rows, NEAR), nearest(place, rows, number), strict=True)
    return float(np.mean([len(set(one) & set(other)) / NEAR for one, other in pairs]))


def cost_of_the_page(workspace):
    """The processor seconds of `curate report` with the map and without it, in turn."""
    seconds = {"--map": [], "--no-map": []}
    for _ in range(PAIRS):
        for option, own in seconds.items():
            began = children()
            command = ("report", "-w", str(workspace.root), option)
            subprocess.run([sys.executable, "-m", "curate", *command], check=True)
            own.append(children() - began)
    least = {option.strip("-"): round(min(own), 2) for option, own in seconds.items()}
    return {**least, "more": round(least["map"] / least["no-map"] - 1, 3), "pairs": PAIRS}


def children():
    """The processor seconds of all processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main():
    """Measure every map on the first workspace, the page's cost on each, and keep the figures."""
    first, *_ = workspaces = [Workspace(Path(own), engine=Local(1)) for own in sys.argv[1:]]
    own = _vectors(first)
    vectors = own.vectors(first)[1][: plane.POINTS].astype(np.float32)
    figures = {}
    for name, (make, module) in MAPS.items():
        if importlib.util.find_spec(module) is None:
            print(f"{name}: {module} is not installed")
            continue
        started, cpu = time.perf_counter(), time.process_time()
        place = np.asarray(make(vectors), np.float64)
        figures[name] = {
            "cpu": round(time.process_time() - cpu, 2),
            "seconds": round(time.perf_counter() - started, 2),
            "kept": round(kept(vectors, place, NEAR), 3),
            "among 100": round(kept(vectors, place, FAR), 3),
        }
        print(name, figures[name], flush=True)
    pages = {f"{_vectors(each).documents} documents": cost_of_the_page(each) for each in workspaces}
    about = {"encoder": own.encoder, "points": len(vectors), "dimension": vectors.shape[1]}
    sys.argv[1:] = ["WORKSPACE"] * len(workspaces)  # a path is of one machine alone
    write("maps", {**about, "maps": figures, "report": pages})


if __name__ == "__main__":
    main()
