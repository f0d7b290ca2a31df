"""The store on one SQLite file: WAL, synchronous=FULL, one writer at a time."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from syndicate.store.sql_store import SqlStore
from syndicate.store.sqlite_connections import Connections


class SqliteStore(SqlStore):
    """`Store` on a SQLite file, created and migrated on opening.

    Args:
        clock: tells the time.
        works: whether this process will claim anything; one that only looks is not waited for by others.

    Raises:
        StoreError: the file cannot be opened.
        SchemaError: a newer Syndicate has been here.
    """

    def __init__(
        self,
        path: Path,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        *,
        works: bool = True,
    ) -> None:
        self._file = Connections(path, works=works)
        super().__init__(self._file, clock)

    def is_worked_on(self) -> bool:
        """Whether another process polls or delivers from this file; of a store that does not itself."""
        return self._file.is_worked_on()
