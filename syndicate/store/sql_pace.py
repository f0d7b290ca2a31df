"""What is held back from endpoints, and what becomes of it.

An alert that is held has its delivery already, in the state `held`, whose id was told to nobody. It becomes
due, or what it tells moves to another one and it goes.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta

from syndicate.model import HeldAlert, Labels, Past, Route, ToldAlert
from syndicate.store.protocol import Floods
from syndicate.store.rows import Row, text_or_none, time_of, time_text
from syndicate.store.sql import Connection
from syndicate.store.sql_deliveries import insert_due_delivery

_HOUR = timedelta(hours=1)
_ALL = 2**62
_ALERTS = """
    SELECT a.id, a.created_at, d.created_at AS told_at, a.rule, a.story, s.slug
    FROM deliveries d JOIN alerts a ON a.delivery = d.id
    LEFT JOIN items i ON i.id = a.item
    LEFT JOIN sources s ON s.id = coalesce(i.source, a.source)
"""
_NOT_URGENT = """NOT EXISTS (
    SELECT 1 FROM alerts WHERE delivery = d.id AND rule IN (SELECT value FROM json_each(:urgent))
)"""
_COUNTS = f"d.state <> 'held' AND {_NOT_URGENT}"
_IS_FRESH = "(body IS NULL AND attempts = replayed_after)"
_DUE = f"""
    SELECT d.id, {_IS_FRESH} AS is_fresh
    FROM deliveries d INDEXED BY deliveries_due
    WHERE endpoint = :endpoint AND state = 'waiting' AND next_attempt_at <= :now AND lease_until IS NULL
    AND ({_IS_FRESH} OR (:is_read AND attempts > 0 AND replayed_after = 0)) AND {_NOT_URGENT}
    ORDER BY number
"""  # nobody has been told the id of what is fresh


def configure_paces(db: Connection, paced: Collection[str], now: datetime) -> None:
    """Hold back alerts from these endpoints from now on; what is held is looked at anew."""
    db.execute("DELETE FROM paces WHERE endpoint NOT IN (SELECT value FROM json_each(?))", [_list(paced)])
    db.execute(
        "INSERT INTO paces (endpoint) SELECT value FROM json_each(?) WHERE TRUE ON CONFLICT DO NOTHING",
        [_list(paced)],
    )
    db.execute("UPDATE deliveries SET next_attempt_at = ? WHERE state = 'held'", [time_text(now)])


def endpoints_to_route(db: Connection, now: datetime) -> list[str]:
    """See `Store.endpoints_to_route`."""
    rows = db.execute(
        "SELECT DISTINCT endpoint FROM deliveries WHERE state = 'held' AND next_attempt_at <= ?"
        " AND endpoint NOT IN (SELECT id FROM endpoints WHERE disabled_at IS NOT NULL)",
        [time_text(now)],
    )
    return sorted(row["endpoint"] for row in rows)


def held_alerts(
    db: Connection, endpoint: str, interval: timedelta, urgent: Collection[str], now: datetime
) -> tuple[list[HeldAlert], Past]:
    """Return what is held back from an endpoint, first ones first, and what it was told before."""
    asked = {"endpoint": endpoint, "urgent": _list(urgent)}
    held = db.execute(f"{_ALERTS} WHERE d.endpoint = ? AND d.state = 'held' ORDER BY a.id", [endpoint])
    told = db.execute(
        f"{_ALERTS} WHERE d.endpoint = :endpoint AND d.created_at > :since AND {_COUNTS} ORDER BY a.id",
        asked | {"since": time_text(now - interval)},
    )
    made = db.execute(
        "SELECT created_at FROM deliveries d"
        f" WHERE endpoint = :endpoint AND created_at > :since AND {_COUNTS} ORDER BY created_at",
        asked | {"since": time_text(now - _HOUR)},
    )
    past = Past(
        told=tuple(
            ToldAlert(alert=row["id"], at=time_of(row["told_at"]), labels=_labels(row)) for row in told
        )
        if interval
        else (),
        deliveries=tuple(time_of(row["created_at"]) for row in made),
    )
    return [
        HeldAlert(alert=row["id"], since=time_of(row["created_at"]), labels=_labels(row)) for row in held
    ], past


def record_route(db: Connection, held: Sequence[HeldAlert], route: Route, now: datetime) -> None:
    """Make the deliveries of a route, and note when to look at the rest of what is held again."""
    for alerts in route.deliveries:
        rows = db.execute(
            "SELECT delivery FROM alerts"
            " WHERE id IN (SELECT CAST(value AS BIGINT) FROM json_each(?)) ORDER BY id",
            [_list(alerts)],
        ).fetchall()
        db.execute(
            "UPDATE deliveries SET state = 'waiting', created_at = ?1, next_attempt_at = ?1 WHERE id = ?2",
            [time_text(now), _merged(db, [row["delivery"] for row in rows])],
        )
    db.execute(
        "UPDATE deliveries SET next_attempt_at = ? WHERE state = 'held'"
        " AND id IN (SELECT delivery FROM alerts"
        " WHERE id IN (SELECT CAST(value AS BIGINT) FROM json_each(?)))",
        [text_or_none(route.look_at), _list([each.alert for each in held])],
    )


def floods(db: Connection, which: Floods, now: datetime) -> list[str]:
    """Return the endpoints for which more is due that can become one delivery than there may be."""
    return [
        endpoint
        for endpoint, most in which.flood_after.items()
        if len(_due(db, endpoint, which, now, most + 1)) > most
    ]


def collapse_floods(db: Connection, which: Floods, now: datetime) -> Mapping[str, int]:
    """See `Store.collapse_floods`."""
    collapsed = {}
    for endpoint in floods(db, which, now):
        due = _due(db, endpoint, which, now, _ALL)
        fresh = [row["id"] for row in due if row["is_fresh"]]
        first = fresh[0] if fresh else insert_due_delivery(db, endpoint, now)
        _merged(db, [first, *(row["id"] for row in due)])
        collapsed[endpoint] = len(due)
    return collapsed


def _due(db: Connection, endpoint: str, which: Floods, now: datetime, limit: int) -> list[Row]:
    """Return deliveries that can become one, first ones first."""
    asked = {
        "endpoint": endpoint,
        "is_read": endpoint in which.read,
        "urgent": _list(which.urgent),
        "now": time_text(now),
        "limit": limit,
    }
    return db.execute(f"{_DUE} LIMIT :limit", asked).fetchall()


def _merged(db: Connection, deliveries: Sequence[str]) -> str:
    """Have the first of some deliveries tell what all of them do; the others go. Return the first.

    Attempts that were made are now its own, and do not count against its tries.
    """
    first, others = deliveries[0], _list([each for each in deliveries if each != deliveries[0]])
    db.execute(
        "UPDATE alerts SET delivery = ? WHERE delivery IN (SELECT value FROM json_each(?))", [first, others]
    )
    moved = db.execute(
        "UPDATE attempts SET delivery = ? WHERE delivery IN (SELECT value FROM json_each(?))", [first, others]
    )
    if moved.rowcount:
        db.execute(
            "UPDATE deliveries SET attempts = attempts + ?1, replayed_after = replayed_after + ?1"
            " WHERE id = ?2",
            [moved.rowcount, first],
        )
    db.execute("DELETE FROM deliveries WHERE id IN (SELECT value FROM json_each(?))", [others])
    return first


def _labels(row: Row) -> Labels:
    return Labels(rule=row["rule"], source=row["slug"], story=row["story"])


def _list(values: Collection[object]) -> str:
    return json.dumps(list(values))
