"""The store on one SQLite file: WAL, synchronous=FULL, one writer at a time."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from syndicate.store.sql_store import SqlStore
from syndicate.store.sqlite_connections import Connections


class SqliteStore(SqlStore):
    """`Store` on a SQLite file, created and migrated on opening.

    Args:
        clock: tells the time; None: this machine does.
        works: whether this process will claim anything; one that only looks is not waited for by others.

    Raises:
        StoreError: the file cannot be opened.
        SchemaError: a newer Syndicate has been here.
    """

    def __init__(
        self,
        path: Path,
        clock: Callable[[], datetime] | None = None,
        *,
        works: bool = True,
    ) -> None:
        super().__init__(Connections(path, works=works), clock or _now)


def _now() -> datetime:
    return datetime.now(UTC)
