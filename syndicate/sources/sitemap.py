"""Sitemaps, news sitemaps and indexes of them -> Document (https://www.sitemaps.org/protocol.html,
https://developers.google.com/search/docs/crawling-indexing/sitemaps/news-sitemap).

One pass of expat, in time linear to the size. An entry has no text: it says that there is an article, when it
was published, and for news its title. Where there is none, the words in the address have to do.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TypeVar
from xml.parsers import expat

from syndicate.errors import ParseError
from syndicate.model import Document, Entry, Part
from syndicate.sources import outline
from syndicate.sources.dates import iso_date
from syndicate.sources.fields import Fields, left_out
from syndicate.sources.language_tags import language_tag
from syndicate.sources.links import fits, is_same_site, slug_title
from syndicate.sources.sanitise import check_link
from syndicate.stories import canonical_link

FORMAT = "sitemap"
MAX_PARTS = 4  # of an index, that are read
_MAX_NAMED = 100_000  # addresses that are looked at; the protocol allows half of that
_HUGE_TAG = re.compile(r"<[^<>]{65536}")
_MAX_VALUE = 20_000  # characters of one value
_MAX_DEPTH = 100
_ROOTS = {"urlset": "url", "sitemapindex": "sitemap"}
_NEWS = "sitemap-news"  # in its namespace
_NEWS_PREFIXES = frozenset({"news", "n"})
_OURS = frozenset({"loc", "lastmod"})
_OF_NEWS = frozenset({"title", "publication_date", "language", "name", "keywords"})
_NO_ARTICLES = re.compile(  # but page-2 is the second part of something
    r"posts-page|(?<![a-z])(?:category|categories|tags?|taxonom[a-z]*|authors?|users?|pages?|images?|videos?"
    r"|products?|static)(?![a-z]|[=_-]?\d)",
    re.IGNORECASE,
)
_NEWS_NAME = re.compile(r"news|latest|recent", re.IGNORECASE)
_NUMBER = re.compile(r"\d+")
NEVER = datetime(1, 1, 1, tzinfo=UTC)

T = TypeVar("T")


@dataclass(slots=True, kw_only=True)
class _Pass:
    """What one pass has found."""

    root: str | None = None  # local name, in lower case
    values: list[dict[str, str]] = field(default_factory=list)  # of each <url> or <sitemap>
    count: int = 0  # of those that say something
    error: str | None = None  # why it ends early


def read(text: str, url: str, language: str | None = None, pattern: str | None = None) -> Document:
    """Return the document in a sitemap, newest entries first; of an index, where its parts are.

    Args:
        url: where it came from, for relative addresses in it, which there should be none of.
        language: of the response.
        pattern: that the addresses of articles have; None: all addresses are articles.

    Raises:
        ParseError: this is no sitemap, or one that cannot be read.
    """
    clean, illegal = outline.without_illegal(text)
    problems = [f"characters that XML does not allow, removed: {illegal}"] if illegal else []
    if _HUGE_TAG.search(clean):
        raise ParseError(
            "XML with a tag of more than 65,536 characters, which no sitemap has: broken or hostile"
        )
    found = _passed(clean)
    if found.error:
        mended = _passed(outline.with_references_mended(clean))
        found = mended if len(mended.values) > len(found.values) or not mended.error else found
        how = f", and only as far as that: {found.error}" if found.error else ""
        problems.append(f"not well-formed XML, read leniently{how}")
    if found.root not in _ROOTS:
        raise ParseError("XML without a <urlset>, not a sitemap: check the address and its kind")
    if found.error and not found.values:
        raise ParseError(f"a sitemap that cannot be read ({found.error}): its publisher has to mend it")
    if found.count > _MAX_NAMED:
        problems.append(f"addresses after the first {_MAX_NAMED:,}, left out: {found.count - _MAX_NAMED}")
    if found.root == "sitemapindex":
        return _index(found, url, problems)
    return _sitemap(found, Fields(url=url), language, pattern, problems)


# --------------------------------------------------------------------------- the pass


class _Stop(Exception):  # noqa: N818 - stops expat, is no error
    pass


def _passed(text: str) -> _Pass:
    found = _Pass()
    parser = expat.ParserCreate("utf-8")
    _Handlers(found, parser)
    try:
        parser.Parse(text.encode(), True)
    except _Stop:
        pass
    except expat.ExpatError as error:
        found.error = f"line {error.lineno}: {expat.ErrorString(error.code)}"
    return found


class _Handlers:
    """What is done at each tag."""

    def __init__(self, found: _Pass, parser: expat.XMLParserType) -> None:
        self.found, self.parser = found, parser
        self.depth = 0
        self.news = set(_NEWS_PREFIXES)
        self.current: dict[str, str] | None = None  # the <url> that we are in
        self.pieces: list[str] | None = None
        parser.StartElementHandler = self.start
        parser.EndElementHandler = self.end
        parser.EntityDeclHandler = self.entity

    def entity(self, *_declaration: object) -> None:
        raise ParseError("a sitemap whose DTD declares entities, which can blow up: refused")

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self.depth += 1
        if self.depth > _MAX_DEPTH:
            raise ParseError(f"XML nested more than {_MAX_DEPTH} deep, not a sitemap: broken or hostile")
        for name, value in attributes.items():
            if name.startswith("xmlns:") and _NEWS in value:
                self.news.add(name.removeprefix("xmlns:"))
        prefix, local = _names(tag)
        if self.found.root is None:
            self.found.root = local
            if local not in _ROOTS:
                raise _Stop
        elif self.depth == 2 and local == _ROOTS[self.found.root]:
            self.current = {}
        elif self.current is not None and self._key(prefix, local):
            self.pieces = []
            self.parser.CharacterDataHandler = self.pieces.append

    def end(self, tag: str) -> None:
        if self.pieces is not None and self.current is not None:
            self.current.setdefault(self._key(*_names(tag)) or "", "".join(self.pieces)[:_MAX_VALUE].strip())
            self.pieces = self.parser.CharacterDataHandler = None
        elif self.depth == 2 and self.current is not None:
            if self.current and len(self.found.values) < _MAX_NAMED:
                self.found.values.append(self.current)
            self.found.count += bool(self.current)
            self.current = None
        self.depth -= 1

    def _key(self, prefix: str, local: str) -> str | None:
        """Return what a value is kept as; None when we have no use for it."""
        if prefix in self.news:
            return f"news:{local}" if local in _OF_NEWS else None
        return local if self.depth == 3 and local in _OURS else None


def _names(tag: str) -> tuple[str, str]:
    prefix, _, local = tag.rpartition(":")
    return prefix, local.lower()


# --------------------------------------------------------------------------- entries


def _sitemap(
    found: _Pass, fields: Fields, language: str | None, pattern: str | None, problems: list[str]
) -> Document:
    listed = list(_articles(found, fields, pattern))
    if pattern and found.values and not listed:
        raise ParseError(f'a sitemap in which no address is like link_pattern = "{pattern}": correct that')
    kept = newest(listed, lambda article: _age(article[1]))
    entries = (_entry(link, values, fields) for link, values in kept)
    names = (values["news:name"] for values in found.values if values.get("news:name"))
    return Document(
        format=FORMAT,
        title=fields.line(next(names, "")),
        language=language,
        entries=tuple(fields.kept(entries)),
        problems=(*problems, *_left_out(len(listed)), *fields.in_words()),
    )


def _left_out(count: int) -> tuple[str, ...]:
    return tuple(text.replace("after the first", "beyond the newest") for text in left_out(count))


def _articles(found: _Pass, fields: Fields, pattern: str | None) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield the address and the values of each article, once."""
    seen: set[str] = set()
    for values in found.values:
        link = fields.link(values.get("loc", ""))
        key = canonical_link(link)
        if link is None or key is None or key in seen or (pattern and not fits(link, pattern)):
            continue
        seen.add(key)
        yield link, values


