"""Exports: what a trainer reads, and how any tampering is found."""

import json
import shutil
from collections import Counter

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from curate import tokens
from curate.errors import StaleInput
from curate.export.documents import content_line
from curate.export.formats import read_shard
from curate.export.verify import verify
from curate.storage import sha256_of
from curate.text import content_id
from tests.conftest import Offline


@pytest.fixture
def folder(whole):
    return whole.root / "export"


def manifest(folder):
    return json.loads((folder / "manifest.json").read_text(encoding="utf-8"))


def documents(folder):
    files = [folder / entry["path"] for entry in manifest(folder)["files"]]
    return [document for path in files for document in read_shard(path)]


def test_an_honest_export_has_no_problems(folder):
    result = verify(folder)
    assert result.problems == ()
    held_out = manifest(folder)["validation"]["files"]
    assert result.files == len(manifest(folder)["files"]) + len(held_out) > 2
    assert result.documents == len(documents(folder))


def test_the_shape_that_others_rely_on(folder, whole):
    found = manifest(folder)
    for name in ("files", "groups", "layout", "tokenizer", "budget", "seed", "content_sha256"):
        assert name in found
    assert found["layout"] == "mixed"
    assert {"path", "documents", "tokens", "sha256"} == set(found["files"][0])
    for name in ("group", "wanted", "promised", "realised", "tokens", "documents", "epochs"):
        assert name in found["groups"][0]
    assert {"low", "high", "bound"} <= set(found["groups"][0])
    files = [*found["files"], *found["validation"]["files"]]
    there = {path.name for path in folder.iterdir()} - {entry["path"] for entry in files}
    assert there == {
        *("manifest.json", "README.md", "SHA256SUMS", "recipe.yaml", "inputs.json", "draw.parquet"),
        *("croissant.json", "environment.txt"),
    }
    for document in documents(folder):
        assert document["id"] == content_id({"text": document["text"]})
        assert {"source", "group", "copy", "license", "quality", "labels"} <= set(document)
        label = document["labels"]["sentiment"]
        assert label["by"] in ("people", "model")
        assert label["value"] == max(label["posterior"], key=label["posterior"].get)
    inputs = json.loads((folder / "inputs.json").read_text())
    for entry in inputs:
        path = whole.root / entry["path"]
        assert entry["size"] == path.stat().st_size
        assert entry["sha256"] == sha256_of(path)


def test_labels_of_people_come_before_a_models(folder, whole):
    settled = {row["id"]: json.loads(row["value"]) for row in whole.rows("labels")}
    by = Counter()
    for document in documents(folder):
        label = document["labels"]["sentiment"]
        by[label["by"]] += 1
        assert (label["by"] == "people") == (document["id"] in settled)
        if label["by"] == "people":
            assert label["value"] == settled[document["id"]]
    assert by["people"] > 0 < by["model"]


def test_lines_are_those_of_the_draw_in_a_shuffled_order(folder, whole):
    drawn = {row["id"]: row["copies"] for row in whole.rows("mix") if row["copies"]}
    order = [document["id"] for document in documents(folder)]
    assert Counter(order) == drawn
    pool_order = [row["id"] for row in whole.rows("pool") if row["id"] in drawn]
    assert order != pool_order


def test_copies_are_numbered(whole):
    whole.run("mix", groups=["source"], budget="250%", max_epochs=3)
    whole.run("export")
    numbers = {}
    for document in documents(whole.root / "export"):
        numbers.setdefault(document["id"], []).append(document["copy"])
    assert {tuple(sorted(each)) for each in numbers.values()} == {(1, 2), (1, 2, 3)}
    assert verify(whole.root / "export").problems == ()


def test_parquet_says_the_same_as_json_lines(whole):
    before = documents(whole.root / "export")
    whole.run("export", format="parquet", shard_documents=20)
    found = manifest(whole.root / "export")
    assert all(entry["path"].endswith(".parquet") for entry in found["files"])
    after = documents(whole.root / "export")
    assert [content_line(each) for each in after] == [content_line(each) for each in before]
    assert [each["labels"] for each in after] == [each["labels"] for each in before]
    assert verify(whole.root / "export").problems == ()


