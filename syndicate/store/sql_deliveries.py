"""The outbox: deliveries, their leases, their attempts. Many at once, with few statements."""

import json
import secrets
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from operator import itemgetter
from typing import TypeVar

from syndicate.model import (
    Alert,
    AnyAlert,
    Attempt,
    Delivery,
    EndpointAlert,
    EndpointNotice,
    SourceAlert,
    StoredMatch,
)
from syndicate.store.learned import notice_of
from syndicate.store.rows import Row, carriers_of, stored_match_of, text_or_none, time_of, time_text
from syndicate.store.spikes import spike_alert_of
from syndicate.store.sql import Connection
from syndicate.store.sql_items import ITEM_COLUMNS, MATCH_COLUMNS
from syndicate.store.sql_many import VALUES_AT_ONCE, insert_rows, stored

T = TypeVar("T")

_LEASED = """
    SELECT endpoint, count(*) AS deliveries FROM deliveries
    WHERE lease_until IS NOT NULL AND lease_until > ? GROUP BY endpoint
"""
_DUE = """
    SELECT number, next_attempt_at FROM deliveries INDEXED BY deliveries_due
    WHERE endpoint = :endpoint AND state = 'waiting' AND next_attempt_at <= :now
    AND (lease_until IS NULL OR lease_until <= :now)
    AND NOT EXISTS (SELECT 1 FROM endpoints WHERE id = :endpoint AND disabled_at IS NOT NULL)
    ORDER BY next_attempt_at, number LIMIT :limit
"""
MOST_TOLD = 200  # alerts of a delivery, which are more than any service shows
_TOLD = f"""
    SELECT a.*, s.slug, told.alerts FROM (
        SELECT id, row_number() OVER (PARTITION BY delivery ORDER BY id) AS place,
            count(*) OVER (PARTITION BY delivery) AS alerts
        FROM alerts WHERE delivery IN ({{marks}})
    ) told JOIN alerts a ON a.id = told.id LEFT JOIN sources s ON s.id = a.source
    WHERE told.place <= {MOST_TOLD} ORDER BY a.id
"""
_MATCHES = f"""
    SELECT {ITEM_COLUMNS}, {MATCH_COLUMNS}
    FROM alerts a
    JOIN matches m ON m.rule = a.rule AND m.item = a.item
    JOIN items i ON i.id = a.item JOIN sources s ON s.id = i.source
    WHERE a.id IN ({{marks}})
"""


def claim_deliveries(
    db: Connection, *, limit: int, room: Mapping[str, int], lease: timedelta, now: datetime
) -> list[Delivery]:
    """See `Store.claim_deliveries`."""
    leased = {row["endpoint"]: row["deliveries"] for row in db.execute(_LEASED, [time_text(now)])}
    left = {endpoint: min(limit, most - leased.get(endpoint, 0)) for endpoint, most in room.items()}
    due = _due(db, {endpoint: most for endpoint, most in left.items() if most > 0}, limit, now)
    # Stable: if there is no room for all, each endpoint gets some.
    ranked = sorted((place for rows in due for place in enumerate(rows)), key=itemgetter(0))
    return _claim(db, [row["number"] for _, row in ranked[:limit]], now + lease)


