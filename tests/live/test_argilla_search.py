"""What the embedded Argilla finds, over HTTP: filters, sorts, words, neighbours, progress."""

from __future__ import annotations

import json
import sqlite3
import time
from typing import Any

import pytest

from curate.servers import Home
from curate.servers.argilla import server as argilla
from curate.servers.argilla.conditions import OfResponse, Terms
from curate.servers.argilla.search import Wanted, page_sql
from tests.argilla import (
    ENTITIES,
    QUALITY,
    SENTIMENT,
    STATUS,
    TOPICS,
    Dataset,
    among,
    between,
    of_metadata,
    of_record,
    of_response,
    of_suggestion,
)

pytestmark = pytest.mark.live

ODD = 'odd "name" $.[0]'
METADATA = {"tokens": "integer", "share": "float", "domain": "terms", ODD: "terms"}
EMOJI = "\U0001f600"
TEXTS = {
    "r00": "The quick brown fox jumps over the lazy dog",
    "r01": "A lazy afternoon with <b>bold</b> claims & AT&T",
    "r02": "我喜歡閱讀書籍和看電影",
    "r03": "東京タワーへ行きました",
    "r04": f"Smile {EMOJI} at café prices of 3.14 e-mail: ada@example.org",
    "r05": "naïve Straße हिन्दी भाषा",
}
HOSTILE = [
    *(
        '"unbalanced',
        "(((",
        ")))",
        "*",
        "-",
        "--",
        'foo AND "',
        "a:b^2",
        "NEAR(x y)",
        "\\",
        '"" ""',
    ),
    *("'; DROP TABLE records; --", "", "   ", "\x00", "a\x00b", "-(", "(-)", "|", "+", "a | | b"),
    *("lazy~2", '"lazy dog"~3', "{a}", "words:lazy", "^lazy", "\ue000", "a" * 5000, "%", "_"),
    *(
        "lazy OR NOT",
        "- lazy",
        "(" * 20 + "lazy" + ")" * 20,
        "é" * 300,
        "((a|b)|(c|d))-e",
        "\ud83d",
    ),
]


def suggestion(dataset: Dataset, question: str, value: Any, **more: Any) -> dict[str, Any]:
    return {"question_id": dataset.questions[question], "value": value, **more}


@pytest.fixture(scope="module")
def dataset(argilla_home: Home) -> Dataset:
    """Twenty records, six of them with texts of their own; two answers complete a record."""
    dataset = Dataset(
        argilla_home,
        fields=("text", "note"),
        questions=(SENTIMENT, TOPICS, QUALITY, ENTITIES),
        metadata=METADATA,
        vectors={"meaning": 2},
        min_submitted=2,
    )
    records = []
    for number in range(20):
        name = f"r{number:02}"
        entity = {"start": 0, "end": 3, "label": "person"}
        fields = {"text": TEXTS.get(name, f"plain text number{number}")}
        if number % 2:
            fields["note"] = "an odd remark"
        records.append(
            {
                "external_id": name,
                "fields": fields,
                "metadata": {
                    "tokens": number,
                    "share": number / 10,
                    "domain": ["web", "all"] if number % 4 else ["books"],
                    ODD: "one",
                },
                "vectors": {"meaning": [number - 10, 5]},
                "suggestions": [
                    suggestion(dataset, "topics", ["code", "news"], score=[0.2, number / 20]),
                    suggestion(dataset, "quality", 1 + number % 5, score=0.5, agent="judge/1"),
                    suggestion(dataset, "entities", [entity], type="model"),
                ],
            }
        )
    dataset.log(*records)
    dataset.log({"external_id": "bare", "fields": {"text": "nothing else here"}})
    dataset.answer("ann", "r00", sentiment="positive", quality=5, topics=["code"])
    dataset.answer("bob", "r00", sentiment="negative", quality=2)
    dataset.answer("ann", "r01", sentiment="negative", quality=4)
    dataset.answer("bob", "r01", "draft", sentiment="negative")
    dataset.answer("ann", "r02", "discarded")
    dataset.answer("cy", "r03", "draft", quality=1)
    return dataset


# ── whose queue, which status


def test_pending_is_what_one_has_not_touched(dataset: Dataset) -> None:
    pending = among(STATUS, "pending")
    assert dataset.find(None, pending, by="ann")["total"] == 18
    assert dataset.find(None, pending, by="bob")["total"] == 19
    assert dataset.find(None, pending)["total"] == 17  # nobody has


