"""Documents as large as an answer may be, or of as many parts, made when they are needed.

Each is hostile in one way: a text, a number of elements, a depth, a name, an attribute without measure.
"""

import gzip
import json
from collections.abc import Callable
from dataclasses import dataclass

from syndicate.model import Address, Kind, NetworkSettings

MAX_BYTES = NetworkSettings().max_bytes
URL = "https://huge.example/news/feed"

_WORDS = "The Union and the Republic agreed on a corridor. "
_RUSSIAN = "Союз и Республика договорились о коридоре. "
_EMOJI = "\U0001f600"


@dataclass(frozen=True, slots=True, kw_only=True)
class Huge:
    """A huge document.

    Args:
        says: what the error must say.
        problem: what must be recorded of the document. Neither: it may be either.
        entries: how many it has; None: it does not matter.
    """

    body: Callable[[int], bytes]
    says: str | None = None
    problem: str | None = None
    entries: int | None = None
    kind: Kind | None = None

    def address_at(self, url: str) -> Address:
        """Return what is said of where it is."""
        return Address(url=url, kind=self.kind)


Body = Callable[[int], bytes]  # of at most so many bytes


def _filled(before: str, piece: str, after: str) -> Body:
    """Return as much of a piece as fits between two others."""

    def body(size: int) -> bytes:
        start, middle, end = before.encode(), piece.encode(), after.encode()
        return start + middle * ((size - len(start) - len(end)) // len(middle)) + end

    return body


def _rss(before: str, piece: str, after: str) -> Body:
    return _filled(f'<rss version="2.0"><channel><title>T</title>{before}', piece, f"{after}</channel></rss>")


def _item(before: str, piece: str, after: str) -> Body:
    return _rss(f"<item><link>https://a.example/</link>{before}", piece, f"{after}</item>")


def _numbered(before: str, piece: str, after: str) -> Body:
    """Return as many pieces as fit, each with a number of its own."""

    def body(size: int) -> bytes:
        length = len(piece.format("0000000").encode())
        count = (size - len(before.encode()) - len(after.encode())) // length
        return "".join([before, *(piece.format(f"{number:07}") for number in range(count)), after]).encode()

    return body


def _nested(before: str, opening: str, closing: str, after: str) -> Body:
    """Return as many elements as fit, each in the one before."""

    def body(size: int) -> bytes:
        count = (size - len(before) - len(after)) // (len(opening) + len(closing))
        return (before + opening * count + closing * count + after).encode()

    return body


def _encoded(body: Body, encoding: str, times: int = 2) -> Body:
    """Return a body in an encoding in which it may be that many times as long."""
    return lambda size: body(size // times - 8).decode().encode(encoding)


def _packed(body: Body) -> Body:
    return lambda size: gzip.compress(body(size), 6)


def _json(**values: object) -> str:
    return json.dumps({"version": "https://jsonfeed.org/version/1.1", "title": "T", **values})


def _growing() -> Body:
    """Return relative links that are short, seen from an address that is long."""
    files = "".join(f'<link rel="enclosure" href="{number}"/>' for number in range(20))
    before = f'<feed xmlns="http://www.w3.org/2005/Atom" xml:base="https://huge.example/{"x" * 1900}/">'
    return _numbered(before, f"<entry><title>t{{}}</title>{files}</entry>", "</feed>")


SURPLUS = "entries after the first 2,000, left out"
MEMORY = "cannot be read within"
VALUES = "of more than 1,500,000 values"
LONG = "texts of more than 65,536 characters"
BEYOND = "in an entry, which no feed has"

HUGE: dict[str, Huge] = {
    "text": Huge(body=_item("<description>", _WORDS, "</description>"), problem=LONG, entries=1),
    "text-in-russian": Huge(
        body=_item("<description>", _RUSSIAN, "</description>"), problem=LONG, entries=1
    ),
    "text-of-emoji": Huge(
        body=_item("<description>", _EMOJI, "</description>"), problem=LONG, entries=1
    ),
    "text-of-markup": Huge(
        body=_item("<description><![CDATA[", "<b>x</b> ", "]]></description>"), problem=LONG, entries=1
    ),
    "text-of-open-tags": Huge(
        body=_item("<description><![CDATA[", "<div><b x>", "]]></description>"), problem=LONG, entries=1
    ),
    "text-of-attributes": Huge(
        body=_numbered(
            '<rss version="2.0"><channel><item><title>t</title><description><![CDATA[<p ',
            "a{} ",
            ">]]></description></item></channel></rss>",
        ),
        problem=LONG,
        entries=1,
    ),
    "text-of-references": Huge(
        body=_item("<description>", "&amp;amp;", "</description>"), says=MEMORY
    ),
    "title": Huge(body=_item("<title>", _WORDS, "</title>"), entries=1),
    "author": Huge(body=_item("<author>", "a@b.example ", "</author>"), entries=1),
    "guid": Huge(body=_item("<guid>", "0123456789", "</guid>"), entries=1),
    "texts-of-all-entries": Huge(
        body=_rss("", f"<item><title>t</title><description>{_WORDS * 150}</description></item>", ""),
        problem="entries kept without text",
    ),
    "texts-of-all-entries-with-emoji": Huge(
        body=_rss("", f"<item><description>{_EMOJI}{_RUSSIAN * 100}</description></item>", ""),
        problem="entries kept without text",
    ),
    "million-items": Huge(
        body=_rss("", "<item/>", ""),
        problem=SURPLUS, entries=0,
    ),
    "many-titled-items": Huge(
        body=_rss("", "<item><title>t</title></item>", ""), problem=SURPLUS, entries=2000
    ),
    "many-entries": Huge(
        body=_filled(
            '<feed xmlns="http://www.w3.org/2005/Atom"><title>T</title>',
            "<entry><id>i</id><title>t</title></entry>",
            "</feed>",
        ),
        problem=SURPLUS,
        entries=2000,
    ),
    "many-elements-of-a-channel": Huge(body=_rss("", "<x/>", "")),
    "many-elements-of-an-entry": Huge(body=_item("", "<x/>", ""), says=BEYOND),
    "many-categories": Huge(body=_item("", "<category>c</category>", ""), says=BEYOND),
    "many-links-that-grow": Huge(body=_growing(), says=MEMORY),
    "deep": Huge(body=_item("", "<x>", ""), says="nested"),
    "deep-and-closed": Huge(
        body=_nested("<rss><channel><item>", "<x>", "</x>", "</item></channel></rss>"), says="nested"
    ),
    "attribute": Huge(body=_item('<link href="', "x", '"/>'), entries=1),
    "many-attributes": Huge(
        body=_numbered('<rss version="2.0"><channel><item ', 'a{}="" ', "/></channel></rss>")
    ),
    "many-namespaces": Huge(
        body=_numbered("<rss ", 'xmlns:a{0}="u{0}" ', 'version="2.0"><channel/></rss>')
    ),
    "name": Huge(body=_filled("<rss><", "x", "/></rss>")),
    "comment": Huge(body=_item("<!--", " comment ", "-->"), entries=1),
    "comments": Huge(body=_item("", "<!---->", ""), entries=1),
    "instructions": Huge(body=_item("", "<?x y?>", ""), entries=1),
    "sections": Huge(body=_item("<title>", "<![CDATA[x]]>", "</title>"), entries=1),
    "doctype": Huge(body=_filled("<!DOCTYPE rss [", "<!ELEMENT a ANY>", "]><rss/>")),
    "entities": Huge(
        body=_numbered("<!DOCTYPE rss [", '<!ENTITY e{} "x">', "]><rss/>"), says="declares entities"
    ),
    "line-ends": Huge(body=_item("", "\n", ""), says=MEMORY),
    "spaces-before": Huge(
        body=_filled("", " ", '<rss version="2.0"><channel><item><title>x</title></item></channel></rss>')
    ),
    "cut-off": Huge(body=_filled("<rss><channel>", "<item><title>t</title></item>", "<item>")),
    "broken": Huge(body=_rss("<x>", "<item><title>a & b<br></title></item>", "")),
    "broken-in-one-entry": Huge(body=_item("<description>", "a & b <br> ", "</description>")),
    "brackets": Huge(body=_filled("<rss><channel>", "<", "")),
    "ampersands": Huge(body=_item("<title>", "&", "</title>")),
    "open-sections": Huge(body=_rss("", "<![CDATA[", "")),
    "open-comments": Huge(body=_rss("", "<!--", "")),
    "closers": Huge(body=_rss("", "</item>", "")),
    "nuls": Huge(body=_item("<title>", "\0", "</title>")),
    "controls": Huge(body=_item("<title>", "\x01\x02", "</title>")),
    "surrogate-references": Huge(body=_item("<title>", "&#55296;", "</title>")),
    "utf-16": Huge(
        body=_encoded(_item("<description>", _WORDS, "</description>"), "utf-16"), problem=LONG, entries=1
    ),
    "utf-32": Huge(
        body=_encoded(_item("<title>", "x", "</title>"), "utf-32", 4),
 entries=1
    ),
    "windows-1251": Huge(
        body=_encoded(
            _filled(
                '<?xml version="1.0" encoding="windows-1251"?><rss version="2.0"><channel><item><title>',
                _RUSSIAN,
                "</title></item></channel></rss>",
            ),
            "cp1251",
        ),
        problem="longer than allowed",
        entries=1,
    ),
    "not-utf-8": Huge(body=lambda size: b"<rss><channel>" + b"\xff" * (size - 14)),
    "one-emoji": Huge(
        body=_item(f"<title>{_EMOJI}</title><description>", _WORDS, "</description>"), problem=LONG, entries=1
    ),
    "nothing": Huge(body=lambda size: b" " * size, says="empty"),
    "zeros": Huge(body=bytes),
    "letters": Huge(body=lambda size: b"x" * size),
    "gzip": Huge(
body=_packed(_rss("", "<item><title>packed</title></item>", "")), problem=SURPLUS, entries=2000
),
    "gzip-of-zeros": Huge(body=_packed(bytes)),
    "gzip-of-more": Huge(body=lambda size: gzip.compress(bytes(200 * 2**20), 6), says="more than 15 MiB"),
    "gzip-of-many-members": Huge(body=lambda size: gzip.compress(b"") * (size // 20)),
    "json-items": Huge(body=_filled(_json()[:-1] + ', "items": [{}', ", {}", "]}"), says=VALUES),
    "json-titles": Huge(
        body=_filled(_json()[:-1] + ', "items": [{}', ', {"title": "t"}', "]}"), says=VALUES
    ),
    "json-text": Huge(
        body=_filled(_json()[:-1] + ', "items": [{"content_html": "', _WORDS, '"}]}'), problem=LONG
    ),
    "json-emoji": Huge(
        body=_filled(_json()[:-1] + ', "items": [{"content_text": "', _EMOJI, '"}]}'), problem=LONG
    ),
    "json-escapes": Huge(
        body=_filled(_json()[:-1] + ', "items": [{"content_text": "', "\\ud83d\\ude00", '"}]}')
    ),
    "json-texts": Huge(
        body=_filled(
            _json()[:-1] + ', "items": [{}', ', {"content_html": "' + _WORDS * 150 + '"}', "]}"
        ),
        problem="entries kept without text",
    ),
    "json-deep": Huge(body=_filled("", "[", ""), says=VALUES),
    "json-deep-objects": Huge(body=_filled("", '{"a":', ""), says=VALUES),
    "json-numbers": Huge(body=_filled(_json()[:-1] + ', "items": [{"id": ', "9", "}]}")),
    "json-many-numbers": Huge(body=_filled(_json()[:-1] + ', "items": [0', ",1", "]}"), says=VALUES),
    "json-many-keys": Huge(
        body=_filled(_json()[:-1] + ', "items": []', ', "k": 0', "}")
    ),
    "json-broken": Huge(body=_filled(_json()[:-1] + ', "items": [{}', ", {}", ""), says=VALUES),
    "sitemap": Huge(
        body=_numbered("<urlset>", "<url><loc>https://huge.example/{}</loc></url>", "</urlset>"),
        problem="beyond the newest 2,000",
        entries=2000,
    ),
    "sitemap-of-nothing": Huge(body=_filled("<urlset>", "<url/>", "</urlset>"), entries=0),
    "sitemap-of-dates": Huge(
        body=_numbered(
            "<urlset>",
            "<url><loc>https://huge.example/{}</loc><lastmod>2026-11-27T10:00:00Z</lastmod></url>",
            "</urlset>",
        ),
    ),
    "sitemap-address": Huge(
body=_filled("<urlset><url><loc>https://x.example/", "x", "</loc></url></urlset>")
),
    "sitemap-deep": Huge(body=_filled("<urlset>", "<x>", ""), says="nested"),
    "sitemap-tag": Huge(body=_filled('<urlset a="', "x", '"/>'), says="65,536"),
    "sitemap-index": Huge(
        body=_numbered(
            "<sitemapindex>",
            "<sitemap><loc>https://huge.example/{}.xml</loc></sitemap>",
            "</sitemapindex>",
        ),
    ),
    "page-links": Huge(
        body=_numbered(
            "<html><body>",
            '<p><a href="/news/{0}">Headline number {0} of this page</a></p>',
            "</body></html>",
        ),
        kind=Kind.PAGE,
    ),
    "page-unasked": Huge(
        body=_numbered(
            "<html><body>",
            '<p><a href="/news/{0}">Headline number {0} of this page</a></p>',
            "</body></html>",
        ),
    ),
    "page-deep": Huge(body=_filled("<html><body>", "<div>", ""), kind=Kind.PAGE),
    "page-of-open-formatting": Huge(body=_filled("<html><body>", "<b><i>x<p>", ""), kind=Kind.PAGE),
    "page-of-attributes": Huge(
        body=_numbered("<html><body><a ", 'a{}="" ', ">x</a></body></html>"), kind=Kind.PAGE
    ),
    "page-of-titles-with-attributes": Huge(
        body=_numbered("<html><head><link ", "a{} ", "></head></html>")
    ),
    "page-attribute": Huge(body=_filled('<html><body><a href="', "x", '">x</a>'), kind=Kind.PAGE),
    "page-of-open-comments": Huge(body=_filled("<html><body>", "<!--", ""), kind=Kind.PAGE),
    "page-of-scripts": Huge(body=_filled("<html><body>", "<script>", ""), kind=Kind.PAGE),
    "page-of-tables": Huge(body=_filled("<html><body>", "<table><tr><td>", ""), kind=Kind.PAGE),
    "page-text": Huge(body=_filled("<html><body><p>", _WORDS, ""), kind=Kind.PAGE),
    "page-of-brackets": Huge(body=_filled("<html><body>", "<", ""), kind=Kind.PAGE),
    "page-of-references": Huge(body=_filled("<html><body>", "&", ""), kind=Kind.PAGE),
}  # fmt: skip
