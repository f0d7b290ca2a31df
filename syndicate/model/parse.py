"""What an answer held."""

from dataclasses import dataclass
from datetime import datetime

from syndicate.model.learn import Hints
from syndicate.model.retrieve import Part


@dataclass(frozen=True, slots=True, kw_only=True)
class Enclosure:
    """A file beside an entry; http(s) only."""

    url: str
    type: str | None
    length_bytes: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry of a document: clean, bounded, not yet compared with what is stored.

    Plain texts are NFC, without control characters or markup; `content_html` is sanitised.
    """

    guid: str | None  # as the publisher wrote it
    link: str | None  # absolute, http(s)
    title: str
    body: str  # plain text of the content, else of the summary
    summary: str = ""  # plain text
    content_html: str = ""
    author: str = ""
    categories: tuple[str, ...] = ()
    language: str | None = None  # the entry's own xml:lang
    published: datetime | None = None
    published_raw: str | None = None
    updated: datetime | None = None
    updated_raw: str | None = None
    enclosures: tuple[Enclosure, ...] = ()
    canonical: str | None = None  # what it or its page says that its address is (rel=canonical), absolute
    is_listed: bool = (
        False  # from a sitemap or a page, which only name it: no text, author or guid of its own
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One retrieved representation of a source."""

    format: str  # rss20, atom10, ... as feedparser names them; json10, json11, sitemap, page
    title: str = ""
    link: str | None = None
    id: str | None = None  # its own, where that is an absolute IRI
    language: str | None = None
    entries: tuple[Entry, ...] = ()
    problems: tuple[str, ...] = ()  # what was repaired, cut or left out, in words
    parts: tuple[Part, ...] = ()  # of an index, which has no entries of its own: where those are
    hints: Hints = Hints()
