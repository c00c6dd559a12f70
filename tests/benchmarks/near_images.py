"""Near-duplicates of pictures: planted variants that are found, and unlike pictures that are not.

    python -m tests.benchmarks.near_images [FOLDER]

1,000 pictures of FOLDER (by default Debian's `openclipart-png`; where that is missing, pictures
are drawn) are unlike: no two share a name or are of a series of symbols, and dHash of `imagehash`
has them more than 10 of 64 bits apart, mirrored or not. Without the last rule, 13 pairs were found
among 1,000 others, and looked at: nine are one drawing altered (a balloon in black and in red),
four are road signs or moons of one template. From 200 pictures variants are planted among 400, a
kind at a time: scaled to .3 to .8, cut by 5 % at a place by chance, re-encoded as JPEG of quality
40, grey, mirrored, and the first three at once. Recall is the share of variants for which `clean`
drops one of the two. Pairs among unlike pictures are told by name. Beside it: pHash and dHash of
`imagehash` at the largest distance without a false pair, and at 10 bits. dHash has no false pair
there by choice. The four hashes of `imagededup` too, where it is found:

    pip install --no-deps --target PEER imagededup==0.3.3.post2
    PYTHONPATH=PEER python -m tests.benchmarks.near_images

Its network needs torchvision, which is of another build than a torch for CPUs, and its plots need
matplotlib; its hashes need neither. Where they are missing, empty modules stand in for both.
"""

import io
import random
import shutil
import sys
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from unittest.mock import MagicMock

import numpy as np
from PIL import Image, ImageOps

from curate import chance
from curate.engine import Local
from curate.workspace import Workspace
from tests.benchmarks import setting
from tests.benchmarks.images import FOLDER, picture_of

UNLIKE, PLANTED, AMONG = 1000, 200, 400
SERIES = ("shapes", "icons", "flags", "cards", "chess", "symbol", "sign", "button", "theme")
"""Folders of pictures that differ in a letter or a colour alone."""

USUAL = 10

HASHES = ("PHash", "DHash", "AHash", "WHash")
"""Of `imagededup`."""

UNUSED = (
    *("torchvision", "torchvision.models", "torchvision.models.vision_transformer"),
    *("torchvision.transforms", "matplotlib", "matplotlib.gridspec", "matplotlib.pyplot"),
)
"""What `imagededup` imports for its network and its plots."""


def main():
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    pictures = dict(unlike(folder) if folder.is_dir() else generated())
    names = list(pictures)
    rng = random.Random(0)
    recalls, others = {}, {name: {} for name in hashes()}
    false = found(pictures, {})
    distances = {name: hashed_pairs(pictures, name) for name in others}
    limits = {name: int(own.min()) - 1 for name, own in distances.items()}
    for kind, vary in KINDS.items():
        planted = {f"{name}: {kind}": vary(pictures[name], rng) for name in names[:PLANTED]}
        pairs = found({name: pictures[name] for name in names[:AMONG]}, planted)
        hits = {frozenset(pair) for pair in pairs}
        wanted = [frozenset((name, f"{name}: {kind}")) for name in names[:PLANTED]]
        recalls[kind] = round(sum(pair in hits for pair in wanted) / len(wanted), 4)
        for name, own in others.items():
            own[kind] = recalls_of(pictures, planted, name, limits[name])
        sys.stderr.write(f"{kind}: {recalls[kind]} {others} {len(false)} false\n")
    figures = {
        "pictures": "openclipart-png" if folder.is_dir() else "drawn",
        "recall": recalls,
        "false pairs among unlike pictures": len(false),
        "told": sorted(map(list, false))[:20],
        "packages": {name.split()[0]: version(name.split()[0]) for name in others},
    }
    for name, own in others.items():
        figures[name] = {
            "largest distance without a false pair": limits[name],
            "recall there": {kind: row[0] for kind, row in own.items()},
            f"recall at {USUAL}": {kind: row[1] for kind, row in own.items()},
            f"false pairs at {USUAL}": int((distances[name] <= USUAL).sum()),
        }
    setting.write("near_images", figures, range(1))


# ── pictures


def unlike(folder):
    """Yield names and pictures of which no two are of one series."""
    paths = sorted(folder.rglob("*.png"))
    stems, hashes = set(), []
    for place in np.argsort(chance.uniform([path.name for path in paths], 0, "near")).tolist():
        path = paths[place]
        stem = path.stem.rstrip("_-0123456789abcdefr.")[:12]
        if stem in stems or any(word in str(path.relative_to(folder)) for word in SERIES):
            continue
        picture = picture_of(path)
        if picture is None or min(picture.size) < 200:
            continue
        if np.asarray(picture.convert("L")).std() < 10:
            continue
        marks = [hash_of(one, "imagehash dhash") for one in (picture, ImageOps.mirror(picture))]
        if hashes and min((np.array(hashes) != mark).sum(axis=1).min() for mark in marks) <= USUAL:
            continue
        stems.add(stem)
        hashes.append(marks[0])
        yield str(path.relative_to(folder)), picture
        if len(hashes) == UNLIKE:
            return


