"""Recording a poll: everything that follows from it, or nothing."""

import json
import sqlite3
import uuid
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from sqlite_utils import Database

from syndicate.model import Change, Entry, Poll, PollState, Recorded
from syndicate.store.rows import enclosures_json, host_of, text_or_none, time_text
from syndicate.store.sqlite_claims import host_to_ask
from syndicate.store.sqlite_items import keep_words
from syndicate.store.sqlite_matches import (
    count_alerts,
    end_matches_of_item,
    insert_alerts,
    mark_stale,
    recorded,
    upsert_match,
)

# After a poll that could not be written; doubles with each failure in a row.
SHORTEST_BACKOFF = timedelta(minutes=5)
LONGEST_BACKOFF = timedelta(hours=24)


def record_poll(db: Database, poll: Poll, now: datetime) -> Recorded:
    """See `Store.record_polls`; the savepoint of one poll."""
    row = db.execute(
        "SELECT id, address_index FROM sources WHERE slug = ? AND lease_owner = ?",
        [poll.claim.source.id, poll.claim.token],
    ).fetchone()
    if row is None:
        return Recorded(source=poll.claim.source.id, was_stale=True)
    try:
        with db.atomic():
            _record_source(db, row["id"], row["address_index"], poll)
            return _record_changes(db, row["id"], poll, now)
    except sqlite3.OperationalError:
        raise  # the database itself fails: no poll can be written
    except Exception as error:  # one bad source never stops the others
        if type(error) is sqlite3.DatabaseError:  # a damaged file
            raise
        text = f"could not be written, nothing of this poll was kept: {error!r}"
        _back_off(db, row["id"], poll, text, now)
        return Recorded(source=poll.claim.source.id, error=text)


def _record_source(db: Database, source: int, index: int, poll: Poll) -> None:
    _record_address(db, source, poll)
    urls = poll.claim.source.urls
    is_gone = poll.state is PollState.GONE
    next_index = index + (0 if is_gone else 1) if poll.try_next_address else 0
    succeeded = poll.state in (PollState.OK, PollState.UNCHANGED)
    db.execute(
        """
        UPDATE sources SET
            lease_until = NULL, lease_owner = NULL, address_index = :index, host = :host,
            next_poll_at = :next_poll_at, state = :state, failures = :failures, last_polled_at = :ended_at,
            last_success_at = CASE WHEN :succeeded THEN :ended_at ELSE last_success_at END,
            last_success_url = CASE WHEN :succeeded THEN :url ELSE last_success_url END,
            last_status = :status, last_error = :error
        WHERE id = :id
        """,
        {
            "id": source,
            "index": next_index,
            "host": host_to_ask(db, source, urls, next_index),
            "next_poll_at": time_text(poll.next_poll_at),
            "state": _source_state(db, source, poll),
            "failures": 0 if succeeded else poll.claim.failures + (0 if poll.try_next_address else 1),
            "ended_at": time_text(poll.ended_at),
            "succeeded": succeeded,
            "url": poll.claim.url,
            "status": poll.status,
            "error": poll.error,
        },
    )
    if succeeded:
        _forget_errors_of_later_addresses(db, source, poll)
    if poll.state is PollState.OK:
        db.execute(
            "UPDATE sources SET document_title = ?, document_link = ?, problems = ? WHERE id = ?",
            [poll.document_title, poll.document_link, json.dumps(poll.problems, ensure_ascii=False), source],
        )
    if poll.host_backoff_until:
        db.execute(
            "INSERT INTO hosts (host, backoff_until) VALUES (?, ?) ON CONFLICT (host) DO UPDATE"
            " SET backoff_until = max(coalesce(backoff_until, ''), excluded.backoff_until)",
            [host_of(poll.host_backoff_url or poll.claim.address), time_text(poll.host_backoff_until)],
        )


