"""Stories: which one an item is of, by its keys or by a text that is alike, and why."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from syndicate.model import Change, Joined, JoinedBy, StoryStatus
from syndicate.near import FINGERPRINT_VERSION, Fingerprint, Likeness, alike, candidates, fingerprint_from
from syndicate.store.protocol import STORY_WINDOW
from syndicate.store.rows import Row, time_text
from syndicate.store.sql import Connection
from syndicate.store.sql_many import insert_rows, stored

ITEMS_A_KEY = 32  # the newest that are read for each key of a fingerprint
_CLEARED_EVERY = timedelta(days=1)
_MAX_INTEGER = 2**63 - 1
_OF_TEXT = "text:"  # how keys of equal texts begin


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """An item's text as others are compared with it."""

    item: int
    story: int
    seen_at: str
    fingerprint: Fingerprint


class Neighbours:
    """Texts of the last days that those of a transaction may be alike: read once for all of them.

    What the transaction places is found by what it places later. `settle` or `undo` follows each part of it,
    and `write` the last one.
    """

    def __init__(
        self, db: Connection, texts: Iterable[Fingerprint], now: datetime, items: Iterable[int] = ()
    ) -> None:
        """Read what these texts may be alike, and which of these items have a fingerprint already."""
        self._settled: list[Text] = []
        self._pending: list[Text] = []
        self._items_by_key: defaultdict[int, list[int]] = defaultdict(list)
        self._text_by_item: dict[int, Text] = {}
        self._known = _having_one(db, items)
        texts = list(texts)
        if texts:
            _clear_bands(db, now)
            self._read(db, texts, _oldest(db, now))

    def _read(self, db: Connection, texts: Sequence[Fingerprint], oldest: int) -> None:
        keys = list({key for text in texts for key in text.bands})
        for key, item in db.execute(BY_KEYS, {"keys": json.dumps(keys), "oldest": oldest}):
            self._items_by_key[key].append(item)
        wanted = {item for text in texts for item in self._candidates(text)}
        self._text_by_item = {text.item: text for text in _texts(db, wanted)}

    def told_by(self, text: Fingerprint | None) -> tuple[Text, Likeness] | None:
        """Return the text that tells the same as this one, None if none does.

        Of several stories it is that of most such texts, then that of the closest.
        """
        if text is None:
            return None
        near = [self._text_by_item[item] for item in self._candidates(text) if item in self._text_by_item]
        found = [
            (self._text_by_item[item], likeness)
            for item, likeness in alike(text, {other.item: other.fingerprint for other in near})
        ]
        tellers = Counter(other.story for other, _ in found)
        return max(
            found,
            key=lambda pair: (tellers[pair[0].story], pair[1].words, -pair[0].item),
            default=None,
        )

    def add(self, text: Text) -> bool:
        """Have a text be compared with from now on; return False if its item had one before, which stays."""
        if text.item in self._known:
            return False
        self._known.add(text.item)
        self._pending.append(text)
        self._text_by_item[text.item] = text
        for key in text.fingerprint.bands:
            self._items_by_key[key].append(text.item)
        return True

    def settle(self) -> None:
        """Keep what was added."""
        self._settled += self._pending
        self._pending = []

    def undo(self) -> None:
        """Forget what was added since others were settled: it was not written."""
        for text in self._pending:
            del self._text_by_item[text.item]
            self._known.remove(text.item)
            for key in text.fingerprint.bands:
                self._items_by_key[key].remove(text.item)
        self._pending = []

    def write(self, db: Connection) -> None:
        """Write what was settled; in the order of the keys, so that a page of the table is met once.

        What is there already stays: no poll is lost to it.
        """
        insert_rows(
            db,
            "INSERT INTO fingerprints (item, story, version, seen_at, words)",
            [
                (text.item, text.story, FINGERPRINT_VERSION, text.seen_at, text.fingerprint.to_bytes())
                for text in self._settled
            ],
            "ON CONFLICT DO NOTHING",
        )
        rows = sorted((key, text.item) for text in self._settled for key in text.fingerprint.bands)
        db.executemany("INSERT INTO bands (key, item) VALUES (?, ?) ON CONFLICT DO NOTHING", rows)
        self._settled = []

    def _candidates(self, text: Fingerprint) -> list[int]:
        met = (self._items_by_key.get(key, ()) for key in text.bands)
        return candidates(item for some in met for item in some)


BY_KEYS = f"""
    SELECT b.key, b.item FROM (SELECT CAST(value AS BIGINT) AS key FROM json_each(:keys)) AS asked
    JOIN bands b ON b.key = asked.key AND b.item >= max(:oldest, coalesce((
        SELECT item FROM bands WHERE key = asked.key ORDER BY item DESC LIMIT 1 OFFSET {ITEMS_A_KEY - 1}
    ), 0))
"""


def _texts(db: Connection, items: Iterable[int]) -> Iterator[Text]:
    rows = db.execute(
        "SELECT item, story, seen_at, words FROM fingerprints"
        " WHERE item IN (SELECT CAST(value AS BIGINT) FROM json_each(?)) AND version = ?",
        [json.dumps(list(items)), FINGERPRINT_VERSION],
    )
    for item, story, seen_at, words in rows:
        yield Text(item=item, story=story, seen_at=seen_at, fingerprint=fingerprint_from(words))


def _having_one(db: Connection, items: Iterable[int]) -> set[int]:
    asked = list(items)
    if not asked:
        return set()
    rows = db.execute(
        "SELECT item FROM fingerprints WHERE item IN (SELECT CAST(value AS BIGINT) FROM json_each(?))",
        [json.dumps(asked)],
    )
    return {row[0] for row in rows}


