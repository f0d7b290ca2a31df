"""RSS, RDF and Atom, well-formed or not -> Document. The only place that knows feedparser.

What is well-formed and of the usual kinds, `fast` reads in its stead, to the same end.

feedparser gets UTF-8 without prolog, bounded by `outline`, and no base address: with one it would also
resolve guids, and so change them. Its own sanitising and resolving are off; `sanitise` does both, faster and
more strictly.
"""

import io
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from syndicate.errors import ParseError
from syndicate.ids import absolute_iri
from syndicate.model import Document, Enclosure, Entry
from syndicate.sources import arrived, fast, outline, sanitise
from syndicate.sources.dates import is_plausible
from syndicate.sources.decode import utf8
from syndicate.sources.fields import MAX_AUTHOR, Fields, left_out
from syndicate.sources.hints import read_hints
from syndicate.sources.language_tags import language_tag
from syndicate.sources.raw import Raw, mapping, mappings, string, value
from syndicate.sources.sanitise import Clean, check_link, clean_line

LIGHT_BYTES = 256 * 1024  # of XML: a quarter of a second
_LIGHT_BROKEN_BYTES = 32 * 1024  # of what has to be read leniently, in places worse than linear
_LIGHT_ATTRIBUTE = 8 * 1024
_LIGHT_DEPTH = 256
_LIGHT_ELEMENTS = 1000
_LIGHT_TERMS = 5000  # in keywords, each of which feedparser compares with all before it

