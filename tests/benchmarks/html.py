"""Does the main text of a page come out? Beside all of its visible text.

    python -m tests.benchmarks.html [FOLDER]

FOLDER holds `pages.parquet` with the columns html and article: pages of the article extraction
benchmark of Scrapinghub, whose bodies were marked by hand. Of each page, precision, recall and F1
of its words, and of its runs of four words, as often as they occur; then their means over pages,
each page counting the same. The interval is a bootstrap over pages.
"""

import sys
import time
from collections import Counter
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from curate.sources.readers.html import main_text
from tests.benchmarks import setting

FOLDER = Path("../shared/data/article_extraction")
WORDS = 4


def visible(page):
    """Return all text of a page but scripts and styles: the trivial competitor."""
    from lxml import html

    tree = html.fromstring(page)
    for element in tree.xpath("//script | //style | //noscript | //head"):
        element.drop_tree()
    return " ".join(tree.itertext())


def shingles(text, size):
    """Return how often each run of words occurs; a short text is one run."""
    words = text.split()
    if len(words) < size:
        return Counter([tuple(words)] if words else [])
    return Counter(tuple(words[at : at + size]) for at in range(len(words) - size + 1))


def page_scores(found, wanted, size):
    """Return precision, recall and F1 of one page."""
    found, wanted = shingles(found, size), shingles(wanted, size)
    both = (found & wanted).total()
    precision, recall = both / max(found.total(), 1), both / max(wanted.total(), 1)
    return precision, recall, 2 * precision * recall / max(precision + recall, 1e-12)


def measured(scores):
    """Return the means over pages, and a bootstrap interval of that of F1."""
    scores, rng = np.array(scores), np.random.default_rng(0)
    precision, recall, f1 = scores.mean(axis=0).round(4).tolist()
    rows = rng.integers(0, len(scores), (1000, len(scores)))
    low, high = np.quantile(scores[rows, 2].mean(axis=1), [0.025, 0.975]).round(4).tolist()
    return {"precision": precision, "recall": recall, "f1": f1, "f1_95": [low, high]}


def main(folder):
    """Extract every page both ways; write the figures."""
    pages = pq.read_table(folder / "pages.parquet", columns=["html", "article"]).to_pylist()
    figures, seconds = {"pages": len(pages), "trafilatura": version("trafilatura")}, {}
    ways = {"main_text": lambda page: (main_text(page) or {"text": ""})["text"], "visible": visible}
    main_text(pages[0]["html"])  # what is loaded once is not timed
    for name, extract in ways.items():
        before = time.process_time()
        texts = [extract(page["html"]) for page in pages]
        seconds[name] = time.process_time() - before
        wanted = [page["article"] for page in pages]
        figures[name] = {
            label: measured([page_scores(*each, size) for each in zip(texts, wanted, strict=True)])
            for label, size in (("words", 1), ("four_words", WORDS))
        }
        figures[name]["empty"] = sum(not text.strip() for text in texts)
    figures["main_text_seconds_over_visible"] = round(seconds["main_text"] / seconds["visible"], 1)
    setting.write("html", figures)


if __name__ == "__main__":
    chosen = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    if not (chosen / "pages.parquet").is_file():
        sys.exit(f"skipped: no {chosen}/pages.parquet here")
    main(chosen)
