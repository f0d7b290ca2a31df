"""RSS, RDF and Atom, well-formed or not -> Document. The only place that knows feedparser.

What is well-formed and of the usual kinds, `fast` reads in its stead, to the same end.

feedparser gets UTF-8 without prolog, bounded by `outline`, and no base address: with one it would also
resolve guids, and so change them. Its own sanitising and resolving are off; `sanitise` does both, faster and
more strictly.

An element may be named like a key of feedparser's and so put anything there: every value's type is checked.
"""

import hashlib
import io
import re
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from syndicate.errors import ParseError
from syndicate.model import Document, Enclosure, Entry
from syndicate.sources import arrived, fast, outline, sanitise
from syndicate.sources.decode import decode
from syndicate.sources.hints import read_hints
from syndicate.sources.sanitise import Clean, check_link, clean_line

MAX_TITLE = 1000
MAX_AUTHOR = 300
MAX_CATEGORY = 200
MAX_CATEGORIES = 50
MAX_ENCLOSURES = 20
MAX_GUID = 2000
MAX_RAW_DATE = 200
MAX_DOCUMENT = 8 * 1024 * 1024  # characters of all texts of a document together

LIGHT_BYTES = 256 * 1024  # of XML: a quarter of a second
_LIGHT_BROKEN_BYTES = 32 * 1024  # of what has to be read leniently, in places worse than linear
_LIGHT_ATTRIBUTE = 8 * 1024
_LIGHT_DEPTH = 256
_LIGHT_ELEMENTS = 1000

_MAX_DEPTH = 5000
_MAX_ELEMENTS = 20_000  # children of one entry
_FEED_ROOTS = frozenset({"rss", "feed", "rdf"})
_MAX_ALTERNATIVES = 8  # contents of one entry that are looked at
_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8})*")
_MEDIA_TYPE = re.compile(r"[\w.+-]{1,60}/[\w.+-]{1,60}")
_ADDRESS_AND_NAME = re.compile(r"[^\s@()]+@[^\s@()]+\s+\(([^()]+)\)")
_NAME_AND_ADDRESS = re.compile(r"([^<>@]*[^<>@\s])\s*<[^\s@<>]+@[^\s@<>]+>")
_HTML_TYPES = ("text/html", "application/xhtml+xml")
_NOTHING = Clean(html="", text="")
_HEADERS = {"content-type": "application/xml; charset=utf-8"}

Raw = dict[str, Any]  # a FeedParserDict; read it with the functions at the end


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

    url: str
    is_atom: bool = False
    language: str | None = None
    author: str = ""
    left: int = MAX_DOCUMENT
    problems: Counter[str] = field(default_factory=Counter)


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
    decoded = decode(body, response.get("content-type", ""))
    text = decoded.text.lstrip("\ufeff \t\r\n")
    problems = [decoded.problem] if decoded.problem else []
    values = None if by_feedparser else fast.read(text)
    if values is not None:
        data = text.encode()
        is_light = len(data) <= LIGHT_BYTES
    else:
        data, is_light = _mended(text, url, problems)
    return Prepared(
        data=data,
        read=values,
        url=url,
        language=_language(response.get("content-language")),
        is_light=is_light,
        problems=tuple(problems),
    )


def _mended(text: str, url: str, problems: list[str]) -> tuple[bytes, bool]:
    """Return what feedparser may see, and whether it cannot take long."""
    text, illegal = outline.without_illegal(text)
    if illegal:
        problems.append(f"characters that XML does not allow, removed: {illegal}")
    data, found = _bounded_xml(text, url, problems)
    return data, _is_light(data, found)


def _bounded_xml(text: str, url: str, problems: list[str]) -> tuple[bytes, outline.Outline]:
    data = text.encode()
    found = outline.outline(data)
    if found.has_entities or (found.error and outline.declares_entities(text)):
        raise ParseError(
            "a feed whose DTD declares entities, which can blow up: refused until its publisher does without"
        )
    _refuse_monsters(found)
    if found.error:
        if outline.is_cut_off(text):
            raise ParseError("a feed that stops before its first entry ends: the answer was cut off")
        mended = outline.mended(text)
        if mended is None:
            raise ParseError(arrived.unreadable(text, found.root, url))
        problems.append(f"not well-formed XML, read leniently: {found.error}")
        data = _complete(mended, problems).encode()
        found = outline.outline(data)
    if found.root not in _FEED_ROOTS:
        raise ParseError(arrived.unreadable(text, found.root, url))
    if found.entries > outline.MAX_ENTRIES:
        left_out = found.entries - outline.MAX_ENTRIES
        problems.append(f"entries after the first {outline.MAX_ENTRIES:,}, left out: {left_out}")
    return (data[found.root_at :] if found.error else outline.bounded(data, found)), found


