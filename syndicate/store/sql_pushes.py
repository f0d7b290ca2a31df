"""What hubs have sent: kept until it is read, and whether it is what brings the news."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from syndicate.model import Kept, Poll, PollState, Push, Pushing, Subscription, SubscriptionState
from syndicate.store.rows import Row, time_of, time_or_none, time_text
from syndicate.store.sql import Connection

POLLED = "s.is_configured AND s.is_enabled AND s.state <> 'gone'"
MOST_WAITING = 50  # of a source
MOST_WAITING_BYTES = 64 * 1024 * 1024  # of all together
SHORTEST_BETWEEN_POLLS = timedelta(minutes=1)  # that anyone may cause who knows a callback
_GIVEN_UP = (SubscriptionState.ENDING, SubscriptionState.ENDED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What came to a callback."""

    content_type: str
    body: bytes
    is_signed: bool


def keep_push(db: Connection, subscription: Subscription, sent: Sent, now: datetime) -> Kept:
    """See `Store.keep_push`."""
    row = db.execute(
        f"SELECT b.* FROM subscriptions b JOIN sources s ON s.id = b.source WHERE b.id = ? AND {POLLED}",
        [subscription.id],
    ).fetchone()
    if row is None or row["state"] in _GIVEN_UP:
        return Kept.UNWANTED
    if sent.is_signed:
        waiting = db.execute(
            "SELECT count(*) FILTER (WHERE source = ?) AS count, coalesce(sum(length_bytes), 0) AS bytes"
            " FROM pushes",
            [row["source"]],
        ).fetchone()
        is_full = waiting["count"] >= MOST_WAITING
        if is_full or waiting["bytes"] + len(sent.body) > MOST_WAITING_BYTES:
            return Kept.FULL
        _insert_push(db, row, sent, now)
    else:
        _poll_soon(db, row["source"], now)
    db.execute(
        "UPDATE subscriptions SET pushes = pushes + 1, last_push_at = ? WHERE id = ?",
        [time_text(now), row["id"]],
    )
    return Kept.KEPT if sent.is_signed else Kept.POLLED


def _insert_push(db: Connection, subscription: Row, sent: Sent, now: datetime) -> None:
    """Keep it, unless the same is waiting: a hub that did not get our answer sends again."""
    db.execute(
        "INSERT INTO pushes (source, topic, received_at, digest, content_type, length_bytes, body)"
        " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        [
            subscription["source"],
            subscription["topic"],
            time_text(now),
            hashlib.sha256(sent.body).hexdigest(),
            sent.content_type,
            len(sent.body),
            sent.body,
        ],
    )


def _poll_soon(db: Connection, source: int, now: datetime) -> None:
    row = db.execute("SELECT * FROM sources WHERE id = ?", [source]).fetchone()
    why = "its hub says that there is news"
    if (row["lease_until"] or "") > time_text(now) >= row["next_poll_at"]:
        # What is answered now may be older. `record_polls` sees that the source was made due meanwhile.
        db.execute(
            "UPDATE sources SET next_poll_at = ?1, next_poll_why = ?2 WHERE id = ?3",
            [time_text(now + SHORTEST_BETWEEN_POLLS), why, source],
        )
        return
    last = time_or_none(row["last_polled_at"]) or now
    poll_by(db, source, max(now, last + SHORTEST_BETWEEN_POLLS), why)


def poll_by(db: Connection, source: int, at: datetime, why: str) -> None:
    """Have a source polled by then, if it is due later; but not before the time that it has asked for."""
    (held_until,) = db.execute("SELECT max(held_until) FROM addresses WHERE source = ?", [source]).fetchone()
    db.execute(
        "UPDATE sources SET next_poll_at = ?1, next_poll_why = ?2 WHERE id = ?3 AND next_poll_at > ?1",
        [max(time_text(at), held_until or ""), why, source],
    )


def note_rejected(db: Connection, subscription: Subscription, now: datetime) -> None:
    """See `Store.note_rejected`."""
    db.execute(
        "UPDATE subscriptions SET rejected = rejected + 1, last_rejected_at = ? WHERE id = ?",
        [time_text(now), subscription.id],
    )


def push_of(db: Connection, number: int) -> Push:
    """Return something that waits to be read."""
    row = db.execute("SELECT * FROM pushes WHERE id = ?", [number]).fetchone()
    return Push(
        id=row["id"],
        topic=row["topic"],
        received_at=time_of(row["received_at"]),
        content_type=row["content_type"],
        body=row["body"],
    )


def active_subscriptions(db: Connection, sources: str) -> Mapping[int, Row]:
    """Return by which hub's subscription what is new is pushed, by source.

    Args:
        sources: their numbers, as JSON.
    """
    rows = db.execute(
        "SELECT source, since, expires_at, doubts FROM subscriptions"
        " WHERE source IN (SELECT CAST(value AS BIGINT) FROM json_each(?)) AND state = ? ORDER BY id DESC",
        [sources, SubscriptionState.ACTIVE],
    )
    return {row["source"]: row for row in rows}


def pushing_of(row: Row | None, last_poll_at: str | None) -> Pushing:
    """Return whether a hub tells what is new of a source, by its active subscription."""
    if row is None:
        return Pushing()
    return Pushing(
        since=time_or_none(row["since"]),
        until=time_or_none(row["expires_at"]),
        doubts=row["doubts"],
        last_poll_at=time_or_none(last_poll_at),
    )


def note_doubts(db: Connection, source: int, poll: Poll) -> None:
    """Write whether a source's hub can be relied upon."""
    if poll.doubts is not None:
        db.execute("UPDATE subscriptions SET doubts = ? WHERE source = ?", [poll.doubts, source])


def record_push(db: Connection, source: int, poll: Poll, push: Push) -> None:
    """Be done with something that a hub has sent; who was made due meanwhile stays so."""
    if poll.state is PollState.UNREADABLE_PUSH:
        give_push_up(db, source, push, poll.error or "", poll.next_poll_at)
        return
    _forget(db, source, push)
    db.execute(
        "UPDATE subscriptions SET error = NULL WHERE source = ? AND state = ? AND failures = 0",
        [source, SubscriptionState.ACTIVE],
    )
    if poll.next_poll_at < poll.claim.due_at:
        poll_by(db, source, poll.next_poll_at, poll.next_poll_why)
    elif poll.next_poll_why:
        db.execute(
            "UPDATE sources SET next_poll_at = ?, next_poll_why = ? WHERE id = ? AND next_poll_at = ?",
            [time_text(poll.next_poll_at), poll.next_poll_why, source, time_text(poll.claim.due_at)],
        )
    if any(change.item is not None for change in poll.changes):
        # Hubs may send what is older after what is newer: what the source itself has is read for certain.
        db.execute(
            "UPDATE addresses SET body_hash = NULL, etag = NULL, last_modified = NULL WHERE source = ?",
            [source],
        )


def give_push_up(db: Connection, source: int, push: Push, error: str, now: datetime) -> None:
    """Be done with something that can't be read or written: the source is polled instead."""
    _forget(db, source, push)
    db.execute("UPDATE subscriptions SET error = ? WHERE source = ?", [error, source])
    poll_by(db, source, now, "what its hub has sent could not be read")


def _forget(db: Connection, source: int, push: Push) -> None:
    db.execute("DELETE FROM pushes WHERE id = ?", [push.id])
    db.execute("UPDATE sources SET lease_until = NULL, lease_owner = NULL WHERE id = ?", [source])
