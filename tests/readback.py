"""Read an export back without curate: `python tests/readback.py WORKSPACE` prints what it found.

Everything is computed again from the files: tokens, hashes, shares, ids, copies; and nothing held
out or dropped may be there. Exit 1 if anything is wrong.
"""

import hashlib
import json
import sys
from collections import Counter, defaultdict
from pathlib import Path

import bpe_openai
import pandas as pd


def main(workspace):
    export = workspace / "export"
    manifest = json.loads((export / "manifest.json").read_text(encoding="utf-8"))
    pool, clean = pd.read_parquet(workspace / "pool"), pd.read_parquet(workspace / "clean")
    labels = pd.read_parquet(workspace / "labels.parquet")
    documents = [
        json.loads(line)
        for entry in manifest["files"]
        for line in (export / entry["path"]).open(encoding="utf-8")
    ]
    problems = [
        *sums(export, manifest),
        *contents(documents, manifest),
        *shares(export, documents, manifest),
        *membership(documents, pool, clean, manifest),
        *label_values(documents, labels),
    ]
    for problem in problems:
        print("WRONG:", problem)
    print(f"{len(documents)} documents read back, {len(problems)} problems")
    return 1 if problems else 0


def sums(export, manifest):
    for line in (export / "SHA256SUMS").read_text().splitlines():
        digest, name = line.split("  ")
        if hashlib.sha256((export / name).read_bytes()).hexdigest() != digest:
            yield f"{name}: sha256"
    for entry in manifest["files"]:
        if hashlib.sha256((export / entry["path"]).read_bytes()).hexdigest() != entry["sha256"]:
            yield f"{entry['path']}: sha256 in the manifest"


def contents(documents, manifest):
    digest = hashlib.sha256()
    for each in documents:
        line = json.dumps([each["id"], each["copy"], each["text"]], ensure_ascii=False)
        digest.update(line.encode() + b"\n")
        found = hashlib.blake2b(each["text"].encode(), digest_size=16).hexdigest()
        if found != each["id"]:
            yield f"{each['id']}: not the hash of its text"
    if digest.hexdigest() != manifest["content_sha256"]:
        yield "content_sha256"


def shares(export, documents, manifest):
    encoding = bpe_openai.get_encoding(manifest["tokenizer"])
    tokens, largest, lines = Counter(), defaultdict(int), Counter()
    for row in pd.read_parquet(export / "draw.parquet").itertuples():
        largest[row.group] = max(largest[row.group], row.tokens)
    for each in documents:
        size = len(encoding.encode_ordinary(each["text"]))
        tokens[each["group"]] += size
        lines[each["group"]] += 1
    if tokens.total() != sum(entry["tokens"] for entry in manifest["files"]):
        yield f"{tokens.total()} tokens counted again"
    for group in manifest["groups"]:
        name = group["group"]
        if tokens[name] != group["tokens"] or lines[name] != group["documents"]:
            yield f"{name}: {tokens[name]} tokens in {lines[name]} documents"
        if abs(tokens[name] - group["promised"] * manifest["budget"]) > largest[name]:
            yield f"{name}: more than one document from what was promised"
        if abs(tokens[name] / tokens.total() - group["realised"]) > 1e-9:
            yield f"{name}: realised"


def membership(documents, pool, clean, manifest):
    allowed = set(clean.loc[clean["kept"], "id"]) - set(pool.loc[pool["holdout"], "id"])
    texts = dict(zip(pool["id"], pool["text"], strict=True))
    copies = Counter()
    for each in documents:
        copies[each["id"]] += 1
        if each["id"] not in allowed:
            yield f"{each['id']}: held out or dropped"
        if texts[each["id"]] != each["text"]:
            yield f"{each['id']}: another text than in the pool"
    for id, count in copies.items():
        if count > manifest["max_epochs"]:
            yield f"{id}: {count} copies"


def label_values(documents, labels):
    known = {(row.id, row.question): row for row in labels.itertuples()}
    for each in documents:
        for question, label in (each["labels"] or {}).items():
            row = known.get((each["id"], question))
            if label is None:
                if row is not None:
                    yield f"{each['id']}: {question} lost its label"
                continue
            if (label["by"] == "people") != (row is not None):
                yield f"{each['id']}: labelled by {label['by']}"
            if row is not None and label["undecided"] != bool(row.undecided):
                yield f"{each['id']}: undecided {label['undecided']}"
            if label["undecided"] and label["value"] is not None:
                yield f"{each['id']}: undecided, with a value"
            if row is not None and not row.undecided and label["value"] != json.loads(row.value):
                yield f"{each['id']}: not the settled label"
            shares = label["posterior"]
            if not label["undecided"] and max(shares, key=shares.get) != label["value"]:
                yield f"{each['id']}: the value is not the likeliest"


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