def _refuse_monsters(found: outline.Outline) -> None:
    """Refuse early what would only take long and a lot of memory, and give nothing in the end."""
    if found.depth > _MAX_DEPTH or found.entry_elements > _MAX_ELEMENTS:
        raise ParseError(
            f"XML nested {found.depth:,} deep, with up to {found.entry_elements:,} elements in an entry,"
            " which no feed has: it is broken or hostile; ask its publisher, or disable the source"
        )


def _complete(mended: str, problems: list[str]) -> str:
    complete = outline.without_tail(mended)
    if len(complete) != len(mended):
        problems.append("stops in the middle of an entry, which is left out")
    kept = outline.without_surplus(complete)
    if len(kept) != len(complete):
        problems.append(f"entries after the first {outline.MAX_ENTRIES:,}, left out")
    return kept


def _is_light(data: bytes, found: outline.Outline) -> bool:
    return (
        len(data) <= (_LIGHT_BROKEN_BYTES if found.error else LIGHT_BYTES)
        and found.longest_attribute <= _LIGHT_ATTRIBUTE
        and found.depth <= _LIGHT_DEPTH
        and found.entry_elements <= _LIGHT_ELEMENTS
    )


# --------------------------------------------------------------------------- bounded XML -> document


def read(prepared: Prepared) -> Document:
    """Return the document in prepared XML.

    Raises:
        ParseError: it is no feed after all.
    """
    result = prepared.read or _by_feedparser(prepared.data)
    version = _string(result, "version")
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
    except Exception as error:  # it raises whatever it stumbles over
        raise ParseError(
            f"XML that cannot be read as a feed ({_named(error)}): the publisher has to mend it"
        ) from error
    return result


def _named(error: object) -> str:
    return f"{type(error).__name__}: {clean_line(str(error), 200)}"


def _document(result: Raw, version: str, prepared: Prepared) -> Document:
    context = _Context(url=prepared.url, is_atom=version.startswith("atom"))
    feed = _mapping(result, "feed")
    stated = _string(feed, "language") or _string(_mapping(feed, "title_detail"), "language")
    context.language = _language(stated) or prepared.language
    context.author = _author(feed, context) if context.is_atom else ""
    entries = tuple(_entries(_mappings(result, "entries"), context))
    problems = [*prepared.problems]
    if _value(result, "bozo") and not any("read leniently" in problem for problem in problems):
        problems.append(f"not well-formed XML, read leniently: {_named(_value(result, 'bozo_exception'))}")
    return Document(
        format=version,
        title=_title(feed, context),
        link=_link(feed, context),
        language=context.language,
        entries=entries,
        problems=(*problems, *(f"{what}: {count}" for what, count in context.problems.items())),
        hints=read_hints(prepared.data, prepared.url),
    )


def _entries(raws: list[Raw], context: _Context) -> Iterator[Entry]:
    for raw in raws[: outline.MAX_ENTRIES]:
        entry = _entry(raw, context)
        if not (entry.guid or entry.link or entry.title or entry.body or entry.content_html):
            context.problems["entries with nothing in them, left out"] += 1
            continue
        context.left -= len(entry.body) + len(entry.summary) + len(entry.content_html)
        if context.left < 0:
            context.problems[
                f"entries kept without text, since the document holds more than {MAX_DOCUMENT:,} characters"
            ] += 1
            entry = replace(entry, body="", summary="", content_html="")
        yield entry


def _entry(raw: Raw, context: _Context) -> Entry:
    summary, contents = _summary(raw, context), _contents(raw, context)
    fullest = max((*contents, summary), key=lambda clean: (len(clean.text), len(clean.html)))
    published, published_raw = _date(raw, "published", context)
    updated, updated_raw = _date(raw, "updated", context)
    if published_raw is None and not context.is_atom:  # dc:date, which feedparser takes for an update
        published, published_raw, updated, updated_raw = updated, updated_raw, None, None
    return Entry(
        guid=_guid(raw, context),
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
    )


