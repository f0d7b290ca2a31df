"""Which kind of document an answer holds, as was said or as it looks, and the document."""

import codecs
import json
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from syndicate.errors import ParseError
from syndicate.model import Address, Claim, Document, Kind
from syndicate.sources import arrived, feed, jsonfeed, page, sitemap
from syndicate.sources.decode import decode
from syndicate.sources.language_tags import language_tag
from syndicate.sources.markup import read_page
from syndicate.sources.sanitise import clean_line

MAX_UNPACKED = 15 * 1024 * 1024  # bytes of a document that is packed by gzip, as sitemaps are
LIGHT_PAGE_BYTES = 512 * 1024  # of a web page, which is read faster than a feed
_GZIP = b"\x1f\x8b"
_MAX_MEMBERS = 1000  # of gzip data
_HEAD = 4096  # bytes of a document by which it is told
_MOST_BEFORE_ROOT = 100  # comments and the like
_FEED_START = re.compile(r"<(?:rss|feed|\w{1,20}:feed|(?:\w{1,20}:)?RDF)[\s>]", re.IGNORECASE)
_OR_PAGE = '; or say kind = "page" to watch the page itself'
_NAMES = {
    Kind.FEED: "an RSS or Atom feed",
    Kind.JSON: "JSON",
    Kind.SITEMAP: "a sitemap",
    Kind.PAGE: "a web page",
}
_KINDS_BY_ROOT = {
    **dict.fromkeys((b"rss", b"feed", b"rdf"), Kind.FEED),
    **dict.fromkeys((b"urlset", b"sitemapindex"), Kind.SITEMAP),
    **dict.fromkeys((b"html", b"head", b"body"), Kind.PAGE),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """What is no feed in XML, decoded."""

    kind: Kind
    text: str
    url: str
    address: Address
    language: str | None  # of the response
    now: datetime | None  # when it was answered
    is_light: bool  # cannot take long
    problems: tuple[str, ...] = ()
    otherwise: str | None = None  # what is wrong when a page that nobody asked for has no list of articles


def parse(body: bytes, headers: Mapping[str, str], url: str, address: Address | None = None) -> Document:
    """Return the document that a response holds, however long that takes.

    Args:
        body: after decompression.
        headers: of the response, names in any case.
        url: where the response came from, after redirects.
        address: what is said of it. None: nothing, and a web page is no document.

    Raises:
        ParseError: it is of no kind that we read, or not of the one that was said.
    """
    return read(prepare(unpacked(body), headers, url, address))


def unpacked(body: bytes) -> bytes:
    """Return a body without gzip, which sitemaps come in.

    Raises:
        ParseError: it can't be unpacked, or to more than we read.
    """
    if not body.startswith(_GZIP):
        return body
    whole = bytearray()
    for _ in range(_MAX_MEMBERS):
        stream = zlib.decompressobj(wbits=31)
        try:
            whole += stream.decompress(body, MAX_UNPACKED - len(whole) + 1)
        except zlib.error as error:
            raise ParseError("gzip-compressed data that is damaged: its publisher has to mend it") from error
        if len(whole) > MAX_UNPACKED:
            raise ParseError(f"gzip-compressed data of more than {MAX_UNPACKED // 2**20} MiB, given up")
        if not stream.eof:
            raise ParseError("gzip-compressed data that was cut off")
        body = stream.unused_data
        if not body.startswith(_GZIP):  # whatever follows is padding
            break
    return bytes(whole)


def may_be_light(body: bytes) -> bool:
    """Whether a body is short enough to be read here and now."""
    return len(body) <= (LIGHT_PAGE_BYTES if looks_like(body) is Kind.PAGE else feed.LIGHT_BYTES)


def prepare(
    body: bytes, headers: Mapping[str, str], url: str, address: Address | None = None
) -> feed.Prepared | Prepared:
    """Return what is to be read, in time linear to its size.

    Raises:
        ParseError: it is of no kind that we read, or not of the one that was said.
    """
    said = Kind.PAGE if address and address.is_page else address.kind if address else None
    looks = looks_like(body)
    if said in (Kind.FEED, None) and looks in (Kind.FEED, None):
        return feed.prepare(body, headers, url)
    if said is Kind.FEED and looks is Kind.PAGE:
        return feed.prepare(body, headers, url)  # it may be a feed behind a warning of its server
    prepared = _decoded(body, headers, address or Address(url=url), url)
    if said is None and looks is Kind.PAGE:
        return _as_page(prepared, body, headers, is_allowed=address is not None)
    if said is Kind.PAGE and looks is None and not arrived.binary(body):
        return prepared  # it begins in the middle of something
    if said is not None and looks is not said:
        raise ParseError(_not_as_said(prepared, said, body))
    return replace(prepared, kind=looks or Kind.FEED)


def read(prepared: feed.Prepared | Prepared) -> Document:
    """Return the document.

    Raises:
        ParseError: it is none after all.
    """
    if isinstance(prepared, feed.Prepared):
        return feed.read(prepared)
    document = _read(prepared)
    return replace(document, problems=(*prepared.problems, *document.problems))


def _read(prepared: Prepared) -> Document:
    text, url, language = prepared.text, prepared.url, prepared.language
    if prepared.kind is Kind.JSON:
        return jsonfeed.read(text, url, language)
    if prepared.kind is Kind.SITEMAP:
        return sitemap.read(text, url, language, prepared.address.link_pattern)
    try:
        return page.read(text, url, prepared.address, language=language, now=prepared.now)
    except ParseError as error:
        raise ParseError(prepared.otherwise or str(error)) from error


def unexpected(claim: Claim, document: Document) -> str | None:
    """Return why a document is not believed, None if it is.

    Who has seen a feed at an address takes a web page there for an error page, unless told otherwise.
    """
    address = claim.source.address(claim.url)
    is_meant = address.is_page or address.link_pattern is not None
    before = claim.format or ("unknown" if claim.body_hash else "")  # read when only feeds were
    if document.format != page.FORMAT or is_meant or before in ("", page.FORMAT):
        return None
    title = f" titled “{document.title}”" if document.title else ""
    return (
        f"an HTML page{title}, where a document of the format {before} was before: it may be a login,"
        ' consent or error page; if it is what you want to watch, say so by kind = "page"'
    )


# --------------------------------------------------------------------------- how it looks


def looks_like(body: bytes) -> Kind | None:
    """Return the kind of document that some bytes look like; None when they look like none."""
    name = _root(body)
    if name is None:
        head = body[:_HEAD].removeprefix(codecs.BOM_UTF8).replace(b"\0", b"").lstrip(b" \t\r\n\xff\xfe")
        return Kind.JSON if head[:1] in (b"{", b"[") else None
    return _KINDS_BY_ROOT.get(name)


def _root(body: bytes) -> bytes | None:
    """Return the name of the first element, without its prefix, in lower case; None when there is none there.

    `html` also for what merely begins as an HTML page does.
    """
    at = 0
    for _ in range(_MOST_BEFORE_ROOT):
        at = body.find(b"<", at)
        if at < 0:
            return None
        head = body[at : at + 2 * _HEAD].replace(b"\0", b"")[:_HEAD]
        if head.startswith(b"<!--"):
            at = body.find(b"-->", at)
        elif head.startswith((b"<?", b"<!")):
            if head[:14].lower() == b"<!doctype html":
                return b"html"
            at = body.find(b">", at)
        else:
            begins = body[:at].replace(b"\0", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n")
            return _name(head) if begins[:1] in (b"", b"<") else None
        if at < 0:
            return None
    return None


def _name(head: bytes) -> bytes:
    tag = head[1:].replace(b"/", b" ").replace(b">", b" ").split(maxsplit=1)
    return tag[0].rpartition(b":")[2].lower() if tag else b""


# --------------------------------------------------------------------------- what is no feed


def _decoded(body: bytes, headers: Mapping[str, str], address: Address, url: str) -> Prepared:
    response = {name.lower(): value for name, value in headers.items()}
    decoded = decode(body, response.get("content-type", "")) if not _is_wide_json(body) else None
    text = decoded.text if decoded else body.decode(json.detect_encoding(body), errors="replace")
    return Prepared(
        kind=Kind.PAGE,
        text=text.lstrip("\ufeff"),
        url=url,
        address=address,
        language=language_tag(response.get("content-language")),
        now=_answered_at(response.get("date")),
        is_light=may_be_light(body),
        problems=(decoded.problem,) if decoded and decoded.problem else (),
    )


def _is_wide_json(body: bytes) -> bool:
    return looks_like(body) is Kind.JSON and json.detect_encoding(body[:8]).startswith(("utf-16", "utf-32"))


def _answered_at(date: str | None) -> datetime | None:
    try:
        moment = parsedate_to_datetime(date or "")
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):  # also of a day that is beyond 9999 in UTC
        return None


def _as_page(
    prepared: Prepared, body: bytes, headers: Mapping[str, str], *, is_allowed: bool
) -> feed.Prepared | Prepared:
    """Return what looks like a page and was not said to be one.

    It may be a feed behind a warning of its server; a page that names feeds is not what was meant.
    """
    if _FEED_START.search(prepared.text):
        try:
            return feed.prepare(body, headers, prepared.url)
        except ParseError:
            pass
    error = arrived.unreadable(prepared.text, "html", prepared.url)
    is_meant = prepared.address.link_pattern is not None
    if not is_allowed or (not is_meant and read_page(prepared.text, prepared.url).feeds):
        raise ParseError(error)
    return replace(prepared, otherwise=None if is_meant else f"{error}{_OR_PAGE}")


def _not_as_said(prepared: Prepared, said: Kind, body: bytes) -> str:
    looks = looks_like(body)
    if looks is None or looks is Kind.PAGE:
        root = clean_line((_root(body) or b"").decode(errors="replace"), 60) or None
        return arrived.binary(body) or arrived.unreadable(prepared.text, root, prepared.url)
    return f'{_NAMES[looks]}, though its address says kind = "{said}": leave the kind out'
