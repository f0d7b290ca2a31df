"""What the statements of the store are put to: a connection to a database, whichever that is.

One set of statements serves SQLite and PostgreSQL. They are written in what both understand, and in a few
things of SQLite's that the other's connection does without or has under the same name:

- `?`, `?1` and `:name` stand for values;
- `INDEXED BY`, `NOT INDEXED`, a sign before a column, CROSS before JOIN ... ON are hints for SQLite alone;
- `IS` and `IS NOT` compare with a value or a subquery as well, and NULL equals NULL;
- `json_each` makes a table of a list in JSON, with `key` (from 0) and `value`, which is a text unless cast;
  `json_extract` and `json_group_array` are as in SQLite, but what the first returns is a text unless cast;
- `min` and `max` of two values and more are NULL if one of them is.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

from syndicate.model import Wanted

Values = Sequence[Any] | Mapping[str, Any]


class Rows(Protocol):
    """What a statement has done, and the rows that it yields, each by the names of columns and by place."""

    @property
    def rowcount(self) -> int:
        """How many rows were written."""

    def fetchone(self) -> Any:
        """Return the next row, None if there is none."""

    def fetchall(self) -> list[Any]:
        """Return the rows that are left."""

    def __iter__(self) -> Iterator[Any]: ...


class WordIndex(Protocol):
    """The index of the words of items, as this database has it."""

    has_cheap_counts: bool  # whether counting what has some words takes much less than finding it

    def condition(self, value: str) -> str:
        """Return what rows `f` of `items_fts` fulfil in which what `value` stands for occurs."""

    def asked(self, any_of: Sequence[Wanted]) -> str:
        """Return that value for words of which any is enough."""

    def keep(self, db: "Connection", rows: Sequence[tuple[int, Mapping[str, str]]]) -> None:
        """Put words into places that are empty."""

    def forget(self, db: "Connection", items: Sequence[int]) -> None:
        """Empty the places of items that will have others, if this index can: nobody looks there any more."""


class Connection(Protocol):
    """A connection, lent for one unit of work."""

    @property
    def words(self) -> WordIndex:
        """How words are looked up here."""

    def unless_taken(self, table: str) -> str:
        """Return what ends a query without rows of a table that others are changing at this moment."""

    def execute(self, statement: str, values: Values = ()) -> Rows:
        """Put a statement to the database."""

    def executemany(self, statement: str, rows: Iterable[Values]) -> None:
        """Put the same statement for each of some values."""

    def atomic(self) -> AbstractContextManager[None]:
        """Undo what follows if it raises, and only that."""

    def is_failing(self, error: Exception) -> bool:
        """Return whether the database itself fails by this error, so that nothing else can be written."""

    def size_bytes(self) -> int:
        """Return how much the database takes."""


class Lending(Protocol):
    """Lends connections."""

    def write(self) -> AbstractContextManager[Connection]:
        """Lend a connection for one transaction, while nobody else writes anything."""

    def record(self) -> AbstractContextManager[Connection]:
        """Lend a connection for one transaction, while nobody else does but those who `claim`.

        It changes what is leased only where it holds the lease, and skips what is taken meanwhile.
        """

    def claim(self) -> AbstractContextManager[Connection]:
        """Lend a connection for one transaction, while nobody else does but those who `record`.

        It changes nothing but leases, the pace of hosts, and what belongs to a lease.
        """

    def read(self) -> AbstractContextManager[Connection]:
        """Lend a connection."""

    def close(self) -> None:
        """Close all of them."""

    def alone(self) -> AbstractContextManager[bool]:
        """Say whether this process is surely the only one that works; let no other begin until left."""

    def is_worked_on(self) -> bool:
        """Whether another process polls or delivers here; of one that does not itself."""

    def disk_free_bytes(self) -> int | None:
        """Return how much is left on the disk that the database is on; None: it is on none of ours."""
