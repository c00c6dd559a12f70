"""LLaMA-Factory is told which folders hold conversations, and what roles are called there."""

import json

import pyarrow as pa
import pytest

from curate.export.conversations import messages_type
from curate.export.messages import Conversations
from curate.export.trainers import roles_of, trainer_files
from curate.export.verify import verify
from tests.conftest import Offline
from tests.test_export_growing import manifest_of, rewrite

TEXTS = [f"Kettle {n} stands on the shelf of the kitchen." for n in range(20)]


def talk(n, user="user", assistant="assistant", *more):
    said = [(user, f"How long does egg {n} take?"), (assistant, f"It takes {n + 3} minutes.")]
    messages = [{"role": role, "content": content} for role, content in (*more, *said)]
    return {"messages": messages}


SOURCES = {
    "texts": TEXTS,
    "openai": [talk(n, "user", "assistant", ("system", "Be brief.")) for n in range(20)],
    "tools": [
        talk(n, "user", "assistant", ("user", f"Time {n}?"), ("tool", f"{n}:00"))
        for n in range(40, 60)
    ],
    "sharegpt": [talk(n, "human", "gpt") for n in range(100, 120)],
}
"""The rows of each source."""


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """An export by group of sources of texts and of conversations, with `messages`."""
    offline = Offline(tmp_path_factory.mktemp("chats") / "run")
    for name, rows in SOURCES.items():
        offline.lines(f"{name}.jsonl", rows)
    sources = [
        {"name": name, "paths": [f"data/{name}.jsonl"]} | ({} if name == "texts" else {"chat": {}})
        for name in SOURCES
    ]
    offline.run("pool", sources=sources, tokenizer="bytes")
    offline.run("clean", rules=[], languages=None, near_duplicates=None)
    offline.run("mix", groups=["source"], budget="100%")
    offline.run("export", layout="by_group", shard_documents=8, messages=True)
    return offline.root / "export"


def test_conversations_are_read_by_their_messages_and_texts_by_their_text(told):
    described = json.loads((told / "trainers" / "dataset_info.json").read_text(encoding="utf-8"))
    names = {group["folder"].rstrip("/"): group["group"] for group in manifest_of(told)["groups"]}
    info = {names[place]: about for place, about in described.items()}
    assert info["texts"]["columns"] == {"prompt": "text"}
    assert "formatting" not in info["texts"]
    for name in ("openai", "tools", "sharegpt"):
        assert info[name]["formatting"] == "sharegpt"
        assert info[name]["columns"] == {"messages": "messages"}
    common = {"role_tag": "role", "content_tag": "content", "function_tag": "function_call"}
    usual = {"user_tag": "user", "assistant_tag": "assistant", "system_tag": "system"}
    tags = common | usual | {"observation_tag": "tool"}
    assert info["openai"]["tags"] == info["tools"]["tags"] == tags
    assert info["sharegpt"]["tags"] == tags | {"user_tag": "human", "assistant_tag": "gpt"}


def test_the_manifest_tells_lines_with_messages_and_verify_counts_them(told):
    files = manifest_of(told)["files"]
    counts = dict.fromkeys(SOURCES, 0)
    for file in files:
        counts[file["group"]] += file["messages"]
    assert counts == {"texts": 0, "openai": 20, "tools": 20, "sharegpt": 20}
    roles = {file["group"]: file["roles"] for file in files}
    assert roles["tools"] == ["assistant", "tool", "user"]
    assert roles["texts"] == []
    assert verify(told).problems == ()
    place = next(n for n, file in enumerate(files) if file["group"] == "texts")
    rewrite(told, lambda manifest: manifest["files"][place].update(messages=3))
    assert f"{files[place]['path']} holds 0 lines with messages, not 3" in verify(told).problems


def lines_with(*roles):
    """Lines of an export, of a conversation with one message of each role."""
    messages = [{"role": role, "content": "x"} for role in roles]
    return pa.table({"messages": pa.array([messages], messages_type())})


@pytest.mark.parametrize("is_known_first", [False, True])
def test_roles_that_trainers_know_are_told_before_others(is_known_first):
    speakers = [f"Agent{n:02}" for n in range(20)]
    chats = Conversations()
    batches = [lines_with(*speakers[:12]), lines_with(*speakers[12:]), lines_with("human", "gpt")]
    for lines in reversed(batches) if is_known_first else batches:
        chats.add(lines)
    assert chats.told() == {"messages": 3, "roles": [*speakers[:18], "gpt", "human"]}
    file = {"path": "00-a/train-00000.jsonl", "documents": 3, **chats.told()}
    stored = {"stored_documents": 3, "stored_size": 99, "promised": 1.0, "earlier": 0}
    groups = [{"group": "a", "folder": "00-a/", **stored}]
    manifest = {"layout": "by_group", "budget": 99, "files": [file], "groups": groups}
    about = json.loads(dict(trainer_files(manifest))["trainers/dataset_info.json"])["00-a"]
    assert (about["tags"]["user_tag"], about["tags"]["assistant_tag"]) == ("human", "gpt")


def test_a_long_role_is_cut_in_the_manifest():
    chats = Conversations()
    chats.add(lines_with("user", "字" * 3_000, "字" * 64 + "x", "y" * 64))
    assert chats.told() == {"messages": 1, "roles": ["user", "y" * 64, "字" * 64]}


@pytest.mark.parametrize(
    ("counts", "roles"),
    [
        (
            [{"messages": 8, "roles": ["user"]}, {"messages": 8, "roles": ["tool"]}],
            {"user", "tool"},
        ),
        ([{"messages": 8, "roles": ["user"]}, {"messages": 7, "roles": ["user"]}], None),
        ([{"messages": 0, "roles": []}, {"messages": 0, "roles": []}], None),
        ([{}, {}], None),
    ],
)
def test_a_folder_that_holds_texts_too_is_read_as_texts(counts, roles):
    own = [
        {"path": f"00-a/data-0000{n}.jsonl", "documents": 8, **told}
        for n, told in enumerate(counts)
    ]
    other = {"path": "01-b/data-00000.jsonl", "documents": 8}
    assert roles_of([*own, other], "00-a") == roles
    stored = {"stored_documents": 16, "stored_size": 99, "promised": 1.0, "earlier": 0}
    groups = [{"group": "a", "folder": "00-a/", **stored}]
    manifest = {"layout": "by_group", "budget": 99, "files": [*own, other], "groups": groups}
    written = dict(trainer_files(manifest))
    about = json.loads(written["trainers/dataset_info.json"])["00-a"]
    assert about["columns"] == ({"prompt": "text"} if roles is None else {"messages": "messages"})
