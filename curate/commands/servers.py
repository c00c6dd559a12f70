"""Commands about annotation servers: the embedded ones, and the accounts on any server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from curate import console
from curate.commands.completing import Values
from curate.commands.options import Json, plain_app
from curate.errors import CurateError
from curate.rounding import rounded

if TYPE_CHECKING:
    from curate.servers import Running
    from curate.servers.inventory import Inventory

server = plain_app("Embedded annotation servers.")
accounts = plain_app(
    "Accounts of annotators: on the embedded server, or on the one that the environment names "
    "(LABEL_STUDIO_URL)."
)
server.add_typer(accounts, name="accounts")

NAMES = "label_studio or argilla"
SERVERS = ("label_studio", "argilla")
Which = Annotated[str, typer.Argument(help=NAMES, autocompletion=Values(SERVERS))]
Server = Annotated[str, typer.Option(help=NAMES, autocompletion=Values(SERVERS))]


@server.command("start")
def server_start(
    name: Which = "label_studio",
    public_url: Annotated[
        str | None,
        typer.Option(help='https://… of a proxy on this machine; remembered; "" for none.'),
    ] = None,
    as_json: Json = False,
) -> None:
    """Start an embedded server; one that runs already is left alone.

    It answers on 127.0.0.1 only. With --public-url a reverse proxy offers it to a team; what the
    proxy needs is printed.

    Example: curate server start label_studio --public-url https://label.example.org
    """
    from curate.connections import embedded, home, start

    running = start(name, home(), console.watch, public_url)
    login = embedded(name).curator(home())
    connection = {"url": running.url, "public": running.public or None, "user": login.email}
    if as_json:
        console.show({**connection, "pid": running.pid}, as_json=True)
        return
    console.show({**connection, "password": login.password}, as_json=False)
    if public_url:
        _note_access(running)


def _note_access(running: Running) -> None:
    from curate.servers import public

    console.note(f"\nFor nginx on this machine, in its http block:\n\n{public.nginx(running)}")
    console.note(f"Or for Caddy, in its Caddyfile:\n\n{public.caddy(running)}")
    console.note(
        f"Or without a proxy, each person: {public.tunnel(running)}\n"
        f"and then, as long as that runs, open {running.url}"
    )


@server.command("stop")
def server_stop(name: Which = "label_studio", as_json: Json = False) -> None:
    """Stop an embedded server; its data stays.

    Example: curate server stop label_studio
    """
    from curate.connections import embedded, home

    stopped = embedded(name).stop(home())
    if as_json:
        console.show({"server": name, "stopped": stopped}, as_json=True)
    else:
        console.note(f"{name} is stopped" if stopped else f"{name} was not running")


@server.command("status")
def server_status(
    name: Annotated[str | None, typer.Argument(help=f"{NAMES}; without it, all.")] = None,
    as_json: Json = False,
) -> None:
    """Say which embedded servers run, where, since when, and how much they hold.

    Example: curate server status
    """
    from curate.connections import EMBEDDED

    rows = [_status_of(server_name) for server_name in ([name] if name else EMBEDDED)]
    if as_json:
        console.show(rows[0] if name else {"servers": rows}, as_json=True)
        return
    for row in rows:
        console.show({**row, "pid": row["pid"] and str(row["pid"])}, as_json=False)


def _status_of(name: str) -> dict[str, Any]:
    from curate.connections import embedded, home
    from curate.servers import inventory

    running = embedded(name).status(home())
    content = inventory.take(home(), name)
    return {
        "server": name,
        "running": running is not None,
        "url": running.url if running else None,
        "public": (running.public or None) if running else None,
        "pid": running.pid if running else None,
        "started": running.started if running else None,
        "megabytes": round(content.bytes / 1e6, 2) if content else 0.0,
        **(content.counts if content else {}),
    }


@server.command("reset")
def server_reset(
    name: Which = "label_studio",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: Json = False,
) -> None:
    """Remove an embedded server with everything in it: projects, answers, accounts. It asks.

    Example: curate server reset label_studio
    """
    from curate.connections import embedded, home
    from curate.servers import inventory

    embedded_server = embedded(name)
    content = inventory.take(home(), name)
    console.note(_losses(name, content) if content else f"{name} holds nothing")
    if content:
        if not yes and console.ask(f"To lose all that, type {name}: ", hint="add --yes") != name:
            raise CurateError(
                f"nothing was deleted from {name}", hint="type its name to delete it, or add --yes"
            )
        embedded_server.reset(home())
        console.note(f"{name} is removed")
    if as_json:
        console.show({"server": name, "removed": content is not None}, as_json=True)


def _losses(name: str, content: Inventory) -> str:
    counts = ", ".join(f"{number:,} {thing}" for thing, number in content.counts.items())
    size = rounded(content.bytes / 1e6, ",.1f")
    return (
        f"{name} in {content.folder} holds {counts or 'data'} ({size} MB).\n"
        "All of it goes, the accounts too. Answers that `curate pull` brought home stay there."
    )


@accounts.command("add")
def accounts_add(
    email: Annotated[str, typer.Argument(help="The login.")],
    name: Annotated[str, typer.Option(help="For people to read.")] = "",
    server: Server = "label_studio",
    as_json: Json = False,
) -> None:
    """Give an annotator a login of their own; prints the password and the token once made.

    Example: curate server accounts add anna@example.org --name "Anna Li"
    """
    from curate.connections import embedded, home, remote_accounts

    remote = remote_accounts(server)
    if remote is None:
        account = embedded(server).add_account(home(), email, name, console.watch)
    else:
        account = remote.add(email, name)
    where = server if remote is None else remote.url
    console.show({"server": where, **vars(account)}, as_json=as_json)


@accounts.command("remove")
def accounts_remove(
    login: Annotated[str, typer.Argument(help="The login.")],
    server: Server = "label_studio",
    as_json: Json = False,
) -> None:
    """End an account; projects and answers stay, and stay the person's.

    Example: curate server accounts remove anna@example.org
    """
    from curate.connections import embedded, home, remote_accounts

    remote = remote_accounts(server)
    if remote is None:
        embedded(server).remove_account(home(), login, console.watch)
    else:
        remote.remove(login)
    where = server if remote is None else remote.url
    if as_json:
        console.show({"server": where, "removed": login}, as_json=True)
    else:
        console.note(f"{login} has no account on {where} any more; the answers stay")


@accounts.command("password")
def accounts_password(
    login: Annotated[str, typer.Argument(help="The login.")],
    server: Server = "label_studio",
    as_json: Json = False,
) -> None:
    """Give an account of the embedded server another password and token, and print them.

    Example: curate server accounts password anna@example.org
    """
    from curate.connections import embedded, home, remote_accounts

    remote = remote_accounts(server)
    if remote is not None:
        raise CurateError(
            f"curate cannot set passwords on {remote.url}", hint="its administrator can"
        )
    account = embedded(server).new_password(home(), login, console.watch)
    console.show({"server": server, **vars(account)}, as_json=as_json)


@accounts.command("list")
def accounts_list(server: Server = "label_studio", as_json: Json = False) -> None:
    """List the accounts, with their passwords where the server is embedded.

    Example: curate server accounts list
    """
    from curate.connections import embedded, home, remote_accounts

    remote = remote_accounts(server)
    if remote is None:
        rows = [vars(account) for account in embedded(server).accounts(home())]
    else:
        console.note(f"accounts on {remote.url}")
        rows = [{"email": login} for login in remote.logins()]
    if as_json:
        console.show({"accounts": rows}, as_json=True)
    elif rows:
        console.table([{key: row[key] for key in row if key != "token"} for row in rows])
