"""Pictures: what heads learn from their vectors, and how fast they are pooled, cleaned, embedded.

    python -m tests.benchmarks.images [FOLDER] [MADE ...]

FOLDER holds a folder for each class, by default those of Debian's `openclipart-png`: 240 files
of each of five classes are drawn by hash; 50 and 200 are labelled, the rest are tested, five
times. Beside vectors: histograms of colours (8 x 8 x 8), learned by the same heads, and the most
frequent class. Where MADE is given (as in 2000 20000), so many pictures are made from these by
turning, cutting and recolouring, and pooled, cleaned (set `image`, near-duplicates), embedded, each
in a process of its own: pictures a second, and the most memory of one process. That needs a quiet
machine.
"""

import io
import json
import random
import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps
from threadpoolctl import threadpool_limits

from curate import chance
from curate.engine import Local
from curate.heads import Lesson, Options, learn
from curate.heads.scores import macro_f1
from curate.media.images import decode
from curate.media.medium import MediumError
from curate.media.models import EfficientNetLite0
from curate.workspace import Workspace
from tests.benchmarks import setting

FOLDER = Path("/usr/share/openclipart/png")
CLASSES = ("animals", "food", "transportation", "signs_and_symbols", "people")
EACH = 240
NUMBERS = (50, 200)


def main():
    arguments = sys.argv[1:]
    if arguments[:1] == ["--stage"]:
        return one_stage(Path(arguments[1]), arguments[2])
    folder = Path(arguments[0]) if arguments else FOLDER
    if not folder.is_dir():
        sys.exit(f"skipped: there is no {folder} (apt-get install openclipart-png)")
    made = [int(number) for number in arguments[1:]]
    files = drawn(folder)
    with threadpool_limits(1):
        figures = {"macro-F1": learned(files)}
    if made:
        figures["speed"] = {f"{number:,}": speed(files, number) for number in made}
    return setting.write("images", figures)


# ── learning


def drawn(folder):
    """So many pictures of each class that can be decoded, by the hash of their names."""
    chosen = []
    for name in CLASSES:
        paths = sorted(path for path in (folder / name).rglob("*.png"))
        order = np.argsort(chance.uniform([path.name for path in paths], 0, "images"))
        own = []
        for place in order.tolist():
            if len(own) == EACH:
                break
            if picture_of(paths[place]) is not None:
                own.append((paths[place], name))
        chosen += own
    return chosen


def picture_of(path):
    """A picture of at most 512 pixels a side; None for one that cannot be decoded."""
    if path.stat().st_size > 1_000_000:
        return None
    try:
        picture = decode(path.read_bytes())
    except MediumError:
        return None
    picture.thumbnail((512, 512))
    return picture


def learned(files):
    """The macro-F1 of each kind of features, by the number of labels."""
    pictures = [picture_of(path) for path, _ in files]
    features = {"efficientnet-lite0": vectors_of(pictures), "colours": colours_of(pictures)}
    truth = np.array([CLASSES.index(name) for _, name in files])
    ids = [str(path.relative_to(path.parents[2])) for path, _ in files]
    rows = {}
    for number in NUMBERS:
        scores = {name: [] for name in (*features, "majority")}
        for seed in setting.SEEDS:
            order = np.argsort(chance.uniform(ids, seed, "labelled"))
            known, tested = order[:number], order[number:]
            for name, own in features.items():
                scores[name].append(f1(truth, tested, predicted(own, truth, ids, known, tested)))
            most = np.bincount(truth[known], minlength=len(CLASSES)).argmax()
            scores["majority"].append(f1(truth, tested, np.full(len(tested), most)))
        rows[number] = {name: setting.spread(own) for name, own in scores.items()}
    return rows


def vectors_of(pictures):
    """The vectors of the default encoder."""
    model, parts = EfficientNetLite0(), []
    for start in range(0, len(pictures), 32):
        own = [model.prepared(picture) for picture in pictures[start : start + 32]]
        parts.append(model.vectors(np.stack(own)))
    return np.vstack(parts)


