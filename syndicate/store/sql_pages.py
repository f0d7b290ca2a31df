"""What the pages show, each read by an index and no further than it is shown. See `syndicate.store.pages`."""

import json
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import date, datetime

from syndicate.model import (
    FoundItem,
    HeldRule,
    ItemHead,
    ListedItem,
    RuleVersion,
    Sought,
    StoredMatch,
    ToldStory,
    Wanted,
)
from syndicate.store.pages import SOUGHT_AT_ONCE, Shown
from syndicate.store.rows import Row, item_of, match_of, stored_match_of, time_of, time_text
from syndicate.store.sql import Connection
from syndicate.store.sql_items import ITEM_COLUMNS, MATCH_COLUMNS

_EXCERPT = 240  # characters of a text that a list shows
_TITLE = 120  # characters of a text that stand for a title
_HEAD = f"""
    i.id, s.slug AS source, i.link, i.language, i.sort_at, i.first_seen, i.revision, i.story,
    CASE i.title WHEN '' THEN substr(i.summary, 1, {_TITLE}) ELSE i.title END AS title
"""
HOLDS = "m.ended_at IS NULL AND m.rule IN (SELECT id FROM rules WHERE is_configured)"
HELD_RULES = f"""
    (SELECT json_group_array(rule) FROM
        (SELECT m.rule FROM matches m WHERE m.item = i.id AND {HOLDS} ORDER BY m.rule) AS held)
"""


@dataclass(frozen=True, slots=True)
class SqlPages:
    """`PageStore` by SQL. See there for what each unit does."""

    read: Callable[[], AbstractContextManager[Connection]]
    sought_at_once: int = SOUGHT_AT_ONCE

    def stories(self, which: Shown) -> list[ToldStory]:
        with self.read() as db:
            firsts = [row["item"] for row in db.execute(stories_sql(which), shown_values(which))]
            return _told(db, firsts)

    def newest_item(self) -> int:
        with self.read() as db:
            (newest,) = db.execute("SELECT coalesce(max(id), 0) FROM items").fetchone()
        return int(newest)

    def listed_items(self, which: Shown) -> list[ListedItem]:
        with self.read() as db:
            rows = db.execute(
                f"""
                WITH page AS ({items_sql(which)})
                SELECT {_HEAD}, substr(i.body, 1, {_EXCERPT}) AS excerpt, {HELD_RULES} AS rules
                FROM page JOIN items i ON i.id = page.item JOIN sources s ON s.id = i.source
                ORDER BY i.sort_at DESC, i.id DESC
                """,
                shown_values(which),
            )
            return [
                ListedItem(head=_head(row), excerpt=row["excerpt"], rules=tuple(json.loads(row["rules"])))
                for row in rows
            ]

    def sought_items(self, any_of: Sequence[Wanted] | None, before: int | None, which: Shown) -> Sought:
        conditions = _of_item(which, "i")
        most = self.sought_at_once if conditions else which.limit
        with self.read() as db:
            words = None if any_of is None else db.words.asked(any_of)
            found_by = None if any_of is None else db.words.condition(":words")
            places = db.execute(
                places_sql(found_by),
                {"words": words, "before": before, "most": most},
            ).fetchall()
            rows = db.execute(
                f"""
                SELECT {ITEM_COLUMNS}, {HELD_RULES} AS rules,
                    CAST(json_extract(p.value, '$[1]') AS BIGINT) AS place
                FROM json_each(:places) p
                JOIN items i ON i.id = CAST(json_extract(p.value, '$[0]') AS BIGINT)
                JOIN sources s ON s.id = i.source
                WHERE {" AND ".join(conditions) or "TRUE"}
                ORDER BY place DESC LIMIT :limit
                """,
                shown_values(which) | {"places": json.dumps([(row["item"], row["place"]) for row in places])},
            ).fetchall()
        if len(rows) == which.limit:
            further = rows[-1]["place"]
        else:
            further = places[-1]["place"] if len(places) == most else None
        found = (FoundItem(item=item_of(row), rules=tuple(json.loads(row["rules"]))) for row in rows)
        return Sought(found=tuple(found), places=tuple(row["place"] for row in rows), before=further)

    def matches_by_day(self, since: datetime, rules: Collection[str]) -> Mapping[str, Mapping[date, int]]:
        with self.read() as db:
            rows = db.execute(
                DAYS_SQL, {"rules": json.dumps(list(rules)), "since": time_text(since)}
            ).fetchall()
        counts: defaultdict[str, dict[date, int]] = defaultdict(dict)
        for row in rows:
            counts[row["rule"]][date.fromisoformat(row["day"])] = row["matches"]
        return counts

    def busiest_rules(self, since: datetime, limit: int) -> list[str]:
        with self.read() as db:
            rows = db.execute(BUSIEST_SQL, {"since": time_text(since), "limit": limit}).fetchall()
        return [row["rule"] for row in rows]

    def last_matches(self, rules: Collection[str]) -> Mapping[str, datetime]:
        with self.read() as db:
            rows = db.execute(LAST_SQL, {"rules": json.dumps(list(rules))}).fetchall()
        return {row["rule"]: time_of(row["last"]) for row in rows if row["last"]}

    def matches_by_source(self, rule: str, since: datetime) -> Mapping[str, int]:
        with self.read() as db:
            rows = db.execute(SHARES_SQL, {"rule": rule, "since": time_text(since)}).fetchall()
        return {row["source"]: row["matches"] for row in rows}

    def items_of_story(self, story: int) -> list[ItemHead]:
        with self.read() as db:
            rows = db.execute(
                f"SELECT {_HEAD} FROM items i JOIN sources s ON s.id = i.source"
                " WHERE i.story = ? ORDER BY i.id",
                [story],
            )
            return [_head(row) for row in rows]

    def rule_versions(self, rule: str, limit: int) -> list[RuleVersion]:
        with self.read() as db:
            rows = db.execute(
                "SELECT version, since, terms FROM rule_versions WHERE rule = ? ORDER BY id DESC LIMIT ?",
                [rule, limit],
            ).fetchall()
        return [
            RuleVersion(
                version=row["version"], since=time_of(row["since"]), terms=tuple(json.loads(row["terms"]))
            )
            for row in rows
        ]

    def matches_of_item(self, item: int) -> list[StoredMatch]:
        with self.read() as db:
            rows = db.execute(
                f"""
                SELECT {ITEM_COLUMNS}, {MATCH_COLUMNS}
                FROM matches m JOIN items i ON i.id = m.item JOIN sources s ON s.id = i.source
                WHERE m.item = ? ORDER BY m.rule
                """,
                [item],
            ).fetchall()
        return [stored_match_of(row) for row in rows]