def _due(db: Connection, left: Mapping[str, int], limit: int, now: datetime) -> Iterable[list[Row]]:
    """Return what is due, each endpoint's in its order: as much as there is room for, or so much in all."""

    def first(endpoint: str, most: int) -> list[Row]:
        # One look at the index for each endpoint, however much waits for any of them.
        asked = {"endpoint": endpoint, "now": time_text(now), "limit": most}
        return db.execute(f"{_DUE} {db.unless_taken('deliveries')}", asked).fetchall()

    share = -(-limit // max(len(left), 1))  # which is all that is needed, if there is as much for each
    due = {endpoint: first(endpoint, min(share, most)) for endpoint, most in left.items()}
    if sum(map(len, due.values())) < limit:
        more = (each for each, most in left.items() if len(due[each]) == share < most)
        due |= {endpoint: first(endpoint, left[endpoint]) for endpoint in more}
    return due.values()


def insert_delivery(db: Connection, endpoint: str, now: datetime) -> str:
    """Return the id of a new delivery of one alert, due now.

    It is held, and due to be looked at, where the endpoint has a pace, or as long as there is any silence.
    """
    delivery = _new_id()
    db.execute(
        """
        INSERT INTO deliveries (id, endpoint, state, created_at, next_attempt_at)
        SELECT :id, :endpoint, CASE WHEN EXISTS (SELECT 1 FROM paces WHERE endpoint = :endpoint)
            OR EXISTS (SELECT 1 FROM silences WHERE ends_at > :now) THEN 'held' ELSE 'waiting' END, :now, :now
        """,
        {"id": delivery, "endpoint": endpoint, "now": time_text(now)},
    )
    return delivery


def insert_due_delivery(db: Connection, endpoint: str, now: datetime) -> str:
    """Return the id of a new delivery, of no alert yet, that goes out whatever the pace of its endpoint."""
    delivery = _new_id()
    db.execute(
        "INSERT INTO deliveries (id, endpoint, state, created_at, next_attempt_at)"
        " VALUES (?1, ?2, 'waiting', ?3, ?3)",
        [delivery, endpoint, time_text(now)],
    )
    return delivery


def freeze_bodies(db: Connection, bodies: Sequence[tuple[str, str, bytes]]) -> None:
    """See `Store.freeze_bodies`."""
    db.executemany(
        "UPDATE deliveries SET body = ? WHERE id = ? AND lease_owner = ? AND body IS NULL",
        [(body, delivery, token) for delivery, token, body in bodies],
    )


def record_attempts(db: Connection, attempts: Sequence[Attempt]) -> None:
    """Append attempts, and move on the deliveries whose lease they were made under."""
    insert_rows(
        db,
        "INSERT INTO attempts (delivery, endpoint, started_at, duration_ms, status, error, answer)",
        [
            (
                attempt.delivery,
                attempt.endpoint,
                time_text(attempt.started_at),
                round(attempt.duration.total_seconds() * 1000),
                attempt.status,
                attempt.error,
                attempt.answer,
            )
            for attempt in attempts
        ],
    )
    owners = stored(db, "deliveries", "id", "lease_owner", [attempt.delivery for attempt in attempts])
    db.executemany(
        "UPDATE deliveries SET attempts = attempts + 1, lease_until = NULL, lease_owner = NULL, state = ?,"
        " next_attempt_at = ?, last_status = ?, last_error = ? WHERE id = ?",
        [
            (
                attempt.state,
                text_or_none(attempt.next_attempt_at),
                attempt.status,
                attempt.error,
                attempt.delivery,
            )
            for attempt in attempts
            if owners.get(attempt.delivery) == attempt.token
        ],
    )
    db.executemany(
        "UPDATE deliveries SET attempts = attempts + 1 WHERE id = ?",
        [(attempt.delivery,) for attempt in attempts if owners.get(attempt.delivery) != attempt.token],
    )


def release_deliveries(db: Connection, deliveries: Sequence[Delivery]) -> None:
    """See `Store.release_deliveries`."""
    db.executemany(
        "UPDATE deliveries SET lease_until = NULL, lease_owner = NULL WHERE id = ? AND lease_owner = ?",
        [(delivery.id, delivery.token) for delivery in deliveries],
    )


def _new_id() -> str:
    return f"msg_{secrets.token_urlsafe(18)}"


def batches(ids: Sequence[T]) -> Iterator[tuple[Sequence[T], str]]:
    """Yield ids, as many as a statement takes, each time with the marks that stand for them in it."""
    for start in range(0, len(ids), VALUES_AT_ONCE):
        some = ids[start : start + VALUES_AT_ONCE]
        yield some, ", ".join("?" * len(some))


def _claim(db: Connection, numbers: Sequence[int], lease_until: datetime) -> list[Delivery]:
    token = secrets.token_hex(8)
    rows: list[Row] = []
    for some, marks in batches(numbers):
        rows += db.execute(
            f"UPDATE deliveries SET lease_until = ?, lease_owner = ? WHERE number IN ({marks}) RETURNING *",
            [time_text(lease_until), token, *some],
        )
    rows.sort(key=itemgetter("next_attempt_at", "number"))
    told = _told(db, [row["id"] for row in rows if row["body"] is None])
    alerts = _alerts(db, told)
    left_out = {row["delivery"]: row["alerts"] - MOST_TOLD for row in told if row["alerts"] > MOST_TOLD}
    return [
        Delivery(
            id=row["id"],
            endpoint=row["endpoint"],
            token=token,
            body=row["body"],
            created_at=time_of(row["created_at"]),
            attempts=row["attempts"],
            tries=row["attempts"] - row["replayed_after"],
            lease_until=lease_until,
            alerts=tuple(alerts.get(row["id"], ())),
            left_out=left_out.get(row["id"], 0),
        )
        for row in rows
    ]


def _told(db: Connection, deliveries: Sequence[str]) -> list[Row]:
    """Return the alerts that these deliveries tell of, in the order they came up, and how many each has."""
    return [
        row
        for some, marks in batches(deliveries)
        for row in db.execute(_TOLD.format(marks=marks), some).fetchall()
    ]


def _alerts(db: Connection, told: Sequence[Row]) -> Mapping[str, list[AnyAlert]]:
    """Return alerts by delivery."""
    # One of each match, which is told to several endpoints as a rule: reading it takes long.
    about_items = {(row["rule"], row["item"]): row["id"] for row in told if row["kind"] not in _ABOUT_NO_ITEM}
    stored = _matches(db, list(about_items.values()))
    found: defaultdict[str, list[AnyAlert]] = defaultdict(list)
    for row in told:
        if row["kind"] in _ABOUT_NO_ITEM:
            found[row["delivery"]].append(_ABOUT_NO_ITEM[row["kind"]](row))
        elif match := stored.get((row["rule"], row["item"])):
            found[row["delivery"]].append(_alert_of(row, match))
    return found


def _matches(db: Connection, alerts: Sequence[int]) -> Mapping[tuple[str, int], StoredMatch]:
    """Return what these alerts tell of, by rule and item."""
    return {
        (row["match_rule"], row["id"]): stored_match_of(row)
        for some, marks in batches(alerts)
        for row in db.execute(_MATCHES.format(marks=marks), some).fetchall()
    }


def _alert_of(row: Row, stored: StoredMatch) -> Alert:
    return Alert(
        kind=row["kind"],
        rule=row["rule"],
        created_at=time_of(row["created_at"]),
        stored=stored,
        sources=carriers_of(row["said"]),
    )


def _source_alert_of(row: Row) -> SourceAlert:
    return SourceAlert(
        kind=row["kind"],
        source=row["slug"],
        created_at=time_of(row["created_at"]),
        notice=notice_of(row["said"]),
    )


def _endpoint_alert_of(row: Row) -> EndpointAlert:
    said = json.loads(row["said"])
    notice = EndpointNotice(**{**said, "since": time_of(said["since"])})
    return EndpointAlert(kind=row["kind"], created_at=time_of(row["created_at"]), notice=notice)


_ABOUT_NO_ITEM: Mapping[str, Callable[[Row], AnyAlert]] = {
    "source": _source_alert_of,
    "endpoint": _endpoint_alert_of,
    "spike": spike_alert_of,
}
