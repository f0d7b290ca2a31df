"""What the pages show of what goes out and of the machine. See `syndicate.store.overview`."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from heapq import merge
from itertools import islice

from syndicate.model import AttemptStatus, DeliveryState
from syndicate.model.overview import (
    Delay,
    Depths,
    Hour,
    Latency,
    ListedDelivery,
    ShownDelivery,
    Size,
    Subject,
)
from syndicate.store.overview import MEASURED, SUBJECTS_LISTED, SUBJECTS_SHOWN, TRIES_SHOWN, Sent
from syndicate.store.rows import Row, time_of, time_or_none, time_text
from syndicate.store.sql import Connection
from syndicate.store.sql_hours import hours
from syndicate.store.sql_pushes import POLLED

# The body is long and stands last, so what is listed is read without it.
_LISTED = """
    number, id, endpoint, state, created_at, attempts, next_attempt_at, last_status, last_error,
    lease_until IS NOT NULL AND lease_until > :now AS is_under_way
"""
ALL_SQL = f"""
    SELECT {_LISTED} FROM deliveries
    WHERE number < coalesce(:before, 9223372036854775807) ORDER BY number DESC LIMIT :limit
"""
NUMBERS_SQL = """
    SELECT number FROM deliveries INDEXED BY deliveries_by_state
    WHERE state = :state AND endpoint = :endpoint AND number < coalesce(:before, 9223372036854775807)
    ORDER BY number DESC LIMIT :limit
"""
# One look at the index for each endpoint, however many deliveries there are.
ENDPOINTS_SQL = """
    WITH RECURSIVE known (endpoint) AS (
        SELECT min(endpoint) FROM deliveries INDEXED BY deliveries_by_state WHERE state = :state
        UNION ALL
        SELECT (SELECT min(endpoint) FROM deliveries INDEXED BY deliveries_by_state
            WHERE state = :state AND endpoint > known.endpoint)
        FROM known WHERE known.endpoint IS NOT NULL
    )
    SELECT endpoint FROM known WHERE endpoint IS NOT NULL
"""
SUBJECTS_SQL = """
    SELECT a.delivery, a.kind, a.rule, a.endpoint, a.said, a.item, s.slug, told.alerts,
        i.language, CASE i.title WHEN '' THEN substr(i.summary, 1, 120) ELSE i.title END AS title
    FROM (
        SELECT id, row_number() OVER (PARTITION BY delivery ORDER BY id) AS place,
            count(*) OVER (PARTITION BY delivery) AS alerts
        FROM alerts WHERE delivery IN (SELECT value FROM json_each(:deliveries))
    ) told CROSS JOIN alerts a ON a.id = told.id
    LEFT JOIN items i ON i.id = a.item LEFT JOIN sources s ON s.id = coalesce(i.source, a.source)
    WHERE told.place <= :most ORDER BY a.id
"""
MADE_SQL = """
    SELECT id, state FROM deliveries INDEXED BY deliveries_made
    WHERE endpoint = :endpoint AND created_at >= :since ORDER BY number
"""
COUNT_SQL = "SELECT count(*) FROM deliveries INDEXED BY deliveries_by_state WHERE state = :state"
LATENCY_SQL = """
    SELECT i.published, i.first_seen, a.created_at, t.started_at, t.duration_ms
    FROM (
        SELECT id, state, endpoint, created_at, replayed_after FROM deliveries
        ORDER BY number DESC LIMIT :limit
    ) d
    CROSS JOIN alerts a ON a.id = (
        SELECT id FROM alerts WHERE delivery = d.id AND kind = 'match' ORDER BY id LIMIT 1
    )
    CROSS JOIN items i ON i.id = a.item
    CROSS JOIN attempts t ON t.id = (SELECT max(id) FROM attempts WHERE delivery = d.id)
    WHERE d.state = 'delivered' AND d.created_at >= :since AND d.replayed_after = 0
    AND d.endpoint NOT IN (SELECT endpoint FROM paces)
