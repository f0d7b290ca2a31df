"""Many rows with few statements: each costs about as much as several rows, and gives up the GIL once."""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

from syndicate.store.sql import Connection

ROWS_AT_ONCE = 50
VALUES_AT_ONCE = 500


def insert_rows(db: Connection, what: str, rows: Sequence[Sequence[Any]], otherwise: str = "") -> int:
    """Insert rows, several with each statement; return how many were."""
    inserted = 0
    for start in range(0, len(rows), ROWS_AT_ONCE):
        some = rows[start : start + ROWS_AT_ONCE]
        statement = f"{what} VALUES {_marks(len(some), len(some[0]))} {otherwise}"
        inserted += db.execute(statement, [value for values in some for value in values]).rowcount
    return inserted


@lru_cache(maxsize=512)
def _marks(rows: int, columns: int) -> str:
    return ", ".join([f"({', '.join('?' * columns)})"] * rows)


def stored(db: Connection, table: str, column: str, wanted: str, values: Iterable[str]) -> dict[str, Any]:
    """Return what stands beside each of these values that are there."""
    found: dict[str, Any] = {}
    distinct = list(dict.fromkeys(values))
    for start in range(0, len(distinct), VALUES_AT_ONCE):
        some = distinct[start : start + VALUES_AT_ONCE]
        marks = ", ".join("?" * len(some))
        rows = db.execute(f"SELECT {column}, {wanted} FROM {table} WHERE {column} IN ({marks})", some)
        found |= {row[0]: row[1] for row in rows}
    return found
