"""Subscriptions at hubs: which there should be, which hub to ask now, and what was agreed upon."""

import json
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from syndicate.model import Asked, Confirmed, Subscription, SubscriptionState, SubscriptionStatus
from syndicate.store.rows import Row, json_text, source_of, text_or_none, time_of, time_or_none, time_text
from syndicate.store.sql import Connection
from syndicate.store.sql_pushes import POLLED, active_subscriptions, poll_by, pushing_of

TOKEN_BYTES = 24  # 192 bits, so that nobody guesses a callback
SECRET_BYTES = 32
_WANTED_STATES = (SubscriptionState.ASKED, SubscriptionState.ACTIVE, SubscriptionState.DENIED)
_GONE = "its hub does not push any more"

Wish = tuple[str, str]  # hub, topic


def subscribe(
    db: Connection, base: str | None, can_reach_us: Callable[[str], bool] | None, now: datetime
) -> int:
    """See `Store.subscribe`."""
    wanted = {} if base is None else _wishes(db)
    wishes = {
        source: wish for source, wish in wanted.items() if can_reach_us is None or can_reach_us(wish[0])
    }
    marks = ", ".join("?" * len(_WANTED_STATES))
    present = db.execute(f"SELECT * FROM subscriptions WHERE state IN ({marks})", _WANTED_STATES).fetchall()
    changed, served = 0, set()
    for row in present:
        is_ours = base is not None and row["callback"] == f"{base}{row['token']}"
        if is_ours and wishes.get(row["source"]) == (row["hub"], row["topic"]):
            served.add(row["source"])
        else:
            _give_up(db, row, now)
            changed += 1
    for source, wish in wishes.items():
        if source not in served:
            _insert(db, source, wish, base or "", now)
            changed += 1
    db.execute(f"DELETE FROM pushes WHERE source NOT IN (SELECT id FROM sources s WHERE {POLLED})")
    return changed


def doubt_hubs(db: Connection, now: datetime) -> int:
    """See `Store.doubt_hubs`."""
    rows = db.execute(
        "SELECT s.id, s.last_polled_at, s.definition FROM subscriptions p JOIN sources s ON s.id = p.source"
        " WHERE p.state = ? AND p.doubts = 0",
        [SubscriptionState.ACTIVE],
    ).fetchall()
    for row in rows:
        polled_at = time_or_none(row["last_polled_at"]) or now
        usual = max(now, polled_at + source_of(row["definition"]).interval)
        poll_by(db, row["id"], usual, "its hub may have pushed while nobody was here")
    db.execute("UPDATE subscriptions SET doubts = 1 WHERE doubts = 0")
    return len(rows)


def doubt_hub(db: Connection, source: int, now: datetime) -> None:
    """Rely on the hub of a source no more until it pushes again, and have it asked anew."""
    db.execute(
        "UPDATE subscriptions SET doubts = 1, next_ask_at = ? WHERE source = ? AND state = ?",
        [time_text(now), source, SubscriptionState.ACTIVE],
    )


def _wishes(db: Connection) -> Mapping[int, Wish]:
    """Return the hub and topic of each source that wants to be subscribed to."""
    rows = db.execute(
        "SELECT s.id, s.definition, l.hints FROM learned l JOIN sources s ON s.id = l.source"
        f" WHERE {POLLED} AND json_extract(l.hints, '$.hubs[0]') IS NOT NULL ORDER BY s.place"
    )
    hints = {row["id"]: json.loads(row["hints"]) for row in rows if source_of(row["definition"]).websub}
    return {source: (each["hubs"][0], each["topic"]) for source, each in hints.items()}


def _give_up(db: Connection, row: Row, now: datetime) -> None:
    """Have the hub told, if it ever heard of us; the source is asked itself from now on."""
    if row["asked_at"] is None:
        db.execute("DELETE FROM subscriptions WHERE id = ?", [row["id"]])
        return
    db.execute(
        "UPDATE subscriptions SET state = ?, next_ask_at = ?, failures = 0, error = NULL, lease_until = NULL,"
        " lease_owner = NULL WHERE id = ?",
        [SubscriptionState.ENDING, time_text(now), row["id"]],
    )
    if row["state"] == SubscriptionState.ACTIVE:
        poll_by(db, row["source"], now, _GONE)


def _insert(db: Connection, source: int, wish: Wish, base: str, now: datetime) -> None:
    token = secrets.token_urlsafe(TOKEN_BYTES)
    db.execute(
        "INSERT INTO subscriptions (source, token, callback, hub, topic, secret, state, next_ask_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        [
            source,
            token,
            f"{base}{token}",
            *wish,
            secrets.token_urlsafe(SECRET_BYTES),
            SubscriptionState.ASKED,
            time_text(now),
        ],
    )


# --------------------------------------------------------------------------- asking


