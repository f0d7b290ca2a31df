"""What to publish: which feeds lack something, and the numbers of their entries."""

import json
import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from syndicate.model import Numbering, PublishedFeed, StaleFeed
from syndicate.model.feeds import Dedupe, Feed
from syndicate.store.rows import Row, json_text, time_of, time_or_none, time_text
from syndicate.store.sql import Connection
from syndicate.store.sql_many import insert_rows

EVERY_RULE = "*"
MANY_RULES = 8  # as many as hold for an item, more or less
LATEST_COMMIT = timedelta(hours=1)  # after the time that a match has, at the most
_RULES_OF_FEED = """
    SELECT value FROM json_each(:rules)
    UNION ALL SELECT id FROM rules WHERE CAST(:rules AS TEXT) IS NULL AND is_configured
"""
IS_OF_FEED = f"""
    m.ended_at IS NULL AND m.rule IN ({_RULES_OF_FEED})
    AND (CAST(:sources AS TEXT) IS NULL OR i.source IN (
        SELECT id FROM sources WHERE slug IN (SELECT value FROM json_each(:sources))
    ))
"""  # of a match m and its item i
_NEW_ENTRIES = f"""
    WITH recent AS (  -- by itself, since it must not cost more the longer the archive is
        SELECT item FROM matches WHERE rule IN ({_RULES_OF_FEED}) AND matched_at >= :since
        UNION SELECT CAST(value AS BIGINT) FROM json_each(:again)
    )
    SELECT i.id, i.story, i.noticed_revision, i.sort_at, min(m.matched_at) AS matched_at
    FROM recent CROSS JOIN matches m ON m.item = recent.item CROSS JOIN items i ON i.id = m.item
    WHERE {IS_OF_FEED}
        AND NOT EXISTS (SELECT 1 FROM feed_entries e WHERE e.item = recent.item AND e.feed = :feed)
    GROUP BY i.id ORDER BY matched_at, i.id
"""


class Collects(NamedTuple):
    """What a feed collects, as JSON texts; None: all."""

    rules: str | None
    sources: str | None
    is_by_story: bool
    is_of_many: bool  # rules: more than are looked for one by one

    def named(self, **others: object) -> dict[str, object]:
        return {"rules": self.rules, "sources": self.sources, **others}


# --------------------------------------------------------------------------- configuring


def configure_feeds(db: Connection, feeds: Sequence[Feed], installation: uuid.UUID, now: datetime) -> None:
    """Take over which feeds there are, and what each collects."""
    every_rule = json_text(
        sorted(row["id"] for row in db.execute("SELECT id FROM rules WHERE is_configured"))
    )
    before = {row["id"]: row for row in db.execute("SELECT * FROM feeds")}
    names = {feed.name for feed in feeds}
    retired = [row["name"] for row in before.values() if row["name"] not in names]
    insert_rows(
        db, "INSERT INTO retired_names (name)", [(name,) for name in retired], "ON CONFLICT DO NOTHING"
    )
    db.execute(
        "DELETE FROM retired_names WHERE name IN (SELECT value FROM json_each(?))", [json_text(sorted(names))]
    )
    for statement in (
        "UPDATE feeds SET is_configured = FALSE",
        "DELETE FROM feed_rules",
        "DELETE FROM feed_sources",
    ):
        db.execute(statement)
    for feed in feeds:
        _configure_feed(db, feed, every_rule, before.get(feed.id), installation, now)
    insert_rows(
        db,
        "INSERT INTO feed_rules (rule, feed)",
        [
            (rule, feed.id)
            for feed in feeds
            if feed.rules is not None or feed.sources is None
            for rule in (feed.rules if feed.rules is not None else (EVERY_RULE,))
        ],
    )
    insert_rows(
        db,
        "INSERT INTO feed_sources (source, feed)",
        [(source, feed.id) for feed in feeds if feed.rules is None for source in feed.sources or ()],
    )


