"""Media on an embedded server: signed addresses, refusals, and the parts that players ask for."""

import asyncio
import hashlib
import io
import os
import re

import pytest

from curate.servers.argilla import guard
from curate.servers.shelf import HEADERS, ROOT, Shelf, digest_of

DATA = bytes(range(256)) * 4
NAME = f"{hashlib.sha256(DATA).hexdigest()}.png"


@pytest.fixture
def shelf(tmp_path):
    return Shelf.of(tmp_path / "media", "the server's secret")


@pytest.fixture
def address(shelf):
    name = shelf.put("12", "png", io.BytesIO(DATA))
    assert name == NAME
    return shelf.address("12", name)


def body(answer):
    return b"".join(answer.blocks())


def test_a_signed_address_brings_the_file_as_it_was_copied(shelf, address):
    assert re.fullmatch(f"{ROOT}[0-9a-f]{{64}}/12/{NAME}", address)
    answer = shelf.answer("GET", address, None)
    assert (answer.status, body(answer)) == (200, DATA)
    assert answer.headers == {**HEADERS, "Content-Type": "image/png", "Content-Length": "1024"}
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Disposition"] == "attachment"


def test_the_same_bytes_are_kept_once_and_nobody_else_reads_the_folder(shelf, address):
    shelf.put("12", "png", io.BytesIO(DATA))
    assert [path.name for path in (shelf.folder / "12").iterdir()] == [NAME]
    assert (shelf.folder / "12").stat().st_mode & 0o777 == 0o700
    assert "secret" not in repr(shelf)
    assert shelf.key not in repr(shelf)


def test_another_key_signs_another_address(shelf, address, tmp_path):
    other = Shelf.of(shelf.folder, "another secret")
    assert other.address("12", NAME) != address
    assert shelf.answer("GET", other.address("12", NAME), None).status == 404


def forged(address, shelf):
    signature = address.split("/")[3]
    flipped = signature[:-1] + ("0" if signature[-1] != "0" else "1")
    other = f"{'0' * 64}.png"
    return {
        "another signature": address.replace(signature, flipped),
        "no signature": address.replace(signature, ""),
        "another project": address.replace("/12/", "/13/"),
        "another file": address.replace(NAME, other),
        "a parent folder": address.replace("/12/", "/../"),
        "a parent, signed": shelf.address("..", NAME),
        "a path, signed": shelf.address("12", "../../secrets.json"),
        "an absolute path, signed": shelf.address("12", "/etc/passwd"),
        "the folder, signed": shelf.address("12", ""),
        "another format, signed": shelf.address("12", NAME.replace(".png", ".svg")),
        "a line break behind it": address + "\n",
        "more behind it": address + "/x",
        "a null": address + "\0",
        "other digits": address.replace("12", "\u0661\u0662"),
    }


@pytest.mark.parametrize("name", forged("/curate/media/0/12/x", Shelf.of("", "")))
def test_a_forged_address_brings_nothing(shelf, address, name):
    (shelf.folder.parent / "secrets.json").write_text("secret")
    answer = shelf.answer("GET", forged(address, shelf)[name], None)
    assert (answer.status, body(answer)) == (404, b"")
    assert answer.headers["Content-Length"] == "0"


def test_links_and_pipes_are_not_followed(shelf, address, tmp_path):
    secret = tmp_path / "secret"
    secret.write_bytes(DATA)
    file = shelf.folder / "12" / NAME
    file.unlink()
    file.symlink_to(secret)
    assert shelf.answer("GET", address, None).status == 404
    file.unlink()
    os.mkfifo(file)
    assert shelf.answer("GET", address, None).status == 404
    file.unlink()
    outside = tmp_path / "outside"
    (shelf.folder / "12").rename(outside)
    (outside / NAME).write_bytes(DATA)
    (shelf.folder / "12").symlink_to(outside)
    assert shelf.answer("GET", address, None).status == 404


def test_svg_and_what_browsers_do_not_show_is_not_taken(shelf):
    for format in ("svg", "html", "tiff", "../png", ""):
        with pytest.raises(ValueError, match="no browser shows"):
            shelf.put("12", format, io.BytesIO(b"<svg/>"))
    assert not shelf.folder.exists()


