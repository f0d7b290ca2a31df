"""RSS 2.0, by the RSS Advisory Board's profile (https://www.rssboard.org/rss-profile).

What RSS has no word for is said in those of Atom, Dublin Core and Media RSS.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from email.utils import format_datetime

from syndicate.feeds.documents import FeedDocument, Frame
from syndicate.feeds.entries import Category, Enclosure, EntrySource, FeedEntry, Report
from syndicate.feeds.xml import attributes, escaped, escaped_html

MEDIA_TYPE = "application/rss+xml"
_NAMESPACES = {
    "atom": "http://www.w3.org/2005/Atom",
    "content": "http://purl.org/rss/1.0/modules/content/",
    "dc": "http://purl.org/dc/elements/1.1/",
    "fh": "http://purl.org/syndication/history/1.0",
    "media": "http://search.yahoo.com/mrss/",
}
_DECLARED = "".join(f' xmlns:{prefix}="{uri}"' for prefix, uri in _NAMESPACES.items())
_START = f"<?xml version='1.0' encoding='UTF-8'?>\n<rss version=\"2.0\"{_DECLARED}>\n  <channel>\n"
_FIRST_YEAR = 1000
_END = b"  </channel>\n</rss>\n"


def render(feed: FeedDocument, entries: Sequence[FeedEntry]) -> bytes:
    """Return a valid RSS document, its items in the order given. The same input gives the same bytes."""
    written = frame(feed, feed.updated(entry.updated for entry in entries))
    return written.filled([render_entry(entry) for entry in entries])


def frame(feed: FeedDocument, updated: datetime) -> Frame:
    """Return the document around items that `render_entry` wrote; see `atom.frame`."""
    channel = "\n    ".join(_channel(feed, updated))
    return Frame(before=f"{_START}    {channel}\n".encode(), after=_END)


def _channel(feed: FeedDocument, updated: datetime) -> Iterator[str]:
    yield f"<title>{escaped(feed.name)}</title>"
    yield f"<link>{escaped(feed.page_url)}</link>"
    yield f"<description>{escaped_html(feed.about)}</description>"
    yield from _date("lastBuildDate", updated)
    yield f"<generator>Syndicate {escaped(feed.version)}</generator>"
    yield "<docs>https://www.rssboard.org/rss-specification</docs>"
    yield f"<atom:id>{escaped(feed.feed_id)}</atom:id>"
    yield f"<atom:link{attributes(rel='self', href=feed.self_url, type=MEDIA_TYPE)}/>"
    yield from (f"<atom:link{attributes(rel=relation, href=url)}/>" for relation, url in feed.links())
    if feed.head_url:
        yield "<fh:archive/>"


def render_entry(entry: FeedEntry) -> bytes:
    """Return an entry as it stands in a document."""
    elements = "\n      ".join(_elements(entry))
    return f"    <item>\n      {elements}\n    </item>\n".encode()


def _elements(entry: FeedEntry) -> Iterator[str]:
    yield f"<title>{escaped(entry.title)}</title>"
    if entry.link:
        yield f"<link>{escaped(entry.link)}</link>"
    yield f'<guid isPermaLink="false">{escaped(entry.id)}</guid>'
    if entry.published:
        yield from _date("pubDate", entry.published)
    yield f"<atom:updated>{entry.updated.isoformat()}</atom:updated>"
    yield f"<dc:creator>{escaped(entry.author)}</dc:creator>"
    if entry.language:
        yield f"<dc:language>{escaped(entry.language)}</dc:language>"
    yield from map(_category, entry.categories)
    if entry.summary:  # before the content, as the profile has it
        yield f"<description>{escaped_html(entry.summary)}</description>"
    yield f"<content:encoded>{escaped(entry.content_html)}</content:encoded>"
    yield from _enclosures(entry.enclosures)
    yield from (_related(report) for report in entry.reports if report.link)
    yield from _source(entry.source)


def _category(category: Category) -> str:
    """Return a category; that of a rule has the rule's title, since RSS has no labels."""
    return (
        f"<category{attributes(domain=category.scheme)}>{escaped(category.label or category.term)}</category>"
    )


def _enclosures(enclosures: Sequence[Enclosure]) -> Iterator[str]:
    """Yield the first as RSS allows, with a length of 0 where none is known, and others as Media RSS."""
    for first in enclosures[:1]:
        length = str(first.length_bytes or 0)
        yield f"<enclosure{attributes(url=first.url, length=length, type=first.likely_type)}/>"
    for other in enclosures[1:]:
        size = None if other.length_bytes is None else str(other.length_bytes)
        yield f"<media:content{attributes(url=other.url, type=other.type, fileSize=size)}/>"


def _related(report: Report) -> str:
    title = f"{report.outlet}: {report.title}"
    return f"<atom:link{attributes(rel='related', href=report.link, title=title)}/>"


def _source(source: EntrySource) -> Iterator[str]:
    if source.feed_url:
        yield f"<source{attributes(url=source.feed_url)}>{escaped(source.title)}</source>"


def _date(name: str, instant: datetime) -> Iterator[str]:
    """Yield a date, unless readers would take its year for one of this century (RFC 2822 4.3)."""
    if instant.year >= _FIRST_YEAR:
        yield f"<{name}>{format_datetime(instant, usegmt=True)}</{name}>"
