"""Deliveries as people see them: lists, the attempts of one, and having some sent once more."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from syndicate.model import AttemptStatus, DeliveryState, DeliveryStatus
from syndicate.store.rows import Row, text_or_none, time_of, time_or_none, time_text
from syndicate.store.sql import Connection
from syndicate.store.sql_deliveries import batches


@dataclass(frozen=True, slots=True, kw_only=True)
class Which:
    """Which deliveries; what is None does not restrict."""

    endpoint: str | None = None
    state: DeliveryState | None = None
    since: datetime | None = None


def deliveries(db: Connection, which: Which, limit: int) -> list[DeliveryStatus]:
    """See `Store.deliveries`."""
    where, values = _condition(which)
    rows = db.execute(
        f"SELECT * FROM deliveries WHERE {where} ORDER BY number DESC LIMIT ?", [*values, limit]
    ).fetchall()
    return delivery_statuses(db, rows)


def delivery(db: Connection, identity: str) -> tuple[DeliveryStatus, list[AttemptStatus]] | None:
    """See `Store.delivery`."""
    rows = db.execute("SELECT * FROM deliveries WHERE id = ?", [identity]).fetchall()
    if not rows:
        return None
    attempts = db.execute("SELECT * FROM attempts WHERE delivery = ? ORDER BY id", [identity])
    (status,) = delivery_statuses(db, rows)
    return status, [
        AttemptStatus(
            started_at=time_of(row["started_at"]),
            duration=timedelta(milliseconds=row["duration_ms"]),
            status=row["status"],
            error=row["error"],
            answer=row["answer"],
        )
        for row in attempts
    ]


def replay(db: Connection, ids: Sequence[str], now: datetime) -> int:
    """See `Store.replay_deliveries`."""
    due = 0
    for some, marks in batches(ids):
        due += db.execute(
            "UPDATE deliveries SET state = 'waiting', next_attempt_at = ?1, replayed_after = attempts,"
            " lease_until = NULL, lease_owner = NULL"
            f" WHERE state <> 'held' AND (lease_until IS NULL OR lease_until <= ?1) AND id IN ({marks})",
            [time_text(now), *some],
        ).rowcount
    return due


def _condition(which: Which) -> tuple[str, list[str]]:
    """Return what restricts, and its values. The state stands in the text, or its index would not be used."""
    restricting = [
        ("endpoint = ?", which.endpoint),
        ("created_at >= ?", text_or_none(which.since)),
    ]
    some = [(condition, value) for condition, value in restricting if value is not None]
    conditions = [condition for condition, _ in some]
    conditions += [f"state = '{which.state}'"] if which.state else []
    return " AND ".join(conditions) or "TRUE", [value for _, value in some]


def delivery_statuses(db: Connection, rows: Sequence[Row]) -> list[DeliveryStatus]:
    """Return the deliveries of these rows, with what they tell of."""
    alerts: dict[str, list[Row]] = {row["id"]: [] for row in rows}
    for some, marks in batches(list(alerts)):
        found = db.execute(
            "SELECT a.delivery, a.kind, a.rule, a.item, a.said, s.slug"
            " FROM alerts a LEFT JOIN sources s ON s.id = a.source"
            f" WHERE a.delivery IN ({marks}) ORDER BY a.id",
            some,
        )
        for alert in found:
            alerts[alert["delivery"]].append(alert)
    return [_status(row, alerts[row["id"]]) for row in rows]


def _status(row: Row, alerts: Sequence[Row]) -> DeliveryStatus:
    return DeliveryStatus(
        id=row["id"],
        endpoint=row["endpoint"],
        alerts=tuple((alert["rule"], alert["item"]) for alert in alerts if alert["item"] is not None),
        sources=tuple(alert["slug"] for alert in alerts if alert["slug"] is not None),
        endpoints=tuple(
            json.loads(alert["said"])["endpoint"] for alert in alerts if alert["kind"] == "endpoint"
        ),
        spikes=tuple(alert["rule"] for alert in alerts if alert["kind"] == "spike"),
        state=DeliveryState(row["state"]),
        attempts=row["attempts"],
        created_at=time_of(row["created_at"]),
        next_attempt_at=time_or_none(row["next_attempt_at"]),
        last_status=row["last_status"],
        last_error=row["last_error"],
    )