def test_other_statuses_are_ones_own(dataset: Dataset) -> None:
    for person, status, names in (
        ("ann", "submitted", {"r00", "r01"}),
        ("ann", "discarded", {"r02"}),
        ("ann", "draft", set()),
        ("bob", "draft", {"r01"}),
    ):
        assert set(dataset.found(None, among(STATUS, status), by=person)) == names
    assert set(dataset.found(None, among(STATUS, "submitted"))) == {"r00", "r01"}
    both = dataset.find(None, among(STATUS, "pending", "submitted"), by="ann")
    assert both["total"] == 20


def test_completed_records_leave_everybodys_queue(dataset: Dataset) -> None:
    assert dataset.found(None, among(of_record("status"), "completed")) == ["r00"]
    queue = (among(STATUS, "pending"), among(of_record("status"), "pending"))
    assert "r00" not in dataset.found(None, *queue, by="cy")
    assert dataset.find(None, *queue, by="cy")["total"] == 19


def test_everybody_has_an_order_of_ones_own_that_stays(dataset: Dataset) -> None:
    orders = {person: dataset.found(by=person) for person in ("ann", "bob", "cy")}
    assert len({tuple(order) for order in orders.values()}) == 3
    assert all(len(set(order)) == 21 for order in orders.values())
    assert dataset.found(by="ann") == orders["ann"]
    pages = [dataset.found(by="ann", limit=8, offset=offset) for offset in (0, 8, 16)]
    assert [name for page in pages for name in page] == orders["ann"]


def test_a_person_sees_but_ones_own_responses(dataset: Dataset) -> None:
    body = {"filters": {"and": [among(of_record("external_id"), "r00")]}}
    path = f"/me{dataset.path}/records/search"
    found = dataset.people["bob"]("POST", path, json=body, params={"include": "responses"})
    (response,) = found["items"][0]["record"]["responses"]
    assert response["values"]["sentiment"] == {"value": "negative"}


# ── filters and sorts


@pytest.mark.parametrize(
    ("wanted", "names"),
    [
        (among(of_record("external_id"), "r04", "nobody"), ["r04"]),
        (among(of_record("id"), "no id"), []),
        (between(of_record("inserted_at"), le="2020-01-01T00:00:00Z"), []),
        (between(of_metadata("tokens"), ge=5, le=7), ["r05", "r06", "r07"]),
        (between(of_metadata("share"), ge=1.85), ["r19"]),
        (among(of_metadata("domain"), "books"), ["r00", "r04", "r08", "r12", "r16"]),
        (among(of_metadata("tokens"), 7, "8"), ["r07", "r08"]),
        (among(of_metadata(ODD), "two"), []),
        (among(of_response("sentiment"), "negative"), ["r00", "r01"]),
        (between(of_response("quality"), ge=4), ["r00", "r01"]),
        (among(of_response("quality"), "1"), ["r03"]),
        (among(of_response("topics"), "code"), ["r00"]),
        (among(of_response("entities"), "person"), []),
        (among(of_suggestion("quality"), "5"), ["r04", "r09", "r14", "r19"]),
        (between(of_suggestion("topics", "score"), ge=0.9), ["r18", "r19"]),
        (among(of_suggestion("quality", "agent"), "nobody"), []),
        (among(of_suggestion("entities"), "person"), []),
    ],
)
def test_filters(dataset: Dataset, wanted: Any, names: list[str]) -> None:
    assert sorted(dataset.found(None, wanted)) == names


def test_filters_that_most_records_pass(dataset: Dataset) -> None:
    for wanted, total in (
        (among(of_suggestion("quality", "agent"), "judge/1"), 20),
        (among(of_suggestion("entities", "type"), "model"), 20),
        (among(of_suggestion("topics"), "news", "sport"), 20),
        (between(of_record("inserted_at"), ge="2020-01-01T00:00:00"), 21),
        (between(of_record("updated_at"), ge="2020-01-01T00:00:00+02:00"), 21),
        (among(of_metadata("domain"), "all"), 15),
        (among(of_metadata(ODD), "one"), 20),
    ):
        assert dataset.find(None, wanted)["total"] == total
    both = (between(of_metadata("tokens"), ge=10), among(of_metadata("domain"), "books"))
    assert sorted(dataset.found(None, *both)) == ["r12", "r16"]


def test_answers_of_others_do_not_count_for_oneself(dataset: Dataset) -> None:
    assert dataset.found(None, among(of_response("sentiment"), "negative"), by="cy") == []
    assert dataset.found(None, among(of_response("quality"), "2"), by="bob") == ["r00"]