def _entry(link: str, values: dict[str, str], fields: Fields) -> Entry:
    published, published_raw = fields.date(values.get("news:publication_date", ""))
    updated, updated_raw = fields.date(values.get("lastmod", ""))
    return Entry(
        guid=None,
        link=link,
        title=fields.line(values.get("news:title", "")) or slug_title(link),
        body="",
        categories=fields.categories(values.get("news:keywords", "").split(",")),
        language=language_tag(values.get("news:language")),
        published=published,
        published_raw=published_raw,
        updated=updated,
        updated_raw=updated_raw,
        is_listed=True,
    )


def newest(values: Sequence[T], age: Callable[[T], datetime], room: int = outline.MAX_ENTRIES) -> list[T]:
    """Return so many values, the newest first.

    Of those that are equally old, or have no date, the first and the last are kept: a sitemap grows at one of
    its ends.
    """
    by_age = sorted(((age(value), value) for value in values), key=lambda aged: aged[0], reverse=True)
    if len(by_age) <= room:
        return [value for _, value in by_age]
    limit = by_age[room][0]
    newer = [value for moment, value in by_age if moment > limit]
    return newer + ends([value for moment, value in by_age if moment == limit], room - len(newer))


def ends(values: Sequence[T], room: int) -> list[T]:
    """Return so many values, half of them from the beginning, half from the end."""
    if len(values) <= room:
        return list(values)
    last = room // 2
    return [*values[: room - last], *values[len(values) - last :]]


def _age(values: dict[str, str]) -> datetime:
    return iso_date(values.get("news:publication_date", "")) or iso_date(values.get("lastmod", "")) or NEVER


# --------------------------------------------------------------------------- an index


def _index(found: _Pass, url: str, problems: list[str]) -> Document:
    parts: dict[str, Part] = {}
    elsewhere = 0
    for values in found.values:
        link = check_link(values.get("loc", ""), url)
        if link is None or not is_same_site(link, url):
            elsewhere += 1
        elif link != url:
            parts.setdefault(link, Part(url=link, modified=values.get("lastmod", "")[:100] or None))
    if elsewhere:
        problems.append(f"sitemaps of other sites, left out: {elsewhere}")
    if not parts:
        raise ParseError("an index of sitemaps that names none of its own site: nothing can be read from it")
    return Document(format=FORMAT, parts=chosen(list(parts.values())), problems=tuple(problems))


def chosen(parts: Sequence[Part]) -> tuple[Part, ...]:
    """Return the parts of an index in which new articles are to be expected, the likeliest first.

    Those that are named after news come first, those of tags, authors and the like only if there are no
    others; among equals the ones that changed last. Where the index does not say when that was, the first and
    the last.
    """
    articles = [part for part in parts if not _NO_ARTICLES.search(_name(part))] or list(parts)
    dated = [part for part in articles if iso_date(part.modified or "")]
    undated = sorted((part for part in articles if not iso_date(part.modified or "")), key=_numbers)
    by_age = sorted(dated, key=lambda part: iso_date(part.modified or "") or NEVER, reverse=True)
    likely = [*by_age, *reversed(ends(undated, MAX_PARTS))]
    likely.sort(key=lambda part: not _NEWS_NAME.search(_name(part)))
    return tuple(likely[:MAX_PARTS])


def _name(part: Part) -> str:
    return part.url.rpartition("/")[2]


def _numbers(part: Part) -> tuple[int, ...]:
    return tuple(int(number[:18]) for number in _NUMBER.findall(_name(part)))