def test_the_recipe_beside_it_is_one(folder):
    from curate.run.files import load

    recipe = load(folder / "recipe.yaml")
    assert recipe.mix.budget == "50%"
    assert recipe.score.encoder == "chargram"


def test_the_recipe_beside_it_makes_the_same_export_again(whole, tmp_path):
    from curate.run.files import load
    from curate.run.walk import walk

    again = Offline(tmp_path / "again")
    shutil.copytree(whole.root / "data", again.root / "data")
    recipe = load(whole.root / "export" / "recipe.yaml")
    assert recipe.sample.strategy == "stratified"
    assert "temperature" in recipe.mix.within.model_fields_set
    assert "alpha" not in recipe.mix.between.model_fields_set
    *_, waiting = walk(recipe, again.workspace)
    assert waiting.state == "waiting"
    answers = whole.root / "rounds" / "01" / "answers.jsonl"
    shutil.copy(answers, again.root / "rounds" / "01")
    states = {step.stage: step.state for step in walk(recipe, again.workspace)}
    assert states["export"] == "done"
    one, other = manifest(whole.root / "export"), manifest(again.root / "export")
    assert other["content_sha256"] == one["content_sha256"]
    assert load(again.root / "export" / "recipe.yaml") == recipe


def test_the_card_tells_the_mixture(folder):
    card = (folder / "README.md").read_text(encoding="utf-8")
    assert card.startswith("---\n")
    for group in manifest(folder)["groups"]:
        assert f"| {group['group']} | {group['wanted']:.2%} " in card
    assert "by 2 annotators" in card


def test_several_fields_keep_their_names_and_their_hash(offline):
    rows = [{"q": f"What is {n}?", "a": f"It is the number {n}, of course."} for n in range(9)]
    offline.lines("chat.jsonl", rows)
    source = {"paths": ["data/chat.jsonl"], "fields": ["q", "a"], "template": "Q: {q}\nA: {a}"}
    offline.run("pool", sources=[source], tokenizer="bytes")
    offline.run("clean")
    offline.run("mix")
    for format in ("jsonl", "parquet"):
        offline.run("export", format=format)
        first = documents(offline.root / "export")[0]
        fields = {field["name"]: field["text"] for field in first["fields"]}
        assert first["text"] == f"Q: {fields['q']}\nA: {fields['a']}"
        assert first["id"] == content_id(fields)
        assert verify(offline.root / "export").problems == ()


def test_a_tokenizer_of_ones_own_travels_along(offline):
    from tokenizers import Tokenizer, models, pre_tokenizers

    words = {word: n for n, word in enumerate(("[UNK]", "the", "was", "film"))}
    model = Tokenizer(models.WordLevel(words, unk_token="[UNK]"))
    model.pre_tokenizer = pre_tokenizers.Whitespace()
    model.save(str(offline.root / "own.json"))
    offline.reviews()
    offline.pool(tokenizer="own.json")
    offline.run("clean")
    offline.run("mix", budget="50%")
    offline.run("export")
    folder = offline.root / "export"
    assert manifest(folder)["tokenizer"] == "tokenizer.json"
    count = tokens.counter(str(folder / "tokenizer.json"))
    total = sum(count(document["text"]) for document in documents(folder))
    assert total == sum(entry["tokens"] for entry in manifest(folder)["files"])
    assert verify(folder).problems == ()


# ── tampering


