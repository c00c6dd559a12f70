"""What an annotator's key can read of a round: nothing that tells gold, people or models apart."""

import json

import httpx
import pyarrow.parquet as pq
import pytest

from curate.connections import embedded
from tests.command import command
from tests.servers import RUNNING, environments
from tests.test_loop import BAD, GOOD, texts
from tests.web import CONTEXT

pytestmark = [pytest.mark.live, pytest.mark.slow]

RECIPE = """
encoder: chargram
pool: {{sources: [{{paths: ["data/*.jsonl"]}}], tokenizer: bytes}}
sample: {{n: 24, seed: 3, gold: gold.jsonl}}
push:
  backend: {server}
  form: sentiment
  overlap: {overlap}
  suggest: [{{question: sentiment, by: "tests.live.test_hidden:SecretModelFive"}}]
"""
GOLD = ["A known text, which is wonderful.", "Another known text, which is dreadful."]
TELLING = ("gold", "SecretModelFive", "test_hidden", "Annabel Lee", "p-")
OVERLAP = {"label_studio": "1", "argilla": "all"}


def SecretModelFive(texts):
    """A model whose name nobody should learn from the server."""
    return [("positive", 0.9) for _ in texts]


@pytest.mark.parametrize("server", list(OVERLAP))
def test_an_annotators_key_tells_nothing(server, tmp_path, monkeypatch, capsys):
    folder = tmp_path / "run"
    (folder / "data").mkdir(parents=True)
    rows = [text for words in (GOOD, BAD) for text in texts(words)]
    (folder / "data" / "notes.jsonl").write_text("\n".join(json.dumps({"text": t}) for t in rows))
    golden = [{"text": text, "answers": {"sentiment": "neutral"}} for text in GOLD]
    (folder / "gold.jsonl").write_text("\n".join(map(json.dumps, golden)))
    (folder / "recipe.yaml").write_text(RECIPE.format(server=server, overlap=OVERLAP[server]))
    monkeypatch.setenv("CURATE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("CURATE_ENVIRONMENTS", str(environments()))
    run = command(monkeypatch, capsys)
    with RUNNING[server](tmp_path / "home") as home:
        embedded(server).add_account(home, "lee@example.org", "Annabel Lee")
        code, _, err = run("run", "-w", folder)
        assert code == 3, err
        ann = embedded(server).accounts(home)[0]
        seen = READ[server](embedded(server).status(home).url, ann.token)
    told = json.dumps(seen["everything"], ensure_ascii=False)
    for word in TELLING:
        assert word not in told, word
    assert "neutral" not in json.dumps(seen["tasks"])  # the gold answer
    texts_ = {row["id"]: json.loads(row["fields"])[0][1] for row in stored(folder)}
    gold = {id for id, text in texts_.items() if text in GOLD}
    kinds = [
        {shape(task) for id, task in seen["tasks"].items() if (id in gold) == it}
        for it in (True, False)
    ]
    assert len(seen["tasks"]) == 26
    assert kinds[0] <= kinds[1]  # every gold item looks like some ordinary one


def stored(folder):
    return pq.read_table(folder / "rounds/01/texts.parquet").to_pylist()


def shape(task):
    """Return a task without what differs from one to the next: numbers, texts and times."""
    changing = ("id", "inner_id", "data", "fields", "external_id", "result", "task", "record_id")

    def bare(value):
        if isinstance(value, dict):
            return {
                key: bare(each)
                for key, each in value.items()
                if key not in changing and not key.endswith(("_at", "_ago"))
            }
        return [bare(each) for each in value] if isinstance(value, list) else value

    return json.dumps(bare(task), sort_keys=True)


def from_label_studio(url, token):
    """Return what an annotator reads from Label Studio: tasks by our id, and everything."""
    http = httpx.Client(
        base_url=url, headers={"Authorization": f"Token {token}"}, timeout=60, verify=CONTEXT
    )
    with http:
        key = http.get("/api/projects").json()["results"][0]["id"]
        params = {"project": key, "page_size": 1000, "fields": "all"}
        listed = http.get("/api/tasks/", params=params).json()
        tasks = [http.get(f"/api/tasks/{task['id']}").json() for task in listed["tasks"]]
        paths = ("/api/projects", "/api/users/", "/api/predictions/", "/api/current-user/whoami")
        more = [http.get(path).json() for path in paths]
        more += [http.get(f"/api/projects/{key}").json(), listed]
        more.append(http.get(f"/api/projects/{key}/export?download_all_tasks=true").json())
    return {"tasks": {t["data"]["record_id"]: t for t in tasks}, "everything": [tasks, more]}


def from_argilla(url, token):
    """Return what an annotator reads from Argilla: records by our id, and everything."""
    headers = {"X-Argilla-Api-Key": token}
    with httpx.Client(
        base_url=f"{url}/api/v1", headers=headers, timeout=60, verify=CONTEXT
    ) as http:
        datasets = http.get("/me/datasets").json()
        (dataset,) = datasets["items"]
        path = f"/me/datasets/{dataset['id']}/records/search"
        params = {"limit": 1000, "include": ["responses", "suggestions"]}
        found = http.post(path, params=params, json={}).json()
        paths = ("/me", "/me/workspaces", "/users", f"/datasets/{dataset['id']}/records")
        more = [http.get(each).text for each in paths]
        parts = ("fields", "questions", "metadata-properties", "guidelines")
        more += [http.get(f"/datasets/{dataset['id']}/{part}").text for part in parts]
    records = {item["record"]["external_id"]: item["record"] for item in found["items"]}
    return {"tasks": records, "everything": [datasets, found, more]}


READ = {"label_studio": from_label_studio, "argilla": from_argilla}
