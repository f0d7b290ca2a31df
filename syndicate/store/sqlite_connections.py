"""Connections to a SQLite file, lent for one unit of work each.

A unit that writes takes the write lock at its beginning, so that it never fails half-way because another
process wrote first.
"""

import shutil
import sqlite3
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from sqlite_utils import Database

from syndicate.errors import StoreError
from syndicate.model import Wanted
from syndicate.store.migrations import is_migrated, migrate
from syndicate.store.sql import Connection, Values, WordIndex
from syndicate.store.sql_many import insert_rows
from syndicate.store.sqlite_lock import LifeLock

BUSY_TIMEOUT_SECONDS = 5.0
MOST_IDLE = 6


class SqliteConnection:
    """`Connection` to a SQLite file. See there for what each function does."""

    __slots__ = ("conn", "words")

    def __init__(self, conn: sqlite3.Connection) -> None:
        self.conn = conn
        self.words: WordIndex = Fts5Words()

    def unless_taken(self, table: str) -> str:
        """Return nothing: nobody else writes meanwhile, whatever is done."""
        return ""

    def execute(self, statement: str, values: Values = ()) -> sqlite3.Cursor:
        return self.conn.execute(statement, values)

    def executemany(self, statement: str, rows: Iterable[Values]) -> None:
        self.conn.executemany(statement, rows)

    @contextmanager
    def atomic(self) -> Iterator[None]:
        self.conn.execute("SAVEPOINT part")
        try:
            yield
        except BaseException:
            if self.conn.in_transaction:  # a full disk, for one, has ended all of it
                self.conn.execute("ROLLBACK TO part")
                self.conn.execute("RELEASE part")
            raise
        self.conn.execute("RELEASE part")

    def is_failing(self, error: Exception) -> bool:
        # The latter alone is what a damaged file raises.
        return isinstance(error, sqlite3.OperationalError) or type(error) is sqlite3.DatabaseError

    def size_bytes(self) -> int:
        (size,) = self.conn.execute(
            "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"
        ).fetchone()
        return int(size)


class Fts5Words:
    """`WordIndex` by FTS5. See there for what each function does."""

    has_cheap_counts = True

    def condition(self, value: str) -> str:
        return f"items_fts MATCH {value}"

    def asked(self, any_of: Sequence[Wanted]) -> str:
        return " OR ".join(map(_phrase, any_of)) or '""'

    def keep(self, db: Connection, rows: Sequence[tuple[int, Mapping[str, str]]]) -> None:
        values = [(place, kept["words"], kept["stems"]) for place, kept in rows]
        insert_rows(db, "INSERT INTO items_fts (rowid, words, stems)", values)

    def forget(self, db: Connection, items: Sequence[int]) -> None:
        """Nothing: the index has no texts, so it cannot forget what it was told."""


def _phrase(wanted: Wanted) -> str:
    # Words hold no double quotes; as an FTS5 string they must follow one another.
    return f'{wanted.column} : "{" ".join(wanted.words)}"{" *" if wanted.is_beginning else ""}'


class Connections:
    """Connections to a file, some of them kept for whoever wants one next. The file is made at first.

    What SQLite says against a unit of work is raised as `StoreError`.

    Args:
        path: of the file.
        works: whether this process will claim anything.
    """

    def __init__(self, path: Path, *, works: bool) -> None:
        self.idle: deque[SqliteConnection] = deque()
        self._path = path
        self._is_closed = False
        self._lock = LifeLock(path, works=works)
        try:
            with self._lock.one_at_a_time():
                self._migrate()
        except StoreError:
            self.close()
            raise

    def close(self) -> None:
        """Close all that are not lent; those that are, when they are given back."""
        if not self._is_closed:
            self._is_closed = True
            self._close_idle()
            self._lock.close()

    def alone(self) -> AbstractContextManager[bool]:
        """Say whether this process is the only one that works, and let no other begin until left."""
        return self._lock.alone()

    def is_worked_on(self) -> bool:
        """Whether another process polls or delivers from this file; of one that does not itself."""
        return self._lock.is_held_by_others()

    def disk_free_bytes(self) -> int:
        """Return how much is left on the disk of the file."""
        return shutil.disk_usage(self._path.parent).free

    def _migrate(self) -> None:
        with self.read() as db:
            is_current = is_migrated(Database(db.conn, execute_plugins=False))
        if not is_current:
            with self.write() as db:
                migrate(Database(db.conn, execute_plugins=False))

    @contextmanager
    def write(self) -> Iterator[SqliteConnection]:
        """Lend a connection for one transaction, which has the write lock from its beginning on."""
        with self._lent() as db:
            db.conn.execute("BEGIN IMMEDIATE")
            try:
                yield db
                db.conn.commit()
            except BaseException:
                db.conn.rollback()
                raise

    record = claim = write  # there is one writer, whatever is done

    @contextmanager
    def read(self) -> Iterator[SqliteConnection]:
        """Lend a connection."""
        with self._lent() as db:
            yield db

    @contextmanager
    def _lent(self) -> Iterator[SqliteConnection]:
        """Lend a connection, whatever threads come and go."""
        with _translated(self._path):
            try:
                db = self.idle.pop()
            except IndexError:
                db = self._connect()
            try:
                yield db
            except BaseException:
                db.conn.close()  # whatever state it is in
                raise
            if len(self.idle) < MOST_IDLE:
                self.idle.append(db)
            else:
                db.conn.close()  # each has a cache of its own
            if self._is_closed:
                self._close_idle()

    def _close_idle(self) -> None:
        while self.idle:
            self.idle.pop().conn.close()

    def _connect(self) -> SqliteConnection:
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
        return SqliteConnection(connection)


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise StoreError(f"{path}: {error}; nothing was changed") from error