def _configure_feed(  # noqa: PLR0913, PLR0917  what each is follows from its name
    db: Connection, feed: Feed, every_rule: str, before: Row | None, installation: uuid.UUID, now: datetime
) -> None:
    collects = json_text(
        {
            "rules": None if feed.rules is None else list(feed.rules),
            "sources": None if feed.sources is None else list(feed.sources),
            "dedupe": feed.settings.dedupe,
            "of": every_rule if feed.rules is None else None,
        }
    )
    if before is None:
        db.execute(
            "INSERT INTO feeds (id, name, feed_id, created_at, is_configured, collects)"
            " VALUES (?, ?, ?, ?, TRUE, ?)",
            [feed.id, feed.name, _feed_id(db, feed.id, installation), time_text(now), collects],
        )
        return
    # Its bytes also depend on the configuration (title, base_url), so they are made again.
    db.execute(
        "UPDATE feeds SET is_configured = TRUE, name = ?, generation = generation + 1 WHERE id = ?",
        [feed.name, feed.id],
    )
    if before["name"] != feed.name or not before["is_configured"]:
        db.execute("UPDATE feeds SET written_as = '' WHERE id = ?", [feed.id])
    if before["collects"] != collects or not before["is_configured"]:
        db.execute("UPDATE feeds SET collects = ?, numbered_at = NULL WHERE id = ?", [collects, feed.id])
        db.execute("UPDATE feed_entries SET is_touched = TRUE WHERE feed = ?", [feed.id])


def _feed_id(db: Connection, feed: str, installation: uuid.UUID) -> str:
    """Return the id of a new feed: made of its name, unless one that was once called so has it."""
    made = uuid.uuid5(installation, f"feed/{feed}").urn
    taken = db.execute("SELECT 1 FROM feeds WHERE feed_id = ?", [made]).fetchone()
    return uuid.uuid4().urn if taken else made


# --------------------------------------------------------------------------- what lacks something


def mark_stale(db: Connection, rules: Iterable[str], sources: Iterable[str] | None = None) -> None:
    """Note that the feeds of these rules lack something.

    Args:
        sources: from which that came; None: it may be any.
    """
    db.execute(
        "UPDATE feeds SET generation = generation + 1 WHERE id IN ("
        " SELECT feed FROM feed_rules WHERE rule IN (SELECT value FROM json_each(:rules))"
        " UNION ALL SELECT feed FROM feed_sources"
        " WHERE CAST(:sources AS TEXT) IS NULL OR source IN (SELECT value FROM json_each(:sources)))",
        {
            "rules": json_text([EVERY_RULE, *rules]),
            "sources": None if sources is None else json_text(list(sources)),
        },
    )


def touch_entries(db: Connection, items: Iterable[int]) -> None:
    """Note that items have changed, or that other rules hold for them."""
    db.execute(
        "UPDATE feed_entries SET is_touched = TRUE"
        " WHERE item IN (SELECT CAST(value AS BIGINT) FROM json_each(?))",
        [json_text(list(items))],
    )


def stale_feeds(db: Connection) -> list[StaleFeed]:
    """See `Store.stale_feeds`."""
    rows = db.execute(
        "SELECT id, feed_id, created_at, generation, written_as FROM feeds"
        " WHERE is_configured AND generation > published ORDER BY id"
    )
    return [
        StaleFeed(
            id=row["id"],
            feed_id=row["feed_id"],
            created_at=time_of(row["created_at"]),
            generation=row["generation"],
            written_as=row["written_as"],
        )
        for row in rows
    ]


def feeds_published(db: Connection, feeds: Sequence[PublishedFeed]) -> None:
    """See `Store.feeds_published`."""
    # If another process was faster with a newer generation, this older one may have replaced its files.
    db.executemany(
        "UPDATE feeds SET published = CASE WHEN published > ?1 THEN 0 ELSE ?1 END,"
        " written_as = CASE WHEN published > ?1 THEN '' ELSE ?2 END,"
        " written_up_to = max(written_up_to, ?3) WHERE id = ?4",
        [(feed.generation, feed.written_as, feed.numbering.last, feed.id) for feed in feeds],
    )
    db.executemany(
        "DELETE FROM feed_changes WHERE feed = ? AND number = ?",
        [(feed.id, number) for feed in feeds for number in feed.numbering.changed],
    )


def retired_names(db: Connection) -> list[str]:
    """See `Store.retired_names`."""
    return [row["name"] for row in db.execute("SELECT name FROM retired_names ORDER BY name")]


def forget_names(db: Connection, names: Sequence[str]) -> None:
    """See `Store.forget_names`."""
    db.executemany("DELETE FROM retired_names WHERE name = ?", [(name,) for name in names])


# --------------------------------------------------------------------------- numbers


def number_entries(db: Connection, feeds: Sequence[str], now: datetime) -> Mapping[str, Numbering]:
    """See `Store.number_entries`."""
    return {feed: _number(db, feed, now) for feed in feeds}