def test_what_is_removed_is_gone(shelf, address):
    shelf.remove("12", [NAME, "../../secrets.json", "not there"])
    assert shelf.answer("GET", address, None).status == 404
    assert not shelf.has("12", NAME)


@pytest.mark.parametrize(
    ("asked", "status", "part", "told"),
    [
        ("bytes=0-", 206, DATA, "bytes 0-1023/1024"),
        ("bytes=0-0", 206, DATA[:1], "bytes 0-0/1024"),
        ("bytes=1000-5000", 206, DATA[1000:], "bytes 1000-1023/1024"),
        ("bytes=-24", 206, DATA[1000:], "bytes 1000-1023/1024"),
        ("bytes=-5000", 206, DATA, "bytes 0-1023/1024"),
        ("bytes=1024-", 416, b"", "bytes */1024"),
        ("bytes=9-3", 416, b"", "bytes */1024"),
        ("bytes=-0", 416, b"", "bytes */1024"),
        ("bytes=0-1,4-5", 200, DATA, None),
        ("bytes=-", 200, DATA, None),
        ("bytes=a-b", 200, DATA, None),
        ("items=0-1", 200, DATA, None),
        ("bytes=\u0661-", 200, DATA, None),
        ("bytes=" + "9" * 4000 + "-", 200, DATA, None),
        ("", 200, DATA, None),
    ],
)
def test_a_player_gets_the_stretch_that_it_asks_for(shelf, address, asked, status, part, told):
    answer = shelf.answer("GET", address, asked)
    assert (answer.status, body(answer)) == (status, part)
    assert answer.headers.get("Content-Range") == told
    assert answer.headers["Content-Length"] == str(len(part))


def test_other_methods(shelf, address):
    head = shelf.answer("HEAD", address, None)
    assert (head.status, body(head), head.headers["Content-Length"]) == (200, b"", "1024")
    assert shelf.answer("POST", address, None).status == 405
    assert shelf.answer("DELETE", address, None).headers["Allow"] == "GET, HEAD"


def test_the_hash_of_what_is_shown_is_told_from_its_address(address):
    assert digest_of(address) == hashlib.sha256(DATA).hexdigest()
    assert digest_of("data:image/png;base64,aGVsbG8=") == hashlib.sha256(b"hello").hexdigest()
    assert digest_of("data:text/plain,hello%20") == hashlib.sha256(b"hello ").hexdigest()
    assert digest_of("data:image/png;base64,not base64") is None
    assert digest_of("https://example.org/a.png") is None


# ── before Argilla


def asked_argilla(shelf, path, method="GET", host="127.0.0.1:6900", **headers):
    sent = []

    async def send(message):
        sent.append(message)

    async def behind(scope, receive, send):
        await send({"type": "http.response.start", "status": 299, "headers": []})
        await send({"type": "http.response.body", "body": b"Argilla"})

    given = [(name.encode(), value.encode()) for name, value in {"host": host, **headers}.items()]
    scope = {"type": "http", "method": method, "path": path, "headers": given}
    asyncio.run(guard.Guard(behind, "policy", media=shelf)(scope, None, send))
    start, *rest = sent
    return start["status"], dict(start["headers"]), b"".join(part["body"] for part in rest)


def test_argillas_guard_sends_media(shelf, address):
    status, headers, content = asked_argilla(shelf, address, range="bytes=4-7")
    assert (status, content) == (206, DATA[4:8])
    assert headers[b"content-security-policy"] == b"default-src 'none'; sandbox"
    assert headers[b"content-range"] == b"bytes 4-7/1024"
    assert asked_argilla(shelf, address)[2] == DATA
    assert asked_argilla(shelf, address[:-5] + "0.png")[0] == 404
    assert asked_argilla(shelf, address, host="evil.example")[0] == 400
    assert asked_argilla(shelf, address, origin="http://evil.example")[0] == 403
    assert asked_argilla(shelf, "/curate/medias")[0] == 299