def colours_of(pictures):
    """The share of pixels in each of 512 bins of red, green and blue."""
    rows = []
    for picture in pictures:
        pixels = np.asarray(picture).reshape(-1, 3) >> 5
        bins = pixels @ np.array([64, 8, 1])
        rows.append(np.bincount(bins, minlength=512) / len(bins))
    return np.array(rows, np.float32)


def predicted(own, truth, ids, known, tested):
    """What a head decides that `score` would learn from these labels."""
    lesson = Lesson(
        kind="choice",
        values=CLASSES,
        ids=tuple(ids[row] for row in known),
        truth=np.eye(len(CLASSES))[truth[known]],
        settled=np.ones(len(known), bool),
        vectors={"own": own[known]},
        texts=(),
        groups=np.array([""] * len(known)),
    )
    head = learn(lesson, Options(features="embeddings", resamples=2))
    return np.asarray(head.predict({"own": own[tested]}, None, None).decided)


def f1(truth, tested, decided):
    return macro_f1(decided, np.eye(len(CLASSES))[truth[tested]])


# ── speed


def speed(files, number):
    """Pictures a second of each stage, and the most memory of its process in MB."""
    root = setting.RUNS / f"images-{number}"
    make(root / "data", files, number)
    where = Workspace(root, engine=Local(2))
    where.init("images")
    figures = {"megabytes": round(sum(own.stat().st_size for own in files_in(root)) / 1e6)}
    for name in ("pool", "clean", "embed"):
        command = [sys.executable, "-m", "tests.benchmarks.images", "--stage", str(root), name]
        own = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
        figures[name] = {
            "pictures a second": round(number / own["seconds"], 1),
            "most memory, MB": own["memory"],
        }
    spent = sum(number / figures[name]["pictures a second"] for name in ("pool", "clean"))
    figures["pool and clean, pictures a second"] = round(number / spent, 1)
    return figures


def files_in(root):
    return (root / "data").rglob("*.png")


def make(folder, files, number):
    """Make pictures by turning, cutting and recolouring others; those that are there stay."""
    if folder.is_dir() and sum(1 for _ in folder.rglob("*.png")) >= number:
        return
    rng = random.Random(0)
    for place in range(number):
        path = files[place % len(files)][0]
        target = folder / f"{place % 100:02}" / f"{place:06}.png"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(varied(picture_of(path), rng, first=place < len(files)))


def varied(picture, rng, *, first):
    """The bytes of a picture that is turned, cut and recoloured, unless it is the first of its."""
    if not first:
        width, height = picture.size
        picture = picture.rotate(rng.uniform(15, 345), fillcolor="white", expand=True)
        left, top = (rng.randint(0, side // 4) for side in (width, height))
        picture = picture.crop((left, top, left + width * 3 // 4, top + height * 3 // 4))
        channels = list(picture.split())
        rng.shuffle(channels)
        picture = ImageOps.posterize(Image.merge("RGB", channels), rng.randint(4, 8))
    sink = io.BytesIO()
    picture.save(sink, "PNG", compress_level=3)
    return sink.getvalue()


def one_stage(root, name):
    """Run one stage in this process, and print its seconds and its memory in MB."""
    from curate.embed import embed

    where = Workspace(root, engine=Local(2))
    began = time.perf_counter()
    if name == "pool":
        setting.stage(where, "pool", sources=[{"name": "made", "paths": ["data"]}])
    elif name == "clean":
        setting.stage(where, "clean", rules=["image"], near_media=0.93, privacy="flag")
    else:
        embed(where, "auto")
    seconds = time.perf_counter() - began
    status = Path("/proc/self/status").read_text()
    own = int(status.partition("VmHWM:")[2].split()[0])
    memory = max(own, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss) // 1024
    sys.stdout.write(json.dumps({"seconds": seconds, "memory": memory}))


if __name__ == "__main__":
    main()
