"""The recipes for topics and for names, from texts to a mixture, on real servers.

People are scripted: each knows the truth and errs at a known rate. What comes out must show it.
"""

import json
import random
from collections import defaultdict
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from curate.connections import embedded
from tests.annotators import PERSON, answer_all
from tests.command import command
from tests.servers import RUNNING, environments

ROOT = Path(__file__).parents[2]

pytestmark = [pytest.mark.live, pytest.mark.slow]

ERRORS = (0.05, 0.1, 0.2)

WORDS = {
    "sport": "match team goal league coach season player stadium referee trophy",
    "health": "doctor patient clinic symptom therapy vaccine nurse hospital fever dose",
    "business": "market profit shares merger invoice investor revenue retail bank tax",
    "science": "telescope enzyme neutron genome orbit theorem laboratory quantum fossil laser",
}
TOPICS = {topic: words.split() for topic, words in WORDS.items()}
NAMES = ("Barack Obama", "Angela Merkel", "Jane Austen", "Isaac Newton", "Marie Curie")
PLACES = ("Berlin", "London", "Paris", "Tokyo", "Madrid")
FACTS = ("has a large river", "lies in a valley", "has many bridges", "is an old city")
DEEDS = ("wrote a long letter", "gave a speech", "was born", "spent a summer")


