"""The schema of every table, in flow order; each column is described once, here.

A table is a folder of Parquet shards (`kind="folder"`) or one Parquet file. Tables of the kind
`round` lie in `rounds/NN`. `open_columns` describes further columns that a table may have.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class Column:
    """A column: its name, its Arrow type as text, and what it holds."""

    name: str
    type: str
    about: str


@dataclass(frozen=True)
class Table:
    """A table: where it comes from and what its rows are."""

    name: str
    kind: Literal["folder", "file", "round"]
    about: str
    columns: tuple[Column, ...]
    open_columns: str = ""

    def schema(self, *names: str) -> pa.Schema:
        """Return the Arrow schema of all columns, or of those named."""
        import pyarrow as pa

        chosen = [column for column in self.columns if not names or column.name in names]
        return pa.schema([(column.name, _arrow(column.type)) for column in chosen])


STRUCTS: dict[str, dict[str, str]] = {
    "edit": {"start": "int32", "end": "int32", "replacement": "string"},
    "field": {"name": "string", "text": "string"},
    "medium": {
        **{"field": "string", "kind": "string", "address": "string", "sha256": "string"},
        **{"bytes": "int64", "format": "string", "width": "int32", "height": "int32"},
        **{"seconds": "float64", "frames": "int32", "rate": "int32"},
        **{"fps": "float64", "at": "int32"},
    },
    "turn": {"role": "string", "start": "int32", "end": "int32"},
    "detail": {
        **{"turn": "int32", "path": "string", "start": "int32", "end": "int32"},
        **{"literal": "string", "medium": "string"},
    },
    "overlap": {"set": "string", "item": "string", "share": "float64", "words": "int32"},
}
"""The types that consist of several values: each value's name and type."""


def _arrow(name: str) -> pa.DataType:
    import pyarrow as pa

    if name.startswith("list<"):
        return pa.list_(_arrow(name[5:-1]))
    if name.startswith("map<"):
        key, value = name[4:-1].split(", ")
        return pa.map_(_arrow(key), _arrow(value))
    if name == "timestamp":
        return pa.timestamp("us", tz="UTC")
    if name in STRUCTS:
        return pa.struct([(field, _arrow(type)) for field, type in STRUCTS[name].items()])
    return getattr(pa, name)()


def _columns(*rows: tuple[str, str, str]) -> tuple[Column, ...]:
    return tuple(Column(*row) for row in rows)