def generated():
    """Yield names and pictures that are drawn by chance."""
    from tests.pictures_made import picture

    for number in range(UNLIKE):
        yield f"drawn {number}", picture(number, (480, 360))


def scaled(picture, rng):
    factor = rng.uniform(0.3, 0.8)
    size = tuple(max(16, round(side * factor)) for side in picture.size)
    return picture.resize(size, Image.Resampling.BICUBIC)


def cropped(picture, rng):
    width, height = (round(side * 0.95) for side in picture.size)
    left, top = rng.randint(0, picture.width - width), rng.randint(0, picture.height - height)
    return picture.crop((left, top, left + width, top + height))


def reencoded(picture, rng):
    sink = io.BytesIO()
    picture.save(sink, "JPEG", quality=40)
    return Image.open(io.BytesIO(sink.getvalue())).convert("RGB")


def grey(picture, rng):
    return picture.convert("L").convert("RGB")


def mirrored(picture, rng):
    return ImageOps.mirror(picture)


def all_three(picture, rng):
    return reencoded(scaled(cropped(picture, rng), rng), rng)


KINDS = {
    "scaled": scaled,
    "cropped by 5 %": cropped,
    "re-encoded": reencoded,
    "grey": grey,
    "mirrored": mirrored,
    "cropped, scaled, re-encoded": all_three,
}


# ── what is found


def found(pictures, planted):
    """The pairs of names of which `clean` drops one for the other."""
    root = setting.RUNS / "near-images"
    shutil.rmtree(root, ignore_errors=True)
    names = {}
    for place, (name, picture) in enumerate({**pictures, **planted}.items()):
        path = root / "data" / f"{place:05}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        picture.save(path, "PNG", compress_level=1)
        names[path.name] = name
    where = Workspace(root, engine=Local(2))
    where.init("near")
    setting.stage(where, "pool", sources=[{"name": "pictures", "paths": ["data"]}])
    setting.stage(where, "clean", rules=["image"], near_media=0.93, limits=open_limits())
    origins = where.tables.read("pool", ["id", "origin"]).to_pylist()
    by_id = {row["id"]: names[row["origin"].split("/")[-1][:9]] for row in origins}
    rows = where.tables.read("clean", ["id", "duplicate_of"]).to_pylist()
    pairs = [(by_id[row["id"]], by_id[row["duplicate_of"]]) for row in rows if row["duplicate_of"]]
    copies = where.tables.read("duplicates", ["id", "origin"]).to_pylist()  # grey stays grey
    pairs += [(by_id[row["id"]], names[row["origin"].split("/")[-1][:9]]) for row in copies]
    shutil.rmtree(root)
    return pairs


def open_limits():
    """No other rule drops a picture."""
    signals = {"width": "min", "height": "min", "aspect": "max", "blank": "max"}
    signals |= {"entropy": "min", "sharpness": "min"}
    return {f"image:{name}": {side: None} for name, side in signals.items()}


# ── imagehash and imagededup


def hashes():
    """The hashes that are compared with."""
    beside = HASHES if find_spec("imagededup") else ()
    return ("imagehash phash", "imagehash dhash", *(f"imagededup {name}" for name in beside))


def hash_of(picture, name):
    """The 64 bits of a hash of a picture."""
    package, method = name.split()
    if package == "imagehash":
        import imagehash

        return getattr(imagehash, method)(picture).hash.ravel()
    code = hasher(method).encode_image(image_array=np.asarray(picture))
    return np.array(list(f"{int(code, 16):064b}")) == "1"


@cache
def hasher(method):
    """A method of imagededup."""
    return getattr(peer(), method)(verbose=False)


@cache
def peer():
    """The methods of imagededup, without what its hashes do not use where that is missing."""
    absent = {root for root in ("torchvision", "matplotlib") if find_spec(root) is None}
    for module in UNUSED:
        if module.partition(".")[0] in absent:
            sys.modules[module] = MagicMock()
    from imagededup import methods

    return methods


def hashed_pairs(pictures, name):
    """The distance of every two pictures."""
    bits = np.array([hash_of(picture, name) for picture in pictures.values()], np.int32)
    same = bits @ bits.T + (1 - bits) @ (1 - bits).T
    return 64 - same[np.triu_indices(len(bits), 1)]


def recalls_of(pictures, planted, name, limit):
    """The share of variants within a distance of their picture: the limit's, and the usual one."""
    rows = [
        (hash_of(variant, name) != hash_of(pictures[_of(key)], name)).sum()
        for key, variant in planted.items()
    ]
    distances = np.array(rows)
    return round(float((distances <= limit).mean()), 4), round(
        float((distances <= USUAL).mean()), 4
    )


def _of(key):
    """The name of the picture that a variant was made of."""
    return key.rpartition(": ")[0]


if __name__ == "__main__":
    main()
