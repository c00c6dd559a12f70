"""Hostile files and texts: each is read to its end, in time, and costs itself alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from time import process_time
from typing import Any

from curate.clean import detecting
from curate.clean.duplicates.near import signatures
from curate.clean.instruments import benchmarks
from curate.clean.instruments.grams import hashed
from curate.clean.instruments.privacy import instrument
from curate.clean.rules import c4, features, norms
from curate.clean.rules.registry import RULES
from curate.sources.reading import Bad, SourceSpec, parts, read

Try = Callable[[], str | None]

MOST = 20
"""A byte of no text costs more than this many bytes of prose."""

SIZE = 200_000
PROSE = "The river was low that summer, and people walked across it to the market for bread.\n"
RUNS = (
    *("+", "=", "a", "0 ", "@", "a.", "-", "\n", " ", "...", "(", "'s", "{", "key=", "1\n", "é"),
    *(
        "sk-",
        "a-",
        "a.B",
        "•\n",
        "%40",
        "&#64;",
        "a@a.a ",
        "1\u00a0",
        "1\u2011",
        "\u200b",
        "card #",
    ),
    *(
        "tel 1",
        "a:",
        "A ",
        "İ",
        "字",
        "ก",
        "😀",
        "a\u0301",
        "\u0315\u0300",
        "\u1100",
        "[1",
        *(
            "aB",
            "a1",
            "A\n",
            "\u202eא",
            "\u200d",
            "\ufeff",
            "א\u05b0",
            "\u0e47",
        ),
        "http://",
    ),
)
FILES = {
    "a value that is no date": ("a.md", "---\nday: !!timestamp x\n---\nhello"),
    "a value that is no number": ("a.md", "---\nn: !!int ''\n---\nhello"),
    "keys that are dates": ("a.md", "---\na: {2020-01-01: x}\n---\nhello"),
    "aliases of aliases": (
        "a.md",
        "---\na0: &a0 [x, x, x, x, x, x, x, x, x]\n"
        + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 9))
        + "---\nhello",
    ),
    "a key of 20,000 steps": ("a.md", f"+++\n{'a.' * 20_000}b = 1\n+++\nhello"),
    "countless attributes": (
        "a.html",
        "<div " + " ".join(f"a{n}=1" for n in range(100_000)) + ">" + PROSE,
    ),
    "countless columns": ("a.csv", ",".join(f"c{n}" for n in range(5000)) + "\n" + "x\n" * 10_000),
    "deep JSON": ("a.jsonl", "[" * 100_000 + "\n"),
}


def tries(folder: Path) -> Iterator[tuple[str, Try]]:
    """Yield each try: its name, and what returns None if all held, else what went wrong."""
    for name, (file, content) in FILES.items():
        yield f"file: {name}", partial(_file, folder / name.replace(" ", "_"), file, content)
    for name, work in _works().items():
        for run in RUNS:
            yield f"time: {name} on {run!r}", partial(_time, work, run)


def _file(folder: Path, name: str, content: str) -> str | None:
    folder.mkdir(parents=True)
    (folder / name).write_text(content)
    (folder / "other.txt").write_text("tea")
    source = SourceSpec(paths=(str(folder),))
    began = process_time()
    try:
        rows = [row for part in parts([source], folder) for row in read(source, part, strict=False)]
    except Exception as error:
        return f"{type(error).__name__}: {str(error)[:100]}"
    if process_time() - began > 10:
        return f"took {process_time() - began:.0f} s"
    if not any(not isinstance(row, Bad) and row.fields == (("text", "tea"),) for row in rows):
        return "the other file was lost"
    return None


def _works() -> dict[str, Callable[[str], Any]]:
    prepared: dict[str, Any] = {"c4": c4.Prepared(), "lines": 0.5}
    works: dict[str, Callable[[str], Any]] = {
        name: partial(_measured, rule.measure, prepared.get(name))
        for name, rule in RULES.items()
        if rule.look is None  # those look at media
    }
    known = benchmarks.index([PROSE * 3], 13)
    detecting.detect([PROSE])  # the model is read once, not for each text
    return works | {
        "privacy": instrument.find,
        "language": lambda text: detecting.detect([text]),
        "norm": lambda text: norms.norm_of(text, None),
        "contamination": lambda text: benchmarks.overlaps(hashed([text]), known),
        "near-duplicates": lambda text: signatures([text]),
    }


def _measured(measure: Callable[..., Any], prepared: Any, text: str) -> Any:
    return measure([features.Features(text)], prepared)


def _time(work: Callable[[str], Any], run: str) -> str | None:
    """What is wrong if a text of one run takes more than `MOST` times prose of the same size."""
    prose = min(_seconds(work, PROSE) for _ in range(3))
    seconds = _seconds(work, run)
    return f"{seconds / prose:.0f} times prose" if seconds > MOST * max(prose, 0.01) else None


def _seconds(work: Callable[[str], Any], run: str) -> float:
    text = (run * (SIZE // len(run) + 1))[:SIZE]
    began = process_time()
    work(text)
    return process_time() - began