def _guid(raw: Raw, context: _Context) -> str | None:
    guid = _string(raw, "id")
    if " " in guid or not guid.isprintable():
        guid = " ".join(sanitise.without_controls(guid).split())
    if len(guid) <= MAX_GUID:
        return guid or None
    context.problems[f"guids of more than {MAX_GUID:,} characters, replaced by their hash"] += 1
    return "sha256:" + hashlib.sha256(guid.encode()).hexdigest()


def _link(raw: Raw, context: _Context) -> str | None:
    """Return the first link to the page itself, HTML before other types; else a guid that is a link."""
    alternates = [link for link in _mappings(raw, "links") if _string(link, "rel") == "alternate"]
    alternates.sort(key=lambda link: "html" not in _string(link, "type"))
    hrefs = [_string(link, "href") for link in alternates]
    for link in hrefs:
        if absolute := check_link(link, context.url):
            return absolute
    # feedparser takes any guid for a link unless told otherwise; one that is relative is just an identifier
    permalink = check_link(_string(raw, "link")) if not any(hrefs) else None
    if any(hrefs):
        context.problems[
            f"links that are no http(s) address of up to {sanitise.MAX_LINK:,} characters, dropped"
        ] += 1
    return permalink


def _date(raw: Raw, key: str, context: _Context) -> tuple[datetime | None, str | None]:
    """Return a date as parsed (None when it cannot be, or is not in 1970..9999), and as written."""
    if not _string(raw, key):
        return None, None
    written = clean_line(_string(raw, key), MAX_RAW_DATE)
    is_number = written.isdigit() and len(written) != len("YYYYMMDD")  # would be taken for some date
    parsed = None if is_number else _moment(_value(raw, f"{key}_parsed"))
    if written and not parsed:
        context.problems["dates that cannot be read"] += 1
    return (parsed, written) if written else (None, None)


def _moment(value: object) -> datetime | None:
    if isinstance(value, datetime):
        return value if value.year >= 1970 else None
    if not isinstance(value, time.struct_time) or not 1970 <= value.tm_year <= 9999:
        return None
    year, month, day, hour, minute, second = value[:6]
    try:
        return datetime(year, month, day, hour, minute, min(second, 59), tzinfo=UTC)
    except ValueError:
        return None


def _own_language(raw: Raw, context: _Context) -> str | None:
    """Return the language that an entry states otherwise than its document."""
    language = (
        _language(_string(raw, "language"))
        or _language(_string(_mapping(raw, "title_detail"), "language"))
        or next((_language(_string(content, "language")) for content in _mappings(raw, "content")[:1]), None)
    )
    return None if language == context.language else language


def _author(raw: Raw, context: _Context) -> str:
    authors = _mappings(raw, "authors")
    if not authors and not _string(raw, "author"):
        return ""
    if (
        not context.is_atom and len(authors) == 1
    ):  # feedparser cuts long domains out of the middle of addresses
        return _line(_without_address(_string(raw, "author")[:1000]), "", MAX_AUTHOR, context)
    names = [_string(author, "name") or _string(author, "email") for author in authors[:50]]
    names = list(dict.fromkeys(name for name in names if name))
    return _line(", ".join(names) or _string(raw, "author"), "", MAX_AUTHOR, context)


def _without_address(author: str) -> str:
    """Return the name in `address (name)` or `name <address>`, else all of it."""
    named = _ADDRESS_AND_NAME.fullmatch(author) or _NAME_AND_ADDRESS.fullmatch(author)
    return named[1] if named else author


def _categories(raw: Raw, context: _Context) -> tuple[str, ...]:
    tags = _mappings(raw, "tags")
    if len(tags) > MAX_CATEGORIES:
        context.problems[f"entries with more than {MAX_CATEGORIES} categories, cut"] += 1
    names = (_string(tag, "label") or _string(tag, "term") for tag in tags[:MAX_CATEGORIES])
    lines = (_line(name, "", MAX_CATEGORY, context) for name in names)
    return tuple(dict.fromkeys(line for line in lines if line))


