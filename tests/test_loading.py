"""What others load: `datasets.load_dataset` on an export as it lies, in both formats."""

import json
import os
import re
import warnings

import pyarrow.parquet as pq
import pytest
import yaml

os.environ.setdefault("HF_HUB_OFFLINE", "1")

from curate import yamls
from curate.export.formats import read_shard
from curate.export.verify import verify
from curate.text import content_id
from tests.media_made import picture
from tests.test_cards import opened

FORMATS = ("jsonl", "parquet")

FORM = """<View>
  <Text name="text" value="$text"/>
  <Choices name="情感" toName="text"><Choice value="好"/><Choice value="no"/></Choices>
  <Choices name="labels" toName="text" choice="multiple">
    <Choice value="a.b"/><Choice value="1e3"/><Choice value="value"/>
  </Choices>
  <Rating name="quality" toName="text" maxRating="4"/>
  <Labels name="id" toName="text"><Label value="地点"/></Labels>
  <TextArea name="why" toName="text"/>
</View>"""


def loaded(folder, cache, **more):
    """Return what `load_dataset` makes of a folder."""
    import datasets

    datasets.disable_progress_bars()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return datasets.load_dataset(str(folder), cache_dir=str(cache), **more)


def documents_of(folder):
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    return [row for entry in manifest["files"] for row in read_shard(folder / entry["path"])]


def front(folder):
    """Return the front matter of the card, as YAML."""
    text = (folder / "README.md").read_text(encoding="utf-8")
    return yaml.safe_load(re.match(r"---\n(.*?)\n---\n", text, re.DOTALL)[1])


@pytest.fixture
def answered(offline):
    """A pool of reviews and chats, some masked; every kind of question, settled and not."""
    offline.lines("复核.jsonl", [f"第{n}家店在北京，味道不错，我很喜欢。" for n in range(30)])
    chats = [
        {"messages": [{"role": "user", "content": f"Is {n} even? {m}"} for m in range(1 + n % 4)]}
        for n in range(20)
    ]
    offline.lines("chat.jsonl", chats)
    mail = [f"Note {n}: write to ann{n}@example.org about the {n} chairs." for n in range(15)]
    offline.lines("no.jsonl", mail)
    sources = [
        {"name": "复核", "paths": ["data/复核.jsonl"], "language": "zh"},
        {"name": "no", "paths": ["data/no.jsonl"], "language": "no", "license": "MIT"},
        {"name": "chat", "paths": ["data/chat.jsonl"], "chat": {"field": "messages"}},
    ]
    path = offline.root / "label_configs" / "all.xml"
    path.parent.mkdir()
    path.write_text(FORM, encoding="utf-8")
    for part in (sources[:2], sources):  # the form does not fit chats: they come later
        offline.run("pool", sources=part, tokenizer="bytes")
        offline.run("clean", rules=["length"], privacy="mask", near_duplicates=None)
        if part is not sources:
            offline.run("sample", n=30, strategy="random", seed=3)
            offline.run("push", backend="folder", form="all", overlap=2)
            answer(offline)
            offline.run("pull")
            offline.run("agree", bootstrap=0, method="majority")
    return offline


def answer(offline):
    """Two people answer; every third text they see otherwise."""
    for n, task in enumerate(offline.tasks):
        for person in ("ann", "bob"):
            differs = person == "bob" and n % 3 == 0
            span = {"start": 0, "end": 1 + differs, "label": "地点"}
            values = {
                "情感": "no" if differs else "好",
                "labels": [] if n % 4 == 1 else ["a.b", "1e3"],
                "quality": 3 if differs else 2,
                "id": [] if n % 5 == 1 else [span],
                "why": "no 2026-01-01",
            }
            about = {"id": task["id"], "annotator": person}
            offline.say(*({**about, "question": q, "value": v} for q, v in values.items()))


@pytest.mark.parametrize("format", FORMATS)
def test_every_kind_of_label_loads(answered, tmp_path, format):
    answered.run("mix", groups=["source"], budget="150%", max_epochs=3)
    answered.run("export", format=format, shard_documents=7)
    folder = answered.root / "export"
    documents = documents_of(folder)
    assert verify(folder).problems == ()
    data = loaded(folder, tmp_path / "cache")
    assert list(data) == ["train"]
    assert data["train"].to_list() == documents
    assert list(loaded(folder, tmp_path / "cache", streaming=True)["train"]) == documents
    types = data["train"].features.arrow_schema
    labels = types.field("labels").type
    kinds = {field.name: str(field.type.field("value").type) for field in labels}
    assert kinds.pop("情感") == "string"
    assert kinds.pop("labels") == "list<item: string>"
    assert kinds.pop("quality") == "double"
    span = "struct<start: int64, end: int64, label: string, field: string>"
    assert kinds.pop("id") == f"list<item: {span}>"
    assert all(": " not in kind for kind in kinds.values())  # the parts of several labels
    assert "why" not in kinds
    rows = [row["labels"]["情感"] for row in documents]
    assert {row and (row["value"], row["undecided"]) for row in rows} == {
        *(None, ("好", False), (None, True))
    }
    assert all(
        row["posterior"] == {"好": 0.5, "no": 0.5} for row in rows if row and row["undecided"]
    )
    texts = {row["id"]: row["text"] for row in documents}
    assert {row["edited"] for row in documents} == {True, False}
    assert any("[email]" in text for text in texts.values())


