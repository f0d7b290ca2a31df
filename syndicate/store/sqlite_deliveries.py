"""The outbox: deliveries, their leases, their attempts."""

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlite_utils import Database

from syndicate.model import (
    Alert,
    Attempt,
    Delivery,
    DeliveryState,
    DeliveryStatus,
    SourceAlert,
    SpikeAlert,
)
from syndicate.store.learned import notice_of
from syndicate.store.rows import Row, stored_match_of, text_or_none, time_of, time_or_none, time_text
from syndicate.store.spikes import spike_alert_of
from syndicate.store.sqlite_feeds import MATCH_COLUMNS
from syndicate.store.sqlite_items import ITEM_COLUMNS

_BUSY = """
    SELECT endpoint, count(*) AS in_flight FROM deliveries
    WHERE lease_until IS NOT NULL AND lease_until > ? GROUP BY endpoint
"""
_DUE = """
    SELECT * FROM deliveries
    WHERE endpoint = :endpoint AND state = 'waiting' AND next_attempt_at <= :now
    AND (lease_until IS NULL OR lease_until <= :now)
    ORDER BY next_attempt_at, number LIMIT :limit
"""


def claim_deliveries(  # noqa: PLR0913  the unit of work's own four, the database and the time
    db: Database,
    *,
    limit: int,
    endpoints: Sequence[str],
    per_endpoint: int,
    lease: timedelta,
    now: datetime,
) -> list[Delivery]:
    """See `Store.claim_deliveries`."""
    in_flight = {row["endpoint"]: row["in_flight"] for row in db.execute(_BUSY, [time_text(now)])}
    due: list[Row] = []
    # One look at the index for each endpoint, however much waits for any of them.
    for endpoint in endpoints:
        room = min(limit, per_endpoint - in_flight.get(endpoint, 0))
        if room > 0:
            due += db.execute(_DUE, {"endpoint": endpoint, "now": time_text(now), "limit": room})
    due.sort(key=lambda row: (row["next_attempt_at"], row["number"]))
    return [_claim(db, row, now + lease) for row in due[:limit]]


def insert_delivery(db: Database, endpoint: str, now: datetime) -> str:
    """Return the id of a new delivery, due now."""
    delivery = f"msg_{secrets.token_urlsafe(18)}"
    db.execute(
        "INSERT INTO deliveries (id, endpoint, state, created_at, next_attempt_at)"
        " VALUES (?, ?, 'waiting', ?, ?)",
        [delivery, endpoint, time_text(now), time_text(now)],
    )
    return delivery


def freeze_bodies(db: Database, bodies: Sequence[tuple[str, str, bytes]]) -> None:
    """See `Store.freeze_bodies`."""
    for delivery, token, body in bodies:
        db.execute(
            "UPDATE deliveries SET body = ? WHERE id = ? AND lease_owner = ? AND body IS NULL",
            [body, delivery, token],
        )


def record_attempts(db: Database, attempts: Sequence[Attempt]) -> None:
    """See `Store.record_attempts`."""
    for attempt in attempts:
        db.execute(
            "INSERT INTO attempts (delivery, started_at, duration_ms, status, error, answer)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            [
                attempt.delivery,
                time_text(attempt.started_at),
                round(attempt.duration.total_seconds() * 1000),
                attempt.status,
                attempt.error,
                attempt.answer,
            ],
        )
        db.execute("UPDATE deliveries SET attempts = attempts + 1 WHERE id = ?", [attempt.delivery])
        db.execute(
            "UPDATE deliveries SET lease_until = NULL, lease_owner = NULL, state = ?, next_attempt_at = ?,"
            " last_status = ?, last_error = ? WHERE id = ? AND lease_owner = ?",
            [
                attempt.state,
                text_or_none(attempt.next_attempt_at),
                attempt.status,
                attempt.error,
                attempt.delivery,
                attempt.token,
            ],
        )


def release_deliveries(db: Database, deliveries: Sequence[Delivery]) -> None:
    """See `Store.release_deliveries`."""
    for delivery in deliveries:
        db.execute(
            "UPDATE deliveries SET lease_until = NULL, lease_owner = NULL WHERE id = ? AND lease_owner = ?",
            [delivery.id, delivery.token],
        )


