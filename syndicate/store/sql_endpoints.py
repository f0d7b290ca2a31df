"""How endpoints are: what their attempts say of them, and telling their owner."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import groupby
from operator import attrgetter

from syndicate.model import Attempt, DeliveryState, EndpointNotice, EndpointState, EndpointStatus
from syndicate.store.health import Health, after_attempts, enabled
from syndicate.store.rows import Row, json_text, text_or_none, time_of, time_or_none, time_text
from syndicate.store.sql import Connection
from syndicate.store.sql_deliveries import insert_delivery
from syndicate.store.sql_health import note_endpoint

ATTEMPTS_SHOWN = 1_000
# However much waits, only indexes are read, and of what is leased its rows.
_WAITING = """
    WITH overdue AS (
        SELECT endpoint, count(*) AS deliveries FROM deliveries INDEXED BY deliveries_due
        WHERE state = 'waiting' AND next_attempt_at <= :now GROUP BY endpoint
    ), tried AS (
        SELECT endpoint, count(*) AS deliveries FROM deliveries INDEXED BY deliveries_leased
        WHERE lease_until IS NOT NULL AND lease_until > :now
        AND state = 'waiting' AND next_attempt_at <= :now GROUP BY endpoint
    ), waiting AS (
        SELECT endpoint, count(*) AS deliveries, min(created_at) AS oldest
        FROM deliveries INDEXED BY deliveries_waiting WHERE state = 'waiting' GROUP BY endpoint
    )
    SELECT w.*, coalesce(o.deliveries, 0) - coalesce(t.deliveries, 0) AS due
    FROM waiting w LEFT JOIN overdue o USING (endpoint) LEFT JOIN tried t USING (endpoint)
