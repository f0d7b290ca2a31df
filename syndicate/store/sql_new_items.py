"""Inserting what is new in a poll: all of it at once, since each statement costs as much as several rows."""

import json
import uuid
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from syndicate.edits import noticed_at_first
from syndicate.ids import absolute_iri, minted
from syndicate.model import Change, Source
from syndicate.store.rows import enclosures_json, evidence_json, text_or_none, time_text
from syndicate.store.sql import Connection
from syndicate.store.sql_many import insert_rows, stored
from syndicate.store.sql_stories import Placed, note_joinings

_JSON = json.JSONEncoder(ensure_ascii=False)


def insert_new_items(
    db: Connection, number: int, source: Source, new: Sequence[tuple[Change, Placed]], now: datetime
) -> None:
    """Insert items with their keys and matches, each into its story.

    The strongest key of each names it from now on, whatever it named before: without one it would be new
    again.
    """
    if not new:
        return
    first_seen = time_text(now)
    changes, placed = zip(*new, strict=True)
    items = [each.item for each in placed]
    entry_ids = _entry_ids(db, source, changes)
    values = [
        {
            "id": each.item,
            "source": number,
            "entry_id": entry_id,
            "story": each.story,
            "revision": 1,
            "first_seen": first_seen,
            "changed_at": first_seen,
            "noticed_revision": 1,
            "noticed_at": time_text(noticed_at_first(change.entry.published, change.entry.updated, now)),
            "sort_at": time_text(min(now, change.entry.published or now)),
            "came_late": change.came_late,
            **item_values(change),
        }
        for entry_id, (change, each) in zip(entry_ids, new, strict=True)
    ]
    insert_rows(db, f"INSERT INTO items ({', '.join(values[0])})", [[*row.values()] for row in values])
    _insert_keys(db, number, changes, items)
    note_joinings(db, placed)
    _insert_matches(db, zip(changes, values, strict=True), first_seen)


def _insert_matches(db: Connection, new: Iterable[tuple[Change, dict[str, object]]], matched_at: str) -> None:
    held = [
        (match.rule, row["id"], 1, evidence_json(match), matched_at, row["sort_at"])
        for change, row in new
        for match in change.matches
    ]
    insert_rows(db, "INSERT INTO matches (rule, item, revision, evidence, matched_at, sort_at)", held)
    insert_rows(db, "INSERT INTO match_arrivals (rule, item)", [(rule, item) for rule, item, *_ in held])


def item_values(change: Change) -> dict[str, object]:
    """Return the columns of an item that its source decides on."""
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
        "categories": _JSON.encode(entry.categories) if entry.categories else "[]",
        "enclosures": enclosures_json(entry.enclosures) if entry.enclosures else "[]",
        "language": change.language,
        "published": text_or_none(entry.published),
        "published_raw": entry.published_raw,
        "updated": text_or_none(entry.updated),
        "updated_raw": entry.updated_raw,
    }


def _insert_keys(db: Connection, source: int, changes: Sequence[Change], items: Iterable[int]) -> None:
    named = list(zip(changes, items, strict=True))
    what = "INTO item_keys (source, key, item)"
    item_by_key = {change.keys[0]: item for change, item in named}
    insert_rows(
        db,
        f"INSERT {what}",
        [(source, key, item) for key, item in item_by_key.items()],
        "ON CONFLICT (source, key) DO UPDATE SET item = excluded.item",
    )
    insert_rows(
        db,
        f"INSERT {what}",
        [(source, key, item) for change, item in named for key in change.keys[1:]],
        "ON CONFLICT DO NOTHING",
    )


# --------------------------------------------------------------------------- ids in published feeds


def _entry_ids(db: Connection, source: Source, changes: Sequence[Change]) -> Iterator[str]:
    """Yield the id that each item has in every published feed: the source's own if that is an IRI."""
    first = [absolute_iri(change.entry.guid) or _minted(source, change) for change in changes]
    taken = set(stored(db, "items", "entry_id", "id", first))
    for entry_id, change in zip(first, changes, strict=True):
        if entry_id in taken:
            entry_id = _minted(source, change)
            if entry_id in taken or stored(db, "items", "entry_id", "id", [entry_id]):
                entry_id = uuid.uuid4().urn
        taken.add(entry_id)
        yield entry_id


def _minted(source: Source, change: Change) -> str:
    return minted(source.urls[0], source.id, change.keys[0])
