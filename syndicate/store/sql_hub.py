"""Our hub, by SQL. See `syndicate.store.hub`."""

import secrets
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta

from syndicate.model.hub import (
    INTERVAL,
    HubAnswer,
    HubMode,
    HubRequest,
    Limits,
    Room,
    Subscriber,
    SubscriberKind,
    SubscriberStatus,
    Told,
)
from syndicate.store.hub_rows import request_of, status_of, subscriber_of
from syndicate.store.rows import Row, host_of, json_text, text_or_none, time_of, time_text
from syndicate.store.sql import Connection
from syndicate.store.sql_many import insert_rows

LOOKED_AT = 2_000  # due subscribers, at most, of which some are claimed
RELEASED = "lease_until = NULL, lease_owner = NULL"
_FREE = "(lease_until IS NULL OR lease_until <= :now)"
_LIVE = "(expires_at IS NULL OR expires_at > :now)"
_SOMEBODY = (
    "SELECT topic, host, callback FROM hub_subscribers UNION SELECT topic, host, callback FROM hub_requests"
)
_SAME = "count(*) FILTER (WHERE topic = :topic AND callback = :callback) AS same"

Opened = Callable[[], AbstractContextManager[Connection]]


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlHub:
    """The units of work, on connections that the store lends."""

    write: Opened
    read: Opened
    now: Callable[[], datetime]

    def take_request(self, request: HubRequest, limits: Limits) -> Room:
        with self.write() as db:
            room = _room(db, request, limits)
            if room is Room.TAKEN:
                _keep_request(db, request, _turn(db, request.host, limits.interval, self.now()))
            return room

    def claim_requests(self, *, limit: int, lease: timedelta) -> list[HubRequest]:
        with self.write() as db:
            now, token = self.now(), secrets.token_hex(8)
            rows = db.execute(
                f"SELECT * FROM hub_requests WHERE next_try_at <= :now AND {_FREE}"
                " ORDER BY next_try_at, id LIMIT :limit",
                {"now": time_text(now), "limit": limit},
            ).fetchall()
            _lease(db, "hub_requests", rows, token, now + lease)
            return [request_of(row, token) for row in rows]

    def record_answers(self, answers: Sequence[HubAnswer]) -> None:
        with self.write() as db:
            for answer in answers:
                _record_answer(db, answer, self.now())

    def settle(self, topics: Collection[str], hub: str | None, reason: str) -> int:
        with self.write() as db:
            return _settle(db, sorted(topics), hub, reason, self.now())

    def topics_told(self) -> Collection[str]:
        with self.read() as db:
            return {
                row["topic"] for row in db.execute(f"SELECT DISTINCT topic FROM ({_SOMEBODY}) AS somebody")
            }

    def note_documents(self, digest_by_topic: Mapping[str, str]) -> int:
        with self.write() as db:
            now = time_text(self.now())
            return sum(_note_document(db, topic, digest, now) for topic, digest in digest_by_topic.items())

    def claim_subscribers(
        self, *, limit: int, doubtful: int, per_host: int, lease: timedelta
    ) -> list[Subscriber]:
        with self.write() as db:
            now, token = self.now(), secrets.token_hex(8)
            db.execute("DELETE FROM hub_subscribers WHERE expires_at <= ?", [time_text(now)])
            rows = list(_claimable(db, limit, doubtful, per_host, time_text(now)))
            _lease(db, "hub_subscribers", rows, token, now + lease)
            return [subscriber_of(row, token, now + lease) for row in rows]

    def record_told(self, told: Sequence[Told]) -> None:
        with self.write() as db:
            for each in told:
                _record_told(db, each)

    def release_claimed(self, requests: Sequence[HubRequest], subscribers: Sequence[Subscriber]) -> None:
        with self.write() as db:
            for table, claimed in (("hub_requests", requests), ("hub_subscribers", subscribers)):
                db.executemany(
                    f"UPDATE {table} SET {RELEASED} WHERE id = ? AND lease_owner = ?",
                    [(each.id, each.token) for each in claimed],
                )

    def subscribers(self) -> list[SubscriberStatus]:
        with self.read() as db:
            rows = db.execute(
                f"SELECT * FROM hub_subscribers WHERE {_LIVE} ORDER BY topic, id",
                {"now": time_text(self.now())},
            )
            return [status_of(row) for row in rows]


# --------------------------------------------------------------------------- requests