ALL = (
    Table(
        "pool",
        "folder",
        "every distinct document, in the order of the sources",
        _columns(
            ("id", "string", "blake2b-128, in hex, of the canonical content"),
            ("text", "string", "canonical text: the declared rendering of the fields"),
            ("fields", "list<field>", "names and canonical texts; null is the one field text"),
            ("template", "string", "how fields read as `text`; null: with a blank line between"),
            ("source", "string", "the first source, in the recipe's order, that has it"),
            ("origin", "string", "file and row it came from"),
            ("also", "list<string>", "other sources that hold an exact copy"),
            ("license", "string", "SPDX name where one is given, else `unknown`"),
            ("language", "string", "BCP 47 tag where one is declared"),
            ("tokens", "int64", "exact count by the pool's tokenizer, and those of media"),
            ("media_tokens", "int64", "of these, what media count, as `media_tokens` declares"),
            ("media", "list<medium>", "where media lie, facts, and `at`, the place in `text`"),
            ("turns", "list<turn>", "the messages of a conversation, and where they lie in `text`"),
            (
                *("details", "list<detail>"),
                "what messages hold beside role and content, and where it lies in `text`",
            ),
            ("meta", "string", "JSON of every column that was not named"),
            ("holdout", "bool_", "kept from people, mixtures and exports, to measure on"),
            ("batch", "int32", "the run of `pool` that added it"),
        ),
        open_columns="`tokens:NAME`, the exact count by a tokenizer that was asked for before",
    ),
    Table(
        "duplicates",
        "file",
        "exact copies that were not kept, one row each",
        _columns(
            ("id", "string", "the document kept"),
            ("source", "string", "where the copy stood"),
            ("origin", "string", "file and row of the copy"),
            ("addresses", "list<string>", "where on the web the copy was, as its row told"),
        ),
    ),
    Table(
        "clean",
        "folder",
        "a verdict and a reason for every row of `pool`, in its order",
        _columns(
            ("id", "string", "as in pool"),
            ("kept", "bool_", "whether it goes on"),
            ("reason", "string", "`rule:signal` of the first that failed; null if kept"),
            ("duplicate_of", "string", "the near-duplicate that was kept instead"),
            (
                "similarity",
                "float32",
                "Jaccard similarity to it, 0 to 1; of media their correlation",
            ),
            ("edits", "list<edit>", "masks and removed lines over the canonical text"),
            ("tokens", "int64", "exact count of the edited text"),
            ("language", "string", "as declared, else as detected; `und` where that is not sure"),
            ("rules_language", "string", "whose limits the rule sets use; null where none asks"),
            ("damage", "string", "why a medium of it cannot be read; null where all can"),
            (
                "contamination",
                "list<overlap>",
                "shared items of evaluation sets, the largest first",
            ),
        ),
        open_columns="one float32 column per measured signal, named `rule:signal`",
    ),
    Table(
        "sample",
        "round",
        "what people are asked in a round",
        _columns(
            ("id", "string", "the task: a document, a window of one, or a comparison"),
            ("members", "list<string>", "the documents shown, in order; null is the task itself"),
            ("start", "int32", "first code point of a window; null is the whole text"),
            ("end", "int32", "one past its last code point"),
            ("round", "int32", "the round"),
            ("rank", "int32", "place in the strategy's order, from 0"),
            ("kind", "string", "design, gold, retest or review"),
            ("strategy", "string", "how it was chosen"),
            ("stratum", "string", "the stratum it stands for"),
            ("propensity", "float64", "inclusion probability, given the frame"),
        ),
    ),
    Table(
        "tasks",
        "round",
        "what the first push sends: one row per task and batch",
        _columns(
            ("id", "string", "the task, as in sample"),
            ("batch", "string", "the part of the round that asks it; null where it is not split"),
            ("overlap", "int32", "how many people it asks; null as many as the batch does"),
            ("suggestions", "string", "JSON of pre-annotations; null without any"),
            ("media", "list<medium>", "the fields that are media on disk; null without any"),
            (
                *("shown", "list<string>"),
                "of each, the sha256 of its image as data, where a place was left out of that",
            ),
        ),
    ),
    Table(
        "annotations",
        "round",
        "every answer to every question, append-only",
        _columns(
            ("id", "string", "the task"),
            ("question", "string", "the question"),
            ("annotator", "string", "the person, as in people.yaml"),
            ("value", "string", "JSON of the answer; null where it was left open"),
            ("status", "string", "submitted, draft, skipped, discarded, withdrawn or rejected"),
            ("reason", "string", "why it was rejected or withdrawn"),
            ("at", "timestamp", "when it was last changed"),
            ("seconds", "float64", "how long it took"),
            ("backend", "string", "where it was given"),
            ("project", "string", "the project's name there"),
            ("round", "int32", "the round"),
            ("form", "string", "digest of the form in force"),
            ("guideline", "string", "digest of the guideline in force"),
            ("blind", "bool_", "whether it was given without seeing a suggestion"),
        ),
    ),
    Table(
        "labels",
        "file",
        "one settled answer per document and question",
        _columns(
            ("id", "string", "the document"),
            ("question", "string", "the question"),
            ("value", "string", "JSON of the settled value; null where it is undecided"),
            (
                *("posterior", "map<string, float64>"),
                "the probability of every value; of several labels or spans, that each is present",
            ),
            (
                *("confidence", "float64"),
                "largest probability of a value; of sets and spans, that all of it is right",
            ),
            ("votes", "int32", "answers it rests on"),
            (
                *("agreement", "float64"),
                "share of the answers that equal the value; of spans, mean F1 of two people",
            ),
            ("disagreement", "float64", "mean distance of two answers, 0 to 1; null with one"),
            ("method", "string", "how it was settled"),
            ("undecided", "bool_", "whether people left it open: the best two values tie"),
            ("adjudicator", "string", "who settled it, where a person did"),
            ("start", "int32", "first code point of the window that people saw; null: the whole"),
            ("end", "int32", "one past its last code point"),
        ),
    ),
    Table(
        "annotators",
        "file",
        "what the answers say about each annotator",
        _columns(
            ("annotator", "string", "the person, as in people.yaml"),
            ("question", "string", "the question"),
            ("answers", "int32", "answers submitted"),
            (
                *("skill", "float64"),
                "probability of the right answer; ratings: correlation; entities: F1",
            ),
            ("skill_low", "float64", "5 % quantile of the skill; null without an interval"),
            ("skill_high", "float64", "95 % quantile"),
            ("bias", "float64", "ratings: mean difference to the settled value; else null"),
            ("seconds", "float64", "median time of an answer"),
            ("gold_right", "float64", "share of gold items answered rightly; null without any"),
        ),
    ),
    Table(
        "vectors",
        "folder",
        "embeddings, one folder per encoder",
        _columns(
            ("id", "string", "the document"),
            ("part", "int32", "the window of a long document, from 0"),
            ("content", "uint64", "blake2b-64 of the text that was encoded: after the edits"),
            ("vector", "list<float32>", "the embedding"),
        ),
    ),
    Table(
        "scores",
        "folder",
        "quality and predictions for every kept document",
        _columns(
            ("id", "string", "the document"),
            ("quality", "float64", "as the recipe defines it from the predictions, 0 to 1"),
            (
                *("low", "float64"),
                "what people would answer lies between `low` and `high` for 90 % of documents",
            ),
            ("high", "float64", "upper end; both are null where too few labels are known"),
            (
                *("spread_low", "float64"),
                "5 % quantile over heads learned from resampled labels: how sure the score is",
            ),
            ("spread_high", "float64", "95 % quantile over these heads"),
            ("abstained", "bool_", "its group's probabilities do not fit the labels: no trust"),
            ("out_of_fold", "bool_", "predicted by heads that never saw its label"),
        ),
        open_columns="for each question `question` (the predicted value, null where people left it "
        "undecided; `question:` where the name is taken) and `question:value` (its probability); "
        "a comparison has one number alone, the probability to be preferred to an average document",
    ),
    Table(
        "doubtful",
        "file",
        "every settled label of a learned question, and of spans, the most doubtful first",
        _columns(
            ("id", "string", "the document"),
            ("question", "string", "the question"),
            (
                "value",
                "string",
                "JSON of the settled value; of several labels those that are learned",
            ),
            ("predicted", "string", "JSON of what heads foresee that never saw the label"),
            ("doubt", "float64", "how doubtful it is beside the other labels, 0 to 1"),
            ("rank", "int32", "its place among all labels, from 0: the most doubtful"),
            ("why", "string", "what speaks against it: `head`, `neighbours`, or both"),
        ),
    ),
    Table(
        "mix",
        "folder",
        "the weight and the copies of every candidate",
        _columns(
            ("id", "string", "the document"),
            ("group", "string", "its group; `undecided` is the class that people left open"),
            ("bucket", "int32", "quality fifth within its group, 1 to 5; null without quality"),
            ("weight", "float64", "non-negative, before budgets and chance"),
            ("copies", "int64", "how often it was drawn"),
            ("earlier", "int64", "how often earlier exports have drawn it"),
            ("size", "int64", "tokens of one copy, as the budget counts them"),
            ("max_epochs", "int64", "how often it may be drawn, with earlier exports and phases"),
            ("factor", "float64", "what limits multiply the share of its cell in its group by"),
        ),
        open_columns="for each phase `copies:NAME` and `group:NAME`; `copies` are then of all, "
        "`max_epochs` the greatest, and group, bucket, weight and factor of the first",
    ),
    Table(
        "groups",
        "file",
        "every group of the mixture: asked, promised and drawn, as shares of tokens",
        _columns(
            ("group", "string", "the group"),
            ("phase", "string", "the part it belongs to; null without phases"),
            ("wanted", "float64", "what the strategy asked"),
            ("promised", "float64", "after the limits"),
            (
                "promised_low",
                "float64",
                "5 % quantile, since qualities are uncertain; or null",
            ),
            ("promised_high", "float64", "95 % quantile"),
            ("realised", "float64", "what was drawn"),
            ("expected", "float64", "what the calibrated probabilities foresee of its class"),
            ("estimated", "float64", "the true share of its class, prediction-powered"),
            ("estimated_low", "float64", "lower end of its 90 % interval; null below 2 labels"),
            ("estimated_high", "float64", "upper end"),
            ("labels", "float64", "effective number of labels behind its quality or its class"),
            ("earlier", "int64", "tokens that earlier exports drew, and that count as drawn"),
            ("tokens", "int64", "tokens drawn now, as the budget counts them"),
            ("pool_tokens", "int64", "the same as the pool counts them"),
            ("documents", "int64", "lines drawn, copies counted"),
            ("epochs", "float64", "tokens drawn over tokens there are"),
            ("supply", "int64", "tokens there are of documents with a weight above 0"),
            ("mean_tokens", "float64", "mean length of the drawn lines; null without any"),
            ("supply_mean_tokens", "float64", "mean length of the documents there are"),
            ("low", "float64", "least share that the limits of its cells allow"),
            ("high", "float64", "greatest share that the limits of its cells allow"),
            ("bound", "string", "which limit moved it; null if none did"),
        ),
    ),
)

