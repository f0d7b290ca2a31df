"""What the feed of health shows: notices of sources and endpoints, and dead letters."""

import secrets
import uuid
from datetime import datetime

from syndicate.model import DeliveryState, Gap
from syndicate.model.health import DeadLetter, HealthNotice, HealthReport
from syndicate.store.rows import json_text, time_of, time_text
from syndicate.store.sql import Connection
from syndicate.store.sql_letters import Which, deliveries

SHOWN = 100  # notices, and dead letters
TOKEN_BYTES = 24


def publish_health(db: Connection, now: datetime, *, is_published: bool) -> None:
    """See `Store.publish_health`."""
    (token,) = db.execute("SELECT health_token FROM installation").fetchone()
    if is_published and token is None:
        db.execute(
            "UPDATE installation SET health_token = ?, health_since = ?",
            [secrets.token_urlsafe(TOKEN_BYTES), time_text(now)],
        )
    elif token is not None and not is_published:
        db.execute("INSERT INTO retired_names (name) VALUES (?) ON CONFLICT DO NOTHING", [f"{token}/health"])
        db.execute("UPDATE installation SET health_token = NULL")


def note_source(db: Connection, source: int, text: str, now: datetime, *, is_over: bool = False) -> None:
    """Note that something is the matter with a source, or is over."""
    _note(db, (source, None), text, now, is_over=is_over)


def note_endpoint(db: Connection, endpoint: str, text: str, now: datetime, *, is_over: bool) -> None:
    """Note that something is the matter with an endpoint, or is over."""
    _note(db, (None, endpoint), text, now, is_over=is_over)


def note_gap(db: Connection, source: int, gap: Gap, now: datetime) -> None:
    """Note that items of a source may have been missed, unless its archives had them."""
    if not gap.is_closed:
        begins, ends = (f"{moment:%Y-%m-%d %H:%M}" for moment in (gap.begins, gap.ends))
        note_source(db, source, f"what it published from {begins} to {ends} UTC may be missing", now)


def health(db: Connection, known: int | None) -> HealthReport | None:
    """See `Store.health`."""
    row = db.execute("SELECT uuid, health_token, health_since, health_changes FROM installation").fetchone()
    if row is None or row["health_token"] is None or row["health_changes"] == known:
        return None
    return HealthReport(
        token=row["health_token"],
        feed_id=uuid.uuid5(uuid.UUID(row["uuid"]), "health").urn,
        created_at=time_of(row["health_since"]),
        changes=row["health_changes"],
        notices=_notices(db),
        dead=_dead(db),
    )


def _note(
    db: Connection, about: tuple[int | None, str | None], text: str, now: datetime, *, is_over: bool
) -> None:
    db.execute(
        "INSERT INTO notices (noticed_at, source, endpoint, is_over, text) VALUES (?, ?, ?, ?, ?)",
        [time_text(now), *about, is_over, text],
    )


def _notices(db: Connection) -> tuple[HealthNotice, ...]:
    rows = db.execute(
        "SELECT n.*, s.slug FROM notices n LEFT JOIN sources s ON s.id = n.source ORDER BY n.id DESC LIMIT ?",
        [SHOWN],
    )
    return tuple(
        HealthNotice(
            id=row["id"],
            noticed_at=time_of(row["noticed_at"]),
            source=row["slug"],
            endpoint=row["endpoint"],
            text=row["text"],
            is_over=bool(row["is_over"]),
        )
        for row in rows
    )


def _dead(db: Connection) -> tuple[DeadLetter, ...]:
    found = deliveries(db, Which(state=DeliveryState.DEAD), SHOWN)
    rows = db.execute(
        "SELECT delivery, max(started_at) AS died_at FROM attempts"
        " WHERE delivery IN (SELECT value FROM json_each(?)) GROUP BY delivery",
        [json_text([each.id for each in found])],
    )
    died_at = {row["delivery"]: time_of(row["died_at"]) for row in rows}
    dead = [DeadLetter(delivery=each, died_at=died_at.get(each.id, each.created_at)) for each in found]
    return tuple(sorted(dead, key=lambda letter: (letter.died_at, letter.delivery.id), reverse=True))