"""


@dataclass(frozen=True, slots=True)
class SqlOverview:
    """`OverviewStore` by SQL. See there for what each unit does."""

    read: Callable[[], AbstractContextManager[Connection]]
    now: Callable[[], datetime]
    disk_free_bytes: Callable[[], int | None]  # None: the database is not on a disk of ours

    def listed_deliveries(self, which: Sent) -> list[ListedDelivery]:
        with self.read() as db:
            rows = _listed(db, which, self.now())
            subjects = _subjects(db, rows, SUBJECTS_LISTED)
        return [_delivery_of(row, subjects.get(row["id"], ())) for row in rows]

    def shown_delivery(self, identity: str) -> ShownDelivery | None:
        with self.read() as db:
            row = db.execute(
                f"SELECT {_LISTED}, body FROM deliveries WHERE id = :id",
                {"id": identity, "now": time_text(self.now())},
            ).fetchone()
            if row is None:
                return None
            subjects = _subjects(db, [row], SUBJECTS_SHOWN)
            tries = db.execute(
                "SELECT * FROM attempts WHERE delivery = ? ORDER BY id DESC LIMIT ?", [identity, TRIES_SHOWN]
            ).fetchall()
        return ShownDelivery(
            listed=_delivery_of(row, subjects.get(row["id"], ())),
            body=row["body"],
            tries=tuple(map(_attempt_of, tries)),
        )

    def deliveries_made(self, endpoint: str, state: DeliveryState | None, since: datetime) -> list[str]:
        with self.read() as db:
            rows = db.execute(MADE_SQL, {"endpoint": endpoint, "since": time_text(since)})
            return [row["id"] for row in rows if state is None or row["state"] == state]

    def endpoints_sent_to(self) -> list[str]:
        with self.read() as db:
            return sorted({endpoint for state in DeliveryState for endpoint in _endpoints(db, state)})

    def dead_since(self, since: datetime, most: int) -> int:
        with self.read() as db:
            numbers = islice(_numbers(db, Sent(state=DeliveryState.DEAD, limit=most)), most)
            (count,) = db.execute(
                "SELECT count(*) FROM deliveries WHERE created_at >= ?"
                " AND number IN (SELECT CAST(value AS BIGINT) FROM json_each(?))",
                [time_text(since), json.dumps(list(numbers))],
            ).fetchone()
        return int(count)

    def depths(self) -> Depths:
        now = {"now": time_text(self.now())}
        with self.read() as db:

            def number(sql: str, **values: str) -> int:
                (found,) = db.execute(sql, now | values).fetchone()
                return int(found)

            leased = "lease_until IS NOT NULL AND lease_until > :now"
            return Depths(
                sources_due=number(
                    f"SELECT count(*) FROM sources s WHERE {POLLED} AND next_poll_at <= :now"
                    " AND (lease_until IS NULL OR lease_until <= :now)"
                ),
                polls=number(f"SELECT count(*) FROM sources WHERE {leased}"),
                under_way=number(f"SELECT count(*) FROM deliveries WHERE {leased}"),
                waiting=number(COUNT_SQL, state=DeliveryState.WAITING),
                held=number(COUNT_SQL, state=DeliveryState.HELD),
                dead=number(COUNT_SQL, state=DeliveryState.DEAD),
                stale_feeds=number(
                    "SELECT count(*) FROM feeds WHERE is_configured AND generation > published"
                ),
            )

    def applied_rules(self) -> Mapping[str, str | None]:
        with self.read() as db:
            rows = db.execute("SELECT id, version FROM rules WHERE is_configured").fetchall()
        return {row["id"]: row["version"] for row in rows}

    def hours(self, since: datetime) -> list[Hour]:
        with self.read() as db:
            return hours(db, since)

    def latency(self, since: datetime) -> Latency:
        with self.read() as db:
            rows = db.execute(LATENCY_SQL, {"since": time_text(since), "limit": MEASURED}).fetchall()
        return _latency(rows)

    def size(self) -> Size:
        with self.read() as db:
            database_bytes = db.size_bytes()
        return Size(database_bytes=database_bytes, disk_free_bytes=self.disk_free_bytes())


# --------------------------------------------------------------------------- which


def _listed(db: Connection, which: Sent, now: datetime) -> list[Row]:
    if which.endpoint is None and which.state is None:
        asked = {"now": time_text(now), "before": which.before, "limit": which.limit}
        return db.execute(ALL_SQL, asked).fetchall()
    numbers = list(islice(_numbers(db, which), which.limit))
    return db.execute(
        f"SELECT {_LISTED} FROM deliveries"
        " WHERE number IN (SELECT CAST(value AS BIGINT) FROM json_each(:numbers))"
        " ORDER BY number DESC",
        {"now": time_text(now), "numbers": json.dumps(numbers)},
    ).fetchall()


def _numbers(db: Connection, which: Sent) -> Iterator[int]:
    """Return numbers of deliveries, highest first: as many as the limit of each state and endpoint."""
    states = list(DeliveryState) if which.state is None else [which.state]
    pairs = [
        (state, endpoint)
        for state in states
        for endpoint in (_endpoints(db, state) if which.endpoint is None else [which.endpoint])
    ]
    return merge(*(_of_pair(db, pair, which) for pair in pairs), reverse=True)


def _of_pair(db: Connection, pair: tuple[DeliveryState, str], which: Sent) -> list[int]:
    state, endpoint = pair
    asked = {"state": state, "endpoint": endpoint, "before": which.before, "limit": which.limit}
    return [row["number"] for row in db.execute(NUMBERS_SQL, asked)]


def _endpoints(db: Connection, state: DeliveryState) -> list[str]:
    """Return the endpoints that have deliveries in a state."""
    return [row["endpoint"] for row in db.execute(ENDPOINTS_SQL, {"state": state})]


# --------------------------------------------------------------------------- how


def _subjects(db: Connection, deliveries: Sequence[Row], most: int) -> Mapping[str, list[Row]]:
    """Return the first alerts of each delivery."""
    found: dict[str, list[Row]] = {}
    asked = {"deliveries": json.dumps([row["id"] for row in deliveries]), "most": most}
    for row in db.execute(SUBJECTS_SQL, asked):
        found.setdefault(row["delivery"], []).append(row)
    return found


def _delivery_of(row: Row, alerts: Sequence[Row]) -> ListedDelivery:
    return ListedDelivery(
        number=row["number"],
        id=row["id"],
        endpoint=row["endpoint"],
        state=DeliveryState(row["state"]),
        is_under_way=bool(row["is_under_way"]),
        created_at=time_of(row["created_at"]),
        attempts=row["attempts"],
        next_attempt_at=time_or_none(row["next_attempt_at"]),
        last_status=row["last_status"],
        last_error=row["last_error"],
        alerts=alerts[0]["alerts"] if alerts else 0,
        subjects=tuple(map(_subject_of, alerts)),
    )


def _subject_of(row: Row) -> Subject:
    said = json.loads(row["said"]) if row["said"] else {}
    text = row["title"] or "(no title)" if row["item"] is not None else str(said.get("text", ""))
    if row["kind"] == "spike":
        text = f"{said['count']} stories in an hour, where {said['usual']:g} are usual"
    return Subject(
        kind=row["kind"],
        text=text,
        rule=row["rule"],
        source=row["slug"],
        endpoint=said.get("endpoint"),
        item=row["item"],
        language=row["language"],
    )


def _attempt_of(row: Row) -> AttemptStatus:
    return AttemptStatus(
        started_at=time_of(row["started_at"]),
        duration=timedelta(milliseconds=row["duration_ms"]),
        status=row["status"],
        error=row["error"],
        answer=row["answer"],
    )


def _latency(rows: Iterable[Row]) -> Latency:
    to_seen, from_seen, whole = [], [], []
    for row in rows:
        published, seen = time_or_none(row["published"]), time_of(row["first_seen"])
        delivered = time_of(row["started_at"]) + timedelta(milliseconds=row["duration_ms"])
        from_seen.append(delivered - time_of(row["created_at"]))  # an edit may have made it match later
        if published is not None and published <= seen:
            to_seen.append(seen - published)
            whole.append(delivered - published)
    return Latency(
        published_to_seen=_delay(to_seen),
        seen_to_delivered=_delay(from_seen),
        published_to_delivered=_delay(whole),
    )


def _delay(lengths: Sequence[timedelta]) -> Delay | None:
    ordered = sorted(lengths)
    if not ordered:
        return None
    median, p95 = (ordered[(len(ordered) * percent + 99) // 100 - 1] for percent in (50, 95))
    return Delay(cases=len(ordered), median=median, p95=p95)