"""


def note_attempts(
    db: Connection, attempts: Iterable[Attempt], notify: Sequence[str], now: datetime
) -> list[EndpointNotice]:
    """Judge endpoints by attempts just made; return what their owner is told by way of other endpoints."""
    before = {health.endpoint: health for health in _healths(db)}
    notices: list[EndpointNotice] = []
    by_endpoint = sorted(attempts, key=attrgetter("endpoint"))  # stable: each one's stay in order
    for endpoint, some in groupby(by_endpoint, key=attrgetter("endpoint")):
        was = before.get(endpoint, Health(endpoint=endpoint))
        health, told = after_attempts(was, some)
        if health != was:
            _keep(db, health)
        notices += told
    for notice in notices:
        note_endpoint(db, notice.endpoint, notice.text, now, is_over=notice.is_over)
        for other in notify:
            if other != notice.endpoint:
                _insert_notice(db, notice, other, now)
    return notices


def disabled(db: Connection) -> set[str]:
    """Return the endpoints that nothing is sent to."""
    return {row["id"] for row in db.execute("SELECT id FROM endpoints WHERE disabled_at IS NOT NULL")}


def enable(db: Connection, endpoint: str, now: datetime) -> int | None:
    """See `Store.enable_endpoint`."""
    health = next((each for each in _healths(db) if each.endpoint == endpoint), None)
    if health is None or health.disabled_at is None:
        return None
    _keep(db, enabled(health))
    due = db.execute(
        "UPDATE deliveries SET next_attempt_at = ? WHERE endpoint = ? AND state = 'waiting'",
        [time_text(now), endpoint],
    )
    return due.rowcount


def endpoint_statuses(db: Connection, endpoints: Sequence[str], now: datetime) -> list[EndpointStatus]:
    """See `Store.endpoints`."""
    health_by_endpoint = {health.endpoint: health for health in _healths(db)}
    waiting = {row["endpoint"]: row for row in db.execute(_WAITING, {"now": time_text(now)})}
    held, dead = _counts(db, DeliveryState.HELD), _counts(db, DeliveryState.DEAD)
    gone = sorted((waiting.keys() | held.keys() | dead.keys()) - set(endpoints))
    return [
        replace(
            _status(db, health_by_endpoint.get(each, Health(endpoint=each)), waiting.get(each)),
            held=held.get(each, 0),
            dead=dead.get(each, 0),
        )
        for each in (*endpoints, *gone)
    ]


def _counts(db: Connection, state: DeliveryState) -> dict[str, int]:
    """Return how many deliveries each endpoint has in a state; as text in the query, to use its index."""
    rows = db.execute(f"SELECT endpoint, count(*) FROM deliveries WHERE state = '{state}' GROUP BY endpoint")
    return dict(tuple(row) for row in rows)


def _status(db: Connection, health: Health, waiting: Row | None) -> EndpointStatus:
    rows = db.execute(
        "SELECT duration_ms, error IS NULL AS is_taken FROM attempts WHERE endpoint = ?"
        " ORDER BY id DESC LIMIT ?",
        [health.endpoint, ATTEMPTS_SHOWN],
    ).fetchall()
    times = sorted(row["duration_ms"] for row in rows)
    return EndpointStatus(
        id=health.endpoint,
        state=_state(health, has_attempts=bool(rows)),
        since=health.disabled_at or health.failing_since,
        reason=health.reason,
        last_error=_last_error(db, health),
        attempts=len(rows),
        taken=sum(row["is_taken"] for row in rows),
        median=_percentile(times, 50),
        p95=_percentile(times, 95),
        waiting=waiting["deliveries"] if waiting else 0,
        due=waiting["due"] if waiting else 0,
        oldest_waiting_at=time_of(waiting["oldest"]) if waiting else None,
        held=0,
        dead=0,
    )


def _state(health: Health, *, has_attempts: bool) -> EndpointState:
    if health.disabled_at:
        return EndpointState.DISABLED
    if health.failing_since:
        return EndpointState.FAILING
    return EndpointState.OK if has_attempts else EndpointState.NEW


def _last_error(db: Connection, health: Health) -> str | None:
    if health.disabled_at or not health.failing_since:
        return None
    row = db.execute(
        "SELECT error FROM attempts WHERE endpoint = ? AND error IS NOT NULL ORDER BY id DESC LIMIT 1",
        [health.endpoint],
    ).fetchone()
    return str(row["error"]) if row else None


def _percentile(sorted_ms: Sequence[int], percent: int) -> timedelta | None:
    """Return the smallest time that so many of a hundred do not exceed."""
    if not sorted_ms:
        return None
    return timedelta(milliseconds=sorted_ms[(len(sorted_ms) * percent + 99) // 100 - 1])


def _healths(db: Connection) -> list[Health]:
    return [
        Health(
            endpoint=row["id"],
            failing_since=time_or_none(row["failing_since"]),
            disabled_at=time_or_none(row["disabled_at"]),
            troubled_since=time_or_none(row["troubled_since"]),
            reason=row["reason"],
        )
        for row in db.execute("SELECT * FROM endpoints")
    ]


def _keep(db: Connection, health: Health) -> None:
    if health.is_plain:
        db.execute("DELETE FROM endpoints WHERE id = ?", [health.endpoint])
        return
    db.execute(
        "INSERT INTO endpoints (id, failing_since, disabled_at, troubled_since, reason)"
        " VALUES (?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET failing_since = excluded.failing_since,"
        " disabled_at = excluded.disabled_at, troubled_since = excluded.troubled_since,"
        " reason = excluded.reason",
        [
            health.endpoint,
            text_or_none(health.failing_since),
            text_or_none(health.disabled_at),
            text_or_none(health.troubled_since),
            health.reason,
        ],
    )


def _insert_notice(db: Connection, notice: EndpointNotice, endpoint: str, now: datetime) -> None:
    state = "over" if notice.is_over else "begun"
    said = {
        "endpoint": notice.endpoint,
        "since": time_text(notice.since),
        "is_over": notice.is_over,
        "text": notice.text,
    }
    dedup_key = f"endpoint {notice.endpoint} {time_text(notice.since)} {state} {endpoint}"
    entered = db.execute(
        "INSERT INTO alerts (dedup_key, kind, endpoint, state, created_at, said)"
        " VALUES (?, 'endpoint', ?, 'alerted', ?, ?) ON CONFLICT DO NOTHING",
        [dedup_key, endpoint, time_text(now), json_text(said)],
    )
    if entered.rowcount:
        delivery = insert_delivery(db, endpoint, now)
        db.execute("UPDATE alerts SET delivery = ? WHERE dedup_key = ?", [delivery, dedup_key])
