"""Embedded annotation servers: a private environment, one process, and the accounts of people.

    environments/label_studio-<hash>/   venv and template, built once, shared between homes
    home/servers/label_studio/          data, secrets, accounts and log of one server

Settings never come from the user's environment variables. No other machine can reach a server.
"""

from curate.servers.running import Account, Home, Running

__all__ = [
    "Account",
    "Home",
    "Running",
]