def rewritten(folder, change):
    """Rewrite the first shard's documents and every sum that an attacker would mend."""
    found = manifest(folder)
    path = folder / found["files"][0]["path"]
    rows = change([json.loads(line) for line in path.read_text().splitlines()])
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
    found["files"][0]["sha256"] = sha256_of(path)
    (folder / "manifest.json").write_text(json.dumps(found))
    sums = (
        f"{sha256_of(p)}  {p.name}\n" for p in sorted(folder.iterdir()) if p.name != "SHA256SUMS"
    )
    kept = (line for line in sums if "manifest.json" not in line)
    (folder / "SHA256SUMS").write_text("".join(kept))


def shouted(rows):
    return [{**rows[0], "text": rows[0]["text"].upper()}, *rows[1:]]


def moved(rows):
    other = next(row["group"] for row in rows if row["group"] != rows[0]["group"])
    return [{**rows[0], "group": other}, *rows[1:]]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (shouted, "not that of its id"),
        (moved, "tokens, not"),
        (lambda rows: rows[1:], "documents, not"),
        (lambda rows: [*rows, rows[0]], "has the copies [1, 1]"),
        (lambda rows: [rows[1], rows[0], *rows[2:]], "content_sha256"),
    ],
)
def test_changed_documents_are_found(folder, change, words):
    rewritten(folder, change)
    assert any(words in problem for problem in verify(folder).problems)


def test_changed_files_are_found(folder):
    (folder / "inputs.json").write_text("[]")
    (folder / "extra.txt").write_text("x")
    (folder / "draw.parquet").unlink()
    draw = pa.table({"id": ["0"], "group": ["films"], "tokens": [9], "copies": [1]})
    problems = verify_with(folder, draw)
    assert "inputs.json is not the file that SHA256SUMS names" in problems
    assert "extra.txt is not in SHA256SUMS" in problems
    assert "the documents are not those of draw.parquet" in problems


def verify_with(folder, draw):
    pq.write_table(draw, folder / "draw.parquet")
    return verify(folder).problems


def test_a_missing_shard_is_found(folder):
    (folder / manifest(folder)["files"][1]["path"]).unlink()
    problems = verify(folder).problems
    assert any("is missing" in problem for problem in problems)


def test_a_promise_that_was_not_kept_is_found(folder):
    found = manifest(folder)
    found["groups"][0]["promised"] += 0.3
    (folder / "manifest.json").write_text(json.dumps(found))
    assert any("more than one document" in problem for problem in verify(folder).problems)


def test_a_choice_without_quality_is_still_json(whole):
    """No quality is null: NaN is not JSON."""
    whole.run("score", encoder="chargram", resamples=2)
    whole.run("mix", groups=["sentiment"], budget="30%")
    for format in ("parquet", "jsonl"):
        whole.run("export", format=format)
        found = documents(whole.root / "export")
        assert {document["quality"] for document in found} == {None}
        assert verify(whole.root / "export").problems == ()
    for path in (whole.root / "export").glob("data-*.jsonl"):
        assert "NaN" not in path.read_text(encoding="utf-8")


def test_a_mixture_of_what_is_no_longer_kept_is_refused(whole):
    whole.run("clean", limits={"length:chars": {"min": 110}})
    with pytest.raises(
        StaleInput, match="`scores` was not made from the present `clean`"
    ) as caught:
        whole.run("export")
    assert caught.value.hint.startswith("`curate score` makes it again")
    assert verify(whole.root / "export").problems == ()


def test_a_group_with_a_bar_keeps_the_cards_table(offline):
    offline.lines("a.jsonl", [f"The {n}. book of many." for n in range(9)])
    sources = [{"name": "a|b", "paths": ["data/a.jsonl"]}]
    offline.run("pool", sources=sources, tokenizer="bytes")
    offline.run("clean", rules=[], near_duplicates=None)
    offline.run("mix", groups=["source"], budget="100%")
    offline.run("export")
    card = (offline.root / "export" / "README.md").read_text(encoding="utf-8")
    mixture = card.partition("## Mixture")[2]
    (row,) = [line for line in mixture.splitlines() if line.startswith("| a")]
    assert row.startswith("| a\\|b | 100.00% |")


