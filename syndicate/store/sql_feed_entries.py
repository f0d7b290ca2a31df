"""What the entries of feeds show."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from operator import itemgetter

from syndicate.model import ListedEntry, NumberedMatches
from syndicate.model.feeds import Order
from syndicate.store.rows import Row, json_text, stored_match_of, time_of
from syndicate.store.sql import Connection
from syndicate.store.sql_feeds import IS_OF_FEED, Collects, collects_of
from syndicate.store.sql_items import ITEM_COLUMNS, MATCH_COLUMNS

_BY_ORDER = {Order.PUBLISHED: "sort_at", Order.MATCHED: "matched_at"}
_ITEM = "i.id = e.item"
_STORY = """
    i.story = (SELECT story FROM items WHERE id = e.item) AND (i.id = e.item OR NOT EXISTS (
        SELECT 1 FROM feed_entries other WHERE other.item = i.id AND other.feed = :feed
    ))
"""
_number = itemgetter("number")


def feed_head(db: Connection, feed: str, paged: int, limit: int, order: Order) -> list[ListedEntry]:
    """See `Store.feed_head`."""
    column = _BY_ORDER[order]
    entries = f"""
        SELECT number, item, {column} AS instant FROM feed_entries WHERE feed = :feed AND number > :paged
        UNION SELECT number, item, instant FROM (
            SELECT number, item, {column} AS instant FROM feed_entries WHERE feed = :feed
            ORDER BY {column} DESC, item DESC LIMIT :limit
        ) AS first
    """
    columns = "e.instant, i.id, i.revision, i.story, s.slug AS source"
    rows = _rows(db, feed, entries, columns, paged=paged, limit=limit)
    return [_listed(number, found) for number, found in rows]


def feed_entries(db: Connection, feed: str, numbers: Sequence[int]) -> list[NumberedMatches]:
    """See `Store.feed_entries`."""
    entries = """
        SELECT number, item FROM feed_entries
        WHERE feed = :feed AND number IN (SELECT CAST(value AS BIGINT) FROM json_each(:numbers))
    """
    rows = _rows(db, feed, entries, ITEM_COLUMNS, numbers=json_text(list(numbers)))
    return [_shown(number, found) for number, found in rows]


def _rows(
    db: Connection, feed: str, entries: str, columns: str, **named: object
) -> Iterator[tuple[int, list[Row]]]:
    """Yield the number of each entry, with the matches of its item and then of others of its story."""
    collects = _collects(db, feed)
    rows = db.execute(
        f"""
        WITH entries AS ({entries})
        SELECT e.number, e.item, {columns}, {MATCH_COLUMNS}
        FROM entries e CROSS JOIN items i ON {_STORY if collects.is_by_story else _ITEM}
        CROSS JOIN matches m INDEXED BY {_index(collects)} ON m.item = i.id
        CROSS JOIN sources s ON s.id = i.source
        WHERE {IS_OF_FEED} ORDER BY e.number, i.id <> e.item, i.id, m.rule
        """,
        collects.named(feed=feed, **named),
    )
    for number, found in groupby(rows, key=_number):
        together = list(found)
        if together[0]["id"] == together[0]["item"]:  # else no rule holds for it any more
            yield number, together


def _index(collects: Collects) -> str:
    """Return by which index matches of an item are found: many rules may hold for it, of which few count."""
    return "matches_by_item" if collects.is_of_many else "sqlite_autoindex_matches_1"  # of (rule, item)


def _collects(db: Connection, feed: str) -> Collects:
    return collects_of(db.execute("SELECT collects FROM feeds WHERE id = ?", [feed]).fetchone())


def _listed(number: int, rows: Sequence[Row]) -> ListedEntry:
    first = rows[0]
    item = first["item"]
    return ListedEntry(
        number=number,
        item=item,
        instant=time_of(first["instant"]),
        state=_state(rows),
        rules=tuple([row["match_rule"] for row in rows if row["id"] == item]),
        sources=tuple(dict.fromkeys([row["source"] for row in rows])),
    )


def _shown(number: int, rows: Sequence[Row]) -> NumberedMatches:
    item = rows[0]["item"]
    found = [stored_match_of(row) for row in rows]
    return NumberedMatches(
        number=number,
        matches=tuple(match for match in found if match.item.id == item),
        others=tuple(match for match in found if match.item.id != item),
        state=_state(rows),
    )


def _state(rows: Iterable[Row]) -> str:
    """Return what entries are told apart by: all else of an item changes along with its revision."""
    return "\n".join(
        f"{row['id']} {row['revision']} {row['story']} {row['match_rule']} {row['match_evidence']}"
        for row in rows
    )