def _room(db: Connection, request: HubRequest, limits: Limits) -> Room:
    asked = {"topic": request.topic, "host": request.host, "callback": request.callback}
    waiting = db.execute(
        f"SELECT count(*) AS n, count(*) FILTER (WHERE host = :host) AS of_host, {_SAME} FROM hub_requests",
        asked,
    ).fetchone()
    if waiting["same"]:
        return Room.TAKEN
    if waiting["n"] >= limits.asked_in_all or waiting["of_host"] >= limits.asked_per_host:
        return Room.BUSY
    if request.mode is not HubMode.SUBSCRIBE:
        return Room.TAKEN
    known = db.execute(
        "SELECT count(*) AS n, count(*) FILTER (WHERE topic = :topic) AS of_topic,"
        f" count(*) FILTER (WHERE host = :host) AS of_host, {_SAME} FROM ({_SOMEBODY}) AS somebody",
        asked,
    ).fetchone()
    if known["same"]:
        return Room.TAKEN
    if known["of_topic"] >= limits.per_topic:
        return Room.TOPIC_FULL
    if known["of_host"] >= limits.per_host:
        return Room.HOST_FULL
    return Room.FULL if known["n"] >= limits.in_all else Room.TAKEN


def _turn(db: Connection, host: str, interval: timedelta, now: datetime) -> datetime:
    """Return when a host may be asked, which it then is not again for so long."""
    db.execute("DELETE FROM hub_paces WHERE next_at <= ?", [time_text(now)])
    row = db.execute("SELECT next_at FROM hub_paces WHERE host = ?", [host]).fetchone()
    turn = time_of(row["next_at"]) if row else now
    db.execute(
        "INSERT INTO hub_paces (host, next_at) VALUES (?1, ?2) ON CONFLICT (host) DO UPDATE SET next_at = ?2",
        [host, time_text(turn + interval)],
    )
    return turn


def _keep_request(db: Connection, request: HubRequest, at: datetime) -> None:
    if request.digest is not None:
        db.execute(
            "INSERT INTO hub_topics (topic, digest) VALUES (?, ?) ON CONFLICT DO NOTHING",
            [request.topic, request.digest],
        )
    db.execute(
        """
        INSERT INTO hub_requests
            (topic, callback, host, mode, next_try_at, lease_seconds, secret, reason, digest)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT (topic, callback) DO UPDATE SET host = excluded.host, mode = excluded.mode, tries = 0,
            next_try_at = excluded.next_try_at, lease_until = NULL, lease_owner = NULL,
            lease_seconds = excluded.lease_seconds, secret = excluded.secret, reason = excluded.reason,
            digest = excluded.digest
        """,
        [
            request.topic,
            request.callback,
            request.host,
            request.mode,
            time_text(at),
            round(request.lease.total_seconds()),
            request.secret,
            request.reason,
            request.digest,
        ],
    )


def _record_answer(db: Connection, answer: HubAnswer, now: datetime) -> None:
    request = answer.request
    mine = [request.id, request.token]
    if answer.next_try_at is not None:
        db.execute(
            f"UPDATE hub_requests SET tries = tries + 1, next_try_at = ?, {RELEASED}"
            " WHERE id = ? AND lease_owner = ?",
            [time_text(answer.next_try_at), *mine],
        )
        return
    done = db.execute("DELETE FROM hub_requests WHERE id = ? AND lease_owner = ?", mine)
    if not done.rowcount or not answer.is_confirmed:
        return
    match request.mode:
        case HubMode.SUBSCRIBE:
            _subscribe(db, request, now)
        case HubMode.UNSUBSCRIBE:
            db.execute(
                "DELETE FROM hub_subscribers WHERE topic = ? AND callback = ?",
                [request.topic, request.callback],
            )
        case HubMode.DENIED:
            pass


def _subscribe(db: Connection, request: HubRequest, now: datetime) -> None:
    """Have a callback be told from now on, and at once of what it lacks, or what came since it asked."""
    db.execute(
        """
        INSERT INTO hub_subscribers (topic, callback, kind, host, expires_at, secret, digest, next_try_at)
        VALUES (:topic, :callback, :kind, :host, :expires_at, :secret, :digest, CASE WHEN :digest IS (
            SELECT digest FROM hub_topics WHERE topic = :topic
        ) THEN NULL ELSE :now END)
        ON CONFLICT (topic, callback) DO UPDATE SET secret = :secret, expires_at = :expires_at,
            failures = 0, error = NULL,
            next_try_at = CASE WHEN hub_subscribers.next_try_at IS NOT NULL THEN :now END,
            lease_until = NULL, lease_owner = NULL
        """,
        {
            "topic": request.topic,
            "callback": request.callback,
            "kind": SubscriberKind.CALLBACK,
            "host": request.host,
            "expires_at": time_text(now + request.lease),
            "secret": request.secret,
            "digest": request.digest,
            "now": time_text(now),
        },
    )


# --------------------------------------------------------------------------- topics


def _settle(db: Connection, topics: Sequence[str], hub: str | None, reason: str, now: datetime) -> int:
    db.execute("DELETE FROM hub_subscribers WHERE expires_at <= ?", [time_text(now)])
    db.execute(
        "DELETE FROM hub_topics WHERE topic NOT IN (SELECT value FROM json_each(?))", [json_text(topics)]
    )
    denied = _deny_all_but(db, () if hub else topics, reason, now)
    return denied + _tell_hub(db, topics if hub else (), hub)


