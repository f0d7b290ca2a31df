"""Which sources to poll now: claims, leases, and the pace of hosts."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from syndicate.model import Claim, Trust, Validators
from syndicate.store.learned import learned_of
from syndicate.store.protocol import HostPace
from syndicate.store.rows import (
    Row,
    host_of,
    json_text,
    parts_of,
    source_of,
    time_of,
    time_or_none,
    time_text,
)
from syndicate.store.sql import Connection
from syndicate.store.sql_pushes import POLLED, active_subscriptions, push_of, pushing_of

PUSHES_AT_ONCE = 4  # are read, since they may be large

_FREE = "(s.lease_until IS NULL OR s.lease_until <= :now)"
_CLAIMABLE = f"""
    WITH busy AS (
        SELECT host, count(*) AS polls FROM sources
        WHERE lease_until IS NOT NULL AND lease_until > :now GROUP BY host
    ), due AS (
        SELECT s.id, s.host,
            row_number() OVER (PARTITION BY s.host ORDER BY s.next_poll_at, s.id) AS rank_of_host
        FROM sources s
        LEFT JOIN hosts h ON h.host = s.host
        WHERE {POLLED} AND s.next_poll_at <= :due_by AND {_FREE}
        AND coalesce(h.next_request_at, '') <= :now AND coalesce(h.backoff_until, '') <= :now
    )
    SELECT s.* FROM due JOIN sources s ON s.id = due.id LEFT JOIN busy ON busy.host = due.host
    WHERE rank_of_host <= min(:at_once, :concurrency - coalesce(busy.polls, 0))
    AND s.next_poll_at <= :due_by AND {_FREE}  -- once more, of a row that has changed meanwhile
    ORDER BY s.next_poll_at, s.id LIMIT :limit
"""

_PUSHED = f"""
    SELECT s.*, waiting.push FROM (SELECT source, min(id) AS push FROM pushes GROUP BY source) AS waiting
    JOIN sources s ON s.id = waiting.source
    WHERE {POLLED} AND {_FREE}
    ORDER BY waiting.push LIMIT :limit