def test_both_formats_load_as_the_same(answered, tmp_path):
    """Also where older shards lay, and without the card."""
    answered.run("mix", groups=["source"], budget="60%")
    both = []
    for format in FORMATS:
        answered.run("export", format=format, shard_documents=11)
        both.append(loaded(answered.root / "export", tmp_path / "cache")["train"])
    one, other = both
    assert one.to_list() == other.to_list()
    assert one.features == other.features
    paths = sorted((answered.root / "export").glob("data-*"))
    assert {path.suffix for path in paths} == {".parquet"}
    assert len({str(pq.read_schema(path)) for path in paths}) == 1


@pytest.mark.parametrize("format", FORMATS)
def test_rows_without_labels_load_with_every_key(offline, tmp_path, format):
    offline.reviews()
    offline.pool()
    offline.run("clean")
    offline.run("mix", budget="40%")
    offline.run("export", format=format)
    folder = offline.root / "export"
    (row, *rows) = loaded(folder, tmp_path / "cache")["train"].to_list()
    keys = ["id", "text", "source", "group", "copy", "license", "quality", "labels", "fields"]
    assert list(row) == [*keys, "media", "edited"]
    assert {name for name, value in row.items() if value is None} == {
        *("quality", "labels", "fields", "media")
    }
    assert row["edited"] is False
    assert len(rows) + 1 == len(documents_of(folder))


@pytest.mark.parametrize("format", FORMATS)
def test_images_with_captions_are_verified_and_load(offline, tmp_path, format):
    """The id of a document with an image comes from the bytes, or else from the address."""
    (offline.root / "data").mkdir()
    rows = []
    for n in range(12):
        (offline.root / "data" / f"{n}.png").write_bytes(picture(n))
        address = f"{n}.png" if n % 2 else f"https://example.org/{n}.png"
        rows.append({"caption": f"A boat, seen {n} times on the lake.", "picture": address})
    offline.lines("boats.jsonl", rows)
    more = {"fields": ["caption"], "media": {"image": "picture"}}
    sources = [{"paths": ["data/boats.jsonl"], **more}]
    offline.run("pool", sources=sources, tokenizer="bytes")
    offline.run("clean", rules=[], near_duplicates=None)
    offline.run("mix", budget="100%")
    offline.run("export", format=format, shard_documents=5)
    folder = offline.root / "export"
    assert verify(folder).problems == ()
    documents = documents_of(folder)
    assert loaded(folder, tmp_path / "cache")["train"].to_list() == documents
    assert len(documents) == 12
    for document in documents:
        (image,) = document["media"]
        caption, shown = document["fields"]
        assert (caption["name"], caption["text"]) == ("caption", document["text"])
        assert shown == {"name": "image", "text": image["address"]}
        digest = image["sha256"] or image["address"]
        assert document["id"] == content_id({"caption": document["text"], "image": digest})
    assert {image["sha256"] is None for row in documents for image in row["media"]} == {True, False}


def test_an_export_of_another_image_is_found(offline):
    offline.lines("boats.jsonl", [{"text": "A boat.", "url": "https://example.org/1.png"}])
    offline.run("pool", sources=[{"paths": ["data/boats.jsonl"], "media": {"image": "url"}}])
    offline.run("clean", rules=[])
    offline.run("mix", budget="100%")
    offline.run("export")
    path = offline.root / "export" / "data-00000.jsonl"
    path.write_text(path.read_text(encoding="utf-8").replace("1.png", "2.png"), encoding="utf-8")
    assert any("not that of its id" in problem for problem in verify(path.parent).problems)


# ── true YAML

WORDS = (
    *(
        "no",
        "on",
        "y",
        "1e3",
        "1E3",
        ".5",
        "0o17",
        "0x1f",
        "007",
        "null",
        "~",
        "",
        "12:30",
        "1_000",
    ),
    *(
        "2026-01-01",
        "true",
        "it's",
        'a "b"',
        "复核",
        "a: b",
        "# x",
        "- a",
        "<<",
        "=",
        "*",
        "é\u2028",
    ),
    *("{a}", "😀", " a ", "a\nb", "-", "---", ".inf", "%", "@", "`"),
)


@pytest.mark.parametrize("word", WORDS)
def test_a_string_is_read_as_a_string_by_every_yaml(word):
    value = {word or "empty": [word, {"deep": word}], "number": 1, "share": 1e-7, "is": True}
    text = yamls.text_of(value)
    assert yaml.safe_load(text) == value
    plain = yaml.load(text, Loader=yaml.BaseLoader)
    assert plain[word or "empty"][0] == word
    (_, values), *_ = yaml.compose(text).value
    assert {node.style for node in values.value[:1]} != {None} or not re.fullmatch(
        r"[-+]?(\.\d+|\d+(\.\d*)?)([eE][-+]?\d+)?|0o[0-7]+|[yYnN]|", word
    )  # what is written without quotes is no number, and not nothing, to YAML 1.2 either