# --------------------------------------------------------------------------- which


def stories_sql(which: Shown) -> str:
    """Return the statement that yields the first item of each story that is shown, newest first."""
    of_any_time = replace(which, after=None)  # what came lately is no new story if others reported it before
    earlier = [
        "e.story = i.story",
        "e.id < i.id",
        *_of_item(of_any_time, "e", with_rule=False),
        f"EXISTS (SELECT 1 FROM matches m WHERE m.item = e.id AND {_of_match(which)})",
    ]
    return _ordered(which, [f"NOT EXISTS (SELECT 1 FROM items e WHERE {' AND '.join(earlier)})"])


def items_sql(which: Shown) -> str:
    """Return the statement that yields the items that are shown, newest first."""
    if which.rule is not None:
        return _ordered(which, [])
    conditions = [*_of_item(which, "i"), *_beyond(which, "i.sort_at", "i.id")]
    return (
        f"SELECT i.id AS item FROM items i {_by_index(which)} WHERE {' AND '.join(conditions) or 'TRUE'}"
        " ORDER BY i.sort_at DESC, i.id DESC LIMIT :limit"
    )


def _ordered(which: Shown, more: Sequence[str]) -> str:
    """Return the statement that yields items with matches, newest first, by the index that fits the filter.

    Where that is one of items, those for which no rule holds are passed over. What is sorted are those that
    came lately, if those are asked for.
    """
    conditions = [*_of_item(which, "i", with_rule=False), *more]
    if which.rule is None and (which.source, which.language, which.after) != (None, None, None):
        conditions += _beyond(which, "i.sort_at", "i.id")
        conditions.append(f"EXISTS (SELECT 1 FROM matches m WHERE m.item = i.id AND {_of_match(which)})")
        return (
            f"SELECT i.id AS item FROM items i {_by_index(which)} WHERE {' AND '.join(conditions)}"
            " ORDER BY i.sort_at DESC, i.id DESC LIMIT :limit"
        )
    index = "matches_in_order" if which.rule is None else "matches_of_rule_in_order"
    conditions = [_of_match(which), *_beyond(which, "m.sort_at", "m.item"), *conditions]
    return (
        f"SELECT m.item FROM matches m INDEXED BY {index} CROSS JOIN items i ON i.id = m.item"
        f" WHERE {' AND '.join(conditions)}"
        " GROUP BY m.sort_at, m.item ORDER BY m.sort_at DESC, m.item DESC LIMIT :limit"
    )


def _by_index(which: Shown) -> str:
    if which.after is not None:
        return "NOT INDEXED"  # by their ids: few, as they came lately
    if which.source is not None:
        return "INDEXED BY items_by_source"
    return "INDEXED BY items_by_time" if which.language is None else "INDEXED BY items_by_language"


def _of_match(which: Shown) -> str:
    return f"{HOLDS} AND m.rule = :rule" if which.rule is not None else HOLDS


def _of_item(which: Shown, item: str, *, with_rule: bool = True) -> list[str]:
    conditions = []
    if which.source is not None:
        conditions.append(f"{item}.source = (SELECT id FROM sources WHERE slug = :source)")
    if which.language is not None:
        conditions.append(f"{item}.language = :language")
    if which.since is not None:
        conditions.append(f"{item}.sort_at >= :since")
    if which.after is not None:
        conditions.append(f"{item}.id > :after")
    if which.rule is not None and with_rule:
        conditions.append(f"EXISTS (SELECT 1 FROM matches m WHERE m.item = {item}.id AND {_of_match(which)})")
    return conditions


