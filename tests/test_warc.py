"""Web archives as servers and crawlers leave them: a page reads as in a browser."""

import gzip
import zlib
from collections import Counter
from functools import partial
from itertools import product
from random import Random

import brotli
import pytest
import zstandard

from curate.errors import DataError
from curate.sources.readers import http_answer
from tests.test_sources import everything, meta, put, texts

gzipped = partial(gzip.compress, mtime=0)
"""Without the time of day, which would stand in the ids of tests."""

SENTENCES = {
    "utf-8": (
        "The kettle sang in the kitchen — and nobody got up.",
        "Tea was late again, said Ana.",
    ),
    "gb18030": ("厨房里的水壶响了，可是没有人站起来去看一看。", "安娜说，今天的茶又晚了半个小时。"),
    "cp1251": ("Чайник запел на кухне, но никто не встал.", "Анна сказала, что чай опять опоздал."),
    "shift_jis": (
        "台所でやかんが鳴ったが、誰も立ち上がらなかった。",
        "お茶はまた遅れました、とアナは言った。",
    ),
    "cp1252": (
        "La bouilloire chantait déjà, mais personne n’a bougé.",
        "Le thé était en retard, été.",
    ),
}
LABELS = {"gb18030": "gbk", "cp1251": "windows-1251", "shift_jis": "Shift_JIS"}


def page(name, encoding):
    """A page of one encoding, which it names as pages do, and the lines that a browser shows."""
    lines = [f"{sentence} {name}" for sentence in SENTENCES[encoding]]
    said = f"<!-- {'x' * 2000} --><meta charset={LABELS[encoding]}>" if encoding in LABELS else ""
    said = "" if encoding == "cp1251" else said  # its server names it
    body = "".join(f"<p>{line}</p>" for line in lines)
    title = f"<title>{name}</title>"
    return f"<html><head>{said}{title}</head><body><article>{body}</article></body></html>", lines


def chunked(body, size=97, extra=b""):
    cut = (body[at : at + size] for at in range(0, len(body), size))
    return b"".join(b"%X%s\r\n%s\r\n" % (len(each), extra, each) for each in cut) + b"0\r\n\r\n"


def bare(body):
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(body) + packer.flush()


PACK = {
    "": lambda body: body,
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": brotli.compress,
}


def http(body, *headers, status="HTTP/1.1 200 OK", kind="text/html", end="\r\n"):
    lines = [status, f"Content-Type: {kind}", *headers]
    return (end.join(lines) + end * 2).encode() + body


