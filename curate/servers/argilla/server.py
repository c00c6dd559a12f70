"""The embedded Argilla: for this machine only, offline, without Elasticsearch and without Redis.

Our own search engine (`engine.py`) answers everything from one SQLite file, and work that would
wait in Redis is done at once. Argilla pins packages with known holes and shows record texts as
HTML. It therefore listens on 127.0.0.1 only, texts are sent to it escaped, and a policy in front
of it (`guard.py`) blocks every script and request that a text contains.
"""

from __future__ import annotations

import re
from pathlib import Path

from curate.errors import ServerError
from curate.servers.embedded import Embedded

PORT = 6900
CURATOR = "curator"
LOGIN = re.compile(r"[a-z0-9][a-z0-9._@+-]{0,99}")
HERE = Path(__file__).parent

SETTINGS = {
    "ARGILLA_SEARCH_ENGINE": "curate",
    "ARGILLA_DATABASE_SQLITE_TIMEOUT": "30",  # seconds that a writer waits for another
    "ARGILLA_CORS_ORIGINS": "[]",
    "HF_HUB_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_DATASETS_OFFLINE": "1",
}


def variables(data: Path) -> dict[str, str]:
    """The settings of a server whose files lie in the folder `data`."""
    folders = {"ARGILLA_HOME_PATH": str(data), "HF_HOME": str(data / "hf")}
    return {**SETTINGS, **folders, "TMPDIR": str(data / "tmp")}


def login(name: str) -> str:
    """Normalise a user name or an e-mail. Raises ServerError for one that cannot be a login."""
    normalised = name.strip().lower()
    if not LOGIN.fullmatch(normalised):
        hint = "give a user name or an e-mail: ada, or ada@example.org"
        raise ServerError(f"{name!r} cannot be an account", hint=hint)
    return normalised


SERVER = Embedded(
    name="argilla",
    title="Argilla",
    here=HERE,
    port=PORT,
    health="/api/v1/version",
    variables=variables,
    curators_login=CURATOR,
    login=login,
)

start, stop, status, reset = SERVER.start, SERVER.stop, SERVER.status, SERVER.reset
curator, accounts = SERVER.curator, SERVER.accounts
add_account, add_accounts = SERVER.add_account, SERVER.add_accounts
remove_account, new_password = SERVER.remove_account, SERVER.new_password
shelf = SERVER.shelf