def deliveries(
    db: Database, *, endpoint: str | None, state: DeliveryState | None, limit: int
) -> list[DeliveryStatus]:
    """See `Store.deliveries`."""
    rows = db.execute(
        "SELECT * FROM deliveries WHERE (:endpoint IS NULL OR endpoint = :endpoint)"
        " AND (:state IS NULL OR state = :state) ORDER BY number DESC LIMIT :limit",
        {"endpoint": endpoint, "state": state, "limit": limit},
    ).fetchall()
    return [_status(db, row) for row in rows]


def _claim(db: Database, row: Row, lease_until: datetime) -> Delivery:
    token = secrets.token_hex(8)
    db.execute(
        "UPDATE deliveries SET lease_until = ?, lease_owner = ? WHERE id = ?",
        [time_text(lease_until), token, row["id"]],
    )
    return Delivery(
        id=row["id"],
        endpoint=row["endpoint"],
        token=token,
        body=row["body"],
        created_at=time_of(row["created_at"]),
        attempts=row["attempts"],
        alerts=_all_alerts(db, row["id"]) if row["body"] is None else (),
    )


def _all_alerts(db: Database, delivery: str) -> tuple[Alert | SourceAlert | SpikeAlert, ...]:
    return (*_alerts(db, delivery), *_source_alerts(db, delivery), *_spike_alerts(db, delivery))


def _alerts(db: Database, delivery: str) -> tuple[Alert, ...]:
    rows = db.execute(
        f"""
        SELECT a.kind, a.rule, a.created_at AS alerted_at, {ITEM_COLUMNS}, {MATCH_COLUMNS}
        FROM alerts a
        JOIN matches m ON m.rule = a.rule AND m.item = a.item
        JOIN items i ON i.id = a.item JOIN sources s ON s.id = i.source
        WHERE a.delivery = ? ORDER BY a.id
        """,
        [delivery],
    )
    return tuple(
        Alert(
            kind=row["kind"],
            rule=row["rule"],
            created_at=time_of(row["alerted_at"]),
            stored=stored_match_of(row),
        )
        for row in rows
    )


def _source_alerts(db: Database, delivery: str) -> tuple[SourceAlert, ...]:
    rows = db.execute(
        "SELECT a.kind, a.created_at, a.said, s.slug FROM alerts a JOIN sources s ON s.id = a.source"
        " WHERE a.delivery = ? ORDER BY a.id",
        [delivery],
    )
    return tuple(
        SourceAlert(
            kind=row["kind"],
            source=row["slug"],
            created_at=time_of(row["created_at"]),
            notice=notice_of(row["said"]),
        )
        for row in rows
    )


def _spike_alerts(db: Database, delivery: str) -> tuple[SpikeAlert, ...]:
    rows = db.execute(
        "SELECT kind, rule, created_at, said FROM alerts WHERE delivery = ? AND kind = 'spike' ORDER BY id",
        [delivery],
    )
    return tuple(map(spike_alert_of, rows))


def _status(db: Database, row: Row) -> DeliveryStatus:
    alerts = db.execute(
        "SELECT a.kind, a.rule, a.item, s.slug FROM alerts a LEFT JOIN sources s ON s.id = a.source"
        " WHERE a.delivery = ? ORDER BY a.id",
        [row["id"]],
    ).fetchall()
    return DeliveryStatus(
        id=row["id"],
        endpoint=row["endpoint"],
        alerts=tuple((alert["rule"], alert["item"]) for alert in alerts if alert["item"] is not None),
        sources=tuple(alert["slug"] for alert in alerts if alert["slug"] is not None),
        spikes=tuple(alert["rule"] for alert in alerts if alert["kind"] == "spike"),
        state=DeliveryState(row["state"]),
        attempts=row["attempts"],
        created_at=time_of(row["created_at"]),
        next_attempt_at=time_or_none(row["next_attempt_at"]),
        last_status=row["last_status"],
        last_error=row["last_error"],
    )