def _enclosures(raw: Raw, context: _Context) -> tuple[Enclosure, ...]:
    """Return the files of an entry, Media RSS included; each address once."""
    linked = [link for link in _mappings(raw, "links") if _string(link, "rel") == "enclosure"]
    files = [*linked, *_mappings(raw, "media_content"), *_mappings(raw, "media_thumbnail")]
    by_url: dict[str, Enclosure] = {}
    for file in files[: 10 * MAX_ENCLOSURES]:
        written = _string(file, "href") or _string(file, "url")
        if url := check_link(written, context.url):
            by_url.setdefault(url, _enclosure(url, file))
        elif written:
            context.problems["enclosures that are no http(s) address, dropped"] += 1
    if len(by_url) > MAX_ENCLOSURES:
        context.problems[f"entries with more than {MAX_ENCLOSURES} enclosures, cut"] += 1
    return tuple(by_url.values())[:MAX_ENCLOSURES]


def _enclosure(url: str, file: Raw) -> Enclosure:
    type_ = _string(file, "type").strip().lower()
    length = (_string(file, "length") or _string(file, "filesize")).strip()
    is_length = length.isascii() and length.isdigit() and len(length) <= 15
    return Enclosure(
        url=url,
        type=type_ if _MEDIA_TYPE.fullmatch(type_) else None,
        length_bytes=(int(length) or None) if is_length else None,  # 0 is what is written when nobody knows
    )


# --------------------------------------------------------------------------- texts


def _title(raw: Raw, context: _Context) -> str:
    return _line(_string(raw, "title"), _string(_mapping(raw, "title_detail"), "type"), MAX_TITLE, context)


def _line(text: str, type_: str, limit: int, context: _Context) -> str:
    """Return one line of plain text out of what may be HTML."""
    line = sanitise.text_of(text) if _is_html(text, type_, context) else text
    line = clean_line(line, limit)
    if len(line) == limit:
        context.problems[
            f"titles, authors or categories longer than allowed, cut to at most {MAX_TITLE:,}"
        ] += 1
    return line


def _summary(raw: Raw, context: _Context) -> Clean:
    detail = _mapping(raw, "summary_detail")
    if not detail:  # what feedparser copied from the content
        return _NOTHING if _mappings(raw, "content") else _clean(_string(raw, "summary"), "", "", context)
    return _clean(_string(raw, "summary"), _string(detail, "type"), _string(detail, "base"), context)


def _contents(raw: Raw, context: _Context) -> list[Clean]:
    contents = _mappings(raw, "content")[:_MAX_ALTERNATIVES]
    return [
        _clean(_string(content, "value"), _string(content, "type"), _string(content, "base"), context)
        for content in contents
        if _string(content, "type") in ("", "text/plain", *_HTML_TYPES)
    ]


def _clean(text: str, type_: str, base: str, context: _Context) -> Clean:
    if _is_html(text, type_, context):
        clean = sanitise.clean_html(text, sanitise.join(context.url, base))
    else:
        clean = sanitise.clean_plain(text)
    if clean.was_cut:
        context.problems[
            f"texts of more than {sanitise.MAX_HTML:,} characters or too deeply nested, cut"
        ] += 1
    return clean


def _is_html(text: str, type_: str, context: _Context) -> bool:
    """Whether a text is HTML. Many say it is plain when it is not; Atom's word is doubted only for tags."""
    if type_ in _HTML_TYPES:
        return True
    return sanitise.has_markup(text) or (not context.is_atom and sanitise.has_references(text))


# --------------------------------------------------------------------------- values of the right type


_value = dict.get  # a FeedParserDict's own guesses, and warns


def _string(raw: Raw, key: str) -> str:
    value = _value(raw, key)
    return value if isinstance(value, str) else ""


def _mapping(raw: Raw, key: str) -> Raw:
    value = _value(raw, key)
    return value if isinstance(value, dict) else {}


def _mappings(raw: Raw, key: str) -> list[Raw]:
    value = _value(raw, key)
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _language(tag: str | None) -> str | None:
    """Return a language tag as BCP 47 writes it; None when it is none."""
    if not tag:
        return None
    tag = tag.strip().replace("_", "-")
    return tag if len(tag) <= 35 and _LANGUAGE.fullmatch(tag) else None
