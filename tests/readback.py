"""Read an export back without curate: `python tests/readback.py WORKSPACE` prints what it found.

Everything is computed again from the files: tokens, hashes, shares, ids, copies; and nothing held
out or dropped may be there. Exit 1 if anything is wrong.
"""

import hashlib
import json
import sys
from collections import Counter
from pathlib import Path

import bpe_openai
import pandas as pd
import tokenizers


def main(workspace):
    export = workspace / "export"
    manifest = json.loads((export / "manifest.json").read_text(encoding="utf-8"))
    pool, clean = pd.read_parquet(workspace / "pool"), pd.read_parquet(workspace / "clean")
    stored = workspace / "labels.parquet"
    labels = pd.read_parquet(stored) if stored.exists() else pd.DataFrame()
    phase_of = {path: own["name"] for own in manifest.get("phases", []) for path in own["files"]}
    documents = [
        {"phase": None, **json.loads(line), "file phase": phase_of.get(entry["path"])}
        for entry in manifest["files"]
        for line in (export / entry["path"]).read_bytes().splitlines()
    ]
    problems = [
        *sums(export, manifest),
        *contents(documents, manifest),
        *shares(export, documents, manifest),
        *membership(export, documents, pool, clean, manifest),
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


def counter(export, name):
    """A function that counts tokens: by `bytes`, a tokenizer.json beside, or an encoding."""
    if name == "bytes":
        return lambda text: len(text.encode())
    if name.endswith(".json"):
        model = tokenizers.Tokenizer.from_file(str(export / name))
        return lambda text: len(model.encode(text, add_special_tokens=False).ids)
    encoding = bpe_openai.get_encoding(name)
    return lambda text: len(encoding.encode_ordinary(text))


def shares(export, documents, manifest):
    """Groups by phase, as the pool counts and as the budget does; earlier parts count too."""
    count = counter(export, manifest["tokenizer"])
    budgets = counter(export, manifest.get("budget_tokenizer", manifest["tokenizer"]))
    extra = manifest.get("extra_tokens", 0)
    tokens, pool_tokens, lines = Counter(), Counter(), Counter()
    for each in documents:
        own = each["phase"], each["group"]
        if each["phase"] != each["file phase"]:
            yield f"{each['id']}: in a shard of another phase"
        tokens[own] += budgets(each["text"]) + extra
        pool_tokens[own] += count(each["text"])
        lines[own] += 1
    if pool_tokens.total() != sum(entry["tokens"] for entry in manifest["files"]):
        yield f"{pool_tokens.total()} tokens counted again"
    budget_of = {own["name"]: own["budget"] for own in manifest.get("phases", [])}
    budget_of = budget_of or {None: manifest["budget"]}
    if sum(budget_of.values()) != manifest["budget"]:
        yield "the budgets of the phases"
    totals = Counter()
    for group in manifest["groups"]:
        own = group.get("phase"), group["group"]
        totals[own[0]] += group["earlier"] + tokens[own]
    for group in manifest["groups"]:
        own = group.get("phase"), group["group"]
        both = group["earlier"] + tokens[own]
        if (tokens[own], lines[own]) != (group["tokens"], group["documents"]):
            yield f"{own}: {tokens[own]} tokens in {lines[own]} documents"
        if pool_tokens[own] != group["pool_tokens"]:
            yield f"{own}: {pool_tokens[own]} tokens as the pool counts"
        if abs(both - group["promised"] * budget_of[own[0]]) > group["longest"] + 1:
            yield f"{own}: more than one document from what was promised"
        if abs(both / totals[own[0]] - group["realised"]) > 1e-9:
            yield f"{own}: realised"


def membership(export, documents, pool, clean, manifest):
    allowed = set(clean.loc[clean["kept"], "id"]) - set(pool.loc[pool["holdout"], "id"])
    texts = dict(zip(pool["id"], pool["text"], strict=True))
    copies = Counter()
    for each in documents:
        copies[each["id"]] += 1
        if each["id"] not in allowed:
            yield f"{each['id']}: held out or dropped"
        if texts[each["id"]] != each["text"]:
            yield f"{each['id']}: another text than in the pool"
    draw = pd.read_parquet(export / "draw.parquet")
    earlier = dict(zip(draw["id"], draw["earlier"], strict=True))
    for id, count in copies.items():
        if count + earlier[id] > manifest["max_epochs"]:
            yield f"{id}: {count} copies after {earlier[id]}"


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
