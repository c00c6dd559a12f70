"""A server whose data are gone: noticed, nothing withdrawn, brought back; nobody labels twice."""

import json
import shutil

import pyarrow.parquet as pq
import pytest

from curate.connections import embedded
from curate.rounds import Round
from tests.annotators import PERSON, answer_all
from tests.command import command
from tests.servers import RUNNING, environments
from tests.test_loop import BAD, GOOD, texts, truth

pytestmark = [pytest.mark.live, pytest.mark.slow]

RECIPE = """
encoder: chargram
pool: {{sources: [{{paths: ["data/*.jsonl"]}}], tokenizer: bytes}}
sample: {{n: {n}, seed: 3}}
push: {{backend: {server}, form: sentiment, overlap: 3}}
score: {{question: sentiment}}
"""


@pytest.mark.parametrize("server", list(PERSON))
def test_a_round_survives_the_loss_of_its_server(server, tmp_path, monkeypatch, capsys):
    folder = tmp_path / "run"
    (folder / "data").mkdir(parents=True)
    rows = [f"{text} No. {n}." for words in (GOOD, BAD) for text in texts(words) for n in (1, 2)]
    lines = "".join(json.dumps({"text": text}) + "\n" for text in rows)
    (folder / "data" / "notes.jsonl").write_text(lines)
    (folder / "recipe.yaml").write_text(RECIPE.format(n=100, server=server))
    monkeypatch.setenv("CURATE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("CURATE_ENVIRONMENTS", str(environments()))
    for name in ("LABEL_STUDIO_URL", "ARGILLA_API_URL"):
        monkeypatch.delenv(name, raising=False)
    run = command(monkeypatch, capsys)
    with RUNNING[server](tmp_path / "home") as home:
        code, _, err = run("run", "-w", folder)
        assert code == 3, err
        planned = plan(folder, [account.email for account in embedded(server).accounts(home)])
        give(server, home, folder, planned[:200])
        assert run("run", "-w", folder)[0] == 3
        before = answers(folder)
        assert len(before) == 200

        embedded(server).stop(home)
        shutil.rmtree(tmp_path / "home" / "servers" / server / "data")
        code, _, err = run("run", "-w", folder)
        assert code == 1
        assert "push --restore" in err
        assert "Traceback" not in err
        assert answers(folder) == before  # nothing was withdrawn, nothing was sent

        code, out, err = run("push", "--restore", "-w", folder, "--json")
        assert code == 0, err
        assert json.loads(out)["answers"] == 200
        code, out, err = run("push", "--restore", "-w", folder, "--json")
        assert (code, json.loads(out)["answers"]) == (0, 0), err
        assert run("run", "-w", folder)[0] == 3
        assert answers(folder) == before  # the server's new times are no edits

        never_again(server, home, folder, before)
        give(server, home, folder, planned[200:])
        code, _, err = run("run", "-w", folder)
        assert code == 0, err
        after = answers(folder)
        assert len(after) == 300
        assert before.items() <= after.items()


def plan(folder, accounts):
    """Return (account, id, values) for everyone and every text, text after text."""
    rows = pq.read_table(folder / "rounds" / "01" / "texts.parquet").to_pylist()
    shown = {row["id"]: dict(json.loads(row["fields"]))["text"] for row in rows}
    return [(a, id, {"sentiment": truth(text)}) for id, text in shown.items() for a in accounts]


def people_of(server, home):
    running = embedded(server).status(home)
    return {a.email: PERSON[server](running.url, a.token) for a in embedded(server).accounts(home)}


def give(server, home, folder, planned):
    answer_all(people_of(server, home), key_of(folder), planned)


def never_again(server, home, folder, before):
    """Whoever opens the page gets a text that they have not answered."""
    import yaml

    people = yaml.safe_load((folder / "people.yaml").read_text())["people"]
    ids = {each["accounts"][server]: each["id"] for each in people}
    for account, person in people_of(server, home).items():
        shown = person.next(key_of(folder))
        assert shown is not None
        assert (ids[account], shown) not in {(who, id) for who, id, _ in before}


def key_of(folder):
    record = json.loads((folder / "rounds" / "01" / "project.json").read_text())
    return record["batches"][0]["project"]["key"]


def answers(folder):
    return {
        (row["annotator"], row["id"], row["status"]): (row["value"], row["at"])
        for row in Round.load(1, folder / "rounds" / "01").answers()
    }
