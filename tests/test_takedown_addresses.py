"""Addresses by which a takedown names a document, whatever key or form they stand in."""

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curate.takedown.addresses import addresses_in, forms
from curate.takedown.naming import _at_domain
from tests.test_remove import ID, TAKEN, take  # noqa: F401

PAGE = "https://soup.example/a?b=1"


@pytest.mark.parametrize(
    "meta",
    [
        {"page": PAGE},
        {"source": {"crawl": [{"seen_at": PAGE}]}},
        {"metadata": json.dumps({"page": PAGE})},
        {"metadata": json.dumps({"raw": json.dumps([{"at": PAGE}])})},
        {"metadata": str({"page": PAGE, "n": None})},
        {"host": "soup.example"},
        {"site": "www.soup.example/a"},
        {"urls": f"{PAGE} https://bread.example/"},
        {"seen": f"{PAGE}, https://bread.example/"},
        {"pages": {PAGE: 3}},
        {"WARC-Target-URI": f"<{PAGE}>"},
        {"page": f"  {PAGE}\n"},
        {"cut": '{"page": "https://soup.example/a", "te'},
        {"form": "https%3A%2F%2Fsoup.example%2Fa"},
        {"script": "https:\\/\\/soup.example\\/a"},
        {"marked": f"\ufeff{PAGE}"},
        {"from": f'[Soup of the day]({PAGE} "soup")'},
        {"from": f"<a class='x' href='{PAGE}' rel=nofollow>Soup</a>"},
        {"urlkey": "example,soup,www)/a?b=1"},
        {"key": "http://(example,soup,:8080)/a"},
    ],
)
def test_an_address_is_found_under_any_key(meta):
    at_domain = _at_domain("soup.example")
    found = [form for address in addresses_in(meta) for form in forms(address)]
    assert any(map(at_domain, found))


@pytest.mark.parametrize(
    "meta",
    [
        {"title": "A review of www.soup.example"},
        {"text": f"as we read at {PAGE} yesterday"},
        {"n": 3.14, "file": "soup.example.pdf", "version": "1.2.3", "none": None},
        {"page": "https://bread.example/soup.example"},
        {"page": "https://bread.example/?about=https://soup.example/"},
        {"page": "https://notsoup.example/"},
        {"key": "soup,example)/a"},
        {"list": "example,soup"},
        {"from": f"[Soup]({PAGE}) is good"},
    ],
)
def test_a_text_that_speaks_of_an_address_is_none(meta):
    at_domain = _at_domain("soup.example")
    found = [form for address in addresses_in(meta) for form in forms(address)]
    assert not any(map(at_domain, found))


@pytest.mark.parametrize(
    "address",
    [
        f"<{PAGE}>",
        f"view-source:{PAGE}",
        f"VIEW-SOURCE:view-source:{PAGE}",
        "http:\\\\soup.example\\a",
        "//soup.example/a",
        "https://web.archive.org/web/20200102030405/https://soup.example/a",
        "https://web.archive.org/web/20200102030405id_/http:/soup.example/a",
        "web.archive.org/web/2020*/soup.example/a",
        "https://web.archive.org/web/2020/view-source:https://soup.example/a",
        "http://archive.ph/2020.01.02-030405/https://soup.example/a",
        "https://archive.today/newest/https%3A%2F%2Fsoup.example%2Fa",
        "https://webcache.googleusercontent.com/search?q=cache:Ab1-c2D3e4F5:https://soup.example/a+x",
        "https://webcache.googleusercontent.com/search?q=cache:soup.example/a",
        "https://translate.google.com/translate?sl=fr&tl=en&u=https%3A%2F%2Fsoup.example%2Fa",
        "https://soup-example.translate.goog/a?_x_tr_sl=fr",
        "https://www.google.com/amp/s/soup.example/a",
        "https://soup-example.cdn.ampproject.org/c/s/soup.example/a",
        "https://www.google.com/url?q=https://soup.example/a&sa=U",
        "https://wayback.archive-it.org/all/20200102030405/https://soup.example/a",
        "https://reader.example/https://soup.example/a",
        "about:reader?url=https%3A%2F%2Fsoup.example%2Fa",
        "https://user:word@soup.example:8443/a",
        "HTTPS://WWW.SOUP.EXAMPLE./a",
    ],
)
def test_a_copy_of_a_page_is_known_by_the_pages_address(address):
    at_domain = _at_domain("soup.example")
    assert any(map(at_domain, forms(address)))
    assert not any(map(_at_domain("oup.example"), forms(address)))


@given(st.text(st.sampled_from("htp:/s.ex-<>\"'?=&%2F {}[],\\"), max_size=60))
def test_any_text_has_forms(text):
    assert list(forms(text))
    list(addresses_in({"a": text}))


@pytest.mark.parametrize("text", ["https://" * 20_000, "a." * 50_000, "{" * 50_000, "x@" * 50_000])
def test_an_endless_address_takes_no_endless_time(text):
    began = time.process_time()
    for address in (text, *addresses_in({"page": text})):
        list(forms(address))
    assert time.process_time() - began < 5


def test_a_takedown_reaches_every_form(offline):
    rows = [
        {"text": TAKEN, "more": json.dumps({"seen": "view-source:https://soup.example/a"})},
        {"text": "Another text, of which a copy stands in an archive."},
        {"text": "A text that stays, since it only speaks of it.", "title": "On soup.example"},
    ]
    offline.lines("web.jsonl", rows)
    archived = {**rows[1], "crawl": ["http://archive.ph/2020/https://soup.example/b"]}
    offline.lines("zoo.jsonl", [archived])
    offline.pool()
    made = take(offline, domain="soup.example", only=True)
    assert made.asked == 2
    assert [row["text"] for row in offline.rows("pool")] == [rows[2]["text"]]