def test_what_cannot_be_compared_is_refused(dataset: Dataset) -> None:
    for wanted in (
        between(STATUS, ge="a"),
        between(of_suggestion("quality", "agent"), ge="a"),
        between(of_metadata("tokens"), ge="many"),
        between(of_record("inserted_at"), ge="yesterday"),
        among({"entity": "metadata", "metadata_property": "nope"}, "x"),
    ):
        body = {"filters": {"and": [wanted]}}
        answer = dataset.owner.call("POST", f"{dataset.path}/records/search", json=body)
        assert answer.status_code == 422, answer.text


def test_as_many_filters_as_argilla_lets_through(dataset: Dataset) -> None:
    values = [str(number) for number in range(250)]
    filters = [among(of_metadata("tokens"), *values)] * 50
    assert dataset.find(None, *filters)["total"] == 20


def test_sorts_put_last_what_has_no_value(dataset: Dataset) -> None:
    rising = dataset.found(sort=[(of_metadata("tokens"), "asc")])
    falling = dataset.found(sort=[(of_metadata("tokens"), "desc")])
    assert rising == [*(f"r{number:02}" for number in range(20)), "bare"]
    assert falling == [*reversed(rising[:-1]), "bare"]


def test_a_list_sorts_by_its_end_and_several_answers_by_their_mean(dataset: Dataset) -> None:
    score = of_suggestion("topics", "score")
    assert dataset.found(sort=[(score, "desc")])[:2] == ["r19", "r18"]
    assert dataset.found(sort=[(score, "asc")])[0] == "r00"
    assert dataset.found(sort=[(of_response("quality"), "desc")])[:3] == ["r01", "r00", "r03"]
    mine = dataset.found(sort=[(of_response("quality"), "desc")], by="ann")
    assert mine[:2] == ["r00", "r01"]
    two = [(of_suggestion("quality"), "desc"), (of_record("external_id"), "asc")]
    assert dataset.found(sort=two)[:5] == ["r04", "r09", "r14", "r19", "r03"]
    assert dataset.found(sort=[(STATUS, "asc")])[:2]
    assert dataset.found(sort=[(of_record("inserted_at"), "desc")])[0] == "bare"


def test_what_is_stored_is_checked_as_ever(dataset: Dataset) -> None:
    good = {"external_id": "new", "fields": {"text": "x"}}
    for wrong in (
        {"metadata": {"tokens": "many"}},
        {"metadata": {"unknown": 1}},
        {"suggestions": [suggestion(dataset, "quality", 6)]},
        {"suggestions": [suggestion(dataset, "topics", ["weather"])]},
        {"vectors": {"meaning": [1, 2, 3]}},
        {"fields": {"text": None}},
    ):
        body = {"items": [{**good, **wrong}]}
        answer = dataset.owner.call("PUT", f"{dataset.path}/records/bulk", json=body)
        assert answer.status_code == 422, (wrong, answer.text)
    record = dataset.records()["r19"]["id"]
    values = {"sentiment": {"value": "lukewarm"}}
    item = {"record_id": record, "status": "submitted", "values": values}
    done = dataset.people["ann"]("POST", "/me/responses/bulk", json={"items": [item]})
    assert "lukewarm" in done["items"][0]["error"]["detail"]


# ── words


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("lazy", ["r00", "r01"]),
        ("LAZY Dog", ["r00"]),
        ("lazy -dog", ["r01"]),
        ('"lazy dog"', ["r00"]),
        ('"dog lazy"', []),
        ("qui*", ["r00"]),
        ("qui", []),
        ("fox | afternoon", ["r00", "r01"]),
        ("(fox | afternoon) + claims", ["r01"]),
        ("bold", ["r01"]),
        ("lt", []),
        ("amp", []),
        ("AT&T", ["r01"]),
        ("閱讀", ["r02"]),
        ("讀閱", []),
        ("我 電影", ["r02"]),
        ("タワー", ["r03"]),
        (EMOJI, ["r04"]),
        ("3.14", ["r04"]),
        ("ada@example.org", ["r04"]),
        ("CAFÉ", ["r04"]),
        ("cafe\u0301", ["r04"]),
        ("strasse", ["r05"]),
        ("हिन्दी", ["r05"]),
        ("lazy remark", ["r01"]),  # in different fields
        ('"claims AT&T an"', []),  # no phrase reaches into the next field
    ],
)
def test_words(dataset: Dataset, text: str, names: list[str]) -> None:
    assert sorted(dataset.found(text)) == names


