"""The outbox: deliveries, their leases, their attempts. Many at once, with few statements."""

import json
import secrets
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from sqlite_utils import Database

from syndicate.model import Alert, AnyAlert, Attempt, Delivery, EndpointAlert, EndpointNotice, SourceAlert
from syndicate.store.learned import notice_of
from syndicate.store.rows import Row, carriers_of, stored_match_of, text_or_none, time_of, time_text
from syndicate.store.spikes import spike_alert_of
from syndicate.store.sqlite_feeds import MATCH_COLUMNS
from syndicate.store.sqlite_items import ITEM_COLUMNS
from syndicate.store.sqlite_many import VALUES_AT_ONCE, insert_rows, stored

_LEASED = """
    SELECT endpoint, count(*) AS deliveries FROM deliveries
    WHERE lease_until IS NOT NULL AND lease_until > ? GROUP BY endpoint
"""
_DUE = """
    SELECT * FROM deliveries
    WHERE endpoint = :endpoint AND state = 'waiting' AND next_attempt_at <= :now
    AND (lease_until IS NULL OR lease_until <= :now)
    AND NOT EXISTS (SELECT 1 FROM endpoints WHERE id = :endpoint AND disabled_at IS NOT NULL)
    ORDER BY next_attempt_at, number LIMIT :limit
"""
MOST_TOLD = 200  # alerts of a delivery, which are more than any service shows
_TOLD = f"""
    SELECT id FROM (
        SELECT id, row_number() OVER (PARTITION BY delivery ORDER BY id) AS place
        FROM alerts WHERE delivery IN ({{marks}})
    ) WHERE place <= {MOST_TOLD}
"""


def claim_deliveries(
    db: Database, *, limit: int, room: Mapping[str, int], lease: timedelta, now: datetime
) -> list[Delivery]:
    """See `Store.claim_deliveries`."""
    leased = {row["endpoint"]: row["deliveries"] for row in db.execute(_LEASED, [time_text(now)])}
    due: list[tuple[int, Row]] = []  # with its place in the queue of its endpoint
    # One look at the index for each endpoint, however much waits for any of them.
    for endpoint, most in room.items():
        left = min(limit, most - leased.get(endpoint, 0))
        if left > 0:
            asked = {"endpoint": endpoint, "now": time_text(now), "limit": left}
            due += enumerate(db.execute(_DUE, asked))
    due.sort(key=lambda ranked: ranked[0])  # stable: if there is no room for all, each endpoint gets some
    rows = [row for _, row in due[:limit]]
    rows.sort(key=lambda row: (row["next_attempt_at"], row["number"]))
    return _claim(db, rows, now + lease)


def insert_delivery(db: Database, endpoint: str, now: datetime) -> str:
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


def insert_due_delivery(db: Database, endpoint: str, now: datetime) -> str:
    """Return the id of a new delivery, of no alert yet, that goes out whatever the pace of its endpoint."""
    delivery = _new_id()
    db.execute(
        "INSERT INTO deliveries (id, endpoint, state, created_at, next_attempt_at)"
        " VALUES (?1, ?2, 'waiting', ?3, ?3)",
        [delivery, endpoint, time_text(now)],
    )
    return delivery


def freeze_bodies(db: Database, bodies: Sequence[tuple[str, str, bytes]]) -> None:
    """See `Store.freeze_bodies`."""
    db.conn.executemany(
        "UPDATE deliveries SET body = ? WHERE id = ? AND lease_owner = ? AND body IS NULL",
        [(body, delivery, token) for delivery, token, body in bodies],
    )


def record_attempts(db: Database, attempts: Sequence[Attempt]) -> None:
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
    db.conn.executemany(
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
    db.conn.executemany(
        "UPDATE deliveries SET attempts = attempts + 1 WHERE id = ?",
        [(attempt.delivery,) for attempt in attempts if owners.get(attempt.delivery) != attempt.token],
    )


def release_deliveries(db: Database, deliveries: Sequence[Delivery]) -> None:
    """See `Store.release_deliveries`."""
    db.conn.executemany(
        "UPDATE deliveries SET lease_until = NULL, lease_owner = NULL WHERE id = ? AND lease_owner = ?",
        [(delivery.id, delivery.token) for delivery in deliveries],
    )


def _new_id() -> str:
    return f"msg_{secrets.token_urlsafe(18)}"


def batches(ids: Sequence[str]) -> Iterator[tuple[Sequence[str], str]]:
    """Yield ids, as many as a statement takes, each time with the marks that stand for them in it."""
    for start in range(0, len(ids), VALUES_AT_ONCE):
        some = ids[start : start + VALUES_AT_ONCE]
        yield some, ", ".join("?" * len(some))


def _claim(db: Database, rows: Sequence[Row], lease_until: datetime) -> list[Delivery]:
    token = secrets.token_hex(8)
    for some, marks in batches([row["id"] for row in rows]):
        db.execute(
            f"UPDATE deliveries SET lease_until = ?, lease_owner = ? WHERE id IN ({marks})",
            [time_text(lease_until), token, *some],
        )
    unworded = [row["id"] for row in rows if row["body"] is None]
    alerts, left_out = _alerts(db, unworded), _left_out(db, unworded)
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
            alerts=alerts.get(row["id"], ()),
            left_out=left_out.get(row["id"], 0),
        )
        for row in rows
    ]


def _alerts(db: Database, deliveries: Sequence[str]) -> Mapping[str, tuple[AnyAlert, ...]]:
    """Return what these deliveries tell of, in the order in which it came up."""
    found: defaultdict[str, dict[int, AnyAlert]] = defaultdict(dict)
    for some, marks in batches(deliveries):
        rows = db.execute(
            f"""
            SELECT a.id AS alert, a.delivery, a.kind, a.rule, a.created_at AS alerted_at, a.said,
                {ITEM_COLUMNS}, {MATCH_COLUMNS}
            FROM alerts a
            JOIN matches m ON m.rule = a.rule AND m.item = a.item
            JOIN items i ON i.id = a.item JOIN sources s ON s.id = i.source
            WHERE a.id IN ({_TOLD.format(marks=marks)})
            """,
            some,
        )
        for row in rows:
            found[row["delivery"]][row["alert"]] = _alert_of(row)
        others = db.execute(
            "SELECT a.id AS alert, a.delivery, a.kind, a.rule, a.created_at, a.said, s.slug"
            " FROM alerts a LEFT JOIN sources s ON s.id = a.source"
            f" WHERE a.id IN ({_TOLD.format(marks=marks)}) AND a.kind IN ('source', 'endpoint', 'spike')",
            some,
        )
        for row in others:
            found[row["delivery"]][row["alert"]] = _ABOUT_NO_ITEM[row["kind"]](row)
    return {
        delivery: tuple(alert for _, alert in sorted(by_number.items(), key=lambda pair: pair[0]))
        for delivery, by_number in found.items()
    }


def _left_out(db: Database, deliveries: Sequence[str]) -> Mapping[str, int]:
    """Return how many alerts are not among those, for deliveries that have so many."""
    found: dict[str, int] = {}
    for some, marks in batches(deliveries):
        rows = db.execute(
            f"SELECT delivery, count(*) AS alerts FROM alerts WHERE delivery IN ({marks})"
            f" GROUP BY delivery HAVING count(*) > {MOST_TOLD}",
            some,
        )
        found |= {row["delivery"]: row["alerts"] - MOST_TOLD for row in rows}
    return found


def _alert_of(row: Row) -> Alert:
    return Alert(
        kind=row["kind"],
        rule=row["rule"],
        created_at=time_of(row["alerted_at"]),
        stored=stored_match_of(row),
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
