"""Real pictures with a class: Debian's `openclipart-png`, whose folders say what is drawn.

Open Clipart Library 0.18, public domain: 8,121 PNG in 22 folders. The package is taken where it is
installed; otherwise it is fetched with `apt-get download` and unpacked, without root.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

from recipes.demo.data import drawn
from recipes.demo.replay import PlannedAnswer

PACKAGE = "openclipart-png"
INSTALLED = Path("/usr/share/openclipart/png")
CLASSES = ("animals", "food", "people", "signs_and_symbols", "transportation")
EACH = 240
"""So many pictures of each class."""

SMALLEST, LARGEST = 300, 1_000_000
"""Bytes of a picture: smaller ones are empty, and larger ones are slow in a page."""

MISSING = (
    f"the pictures of Debian's package {PACKAGE} are not there, and cannot be fetched: {{why}}.\n"
    f"On Debian or Ubuntu: apt-get install {PACKAGE}; elsewhere unpack the package so that "
    f"{INSTALLED} is there."
)


def clipart(cache: Path) -> Path:
    """The folder of pictures, a folder for each class. SystemExit if it cannot be had."""
    if INSTALLED.is_dir():
        return INSTALLED
    unpacked = cache / PACKAGE
    inside = unpacked / INSTALLED.relative_to("/")
    if not inside.is_dir():
        _fetch(cache, unpacked)
    if not inside.is_dir():
        raise SystemExit(MISSING.format(why="the package holds no pictures"))
    return inside


def _fetch(cache: Path, unpacked: Path) -> None:
    """Download the package and unpack it beside; it is there whole, or not at all."""
    cache.mkdir(parents=True, exist_ok=True)
    for program in ("apt-get", "dpkg-deb"):
        if shutil.which(program) is None:
            raise SystemExit(MISSING.format(why=f"there is no {program}"))
    try:
        subprocess.run(["apt-get", "download", PACKAGE], cwd=cache, check=True)
    except subprocess.CalledProcessError:
        raise SystemExit(MISSING.format(why="apt-get download failed")) from None
    package = max(cache.glob(f"{PACKAGE}_*.deb"), key=lambda path: path.stat().st_mtime)
    waiting = unpacked.with_suffix(".tmp")
    shutil.rmtree(waiting, ignore_errors=True)
    subprocess.run(["dpkg-deb", "-x", str(package), str(waiting)], check=True)
    waiting.rename(unpacked)


def write_pictures(folder: Path, pictures: Path, seed: int, each: int = EACH) -> Path:
    """Copy `each` pictures of every class into one folder, and write `truth.json`: name → class.

    A name is the beginning of the picture's sha256, so it tells nobody the class. A picture that
    stands in two classes is left out.
    """
    folder.mkdir(parents=True, exist_ok=True)
    own = {name: dict(_pictures(pictures / name)) for name in CLASSES}
    twice = {
        digest
        for name in CLASSES
        for digest in own[name]
        for other in CLASSES
        if other != name and digest in own[other]
    }
    truth = {}
    for name in CLASSES:
        digests = sorted(own[name].keys() - twice)
        for digest in drawn(seed, name).sample(digests, min(each, len(digests))):
            file = f"{digest[:16]}.png"
            shutil.copyfile(own[name][digest], folder / file)
            truth[file] = name
    path = folder.parent / "truth.json"
    path.write_text(json.dumps(truth, indent=0, sort_keys=True), encoding="utf-8")
    return path


def _pictures(folder: Path) -> Iterator[tuple[str, Path]]:
    """Yield the pictures of a class by their sha256, in the order of their paths."""
    for path in sorted(folder.rglob("*.png")):
        if path.is_file() and SMALLEST <= path.stat().st_size <= LARGEST:
            yield sha256(path.read_bytes()).hexdigest(), path


def plan(
    tasks: Sequence[Mapping[str, Any]], truth: Mapping[str, str], accounts: Sequence[str]
) -> list[PlannedAnswer]:
    """An answer for each picture and account: the name of the folder that the picture was in."""
    return [
        PlannedAnswer(account, task["id"], truth[Path(task["image"]).name], "submitted", 0)
        for task in tasks
        for account in accounts
    ]
