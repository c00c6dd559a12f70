"""English text of several kinds: code, help, licences, descriptions, reviews, articles.

Nothing is copied into the project: code, docstrings, licences and descriptions are those of the
running Python and of installed packages; reviews and articles come from ../shared/data and manual
pages from a Debian package, where they can be had. What is missing is told on stderr.
"""

import ast
import re
import subprocess
import sys
import sysconfig
from hashlib import blake2b
from importlib.metadata import distributions
from pathlib import Path

SHARED = Path("../shared/data")
LEAST, MOST = 40, 30_000
"""Characters of a document."""


def documents(most_of_a_kind=1500, downloads=Path("runs/downloads")):
    """Return (kind, text) of distinct documents, a sample of each kind chosen by hash."""
    found = []
    for kind, texts in KINDS.items():
        distinct = {text.strip()[:MOST] for text in texts(downloads)}
        chosen = sorted((text for text in distinct if len(text) >= LEAST), key=noise)
        if not chosen:
            sys.stderr.write(f"no {kind} here\n")
        found += [(kind, text) for text in chosen[:most_of_a_kind]]
    return found


def noise(text):
    return blake2b(text.encode(), digest_size=8).hexdigest()


def _library():
    paths = sorted(Path(sysconfig.get_paths()["stdlib"]).rglob("*.py"))
    paths = [path for path in paths if not {"test", "tests", "site-packages"} & {*path.parts}]
    return [path.read_text(encoding="utf-8", errors="replace") for path in paths]


def code(downloads):
    """Return the standard library's modules, and their functions and classes."""
    for text in _library():
        yield text
        lines = text.split("\n")
        for node in _tree(text).body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.end_lineno:
                yield "\n".join(lines[node.lineno - 1 : node.end_lineno])


def _tree(text):
    try:
        return ast.parse(text)
    except SyntaxError:
        return ast.Module([], [])


def help_pages(downloads):
    """Return Python's own help topics, docstrings, and the manual of Git where Debian has it."""
    from pydoc_data.topics import topics

    yield from topics.values()
    for text in _library():
        nodes = [n for n in ast.walk(_tree(text)) if isinstance(n, ast.FunctionDef | ast.ClassDef)]
        yield from filter(None, (ast.get_docstring(node) for node in nodes))
    folder = downloads / "git-doc"
    if not folder.exists():
        folder.mkdir(parents=True)
        fetch = "apt-get download git-doc && dpkg-deb -x git-doc_*.deb ."
        subprocess.run(fetch, shell=True, cwd=folder, capture_output=True, check=False)
    for path in sorted(folder.rglob("*.txt")):
        yield path.read_text(encoding="utf-8", errors="replace")


def licences(downloads):
    """Return the licences of installed packages, and their parts between blank lines."""
    for package in distributions():
        for file in package.files or ():
            if "licen" in file.name.lower() or "copying" in file.name.lower():
                path = Path(str(file.locate()))
                if path.is_file() and path.suffix not in (".py", ".pyc"):
                    text = path.read_text(encoding="utf-8", errors="replace")
                    yield text
                    parts = re.split(r"\n\s*\n", text)
                    yield from ("\n\n".join(parts[at : at + 6]) for at in range(0, len(parts), 6))


def descriptions(downloads):
    """Return what installed packages say of themselves, and its sections."""
    for package in distributions():
        text = package.metadata.get_payload()
        if isinstance(text, str):
            yield text
            yield from re.split(r"\n(?=#{1,3} )", text)


def reviews(downloads):
    """Return product reviews, put together from their sentences, and film reviews as they are."""
    import pandas as pd

    for name in ("vader_amazon", "vader_movie"):
        path = SHARED / name / "items.parquet"
        if path.exists():
            items = pd.read_parquet(path)
            if name == "vader_amazon":
                number = items["item"].astype(str).str.split("_").str[0]
                yield from items.groupby(number)["text"].agg(" ".join)
                yield from items.groupby(number)["text"].agg("\n".join)
            else:
                yield from items["text"]


def articles(downloads):
    """Return news: short ones and the bodies of web pages, whole and by halves."""
    import pandas as pd

    path = SHARED / "lee_similarity" / "background.txt"
    if path.exists():
        yield from path.read_text(encoding="utf-8", errors="replace").split("\n")
    path = SHARED / "article_extraction" / "pages.parquet"
    if path.exists():
        for text in pd.read_parquet(path)["article"]:
            lines = text.split("\n")
            yield text
            yield from ("\n".join(lines[at : at + 8]) for at in range(0, len(lines), 8))


KINDS = {
    "code": code,
    "help": help_pages,
    "licences": licences,
    "descriptions": descriptions,
    "reviews": reviews,
    "articles": articles,
}
