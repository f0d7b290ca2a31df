"""Looking back. See `syndicate.store.searching`."""

import json
from array import array
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime

from syndicate.model import SearchedItem
from syndicate.store.rows import Row, time_of, time_or_none, time_text
from syndicate.store.searching import ItemFilter
from syndicate.store.sql import Connection
from syndicate.store.sql_items import conditions

COMMON = 0.05  # share of all items from which on it is faster to walk all in order than to sort those found
_OPENING = 120  # characters of a summary

SEARCHED_SQL = f"""
    SELECT i.id, s.slug AS source, i.revision, i.story, i.link, i.title, i.body,
        substr(i.summary, 1, {_OPENING}) AS summary, i.author, i.categories, i.language, i.published,
        i.changed_at, i.sort_at
    FROM json_each(?) AS wanted
    JOIN items i ON i.id = CAST(wanted.value AS BIGINT) JOIN sources s ON s.id = i.source
    ORDER BY wanted.key
"""
HELD_SQL = """
    SELECT item FROM matches
    WHERE rule = (SELECT id FROM rules WHERE id = :rule AND is_configured) AND ended_at IS NULL
        AND sort_at >= :since
"""


@dataclass(frozen=True, slots=True)
class SqlSearch:
    """`SearchStore` by SQL. See there for what each unit does."""

    read: Callable[[], AbstractContextManager[Connection]]

    def candidates(self, which: ItemFilter) -> Sequence[int]:
        with self.read() as db:
            asked = list(conditions(which, db.words))
            where = " AND ".join(condition for condition, _ in asked) or "TRUE"
            values = [value for _, several in asked for value in several]
            rows = db.execute(candidates_sql(where, in_order=_are_common(db, which)), values)
            return array("q", (row[0] for row in rows))

    def searched(self, items: Sequence[int]) -> list[SearchedItem]:
        with self.read() as db:
            return [_searched(row) for row in db.execute(SEARCHED_SQL, [json.dumps(list(items))])]

    def held_items(self, rule: str, since: datetime | None) -> frozenset[int]:
        with self.read() as db:
            rows = db.execute(HELD_SQL, {"rule": rule, "since": time_text(since) if since else ""})
            return frozenset(row["item"] for row in rows)


def candidates_sql(where: str, *, in_order: bool) -> str:
    """Return the statement for ids, newest first.

    Args:
        in_order: whether to walk the items in that order, rather than sort those that are found.
    """
    index = "INDEXED BY items_by_time" if in_order else ""
    return f"SELECT i.id FROM items i {index} WHERE {where} ORDER BY i.sort_at DESC, i.id DESC"


def _are_common(db: Connection, which: ItemFilter) -> bool:
    if which.source is not None or not db.words.has_cheap_counts:
        return False
    if which.any_of is None:
        return True
    (count,) = db.execute(
        f"SELECT count(*) FROM items_fts f WHERE {db.words.condition('?')}", [db.words.asked(which.any_of)]
    ).fetchone()
    (all_items,) = db.execute("SELECT coalesce(max(id), 0) FROM items").fetchone()
    return bool(count > COMMON * all_items)


def _searched(row: Row) -> SearchedItem:
    return SearchedItem(
        id=row["id"],
        source=row["source"],
        revision=row["revision"],
        story=row["story"],
        link=row["link"],
        title=row["title"],
        body=row["body"],
        summary=row["summary"],
        author=row["author"],
        categories=tuple(json.loads(row["categories"])),
        language=row["language"],
        published=time_or_none(row["published"]),
        changed_at=time_of(row["changed_at"]),
        order=time_of(row["sort_at"]),
    )
