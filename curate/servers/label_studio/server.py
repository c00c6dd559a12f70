"""The embedded Label Studio: for this machine only, offline, with its own accounts.

Label Studio has no roles: every account can see every project. `guard.py` leaves to the curator
what people who label do not need. It listens on 127.0.0.1 only. For a team, a reverse proxy on the
same machine gives it a public address.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from curate.servers.embedded import Embedded
from curate.servers.label_studio import users
from curate.servers.public import host
from curate.servers.running import checked_email

PORT = 8080
CURATOR = "curator@localhost.localdomain"
OURS = "127.0.0.1,localhost"
"""The host names it answers to: a request under another name of this machine is an attack."""

SETTINGS = {
    "LABEL_STUDIO_ALLOWED_HOSTS": OURS,
    "LABEL_STUDIO_CORS_ALLOW_ALL_ORIGINS": "false",
    "LABEL_STUDIO_LS_CSP_REPORT_ONLY": "false",
    "LABEL_STUDIO_DISABLE_SIGNUP_WITHOUT_LINK": "true",
    "LABEL_STUDIO_ENABLE_LEGACY_API_TOKEN": "true",
    "LABEL_STUDIO_TASK_LOCK_TTL": "1800",  # an opened task is free again after half an hour
    "LABEL_STUDIO_COLLECT_ANALYTICS": "false",
    "LABEL_STUDIO_LATEST_VERSION_CHECK": "false",
    "LABEL_STUDIO_SENTRY_DSN": "",
    "LABEL_STUDIO_FRONTEND_SENTRY_DSN": "",
    "LABEL_STUDIO_DJANGO_DB": "sqlite",
    "CONVERTER_DOWNLOAD_RESOURCES": "false",
}
"""Hardened settings; each was measured with the API and the whole interface at work."""


def variables(data: Path) -> Mapping[str, str]:
    """The settings of a server whose files lie in the folder `data`."""
    return {**SETTINGS, "LABEL_STUDIO_BASE_DATA_DIR": str(data)}


def named(public: str) -> Mapping[str, str]:
    """The settings that change with a public address; the server's own links stay relative.

    `LABEL_STUDIO_HOST` would make them absolute and break the pages for people on loopback.
    """
    return {
        "LABEL_STUDIO_ALLOWED_HOSTS": f"{OURS},{host(public)}",
        "LABEL_STUDIO_CSRF_TRUSTED_ORIGINS": public,
    }


SERVER = Embedded(
    name="label_studio",
    title="Label Studio",
    here=Path(__file__).parent,
    port=PORT,
    health="/health",
    variables=variables,
    curators_login=CURATOR,
    login=checked_email,
    named=named,
    accounts_path=users.PATH,
)

start, stop, status, reset = SERVER.start, SERVER.stop, SERVER.status, SERVER.reset
curator, accounts = SERVER.curator, SERVER.accounts
add_account, add_accounts = SERVER.add_account, SERVER.add_accounts
remove_account, new_password = SERVER.remove_account, SERVER.new_password
shelf = SERVER.shelf
