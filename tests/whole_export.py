"""An export made in memory, document by document: what the one made on disk has to equal."""

import json
from collections import Counter
from hashlib import sha256
from itertools import pairwise
from math import isnan

from curate import chance, tables

DRAW = [
    *("id", "source", "group", "bucket", "tokens", "quality", "weight", "copies"),
    *("earlier", "size", "max_epochs"),
]


def draw_of(workspace):
    """Return every candidate with its source, tokens and quality, by id and in pool order."""
    mix = workspace.tables.read("mix").to_pandas()
    tokens = workspace.documents.table(("id", "source", "tokens")).to_pandas()
    draw = mix.merge(tokens, on="id", validate="one_to_one")
    if workspace.tables.stored("scores"):
        quality = workspace.tables.read("scores", ["id", "quality"]).to_pandas()
        draw = draw.merge(quality, on="id", how="left")
    else:
        draw["quality"] = float("nan")
    return draw.set_index("id", drop=False)


def draw_table(workspace, seed, shards):
    """Return what `draw.parquet` holds, as rows; `shards` are the lines of each shard."""
    places = [(f"data-{n:05}.jsonl", at) for n, lines in enumerate(shards) for at in range(lines)]
    frame = draw_of(workspace)
    rows = {row["id"]: row for row in frame[DRAW].to_dict("records")}
    for row in rows.values():
        row["quality"] = None if isnan(row["quality"]) else row["quality"]
        row["bucket"] = None if isnan(row["bucket"]) else int(row["bucket"])
    pairs = zip(order_of(workspace, frame, seed), places, strict=True)
    return [
        rows[id] | {"copy": copy, "shard": shard, "position": position}
        for (id, copy), (shard, position) in pairs
    ]


def order_of(workspace, draw, seed):
    """Return (id, copy) of every line, in the order of their times (see `times_of`)."""
    groups = [row["group"] for row in workspace.tables.read("groups", ["group"]).to_pylist()]
    lines = []
    for number, group in enumerate(groups):
        own = draw[(draw["group"] == group) & (draw["copies"] > 0)]
        documents = list(
            zip(own["id"], own["tokens"].tolist(), own["copies"].tolist(), strict=True)
        )
        lines += times_of(documents, number, seed)
    place = {id: place for place, id in enumerate(draw["id"])}
    return [(id, copy) for _, id, copy in sorted(lines, key=lambda t: (t[0], place[t[1]], t[2]))]


def times_of(documents, number, seed):
    """Return (time, id, copy) of every line of a group, document by document.

    `documents` are (id, tokens, copies); in a group all have k or k + 1 copies.
    """
    ids = [id for id, *_ in documents]
    noise = dict(zip(ids, chance.uniform(ids, seed, "shuffle"), strict=True))
    documents = sorted(documents, key=lambda document: noise[document[0]])
    passes = min((copies for *_, copies in documents), default=0)
    assert all(copies in (passes, passes + 1) for *_, copies in documents)
    extra = sum(tokens for _, tokens, copies in documents if copies > passes)
    others = sum(tokens for _, tokens, copies in documents if copies == passes)
    longest = max((tokens for _, tokens, copies in documents if copies > passes), default=0)
    (point,) = chance.uniform([f"{number} {passes}"], seed, "strand")
    room = min(others, max(0, (others + extra) / 2 - longest))
    whole = passes * (others + extra) + extra
    before, lines = {passes: 0, passes + 1: 0}, []
    for id, tokens, copies in documents:
        start = before[copies]
        before[copies] += tokens
        if not extra:
            within = start + point * tokens
        elif copies > passes:
            within = start * (extra + room) / extra
        elif start + tokens < room:
            within = (start + tokens) * (extra + room) / room
        else:
            within = extra + start + tokens
        if extra and copies == passes:
            within = min(within, others + extra - 0.25)
        for copy in range(1, copies + 1):
            at = start if copy > passes else within
            lines.append((((copy - 1) * (others + extra) + at) / whole, id, copy))
    return lines


