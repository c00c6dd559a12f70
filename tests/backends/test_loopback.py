"""Which servers are reached without the certificates that this machine trusts."""

import ssl

import pytest

from curate.backends.loopback import is_loopback, without_certificates


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost", "[::1]"])
def test_plain_http_here_needs_none_and_would_trust_none(name):
    context = without_certificates(f"http://{name}:8080/api")
    assert context is not None
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert context.get_ca_certs() == []
    assert is_loopback(f"https://{name}")
    assert without_certificates(f"https://{name}") is None


@pytest.mark.parametrize("url", ["http://example.org", "http://127.0.0.1.example.org", "localhost"])
def test_other_servers_are_met_with_those_that_are_trusted(url):
    assert not is_loopback(url)
    assert without_certificates(url) is None