_FEED_ROOTS = frozenset({"rss", "feed", "rdf"})
_MAX_ALTERNATIVES = 8  # contents of one entry that are looked at
_MEDIA_TYPE = re.compile(r"[\w.+-]{1,60}/[\w.+-]{1,60}")
_ADDRESS_AND_NAME = re.compile(r"[^\s@()]+@[^\s@()]+\s+\(([^()]+)\)")
_NAME_AND_ADDRESS = re.compile(r"([^<>@]*[^<>@\s])\s*<[^\s@<>]+@[^\s@<>]+>")
_HTML_TYPES = ("text/html", "application/xhtml+xml")
_EMPTY = Clean(html="", text="")
_MANY_CONTENTS = f"entries with more than {_MAX_ALTERNATIVES} contents, of which the rest is left out"
_MONSTROUS = (
    f"XML nested more than {outline.MAX_DEPTH:,} deep, or with more than {outline.MAX_ELEMENTS:,} elements"
    " in an entry, which no feed has: it is broken or hostile; ask its publisher, or disable the source"
)
_LENIENTLY = "not well-formed XML, read leniently"
_HEADERS = {"content-type": "application/xml; charset=utf-8"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A feed's XML, bounded: what feedparser may see; or what it would make of that."""

    data: bytes
    read: Raw | None = None  # None: feedparser has to be asked
    url: str
    language: str | None  # of the response
    is_light: bool  # cannot take long
    problems: tuple[str, ...]


@dataclass(slots=True, kw_only=True)
class _Context:
    """What the entries of a document share."""

    fields: Fields
    is_atom: bool
    language: str | None = None
    author: str = ""


def parse(body: bytes, headers: Mapping[str, str], url: str, *, by_feedparser: bool = False) -> Document:
    """Return the document that a response holds.

    Links are resolved against xml:base, else `url`. What is cut or left out is said in `problems`.

    Args:
        body: after decompression.
        headers: of the response, names in any case; Content-Type and Content-Language matter.
        url: where the response came from, after redirects.
        by_feedparser: whether feedparser reads it in any case. The document is the same.

    Raises:
        ParseError: this is no feed; the text says what it is instead.
    """
    return read(prepare(body, headers, url, by_feedparser=by_feedparser))


# --------------------------------------------------------------------------- bytes -> bounded XML


def prepare(body: bytes, headers: Mapping[str, str], url: str, *, by_feedparser: bool = False) -> Prepared:
    """Return the XML of a response, decoded, mended and bounded, in time linear to its size.

    Raises:
        ParseError: this is no feed, or one that declares entities.
    """
    response = {name.lower(): value for name, value in headers.items()}
    if what := arrived.binary(body):
        raise ParseError(what)
    data, problem = utf8(body, response.get("content-type", ""))
    problems = [problem] if problem else []
    is_light = len(data) <= LIGHT_BYTES
    values = None if by_feedparser else fast.read(data)
    if values is None:
        data, is_light = _mended(data, url, problems)
    return Prepared(
        data=data,
        read=values,
        url=url,
        language=language_tag(response.get("content-language")),
        is_light=is_light,
        problems=tuple(problems),
    )


def _mended(data: bytes, url: str, problems: list[str]) -> tuple[bytes, bool]:
    """Return what feedparser may see, and whether it cannot take long."""
    text, illegal = outline.without_illegal(data.decode(errors="surrogatepass"))
    if illegal:
        problems.append(f"characters that XML does not allow, removed: {illegal}")
        data = text.encode()
    del text  # it may be long
    data, found = _bounded_xml(data, url, problems)
    return data, _is_light(data, found)


def _bounded_xml(data: bytes, url: str, problems: list[str]) -> tuple[bytes, outline.Outline]:
    found = outline.outline(data)
    if found.has_entities or (found.error and outline.declares_entities(data.decode())):
        raise ParseError(
            "a feed whose DTD declares entities, which can blow up: refused until its publisher does without"
        )
    if found.is_monstrous:
        raise ParseError(_MONSTROUS)
    if found.error:
        problems.append(f"{_LENIENTLY}: {found.error}")
        data = _well_ended(data.decode(), found.root, url, problems).encode()
        found = outline.outline(data)
    if found.root not in _FEED_ROOTS:
        raise ParseError(arrived.unreadable(data.decode(), found.root, url))
    problems += left_out(found.entries)
    return (data[found.root_at :] if found.error else outline.bounded(data, found)), found


def _well_ended(text: str, root: str | None, url: str, problems: list[str]) -> str:
    """Return a text that is not well-formed, mended as far as it can be, without what is cut off."""
    if outline.is_cut_off(text):
        raise ParseError("a feed that stops before its first entry ends: the answer was cut off")
    mended = outline.mended(text)
    if mended is None:
        raise ParseError(arrived.unreadable(text, root, url))
    return _complete(mended, problems)


def _complete(mended: str, problems: list[str]) -> str:
    complete = outline.without_tail(mended)
    if complete != mended:
        problems.append("stops in the middle of an entry, which is left out")
    kept = outline.without_surplus(complete)
    if kept != complete:
        problems.append(f"entries after the first {outline.MAX_ENTRIES:,}, left out")
    return kept


def _is_light(data: bytes, found: outline.Outline) -> bool:
    return (
        len(data) <= (_LIGHT_BROKEN_BYTES if found.error else LIGHT_BYTES)
        and found.longest_attribute <= _LIGHT_ATTRIBUTE
        and found.depth <= _LIGHT_DEPTH
        and found.entry_elements <= _LIGHT_ELEMENTS
        and (data.count(b",") + data.count(b"&#") <= _LIGHT_TERMS or b"keywords" not in data.lower())
    )


# --------------------------------------------------------------------------- bounded XML -> document


def read(prepared: Prepared) -> Document:
    """Return the document in prepared XML.

    Raises:
        ParseError: it is no feed after all.
    """
    result = prepared.read or _by_feedparser(prepared.data)
    version = string(result, "version")
    if not version:
        raise ParseError(
            "XML without an RSS or Atom version, not a feed: give the address of an RSS or Atom feed"
        )
    return _document(result, version, prepared)


def _by_feedparser(data: bytes) -> Raw:
    import feedparser  # noqa: PLC0415  most documents do without

    try:
        # Never the bytes themselves: it opens what looks like a path or an address.
        result: Raw = feedparser.parse(
            io.BytesIO(data), response_headers=_HEADERS, resolve_relative_uris=False, sanitize_html=False
        )
    except MemoryError:
        raise
    except Exception as error:  # it raises whatever it stumbles over
        raise ParseError(
            f"XML that cannot be read as a feed ({_named(error)}): the publisher has to mend it"
        ) from error
    return result


def _named(error: object) -> str:
    return f"{type(error).__name__}: {clean_line(str(error), 200)}"


def _document(result: Raw, version: str, prepared: Prepared) -> Document:
    is_atom = version.startswith("atom")
    fields = Fields(url=prepared.url, are_plain_texts_plain=is_atom)
    context = _Context(fields=fields, is_atom=is_atom)
    feed = mapping(result, "feed")
    stated = string(feed, "language") or string(mapping(feed, "title_detail"), "language")
    context.language = language_tag(stated) or prepared.language
    context.author = _author(feed, context) if context.is_atom else ""
    raws = mappings(result, "entries")[: outline.MAX_ENTRIES]
    entries = tuple(fields.kept(_entry(raw, context) for raw in raws))
    problems = [*prepared.problems]
    if value(result, "bozo") and not any(_LENIENTLY in problem for problem in problems):
        problems.append(f"{_LENIENTLY}: {_named(value(result, 'bozo_exception'))}")
    if not raws and (how := next((problem for problem in problems if _LENIENTLY in problem), None)):
        raise ParseError(f"a feed in which no entry can be read ({how}): its publisher has to mend it")
    return Document(
        format=version,
        title=_title(feed, context),
        link=_link(feed, context),
        id=absolute_iri(string(feed, "id")),
        language=context.language,
        entries=entries,
        problems=(*problems, *fields.in_words()),
        hints=read_hints(prepared.data, prepared.url),
    )


def _entry(raw: Raw, context: _Context) -> Entry:
    summary, contents = _summary(raw, context), _contents(raw, context)
    fullest = max((*contents, summary), key=lambda clean: (len(clean.text), len(clean.html)))
    published, published_raw = _date(raw, "published", context)
    updated, updated_raw = _date(raw, "updated", context)
    if published_raw is None and not context.is_atom:  # dc:date, which feedparser takes for an update
        published, published_raw, updated, updated_raw = updated, updated_raw, None, None
    return Entry(
        guid=context.fields.guid(string(raw, "id")),
        link=_link(raw, context),
        title=_title(raw, context),
        body=fullest.text,
        summary=summary.text,
        content_html=fullest.html,
        author=_author(raw, context) or context.author,
        categories=_categories(raw, context),
        language=_own_language(raw, context),
        published=published,
        published_raw=published_raw,
        updated=updated,
        updated_raw=updated_raw,
        enclosures=_enclosures(raw, context),
        canonical=_canonical(raw),
    )


def _link(raw: Raw, context: _Context) -> str | None:
    """Return the first link to the page itself, HTML before other types; else a guid that is a link."""
    alternates = [link for link in mappings(raw, "links") if string(link, "rel") == "alternate"]
    alternates.sort(key=lambda link: "html" not in string(link, "type"))
    hrefs = [string(link, "href") for link in alternates]
    if any(hrefs):
        return context.fields.link(*hrefs)
    # feedparser takes any guid for a link unless told otherwise; one that is relative is just an identifier
    return check_link(string(raw, "link"))


def _canonical(raw: Raw) -> str | None:
    """Return the address that an entry says is its own (rel=canonical, RFC 6596), None if it names none."""
    links = (link for link in mappings(raw, "links") if string(link, "rel") == "canonical")
    return next(filter(None, (check_link(string(link, "href")) for link in links)), None)


def _date(raw: Raw, key: str, context: _Context) -> tuple[datetime | None, str | None]:
    """Return a date as parsed (None when it cannot be, or is not in 1970..9999), and as written."""
    if not string(raw, key):
        return None, None
    written = context.fields.raw_date(string(raw, key))
    is_number = written.isdigit() and len(written) != len("YYYYMMDD")  # would be taken for some date
    parsed = None if is_number else _moment(value(raw, f"{key}_parsed"))
    return context.fields.dated(written, parsed if parsed and is_plausible(parsed, written) else None)


def _moment(parsed: object) -> datetime | None:
    if isinstance(parsed, datetime):
        return parsed if parsed.year >= 1970 else None
    if not isinstance(parsed, time.struct_time) or not 1970 <= parsed.tm_year <= 9999:
        return None
    year, month, day, hour, minute, second = parsed[:6]
    try:
        return datetime(year, month, day, hour, minute, min(second, 59), tzinfo=UTC)
    except ValueError:
        return None


def _own_language(raw: Raw, context: _Context) -> str | None:
    """Return the language that an entry states otherwise than its document."""
    contents = mappings(raw, "content")[:1]
    language = (
        language_tag(string(raw, "language"))
        or language_tag(string(mapping(raw, "title_detail"), "language"))
        or next((language_tag(string(content, "language")) for content in contents), None)
    )
    return None if language == context.language else language


def _author(raw: Raw, context: _Context) -> str:
    authors = mappings(raw, "authors")
    written = string(raw, "author")
    if not authors and not written:
        return ""
    if not context.is_atom and len(authors) == 1:
        # feedparser cuts long domains out of the middle of addresses
        return context.fields.line(_without_address(written[:1000]), MAX_AUTHOR)
    names = [string(author, "name") or string(author, "email") for author in authors]
    return context.fields.author(names if any(names) else [written])


def _without_address(author: str) -> str:
    """Return the name in `address (name)` or `name <address>`, else all of it."""
    named = _ADDRESS_AND_NAME.fullmatch(author) or _NAME_AND_ADDRESS.fullmatch(author)
    return named[1] if named else author


def _categories(raw: Raw, context: _Context) -> tuple[str, ...]:
    tags = mappings(raw, "tags")
    return context.fields.categories([string(tag, "label") or string(tag, "term") for tag in tags])


def _enclosures(raw: Raw, context: _Context) -> tuple[Enclosure, ...]:
    """Return the files of an entry, Media RSS included."""
    linked = [link for link in mappings(raw, "links") if string(link, "rel") == "enclosure"]
    files = [*linked, *mappings(raw, "media_content"), *mappings(raw, "media_thumbnail")]
    return context.fields.enclosures([_enclosure(file) for file in files])


def _enclosure(file: Raw) -> Enclosure:
    """Return a file, its address as written."""
    type_ = string(file, "type").strip().lower()
    length = (string(file, "length") or string(file, "filesize")).strip()
    is_length = length.isascii() and length.isdigit() and len(length) <= 15
    return Enclosure(
        url=string(file, "href") or string(file, "url"),
        type=type_ if _MEDIA_TYPE.fullmatch(type_) else None,
        length_bytes=(int(length) or None) if is_length else None,  # 0 is what is written when nobody knows
    )


# --------------------------------------------------------------------------- texts


def _title(raw: Raw, context: _Context) -> str:
    type_ = string(mapping(raw, "title_detail"), "type")
    return context.fields.line(string(raw, "title"), is_html=type_ in _HTML_TYPES)


def _summary(raw: Raw, context: _Context) -> Clean:
    detail = mapping(raw, "summary_detail")
    if not detail:  # what feedparser copied from the content
        return _EMPTY if mappings(raw, "content") else _clean(string(raw, "summary"), "", "", context)
    return _clean(string(raw, "summary"), string(detail, "type"), string(detail, "base"), context)


def _contents(raw: Raw, context: _Context) -> list[Clean]:
    contents = mappings(raw, "content")
    context.fields.count(_MANY_CONTENTS, is_so=len(contents) > _MAX_ALTERNATIVES)
    return [
        _clean(string(content, "value"), string(content, "type"), string(content, "base"), context)
        for content in contents[:_MAX_ALTERNATIVES]
        if string(content, "type") in ("", "text/plain", *_HTML_TYPES)
    ]


def _clean(text: str, type_: str, base: str, context: _Context) -> Clean:
    fields = context.fields
    if type_ in _HTML_TYPES or fields.is_html(text):
        return fields.html(text, sanitise.join(fields.url, base))
    return fields.plain(text)
