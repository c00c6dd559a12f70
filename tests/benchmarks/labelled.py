"""Real sets with labels for the benchmark of heads: texts, posteriors, and what is measured."""

from __future__ import annotations

import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from curate import chance
from curate.embed import encoders
from curate.heads import Lesson

CACHE = Path(tempfile.gettempdir()) / "curate-bench" / "vectors"
MOST = 4_000
"""Texts of a set, at most: those of the least hashes."""


@dataclass(frozen=True)
class Labelled:
    """A set: `truth` holds posteriors (texts x values); `wanted` is what is ranked or decided."""

    name: str
    kind: str
    language: str
    texts: list[str]
    values: tuple[str, ...]
    truth: np.ndarray
    wanted: np.ndarray
    measure: str

    def ids(self):
        """An id for each text, by its place."""
        return tuple(f"{self.name} {place}" for place in range(len(self.texts)))

    def vectors(self):
        """The vectors by encoder: minilm and use-m3 for English, use-m3 otherwise; cached."""
        names = ("minilm", "use-m3") if self.language == "en" else ("use-m3",)
        return {name: encoded(self, name) for name in names}

    def lesson(self, rows, vectors, truth=None, ids=None):
        """The lesson of some rows, with the vectors of all; `truth` instead of their own labels.

        Folds follow the ids: the places of the rows, unless others are given.
        """
        return Lesson(
            kind=self.kind,
            values=self.values,
            ids=tuple(f"{row}" for row in rows) if ids is None else ids,
            truth=self.truth[rows] if truth is None else truth,
            settled=np.ones(len(rows), bool),
            vectors={encoder: every[rows] for encoder, every in vectors.items()},
            texts=[self.texts[row] for row in rows],
            groups=np.full(len(rows), "one"),
            background=self.texts[:3_000],
        )


def encoded(labelled, encoder):
    """The vectors of a set by one encoder; cached."""
    path = CACHE / f"{labelled.name.replace(' ', '_')}.{encoder}.npy"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        model = encoders.load(encoder, Path(), lambda: iter(labelled.texts))
        parts = [
            labelled.texts[start : start + 512] for start in range(0, len(labelled.texts), 512)
        ]
        temporary = path.with_suffix(".part.npy")
        np.save(temporary, np.concatenate([model.encode(part) for part in parts]))
        temporary.replace(path)
    return np.load(path)


def classes(folder, name, file, text, label, language, called=None):
    """A set of single labels, measured by macro-F1."""
    table = pd.read_parquet(folder / name / f"{file}.parquet").drop_duplicates(text)
    table = _some(table[table[text].str.strip() != ""], name)
    values, codes = np.unique(table[label].astype(str), return_inverse=True)
    truth = np.eye(len(values))[codes]
    texts = table[text].astype(str).tolist()
    own = tuple(values.tolist())
    return Labelled(called or name, "choice", language, texts, own, truth, codes, "macro_f1")


def vader(folder, name):
    """Ratings from -4 to 4 by many people, measured by rank correlation with their mean."""
    items, ratings = (
        pd.read_parquet(folder / name / f"{file}.parquet") for file in ("items", "ratings")
    )
    table = _some(items.merge(ratings, on="item").drop_duplicates("text"), name)
    levels = tuple(range(-4, 5))
    return _rated(name, table["text"], table["ratings"], levels)


def gug(folder):
    """Grammaticality from 1 to 4 by six people."""
    sentences, labels = (
        pd.read_parquet(folder / "gug" / f"{file}.parquet") for file in ("sentences", "labels")
    )
    labels = labels[labels["label"].astype(str).isin(list("1234"))]
    ratings = labels.assign(label=labels["label"].astype(int)).groupby("item")["label"].agg(list)
    table = sentences.assign(ratings=sentences["Id"].map(ratings)).dropna(subset=["ratings"])
    return _rated("gug", table["Sentence"], table["ratings"], (1, 2, 3, 4))


def popquorn(folder):
    """Offensiveness from 1 to 5."""
    own = folder / "popquorn_offensiveness"
    items, labels = (pd.read_parquet(own / f"{file}.parquet") for file in ("items", "labels"))
    ratings = labels.groupby("instance_id")["offensiveness"].agg(lambda own: [int(x) for x in own])
    table = items.assign(ratings=items["instance_id"].map(ratings)).dropna(subset=["ratings"])
    return _rated("popquorn", table["text"], table["ratings"], (1, 2, 3, 4, 5))


def _rated(name, texts, ratings, levels):
    counts = [Counter(own) for own in ratings]
    truth = np.array([[own[level] for level in levels] for own in counts], float)
    truth /= truth.sum(axis=1, keepdims=True)
    values = tuple(str(level) for level in levels)
    wanted = truth @ np.array(levels)
    return Labelled(name, "rating", "en", texts.tolist(), values, truth, wanted, "spearman")


def unnatural(folder, least=15):
    """Web extracts that people found unnatural, for each language with enough of them."""
    table = pd.read_parquet(folder / "hplt_web_quality" / "docs.parquet").drop_duplicates("text")
    for language, own in table.groupby("lang"):
        wanted = own["unnatural"].to_numpy().astype(int)
        if wanted.sum() >= least:
            name, truth = f"unnatural {language}", np.eye(2)[wanted]
            texts = own["text"].tolist()
            yield Labelled(name, "choice", language, texts, ("no", "yes"), truth, wanted, "auc")


def _some(table, name):
    if len(table) <= MOST:
        return table.reset_index(drop=True)
    keys = chance.uniform([f"{name} {place}" for place in range(len(table))], 0, "some")
    return table.iloc[np.sort(np.argsort(keys)[:MOST])].reset_index(drop=True)


def measured(folder):
    """The sets on which heads are measured."""
    return [
        classes(folder, "trec", "questions", "text", "label", "en"),
        classes(folder, "subj", "sentences", "text", "label", "en"),
        classes(folder, "sst5", "sentences", "text", "label", "en"),
        classes(folder, "zh_waimai", "reviews", "review", "label", "zh"),
        classes(folder, "zh_shopping", "reviews", "review", "label", "zh"),
        classes(folder, "zh_shopping", "reviews", "review", "cat", "zh", "zh_shopping topic"),
        vader(folder, "vader_tweets"),
        vader(folder, "vader_movie"),
        gug(folder),
        *unnatural(folder),
    ]


def tuning(folder):
    """Other sets, on which the rules of the choice were tried."""
    registers = classes(folder, "svcore_registers", "docs", "text", "label", "sv")
    single = np.flatnonzero([" " not in registers.values[code] for code in registers.wanted])
    values, codes = np.unique(
        [registers.values[registers.wanted[row]] for row in single], return_inverse=True
    )
    texts = [registers.texts[row] for row in single]
    truth = np.eye(len(values))[codes]
    own = tuple(values.tolist())
    return [
        classes(folder, "cr", "sentences", "text", "label", "en"),
        Labelled("registers", "choice", "sv", texts, own, truth, codes, "macro_f1"),
        classes(folder, "armis_arabic", "items", "text", "majority", "ar"),
        classes(folder, "hs_brexit", "items", "text", "majority", "en"),
        classes(folder, "turku_line_quality", "lines", "text", "keep", "xx"),
        classes(folder, "turku_line_quality", "lines", "text", "lang", "xx", "line language"),
        vader(folder, "vader_amazon"),
        popquorn(folder),
    ]