def test_the_card_is_true_yaml(offline):
    offline.workspace.init("1e3")
    texts = [f"Dette er den {n}. boken om fjell og hav." for n in range(9)]
    offline.lines("books.jsonl", texts)
    sources = [{"name": "no", "paths": ["data/books.jsonl"], "language": "no", "license": "No"}]
    offline.run("pool", sources=sources, tokenizer="bytes")
    offline.run("clean", rules=[], near_duplicates=None)
    offline.run("mix", groups=["source"], budget="100%")
    offline.run("export")
    told = front(offline.root / "export")
    assert told["language"] == ["no"]
    assert (told["license"], told["license_name"]) == ("other", "no")
    assert told["size_categories"] == ["n<1K"]
    assert told["configs"][0]["data_files"] == [{"split": "train", "path": "data-*.jsonl"}]
    recipe = yaml.safe_load((offline.root / "export" / "recipe.yaml").read_text(encoding="utf-8"))
    assert recipe["pool"]["sources"][0]["language"] == "no"


def test_norwegian_is_a_language_wherever_people_write_yaml(offline):
    """Also in front matter, and in people.yaml; what is no setting of truth stays a word."""
    from curate.people.people import load as load_people
    from curate.run.files import load

    path = offline.root / "recipe.yaml"
    path.write_text(
        "pool: {sources: [{name: no, paths: [x.md], language: no}]}\n"
        "clean: {languages: {no: [no, en]}}\nsample: {compare: yes}\n"
    )
    recipe = load(path, ("pool.sources=[{paths: [on], language: no}]",))
    assert (recipe.pool.sources[0].paths, recipe.pool.sources[0].language) == (("on",), "no")
    recipe = load(path)
    assert (recipe.pool.sources[0].name, recipe.pool.sources[0].language) == ("no", "no")
    assert recipe.clean.languages == {"no": ("no", "en")}
    assert recipe.sample.compare is True
    (offline.root / "people.yaml").write_text("people: [{id: on, languages: [no]}]")
    (person,) = load_people(offline.root).people
    assert (person.id, person.languages) == ("on", ("no",))
    (offline.root / "data").mkdir()
    text = "---\nlanguage: no\ndraft: true\ntitle: Yes\n---\nDette er en bok om fjell.\n"
    (offline.root / "data" / "book.md").write_text(text)
    source = {"paths": ["data/book.md"], "language": {"field": "language"}}
    offline.run("pool", sources=[source], tokenizer="bytes")
    (row,) = offline.rows("pool")
    assert row["language"] == "no"
    assert json.loads(row["meta"]) == {"draft": True, "title": "Yes", "path": "book.md"}


PEOPLE = ("no", "1e3", "007", "null", "~", "2026-01-01", "it's", "复核", "y", "12:30", "a: b")


def test_people_are_written_and_read_back(tmp_path):
    from curate.people.people import People, Person, load, save

    people = People(
        people=tuple(
            Person(id=word, name=word, accounts={"folder": word}, languages=(word,))
            for word in PEOPLE
        )
    )
    save(tmp_path, people)
    assert load(tmp_path) == people


def test_what_the_header_names_is_what_lies_there(offline, tmp_path):
    """By `datasets` and by Croissant: every configuration, and nothing that reads all groups."""
    offline.reviews()
    offline.pool(holdout=0.2)
    offline.run("clean")
    offline.run("mix", groups=["source"], budget="120%", max_epochs=2)
    folder = offline.root / "export"
    for format in FORMATS:
        for layout in ("mixed", "by_group"):
            offline.run("export", format=format, layout=layout, shards=4)
            told = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
            splits = {"validation": told["validation"]["files"]}
            for file in told["files"]:
                group = file["path"].rpartition("/")[0] or "train"
                splits.setdefault(group, []).append(file)
            assert len(splits) == (3 if layout == "by_group" else 2)
            card = (folder / "README.md").read_text(encoding="utf-8")
            assert ("before any weight" in card) == (layout == "by_group")
            assert f"# tiny\n\n{told['about']}\n" in card
            rows = {
                name: [row for file in files for row in read_shard(folder / file["path"])]
                for name, files in splits.items()
            }
            if layout == "by_group":
                for name, lines in rows.items():
                    split = "validation" if name == "validation" else "train"
                    data = loaded(folder, tmp_path / "cache", name=name)
                    assert {split: data[split].to_list()} == {split: lines}
                    assert list(data) == [split]
                with pytest.raises(ValueError, match="Config name is missing"):
                    loaded(folder, tmp_path / "cache")
            else:
                data = loaded(folder, tmp_path / "cache")
                assert {name: data[name].to_list() for name in data} == rows
            described = opened(folder / "croissant.json")
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                for name, lines in rows.items():
                    ids = [row[f"{name}/id"].decode() for row in described.records(name)]
                    assert ids == [row["id"] for row in lines]
