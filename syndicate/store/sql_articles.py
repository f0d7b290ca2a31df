"""Pages of articles, and what became of the page of each item."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime

from syndicate.model import (
    ArticleNote,
    AwaitedArticle,
    Block,
    Entry,
    KeptArticle,
    Page,
    Suppressed,
)
from syndicate.store.protocol import PAGE_AGE
from syndicate.store.rows import Row, enclosures_of, json_text, text_or_none, time_of, time_or_none, time_text
from syndicate.store.sql import Connection

PAGES_OF_HOST = 24  # kept for a source
PAGES_OF_SOURCE = 200


def page(db: Connection, key: str, reading: str, since: datetime) -> Page | None:
    """See `Store.page`."""
    row = db.execute(
        "SELECT * FROM pages WHERE page = ? AND reading = ? AND lines IS NOT NULL AND fetched_at >= ?"
        " ORDER BY fetched_at DESC LIMIT 1",
        [key, reading, time_text(since)],
    ).fetchone()
    return None if row is None else _page_of(row)


def keep_page(db: Connection, source: str, page: Page, now: datetime) -> None:
    """See `Store.keep_page`."""
    (number,) = db.execute("SELECT id FROM sources WHERE slug = ?", [source]).fetchone()
    db.execute("DELETE FROM pages WHERE source = ? AND page = ?", [number, page.key])
    db.execute(
        "INSERT INTO pages (source, host, page, reading, fetched_at, blocks, lines)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        [
            number,
            page.host,
            page.key,
            page.reading,
            time_text(page.fetched_at),
            json_text([[block.hash, block.length, int(block.is_link)] for block in page.blocks]),
            json_text([page.lines, page.links, page.canonical]),
        ],
    )
    db.execute(
        "UPDATE pages SET lines = NULL WHERE lines IS NOT NULL AND fetched_at < ?",
        [time_text(now - PAGE_AGE)],
    )
    for which, values, most in (
        ("source = ? AND host = ?", [number, page.host], PAGES_OF_HOST),
        ("source = ?", [number], PAGES_OF_SOURCE),
    ):
        db.execute(
            f"DELETE FROM pages WHERE {which} AND id <="
            f" (SELECT id FROM pages WHERE {which} ORDER BY id DESC LIMIT 1 OFFSET {most})",
            [*values, *values],
        )


def pages_of(db: Connection, source: str, host: str) -> list[Page]:
    """See `Store.pages_of`."""
    rows = db.execute(
        "SELECT host, page, reading, fetched_at, blocks, NULL AS lines FROM pages"
        " WHERE source = (SELECT id FROM sources WHERE slug = ?) AND host = ? ORDER BY id",
        [source, host],
    )
    return [_page_of(row) for row in rows]


def kept_articles(db: Connection, items: Sequence[int]) -> Mapping[int, KeptArticle]:
    """See `Store.kept_articles`."""
    rows = db.execute(
        "SELECT a.item, a.told, a.has_text, i.body, i.content_html FROM articles a"
        " JOIN items i ON i.id = a.item WHERE a.item IN (SELECT CAST(value AS BIGINT) FROM json_each(?))",
        [json_text(items)],
    )
    return {
        row["item"]: KeptArticle(
            told=row["told"],
            has_text=bool(row["has_text"]),
            body=row["body"],
            content_html=row["content_html"],
        )
        for row in rows
    }


def awaited_articles(db: Connection, source: str, limit: int, now: datetime) -> list[AwaitedArticle]:
    """See `Store.awaited_articles`."""
    rows = db.execute(
        "SELECT a.*, i.* FROM articles a JOIN items i ON i.id = a.item"
        " WHERE a.source = (SELECT id FROM sources WHERE slug = ?) AND a.next_try_at <= ?"
        " ORDER BY a.next_try_at, a.item LIMIT ?",
        [source, time_text(now), limit],
    )
    return [_awaited_of(row) for row in rows]


def note_articles(
    db: Connection, source: int, notes: Sequence[ArticleNote], new_items: Mapping[str, int]
) -> None:
    """Write what became of the pages of items.

    Args:
        new_items: of this poll, by their first key.
    """
    db.executemany(
        "INSERT INTO articles (item, source, told, has_text, tries, since, next_try_at, suppressed)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (item) DO UPDATE SET source = excluded.source,"
        " told = excluded.told, has_text = excluded.has_text, tries = excluded.tries, since = excluded.since,"
        " next_try_at = excluded.next_try_at, suppressed = excluded.suppressed",
        [
            (
                note.item if isinstance(note.item, int) else new_items[note.item],
                source,
                note.told,
                note.has_text,
                note.tries,
                time_text(note.since),
                text_or_none(note.next_try_at),
                note.suppressed,
            )
            for note in notes
        ],
    )


def _page_of(row: Row) -> Page:
    lines, links, *rest = json.loads(row["lines"] or "[[], []]")  # earlier ones have no more
    return Page(
        key=row["page"],
        reading=row["reading"],
        host=row["host"],
        fetched_at=time_of(row["fetched_at"]),
        lines=tuple(lines),
        links=tuple(links),
        canonical=rest[0] if rest else None,
        blocks=tuple(
            Block(hash=digest, length=length, is_link=bool(is_link))
            for digest, length, is_link in json.loads(row["blocks"])
        ),
    )


def _awaited_of(row: Row) -> AwaitedArticle:
    return AwaitedArticle(
        item=row["item"],
        content_hash=row["content_hash"],
        language=row["language"],
        told=row["told"],
        has_text=bool(row["has_text"]),
        tries=row["tries"],
        since=time_of(row["since"]),
        suppressed=Suppressed(row["suppressed"]) if row["suppressed"] else None,
        entry=Entry(
            guid=row["guid"],
            link=row["link"],
            title=row["title"],
            body=row["body"],
            summary=row["summary"],
            content_html=row["content_html"],
            author=row["author"],
            categories=tuple(json.loads(row["categories"])),
            published=time_or_none(row["published"]),
            published_raw=row["published_raw"],
            updated=time_or_none(row["updated"]),
            updated_raw=row["updated_raw"],
            enclosures=enclosures_of(row["enclosures"]),
        ),
    )