def test_hostile_names_stay_in_their_places_of_the_card(offline):
    """Of a source, a licence, a group and a run; what is drawn has them exactly."""
    from markdown_it import MarkdownIt

    from tests.test_cards import texts_of

    name, licence = "a | b](http://x.y) <i>`\n# c\n---\n", "MIT |\n\n<script>"
    offline.lines("a.jsonl", [f"The {n}. book of many." for n in range(9)])
    sources = [{"name": name, "paths": ["data/a.jsonl"], "license": licence, "language": "und"}]
    offline.run("pool", sources=sources, tokenizer="bytes")
    offline.run("clean", rules=[], near_duplicates=None)
    offline.run("mix", groups=["source"], budget="100%")
    offline.run("export")
    folder = offline.root / "export"
    assert {row["source"] for row in documents(folder)} == {name}
    card = (folder / "README.md").read_text(encoding="utf-8")
    body = card.split("\n---\n", 1)[1]
    shown = "a | b](http://x.y) <i>` # c ---"
    cells = texts_of(body, "td_open", "code_inline")
    assert cells[0] == shown
    assert cells.count(shown) == 2  # among the sources, and as a group
    assert cells.count("MIT | <script>") == 1
    headings = texts_of(body, "heading_open")
    assert headings == [
        *("tiny", "Sources", "Licences of the drawn documents", "Languages of the drawn documents"),
        *("Labels and agreement", "Mixture", "What was removed", "Files"),
    ]
    assert "html_block" not in {token.type for token in MarkdownIt().parse(body)}
    value = json.loads((folder / "croissant.json").read_text(encoding="utf-8"))
    assert value["license"] == ["MIT | <script>"]
    assert verify(folder).problems == ()


def test_the_environment_names_packages_encoder_and_tokenizers(whole, tmp_path):
    """As pip reads it; sums are those of the files themselves, and of an encoding's tokens."""
    from hashlib import sha256
    from importlib.metadata import version

    import bpe_openai
    from packaging.requirements import Requirement
    from tokenizers import Tokenizer, models

    text = (whole.root / "export" / "environment.txt").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    pinned = {own.name: str(own.specifier) for own in map(Requirement, lines)}
    assert pinned["pyarrow"] == f"=={version('pyarrow')}"
    assert pinned["torch"] == f"=={version('torch').partition('+')[0]}"
    assert pinned["pillow"] == f"=={version('pillow')}"  # of an extra
    assert not {"curate", "ruff", "crowd-kit"} & set(pinned)  # tools of developers
    assert lines == sorted(lines, key=str.lower)
    fit = whole.root / "vectors" / "chargram" / "_fit.npz"
    assert f"# encoder chargram\n#   sha256:{sha256_of(fit)}  _fit.npz\n" in text
    assert "# tokenizer bytes: no file of its own here\n" in text
    offline = Offline(tmp_path / "other")
    offline.lines("a.jsonl", [f"The {n}. book of many." for n in range(9)])
    path = offline.root / "data" / "words.json"
    Tokenizer(models.WordLevel({"The": 0, "?": 1}, unk_token="?")).save(str(path))
    offline.pool(tokenizer="cl100k_base")
    offline.run("clean")
    offline.run("mix", budget="100%", tokenizer="data/words.json")
    offline.run("export")
    text = (offline.root / "export" / "environment.txt").read_text(encoding="utf-8")
    encoding = bpe_openai.get_encoding("cl100k_base")
    digest = sha256()
    for token in encoding.token_byte_values():
        digest.update(len(token).to_bytes(4, "big") + token)
    assert f"# tokenizer cl100k_base\n#   sha256:{digest.hexdigest()}  its tokens\n" in text
    copy = offline.root / "export" / "budget-tokenizer.json"
    assert f"# tokenizer of the budget words.json\n#   sha256:{sha256_of(copy)}  words.json" in text
    assert "# encoder" not in text
    assert verify(offline.root / "export").problems == ()
