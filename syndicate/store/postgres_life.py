"""Who works with a database on PostgreSQL: each process has a connection with a lock while it lives."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from threading import Lock

import psycopg

_KEY = "hashtextextended('syndicate at work ' || current_schema(), 0)"


class Life:
    """The lock of a process, which it shares with others that work, on a connection that is lent to nobody.

    Whoever is alone has it to himself for a while. It ends with the connection: with the process, or when the
    database notices that its machine is gone.

    Args:
        address: of the database.
        works: whether this process will claim anything; one that only looks has no lock.
    """

    def __init__(self, address: str, *, works: bool) -> None:
        self._address = address
        self._works = works
        self._asking = Lock()
        self.connection = self._connected()

    def close(self) -> None:
        """Give the lock back, at once: the database notices later that a connection has gone."""
        with suppress(psycopg.OperationalError):
            self.connection.execute("SELECT pg_advisory_unlock_all()")
        self.connection.close()

    def now(self) -> datetime:
        """Return the time of the database. A connection that was cut off is replaced, with its lock."""
        with self._asking:
            try:
                return _now(self.connection)
            except psycopg.OperationalError:
                self.connection.close()
                self.connection = self._connected()
                return _now(self.connection)

    @contextmanager
    def alone(self) -> Iterator[bool]:
        """Say whether no other process works, and let none begin until left; one cut off cannot know."""
        is_alone = self._has_taken_all()
        try:
            yield is_alone
        finally:
            if is_alone:
                self.connection.execute(f"SELECT pg_advisory_unlock({_KEY})")

    def _connected(self) -> psycopg.Connection[tuple[str, ...]]:
        connection: psycopg.Connection[tuple[str, ...]] = psycopg.connect(
            self._address, autocommit=True, application_name="syndicate"
        )
        if self._works:
            connection.execute(f"SELECT pg_advisory_lock_shared({_KEY})")
        return connection

    def _has_taken_all(self) -> bool:
        try:
            row = self.connection.execute(f"SELECT pg_try_advisory_lock({_KEY})").fetchone()
        except psycopg.OperationalError:
            return False
        return bool(row and row[0])


def _now(connection: psycopg.Connection[tuple[str, ...]]) -> datetime:
    row = connection.execute("SELECT extract(epoch FROM clock_timestamp())::text").fetchone()
    return datetime.fromtimestamp(float(row[0]) if row else 0.0, UTC)
