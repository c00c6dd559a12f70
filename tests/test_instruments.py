"""Languages, licences and privacy through the stage: reasons, columns, edits."""

import json

import pytest

from curate.clean.instruments.licenses import allowed
from curate.errors import RecipeError
from curate.text import content_id

ENGLISH = "The soup was good and the bread was fresh, so we came back the next day."
GERMAN = "Die Suppe war gut und das Brot war frisch, also kamen wir am nächsten Tag wieder."
CHINESE = "这家店的汤很好喝，面包也很新鲜，所以我们第二天又来了。"
PRIVATE = "Write to jane.doe@mail.example.org or call +44 20 7946 0958 before noon, please."


def run(offline, texts, **given):
    made = offline.run("clean", **given)
    rows = {row["id"]: row for row in offline.rows("clean")}
    return made, [rows[content_id({"text": text})] for text in texts]


# ── languages


def test_languages_per_source(offline):
    offline.lines("web.jsonl", [ENGLISH, GERMAN, "OK then"])
    offline.lines("books.jsonl", [CHINESE, {"text": GERMAN + " Und?", "lang": "de"}])
    sources = [
        {"name": "web", "paths": ["data/web.jsonl"]},
        {"name": "books", "paths": ["data/books.jsonl"]},
    ]
    offline.run("pool", sources=sources, tokenizer="bytes")
    texts = [ENGLISH, GERMAN, "OK then", CHINESE, GERMAN + " Und?"]
    made, rows = run(offline, texts, rules=[], languages={"web": ["en"]})
    assert [row["language"] for row in rows] == ["en", "de", "und", "zh", "de"]
    reasons = [None, "language", "language", None, None]
    assert [row["reason"] for row in rows] == reasons
    assert rows[0]["language:confidence"] > 0.8
    made, rows = run(offline, texts, rules=[], languages=["de", "und"])
    assert [row["kept"] for row in rows] == [False, True, True, False, True]
    assert made.measured == 0  # another list decides again
    made, rows = run(offline, texts, rules=[], languages={})
    assert made.kept == 5


def test_languages_as_people_write_them(offline):
    from curate.run import files

    def read(written):
        path = offline.root / "written.yaml"
        path.write_text(f"clean: {{languages: {written}}}\n")
        return files.load(path).clean.languages

    assert read("[en, no]") == ("en", "no")
    assert read("zh") == ("zh",)
    assert read("{web: no, books: [zh-Hant]}") == {"web": ("no",), "books": ("zh-Hant",)}
    assert (read("{}"), read("null")) == ({}, None)
    with pytest.raises(RecipeError, match="english is not a language tag such as en"):
        read("[english]")
    for wrong in ("3", "{web: 3}", "[1]", "false"):
        with pytest.raises(RecipeError, match="languages"):
            read(wrong)


def test_a_source_that_is_not_there_is_told(offline):
    offline.lines("web.jsonl", [ENGLISH])
    offline.pool()
    with pytest.raises(RecipeError, match=r"clean\.languages: no source wbe") as caught:
        offline.run("clean", languages={"wbe": ["en"]})
    assert "web" in caught.value.hint


def test_stages_see_the_detected_language(offline):
    offline.lines("web.jsonl", [ENGLISH, CHINESE])
    offline.pool()
    offline.run("clean", rules=[], languages={})
    found = offline.workspace.documents.table(("id", "language"))["language"].to_pylist()
    assert sorted(found) == ["en", "zh"]


def test_a_declared_language_stands_where_none_is_measured(offline):
    offline.lines("web.jsonl", [ENGLISH])
    sources = [{"name": "web", "paths": ["data/web.jsonl"], "language": "en-GB"}]
    offline.run("pool", sources=sources, tokenizer="bytes")
    _, (row,) = run(offline, [ENGLISH], rules=[])
    assert row["language"] == "en-GB"
    _, (row,) = run(offline, [ENGLISH], rules=[], languages=["en"])
    assert (row["language"], row["kept"], row["language:differs"]) == ("en-GB", True, 0)


# ── licences


@pytest.mark.parametrize(
    ("license", "names", "wanted"),
    [
        ("MIT", ["MIT"], True),
        ("mit", ["MIT"], True),
        ("unknown", ["MIT"], False),
        (None, ["MIT"], False),
        ("unknown", ["unknown"], True),
        ("CC-BY-4.0", ["CC-BY-*"], True),
        ("CC-BY-NC-4.0", ["CC-BY-[0-9]*"], False),
        ("MIT OR GPL-3.0-only", ["MIT"], True),
        ("MIT AND GPL-3.0-only", ["MIT"], False),
        ("(MIT AND ISC) OR X", ["MIT", "ISC"], True),
        ("(MIT OR X) AND Y", ["MIT"], False),
        ("(MIT OR X) AND (Y OR (ISC AND MIT))", ["MIT", "ISC"], True),
        ("MIT OR X AND Y", ["MIT"], True),
        ("(MIT)", ["MIT"], True),
        ("GPL-2.0-only WITH Classpath-exception-2.0", ["GPL-2.0-only"], False),
        ("MIT (see LICENSE)", ["MIT"], False),
        ("(MIT", ["MIT"], False),
        ("MIT", [], False),
    ],
)
def test_licences(license, names, wanted):
    assert allowed(license, names) is wanted