def labels_of(workspace):
    """Return the labels of every id by question; what people say replaces a model's."""
    labels, keys = {}, {}
    scores = workspace.tables.stored("scores")
    if scores:
        ((question, about),) = scores.made.facts["questions"].items()
        values = about["values"]
        keys[question] = list(values)
        convert = float if about["kind"] == "rating" else str
        for row in workspace.tables.read("scores").to_pylist():
            posterior = {value: round(row[f"{question}:{value}"], 6) for value in values}
            value = convert(row[tables.predicted(question)])
            label = {"value": value, "posterior": posterior, "by": "model", "undecided": False}
            label["window"] = None
            labels[row["id"]] = {question: label}
    by_model = [label for own in labels.values() for label in own.values()]
    rows = workspace.tables.read("labels").to_pylist() if workspace.tables.stored("labels") else []
    for row in rows:
        known = keys.setdefault(row["question"], [])
        known += [key for key, _ in row["posterior"] if key not in known]
    for label in by_model:
        label["posterior"] = {key: label["posterior"].get(key, 0.0) for key in keys[question]}
    for row in rows:
        marks = row["question"] == "names"
        value = None if row["undecided"] else json.loads(row["value"])
        shares = dict(row["posterior"])
        label = {"value": spans_of(value) if marks else value}
        label["posterior"] = (
            [shared(key, share) for key, share in shares.items()]
            if marks
            else {key: shares.get(key, 0.0) for key in keys[row["question"]]}
        )
        label |= {"by": "people", "undecided": bool(row["undecided"])}
        window = {"start": row["start"], "end": row["end"]}
        label["window"] = None if row["start"] is None else window
        labels.setdefault(row["id"], {})[row["question"]] = label | (
            {"unplaced": 0} if marks else {}
        )
    return labels, list(keys)


def spans_of(value):
    """Return spans with every key; None stays None."""
    return value and [{**span, "field": span.get("field")} for span in value]


def shared(key, share):
    """Return a span of a posterior."""
    start, end, label = key.split(":")
    return {"start": int(start), "end": int(end), "label": label, "field": None, "share": share}


def documents_of(workspace, seed=0):
    """Yield every document of the export, in its order."""
    draw, (labels, questions) = draw_of(workspace), labels_of(workspace)
    columns = ("id", "text", "source", "license", "fields", "edits", "media")
    rows = {row["id"]: row for row in workspace.documents.table(columns).to_pylist()}
    changed = [id for id, row in rows.items() if row["edits"] or row["fields"]]
    views = workspace.documents.find_views(changed)
    groups, quality = draw["group"].to_dict(), draw["quality"].to_dict()
    for id, copy in order_of(workspace, draw, seed):
        row = rows[id]
        own = {question: labels.get(id, {}).get(question) for question in questions}
        fields = views[id].fields if row["fields"] else {}
        yield {
            "id": id,
            "text": row["text"],
            "source": row["source"],
            "group": groups[id],
            "copy": copy,
            "license": row["license"],
            "quality": None if isnan(quality[id]) else round(float(quality[id]), 6),
            "labels": (placed(own, views[id]) if row["edits"] else own) or None,
            "fields": [{"name": name, "text": text} for name, text in fields.items()] or None,
            "media": row["media"],
            "edited": bool(row["edits"]),
        }


def placed(labels, view):
    """Return the labels with their spans as the edited text has them."""
    moved = {}
    for question, label in labels.items():
        if label and "unplaced" in label:
            value, posterior = (
                old and [span for mark in old if (span := view.shown_span(mark))]
                for old in (label["value"], label["posterior"])
            )
            lost = len(label["value"] or ()) - len(value or ())
            label = {**label, "value": value, "posterior": posterior, "unplaced": lost}
        moved[question] = label
    return moved


def cuts_of(lines, size):
    """Return where the shards of so many lines begin and end: even, of `size` lines at most."""
    number = -(-lines // size)
    return [lines * shard // number for shard in range(number + 1)]


def shards_of(documents, size):
    """Return the bytes of every shard of JSON lines."""
    lines = [json.dumps(document, ensure_ascii=False).encode() + b"\n" for document in documents]
    return [b"".join(lines[start:end]) for start, end in pairwise(cuts_of(len(lines), size))]


def content_of(documents):
    """Return `content_sha256`."""
    lines = (
        json.dumps([document["id"], document["copy"], document["text"]], ensure_ascii=False)
        for document in documents
    )
    return sha256("".join(f"{line}\n" for line in lines).encode()).hexdigest()


def words_of(workspace):
    """Return how many lines have each licence and each language."""
    copies = {row["id"]: row["copies"] for row in workspace.tables.read("mix").to_pylist()}
    licenses, languages = Counter(), Counter()
    for row in workspace.documents.table(("id", "license", "language")).to_pylist():
        if count := copies.get(row["id"], 0):
            licenses[row["license"] or "unknown"] += count
            languages[row["language"] or ""] += count
    return licenses, languages
