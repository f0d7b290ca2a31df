"""OPML 2.0, the list of feeds that every reader imports."""

from collections.abc import Sequence
from dataclasses import dataclass
from xml.etree import ElementTree

from syndicate.feeds.xml import line, web_iri


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedFeed:
    """A feed in the list."""

    title: str
    feed_url: str
    site_url: str | None = None  # a page for people


def render(title: str, feeds: Sequence[ListedFeed]) -> bytes:
    """Return the list as an OPML document, in the order given. The same input gives the same bytes."""
    opml = ElementTree.Element("opml", version="2.0")
    ElementTree.SubElement(ElementTree.SubElement(opml, "head"), "title").text = line(title)
    body = ElementTree.SubElement(opml, "body")
    for feed in feeds:
        ElementTree.SubElement(body, "outline", _attributes(feed))
    ElementTree.indent(opml)
    rendered: bytes = ElementTree.tostring(opml, encoding="utf-8", xml_declaration=True)
    return rendered + b"\n"


def _attributes(feed: ListedFeed) -> dict[str, str]:
    address = web_iri(feed.feed_url) or ""
    title = line(feed.title) or address
    attributes = {"type": "rss", "text": title, "title": title, "xmlUrl": address}
    return attributes | ({"htmlUrl": site} if (site := web_iri(feed.site_url)) else {})
