"""What to publish."""

from collections.abc import Mapping, Sequence

from sqlite_utils import Database

from syndicate.model import StaleFeed, StoredMatch
from syndicate.store.rows import stored_match_of, time_of
from syndicate.store.sqlite_items import ITEM_COLUMNS

MATCH_COLUMNS = """
    m.rule AS match_rule, m.revision AS match_revision, m.evidence AS match_evidence,
    m.matched_at AS match_matched_at, m.ended_at AS match_ended_at
"""


def stale_feeds(db: Database) -> list[StaleFeed]:
    """See `Store.stale_feeds`."""
    rows = db.execute(
        "SELECT rule, feed_id, created_at, generation FROM feeds"
        " WHERE is_configured AND generation > published ORDER BY rule"
    )
    return [
        StaleFeed(
            rule=row["rule"],
            feed_id=row["feed_id"],
            created_at=time_of(row["created_at"]),
            generation=row["generation"],
        )
        for row in rows
    ]


def feed_matches(db: Database, rule: str, limit: int) -> list[StoredMatch]:
    """See `Store.feed_matches`."""
    rows = db.execute(
        f"""
        SELECT {ITEM_COLUMNS}, {MATCH_COLUMNS}
        FROM matches m JOIN items i ON i.id = m.item JOIN sources s ON s.id = i.source
        WHERE m.rule = :rule AND i.id IN (
            SELECT item FROM matches JOIN items ON items.id = item
            WHERE rule = :rule AND ended_at IS NULL ORDER BY sort_at DESC, item DESC LIMIT :limit
        ) ORDER BY i.sort_at DESC, i.id DESC
        """,
        {"rule": rule, "limit": limit},
    )
    return [stored_match_of(row) for row in rows]


def feeds_published(db: Database, feeds: Sequence[StaleFeed]) -> None:
    """See `Store.feeds_published`."""
    # If another process was faster with a newer generation, this older one may have replaced its file.
    db.conn.executemany(
        "UPDATE feeds SET published = CASE WHEN published > ?1 THEN 0 ELSE ?1 END WHERE rule = ?2",
        [(feed.generation, feed.rule) for feed in feeds],
    )


def retired_feeds(db: Database) -> list[str]:
    """See `Store.retired_feeds`."""
    rows = db.execute(
        "SELECT rule FROM feeds WHERE NOT is_configured"
        " UNION SELECT id FROM rules WHERE renamed_to IS NOT NULL ORDER BY rule"
    )
    return [row["rule"] for row in rows]


def match_counts(db: Database) -> Mapping[str, int]:
    """See `Store.match_counts`."""
    rows = db.execute("SELECT rule, count(*) AS matches FROM matches WHERE ended_at IS NULL GROUP BY rule")
    return {row["rule"]: row["matches"] for row in rows}
