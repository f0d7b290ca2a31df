"""Taking over the configuration: sources, rules, feeds."""

import uuid
from collections.abc import Sequence
from datetime import datetime

from sqlite_utils import Database

from syndicate.model import Source
from syndicate.store.protocol import RuleState
from syndicate.store.rows import host_of, source_definition, source_of, time_text


def configure(
    db: Database, sources: Sequence[Source], rules: Sequence[RuleState], now: datetime
) -> tuple[str, ...]:
    """See `Store.configure`."""
    installation = _installation(db, now)
    db.execute("UPDATE sources SET is_configured = 0")
    for place, source in enumerate(sources):
        _configure_source(db, place, source, now)
    db.execute("UPDATE rules SET is_configured = 0")
    db.execute("UPDATE feeds SET is_configured = 0")
    for rule in rules:
        _configure_rule(db, rule, installation, now)
    versions = {row["id"]: row["version"] for row in db.execute("SELECT id, version FROM rules")}
    return tuple(rule.id for rule in rules if versions[rule.id] != rule.version)


def _installation(db: Database, now: datetime) -> uuid.UUID:
    db.execute(
        "INSERT OR IGNORE INTO installation (id, uuid, created_at) VALUES (1, ?, ?)",
        [str(uuid.uuid4()), time_text(now)],
    )
    return uuid.UUID(db.execute("SELECT uuid FROM installation").fetchone()[0])


def _configure_source(db: Database, place: int, source: Source, now: datetime) -> None:
    before = db.execute("SELECT * FROM sources WHERE slug = ?", [source.id]).fetchone()
    if before is None:
        db.execute(
            "INSERT INTO sources (slug, place, definition, is_configured, is_enabled, host, next_poll_at)"
            " VALUES (?, ?, ?, 1, ?, ?, ?)",
            [
                source.id,
                place,
                source_definition(source),
                source.enabled,
                host_of(source.urls[0]),
                time_text(now),
            ],
        )
    else:
        db.execute(
            "UPDATE sources SET place = ?, definition = ?, is_configured = 1, is_enabled = ? WHERE slug = ?",
            [place, source_definition(source), source.enabled, source.id],
        )
        _apply_difference(db, before["id"], source_of(before["definition"]), source, now)


def _apply_difference(db: Database, row_id: int, before: Source, after: Source, now: datetime) -> None:
    if before.urls != after.urls or (after.enabled and not before.enabled):
        # A person touched it: ask again soon, from the first address, also those that said 410.
        marks = ", ".join("?" * len(after.urls))
        db.execute(
            f"DELETE FROM addresses WHERE source = ? AND (is_gone OR url NOT IN ({marks}))",
            [row_id, *after.urls],
        )
        adopted = db.execute(
            "SELECT adopted FROM addresses WHERE source = ? AND url = ?", [row_id, after.urls[0]]
        ).fetchone()
        host = host_of((adopted and adopted["adopted"]) or after.urls[0])
        db.execute(
            "UPDATE sources SET address_index = 0, host = ?, next_poll_at = min(next_poll_at, ?),"
            " state = CASE state WHEN 'gone' THEN 'new' ELSE state END WHERE id = ?",
            [host, time_text(now), row_id],
        )
    elif after.interval < before.interval:
        db.execute(
            "UPDATE sources SET next_poll_at = min(next_poll_at, ?) WHERE id = ? AND state = 'ok'",
            [time_text(now + after.interval), row_id],
        )


def _configure_rule(db: Database, rule: RuleState, installation: uuid.UUID, now: datetime) -> None:
    db.execute(
        "INSERT INTO rules (id, is_configured) VALUES (?, 1)"
        " ON CONFLICT (id) DO UPDATE SET is_configured = 1",
        [rule.id],
    )
    if rule.feed:
        feed_id = uuid.uuid5(installation, f"feed/{rule.id}").urn
        db.execute(
            "INSERT INTO feeds (rule, feed_id, created_at, is_configured) VALUES (?, ?, ?, 1)"
            # Its bytes also depend on the configuration (title, base_url), so they are made again.
            " ON CONFLICT (rule) DO UPDATE SET is_configured = 1, generation = generation + 1",
            [rule.id, feed_id, time_text(now)],
        )