def _beyond(which: Shown, order: str, item: str) -> list[str]:
    conditions = [f"{order} >= :since"] if which.since is not None else []
    if which.before is not None:
        conditions.append(f"({order}, {item}) < (:order, :before)")
    return conditions


def shown_values(which: Shown) -> dict[str, object]:
    """Return what the statements are bound to."""
    order, before = which.before or (None, None)
    return {
        "rule": which.rule,
        "source": which.source,
        "language": which.language,
        "since": time_text(which.since) if which.since else None,
        "order": time_text(order) if order else None,
        "before": before,
        "after": which.after,
        "limit": which.limit,
    }


def places_sql(found_by: str | None) -> str:
    """Return the statement that yields items in which words occur, those kept last first.

    Args:
        found_by: the condition by `:words`; None: whatever occurs; then the place of an item is its id.
    """
    if found_by is None:
        return (
            "SELECT id AS item, id AS place FROM items"
            " WHERE id < coalesce(:before, 9223372036854775807) ORDER BY id DESC LIMIT :most"
        )
    return (
        "SELECT w.item, f.rowid AS place FROM items_fts f CROSS JOIN item_words w ON w.place = f.rowid"
        f" WHERE {found_by} AND f.rowid < coalesce(:before, 9223372036854775807)"
        " ORDER BY f.rowid DESC LIMIT :most"
    )


DAYS_SQL = """
    SELECT m.rule, substr(m.sort_at, 1, 10) AS day, count(*) AS matches
    FROM json_each(:rules) r
    CROSS JOIN matches m INDEXED BY matches_of_rule_in_order ON m.rule = r.value
    WHERE m.ended_at IS NULL AND m.sort_at >= :since GROUP BY m.rule, day
"""
BUSIEST_SQL = """
    SELECT rule FROM (
        SELECT m.rule, count(*) AS matches FROM matches m INDEXED BY matches_in_order
        WHERE m.ended_at IS NULL AND m.sort_at >= :since GROUP BY m.rule
    ) AS counted
    WHERE rule IN (SELECT id FROM rules WHERE is_configured) ORDER BY matches DESC, rule LIMIT :limit
"""
LAST_SQL = """
    SELECT r.value AS rule, (
        SELECT max(m.sort_at) FROM matches m WHERE m.rule = r.value AND m.ended_at IS NULL
    ) AS last
    FROM json_each(:rules) r
"""
SHARES_SQL = """
    SELECT s.slug AS source, count(*) AS matches
    FROM matches m INDEXED BY matches_of_rule_in_order
    CROSS JOIN items i ON i.id = m.item CROSS JOIN sources s ON s.id = i.source
    WHERE m.rule = :rule AND m.ended_at IS NULL AND m.sort_at >= :since
    GROUP BY s.id ORDER BY matches DESC, s.slug
"""

# --------------------------------------------------------------------------- how


def _told(db: Connection, firsts: Sequence[int]) -> list[ToldStory]:
    """Return the stories of these items, in their order."""
    rows = db.execute(
        f"""
        SELECT {_HEAD} FROM items i JOIN sources s ON s.id = i.source
        WHERE i.story IN (
            SELECT story FROM items WHERE id IN (SELECT CAST(value AS BIGINT) FROM json_each(?))
        )
        ORDER BY i.id
        """,
        [json.dumps(firsts)],
    ).fetchall()
    row_by_item = {row["id"]: row for row in rows}
    by_story: defaultdict[int, list[Row]] = defaultdict(list)
    for row in rows:
        by_story[row["story"]].append(row)
    held = _held(db, row_by_item, firsts)
    return [
        ToldStory(
            story=row_by_item[item]["story"],
            first=_head(row_by_item[item]),
            rules=tuple(held[item]),
            others=tuple(_head(row) for row in by_story[row_by_item[item]["story"]] if row["id"] != item),
        )
        for item in firsts
    ]


def _held(
    db: Connection, row_by_item: Mapping[int, Row], items: Sequence[int]
) -> Mapping[int, list[HeldRule]]:
    """Return the rules that hold for each of the items."""
    rows = db.execute(
        "SELECT m.item, m.rule, m.revision, m.evidence FROM json_each(?) p"
        f" JOIN matches m ON m.item = CAST(p.value AS BIGINT) WHERE {HOLDS} ORDER BY m.item, m.rule",
        [json.dumps(items)],
    )
    held: defaultdict[int, list[HeldRule]] = defaultdict(list)
    for row in rows:
        match = match_of(row["rule"], row["evidence"])
        is_current = row["revision"] == row_by_item[row["item"]]["revision"]
        hits = tuple(hit for hit in match.hits if hit.field == "title") if is_current else ()
        held[row["item"]].append(HeldRule(match=match, title_hits=hits))
    return held


def _head(row: Row) -> ItemHead:
    return ItemHead(
        item=row["id"],
        source=row["source"],
        title=row["title"],
        link=row["link"],
        language=row["language"],
        order=time_of(row["sort_at"]),
        first_seen=time_of(row["first_seen"]),
    )
