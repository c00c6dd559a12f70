"""The rows of a SQL query, through SQLAlchemy.

An address may take a key from the environment, as in `postgresql://reader:${PASSWORD}@host/db`.
The key is filled in only here, where the connection is opened: no table, log or error holds it.
"""

from __future__ import annotations

import os
import re
import sqlite3
from pathlib import Path
from typing import Any

from curate.errors import CurateError, DataError
from curate.extras import require
from curate.sources.readers.headers import check_names
from curate.sources.readers.opening import Numbered, Reading

_VARIABLE = re.compile(r"\$\{(\w+)\}")


def read(reading: Reading) -> Numbered:
    """Yield the rows of a query, in the query's order; `reading.query` is the statement."""
    require("sqlalchemy", "a database")
    from sqlalchemy import create_engine, text
    from sqlalchemy.exc import NoSuchModuleError, SQLAlchemyError

    number = 0
    try:
        address = filled_in(reading.address)
        engine = create_engine(address, **_read_only(address))
        try:
            with engine.connect() as connection:
                options = {"stream_results": True, "yield_per": 1000}
                result = connection.execute(text(reading.query), execution_options=options)
                check_names(result.keys())
                for number, row in enumerate(result.mappings(), 1):
                    yield number, dict(row)
        finally:
            engine.dispose()
    except NoSuchModuleError as error:
        raise DataError(f"{reading.label}: no driver of that name ({error})") from None
    except ImportError as error:
        hint = f"pip install {error.name}" if error.name else ""
        raise DataError(
            f"{reading.label}: its driver is missing ({error.name})", hint=hint
        ) from None
    except (SQLAlchemyError, ValueError, OSError) as error:
        after = f", after row {number}" if number else ""
        cause = _without_keys(reading.address, str(getattr(error, "orig", None) or error))
        raise DataError(f"{reading.label}{after}: {cause.splitlines()[0]}") from None


def _read_only(address: str) -> dict[str, Any]:
    """What opens a SQLite file without the right to write; nothing for other databases."""
    scheme, path = address.partition("://")[0], database_file(address, Path())[1]
    if path is None or scheme not in ("sqlite", "sqlite+pysqlite"):
        return {}
    uri = f"{path.absolute().as_uri()}?mode=ro"
    return {"creator": lambda: sqlite3.connect(uri, uri=True, check_same_thread=False)}


def filled_in(address: str) -> str:
    """An address with each `${NAME}` filled in from the environment. CurateError if not set."""

    def value(match: re.Match[str]) -> str:
        name = match[1]
        if name not in os.environ:
            raise CurateError(
                f"{name} is not set", hint=f"the address of a source takes it: {name}=…"
            )
        return os.environ[name]

    return _VARIABLE.sub(value, address)


def _without_keys(address: str, words: str) -> str:
    for name in _VARIABLE.findall(address):
        words = words.replace(os.environ.get(name) or "\0", f"${{{name}}}")
    return words


def database_file(address: str, root: Path) -> tuple[str, Path | None]:
    """The address with an absolute path to its SQLite file, and that path; None if it has none."""
    scheme, separator, rest = address.partition(":///")
    if not separator or not scheme.startswith("sqlite") or rest in ("", ":memory:"):
        return address, None
    plain, question, options = rest.partition("?")
    path = root / plain
    return f"{scheme}:///{path}{question}{options}", path
