"""Recording a poll: everything that follows from it, or nothing."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from syndicate.model import FULL_TEXT, Poll, PollState, Recorded
from syndicate.store.rows import (
    Row,
    bad_answer_json,
    host_of,
    json_text,
    parts_json,
    text_or_none,
    time_of,
    time_text,
)
from syndicate.store.sql import Connection
from syndicate.store.sql_articles import note_articles
from syndicate.store.sql_changes import Later, record_changes
from syndicate.store.sql_claims import (
    first_to_ask,
    host_to_ask,
    leave_alone,
    live_addresses,
    next_to_ask,
)
from syndicate.store.sql_feeds import mark_stale
from syndicate.store.sql_items import keep_words
from syndicate.store.sql_learned import record_lessons
from syndicate.store.sql_pushes import give_push_up, note_doubts, record_push
from syndicate.store.sql_stories import Neighbours

# After a poll that could not be written; doubles with each failure in a row.
SHORTEST_BACKOFF = timedelta(minutes=5)
LONGEST_BACKOFF = timedelta(hours=24)
_READ = (PollState.OK, PollState.UNCHANGED)
_FAILED = (PollState.FAILED, PollState.GONE)
_PUT_ADDRESS = """
    INSERT INTO addresses
        (source, url, adopted, moved_to, moved_count, is_gone, etag, last_modified,
        validated_url, body_hash, error, held_until, unchanged_since, checked_at, strikes, without_etag,
        without_last_modified, read_at, brought_at, stale_until, format, parts)
    VALUES (:source, :url, :adopted, :moved_to, :moved_count, :is_gone, :etag, :last_modified,
        :validated_url, :body_hash, :error, :held_until, :unchanged_since, :checked_at, :strikes,
        :without_etag, :without_last_modified, :read_at, :brought_at, :stale_until, :format, :parts)
    ON CONFLICT (source, url) DO UPDATE SET
        adopted = excluded.adopted, moved_to = excluded.moved_to,
        moved_count = excluded.moved_count, is_gone = excluded.is_gone, etag = excluded.etag,
        last_modified = excluded.last_modified, validated_url = excluded.validated_url,
        body_hash = excluded.body_hash, error = excluded.error,
        held_until = excluded.held_until, unchanged_since = excluded.unchanged_since,
        checked_at = excluded.checked_at,
        strikes = excluded.strikes, without_etag = excluded.without_etag,
        without_last_modified = excluded.without_last_modified,
        read_at = coalesce(excluded.read_at, addresses.read_at),
        brought_at = coalesce(excluded.brought_at, addresses.brought_at),
        stale_until = excluded.stale_until, format = excluded.format, parts = excluded.parts
"""
_PUT_TIMES_AND = """
    UPDATE sources SET
        lease_until = NULL, lease_owner = NULL, address_index = :index, host = :host, is_look = :is_look,
        next_poll_at = :next_poll_at, next_poll_why = :next_poll_why, last_polled_at = :ended_at,
        requests = requests + :requests, received_bytes = received_bytes + :received_bytes
        {} WHERE id = :id
"""
_PUT_TIMES = _PUT_TIMES_AND.format("")
_PUT_SOURCE = _PUT_TIMES_AND.format("""
        , state = :state, failures = :failures, last_status = :status, last_error = :error,
        last_success_at = CASE WHEN :succeeded THEN :ended_at ELSE last_success_at END,
        last_success_url = CASE WHEN :succeeded THEN :url ELSE last_success_url END
""")  # with how a source is, which the address that it goes by decides

_PUT_DAY = """
    INSERT INTO poll_days (source, day, good, failed, items) VALUES (:id, :day, :good, :failed, :items)
    ON CONFLICT (source, day) DO UPDATE SET
        good = poll_days.good + excluded.good, failed = poll_days.failed + excluded.failed,
        items = poll_days.items + excluded.items
"""
_PUT_FAILURE = """
    INSERT INTO last_failures (source, at, url, error, answer) VALUES (:id, :at, :url, :error, :answer)
    ON CONFLICT (source) DO UPDATE SET
        at = excluded.at, url = excluded.url, error = excluded.error, answer = excluded.answer
