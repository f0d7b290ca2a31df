"""Connections to PostgreSQL, lent for one unit of work each.

A unit that writes begins by locking out others that do, so that it finds nobody else's work half done. Those
that claim and those that record go on beside each other, and those that only read beside all.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime, timedelta
from functools import lru_cache
from time import monotonic
from typing import Any, LiteralString

import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg.types.numeric import Int8Dumper
from psycopg_pool import ConnectionPool

from syndicate.errors import StoreError
from syndicate.store.postgres_life import Life
from syndicate.store.postgres_schema import migrate
from syndicate.store.postgres_statements import translated
from syndicate.store.postgres_words import TsvectorWords
from syndicate.store.sql import Values, WordIndex

MOST_CONNECTIONS = 16  # of one process: its threads that read, and the one that writes
CONNECT_SECONDS = 10
MEASURED_EVERY_SECONDS = 60.0
PATIENCE = timedelta(seconds=30)


class NamedRow(tuple[Any, ...]):
    """A row whose values are found by place, and by the names of columns."""

    __slots__ = ()
    place_by_name: dict[str, int]

    def __getitem__(self, key: Any) -> Any:
        return super().__getitem__(self.place_by_name[key] if isinstance(key, str) else key)


def _named_rows(cursor: psycopg.Cursor[Any]) -> Callable[[Sequence[Any]], NamedRow]:
    return _row_class(tuple(column.name for column in cursor.description or ()))


@lru_cache(maxsize=1024)
def _row_class(names: tuple[str, ...]) -> type[NamedRow]:
    # Of two columns with one name, the first has it.
    places = {name: place for place, name in reversed(list(enumerate(names)))}
    return type("Row", (NamedRow,), {"__slots__": (), "place_by_name": places})


class PostgresConnection:
    """`Connection` to PostgreSQL. See there for what each function does."""

    __slots__ = ("_connection", "_size", "words")

    def __init__(self, connection: psycopg.Connection[NamedRow], size: "_Size") -> None:
        self._connection = connection
        self._size = size
        self.words: WordIndex = TsvectorWords()

    def unless_taken(self, table: str) -> str:
        return f"FOR UPDATE OF {table} SKIP LOCKED"

    def execute(self, statement: str, values: Values = ()) -> psycopg.Cursor[NamedRow]:
        text, ordered = translated(statement, values)
        return self._connection.execute(text.encode(), ordered)

    def executemany(self, statement: str, rows: Iterable[Values]) -> None:
        ordered = [translated(statement, values) for values in rows]
        if ordered:
            text = ordered[0][0].encode()
            self._connection.cursor().executemany(text, [values for _, values in ordered])

    @contextmanager
    def atomic(self) -> Iterator[None]:
        self._connection.execute("SAVEPOINT part")
        try:
            yield
        except BaseException:
            if not self._connection.closed:
                self._connection.execute("ROLLBACK TO part")
                self._connection.execute("RELEASE part")
            raise
        self._connection.execute("RELEASE part")

    def is_failing(self, error: Exception) -> bool:
        # A value that is too long for an index is one too, to psycopg.
        is_about_values = isinstance(error, psycopg.errors.ProgramLimitExceeded)
        return isinstance(error, psycopg.OperationalError | psycopg.InterfaceError) and not is_about_values

    def size_bytes(self) -> int:
        return self._size.of(self._connection)


class _Size:
    """How much the database takes, asked for now and then: it is the sum of thousands of files."""

    def __init__(self) -> None:
        self._known: tuple[int, float] | None = None

    def of(self, connection: psycopg.Connection[NamedRow]) -> int:
        """Return it in bytes, asked for by this connection if need be."""
        if self._known is None or monotonic() - self._known[1] >= MEASURED_EVERY_SECONDS:
            row = connection.execute("SELECT pg_database_size(current_database())").fetchone()
            self._known = (row[0] if row else 0), monotonic()
        return self._known[0]


class PostgresConnections:
    """Connections to a database, kept for whoever wants one next. Its schema is brought up to date at first.

    What PostgreSQL says against a unit of work is raised as `StoreError`.

    Args:
        address: of the database, as `postgresql://...`.
        works: whether this process will claim anything.
        patience: for which one who stands still in the midst of a transaction keeps others from writing.

    Raises:
        StoreError: it does not let us in.
        SchemaError: a newer Syndicate has been here.
    """

    def __init__(self, address: str, *, works: bool, patience: timedelta = PATIENCE) -> None:
        self._place = place_of(address)
        self._size = _Size()
        self._patience = patience
        with self._translated():
            self._life = Life(address, works=works)
            try:
                migrate(self._life.connection)
            except BaseException:
                self._life.close()
                raise
        self._pool: ConnectionPool[psycopg.Connection[NamedRow]] = ConnectionPool(
            address,
            kwargs={
                "autocommit": True,
                "cursor_factory": psycopg.RawCursor,
                "row_factory": _named_rows,
                **_SETTINGS,
            },
            configure=self._configure,
            check=ConnectionPool.check_connection,
            min_size=1,
            max_size=MOST_CONNECTIONS,
            timeout=CONNECT_SECONDS,
            open=True,
        )

    def close(self) -> None:
        """Close all that are not lent; those that are, when they are given back."""
        self._pool.close()
        self._life.close()

    def write(self) -> AbstractContextManager[PostgresConnection]:
        """Lend a connection for one transaction, while nobody else writes anything."""
        return self._alone_at("one_recorder, one_claimer")

    def record(self) -> AbstractContextManager[PostgresConnection]:
        """Lend a connection for one transaction, while nobody else does but those who `claim`."""
        return self._alone_at("one_recorder")

    def claim(self) -> AbstractContextManager[PostgresConnection]:
        """Lend a connection for one transaction, while nobody else does but those who `record`."""
        return self._alone_at("one_claimer")

    @contextmanager
    def _alone_at(self, tables: LiteralString) -> Iterator[PostgresConnection]:
        with self._translated(), self._pool.connection() as connection, connection.transaction():
            connection.execute(f"LOCK TABLE {tables} IN EXCLUSIVE MODE")
            yield PostgresConnection(connection, self._size)

    @contextmanager
    def read(self) -> Iterator[PostgresConnection]:
        """Lend a connection."""
        with self._translated(), self._pool.connection() as connection:
            yield PostgresConnection(connection, self._size)

    def alone(self) -> AbstractContextManager[bool]:
        """Say whether this process is the only one that works, on whatever machine."""
        return self._life.alone()

    def is_worked_on(self) -> bool:
        """Whether another process polls or delivers with this database; of one that does not itself."""
        with self._life.alone() as is_alone:
            return not is_alone

    def now(self) -> datetime:
        """Return the time of the database; whoever has all connections lent must not wait for one more."""
        with self._translated():
            return self._life.now()

    def disk_free_bytes(self) -> int | None:
        """Return None: the database is on a disk of its own."""
        return None

    def _configure(self, connection: psycopg.Connection[NamedRow]) -> None:
        # Whatever its size, so that a statement is prepared once.
        connection.adapters.register_dumper(int, Int8Dumper)
        milliseconds = self._patience // timedelta(milliseconds=1)
        # Who is frozen, or whose machine is gone, must not hold up the others; who waits for that is told.
        connection.execute(f"SET idle_in_transaction_session_timeout = {milliseconds}".encode())
        connection.execute(f"SET lock_timeout = {2 * milliseconds}".encode())

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except psycopg.OperationalError as error:
            raise StoreError(
                f"{self._place}: {_said(error)}; nothing was changed: check that PostgreSQL runs, lets us in"
                " and has room, and [service] database"
            ) from error
        except psycopg.Error as error:
            raise StoreError(f"{self._place}: {_said(error)}; nothing was changed") from error


_SETTINGS: dict[str, Any] = {"connect_timeout": CONNECT_SECONDS, "application_name": "syndicate"}


def place_of(address: str) -> str:
    """Return which database an address names, without who we are there."""
    parts = conninfo_to_dict(address)
    port = f":{parts['port']}" if "port" in parts else ""
    return f"PostgreSQL {parts.get('dbname', '')} at {parts.get('host', 'this machine')}{port}"


def _said(error: psycopg.Error) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__