def test_an_unknown_licence_is_a_reason(offline):
    offline.lines("a.jsonl", [{"text": ENGLISH, "lic": "MIT"}, {"text": GERMAN, "lic": None}])
    sources = [{"name": "a", "paths": ["data/a.jsonl"], "license": {"field": "lic"}}]
    offline.run("pool", sources=sources, tokenizer="bytes")
    made, rows = run(offline, [ENGLISH, GERMAN], licenses=["MIT", "CC0-1.0"])
    assert [row["reason"] for row in rows] == [None, "license"]
    assert made.licenses == {"unknown": 1}
    made, rows = run(offline, [ENGLISH, GERMAN], licenses=["unknown"])
    assert [row["reason"] for row in rows] == ["license", None]
    assert made.licenses == {"MIT": 1}


# ── privacy


def test_masks_are_edits_and_tokens_count_what_is_left(offline):
    offline.lines("a.jsonl", [PRIVATE, ENGLISH])
    offline.pool()
    made, (private, plain) = run(offline, [PRIVATE, ENGLISH], rules=[], privacy="mask")
    masked = "Write to [email] or call [phone] before noon, please."
    assert private["tokens"] == len(masked)
    assert [edit["replacement"] for edit in private["edits"]] == ["[email]", "[phone]"]
    assert plain["edits"] is None
    texts = [
        t for table in offline.workspace.documents.batches() for t in table["text"].to_pylist()
    ]
    assert sorted(texts) == sorted([masked, ENGLISH])
    assert made.privacy == {"email": 1, "phone": 1}


def test_a_kind_that_is_to_be_dropped_is_a_reason(offline):
    offline.lines("a.jsonl", [PRIVATE, ENGLISH])
    offline.pool()
    _, rows = run(offline, [PRIVATE, ENGLISH], privacy={"phone": "drop"})
    assert [row["reason"] for row in rows] == ["privacy", None]
    made, _ = run(offline, [PRIVATE, ENGLISH], privacy={"phone": "flag"})
    assert (made.measured, made.kept) == (0, 2)


def test_an_unknown_kind_or_action_is_told(offline):
    from curate.run.recipe import Recipe
    from curate.spec import validated

    for given in ({"mail": "mask"}, {"email": "hide"}, "hide"):
        with pytest.raises(RecipeError, match=r"clean\.privacy"):
            validated(Recipe, {"clean": {"privacy": given}}, where="recipe.yaml")


def test_no_value_is_in_ledger_or_result(offline):
    offline.lines("a.jsonl", [PRIVATE])
    offline.pool()
    offline.run("clean", rules=[], privacy="mask")
    written = (offline.root / "ledger.jsonl").read_text()
    assert "7946" not in written
    assert "jane" not in written
    assert json.loads(written.splitlines()[-1])["result"]["privacy"] == {"email": 1, "phone": 1}


# ── freshness


def test_another_evaluation_set_makes_clean_stale(offline):
    from curate.run.stages import is_fresh

    offline.lines("a.jsonl", [ENGLISH, GERMAN])
    offline.pool()
    (offline.root / "exam.txt").write_text(f"{ENGLISH}\n")
    asked = {"rules": [], "contamination": {"sets": [{"name": "exam", "path": "exam.txt"}]}}
    assert offline.run("clean", **asked).reasons == {"contamination": 1}
    spec = offline.spec("clean", **asked)
    assert is_fresh(offline.workspace, "clean", spec)
    (offline.root / "exam.txt").write_text(f"{ENGLISH}\n{GERMAN}\n")
    assert not is_fresh(offline.workspace, "clean", spec)
    assert offline.run("clean", **asked).reasons == {"contamination": 2}


# ── the report


def test_the_report_tells_of_languages_privacy_and_contamination(offline):
    offline.lines("a.jsonl", [PRIVATE, ENGLISH, GERMAN])
    offline.pool()
    (offline.root / "exam.txt").write_text(f"{ENGLISH}\n")
    sets = [{"name": "the exam", "path": "exam.txt"}]
    asked = {"languages": ["en"], "privacy": "mask", "contamination": {"sets": sets}}
    made = offline.run("clean", rules=[], **asked)
    assert made.reasons == {"contamination": 1, "language": 1}
    offline.run("report")
    page = (offline.root / "report.html").read_text()
    for word in ("Languages", "Privacy", "the exam", "Contamination by evaluation sets"):
        assert word in page
    assert "jane.doe" not in page