@pytest.fixture
def curate(monkeypatch, capsys, tmp_path):
    """The command line, with servers of this test's own."""
    monkeypatch.setenv("CURATE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("CURATE_ENVIRONMENTS", str(environments()))
    for name in ("LABEL_STUDIO_URL", "ARGILLA_API_URL"):
        monkeypatch.delenv(name, raising=False)
    return command(monkeypatch, capsys)


def topical(chance):
    """Return text → topic; every text is told apart from the others by its words."""
    found = {}
    while len(found) < 240:
        topic = chance.choice(list(TOPICS))
        words = [chance.choice(TOPICS[topic]) for _ in range(6)]
        text = f"They spoke about the {words[0]}, a {words[1]} and the {words[2]}; later the "
        found[f"{text}{words[3]} met a {words[4]} with no {words[5]}, number {len(found)}."] = topic
    return found


def named(chance):
    """Return text → its spans; half of the texts speak of a person."""
    found = {}
    for number in range(240):
        place = chance.choice(PLACES)
        if number % 2:
            who, deed = chance.choice(NAMES), chance.choice(DEEDS)
            text = f"In the year {1700 + number}, {who} {deed} in {place}, and people remember it."
            spans = [(who, "PERSON"), (place, "LOC")]
        else:
            fact = chance.choice(FACTS)
            text = f"The town of {place} {fact}, says page {number} of an old travel guide."
            spans = [(place, "LOC")]
        found[text] = [
            {"start": text.index(w), "end": text.index(w) + len(w), "label": label}
            for w, label in spans
        ]
    return found


def started(curate, tmp_path, recipe, truth, *settings):
    """Write texts, run the recipe up to the people; return the workspace."""
    folder = tmp_path / "run"
    (folder / "data").mkdir(parents=True)
    lines = "".join(json.dumps({"text": text, "license": "CC0-1.0"}) + "\n" for text in truth)
    (folder / "data" / "texts.jsonl").write_text(lines)
    own = (ROOT / "recipes" / f"{recipe}.yaml").read_text()
    (folder / "recipe.yaml").write_text(own + "encoder: chargram\n")
    for change in settings:
        old, new = change
        assert old in own
        (folder / "recipe.yaml").write_text((folder / "recipe.yaml").read_text().replace(old, new))
    code, _, err = curate("run", "-w", folder)
    assert code == 3, err
    return folder


def answered(folder, server, home, truth, question, wrong):
    """Let three people answer everything, each with an error rate; return rate by account."""
    running = embedded(server).status(home)
    accounts = embedded(server).accounts(home)
    rates = dict(zip((each.email for each in accounts), ERRORS, strict=True))
    rows = pq.read_table(folder / "rounds/01/texts.parquet").to_pylist()
    shown = {row["id"]: dict(json.loads(row["fields"]))["text"] for row in rows}
    chance, planned = random.Random(5), []
    for id, text in sorted(shown.items()):
        for account, rate in rates.items():
            value = truth[text] if chance.random() >= rate else wrong(chance, truth[text])
            planned.append((account, id, {question: value}))
    people = {a.email: PERSON[server](running.url, a.token) for a in accounts}
    key = json.loads((folder / "rounds/01/project.json").read_text())["batches"][0]["project"][
        "key"
    ]
    answer_all(people, key, planned)
    return shown, rates


def labels(folder, question):
    rows = pq.read_table(folder / "labels.parquet").to_pylist()
    return {row["id"]: json.loads(row["value"]) for row in rows if row["question"] == question}


def skills(folder, question, server):
    import yaml

    people = yaml.safe_load((folder / "people.yaml").read_text())["people"]
    accounts = {each["id"]: each["accounts"].get(server) for each in people}
    rows = pq.read_table(folder / "annotators.parquet").to_pylist()
    return {accounts[row["annotator"]]: row["skill"] for row in rows if row["question"] == question}


def test_topics_on_label_studio(curate, tmp_path):
    truth = topical(random.Random(1))
    with RUNNING["label_studio"](tmp_path / "home") as home:
        folder = started(curate, tmp_path, "classification", truth, ("n: 300", "n: 90"))
        others = list(TOPICS)
        shown, rates = answered(
            folder,
            "label_studio",
            home,
            truth,
            "topic",
            lambda chance, right: chance.choice([t for t in others if t != right]),
        )
        code, _, err = curate("run", "-w", folder)
    assert code == 0, err
    settled = labels(folder, "topic")
    right = sum(settled[id] == truth[text] for id, text in shown.items()) / len(shown)
    assert right >= 0.97  # better than the best of the three
    found = skills(folder, "topic", "label_studio")
    for account, rate in rates.items():
        assert found[account] == pytest.approx(1 - rate, abs=0.09)
    documents = exported(curate, folder)
    groups = json.loads((folder / "export" / "manifest.json").read_text())["groups"]
    assert {group["group"] for group in groups} == set(TOPICS)
    guessed = [doc["group"] == truth[doc["text"]] for doc in documents]
    assert sum(guessed) / len(guessed) >= 0.9


def test_names_on_argilla(curate, tmp_path):
    truth = named(random.Random(2))
    with RUNNING["argilla"](tmp_path / "home") as home:
        folder = started(curate, tmp_path, "entities", truth, ("n: 200", "n: 60"))
        tasks = pq.read_table(folder / "rounds/01/tasks.parquet").to_pylist()
        suggested = {row["id"] for row in tasks if row["suggestions"]}
        assert len(suggested) > 30  # spaCy finds some name in most texts
        shown, _ = answered(
            folder, "argilla", home, truth, "entities", lambda chance, right: right[:-1]
        )
        code, _, err = curate("run", "-w", folder)
    assert code == 0, err
    rows = [
        row
        for path in (folder / "rounds/01/annotations").iterdir()
        for row in pq.read_table(path).to_pylist()
    ]
    assert all(row["blind"] == (row["id"] not in suggested) for row in rows)
    settled = labels(folder, "entities")
    exact = sum(settled[id] == truth[text] for id, text in shown.items()) / len(shown)
    assert exact >= 0.95
    occurs = labels(folder, "entities:PERSON")
    for id, text in shown.items():
        has = any(span["label"] == "PERSON" for span in truth[text])
        assert (occurs[id] == "present") == has
    tokens = defaultdict(int)
    for document in exported(curate, folder):
        tokens[document["group"]] += len(document["text"])
    manifest = json.loads((folder / "export" / "manifest.json").read_text())
    shares = {group["group"]: group for group in manifest["groups"]}
    assert shares["present"]["realised"] == pytest.approx(0.5, abs=0.02)
    assert set(tokens) == {"present", "absent"}


def exported(curate, folder):
    code, _, err = curate("verify", folder / "export")
    assert code == 0, err
    return [
        json.loads(line)
        for path in sorted((folder / "export").glob("data-*.jsonl"))
        for line in path.read_text().splitlines()
    ]
