"""Where feeds are published: the addresses of their documents, and what is said of each as a whole."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

from syndicate import __version__
from syndicate.feeds import atom, jsonfeed, page, rss
from syndicate.feeds.documents import FeedDocument, Frame
from syndicate.feeds.entries import FeedEntry
from syndicate.feeds.opml import ListedFeed
from syndicate.feeds.page import FeedPages, ListedPage
from syndicate.model.feeds import Feed, HubAddress

PAGE = ".html"


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """A format that feeds are published in; that for people is of one feed, see `Site.page`."""

    name: str  # for people
    extension: str
    media_type: str
    render_entry: Callable[[FeedEntry], bytes]
    frame: Callable[[FeedDocument, datetime], Frame]
    limit: int | None = None  # of entries, the first ones; None: all

    def render(self, document: FeedDocument, entries: Sequence[FeedEntry]) -> bytes:
        """Return the document. The same input gives the same bytes."""
        frame = self.frame(document, document.updated(entry.updated for entry in entries))
        return frame.filled([self.render_entry(entry) for entry in entries[: self.limit]])

    @property
    def content_type(self) -> str:
        """As it is served; a JSON Feed is UTF-8 in any case (RFC 8259 8.1)."""
        return f"{self.media_type}; charset=utf-8" if self.media_type.endswith("xml") else self.media_type


FORMATS = (
    Format(
        name="Atom",
        extension=".atom",
        media_type=atom.MEDIA_TYPE,
        render_entry=atom.render_entry,
        frame=atom.frame,
    ),
    Format(
        name="JSON Feed",
        extension=".json",
        media_type=jsonfeed.MEDIA_TYPE,
        render_entry=jsonfeed.render_entry,
        frame=jsonfeed.frame,
    ),
    Format(
        name="RSS",
        extension=".rss",
        media_type=rss.MEDIA_TYPE,
        render_entry=rss.render_entry,
        frame=rss.frame,
    ),
)
EXTENSIONS = (*(each.extension for each in FORMATS), PAGE)  # of the files of a feed


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """What all feeds of a service have in common."""

    title: str
    base_url: str  # without a trailing slash
    hub: HubAddress | None = None

    def url(self, name: str, extension: str) -> str:
        """Return the address of a document.

        Args:
            name: relative to the folder of feeds, without the extension.
        """
        return f"{self.base_url}/feeds/{quote(name)}{extension}"

    def document(self, feed: Feed, feed_id: str, created_at: datetime, extension: str) -> FeedDocument:
        """Return what is said about a feed's head in a format."""
        return FeedDocument(
            feed_id=feed_id,
            title=f"{feed.title} — {self.title}",
            description=feed.about,
            self_url=self.url(feed.name, extension),
            page_url=self.url(feed.name, PAGE),
            version=__version__,
            updated_when_empty=created_at,
            hubs=(self.hub.url,) if self.hub and self.hub.tells_of(feed) else (),
        )

    def page(self, feed: Feed, pages: FeedPages) -> Format:
        """Return the format of a feed's page for people, which shows how to subscribe."""
        offered = [
            page.Format(name=each.name, media_type=each.media_type, url=self.url(feed.name, each.extension))
            for each in FORMATS
        ]
        return Format(
            name="Page",
            extension=PAGE,
            media_type=page.MEDIA_TYPE,
            render_entry=pages.entry,
            frame=lambda document, _updated: pages.frame(document, offered),
            limit=page.LATEST,
        )

    def listed(self, feeds: Sequence[Feed]) -> list[ListedFeed]:
        """Return the feeds that the list for readers names."""
        return [
            ListedFeed(
                title=feed.title,
                feed_url=self.url(feed.name, FORMATS[0].extension),
                site_url=self.url(feed.name, PAGE),
            )
            for feed in feeds
            if feed.is_listed
        ]

    def listed_pages(self, feeds: Sequence[Feed]) -> list[ListedPage]:
        """Return the feeds that the list for people names."""
        return [
            ListedPage(
                title=feed.title,
                description=feed.about,
                page_url=self.url(feed.name, PAGE),
                feed_url=self.url(feed.name, FORMATS[0].extension),
            )
            for feed in feeds
            if feed.is_listed
        ]