"""


def claim_sources(  # noqa: PLR0913  the unit of work's own four, the database and the time
    db: Connection, *, limit: int, due_by: datetime, lease: timedelta, pace: HostPace, now: datetime
) -> list[Claim]:
    """See `Store.claim_sources`."""
    pushed = claim_pushed(db, min(limit, PUSHES_AT_ONCE), lease, now)
    rows: list[Row] = db.execute(
        f"{_CLAIMABLE} {db.unless_taken('s')}",
        {
            "now": time_text(now),
            "due_by": time_text(due_by),
            "at_once": 1 if pace.interval else pace.concurrency,
            "concurrency": pace.concurrency,
            "limit": limit - len(pushed),
        },
    ).fetchall()
    claims = _claims(db, rows, now, lease)
    for host in sorted(row["host"] for row in rows) if pace.interval else ():  # all in one order: no deadlock
        _keep_others_waiting(db, host, now + pace.interval)
    return [*pushed, *claims]


def claim_pushed(db: Connection, limit: int, lease: timedelta, now: datetime) -> list[Claim]:
    """Return sources of which a hub has sent something, each with the first of that."""
    asked = {"now": time_text(now), "limit": limit}
    rows = db.execute(f"{_PUSHED} {db.unless_taken('s')}", asked).fetchall()
    claims = _claims(db, rows, now, lease)
    return [replace(claim, push=push_of(db, row["push"])) for claim, row in zip(claims, rows, strict=True)]


def next_claim_at(db: Connection, due_by: datetime, now: datetime) -> datetime | None:
    """See `Store.next_claim_at`."""
    row = db.execute(
        f"""
        SELECT min(max(s.next_poll_at, coalesce(s.lease_until, ''), coalesce(h.next_request_at, ''),
                       coalesce(h.backoff_until, '')))
        FROM sources s LEFT JOIN hosts h ON h.host = s.host
        WHERE {POLLED} AND s.next_poll_at <= ?
        """,
        [time_text(due_by)],
    ).fetchone()
    return None if row[0] is None else max(now, time_of(row[0]))


def take_turn(  # noqa: PLR0913  the unit of work's own four, the database and the time
    db: Connection, url: str, pace: HostPace, *, earliest: datetime, latest: datetime | None, now: datetime
) -> datetime | None:
    """See `Store.take_turn`."""
    host = host_of(url)
    row = db.execute("SELECT * FROM hosts WHERE host = ?", [host]).fetchone()
    if row is not None and (row["backoff_until"] or "") > time_text(now):
        return None
    at = max(earliest, (row and time_or_none(row["next_request_at"])) or earliest)
    if latest is None or at < latest:
        _keep_others_waiting(db, host, at + pace.interval)
    return at


def leave_alone(db: Connection, url: str, until: datetime) -> None:
    """See `Store.leave_alone`. A shorter pause ends no longer one."""
    db.execute(
        "INSERT INTO hosts (host, backoff_until) VALUES (?, ?) ON CONFLICT (host) DO UPDATE"
        " SET backoff_until = max(coalesce(hosts.backoff_until, ''), excluded.backoff_until)",
        [host_of(url), time_text(until)],
    )


def _keep_others_waiting(db: Connection, host: str, until: datetime) -> None:
    db.execute(
        "INSERT INTO hosts (host, next_request_at) VALUES (?, ?)"
        " ON CONFLICT (host) DO UPDATE SET next_request_at = excluded.next_request_at",
        [host, time_text(until)],
    )


def release_sources(db: Connection, claims: Sequence[Claim]) -> None:
    """See `Store.release_sources`."""
    for claim in claims:
        db.execute(
            "UPDATE sources SET lease_until = NULL, lease_owner = NULL WHERE slug = ? AND lease_owner = ?",
            [claim.source.id, claim.token],
        )


def release_all(db: Connection) -> int:
    """Free every lease, of whatever kind; return how many there were."""
    clear = "SET lease_until = NULL, lease_owner = NULL WHERE lease_until IS NOT NULL"
    leased = ("sources", "deliveries", "subscriptions", "hub_requests", "hub_subscribers")
    return sum(db.execute(f"UPDATE {table} {clear}").rowcount for table in leased)


def poll_now(db: Connection, sources: Sequence[str] | None, now: datetime) -> None:
    """See `Store.poll_now`."""
    which, values = "TRUE", []
    if sources is not None:
        which, values = "slug IN (SELECT value FROM json_each(?))", [json_text(list(sources))]
    left_alone = json_text(_skip_what_is_held(db, which, values, now))
    others = "id NOT IN (SELECT CAST(value AS BIGINT) FROM json_each(?))"
    make_due(db, now, "as you asked", f"{which} AND {others}", *values, left_alone)


def _skip_what_is_held(db: Connection, which: str, values: Sequence[str], now: datetime) -> list[int]:
    """Have sources begin with an address that has not asked for time; return those that have none."""
    rows = db.execute(
        "SELECT id, definition, last_success_url FROM sources WHERE id IN"
        " (SELECT source FROM addresses WHERE held_until > ?)"
        f" AND coalesce(lease_until, '') <= ? AND ({which})",
        [time_text(now), time_text(now), *values],
    ).fetchall()
    left_alone = []
    for row in rows:
        urls = source_of(row["definition"]).urls
        live = live_addresses(db, row["id"], urls)
        if not any(_may_be_asked(db, row["id"], url, now) for url in live):
            left_alone.append(row["id"])
            continue
        index = first_to_ask(db, row["id"], urls, now, row["last_success_url"])
        db.execute(
            "UPDATE sources SET address_index = ?, is_look = FALSE, host = ? WHERE id = ?",
            [index, host_to_ask(db, row["id"], urls, index), row["id"]],
        )
    return left_alone


def make_due(db: Connection, by: datetime, why: str, which: str = "TRUE", *values: object) -> None:
    """Have sources polled by then, those that are due later.

    Args:
        which: a condition on `sources`, with these values.
    """
    db.execute(
        f"UPDATE sources SET next_poll_at = ?, next_poll_why = ? WHERE next_poll_at > ? AND ({which})",
        [time_text(by), why, time_text(by), *values],
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """What is stored of several sources that are claimed together, under one token."""

    token: str
    address_by_url: Mapping[tuple[int, str], Row]
    learned_by_source: Mapping[int, Row]
    subscription_by_source: Mapping[int, Row]
    others_answered_at: datetime | None


def _claims(db: Connection, rows: Sequence[Row], now: datetime, lease: timedelta) -> list[Claim]:
    """Lease the sources of some rows, with few statements; return what there is to know of each."""
    if not rows:
        return []
    sources = json_text([row["id"] for row in rows])
    known = _lease(db, sources, now + lease)
    return [_claim(db, row, known, now) for row in rows]


def _lease(db: Connection, sources: str, until: datetime) -> _Known:
    """Lease sources, given as JSON, until then; return what is stored of them."""
    token = secrets.token_hex(8)
    which = "IN (SELECT CAST(value AS BIGINT) FROM json_each(?))"
    db.execute(
        f"UPDATE sources SET lease_until = ?, lease_owner = ? WHERE id {which}",
        [time_text(until), token, sources],
    )
    addresses = db.execute(f"SELECT * FROM addresses WHERE source {which}", [sources])
    learned = db.execute(f"SELECT * FROM learned WHERE source {which}", [sources])
    answered = db.execute("SELECT last_answer_at FROM installation").fetchone()
    return _Known(
        token=token,
        address_by_url={(row["source"], row["url"]): row for row in addresses},
        learned_by_source={row["source"]: row for row in learned},
        subscription_by_source=active_subscriptions(db, sources),
        others_answered_at=time_or_none(answered["last_answer_at"]) if answered else None,
    )


def _claim(db: Connection, row: Row, known: _Known, now: datetime) -> Claim:
    source = source_of(row["definition"])
    urls = live_addresses(db, row["id"], source.urls)
    index = min(row["address_index"], len(urls) - 1)
    address = known.address_by_url.get((row["id"], urls[index]))
    return Claim(
        source=source,
        token=known.token,
        url=urls[index],
        address=(address["adopted"] if address else None) or urls[index],
        is_last_address=next_to_ask(db, row["id"], urls, index, now) is None,
        validators=_validators(address) if address else Validators(),
        body_hash=address["body_hash"] if address else None,
        failures=row["failures"],
        last_success_at=time_or_none(row["last_success_at"]),
        last_success_url=row["last_success_url"],
        has_baseline=row["last_success_at"] is not None,
        moved_to=address["moved_to"] if address else None,
        moved_count=address["moved_count"] if address else 0,
        due_at=time_of(row["next_poll_at"]),
        read_at=time_or_none(address["read_at"]) if address else None,
        format=address["format"] if address else "",
        parts=parts_of(address["parts"]) if address else (),
        is_only_address=len(urls) == 1,
        learned=learned_of(known.learned_by_source.get(row["id"])),
        trust=_trust(address) if address else Trust(),
        others_answered_at=known.others_answered_at,
        pushing=pushing_of(known.subscription_by_source.get(row["id"]), row["last_polled_at"]),
        brought_at=time_or_none(address["brought_at"]) if address else None,
        stale_until=time_or_none(address["stale_until"]) if address else None,
        is_look=bool(row["is_look"]),
    )


def _validators(address: Row) -> Validators:
    return Validators(
        etag=address["etag"], last_modified=address["last_modified"], url=address["validated_url"]
    )


def _trust(address: Row) -> Trust:
    return Trust(
        unchanged_since=time_or_none(address["unchanged_since"]),
        checked_at=time_or_none(address["checked_at"]),
        strikes=address["strikes"],
        without_etag=bool(address["without_etag"]),
        without_last_modified=bool(address["without_last_modified"]),
    )


def live_addresses(db: Connection, source: int, urls: Sequence[str]) -> list[str]:
    """Return the configured addresses that have not said 410; all of them if each has."""
    if len(urls) == 1:
        return list(urls)
    gone = {
        row["url"] for row in db.execute("SELECT url FROM addresses WHERE source = ? AND is_gone", [source])
    }
    return [url for url in urls if url not in gone] or list(urls)


def first_to_ask(
    db: Connection, source: int, urls: Sequence[str], at: datetime, in_charge: str | None
) -> int:
    """Return which of the live addresses a poll at a time begins with: the first that may be asked then.

    Args:
        in_charge: which the source goes by; stale ones before it are left out. None: it goes by none.
    """
    live = live_addresses(db, source, urls)
    place = live.index(in_charge) if in_charge in live else 0
    for index, url in enumerate(live):
        if _may_be_asked(db, source, url, at, is_passed_over_if_stale=index < place):
            return index
    return 0


def next_to_ask(db: Connection, source: int, live: Sequence[str], index: int, at: datetime) -> int | None:
    """Return which of the live addresses after one may be asked at a time, None if there is none."""
    later = range(index + 1, len(live))
    return next((place for place in later if _may_be_asked(db, source, live[place], at)), None)


def _may_be_asked(
    db: Connection, source: int, url: str, at: datetime, *, is_passed_over_if_stale: bool = False
) -> bool:
    row = db.execute("SELECT * FROM addresses WHERE source = ? AND url = ?", [source, url]).fetchone()
    host = host_of((row["adopted"] if row else None) or url)
    backoff = db.execute("SELECT backoff_until FROM hosts WHERE host = ?", [host]).fetchone()
    until = [backoff["backoff_until"] if backoff else None]
    if row is not None:
        until += [row["held_until"], row["stale_until"] if is_passed_over_if_stale else None]
    return max(each or "" for each in until) <= time_text(at)


def host_to_ask(db: Connection, source: int, urls: Sequence[str], index: int) -> str:
    """Return the host of the address that a source's next poll asks."""
    live = live_addresses(db, source, urls)
    url = live[min(index, len(live) - 1)]
    row = db.execute("SELECT adopted FROM addresses WHERE source = ? AND url = ?", [source, url]).fetchone()
    return host_of((row["adopted"] if row else None) or url)
