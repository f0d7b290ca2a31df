"""Looking items up: by key, and as lists."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from syndicate.model import FoundItem, Item, KnownItem
from syndicate.store.rows import item_of, time_of, time_text
from syndicate.store.searching import ItemFilter
from syndicate.store.sql import Connection, WordIndex
from syndicate.store.sql_many import insert_rows

_KEYS_AT_ONCE = 500

ITEM_COLUMNS = """
    i.id, s.slug AS source, i.entry_id, i.revision, i.story, i.guid, i.link, i.title, i.body, i.summary,
    i.content_html, i.author, i.categories, i.enclosures, i.language, i.published, i.updated, i.first_seen,
    i.changed_at, i.noticed_at
"""
MATCH_COLUMNS = """
    m.rule AS match_rule, m.revision AS match_revision, m.evidence AS match_evidence,
    m.matched_at AS match_matched_at, m.ended_at AS match_ended_at
"""


def known_items(db: Connection, source: str, keys: Sequence[str]) -> Mapping[str, KnownItem]:
    """See `Store.known_items`."""
    known = {}
    for some in _batches(keys):
        rows = db.execute(
            "SELECT k.key, i.id, i.content_hash, i.revision, i.guid, i.title, i.first_seen"
            " FROM item_keys k JOIN items i ON i.id = k.item"
            " WHERE k.source = (SELECT id FROM sources WHERE slug = ?)"
            f" AND k.key IN ({', '.join('?' * len(some))})",
            [source, *some],
        )
        for row in rows:
            known[row["key"]] = KnownItem(
                id=row["id"],
                content_hash=row["content_hash"],
                revision=row["revision"],
                guid=row["guid"],
                title=row["title"],
                first_seen=time_of(row["first_seen"]),
            )
    return known


def items(db: Connection, which: ItemFilter) -> list[FoundItem]:
    """See `Store.items`."""
    asked = [*conditions(which, db.words), *_after(which)]
    where = " AND ".join(condition for condition, _ in asked) or "TRUE"
    rows = db.execute(
        f"""
        WITH page AS (  -- ids alone, so that what is sorted is small
            SELECT i.id, i.sort_at FROM items i
            WHERE {where} ORDER BY i.sort_at DESC, i.id DESC LIMIT ?
        )
        SELECT {ITEM_COLUMNS},
            (SELECT json_group_array(rule) FROM
                (SELECT m.rule FROM matches m JOIN rules r ON r.id = m.rule AND r.is_configured
                 WHERE m.item = i.id AND m.ended_at IS NULL ORDER BY m.rule) AS held) AS rules
        FROM page JOIN items i ON i.id = page.id JOIN sources s ON s.id = i.source
        ORDER BY page.sort_at DESC, page.id DESC
        """,
        [*(value for _, values in asked for value in values), which.limit],
    )
    return [FoundItem(item=item_of(row), rules=tuple(json.loads(row["rules"]))) for row in rows]


def conditions(which: ItemFilter, index: WordIndex) -> Iterator[tuple[str, list[object]]]:
    """Yield what items `i` must fulfil, each with its values, but for where a page begins."""
    if which.any_of is not None:
        found = (
            "SELECT w.item FROM items_fts f JOIN item_words w ON w.place = f.rowid"
            f" WHERE {index.condition('?')}"
        )
        held = "SELECT item FROM matches WHERE rule = ? AND ended_at IS NULL"
        words = index.asked(which.any_of)
        if which.or_rule is None:
            yield f"i.id IN ({found})", [words]
        else:
            yield f"i.id IN ({found} UNION {held})", [words, which.or_rule]
    if which.id is not None:
        yield "i.id = ?", [which.id]
    if which.rule is not None:
        yield (
            "i.id IN (SELECT item FROM matches WHERE rule = ? AND ended_at IS NULL)",
            [which.rule],
        )
    if which.source is not None:
        yield "i.source = (SELECT id FROM sources WHERE slug = ?)", [which.source]
    if which.since is not None:
        yield "i.sort_at >= ?", [time_text(which.since)]


def _after(which: ItemFilter) -> Iterator[tuple[str, list[object]]]:
    if which.before is not None:
        yield "(i.sort_at, i.id) < (?, ?)", [time_text(which.before[0]), which.before[1]]


def languages(db: Connection) -> list[str | None]:
    """See `Store.languages`. Steps from one to the next in the index, however many items there are."""
    rows = db.execute(
        """
        WITH RECURSIVE known (language) AS (
            SELECT min(language) FROM items
            UNION ALL
            SELECT (SELECT min(language) FROM items WHERE language > known.language)
            FROM known WHERE known.language IS NOT NULL
        )
        SELECT language FROM known WHERE language IS NOT NULL
        UNION ALL SELECT NULL WHERE EXISTS (SELECT 1 FROM items WHERE language IS NULL)
        """
    )
    return [row["language"] for row in rows]


def items_kept_otherwise(db: Connection, words_version: int, limit: int) -> list[Item]:
    """See `Store.items_kept_otherwise`."""
    rows = db.execute(
        f"""
        WITH page AS (
            SELECT item FROM item_words WHERE version < ?1
            UNION ALL SELECT item FROM item_words WHERE version > ?1 LIMIT ?2
        )
        SELECT {ITEM_COLUMNS} FROM page JOIN items i ON i.id = page.item JOIN sources s ON s.id = i.source
        """,
        [words_version, limit],
    )
    return [item_of(row) for row in rows]


def _batches(keys: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(keys), _KEYS_AT_ONCE):
        yield keys[start : start + _KEYS_AT_ONCE]


def has_revision(db: Connection, item: int, revision: int) -> bool:
    """Say whether this is an item's present revision."""
    found = db.execute("SELECT 1 FROM items WHERE id = ? AND revision = ?", [item, revision]).fetchone()
    return found is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """The words by which an item is looked up."""

    item: int
    words: Mapping[str, str]
    version: int


def keep_words(db: Connection, several: Sequence[Kept]) -> None:
    """Put the words of items into the full-text index, instead of those that are there.

    The index may not be able to forget what it was told: whoever is kept anew gets another place in it, and
    nobody is at the former.

    All at once, and as the last thing in a transaction: with any other statement that could fail half-way, as
    with a savepoint, the index writes out what it has gathered so far.
    """
    (last,) = db.execute("SELECT coalesce(max(place), 0) FROM item_words").fetchone()
    newest = {kept.item: kept for kept in several}
    placed = list(enumerate(newest.values(), last + 1))
    db.words.forget(db, list(newest))
    insert_rows(
        db,
        "INSERT INTO item_words (item, version, place)",
        [(kept.item, kept.version, place) for place, kept in placed],
        "ON CONFLICT (item) DO UPDATE SET version = excluded.version, place = excluded.place",
    )
    db.words.keep(db, [(place, kept.words) for place, kept in placed])
