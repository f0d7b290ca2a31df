"""Atom (RFC 4287). The only module that knows feedgen.

feedgen makes the document around the entries. These are written beside it, as text, and put into its
document: feedgen has no language of an entry and no source with an id (RFC 4287 2, 4.2.11), and its tree of
elements does not take an entry that was written before.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import lru_cache

from feedgen.feed import FeedGenerator

from syndicate.feeds.documents import FeedDocument, Frame
from syndicate.feeds.entries import Category, Enclosure, EntrySource, FeedEntry, Report
from syndicate.feeds.xml import attributes, escaped, escaped_html

MEDIA_TYPE = "application/atom+xml"
HISTORY = "http://purl.org/syndication/history/1.0"  # RFC 5005
_END = b"</feed>\n"


def render(feed: FeedDocument, entries: Sequence[FeedEntry]) -> bytes:
    """Return a valid Atom document, its entries in the order given. The same input gives the same bytes."""
    written = frame(feed, feed.updated(entry.updated for entry in entries))
    return written.filled([render_entry(entry) for entry in entries])


def frame(feed: FeedDocument, updated: datetime) -> Frame:
    """Return the document around entries that `render_entry` wrote, which may be used in several.

    Args:
        updated: when the newest of them was, see `FeedDocument.updated`.
    """
    head = _head(feed, updated).removesuffix(_END)
    archive = b"" if feed.head_url is None else f'  <fh:archive xmlns:fh="{HISTORY}"/>\n'.encode()
    return Frame(before=head + archive, after=_END)


def _head(feed: FeedDocument, updated: datetime) -> bytes:
    head = FeedGenerator()
    head.id(feed.feed_id)
    head.title(feed.name)
    head.subtitle(feed.about)
    head.updated(updated)
    head.author(name="Syndicate")  # for entries without one, which Atom would have invalid
    head.link(href=feed.self_url, rel="self", type=MEDIA_TYPE)
    head.link(href=feed.page_url, rel="alternate", type="text/html")
    for relation, url in feed.links():
        head.link(href=url, rel=relation)
    head.generator("Syndicate", version=feed.version)
    rendered: bytes = head.atom_str(pretty=True)
    return rendered


def render_entry(entry: FeedEntry) -> bytes:
    """Return an entry as it stands in a document, indented as feedgen does."""
    language = f' xml:lang="{entry.language}"' if entry.language else ""
    elements = "\n    ".join(_elements(entry))
    return f"  <entry{language}>\n    {elements}\n  </entry>\n".encode()


def _elements(entry: FeedEntry) -> Iterator[str]:
    updated = entry.updated.isoformat()
    yield f"<id>{escaped(entry.id)}</id>"
    yield f"<title>{escaped(entry.title)}</title>"
    yield f"<updated>{updated}</updated>"
    yield f"<author>\n      <name>{escaped(entry.author)}</name>\n    </author>"
    yield f'<content type="html">{escaped(entry.content_html)}</content>'
    if entry.summary:  # as HTML, like the content: rss2email would show a text in the place of that
        yield f'<summary type="html">{escaped_html(entry.summary)}</summary>'
    yield from map(_category, entry.categories)
    if entry.published:
        yield f"<published>{entry.published.isoformat()}</published>"
    if entry.link:
        yield f"<link{attributes(rel='alternate', href=entry.link)}/>"
    yield from map(_enclosure, entry.enclosures)
    yield from (_related(report) for report in entry.reports if report.link)
    yield f"{_source_start(entry.source)}      <updated>{updated}</updated>\n{_source_end(entry.source)}"


def _category(category: Category) -> str:
    return f"<category{attributes(term=category.term, scheme=category.scheme, label=category.label)}/>"


def _enclosure(enclosure: Enclosure) -> str:
    length = None if enclosure.length_bytes is None else str(enclosure.length_bytes)
    return f"<link{attributes(rel='enclosure', href=enclosure.url, type=enclosure.type, length=length)}/>"


def _related(report: Report) -> str:
    """Return the link to what another outlet has on the same story (RFC 4287 4.2.7.2)."""
    title = f"{report.outlet}: {report.title}"
    return f"<link{attributes(rel='related', href=report.link, title=title)}/>"


@lru_cache(maxsize=4096)  # outlets are few, and in every entry
def _source_start(source: EntrySource) -> str:
    return f"<source>\n      <id>{escaped(source.id)}</id>\n      <title>{escaped(source.title)}</title>\n"


@lru_cache(maxsize=4096)
def _source_end(source: EntrySource) -> str:
    links = [("self", source.feed_url), ("alternate", source.link)]
    written = [f"      <link{attributes(rel=relation, href=url)}/>\n" for relation, url in links if url]
    return f"{''.join(written)}    </source>"
