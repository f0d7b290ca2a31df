"""What a body is when it is no feed, in words that tell a person what to do."""

import json
import re

from syndicate.sources.markup import Page, read_page
from syndicate.sources.sanitise import clean_line

_MAGIC = (
    (b"\x1f\x8b", "gzip-compressed data"),
    (b"(\xb5/\xfd", "Zstandard-compressed data"),
    (b"PK\x03\x04", "a ZIP archive"),
    (b"%PDF-", "a PDF file"),
    (b"\x89PNG", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF8", "a GIF image"),
)
_ROOTS = {
    "urlset": "a sitemap (XML, root <urlset>), not a feed: give the address of the site's RSS or Atom feed",
    "sitemapindex": "an index of sitemaps, not a feed: give the address of the site's RSS or Atom feed",
    "opml": "an OPML list of feeds, not a feed: `sources import` adds the feeds in it",
}
_HTML_ANYWHERE = re.compile(r"<(?:!doctype\s+html|html|head|body)[\s>]", re.IGNORECASE)


def binary(body: bytes) -> str | None:
    """Return what some bytes are that no feed begins with; None when they may be text."""
    for magic, name in _MAGIC:
        if body.startswith(magic):
            return (
                f"{name}, not a feed: the server labels its answer wrongly, or the address is not the feed's"
            )
    return None


def unreadable(text: str, root: str | None, url: str) -> str:
    """Return what a text is that holds no feed.

    Args:
        root: the local name of its root element; None when it has none, or is not XML.
        url: where it came from, for the relative links in it.
    """
    if not text.strip():
        return "an empty body, not a feed: if it stays so, check the address"
    if root in _ROOTS:
        return _ROOTS[root]
    if root == "html" or _HTML_ANYWHERE.search(text[:20_000]):
        return _page(read_page(text, url), url)
    if text.lstrip()[0] in "{[":
        return _json(text)
    if root:
        return f"XML with the root <{root[:60]}>, not a feed: give the address of an RSS or Atom feed"
    return f"text that begins “{clean_line(text, 60)}”, not a feed: check the address"


def _page(page: Page, url: str) -> str:
    what = f"an HTML page titled “{page.title}”, not a feed" if page.title else "an HTML page, not a feed"
    others = [feed for feed in page.feeds if feed != url]
    if others:
        return f"{what}: it names its feed as {' and '.join(others[:3])}; give that address instead"
    if page.feeds:
        return f"{what}, though it names itself as its feed: its server does not send the feed just now"
    return (
        f"{what}: it may be a login, consent or error page; open it in a browser, and give the feed's address"
    )


def _json(text: str) -> str:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return f"text that begins “{clean_line(text, 60)}”, not a feed: check the address"
    version = value.get("version") if isinstance(value, dict) else None
    if isinstance(version, str) and "jsonfeed.org" in version:
        title = clean_line(str(value.get("title") or ""), 100)
        named = f" titled “{title}”" if title else ""
        return f"a JSON Feed{named}, not RSS or Atom: give the address of the site's RSS or Atom feed"
    return "JSON data, not a feed: give the address of an RSS or Atom feed"
