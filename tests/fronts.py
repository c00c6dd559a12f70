"""Reverse proxies that speak TLS for a server on loopback, and a name that leads to them."""

from __future__ import annotations

import base64
import re
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from curate.servers import Running, public

NAME = "label.example.org"
HOP = ("connection", "keep-alive", "transfer-encoding", "host", "x-forwarded-proto")
"""Headers that a proxy sets itself."""


@dataclass(frozen=True)
class Certificate:
    """A certificate for NAME that is its own authority."""

    file: Path
    key: Path


def certificate(folder: Path) -> Certificate:
    """Make a certificate, or skip."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is not installed")
    made = Certificate(folder / "label.pem", folder / "label.key")
    subprocess.run(
        [
            *(openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
            *("-keyout", str(made.key), "-out", str(made.file)),
            *("-subj", f"/CN={NAME}", "-addext", f"subjectAltName=DNS:{NAME}"),
        ],
        check=True,
        capture_output=True,
    )
    return made


def fingerprint(cert: Certificate) -> str:
    """Return what tells Chromium to trust this certificate, and no other."""
    read = ("openssl", "x509", "-in", str(cert.file), "-noout", "-pubkey")
    pem = subprocess.run(read, check=True, capture_output=True, text=True).stdout
    key = base64.b64decode("".join(pem.splitlines()[1:-1]))
    return base64.b64encode(sha256(key).digest()).decode()


def free_port() -> int:
    """Return a port that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def lead_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let NAME be this machine, for this process."""
    real = socket.getaddrinfo

    def getaddrinfo(host: Any, *arguments: Any, **options: Any) -> Any:
        return real("127.0.0.1" if host == NAME else host, *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)


@contextmanager
def front(kind: str, running: Running, cert: Certificate, folder: Path) -> Iterator[None]:
    """Run a proxy of that kind with the lines that curate prints for it; skip if there is none."""
    port = int(running.public.rpartition(":")[2])
    if kind == "python":
        with python_front(port, running.port, cert):
            yield
        return
    program = shutil.which(kind, path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
    program = shutil.which(kind) or program
    if program is None:
        pytest.skip(f"{kind} is not installed")
    command = (_nginx if kind == "nginx" else _caddy)(program, running, cert, folder)
    with (
        (folder / f"{kind}.log").open("wb") as log,
        subprocess.Popen(command, stdout=log, stderr=log, cwd=folder) as process,
    ):
        try:
            _wait(port, process)
            yield
        finally:
            process.terminate()
            process.wait(20)


def _nginx(program: str, running: Running, cert: Certificate, folder: Path) -> list[str]:
    lines = public.nginx(running)
    lines = re.sub(r"ssl_certificate .*;", f"ssl_certificate {cert.file};", lines)
    lines = re.sub(r"ssl_certificate_key .*;", f"ssl_certificate_key {cert.key};", lines)
    kept = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    places = "".join(f"{name}_temp_path {folder}/{name};\n" for name in kept)
    config = folder / "nginx.conf"
    config.write_text(
        f"daemon off;\nmaster_process off;\npid {folder}/nginx.pid;\nerror_log stderr;\n"
        f"events {{}}\nhttp {{\naccess_log off;\n{places}{lines}}}\n"
    )
    return [program, "-e", "stderr", "-p", str(folder), "-c", str(config)]


def _caddy(program: str, running: Running, cert: Certificate, folder: Path) -> list[str]:
    place, rest = public.caddy(running).split("\n", 1)
    own = f"{{\nadmin off\nauto_https disable_redirects\nstorage file_system {folder}/caddy\n}}\n"
    config = folder / "Caddyfile"
    config.write_text(f"{own}{place}\ntls {cert.file} {cert.key}\n{rest}")
    return [program, "run", "--config", str(config), "--adapter", "caddyfile"]


def _wait(port: int, process: subprocess.Popen[bytes], patience: float = 20) -> None:
    until = time.monotonic() + patience
    while time.monotonic() < until and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.05)
    pytest.fail("the proxy does not listen")


@contextmanager
def python_front(
    port: int,
    to: int,
    cert: Certificate,
    *,
    largest: int = 250_000_000,
    closed: str = "nothing",
) -> Iterator[None]:
    """Run a proxy of our own; it refuses bodies beyond `largest`, and paths that hold `closed`."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def forward(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            if length > largest or closed in self.path:
                self.rfile.read(length)
                self.answer(413 if length > largest else 503, [], b"<html>no</html>")
                return
            body = self.rfile.read(length) if length else None
            sent = {k: v for k, v in self.headers.items() if k.lower() not in HOP}
            sent |= {"Host": self.headers["Host"], "X-Forwarded-Proto": "https"}
            upstream = HTTPConnection("127.0.0.1", to, timeout=300)
            try:
                upstream.request(self.command, self.path, body, sent)
                got = upstream.getresponse()
                self.answer(got.status, got.getheaders(), got.read())
            finally:
                upstream.close()

        def answer(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
            self.send_response_only(status)
            for name, value in headers:
                if name.lower() not in (*HOP, "content-length"):
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = forward

        def log_message(self, *arguments: Any) -> None:
            """Say nothing."""

    class Front(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 64

        def handle_error(self, *arguments: Any) -> None:
            """Say nothing: a client that does not trust the certificate hangs up."""

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert.file, cert.key)
    with Front(("127.0.0.1", port), Handler) as server:
        server.socket = context.wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()