def test_words_of_one_field(dataset: Dataset) -> None:
    assert dataset.found("lazy", field="note") == []
    assert sorted(dataset.found("lazy", field="text")) == ["r00", "r01"]
    assert len(dataset.found("remark", field="note")) == 10
    assert dataset.find("-remark")["total"] == 11
    assert dataset.find("-remark -lazy")["total"] == 10


def test_words_within_a_status(dataset: Dataset) -> None:
    assert dataset.found("lazy", among(STATUS, "draft"), by="bob") == ["r01"]
    sort = [(of_metadata("tokens"), "desc")]
    assert dataset.found("lazy", sort=sort) == ["r01", "r00"]


@pytest.mark.parametrize("text", HOSTILE)
def test_no_query_is_an_error(dataset: Dataset, text: str) -> None:
    body = json.dumps({"query": {"text": {"q": text}}})  # lone surrogates and all
    headers = {"content-type": "application/json"}
    for caller, prefix in ((dataset.owner, ""), (dataset.people["ann"], "/me")):
        path = f"{prefix}{dataset.path}/records/search"
        answer = caller.call("POST", path, content=body, headers=caller.headers | headers)
        assert answer.status_code < 500, answer.text


def test_a_changed_text_is_found_by_its_new_words_alone(argilla_home: Home) -> None:
    dataset = Dataset(argilla_home)
    dataset.log({"external_id": "a", "fields": {"text": "before"}})
    assert dataset.found("before") == ["a"]
    dataset.log({"external_id": "a", "fields": {"text": "after"}})
    assert dataset.found("before") == []
    assert dataset.found("after") == ["a"]
    record = dataset.records()["a"]["id"]
    dataset.owner("DELETE", f"{dataset.path}/records", params={"ids": record})
    assert dataset.found("after") == []


# ── neighbours


def test_neighbours(dataset: Dataset) -> None:
    ids = {name: record["id"] for name, record in dataset.records().items()}
    near = dataset.find(vector={"name": "meaning", "record_id": ids["r12"]}, limit=4)
    names = [item["record"]["external_id"] for item in near["items"]]
    scores = [item["query_score"] for item in near["items"]]
    assert set(names[:2]) == {"r11", "r13"}
    assert "r12" not in names
    assert scores == sorted(scores, reverse=True)
    assert near["total"] == 4
    by_value = dataset.find(vector={"name": "meaning", "value": [2, 5]}, limit=1)
    assert by_value["items"][0]["record"]["external_id"] == "r12"
    assert by_value["items"][0]["query_score"] == pytest.approx(1)
    far = {"name": "meaning", "value": [10, 5], "order": "least_similar"}
    assert dataset.found(vector=far)[0] == "r00"
    mine = {"name": "meaning", "record_id": ids["r05"]}
    assert set(dataset.found(None, among(STATUS, "submitted"), vector=mine, by="ann")) == {
        *("r00", "r01"),
    }
    assert dataset.found("lazy -dog", vector=mine) == ["r01"]
    assert dataset.found(vector=mine, limit=5, offset=3) == dataset.found(vector=mine, limit=8)[3:]


def test_a_vector_of_another_length_is_refused(dataset: Dataset) -> None:
    body = {"query": {"vector": {"name": "meaning", "value": [1, 2, 3]}}}
    answer = dataset.owner.call("POST", f"{dataset.path}/records/search", json=body)
    assert answer.status_code == 422


def test_a_changed_vector_counts(argilla_home: Home) -> None:
    dataset = Dataset(argilla_home, vectors={"meaning": 2})
    right, up = {"name": "meaning", "value": [1, 0]}, {"name": "meaning", "value": [0, 1]}
    fields = {"text": "x"}
    dataset.log(
        {"external_id": "a", "fields": fields, "vectors": {"meaning": [1, 0]}},
        {"external_id": "b", "fields": fields, "vectors": {"meaning": [0, 1]}},
    )
    assert dataset.found(vector=right) == ["a", "b"]
    dataset.log(
        {"external_id": "a", "fields": fields, "vectors": {"meaning": [0, 1]}},
        {"external_id": "b", "fields": fields, "vectors": {"meaning": [1, 0]}},
    )
    assert dataset.found(vector=right) == ["b", "a"]
    assert dataset.found(vector=up) == ["a", "b"]


