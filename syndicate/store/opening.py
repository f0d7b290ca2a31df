"""Opening the database that a configuration names, whichever it is."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from syndicate.model import PostgresAddress
from syndicate.store.sql_store import SqlStore
from syndicate.store.sqlite import SqliteStore


def open_store(
    database: Path | PostgresAddress, clock: Callable[[], datetime] | None = None, *, works: bool = True
) -> SqlStore:
    """Return the store on a database, which is made or brought to this version's schema.

    Args:
        clock: tells the time; None: this machine does for SQLite, the database for PostgreSQL.
        works: whether this process will claim anything; one that only looks is not waited for by others.

    Raises:
        StoreError: it cannot be opened.
        SchemaError: a newer Syndicate has been here.
    """
    if isinstance(database, Path):
        return SqliteStore(database, clock, works=works)
    from syndicate.store.postgres import PostgresStore  # noqa: PLC0415  psycopg may be missing

    return PostgresStore(database.url, clock, works=works)