def _source_state(db: Database, source: int, poll: Poll) -> str:
    if poll.state in (PollState.OK, PollState.UNCHANGED):
        return "ok" if poll.claim.url == poll.claim.source.urls[0] else "fallback"
    if poll.state is PollState.GONE:
        gone = db.execute("SELECT url FROM addresses WHERE source = ? AND is_gone", [source])
        return "gone" if {row["url"] for row in gone} >= set(poll.claim.source.urls) else "failing"
    return "failing"


def _record_address(db: Database, source: int, poll: Poll) -> None:
    db.execute(
        """
        INSERT INTO addresses
            (source, url, adopted, moved_to, moved_count, is_gone, etag, last_modified,
            validated_url, body_hash, error)
        VALUES (:source, :url, :adopted, :moved_to, :moved_count, :is_gone, :etag, :last_modified,
            :validated_url, :body_hash, :error)
        ON CONFLICT (source, url) DO UPDATE SET
            adopted = excluded.adopted, moved_to = excluded.moved_to,
            moved_count = excluded.moved_count, is_gone = excluded.is_gone, etag = excluded.etag,
            last_modified = excluded.last_modified, validated_url = excluded.validated_url,
            body_hash = excluded.body_hash, error = excluded.error
        """,
        {
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
        },
    )


def _forget_errors_of_later_addresses(db: Database, source: int, poll: Poll) -> None:
    """An address after the one that works was not asked, so what it once said says nothing about today."""
    later = poll.claim.source.urls[poll.claim.source.urls.index(poll.claim.url) + 1 :]
    marks = ", ".join("?" * len(later))
    db.execute(
        f"UPDATE addresses SET error = NULL WHERE source = ? AND NOT is_gone AND url IN ({marks})",
        [source, *later],
    )


def _back_off(db: Database, source: int, poll: Poll, error: str, now: datetime) -> None:
    wait = max(poll.next_poll_at - now, SHORTEST_BACKOFF) * 2 ** min(poll.claim.failures, 10)
    db.execute(
        "UPDATE sources SET lease_until = NULL, lease_owner = NULL, state = 'failing', last_polled_at = ?,"
        " failures = failures + 1, last_error = ?, next_poll_at = ? WHERE id = ?",
        [time_text(now), error, time_text(now + min(wait, LONGEST_BACKOFF)), source],
    )


def _record_changes(db: Database, source: int, poll: Poll, now: datetime) -> Recorded:
    counts: Counter[str] = Counter()
    stale: set[str] = set()
    for change in poll.changes:
        if change.item is None:
            item, story = _insert_item(db, source, poll.claim.source.id, change, now)
            _take_key(db, source, change.keys[0], item)
            counts["new"] += 1
        else:
            item, story = _update_item(db, change.item, change, now)
            counts["changed"] += 1
            ended = end_matches_of_item(db, item, change.matches, now)
            counts["ended"] += len(ended)
            stale |= ended
        _insert_keys(db, source, [(key, item) for key in change.keys])
        _insert_story_keys(db, change.story_keys, story)
        new_rules = {match.rule for match in change.matches if upsert_match(db, item, match, now)}
        drafts = [draft for draft in change.alerts if draft.rule in new_rules]
        count_alerts(counts, insert_alerts(db, item, story, drafts, now))
        counts["matched"] += len(new_rules)
        stale |= {match.rule for match in change.matches}
    _insert_keys(db, source, poll.new_keys)
    mark_stale(db, stale)
    return recorded(poll.claim.source.id, counts)


def _insert_item(db: Database, source: int, slug: str, change: Change, now: datetime) -> tuple[int, int]:
    story = _story_of(db, change.story_keys, now)
    first_seen = time_text(now)
    values = _item_values(change) | {
        "source": source,
        "entry_id": _mint_entry_id(db, slug, change),
        "story": story,
        "revision": 1,
        "first_seen": first_seen,
        "changed_at": first_seen,
        "sort_at": time_text(min(now, change.entry.published or now)),
    }
    columns = ", ".join(values)
    marks = ", ".join(f":{name}" for name in values)
    item = _inserted_id(db.execute(f"INSERT INTO items ({columns}) VALUES ({marks})", values))
    keep_words(db, item, change.words, change.words_version)
    return item, story


