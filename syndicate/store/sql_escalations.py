"""Alerts that many sources carry a story by now: once per (rule, story, endpoint), for ever."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from syndicate.store.rows import carriers_json, time_text
from syndicate.store.sql import Connection
from syndicate.store.sql_deliveries import insert_delivery
from syndicate.store.sql_matches import Told, dedup_key


def insert_escalations(db: Connection, several: Sequence[Told], now: datetime, counts: Counter[str]) -> None:
    """Alert again of stories that these items bring to as many sources as rules ask for, and count that.

    Only news does so, and only of what the endpoint was told by an earlier item, or would have been but for a
    silence: that it has become big is said, unless a silence is in force again.
    """
    for told in several:
        wanted = told.draft.escalate
        if wanted is None or told.draft.suppressed or told.draft.is_asked_for:
            continue
        if not _was_told(db, told) or _is_escalated(db, told):
            continue
        sources = _sources(db, told.draft.rule, told.story)
        if len(sources) >= wanted:
            _insert(db, told, sources, now)
            counts["alerts"] += 1


def _was_told(db: Connection, told: Told) -> bool:
    """Whether the endpoint was told of the story before, by another item, or a silence kept it from that."""
    found = db.execute(
        "SELECT 1 FROM alerts WHERE dedup_key = ? AND item <> ?"
        " AND (state = 'alerted' OR reason = 'silenced')",
        [dedup_key("match", told), told.item],
    )
    return found.fetchone() is not None


def _is_escalated(db: Connection, told: Told) -> bool:
    found = db.execute("SELECT 1 FROM alerts WHERE dedup_key = ?", [dedup_key("escalation", told)])
    return found.fetchone() is not None


def _sources(db: Connection, rule: str, story: int) -> list[str]:
    """Return the sources that carry a story, by items for which the rule holds, the first one first."""
    rows = db.execute(
        """
        SELECT s.slug FROM items i
        JOIN matches m ON m.rule = ? AND m.item = i.id AND m.ended_at IS NULL
        JOIN sources s ON s.id = i.source
        WHERE i.story = ? GROUP BY s.slug ORDER BY min(i.id)
        """,
        [rule, story],
    )
    return [row["slug"] for row in rows]


def _insert(db: Connection, told: Told, sources: Sequence[str], now: datetime) -> None:
    draft = told.draft
    db.execute(
        "INSERT INTO alerts (dedup_key, kind, rule, story, item, endpoint, state, created_at, delivery, said)"
        " VALUES (?, 'escalation', ?, ?, ?, ?, 'alerted', ?, ?, ?)",
        [
            dedup_key("escalation", told),
            draft.rule,
            told.story,
            told.item,
            draft.endpoint,
            time_text(now),
            insert_delivery(db, draft.endpoint, now),
            carriers_json(sources),
        ],
    )
