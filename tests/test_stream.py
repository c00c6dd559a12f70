"""The stream of an export by group: shares, orders, workers and ranks, states, other weights."""

import json
from collections import Counter, defaultdict
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from torch.utils.data import DataLoader

from curate.errors import DataError, RecipeError
from curate.stream import Mixture, blocks, mixture
from curate.stream.turns import Turn, next_chunk, reweighted
from tests.test_export_growing import manifest_of, pooled
from tests.test_export_layouts import EVEN, held, tokens_of

__all__ = ["held", "pooled"]

SHARES = {"short": 0.3, "long": 0.5, "middle": 0.2}


def write_export(folder, format, numbers, rng, shards=3):
    """Write what an export by group looks like, with documents of unlike lengths."""
    means = {"short": 20, "long": 400, "middle": 90}
    groups, files, draw = [], [], []
    for place, (name, number) in enumerate(numbers.items()):
        own = f"{place:02}-{name}/"
        (folder / own).mkdir(parents=True)
        sizes = (1 + rng.poisson(means[name] * rng.gamma(2, 0.5, number))).tolist()
        for shard in range(shards):
            part = sizes[number * shard // shards : number * (shard + 1) // shards]
            path = f"{own}data-{shard:05}.{format}"
            rows = [
                {"id": f"{name} {shard} {n}", "text": f"{n}".rjust(size), "group": name}
                for n, size in enumerate(part)
            ]
            if format == "parquet":
                pq.write_table(pa.Table.from_pylist(rows), folder / path, row_group_size=100)
            else:
                lines = "".join(json.dumps(row) + "\n" for row in rows)
                (folder / path).write_text(lines, encoding="utf-8")
            files.append({"path": path, "documents": len(rows)})
            draw += [{"shard": path, "size": size} for size in part]
        groups.append(
            {
                "group": name,
                "folder": own,
                "tokens": round(SHARES[name] * 1_000_000),
                "stored_documents": number,
            }
        )
    pq.write_table(pa.Table.from_pylist(draw), folder / "draw.parquet")
    manifest = {"layout": "by_group", "groups": groups, "files": files}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


NUMBERS = {"short": 9000, "long": 700, "middle": 1500}


@pytest.fixture(scope="module", params=["parquet", "jsonl"])
def folder(request, tmp_path_factory):
    place = tmp_path_factory.mktemp("export")
    return write_export(place, request.param, NUMBERS, np.random.default_rng(2))


@pytest.fixture(autouse=True)
def _small(monkeypatch):
    """Chunks and blocks that end often."""
    monkeypatch.setattr(mixture, "AHEAD", 700)
    monkeypatch.setattr(blocks, "LINES", 150)
    blocks._offsets.cache_clear()


def some(stream, number):
    """Return the ids of the next documents."""
    found = []
    for document in stream:
        found.append(document["id"])
        if len(found) == number:
            break
    return found


def shares_of(documents):
    tokens = Counter()
    for document in documents:
        tokens[document["group"]] += len(document["text"])
    return {name: count / tokens.total() for name, count in tokens.items()}


# ── the order of a mixture


def test_any_prefix_holds_the_shares(folder):
    spent, longest = Counter(), Counter()
    for document in Mixture(folder):
        size = len(document["text"])
        longest[document["group"]] = max(size, longest[document["group"]])
        spent[document["group"]] += size
        for name, share in SHARES.items():
            off = abs(spent[name] - share * spent.total())
            assert off <= longest[name] + share * longest.total() + 1
    assert 0 <= spent.total() - 1_000_000 < max(longest.values())


def test_a_group_is_read_whole_before_it_is_repeated(folder):
    seen = defaultdict(list)
    for document in Mixture(folder, columns=["id", "group"]):
        seen[document["group"]].append(document["id"])
    for name, ids in seen.items():
        epochs = [ids[start : start + NUMBERS[name]] for start in range(0, len(ids), NUMBERS[name])]
        for epoch in epochs:
            assert len(set(epoch)) == len(epoch)
        for one, other in pairwise(epochs):
            assert one[: len(other)] != other
    assert len(seen["long"]) > NUMBERS["long"]


def test_another_seed_gives_another_order(folder):
    first = some(Mixture(folder), 200)
    assert some(Mixture(folder), 200) == first
    assert some(Mixture(folder, seed=1), 200) != first


def test_a_loop_goes_on_where_the_last_one_ended(folder):
    whole = some(Mixture(folder, tokens=60_000), -1)
    stream = Mixture(folder, tokens=20_000)
    parts = [id for _ in range(3) for id in some(stream, -1)]
    assert parts == whole[: len(parts)]
    assert len(whole) - len(parts) <= 3


# ── workers and ranks


MORE_THAN_CORES = pytest.mark.filterwarnings("ignore:This DataLoader will create")


@MORE_THAN_CORES
@pytest.mark.parametrize("workers", [1, 2, 8])
def test_the_order_does_not_depend_on_the_number_of_workers(folder, workers):
    whole = [document["id"] for document in Mixture(folder, tokens=60_000)]
    loader = DataLoader(Mixture(folder, tokens=60_000), batch_size=None, num_workers=workers)
    assert [document["id"] for document in loader] == whole


@MORE_THAN_CORES
def test_batches_of_workers_are_those_of_one(folder):
    whole = [document["id"] for document in Mixture(folder, tokens=60_000)]
    stream = Mixture(folder, tokens=60_000, batch=7, columns=["id"])
    loader = DataLoader(stream, batch_size=7, num_workers=3)
    batches = [batch["id"] for batch in loader]
    assert [id for batch in batches for id in batch] == whole


def test_ranks_share_the_order(folder):
    whole = some(Mixture(folder, tokens=60_000), -1)
    parts = [some(Mixture(folder, tokens=60_000, batch=4, rank=r, ranks=3), -1) for r in range(3)]
    batches = [[part[start : start + 4] for start in range(0, len(part), 4)] for part in parts]
    longest = max(map(len, batches))
    told = [own[n] for n in range(longest) for own in batches if n < len(own)]
    assert [id for batch in told for id in batch] == whole


# ── states


def test_it_goes_on_exactly_from_twenty_random_places(folder):
    whole = some(Mixture(folder), -1)
    rng = np.random.default_rng(7)
    for place in rng.integers(0, len(whole) - 50, 20).tolist():
        stream = Mixture(folder)
        assert some(stream, place) == whole[:place]
        state = json.loads(json.dumps(stream.state_dict()))
        other = Mixture(folder)
        other.load_state_dict(state)
        assert some(other, 50) == whole[place : place + 50]


def test_it_goes_on_after_the_documents_that_workers_yielded(folder):
    whole = some(Mixture(folder), 3000)
    stream = Mixture(folder)
    stream.advance(1234)
    loader = DataLoader(stream, batch_size=None, num_workers=2)
    assert some(loader, 100) == whole[1234:1334]


def test_a_state_of_ranks_is_that_of_all(folder):
    whole = some(Mixture(folder), 600)
    states = []
    for rank in range(3):
        stream = Mixture(folder, batch=4, rank=rank, ranks=3)
        some(stream, 20)
        states.append(stream.state_dict())
    assert states[0] == states[1] == states[2]
    stream = Mixture(folder)
    stream.load_state_dict(states[0])
    assert some(stream, 100) == whole[60:160]


# ── other weights in the middle


def test_other_weights_show_at_once(folder):
    stream, other = Mixture(folder, tokens=None), {"short": 0.1, "long": 0.2, "middle": 0.7}
    documents, later = [], 0
    for document in stream:
        documents.append(document)
        later += len(document["text"]) * (len(documents) > 5000)
        if len(documents) == 5000:
            stream.weights = other
        if later > 1_000_000:
            break
    for name, share in shares_of(documents[:5000]).items():
        assert abs(share - SHARES[name]) < 0.01
    for name, share in shares_of(documents[5000:]).items():
        assert abs(share - other[name]) < 0.01
    assert stream.weights == pytest.approx(other)


def test_other_weights_are_part_of_a_state(folder):
    def run(stream, number):
        found = some(stream, number)
        stream.weights = {"short": 1, "long": 3}
        return found

    stream = Mixture(folder)
    run(stream, 321)
    state = stream.state_dict()
    rest = some(stream, 2000)
    assert not any(id.startswith("middle") for id in rest)
    stream.weights = SHARES
    rest += some(stream, 500)
    other = Mixture(folder)
    other.load_state_dict(state)
    again = some(other, 2000)
    other.weights = SHARES
    assert again + some(other, 500) == rest


def test_ranks_that_change_weights_after_as_many_batches_stay_one_order(folder):
    other = {"short": 0.5, "long": 0.5}
    parts = []
    for rank in range(2):
        stream = Mixture(folder, batch=2, rank=rank, ranks=2)
        found = some(stream, 30)
        stream.weights = other
        parts.append(found + some(stream, 30))
    stream = Mixture(folder)
    whole = some(stream, 60)
    stream.weights = other
    whole += some(stream, 60)
    pairs = [part[start : start + 2] for start in range(0, 60, 2) for part in parts]
    assert [id for pair in pairs for id in pair] == whole


class Fixed:
    def __init__(self, lengths):
        self.sums = np.cumsum(lengths)

    def ends(self, epoch):
        return self.sums


def test_turns_of_a_worked_example():
    """Shares of a half each; documents of 2 and of 3 tokens are due at 0, 4, 8 and 0, 6, 12."""
    chunk = next_chunk([Fixed([2, 2, 2]), Fixed([3, 3])], [0.5, 0.5], [Turn(), Turn()], 12)
    assert chunk.group.tolist() == [0, 1, 0, 1, 0]
    assert chunk.time.tolist() == [0, 0, 4, 6, 8]
    assert chunk.turns == (Turn(1, 0, 12.0), Turn(1, 0, 12.0))
    assert chunk.turns_after(3) == (Turn(0, 2, 8.0), Turn(0, 1, 6.0))


def test_other_shares_keep_what_a_group_is_ahead():
    """At time 6: 2 tokens ahead of a half; 3 tokens that wait without a share; half a token."""
    turns = (Turn(0, 5, 10.0), Turn(1, 2, 3.0), Turn(0, 1, 8.0))
    changed = reweighted(turns, 6.0, [0.5, 0, 0.25], [0.25, 0.5, 0])
    assert changed == (Turn(0, 5, 14.0), Turn(1, 2, 12.0), Turn(0, 1, 0.5))


# ── a real export, and what is refused


@pytest.mark.parametrize("format", ["jsonl", "parquet"])
def test_a_real_export_is_streamed(held, format):
    held.run("export", layout="by_group", shard_documents=40, format=format)
    folder = held.root / "export"
    manifest = manifest_of(folder)
    counts, spent = Counter(), Counter()
    for document in Mixture(folder):
        spent[document["group"]] += tokens_of(document)
        counts[document["id"]] += 1
    for group in manifest["groups"]:
        assert abs(spent[group["group"]] / spent.total() - group["promised"]) < 0.02
    drawn = {row["id"]: row["copies"] for row in held.rows("mix") if row["copies"]}
    assert set(counts) == set(drawn)
    assert all(abs(counts[id] - copies) <= 1 for id, copies in drawn.items())


def test_a_phase_is_named(held):
    phases = [{"name": "main", "budget": 3000}, {"name": "late", "budget": 2000, **EVEN}]
    held.run("mix", phases=phases, max_epochs=3)
    held.run("export", layout="by_group")
    with pytest.raises(RecipeError, match="has phases: name one"):
        Mixture(held.root / "export")
    with pytest.raises(RecipeError, match="no phase lat"):
        Mixture(held.root / "export", phase="lat")
    documents = list(Mixture(held.root / "export", phase="late"))
    assert {document["phase"] for document in documents} == {"late"}
    assert abs(sum(map(tokens_of, documents)) - 2000) < 100


def test_what_is_refused(held, folder):
    held.run("export")
    with pytest.raises(DataError, match="has layout mixed"):
        Mixture(held.root / "export")
    with pytest.raises(DataError, match="holds no export"):
        Mixture(held.root)
    with pytest.raises(RecipeError, match="no column txt"):
        Mixture(folder, columns=["txt"])
    with pytest.raises(RecipeError, match="no rank 2 of 2"):
        Mixture(folder, rank=2, ranks=2)
    stream = Mixture(folder)
    with pytest.raises(RecipeError, match="no group shrt"):
        stream.weights = {"shrt": 1}
    with pytest.raises(RecipeError, match="not all of them 0"):
        stream.weights = {"short": 0}
    with pytest.raises(DataError, match="other groups"):
        stream.load_state_dict({"turns": []})


def example_with(words):
    """The one example of the docs that has some words, for the groups of this file."""
    text = (Path(__file__).parent.parent / "docs/trainers.md").read_text(encoding="utf-8")
    blocks = [block.partition("\n```")[0] for block in text.split("```python\n")[1:]]
    (code,) = [code for code in blocks if words in code]
    return code.replace('"web"', '"short"').replace('"wiki"', '"long"')


def test_the_example_of_the_docs(folder, monkeypatch, tmp_path):
    code = example_with("DataLoader")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "export").symlink_to(folder)
    known = {}
    exec(code, known)
    assert known["step"] > 1000
    assert known["mixture"].weights == pytest.approx({"short": 0.7, "long": 0.3, "middle": 0})
    first = next(iter(known["batches"]))
    assert [document["id"] for document in first] == some(Mixture(folder), 8)


def test_the_example_of_weights_that_follow_losses(folder, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "export").symlink_to(folder)
    seen = Counter()

    def train(text):
        """A loss that falls fast where texts are long, and hardly where they are short."""
        kind = "long" if len(text) > 150 else "short"
        seen[kind] += len(text)
        least, exponent = (1.0, 0.5) if kind == "long" else (3.0, 0.05)
        return least + 20 * seen[kind] ** -exponent

    known = {"train": train}
    exec(example_with("OnlineMixer"), known)
    assert known["step"] > 4000
    mixer, weights = known["mixer"], known["mixture"].weights
    assert weights == pytest.approx(mixer.weights, rel=1e-12)  # divided by their sum, which is 1
    assert weights != pytest.approx(SHARES)
    assert 0.1 <= weights["short"] <= 0.6
    state = json.loads(json.dumps(known["state"]))
    assert state["mixer"] == mixer.state_dict()
    assert state["mixer"]["step"] == known["step"] // 200
    again = Mixture(folder)
    again.load_state_dict(state["mixture"])
    assert again.weights == weights