def _oldest(db: Connection, now: datetime) -> int:
    """Return the first item that a text is compared with. Items are numbered as they are first seen."""
    row = db.execute(
        "SELECT item FROM fingerprints WHERE seen_at >= ? ORDER BY seen_at, item LIMIT 1",
        [time_text(now - STORY_WINDOW)],
    ).fetchone()
    return int(row["item"]) if row else _MAX_INTEGER


def _clear_bands(db: Connection, now: datetime) -> None:
    """Once a day, delete the bands of texts that nothing is compared with any more."""
    due = db.execute(
        "UPDATE installation SET bands_cleared_at = ?1"
        " WHERE bands_cleared_at IS NULL OR bands_cleared_at <= ?2",
        [time_text(now), time_text(now - _CLEARED_EVERY)],
    )
    if due.rowcount:
        db.execute("DELETE FROM bands WHERE item < ?", [_oldest(db, now)])


# --------------------------------------------------------------------------- placing new items


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A new item's number and story, and by what it is one with others."""

    item: int
    story: int
    joined: Joined | None = None  # None: it is the first of its story


def place(db: Connection, changes: Sequence[Change], neighbours: Neighbours, now: datetime) -> list[Placed]:
    """Return the story of each new item: that of a key or of a text that is alike, else one of its own.

    The stories are written, and their keys; the items are not, which are numbered in order. Of two items with
    the key of one story, the first has it.
    """
    if not changes:
        return []
    keys = (key for change in changes for key in change.story_keys)
    story_by_key = stored(db, "story_keys", "key", "story", keys)
    known, first = set(story_by_key), _next_id(db, "stories")
    following, seen_at = first, time_text(now)
    found: list[Placed] = []
    for item, change in enumerate(changes, _next_id(db, "items")):
        story, joined = (
            _by_key(change.story_keys, story_by_key) or _by_text(change, neighbours) or (following, None)
        )
        following += story == following
        for key in change.story_keys:
            story_by_key.setdefault(key, story)
        if change.fingerprint is not None:
            neighbours.add(Text(item=item, story=story, seen_at=seen_at, fingerprint=change.fingerprint))
        found.append(Placed(item=item, story=story, joined=joined))
    insert_rows(
        db, "INSERT INTO stories (id, first_seen)", [(story, seen_at) for story in range(first, following)]
    )
    new = [(key, story) for key, story in story_by_key.items() if key not in known]
    insert_rows(db, "INSERT INTO story_keys (key, story)", new)
    return found


def join_late(db: Connection, item: int, own: int, change: Change, neighbours: Neighbours) -> int:
    """Return the story of an edited item: that of a text equal or alike, if no rule held for it before.

    Its text was not looked at then, so it has a story of its own, which others may have told meanwhile. One
    that another item is in as well stays.
    """
    texts = [key for key in change.story_keys if key.startswith(_OF_TEXT)]
    found = _by_key(texts, stored(db, "story_keys", "key", "story", texts)) or _by_text(change, neighbours)
    if found is None or found[0] == own:
        return own
    is_known = db.execute(
        "SELECT 1 FROM matches WHERE item = ?1"
        " UNION ALL SELECT 1 FROM items WHERE story = ?2 AND id <> ?1 LIMIT 1",
        [item, own],
    )
    if is_known.fetchone() is not None:
        return own
    story, joined = found
    db.execute("UPDATE items SET story = ? WHERE id = ?", [story, item])
    db.execute("UPDATE story_keys SET story = ? WHERE story = ?", [story, own])
    note_joinings(db, [Placed(item=item, story=story, joined=joined)])
    return story


def note_joinings(db: Connection, placed: Iterable[Placed]) -> None:
    """Write by what items came to their stories, where those had others before."""
    joined_by_item = {each.item: each.joined for each in placed if each.joined}
    insert_rows(
        db,
        "INSERT INTO joinings (item, how, other, evidence)",
        [(item, joined.by.value, joined.other, joined.evidence) for item, joined in joined_by_item.items()],
        "ON CONFLICT (item) DO UPDATE SET"
        " how = excluded.how, other = excluded.other, evidence = excluded.evidence",
    )


def _next_id(db: Connection, table: str) -> int:
    (last,) = db.execute(f"SELECT coalesce(max(id), 0) FROM {table}").fetchone()
    return int(last) + 1


def _by_key(keys: Iterable[str], story_by_key: Mapping[str, int]) -> tuple[int, Joined] | None:
    for key in keys:
        if key in story_by_key:
            by = JoinedBy.TEXT if key.startswith(_OF_TEXT) else JoinedBy.LINK
            return story_by_key[key], Joined(by=by)
    return None


def _by_text(change: Change, neighbours: Neighbours) -> tuple[int, Joined] | None:
    found = neighbours.told_by(change.fingerprint)
    if found is None:
        return None
    other, likeness = found
    return other.story, Joined(by=JoinedBy.ALIKE, other=other.item, evidence=str(likeness))


# --------------------------------------------------------------------------- looking


def story_of(db: Connection, item: int) -> StoryStatus | None:
    """See `Store.story_of`."""
    row = db.execute(
        "SELECT i.story, j.how, j.other, j.evidence FROM items i LEFT JOIN joinings j ON j.item = i.id"
        " WHERE i.id = ?",
        [item],
    ).fetchone()
    if row is None:
        return None
    members = db.execute(
        "SELECT i.id, s.slug FROM items i JOIN sources s ON s.id = i.source WHERE i.story = ? ORDER BY i.id",
        [row["story"]],
    ).fetchall()
    return StoryStatus(
        id=row["story"],
        items=tuple((member["id"], member["slug"]) for member in members),
        joined=_joined_of(row) if row["how"] else None,
    )


def _joined_of(row: Row) -> Joined:
    return Joined(by=JoinedBy(row["how"]), other=row["other"], evidence=row["evidence"])