TABLES: dict[str, Table] = {table.name: table for table in ALL}


def schema(name: str, *columns: str) -> pa.Schema:
    """Return the Arrow schema of the table of that name: all columns, or those named."""
    return TABLES[name].schema(*columns)


def media_tokens(pool: pa.Table) -> list[int]:
    """What media count of the tokens of each document; 0 in a pool of an older version."""
    if "media_tokens" not in pool.column_names:
        return [0] * pool.num_rows
    return [count or 0 for count in pool["media_tokens"].to_pylist()]


def by_phase(column: str, phases: Sequence[str]) -> list[str]:
    """Return the columns of `mix` that hold `copies` or `group` of each phase, in order.

    One phase alone, or none, has the column itself.
    """
    return [f"{column}:{phase}" for phase in phases] if len(phases) > 1 else [column]


def predicted(question: str) -> str:
    """Return the name of the column of `scores` that holds a question's predicted value.

    It is the question's name, with `:` appended if a table of documents has such a column.
    """
    names = {
        column.name
        for table in ("pool", "clean", "scores", "mix")
        for column in TABLES[table].columns
    }
    return f"{question}:" if question in names else question


def rows(name: str, records: Sequence[Mapping[Any, Any]]) -> pa.Table:
    """Return the records as rows of the table of that name; missing columns are null."""
    import pyarrow as pa

    return pa.Table.from_pylist(list(records), schema=schema(name))
