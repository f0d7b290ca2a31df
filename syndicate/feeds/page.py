"""Pages for people: what a feed is, how to subscribe to it, its latest entries; and the list of all feeds.

Each is one file without scripts, which needs no other and loads nothing, so that it works from any server and
from a disk. Its own policy keeps a browser from running anything (Content Security Policy Level 3).
"""

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from jinja2 import Environment, PackageLoader, StrictUndefined

from syndicate.feeds.documents import FeedDocument, Frame
from syndicate.feeds.entries import FeedEntry

MEDIA_TYPE = "text/html"
LATEST = 30  # entries on the page of a feed
_CUT = "<cut>"  # of no text, since those are escaped


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """A document of a feed that readers can subscribe to."""

    name: str  # for people, such as "JSON Feed"
    media_type: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedPage:
    """A feed in the list of all."""

    title: str
    description: str
    page_url: str
    feed_url: str


class FeedPages:
    """Renders the pages. The same input gives the same bytes."""

    def __init__(self) -> None:
        self._environment = Environment(
            loader=PackageLoader(__package__),
            autoescape=True,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
            undefined=StrictUndefined,
        )
        self._environment.filters["day"] = _day
        style = self._environment.get_template("style.css").render()
        digest = b64encode(sha256(style.encode()).digest()).decode()
        self._environment.globals |= {"style": style, "policy": _policy(digest)}
        self._entry = self._environment.get_template("entry.html")

    @property
    def policy(self) -> str:
        """The Content-Security-Policy of these pages, for a server that sends one with them."""
        return str(self._environment.globals["policy"])

    def frame(self, feed: FeedDocument, formats: Sequence[Format]) -> Frame:
        """Return the page of a feed around its latest entries.

        Args:
            formats: the first is the one to subscribe to for whoever does not care.
        """
        template = self._environment.get_template("feed.html")
        before, if_empty, after = template.render(feed=feed, formats=formats, cut=_CUT).split(_CUT)
        return Frame(before=before.encode(), if_empty=if_empty.encode(), after=after.encode())

    def entry(self, entry: FeedEntry) -> bytes:
        """Return an entry as it stands on a page."""
        return self._entry.render(entry=entry).encode()

    def index(self, title: str, opml_url: str, feeds: Sequence[ListedPage]) -> bytes:
        """Return the list of all feeds, in the order given."""
        template = self._environment.get_template("index.html")
        return template.render(title=title, opml_url=opml_url, feeds=feeds).encode()


def _policy(digest: str) -> str:
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


def _day(instant: datetime) -> str:
    return f"{instant.day} {instant:%B} {instant.year}"