def _number(db: Connection, feed: str, now: datetime) -> Numbering:
    row = db.execute("SELECT * FROM feeds WHERE id = ?", [feed]).fetchone()
    collects = collects_of(row)
    again = _take_back(db, feed, collects)
    numbered_at = time_or_none(row["numbered_at"])
    # A clock that was set back stamps what is new with a time that it has passed before.
    since = time_text(min(numbered_at, now) - LATEST_COMMIT) if numbered_at else ""
    named = collects.named(feed=feed, since=since, again=json_text(again))
    found = db.execute(_NEW_ENTRIES, named).fetchall()
    if collects.is_by_story:
        found = _firsts(db, feed, found)
    last = row["last_number"]
    insert_rows(
        db,
        "INSERT INTO feed_entries (feed, number, item, revision, sort_at, matched_at)",
        [
            (feed, number, each["id"], each["noticed_revision"], each["sort_at"], each["matched_at"])
            for number, each in enumerate(found, last + 1)
        ],
    )
    last += len(found)
    db.execute("UPDATE feeds SET last_number = ?, numbered_at = ? WHERE id = ?", [last, time_text(now), feed])
    changed = db.execute("SELECT number FROM feed_changes WHERE feed = ? ORDER BY number", [feed])
    return Numbering(
        last=last, written_up_to=row["written_up_to"], changed=tuple(each["number"] for each in changed)
    )


def _take_back(db: Connection, feed: str, collects: Collects) -> list[int]:
    """Take the numbers from entries that have gone, or changed for readers; return what may come again."""
    touched = db.execute(
        f"""
        SELECT e.number, e.item, i.story, e.revision = i.noticed_revision AS is_same, EXISTS (
            SELECT 1 FROM matches m WHERE m.item = i.id AND {IS_OF_FEED}
        ) AS holds
        FROM feed_entries e JOIN items i ON i.id = e.item WHERE e.feed = :feed AND e.is_touched
        """,
        collects.named(feed=feed),
    ).fetchall()
    if not touched:
        return []
    insert_rows(
        db,
        "INSERT INTO feed_changes (feed, number)",
        [(feed, each["number"]) for each in touched],
        "ON CONFLICT DO NOTHING",
    )
    db.execute("UPDATE feed_entries SET is_touched = FALSE WHERE feed = ? AND is_touched", [feed])
    left = [each for each in touched if not (each["holds"] and each["is_same"])]
    if collects.is_by_story:
        firsts: dict[int, int] = {}
        for each in touched:
            firsts.setdefault(each["story"], each["number"])
        left += [each for each in touched if firsts[each["story"]] != each["number"] and each not in left]
    db.executemany(
        "DELETE FROM feed_entries WHERE feed = ? AND number = ?",
        [(feed, each["number"]) for each in left],
    )
    again = {each["item"] for each in left}
    if collects.is_by_story:
        again |= {
            row["id"]
            for row in db.execute(
                "SELECT id FROM items WHERE story IN (SELECT CAST(value AS BIGINT) FROM json_each(?))",
                [json_text([each["story"] for each in left])],
            )
        }
    return sorted(again)


def _firsts(db: Connection, feed: str, found: Sequence[Row]) -> list[Row]:
    """Return the items that are the first of their story in a feed; where another is, that one changes."""
    known = {
        row["story"]: row["number"]
        for row in db.execute(
            "SELECT i.story, e.number FROM items i JOIN feed_entries e ON e.item = i.id AND e.feed = ?"
            " WHERE i.story IN (SELECT CAST(value AS BIGINT) FROM json_each(?))",
            [feed, json_text([each["story"] for each in found])],
        )
    }
    joined = {known[each["story"]] for each in found if each["story"] in known}
    rows = [(feed, number) for number in sorted(joined)]
    insert_rows(db, "INSERT INTO feed_changes (feed, number)", rows, "ON CONFLICT DO NOTHING")
    firsts: dict[int, Row] = {}
    for each in found:
        if each["story"] not in known:
            firsts.setdefault(each["story"], each)
    return list(firsts.values())


def collects_of(row: Row) -> Collects:
    collects = json.loads(row["collects"])
    rules, sources = collects["rules"], collects["sources"]
    return Collects(
        rules=None if rules is None else json_text(rules),
        sources=None if sources is None else json_text(sources),
        is_by_story=collects["dedupe"] == Dedupe.STORY,
        is_of_many=rules is None or len(rules) > MANY_RULES,
    )


def match_counts(db: Connection) -> Mapping[str, int]:
    """See `Store.match_counts`."""
    rows = db.execute("SELECT rule, count(*) AS matches FROM matches WHERE ended_at IS NULL GROUP BY rule")
    return {row["rule"]: row["matches"] for row in rows}