def claim_subscriptions(db: Connection, limit: int, lease: timedelta, now: datetime) -> list[Subscription]:
    """See `Store.claim_subscriptions`."""
    moment = time_text(now)
    db.execute(
        "DELETE FROM subscriptions WHERE state = ? AND next_ask_at <= ?", [SubscriptionState.ENDED, moment]
    )
    # Who was denied asks anew.
    db.execute(
        "UPDATE subscriptions SET state = ?, failures = 0 WHERE state = ? AND next_ask_at <= ?",
        [SubscriptionState.ASKED, SubscriptionState.DENIED, moment],
    )
    rows = db.execute(
        f"{_SELECT} WHERE b.next_ask_at <= ?1 AND (b.lease_until IS NULL OR b.lease_until <= ?1)"
        " ORDER BY b.next_ask_at, b.id LIMIT ?2",
        [moment, limit],
    ).fetchall()
    claimed = [replace(_subscription(row), token=secrets.token_hex(8), asked_at=now) for row in rows]
    for each in claimed:
        db.execute(
            "UPDATE subscriptions SET asked_at = ?, lease_until = ?, lease_owner = ? WHERE id = ?",
            [moment, time_text(now + lease), each.token, each.id],
        )
    return claimed


def record_asked(db: Connection, asked: Sequence[Asked]) -> None:
    """See `Store.record_asked`."""
    for each in asked:
        which = [each.subscription.id, each.subscription.token]
        if each.is_over:
            db.execute("DELETE FROM subscriptions WHERE id = ? AND lease_owner = ?", which)
            continue
        db.execute(
            "UPDATE subscriptions SET lease_until = NULL, lease_owner = NULL, failures = failures + 1,"
            " error = ?, next_ask_at = ? WHERE id = ? AND lease_owner = ?",
            [each.error, time_text(each.next_ask_at), *which],
        )


# --------------------------------------------------------------------------- being asked


_SELECT = "SELECT b.*, s.slug FROM subscriptions b JOIN sources s ON s.id = b.source"


def subscription(db: Connection, token: str) -> Subscription | None:
    """See `Store.subscription`."""
    row = db.execute(f"{_SELECT} WHERE b.token = ?", [token]).fetchone()
    return None if row is None else _subscription(row)


def record_confirmed(db: Connection, confirmed: Confirmed, now: datetime) -> bool:
    """See `Store.record_confirmed`."""
    before = confirmed.subscription
    # Whoever is asking the hub at the moment has lost the claim: the hub was quicker than its own answer.
    done = db.execute(
        "UPDATE subscriptions SET state = ?, next_ask_at = ?, expires_at = ?, since = ?, error = ?,"
        " failures = 0, lease_until = NULL, lease_owner = NULL WHERE id = ? AND state = ?",
        [
            confirmed.state,
            time_text(confirmed.next_ask_at),
            text_or_none(confirmed.expires_at),
            text_or_none(confirmed.since),
            confirmed.reason,
            before.id,
            before.state,
        ],
    )
    if done.rowcount and before.state is SubscriptionState.ACTIVE and confirmed.since is None:
        source = db.execute("SELECT source FROM subscriptions WHERE id = ?", [before.id]).fetchone()[0]
        poll_by(db, source, now, _GONE)
    return bool(done.rowcount)


def _subscription(row: Row) -> Subscription:
    return Subscription(
        id=row["id"],
        source=row["slug"],
        hub=row["hub"],
        topic=row["topic"],
        callback=row["callback"],
        secret=row["secret"],
        state=SubscriptionState(row["state"]),
        asked_at=time_or_none(row["asked_at"]),
        next_ask_at=time_of(row["next_ask_at"]),
        since=time_or_none(row["since"]),
        expires_at=time_or_none(row["expires_at"]),
        failures=row["failures"],
    )


# --------------------------------------------------------------------------- looking


def subscription_statuses(db: Connection, now: datetime) -> Mapping[int, SubscriptionStatus]:
    """Return how the subscription of each source is: the one that is wanted, else the one that ends."""
    rows = db.execute(
        "SELECT b.*, s.last_polled_at FROM subscriptions b JOIN sources s ON s.id = b.source"
        " ORDER BY b.state IN ('ending', 'ended') DESC, b.id"
    ).fetchall()
    active = active_subscriptions(db, json_text([row["source"] for row in rows]))
    return {row["source"]: _status(row, active.get(row["source"]), now) for row in rows}


def _status(row: Row, active: Row | None, now: datetime) -> SubscriptionStatus:
    pushing = pushing_of(active, row["last_polled_at"])
    return SubscriptionStatus(
        hub=row["hub"],
        topic=row["topic"],
        state=SubscriptionState(row["state"]),
        asked_at=time_or_none(row["asked_at"]),
        expires_at=time_or_none(row["expires_at"]),
        next_ask_at=time_or_none(row["next_ask_at"]),
        error=row["error"],
        pushes=row["pushes"],
        last_push_at=time_or_none(row["last_push_at"]),
        rejected=row["rejected"],
        last_rejected_at=time_or_none(row["last_rejected_at"]),
        is_relied_upon=pushing.is_relied_upon(now),
    )