def _update_item(db: Database, item: int, change: Change, now: datetime) -> tuple[int, int]:
    db.execute(
        "INSERT INTO revisions (item, revision, title, body, changed_at)"
        " SELECT id, revision, title, body, changed_at FROM items WHERE id = ?",
        [item],
    )
    values = _item_values(change) | {"changed_at": time_text(now)}
    assignments = ", ".join(f"{name} = :{name}" for name in values)
    db.execute(
        f"UPDATE items SET {assignments}, revision = revision + 1,"
        " sort_at = min(first_seen, coalesce(:published, first_seen)) WHERE id = :id",
        values | {"id": item},
    )
    keep_words(db, item, change.words, change.words_version)
    return item, db.execute("SELECT story FROM items WHERE id = ?", [item]).fetchone()["story"]


def _item_values(change: Change) -> dict[str, object]:
    entry = change.entry
    return {
        "content_hash": change.content_hash,
        "guid": entry.guid,
        "link": entry.link,
        "title": entry.title,
        "body": entry.body,
        "summary": entry.summary,
        "content_html": entry.content_html,
        "author": entry.author,
        "categories": json.dumps(entry.categories, ensure_ascii=False),
        "enclosures": enclosures_json(entry.enclosures),
        "language": change.language,
        "published": text_or_none(entry.published),
        "published_raw": entry.published_raw,
        "updated": text_or_none(entry.updated),
        "updated_raw": entry.updated_raw,
    }


def _mint_entry_id(db: Database, slug: str, change: Change) -> str:
    """Return the id that this item has in every published feed: the source's own if that is an IRI."""
    own = _iri_of(change.entry)
    if own and db.execute("SELECT 1 FROM items WHERE entry_id = ?", [own]).fetchone() is None:
        return own
    minted = uuid.uuid5(uuid.NAMESPACE_URL, f"{slug} {change.keys[0]}").urn
    taken = db.execute("SELECT 1 FROM items WHERE entry_id = ?", [minted]).fetchone()
    return uuid.uuid4().urn if taken else minted


def _iri_of(entry: Entry) -> str | None:
    guid = (entry.guid or "").strip()
    scheme, separator, rest = guid.partition(":")
    is_iri = scheme.lower() in ("http", "https", "tag", "urn") and separator and rest
    has_only_iri_characters = guid.isprintable() and not set(guid) & set(' <>"{}|\\^`')
    return guid if is_iri and has_only_iri_characters and len(guid) <= 2000 else None


def _story_of(db: Database, keys: Sequence[str], now: datetime) -> int:
    for key in keys:
        row = db.execute("SELECT story FROM story_keys WHERE key = ?", [key]).fetchone()
        if row is not None:
            return int(row["story"])
    return _inserted_id(db.execute("INSERT INTO stories (first_seen) VALUES (?)", [time_text(now)]))


def _take_key(db: Database, source: int, key: str, item: int) -> None:
    """Name a new item by its strongest key, also if that named another: without one it would be new again."""
    db.execute(
        "INSERT INTO item_keys (source, key, item) VALUES (?, ?, ?)"
        " ON CONFLICT (source, key) DO UPDATE SET item = excluded.item",
        [source, key, item],
    )


def _insert_keys(db: Database, source: int, keys: Iterable[tuple[str, int]]) -> None:
    for key, item in keys:
        db.execute(
            "INSERT OR IGNORE INTO item_keys (source, key, item) VALUES (?, ?, ?)", [source, key, item]
        )


def _insert_story_keys(db: Database, keys: Iterable[str], story: int) -> None:
    for key in keys:
        db.execute("INSERT OR IGNORE INTO story_keys (key, story) VALUES (?, ?)", [key, story])


def _inserted_id(cursor: sqlite3.Cursor) -> int:
    if cursor.lastrowid is None:
        raise sqlite3.InterfaceError("an INSERT gave no row id")
    return cursor.lastrowid
