"""What a poll has found new or changed: items, matches, stories, and the alerts that follow."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from syndicate.edits import essence
from syndicate.model import Change, Entry, Poll, Recorded
from syndicate.store.rows import enclosures_of, time_text
from syndicate.store.sql import Connection
from syndicate.store.sql_escalations import insert_escalations
from syndicate.store.sql_feeds import touch_entries
from syndicate.store.sql_items import Kept
from syndicate.store.sql_many import insert_rows
from syndicate.store.sql_matches import (
    Told,
    end_matches_of_item,
    insert_alerts,
    recorded,
    upsert_match,
)
from syndicate.store.sql_new_items import insert_new_items, item_values
from syndicate.store.sql_stories import Neighbours, Text, join_late, place


@dataclass(slots=True, kw_only=True)
class Later:
    """What follows from several polls together, and cannot fail for one alone."""

    neighbours: Neighbours
    words: list[Kept] = field(default_factory=list)
    stale: set[str] = field(default_factory=set)  # rules whose feeds lack something
    sources: set[str] = field(default_factory=set)  # that this comes from


def record_changes(
    db: Connection, source: int, poll: Poll, later: Later, now: datetime
) -> tuple[Recorded, Mapping[str, int]]:
    """Write what is new and changed; return the numbers, and the new items by their first key."""
    if not poll.changes and not poll.new_keys:
        return recorded(poll.claim.source.id, Counter()), {}
    new = [change for change in poll.changes if change.item is None]
    placed = place(db, new, later.neighbours, now)
    insert_new_items(db, source, poll.claim.source, list(zip(new, placed, strict=True)), now)
    numbered, counts = iter(placed), Counter(new=len(new))
    alerts: list[Told] = []
    for change in poll.changes:
        if change.item is None:
            each = next(numbered)
            item, story = each.item, each.story
            first_held = {match.rule for match in change.matches}
        else:
            item, story = _update_item(db, source, change, later.neighbours, now)
            ended = end_matches_of_item(db, item, change.matches, now)
            first_held = {match.rule for match in change.matches if upsert_match(db, item, match, now)}
            counts.update(changed=1, ended=len(ended))
            later.stale |= ended
        counts["matched"] += len(first_held)
        alerts += (
            Told(item=item, story=story, draft=draft) for draft in change.alerts if draft.rule in first_held
        )
        later.stale |= {match.rule for match in change.matches}
        later.words.append(Kept(item=item, words=change.words, version=change.words_version))
    insert_alerts(db, alerts, now, counts)
    insert_escalations(db, alerts, now, counts)
    _insert_keys(db, source, poll.new_keys)
    new_items = {change.keys[0]: each.item for change, each in zip(new, placed, strict=True)}
    return recorded(poll.claim.source.id, counts), new_items


def _update_item(
    db: Connection, source: int, change: Change, neighbours: Neighbours, now: datetime
) -> tuple[int, int]:
    """Make an item what it is now; return it and its story."""
    item = change.item
    assert item is not None  # noqa: S101  it is no new one
    db.execute(
        "INSERT INTO revisions (item, revision, title, body, changed_at)"
        " SELECT id, revision, title, body, changed_at FROM items WHERE id = ?",
        [item],
    )
    values = item_values(change) | {"changed_at": time_text(now)}
    assignments = ", ".join(f"{name} = :{name}" for name in values)
    if _is_noticed(db, item, change.entry):
        assignments += ", noticed_revision = revision + 1, noticed_at = :changed_at"
    db.execute(
        f"UPDATE items SET {assignments}, revision = revision + 1,"
        " sort_at = min(first_seen, coalesce(:published, first_seen)) WHERE id = :id",
        values | {"id": item},
    )
    db.execute(
        "UPDATE matches SET sort_at = (SELECT sort_at FROM items WHERE id = ?1) WHERE item = ?1", [item]
    )
    touch_entries(db, [item])
    row = db.execute("SELECT story, first_seen FROM items WHERE id = ?", [item]).fetchone()
    story = int(row["story"])
    if change.fingerprint is not None:
        story = join_late(db, item, story, change, neighbours)
        text = Text(item=item, story=story, seen_at=row["first_seen"], fingerprint=change.fingerprint)
        neighbours.add(text)
    _insert_keys(db, source, [(key, item) for key in change.keys])
    insert_rows(
        db,
        "INSERT INTO story_keys (key, story)",
        [(key, story) for key in change.story_keys],
        "ON CONFLICT DO NOTHING",
    )
    return item, story


def _is_noticed(db: Connection, item: int, entry: Entry) -> bool:
    """Return whether readers should notice what has become of an item."""
    row = db.execute("SELECT title, body, link, enclosures FROM items WHERE id = ?", [item]).fetchone()
    enclosures = [enclosure.url for enclosure in enclosures_of(row["enclosures"])]
    before = essence(row["title"], row["body"], row["link"], enclosures)
    return before != essence(entry.title, entry.body, entry.link, [each.url for each in entry.enclosures])


def _insert_keys(db: Connection, source: int, keys: Sequence[tuple[str, int]]) -> None:
    rows = [(source, key, item) for key, item in keys]
    insert_rows(db, "INSERT INTO item_keys (source, key, item)", rows, "ON CONFLICT DO NOTHING")
