"""Embedded annotation servers: a private environment, one process, and the accounts of people.

    environments/label_studio-<hash>/   venv and template, built once, shared between homes
    home/servers/label_studio/          data, secrets, accounts, log: one server of one's own

Nothing here reads the environment for settings, and nothing is reachable from another machine.
"""

from curate.servers.running import Account, Home, Running

__all__ = [
    "Account",
    "Home",
    "Running",
]
