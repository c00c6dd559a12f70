"""A public address for a server that stays on loopback: its check, and how people get there.

A reverse proxy on the same machine takes https and forwards to the server. Without a proxy, people
use a tunnel. The settings of the snippets were seen to matter: texts come in bodies of many
megabytes, lookups in long addresses, and an import may take minutes. The server needs no
websockets.
"""

from __future__ import annotations

import re
from string import Template
from urllib.parse import urlsplit

from curate.errors import ServerError
from curate.servers.running import Running

NAME = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)(\.(?!-)[a-z0-9-]{1,63}(?<!-))*")

NGINX = Template(
    """\
server {
    listen $listen ssl;
    server_name $host;
    ssl_certificate     /etc/ssl/certs/$host.pem;
    ssl_certificate_key /etc/ssl/private/$host.key;

    client_max_body_size 250m;
    large_client_header_buffers 8 64k;

    location / {
        proxy_pass http://127.0.0.1:$port;
        proxy_http_version 1.1;
        proxy_set_header Host $$http_host;
        proxy_set_header X-Forwarded-Proto $$scheme;
        proxy_read_timeout 300s;
        proxy_send_timeout 300s;
    }
}
"""
)

CADDY = Template(
    """\
$place {
    request_body {
        max_size 250MB
    }
    reverse_proxy 127.0.0.1:$port {
        transport http {
            read_timeout 300s
            write_timeout 300s
        }
    }
}
"""
)


def checked(address: str) -> str:
    """The address as browsers write it: https, a host, a port if it is not 443.

    Raises ServerError for anything else. Plain http would send passwords in the open, and every
    page would have to know a path.
    """
    try:
        parts = urlsplit(address.strip())
        hostname, port = (parts.hostname or "").encode("idna").decode(), parts.port
    except ValueError:
        raise _refusal(address, "it is not an address") from None
    if parts.scheme != "https":
        raise _refusal(address, "it must begin with https://: passwords travel there")
    if not NAME.fullmatch(hostname):
        raise _refusal(address, "it names no host")
    if parts.username is not None or parts.path not in ("", "/") or parts.query or parts.fragment:
        raise _refusal(address, "after the host there can only be a port")
    return f"https://{hostname}" if port in (None, 443) else f"https://{hostname}:{port}"


def _refusal(address: str, why: str) -> ServerError:
    return ServerError(
        f"{address!r} cannot be the public address: {why}",
        hint="give it like https://label.example.org; without a proxy, use `ssh -N -L`",
    )


def host(address: str) -> str:
    """The host of a checked address."""
    return urlsplit(address).hostname or ""


def nginx(server: Running) -> str:
    """The lines that nginx needs in its `http` block."""
    listen = urlsplit(server.public).port or 443
    return NGINX.substitute(listen=listen, host=host(server.public), port=server.port)


def caddy(server: Running) -> str:
    """The lines that a Caddyfile needs; Caddy gets the certificate itself."""
    place = server.public.removeprefix("https://")
    return CADDY.substitute(place=place, port=server.port)


def tunnel(server: Running) -> str:
    """The command with which a login on this machine reaches the server without a proxy."""
    machine = host(server.public) if server.public else "this-machine"
    return f"ssh -N -L {server.port}:127.0.0.1:{server.port} you@{machine}"