def record(name, block, *, kind="response", off=0, length=True, brackets=False):
    """A record; its length is `off` by so many bytes, or not there."""
    url = f"https://tea.example/{name}"
    lines = [
        "WARC/1.1",
        f"WARC-Type: {kind}",
        f"WARC-Target-URI: {f'<{url}>' if brackets else url}",
        "WARC-Date: 2026-01-02T03:04:05Z",
        "Content-Type: application/http; msgtype=response",
        *([f"Content-Length: {len(block) + off}"] if length else []),
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + block + b"\r\n\r\n"


def answers(pages):
    """Yield answers in five encodings and four content encodings, and the lines of each page."""
    ways = list(product(SENTENCES, PACK, ("", "chunked"), ("right", "wrong")))
    for number in range(pages):
        encoding, coding, transfer, headers = ways[number % len(ways)]
        text, lines = page(f"page{number}", encoding)
        body = text.encode(encoding)
        if headers == "right":
            body = PACK[coding](body)
            body = chunked(body) if transfer else body
        said = [f"Content-Encoding: {coding}"] * bool(coding)
        said += [f"Transfer-Encoding: {transfer}"] * bool(transfer)
        kind = "text/html; charset=windows-1251" if encoding == "cp1251" else "text/html"
        yield f"page{number}", http(body, *said, kind=kind), lines


@pytest.mark.parametrize("pages", [200, pytest.param(1000, marks=pytest.mark.slow)])
def test_pages_read_as_in_a_browser(tmp_path, pages):
    expected, made, told = {}, [], Counter()
    for number, (name, block, lines) in enumerate(answers(pages)):
        fault = {3: "short", 47: "long", 101: "none", 150: "junk"}.get(number % 200)
        off = {"short": -150, "long": 77}.get(fault, 0)
        made.append(record(name, block, off=off, length=fault != "none", brackets=number % 2))
        if fault == "junk":
            made.append(b"what no record holds, and no tool can tell\r\n" * 20)
        told[fault] += fault is not None
        expected[f"https://tea.example/{name}"] = lines
    broken = gzip.compress(b"<html>" + Random(1).randbytes(3000).hex().encode())
    broken = broken[:1500] + b"\xff" * 400 + broken[1900:]
    made.insert(100, record("broken", http(broken, "Content-Encoding: gzip")))
    put(tmp_path, "data/a.warc", b"".join(made))
    found, bad = everything(tmp_path, strict=False)
    seen = {
        meta(row)["url"]: text.split("\n") for row, text in zip(found, texts(found), strict=True)
    }
    assert len(found) == len(seen) == pages
    wrong = {url for url, lines in expected.items() if seen[url] != lines}
    assert wrong == set()
    mended = [each for each in bad if "read up to the next one" in each.reason]
    assert len(mended) == told["short"] + told["long"] + told["none"] == 3 * pages // 200
    assert all(each.skipped for each in mended)
    junk = [each for each in bad if "are not a WARC record" in each.reason]
    assert [each.lost for each in junk] == [880] * (pages // 200)
    assert [each.reason for each in bad if "damaged gzip" in each.reason]
    assert len(bad) == 4 * pages // 200 + 1


@pytest.mark.parametrize("brackets", [True, False])
def test_addresses_have_no_brackets(tmp_path, brackets):
    text, lines = page("one", "utf-8")
    put(tmp_path, "data/a.warc", record("one", http(text.encode()), brackets=brackets))
    (row,), _ = everything(tmp_path)
    assert meta(row)["url"] == "https://tea.example/one"
    assert texts([row])[0].split("\n") == lines


TEXT, LINES = page("one", "utf-8")
BODY = TEXT.encode()


@pytest.mark.parametrize(
    "block",
    [
        http(gzipped(gzipped(BODY)), "Content-Encoding: gzip, gzip"),
        http(gzipped(gzipped(BODY)), "Content-Encoding: gzip"),
        http(gzipped(BODY)),
        http(gzipped(BODY[:100]) + gzipped(BODY[100:]), "content-encoding: X-GZIP"),
        http(brotli.compress(gzipped(BODY)), "Content-Encoding: gzip", "Content-Encoding: br"),
        http(bare(BODY), "Content-Encoding: deflate"),
        http(zstandard.ZstdCompressor().compress(BODY), "Content-Encoding: zstd"),
        http(BODY, "Content-Encoding: zstd"),
        http(BODY, "Content-Encoding: identity"),
        http(BODY, "Content-Encoding: UTF-8"),
        http(BODY, "Content-Encoding:"),
        http(chunked(gzipped(BODY)), "Transfer-Encoding: gzip, chunked"),
        http(chunked(BODY), "Transfer-Encoding: gzip, chunked"),
        http(chunked(BODY)),
        http(chunked(BODY, extra=b" ;name=value"), "transfer-encoding: Chunked"),
        http(chunked(BODY).replace(b"\r\n", b"\n"), "Transfer-Encoding: chunked"),
        http(chunked(BODY)[:-5], "Transfer-Encoding: chunked"),
        http(chunked(BODY) + b"X-Trailer: 1\r\n\r\n", "Transfer-Encoding: chunked"),
        http(BODY, status="HTTP/2 200"),
        http(BODY, status="HTTP/3 200 "),
        http(BODY, status="HTTP/1.0 200 Very\tgood"),
        http(BODY, end="\n"),
        http(BODY, "X-Long: a", "  folded"),
        http(b"", status="HTTP/1.1 100 Continue") + http(BODY),
        b"HTTP/1.1 200 OK\r\n\r\n" + BODY,
        BODY,
    ],
)
def test_a_body_is_decoded(tmp_path, block):
    put(tmp_path, "data/a.warc", record("one", block))
    (row,), bad = everything(tmp_path)
    assert texts([row])[0].split("\n") == LINES
    assert bad == []


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd"])
def test_a_bomb_is_not_unpacked_past_the_limit(coding):
    body = b"x" * 30_000_000
    packed = {**PACK, "zstd": zstandard.ZstdCompressor().compress}[coding](body)
    decoded = http_answer.decoded(packed, {"content-encoding": coding}, 1_000_000)
    assert 1_000_000 < len(decoded) < 1_200_000


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br"])
def test_a_body_that_was_cut_shows_what_came(tmp_path, coding):
    text = "<html><body><article>" + "".join(f"<p>{LINES[0]} {n}</p>" for n in range(3000))
    packed = PACK[coding](text.encode())
    put(tmp_path, "data/a.warc", record("one", http(packed[:-800], f"Content-Encoding: {coding}")))
    (row,), _ = everything(tmp_path)
    assert f"{LINES[0]} 9" in texts([row])[0]


def test_a_page_that_a_proxy_changed_is_a_page(tmp_path):
    put(tmp_path, "data/a.warc", record("one", http(BODY, status="HTTP/1.1 203 As changed")))
    assert texts(everything(tmp_path)[0]) == ["\n".join(LINES)]


def test_what_is_no_page_is_told(tmp_path):
    data = [
        record("a", http(BODY)),
        record("a", b"", kind="revisit"),
        record("b", http(b"", status="HTTP/1.1 304 Not Modified")),
        record("c", http(b"\x89PNG", kind="image/png")),
        record("d", b"fetchTimeMs: 5\r\n", kind="metadata"),
        record("e", http(BODY), kind="request"),
    ]
    put(tmp_path, "data/a.warc", b"".join(data))
    found, bad = everything(tmp_path)
    assert len(found) == 1
    assert [each.reason for each in bad] == [
        "a page that did not change: its text is in an earlier record",
        "the server answered 304",
        "no page but image/png",
    ]


def test_a_damaged_member_costs_its_own_record(tmp_path):
    members = [gzip.compress(record(f"p{n}", http(BODY))) for n in range(20)]
    members[7] = members[7][:60] + b"\xff" * 40 + members[7][100:]
    put(tmp_path, "data/a.warc.gz", b"".join(members) + b"junk after it")
    found, bad = everything(tmp_path, strict=False)
    urls = [meta(row)["url"].rpartition("/")[2] for row in found]
    assert urls == [f"p{n}" for n in range(20) if n != 7]
    assert [each.lost > 0 for each in bad] == [True, True]
    assert "damaged gzip data" in bad[0].reason
    assert bad[1].reason == "after record 19: 13 bytes behind member 20 are not gzip"
    with pytest.raises(DataError, match=r"a\.warc\.gz, after record 7: damaged gzip"):
        everything(tmp_path)


@pytest.mark.parametrize("size", [400_000, 3_000_000])
def test_a_record_that_says_it_is_huge_costs_no_other(tmp_path, size):
    film = record("film", http(b"\0" * size, kind="video/mp4"), off=10**12)
    pages = [record(f"p{n}", http(BODY)) for n in range(3)]
    put(tmp_path, "data/a.warc", pages[0] + film + pages[1] + pages[2])
    found, (bad,) = everything(tmp_path, strict=False, max_bytes=300_000)
    assert len(found) == 3
    assert bad.reason == "longer than max_bytes (300000)"


def test_an_archive_within_an_archive_is_not_read(tmp_path):
    inner = record("inner", http(BODY)) * 1000
    outer = record("outer", http(inner, kind="application/warc"))
    put(tmp_path, "data/a.warc", outer + record("one", http(BODY)))
    for limit in (32 << 20, 10_000):
        found, _ = everything(tmp_path, strict=False, max_bytes=limit)
        assert [meta(row)["url"] for row in found] == ["https://tea.example/one"]


def test_the_last_record_was_cut(tmp_path):
    put(tmp_path, "data/a.warc", record("one", http(BODY)) + record("two", http(BODY))[:-60])
    found, (bad,) = everything(tmp_path, strict=False)
    assert len(found) == 1
    assert (bad.row, bad.skipped, bad.reason[:9]) == (2, False, "cut short")