"""


def record_polls(db: Connection, polls: Sequence[Poll], now: datetime) -> list[Recorded]:
    """See `Store.record_polls`."""
    later = Later(neighbours=_neighbours(db, polls, now))
    done = _record_plain_polls(db, polls, now)
    recorded = [
        Recorded(source=poll.claim.source.id) if place in done else _record_poll(db, poll, later, now)
        for place, poll in enumerate(polls)
    ]
    if later.stale:
        mark_stale(db, later.stale, later.sources)
    later.neighbours.write(db)
    if later.words:
        keep_words(db, later.words)
    return recorded


def _record_plain_polls(db: Connection, polls: Sequence[Poll], now: datetime) -> set[int]:
    """Record at once, and as `_record_poll` would one by one, those that change nothing but the times.

    Most do. Returns the places of those that were recorded.
    """
    plain = {poll.claim.source.id: (place, poll) for place, poll in enumerate(polls) if _is_plain(poll)}
    if not plain:
        return set()
    rows = db.execute(
        "SELECT id, slug, lease_owner, next_poll_at, next_poll_why FROM sources"
        f" WHERE slug IN (SELECT value FROM json_each(?)) {db.unless_taken('sources')}",
        [json_text(list(plain))],
    )
    due = {}
    for row in rows:
        place, poll = plain[row["slug"]]
        if poll.claim.token == row["lease_owner"]:
            due[place] = row["id"], _due_as_asked_meanwhile(row, poll)
    try:
        with db.atomic():
            db.executemany(_PUT_ADDRESS, [_address_values(*each, now) for each in due.values()])
            db.executemany(_PUT_SOURCE, [_source_values(db, 0, *each) for each in due.values()])
            db.executemany(_PUT_DAY, [_day_values(*each, 0, now) for each in due.values()])
    except Exception as error:  # one of them cannot be written: which, will turn out
        if db.is_failing(error):
            raise
        return set()
    return set(due)


def _is_plain(poll: Poll) -> bool:
    """Return whether nothing follows from a poll but when its source was asked and when it is due."""
    return (
        poll.state is PollState.UNCHANGED
        and poll.claim.push is None
        and len(poll.claim.source.urls) == 1
        and poll.is_in_charge
        and not poll.try_next_address
        and poll.host_backoff_until is None
        and (poll.learned is None and poll.listed is None and poll.gap is None and poll.doubts is None)
        and not (poll.changes or poll.new_keys or poll.articles or poll.notices)
    )


def _neighbours(db: Connection, polls: Sequence[Poll], now: datetime) -> Neighbours:
    told = [change for poll in polls for change in poll.changes if change.fingerprint]
    texts = [change.fingerprint for change in told if change.fingerprint]
    return Neighbours(db, texts, now, [change.item for change in told if change.item is not None])


def _record_poll(db: Connection, poll: Poll, later: Later, now: datetime) -> Recorded:
    """Record one poll within a savepoint."""
    row = db.execute(
        "SELECT id, address_index, next_poll_at, next_poll_why FROM sources"
        f" WHERE slug = ? AND lease_owner = ? {db.unless_taken('sources')}",
        [poll.claim.source.id, poll.claim.token],
    ).fetchone()
    if row is None:
        return Recorded(source=poll.claim.source.id, was_stale=True)
    try:
        with db.atomic():
            if poll.claim.push is not None:
                record_push(db, row["id"], poll, poll.claim.push)
            else:
                poll = _due_as_asked_meanwhile(row, poll)
                _record_source(db, row["id"], row["address_index"], poll, now)
            mine = Later(neighbours=later.neighbours)
            done, new_items = record_changes(db, row["id"], poll, mine, now)
            note_articles(db, row["id"], poll.articles, new_items)
            note_doubts(db, row["id"], poll)
            notices = record_lessons(db, row["id"], poll, new_items, now)
            db.execute(_PUT_DAY, _day_values(row["id"], poll, done.new, now))
            if poll.state in _FAILED:
                db.execute(_PUT_FAILURE, _failure_values(row["id"], poll))
        later.neighbours.settle()
        later.words += mine.words
        later.stale |= mine.stale
        later.sources |= {poll.claim.source.id} if mine.stale else set()
        return replace(done, alerts=done.alerts + notices)
    except Exception as error:  # one bad source never stops the others
        if db.is_failing(error):
            raise
        later.neighbours.undo()
        text = f"could not be written, nothing of this poll was kept: {error!r}"
        if poll.claim.push is not None:
            give_push_up(db, row["id"], poll.claim.push, text, now)
        else:
            _back_off(db, row["id"], poll, text, now)
        return Recorded(source=poll.claim.source.id, error=text)


def _record_source(db: Connection, source: int, index: int, poll: Poll, now: datetime) -> None:
    db.execute(_PUT_ADDRESS, _address_values(source, poll, now))
    next_index = _next_index(db, source, index, poll)
    db.execute(_PUT_SOURCE if poll.is_in_charge else _PUT_TIMES, _source_values(db, next_index, source, poll))
    if poll.is_in_charge:
        _record_document(db, source, poll)
    if poll.host_backoff_until:
        leave_alone(db, poll.host_backoff_url or poll.claim.address, poll.host_backoff_until)


def _source_values(db: Connection, next_index: int, source: int, poll: Poll) -> dict[str, Any]:
    claim, urls, has_succeeded = poll.claim, poll.claim.source.urls, poll.state in _READ
    return {
        "id": source,
        "index": next_index,
        "host": host_to_ask(db, source, urls, next_index) if len(urls) > 1 else _own_host(poll),
        "is_look": poll.try_next_address and (claim.is_look or (poll.is_in_charge and has_succeeded)),
        "next_poll_at": time_text(poll.next_poll_at),
        "next_poll_why": poll.next_poll_why,
        "requests": poll.spent.requests,
        "received_bytes": poll.spent.received_bytes,
        "state": _source_state(db, source, poll),
        "failures": 0 if has_succeeded else claim.failures + (0 if poll.try_next_address else 1),
        "ended_at": time_text(poll.ended_at),
        "succeeded": has_succeeded,
        "url": claim.url,
        "status": poll.status,
        "error": poll.error,
    }


def _day_values(source: int, poll: Poll, items: int, now: datetime) -> dict[str, Any]:
    has_failed = poll.state not in (*_READ, PollState.PUSHED)
    return {
        "id": source,
        "day": time_text(now)[:10],
        "good": int(not has_failed),
        "failed": int(has_failed),
        "items": items,
    }


def _failure_values(source: int, poll: Poll) -> dict[str, Any]:
    return {
        "id": source,
        "at": time_text(poll.ended_at),
        "url": poll.claim.url,
        "error": poll.error or "",
        "answer": poll.bad_answer and bad_answer_json(poll.bad_answer),
    }


def _due_as_asked_meanwhile(row: Row, poll: Poll) -> Poll:
    """Return a poll after which its source is due when it was made due since it was claimed, if sooner."""
    due_at = time_of(row["next_poll_at"])
    if poll.state not in _READ or not poll.claim.due_at < due_at < poll.next_poll_at:
        return poll
    return replace(poll, next_poll_at=due_at, next_poll_why=row["next_poll_why"])


def _next_index(db: Connection, source: int, index: int, poll: Poll) -> int:
    """Return which of the live addresses is asked next."""
    urls = poll.claim.source.urls
    if len(urls) == 1:
        return 0
    if poll.try_next_address:
        # What has said 410 is not among them any more.
        before = index - 1 if poll.state is PollState.GONE else index
        following = next_to_ask(db, source, live_addresses(db, source, urls), before, poll.ended_at)
        return before + 1 if following is None else following
    has_failed = poll.is_in_charge and poll.state not in _READ  # then a stale address is better than none
    in_charge = poll.claim.url if poll.is_in_charge else poll.claim.last_success_url
    return first_to_ask(db, source, urls, poll.next_poll_at, None if has_failed else in_charge)


def _record_document(db: Connection, source: int, poll: Poll) -> None:
    if poll.state in _READ:
        _forget_errors_of_later_addresses(db, source, poll)
    if poll.state is PollState.OK:
        db.execute(
            "UPDATE sources SET document_title = ?, document_link = ?, document_id = ?, problems = ?"
            " WHERE id = ?",
            [
                poll.document_title,
                poll.document_link,
                poll.document_id,
                json.dumps(poll.problems, ensure_ascii=False),
                source,
            ],
        )
    elif poll.articles:
        _replace_problems_with_articles(db, source, poll.problems)


def _replace_problems_with_articles(db: Connection, source: int, problems: Sequence[str]) -> None:
    """Keep what was the matter with the document; of its articles, what is the matter now."""
    (text,) = db.execute("SELECT problems FROM sources WHERE id = ?", [source]).fetchone()
    others = [each for each in json.loads(text) if not each.startswith(FULL_TEXT)]
    db.execute(
        "UPDATE sources SET problems = ? WHERE id = ?",
        [json.dumps([*others, *problems], ensure_ascii=False), source],
    )


def _own_host(poll: Poll) -> str:
    return host_of(poll.adopted or poll.claim.url)


def _source_state(db: Connection, source: int, poll: Poll) -> str:
    if poll.state in (PollState.OK, PollState.UNCHANGED):
        return "ok" if poll.claim.url == poll.claim.source.urls[0] else "fallback"
    if poll.state is PollState.GONE:
        gone = db.execute("SELECT url FROM addresses WHERE source = ? AND is_gone", [source])
        return "gone" if {row["url"] for row in gone} >= set(poll.claim.source.urls) else "failing"
    return "failing"


def _address_values(source: int, poll: Poll, now: datetime) -> dict[str, Any]:
    return {
        "source": source,
        "url": poll.claim.url,
        "adopted": poll.adopted,
        "moved_to": poll.moved_to,
        "moved_count": poll.moved_count,
        "is_gone": poll.state is PollState.GONE,
        "etag": poll.validators.etag,
        "last_modified": poll.validators.last_modified,
        "validated_url": poll.validators.url,
        "body_hash": poll.body_hash,
        "error": poll.error,
        "held_until": text_or_none(poll.held_until),
        "unchanged_since": text_or_none(poll.trust.unchanged_since),
        "checked_at": text_or_none(poll.trust.checked_at),
        "strikes": poll.trust.strikes,
        "without_etag": poll.trust.without_etag,
        "without_last_modified": poll.trust.without_last_modified,
        "read_at": text_or_none(poll.ended_at if poll.state in _READ else None),
        "brought_at": text_or_none(now if poll.has_news else None),
        "stale_until": text_or_none(poll.stale_until),
        "format": poll.format,
        "parts": parts_json(poll.parts),
    }


def _forget_errors_of_later_addresses(db: Connection, source: int, poll: Poll) -> None:
    """An address after the one that works was not asked, so what it once said says nothing about today."""
    later = poll.claim.source.urls[poll.claim.source.urls.index(poll.claim.url) + 1 :]
    if not later:
        return
    marks = ", ".join("?" * len(later))
    db.execute(
        f"UPDATE addresses SET error = NULL WHERE source = ? AND NOT is_gone AND url IN ({marks})",
        [source, *later],
    )


def _back_off(db: Connection, source: int, poll: Poll, error: str, now: datetime) -> None:
    wait = max(poll.next_poll_at - now, SHORTEST_BACKOFF) * 2 ** min(poll.claim.failures, 10)
    at, urls = now + min(wait, LONGEST_BACKOFF), poll.claim.source.urls
    in_charge = poll.claim.last_success_url if poll.claim.is_look else None
    index = first_to_ask(db, source, urls, at, in_charge)
    db.execute(
        "UPDATE sources SET lease_until = NULL, lease_owner = NULL, state = 'failing', last_polled_at = ?,"
        " failures = failures + 1, last_error = ?, next_poll_at = ?, address_index = ?, is_look = FALSE,"
        " host = ?, next_poll_why = 'its last poll could not be written' WHERE id = ?",
        [time_text(now), error, time_text(at), index, host_to_ask(db, source, urls, index), source],
    )
