"""Lists of sources as other readers keep them: OPML 1.0 and 2.0 in, 2.0 out (http://opml.org/spec2.opml).

Read with expat rather than listparser, which passes over outlines without an address and what comes after
an error, knows no line numbers, and raises on other encodings than UTF-8.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from xml.etree import ElementTree
from xml.parsers import expat

from syndicate.config import web_address
from syndicate.errors import ParseError
from syndicate.sources import outline
from syndicate.sources.decode import decode
from syndicate.sources.sanitise import clean_line, without_controls

ACCEPT = "text/x-opml, text/xml;q=0.9, application/xml;q=0.9, */*;q=0.1"
MAX_FEEDS = 20_000
MAX_TITLE = 200
MAX_TAG = 100
MAX_TAGS = 50
_MAX_DEPTH = 100

_FEED_SCHEME = re.compile(r"feed:(?://)?(?=https?://)|feed(?=://)", re.IGNORECASE)
_SECRET = re.compile(r"//[^/?#]*@")
_FEED_TYPES = frozenset({"rss", "atom", "rss1", "feed", "pie"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedSource:
    """A feed in a list."""

    title: str
    url: str
    tags: tuple[str, ...] = ()  # the folders that it is in, outermost first, then its categories
    language: str | None = None
    line: int = 0  # of the list's file


@dataclass(frozen=True, slots=True, kw_only=True)
class Unusable:
    """An outline that names nothing to watch, and why, in words."""

    line: int
    title: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceList:
    """What a list holds, in its order."""

    sources: tuple[ListedSource, ...]
    unusable: tuple[Unusable, ...]


# --------------------------------------------------------------------------- in


def read(body: bytes, content_type: str = "") -> SourceList:
    """Return the feeds in an OPML document. A bare & is taken for what it is meant to be.

    Args:
        content_type: of the response that it came in.

    Raises:
        ParseError: this is no OPML, or none that can be read to its end.
    """
    text = decode(body, content_type).text.lstrip("\ufeff \t\r\n")
    try:
        return _read(text)
    except expat.ExpatError:
        pass
    mended, _ = outline.without_illegal(text)
    try:
        return _read(outline.with_references_mended(mended))
    except expat.ExpatError as error:
        if "<opml" not in text.casefold():
            raise ParseError("no OPML list: there is no <opml> in it") from error
        what = f"line {error.lineno} is not XML: {expat.ErrorString(error.code)}"
        raise ParseError(f"an OPML list that can't be read to its end: {what}; mend that line") from error


def _read(text: str) -> SourceList:
    parser = expat.ParserCreate("utf-8")
    reading = _Reading(parser)
    parser.Parse(text.encode("utf-8", errors="replace"), True)
    return SourceList(sources=tuple(reading.sources), unusable=tuple(reading.unusable))


@dataclass(slots=True)
class _Open:
    """An outline that has not ended yet."""

    line: int
    title: str
    is_folder: bool  # as far as can be told before it ends
    is_comment: bool
    is_empty: bool = True


@dataclass(slots=True)
class _Reading:
    parser: expat.XMLParserType
    sources: list[ListedSource] = field(default_factory=list)
    unusable: list[Unusable] = field(default_factory=list)
    open: list[_Open] = field(default_factory=list)
    has_root: bool = False

    def __post_init__(self) -> None:
        self.parser.StartElementHandler = self.start
        self.parser.EndElementHandler = self.end
        self.parser.EntityDeclHandler = _refuse_entity

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        name = tag.rpartition(":")[2].casefold()
        if not self.has_root:
            self.has_root = True
            if name != "opml":
                raise ParseError(f"no OPML list: its root is <{tag[:60]}>, not <opml>")
        if name == "outline":
            values = {key.casefold(): value.strip() for key, value in attributes.items()}
            self.start_outline(values)

    def start_outline(self, values: Mapping[str, str]) -> None:
        if len(self.open) >= _MAX_DEPTH or len(self.sources) + len(self.unusable) >= MAX_FEEDS:
            bounds = f"more than {MAX_FEEDS:,} feeds, or nested more than {_MAX_DEPTH} deep"
            raise ParseError(f"an OPML list of {bounds}: divide it")
        if self.open:
            self.open[-1].is_empty = False
        here = _Open(
            line=self.parser.CurrentLineNumber,
            title=clean_line(values.get("text") or values.get("title") or "", MAX_TITLE),
            is_folder=not (values.get("xmlurl") or values.get("url")),
            is_comment=values.get("iscomment", "").casefold() == "true"
            or (bool(self.open) and self.open[-1].is_comment),
        )
        if not here.is_folder:
            self.take(here, values)
        self.open.append(here)

    def end(self, tag: str) -> None:
        if tag.rpartition(":")[2].casefold() != "outline":
            return
        here = self.open.pop()
        if here.is_folder and here.is_empty:
            self.leave_out(here, "names no feed: it has no xmlUrl, and nothing is in it")

    def take(self, here: _Open, values: Mapping[str, str]) -> None:
        """Take what an outline with an address names, or say why not."""
        url = values.get("xmlurl", "")
        kind = values.get("type", "").casefold()
        if not url and kind not in _FEED_TYPES:
            is_list = kind == "include" or values["url"].casefold().endswith((".opml", ".xml"))
            what = "another list: import that by itself" if is_list else "a page, not a feed"
            self.leave_out(here, f"is a link to {what}: {_shown(values['url'])}")
            return
        address = _FEED_SCHEME.sub(_http, url or values["url"], count=1)
        try:
            web_address(address)
        except ValueError as error:
            self.leave_out(here, f"xmlUrl {error}: {_shown(address)}")
            return
        if here.is_comment:
            self.leave_out(here, f"is commented out in the list: {_shown(address)}")
            return
        self.sources.append(
            ListedSource(
                title=here.title,
                url=address,
                tags=self.tags(values.get("category", "")),
                language=_language(values.get("language", "")),
                line=here.line,
            )
        )

    def tags(self, category: str) -> tuple[str, ...]:
        folders = (each.title for each in self.open if each.is_folder)
        categories = (part for path in category.split(",") for part in path.split("/"))
        tags = (clean_line(tag, MAX_TAG) for tag in (*folders, *categories))
        return tuple(dict.fromkeys(tag for tag in tags if tag))[:MAX_TAGS]

    def leave_out(self, here: _Open, why: str) -> None:
        self.unusable.append(Unusable(line=here.line, title=here.title, why=why))


def _refuse_entity(*_declaration: object) -> None:
    raise ParseError("an OPML list that declares entities, which can blow up: refused")


def _http(scheme: re.Match[str]) -> str:
    return "http" if scheme[0].casefold() == "feed" else ""


def _language(tag: str) -> str | None:
    tag = tag.replace("_", "-")
    return tag if re.fullmatch(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{1,8})*", tag) else None


def _shown(address: str) -> str:
    return clean_line(_SECRET.sub("//***@", address), 200) or "(nothing)"


# --------------------------------------------------------------------------- out


def render(title: str, sources: Sequence[ListedSource]) -> bytes:
    """Return an OPML document: a folder for each first tag, in the order in which they come; other tags as
    categories. The same input gives the same bytes.
    """
    opml = ElementTree.Element("opml", version="2.0")
    ElementTree.SubElement(ElementTree.SubElement(opml, "head"), "title").text = without_controls(title)
    body = ElementTree.SubElement(opml, "body")
    folders: dict[str, ElementTree.Element] = {}
    for source in sources:
        parent = body
        if source.tags:
            name = without_controls(source.tags[0])
            if name not in folders:
                folders[name] = ElementTree.SubElement(body, "outline", text=name, title=name)
            parent = folders[name]
        ElementTree.SubElement(parent, "outline", dict(_attributes(source)))
    ElementTree.indent(opml)
    rendered: bytes = ElementTree.tostring(opml, encoding="utf-8", xml_declaration=True)
    return rendered + b"\n"


def lost_tags(sources: Sequence[ListedSource]) -> tuple[str, ...]:
    """Return the tags that OPML has no place for: commas and slashes mean something in categories."""
    lost = (tag for source in sources for tag in source.tags[1:] if not _is_category(tag))
    return tuple(dict.fromkeys(lost))


def _attributes(source: ListedSource) -> Iterator[tuple[str, str]]:
    title = without_controls(source.title) or source.url
    yield from {"type": "rss", "text": title, "title": title, "xmlUrl": without_controls(source.url)}.items()
    if source.language:
        yield "language", source.language
    if categories := [without_controls(tag) for tag in source.tags[1:] if _is_category(tag)]:
        yield "category", ",".join(categories)


def _is_category(tag: str) -> bool:
    return not {",", "/"} & set(tag)