def _deny_all_but(db: Connection, topics: Sequence[str], reason: str, now: datetime) -> int:
    """Drop who subscribes to other topics, and have them told; return how many subscriptions that were."""
    given = {"topics": json_text(list(topics)), "reason": reason}
    is_other = "topic NOT IN (SELECT value FROM json_each(:topics))"
    of_others = f"FROM hub_subscribers WHERE kind = 'callback' AND {is_other}"
    dropped = db.execute(f"SELECT topic, callback, host {of_others} ORDER BY id", given).fetchall()
    for row in dropped:
        denial = HubRequest(
            mode=HubMode.DENIED,
            topic=row["topic"],
            callback=row["callback"],
            host=row["host"],
            reason=reason,
        )
        _keep_request(db, denial, _turn(db, row["host"], INTERVAL, now))
    db.execute(f"DELETE {of_others}", given)
    db.execute(
        f"UPDATE hub_requests SET mode = 'denied', reason = :reason WHERE mode = 'subscribe' AND {is_other}",
        given,
    )
    return len(dropped)


def _tell_hub(db: Connection, topics: Sequence[str], hub: str | None) -> int:
    """Have a hub of others be told of these topics, as soon as they have a document; return what changed."""
    others = "callback IS NOT :hub OR topic NOT IN (SELECT value FROM json_each(:topics))"
    given = {"hub": hub, "topics": json_text(list(topics))}
    dropped = db.execute(f"DELETE FROM hub_subscribers WHERE kind = 'hub' AND ({others})", given).rowcount
    rows = [(topic, hub, SubscriberKind.HUB, host_of(hub)) for topic in topics if hub]
    told = "INSERT INTO hub_subscribers (topic, callback, kind, host)"
    return dropped + insert_rows(db, told, rows, "ON CONFLICT DO NOTHING")


def _note_document(db: Connection, topic: str, digest: str, now: str) -> int:
    db.execute(
        "INSERT INTO hub_topics (topic, digest) VALUES (?1, ?2)"
        " ON CONFLICT (topic) DO UPDATE SET digest = ?2",
        [topic, digest],
    )
    return db.execute(
        "UPDATE hub_subscribers SET next_try_at = ? WHERE topic = ? AND next_try_at IS NULL"
        " AND digest IS NOT ?",
        [now, topic, digest],
    ).rowcount


# --------------------------------------------------------------------------- telling


def _claimable(db: Connection, limit: int, doubtful: int, per_host: int, now: str) -> Iterator[Row]:
    leased = db.execute(
        "SELECT host, count(*) AS n FROM hub_subscribers WHERE lease_until > ? GROUP BY host", [now]
    )
    taken = Counter({row["host"]: row["n"] for row in leased})
    due = db.execute(
        f"SELECT * FROM hub_subscribers WHERE next_try_at <= :now AND {_FREE} AND {_LIVE}"
        " ORDER BY failures > 0 OR was_slow, next_try_at, id LIMIT :most",
        {"now": now, "most": LOOKED_AT},
    ).fetchall()
    for row in due:
        is_doubtful = bool(row["failures"] or row["was_slow"])
        if limit <= 0 or (is_doubtful and doubtful <= 0):
            return
        if taken[row["host"]] < per_host:
            taken[row["host"]] += 1
            limit, doubtful = limit - 1, doubtful - is_doubtful
            yield row


def _record_told(db: Connection, told: Told) -> None:
    subscriber = told.subscriber
    mine = {"id": subscriber.id, "token": subscriber.token}
    if told.is_over:
        db.execute("DELETE FROM hub_subscribers WHERE id = :id AND lease_owner = :token", mine)
        return
    db.execute(
        f"""
        UPDATE hub_subscribers SET {RELEASED}, status = :status, error = :error,
            failures = CASE WHEN CAST(:next_try_at AS TEXT) IS NULL THEN 0 ELSE failures + 1 END,
            told = CASE WHEN CAST(:error AS TEXT) IS NULL THEN told + 1 ELSE told END,
            told_at = CASE WHEN CAST(:error AS TEXT) IS NULL THEN :at ELSE told_at END,
            digest = coalesce(:digest, digest), was_slow = :was_slow,
            next_try_at = CASE
                WHEN CAST(:error AS TEXT) IS NULL AND :digest IS NOT (
                    SELECT digest FROM hub_topics WHERE topic = hub_subscribers.topic
                ) THEN :at
                ELSE :next_try_at END
        WHERE id = :id AND lease_owner = :token
        """,
        {
            **mine,
            "status": told.status,
            "error": told.error,
            "at": time_text(told.at),
            "digest": told.digest,
            "was_slow": told.was_slow,
            "next_try_at": text_or_none(told.next_try_at),
        },
    )


def _lease(db: Connection, table: str, rows: Sequence[Row], token: str, until: datetime) -> None:
    db.executemany(
        f"UPDATE {table} SET lease_until = ?, lease_owner = ? WHERE id = ?",
        [(time_text(until), token, row["id"]) for row in rows],
    )
