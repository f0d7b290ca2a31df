"""How the sources are."""

import json
from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from syndicate.model import (
    AddressStatus,
    Gap,
    Learned,
    SourceDocument,
    SourceStatus,
    Spent,
    SubscriptionStatus,
)
from syndicate.store.learned import learned_of
from syndicate.store.rows import Row, source_of, time_of, time_or_none, time_text
from syndicate.store.sql import Connection
from syndicate.store.sql_learned import gaps
from syndicate.store.sql_subscriptions import subscription_statuses

LATELY = timedelta(days=7)
_DAY = timedelta(days=1)


def sources(db: Connection, now: datetime, only: Collection[str] | None = None) -> list[SourceStatus]:
    """See `Store.sources`.

    Args:
        only: which; None: all.
    """
    which, values = "TRUE", []
    if only is not None:
        which, values = "slug IN (SELECT value FROM json_each(?))", [json.dumps([*only])]
    among = f"source IN (SELECT id FROM sources WHERE {which})"
    learned = {
        row["source"]: learned_of(row) for row in db.execute(f"SELECT * FROM learned WHERE {among}", values)
    }
    known_gaps = gaps(db)
    subscriptions = subscription_statuses(db, now)
    amiss = _amiss(db)
    rows = db.execute(
        f"""
        SELECT s.*, h.backoff_until,
            (SELECT count(*) FROM items WHERE source = s.id AND sort_at >= ?) AS recent,
            (SELECT min(sort_at) FROM items WHERE source = s.id) AS first
        FROM sources s LEFT JOIN hosts h ON h.host = s.host WHERE {which}
        ORDER BY is_configured DESC, place, slug
        """,
        [time_text(now - LATELY), *values],
    ).fetchall()
    return [
        _with_learned(
            _status(row, _per_day(row, now), amiss.get(row["id"], [])),
            learned.get(row["id"], Learned()),
            known_gaps.get(row["id"]),
            subscriptions.get(row["id"]),
        )
        for row in rows
    ]


def _amiss(db: Connection) -> Mapping[int, list[str]]:
    """Return what is the matter with addresses of each source: those that fail, or were stale when asked."""
    rows = db.execute(
        "SELECT source, url, error, stale_until, brought_at FROM addresses"
        " WHERE error IS NOT NULL OR stale_until IS NOT NULL"
    )
    amiss: dict[int, list[str]] = {}
    for row in rows:
        amiss.setdefault(row["source"], []).append(f"{row['url']}: {row['error'] or _stale(row)}")
    return amiss


def _stale(address: Row) -> str:
    brought_at = time_or_none(address["brought_at"])
    since = f" since {brought_at:%Y-%m-%d %H:%M} UTC" if brought_at else ""
    return f"it answers, but has had nothing new{since}"


def addresses(db: Connection, source: str) -> list[AddressStatus]:
    """See `Store.addresses`."""
    row = db.execute("SELECT id, definition FROM sources WHERE slug = ?", [source]).fetchone()
    if row is None:
        return []
    known = {
        each["url"]: each for each in db.execute("SELECT * FROM addresses WHERE source = ?", [row["id"]])
    }
    return [_address(url, known.get(url)) for url in source_of(row["definition"]).urls]


def _address(url: str, row: Row | None) -> AddressStatus:
    if row is None:
        return AddressStatus(url=url, state="untried")
    return AddressStatus(
        url=url,
        state=_address_state(row),
        format=row["format"],
        error=row["error"],
        adopted=row["adopted"],
        moved_to=row["moved_to"],
        moved_count=row["moved_count"],
        etag=_latin_1(row["etag"]),
        last_modified=_latin_1(row["last_modified"]),
        brought_at=time_or_none(row["brought_at"]),
    )


def _address_state(row: Row) -> str:
    if row["is_gone"]:
        return "gone"
    if row["error"]:
        return "failing"
    return "stale" if row["stale_until"] else "ok"


def _latin_1(value: bytes | None) -> str | None:
    return None if value is None else value.decode("latin-1")


def source_documents(db: Connection, sources: Collection[str]) -> Mapping[str, SourceDocument]:
    """See `Store.source_documents`."""
    rows = db.execute(
        "SELECT slug, document_title, document_link, document_id FROM sources"
        " WHERE slug IN (SELECT value FROM json_each(?))",
        [json.dumps([*sources])],
    )
    return {
        row["slug"]: SourceDocument(
            title=row["document_title"], link=row["document_link"], id=row["document_id"]
        )
        for row in rows
    }


def _per_day(row: Row, now: datetime) -> float | None:
    """Return how many items come in a day, lately; None where there are none."""
    if row["first"] is None:
        return None
    watched = max(min(now - time_of(row["first"]), LATELY), _DAY)
    return float(row["recent"] / (watched / _DAY))


def _with_learned(
    status: SourceStatus,
    learned: Learned,
    gap: tuple[int, Gap] | None,
    subscription: SubscriptionStatus | None,
) -> SourceStatus:
    return replace(
        status,
        troubles=tuple(trouble for trouble in learned.troubles if trouble.is_told),
        median_delay=learned.habit.median_delay,
        gaps=gap[0] if gap else 0,
        last_gap=gap[1] if gap else None,
        subscription=subscription,
    )


def _status(row: Row, per_day: float | None, failing: list[str]) -> SourceStatus:
    source = source_of(row["definition"])
    state = state_of(row)
    is_polled = state not in ("removed", "paused", "disabled", "gone")
    return SourceStatus(
        id=source.id,
        title=source.title,
        urls=source.urls,
        enabled=source.enabled,
        state=state,
        next_poll_at=time_or_none(max(row["next_poll_at"], row["backoff_until"] or ""))
        if is_polled
        else None,
        last_polled_at=time_or_none(row["last_polled_at"]),
        last_success_at=time_or_none(row["last_success_at"]),
        last_status=row["last_status"],
        last_error=row["last_error"],
        problems=(*json.loads(row["problems"]), *(failing if state in ("ok", "fallback") else ())),
        failures=row["failures"],
        items=row["items"],
        items_per_day=per_day,
        next_poll_why="its host asks for less"
        if (row["backoff_until"] or "") > row["next_poll_at"]
        else row["next_poll_why"],
        spent=Spent(requests=row["requests"], received_bytes=row["received_bytes"]),
    )


def state_of(row: Row) -> str:
    """Return how a source is, as SourceStatus.state."""
    if not row["is_configured"]:
        return "removed"
    if row["paused_at"]:
        return "paused"
    return row["state"] if row["is_enabled"] else "disabled"
