"""What is said about a published document as a whole, whatever its format."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from syndicate.feeds.entries import whole_seconds
from syndicate.feeds.xml import line


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """A document in a format, without its entries."""

    before: bytes
    after: bytes
    between: bytes = b""  # two entries
    if_empty: bytes = b""  # instead of entries

    def filled(self, entries: Sequence[bytes]) -> bytes:
        """Return the document with entries, as they are written in its format."""
        return b"".join([self.before, self.between.join(entries) or self.if_empty, self.after])


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedDocument:
    """One document of a feed: what readers subscribe to (the head), or a page of its archive (RFC 5005 4).

    All documents of a feed have its id and title. Addresses are of documents of the same format.
    """

    feed_id: str  # absolute IRI, minted once
    title: str
    description: str
    self_url: str  # where this document is served
    page_url: str  # a page for people
    version: str  # of Syndicate
    updated_when_empty: datetime  # stands in for the newest entry's while there is none
    hubs: tuple[str, ...] = ()  # that push the feed (WebSub); none on a page of the archive
    head_url: str | None = None  # None: this is the head
    older_url: str | None = None  # the page of the archive before this document; None: there is none
    newer_url: str | None = None  # the page of the archive after this one; None: there is none yet

    @property
    def name(self) -> str:
        """The title as one line, which is never empty."""
        return line(self.title) or "Untitled"

    @property
    def about(self) -> str:
        """The description as one line, which is never empty."""
        return line(self.description) or self.name

    def updated(self, instants: Iterable[datetime]) -> datetime:
        """Return when something in the document last changed that readers should notice.

        Args:
            instants: when each entry did.
        """
        return max(instants, default=whole_seconds(self.updated_when_empty))

    def links(self) -> list[tuple[str, str]]:
        """Return (relation, address) of the documents that belong to this one, and of its hubs."""
        links = [("hub", hub) for hub in self.hubs]
        pages = {"current": self.head_url, "prev-archive": self.older_url, "next-archive": self.newer_url}
        return [*links, *((relation, url) for relation, url in pages.items() if url)]
