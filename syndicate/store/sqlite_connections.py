"""Connections to a SQLite file, lent for one unit of work each.

A unit that writes takes the write lock at its beginning, so that it never fails half-way because another
process wrote first.
"""

import sqlite3
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlite_utils import Database

from syndicate.errors import StoreError

BUSY_TIMEOUT_SECONDS = 5.0
MOST_IDLE = 6


class Connections:
    """Connections to a file, some of them kept for whoever wants one next.

    What SQLite says against a unit of work is raised as `StoreError`.
    """

    def __init__(self, path: Path) -> None:
        self.idle: deque[Database] = deque()
        self._path = path
        self._is_closed = False

    def close(self) -> None:
        """Close all that are not lent; those that are, when they are given back."""
        self._is_closed = True
        self._close_idle()

    @contextmanager
    def write(self) -> Iterator[Database]:
        """Lend a connection for one transaction, which has the write lock from its beginning on."""
        with self._lent() as db:
            db.conn.execute("BEGIN IMMEDIATE")
            try:
                yield db
                db.commit()
            except BaseException:
                db.rollback()
                raise

    @contextmanager
    def read(self) -> Iterator[Database]:
        """Lend a connection."""
        with self._lent() as db:
            yield db

    @contextmanager
    def _lent(self) -> Iterator[Database]:
        """Lend a connection, whatever threads come and go."""
        with _translated(self._path):
            try:
                db = self.idle.pop()
            except IndexError:
                db = self._connect()
            try:
                yield db
            except BaseException:
                db.close()  # whatever state it is in
                raise
            if len(self.idle) < MOST_IDLE:
                self.idle.append(db)
            else:
                db.close()  # each has a cache of its own
            if self._is_closed:
                self._close_idle()

    def _close_idle(self) -> None:
        while self.idle:
            self.idle.pop().close()

    def _connect(self) -> Database:
        # Lent to one thread after another, never to two at once.
        connection = sqlite3.connect(
            self._path, timeout=BUSY_TIMEOUT_SECONDS, check_same_thread=False, cached_statements=256
        )
        connection.row_factory = sqlite3.Row
        try:
            for pragma in (
                "journal_mode = WAL",
                "synchronous = FULL",
                "foreign_keys = ON",
                "cache_size = -32768",
                "temp_store = MEMORY",  # the journals of savepoints, page by page
                "wal_autocheckpoint = 4000",  # pages; what is written over and over is then written out once
            ):
                connection.execute(f"PRAGMA {pragma}")
        except sqlite3.Error:
            connection.close()
            raise
        return Database(connection, execute_plugins=False)


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise StoreError(f"{path}: {error}; nothing was changed") from error
