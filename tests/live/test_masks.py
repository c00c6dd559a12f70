"""Masks through real servers: offsets come home, no masked value is there, take-downs erase."""

import json

import httpx
import pytest

from curate.takedown import naming, takedown
from curate.workspace import Workspace
from tests.backends.test_argilla import ArgillaHands
from tests.backends.test_label_studio import LabelStudioHands
from tests.conftest import Offline
from tests.test_masks import NAMES, SECRET, TEXTS, finish, form, leaks, marked, settled
from tests.web import CONTEXT

pytestmark = pytest.mark.live


@pytest.fixture(params=["label_studio", "argilla"])
def server(request):
    """Return the name of a backend, people's hands on its server, and the server's own folder."""
    home = request.getfixturevalue(f"{request.param}_home")
    if request.param == "label_studio":
        yield request.param, LabelStudioHands(home), home.home
    else:
        with httpx.Client(timeout=60, trust_env=False, verify=CONTEXT) as http:
            yield request.param, ArgillaHands(home, http), home.home


def test_masks_round_trip_and_go_when_they_are_taken_down(server, tmp_path):
    name, hands, files = server
    offline = Offline(tmp_path / "run")
    offline.workspace = Workspace(offline.root, connect=lambda _: hands.backend)
    offline.workspace.init(f"masks-{name}".replace("_", "-"))
    offline.lines("notes.jsonl", TEXTS)
    offline.pool()
    offline.run("clean", rules=["length"], privacy="mask")
    offline.run("sample", n=4, strategy="random", seed=1)
    offline.run("push", backend=name, form=form(offline, "text"), overlap=1)
    (batch,) = offline.workspace.rounds.current().batches
    shown = dict(hands.stored(batch.project))
    assert len(shown) == 4
    assert not [value for value in SECRET if value in json.dumps(shown, ensure_ascii=False)]
    for id, fields in shown.items():
        hands.answer(batch.project, id, hands.accounts[0], {"names": marked(fields["text"])})
    exported = finish(offline)
    for label in settled(offline):
        document = exported[label["id"]]
        for each in document["labels"]["names"]["value"]:
            assert document["text"][each["start"] : each["end"]] in NAMES
    assert leaks(offline.root) == []
    held = [
        (path.name, value)
        for path in sorted(files.rglob("*"))
        if path.is_file()
        for content in [path.read_bytes()]
        for value in SECRET
        if value.encode() in content
    ]
    assert held == []  # the server's databases and logs
    taken = next(id for id, fields in shown.items() if "Omsk" in fields["text"])
    (offline.root / "ids.txt").write_text(taken)
    made = takedown.run(offline.workspace, [], naming.read_ids(offline.root / "ids.txt"), "asked")
    assert made.tasks == 1
    assert taken not in dict(hands.stored(batch.project))
    assert made.answers_kept == 1
