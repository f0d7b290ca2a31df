"""The store on PostgreSQL, by psycopg: shared by as many processes, on as many machines, as there are."""

from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Lock
from time import monotonic

from syndicate.store.postgres_connections import PostgresConnections
from syndicate.store.sql_store import SqlStore

ASKED_EVERY_SECONDS = 5.0


class PostgresStore(SqlStore):
    """`Store` on PostgreSQL. Its schema is made or brought up to date on opening.

    Args:
        address: of the database, as `postgresql://...`.
        clock: tells the time; None: that of the database does, which all share.
        works: whether this process will claim anything; one that only looks is not waited for by others.

    Raises:
        StoreError: it does not let us in.
        SchemaError: a newer Syndicate has been here.
    """

    def __init__(
        self, address: str, clock: Callable[[], datetime] | None = None, *, works: bool = True
    ) -> None:
        connections = PostgresConnections(address, works=works)
        super().__init__(connections, clock or DatabaseClock(connections.now))


class DatabaseClock:
    """The time of the database, asked for now and then; how much has passed since is told by this machine."""

    def __init__(self, ask: Callable[[], datetime]) -> None:
        self._ask = ask
        self._lock = Lock()
        self._asked: tuple[datetime, float] | None = None

    def __call__(self) -> datetime:
        with self._lock:
            if self._asked is None or monotonic() - self._asked[1] >= ASKED_EVERY_SECONDS:
                self._asked = self._ask(), monotonic()
            moment, since = self._asked
            return moment + timedelta(seconds=monotonic() - since)