# ── how far along, and which values


def test_progress(dataset: Dataset) -> None:
    progress = dataset.owner("GET", f"{dataset.path}/progress")
    assert (progress["total"], progress["completed"], progress["pending"]) == (21, 1, 20)
    mine = dataset.people["ann"]("GET", f"/me{dataset.path}/metrics")["responses"]
    counts = {"total": 21, "submitted": 2, "discarded": 1, "draft": 0, "pending": 18}
    assert mine == counts


def test_values_of_metadata(dataset: Dataset) -> None:
    listed = dataset.owner("GET", f"/me{dataset.path}/metadata-properties")["items"]
    metrics = {
        each["name"]: dataset.owner("GET", f"/metadata-properties/{each['id']}/metrics")
        for each in listed
    }
    assert (metrics["tokens"]["min"], metrics["tokens"]["max"]) == (0, 19)
    assert (metrics["share"]["min"], metrics["share"]["max"]) == (0, 1.9)
    terms = {value["term"]: value["count"] for value in metrics["domain"]["values"]}
    assert terms == {"web": 15, "all": 15, "books": 5}
    assert metrics["domain"]["total"] == 35
    assert metrics[ODD]["values"] == [{"term": "one", "count": 20}]


def test_an_empty_dataset_has_no_values(argilla_home: Home) -> None:
    dataset = Dataset(argilla_home, metadata=METADATA, vectors={"meaning": 2})
    listed = dataset.owner("GET", f"/me{dataset.path}/metadata-properties")["items"]
    for each in listed:
        dataset.owner("GET", f"/metadata-properties/{each['id']}/metrics")
    assert dataset.find("x", vector={"name": "meaning", "value": [1, 0]})["total"] == 0
    assert dataset.owner("GET", f"{dataset.path}/progress")["total"] == 0


def test_another_overlap_settles_what_is_completed(argilla_home: Home) -> None:
    dataset = Dataset(argilla_home, min_submitted=2)
    dataset.log(*({"external_id": name, "fields": {"text": name}} for name in ("a", "b")))
    dataset.answer("ann", "a", sentiment="positive")

    def completed() -> list[str]:
        return [name for name, each in dataset.records().items() if each["status"] == "completed"]

    assert completed() == []
    for overlap, names in ((1, ["a"]), (2, [])):
        change = {"distribution": {"strategy": "overlap", "min_submitted": overlap}}
        dataset.owner("PATCH", dataset.path, json=change)
        until = time.monotonic() + 5
        while completed() != names and time.monotonic() < until:
            time.sleep(0.05)
        assert completed() == names


def test_datasets_do_not_mix_and_a_deleted_one_leaves_nothing(argilla_home: Home) -> None:
    database = argilla_home.home / "servers" / "argilla" / "data" / "argilla.db"
    first, second = (Dataset(argilla_home, vectors={"meaning": 2}) for _ in range(2))
    for dataset in (first, second):
        fields = {"text": "unmistakable"}
        dataset.log({"external_id": "a", "fields": fields, "vectors": {"meaning": [1, 0]}})
    assert first.find("unmistakable")["total"] == 1
    first.owner("DELETE", first.path)
    assert second.find("unmistakable", vector={"name": "meaning", "value": [1, 0]})["total"] == 1
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    for table in ("curate_documents", "curate_vectors"):
        orphans = f"SELECT count(*) FROM {table} WHERE record_id NOT IN (SELECT id FROM records)"
        assert connection.execute(orphans).fetchone() == (0,)
    connection.close()


# ── the way it is found


def test_the_queue_is_read_by_dataset_and_answers_by_record(argilla_home: Home) -> None:
    argilla.start(argilla_home)
    database = argilla_home.home / "servers" / "argilla" / "data" / "argilla.db"
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    connection.create_function("curate_shuffled", 2, lambda user, record: 0)
    for status in ("pending", "submitted", "draft", "discarded"):
        for user in ("user", None):
            wanted = Wanted("dataset", [Terms(OfResponse(None, user), [status])])
            query = page_sql(wanted, sorts=(), user=user, offset=0, limit=10)
            rows = connection.execute("EXPLAIN QUERY PLAN " + query.text, query.values)
            plan = "\n".join(row[3] for row in rows)
            assert "INDEX curate_records_dataset (dataset_id=?)" in plan, plan
            assert "(record_id=?" in plan, plan
            assert "status" not in plan, plan
            assert "SCAN" not in plan, plan
    connection.close()
