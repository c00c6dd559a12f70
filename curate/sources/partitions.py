"""What the place of a file tells: its split, the partitions of its folders, and what is no data.

Splits are those that `datasets` finds in names of files and folders; partitions are Hive's, as in
`lang=en/part-0.parquet`.
"""

from __future__ import annotations

import re
from urllib.parse import unquote

SPLIT = "split"
"""The column that tells the split."""

SPLITS = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("validation", "valid", "val", "dev", "development"), "validation"),
    **dict.fromkeys(("test", "testing", "eval", "evaluation"), "test"),
}
"""The words that name a split, and its name."""

TABLES = frozenset({"jsonl", "json", "csv", "tsv", "parquet", "arrow"})
"""The formats whose files hold rows."""

NO_PARTITION = "__HIVE_DEFAULT_PARTITION__"

_PARTITION = re.compile(r"([^=/]+)=([^/]*)")
_NUMBERED = re.compile(r"(.+?)[-_.]\d{3,}-of-\d{3,}")
_WORDS = "|".join(sorted(SPLITS, key=len, reverse=True))
_FIRST = re.compile(rf"({_WORDS})(?![^\W\d_])", re.IGNORECASE)
_LAST = re.compile(rf"(?<![^\W\d_])({_WORDS})[\d\W_]*$", re.IGNORECASE)
_KIND = re.compile(rf"({_WORDS})_[a-z]\w*", re.IGNORECASE)

_CARD = re.compile(
    r"(?:readme|licen[cs]e|copying|notice|citation|changelog|authors|contributing"
    r"|code[-_]of[-_]conduct|security|(?:data(?:set)?|model)[-_]?card|datasheet|terms|codeowners"
    r"|check[-_]?sums?|(?:md5|sha\d+)(?:sums?)?|requirements|credits|attributions?|disclaimer|legal"
    r"|acknowledge?ments|contributors|maintainers|copyright|eula|unlicense)(?:[._-].*)?",
    re.IGNORECASE,
)
_RECORDS = frozenset(
    {
        *("dataset_infos.json", "dataset_info.json", "dataset_dict.json", "state.json"),
        *("croissant.json", "manifest.json", "inputs.json", "metadata.json", "config.json"),
        *("package.json", "package-lock.json", "tsconfig.json"),
    }
)


def describes(name: str) -> bool:
    """Whether a file of that name describes the data that it lies beside."""
    return bool(_CARD.fullmatch(name)) or name.lower() in _RECORDS


def split_named(word: str) -> str | None:
    """The split that a word names, as the name of a folder or a key does."""
    return SPLITS.get(word.lower())


def columns_of(folders: list[str], stem: str, format: str) -> dict[str, str]:
    """The columns of a file by the names of its folders, outermost first, and its own.

    The split is that of its own name if it holds rows, else that of the innermost folder.
    """
    columns: dict[str, str] = {}
    for folder in folders:
        match = _PARTITION.fullmatch(folder)
        if match and match[2] != NO_PARTITION:
            columns[unquote(match[1])] = unquote(match[2])
    if SPLIT not in columns and format != "code":
        own = _split_of_stem(stem) if format in TABLES else None
        split = own or next(filter(None, map(split_named, reversed(folders))), None)
        columns |= {SPLIT: split} if split else {}
    return columns


def _split_of_stem(stem: str) -> str | None:
    """The split that a file's name begins or ends with: `train-00000-of-00002`, `films_test`."""
    numbered = _NUMBERED.fullmatch(stem)
    name = numbered[1] if numbered else stem
    if numbered and _KIND.fullmatch(name):
        return name  # a split of a kind of its own, as in train_sft
    match = _FIRST.match(name) or _LAST.search(name)
    return split_named(match[1]) if match else None
