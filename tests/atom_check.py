"""A validator of Atom documents: what RFC 4287 asks of them, as far as a machine can tell."""

import re
from collections import Counter
from collections.abc import Iterator
from datetime import datetime

from lxml import etree

ATOM = "{http://www.w3.org/2005/Atom}"
XML = "{http://www.w3.org/XML/1998/namespace}"
IRI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:(?:[^\s<>\"{}|\\^`%\x00-\x1f\x7f-\x9f]|%[0-9A-Fa-f]{2})+")
DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
LANGUAGE = re.compile(r"[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*")
MEDIA_TYPE = re.compile(r"[\w!#$&^.+-]+/[\w!#$&^.+-]+", re.ASCII)
DISCOURAGED = re.compile(r"[\x7f-\x84\x86-\x9f\ufdd0-\ufdef]")
FEED = {
    "author", "category", "contributor", "entry", "generator", "icon", "id", "link", "logo", "rights",
    "subtitle", "title", "updated",
}  # fmt: skip
ENTRY = {
    "author", "category", "content", "contributor", "id", "link", "published", "rights", "source", "summary",
    "title", "updated",
}  # fmt: skip
SOURCE = FEED - {"entry"}
PERSON = {"name", "uri", "email"}
ARCHIVE = "{http://purl.org/syndication/history/1.0}archive"
RELATION = re.compile(r"[a-z][a-z0-9.-]*")


def problems(document: bytes) -> list[str]:
    """Return what is wrong with an Atom feed document, in words; empty when nothing is."""
    try:
        feed = etree.fromstring(document, etree.XMLParser(resolve_entities=False))
    except etree.XMLSyntaxError as error:
        return [f"not well-formed: {error}"]
    if feed.tag != ATOM + "feed":
        return [f"the root is {feed.tag}"]
    return [*_feed(feed), *_everywhere(feed)]


def _feed(feed: etree._Element) -> Iterator[str]:
    yield from _children(
        feed, FEED, once={"id", "title", "updated"}, at_most_once={"generator", "subtitle", "logo"}
    )
    yield from _alternates(feed)
    if not [link for link in feed.iterfind(ATOM + "link") if link.get("rel") == "self"]:
        yield "feed: no self link (4.1.1)"
    yield from _archive(feed)
    entries = feed.findall(ATOM + "entry")
    ids = Counter(entry.findtext(ATOM + "id") for entry in entries)
    yield from (f"entry id {id_} occurs {count} times" for id_, count in ids.items() if count > 1)
    for entry in entries:
        yield from _entry(feed, entry)


def _archive(feed: etree._Element) -> Iterator[str]:
    """Yield what RFC 5005 4 asks of archived feeds."""
    relations = Counter(link.get("rel") for link in feed.iterfind(ATOM + "link"))
    for relation in ("self", "current", "prev-archive", "next-archive"):
        if relations[relation] > 1:
            yield f"feed: {relations[relation]} links {relation}"
    is_archive = feed.find(ARCHIVE) is not None
    if is_archive and not relations["current"]:
        yield "feed: an archive that does not name its head"
    if not is_archive and relations["next-archive"]:
        yield "feed: a head with a next archive"


def _entry(feed: etree._Element, entry: etree._Element) -> Iterator[str]:
    yield from _children(
        entry,
        ENTRY,
        once={"id", "title", "updated"},
        at_most_once={"content", "summary", "published", "source"},
    )
    yield from _alternates(entry)
    for source in entry.iterfind(ATOM + "source"):
        yield from _children(source, SOURCE, {"id", "title", "updated"}, {"generator", "subtitle", "logo"})
        yield from _alternates(source)
    content = entry.find(ATOM + "content")
    if content is None and not _links(entry, "alternate"):
        yield "entry: neither content nor an alternate link (4.1.2)"
    if content is not None and content.get("src") and entry.find(ATOM + "summary") is None:
        yield "entry: content elsewhere, and no summary"
    if not [place for place in (feed, entry, entry.find(ATOM + "source")) if _has_author(place)]:
        yield "entry: no author (4.1.2)"


def _has_author(place: etree._Element | None) -> bool:
    return place is not None and place.find(ATOM + "author") is not None


def _links(place: etree._Element, relation: str) -> list[etree._Element]:
    return [link for link in place.iterfind(ATOM + "link") if link.get("rel", "alternate") == relation]


def _alternates(place: etree._Element) -> Iterator[str]:
    kinds = Counter((link.get("type"), link.get("hreflang")) for link in _links(place, "alternate"))
    yield from (f"{count} alternate links of kind {kind}" for kind, count in kinds.items() if count > 1)


def _children(
    place: etree._Element, known: set[str], once: set[str], at_most_once: set[str]
) -> Iterator[str]:
    names = Counter(str(child.tag) for child in place)
    for name in names:
        if not name.startswith("{"):
            yield f"{name} is in no namespace"
        elif name.startswith(ATOM) and name.removeprefix(ATOM) not in known:
            yield f"{place.tag} contains {name}"
    yield from (f"{place.tag}: {names[ATOM + name]} {name}" for name in once if names[ATOM + name] != 1)
    yield from (
        f"{place.tag}: {names[ATOM + name]} {name}" for name in at_most_once if names[ATOM + name] > 1
    )


def _everywhere(feed: etree._Element) -> Iterator[str]:
    for element in feed.iter(f"{ATOM}*"):
        yield from (f"{element.tag}: {problem}" for problem in _element(element))


def _element(element: etree._Element) -> Iterator[str]:
    name, text = str(element.tag).removeprefix(ATOM), element.text or ""
    if any(DISCOURAGED.search(value) for value in (text, *map(str, element.attrib.values()))):
        yield "characters that XML discourages"
    if name == "id" and not IRI.fullmatch(text):
        yield f"{text!r} is no absolute IRI"
    if name in ("updated", "published") and not _is_date(text):
        yield f"{text!r} is no RFC 3339 date"
    if name in ("title", "summary", "content", "subtitle"):
        yield from _text(element)
    if name in ("title", "name") and not text.strip():
        yield "empty"
    if language := element.get(XML + "lang"):
        yield from [] if LANGUAGE.fullmatch(language) else [f"language {language!r}"]
    if name in ("author", "contributor"):
        yield from _children(element, PERSON, once={"name"}, at_most_once={"uri", "email"})
    yield from _attributes(name, element)


def _text(element: etree._Element) -> Iterator[str]:
    """Yield what is wrong with a text; content of other types is possible, but never ours."""
    type_ = element.get("type", "text")
    if type_ not in ("text", "html", "xhtml"):
        yield f"type {type_}"
    if type_ in ("text", "html") and len(element):
        yield "markup inside"


def _attributes(name: str, element: etree._Element) -> Iterator[str]:
    if name == "link" and not IRI.fullmatch(element.get("href", "")):
        yield f"href {element.get('href')!r} is no absolute IRI"
    relation = element.get("rel", "alternate")
    if name == "link" and not RELATION.fullmatch(relation) and not IRI.fullmatch(relation):
        yield f"rel {relation!r}"
    if name == "link" and element.get("type") and not MEDIA_TYPE.fullmatch(element.get("type", "")):
        yield f"type {element.get('type')!r} is no media type"
    if name == "link" and not element.get("length", "0").isdecimal():
        yield f"length {element.get('length')!r}"
    if name == "category" and not element.get("term"):
        yield "no term"
    if name == "category" and not IRI.fullmatch(element.get("scheme", "urn:none")):
        yield f"scheme {element.get('scheme')!r} is no absolute IRI"


def _is_date(text: str) -> bool:
    try:
        return bool(DATE.fullmatch(text)) and datetime.fromisoformat(text) is not None
    except ValueError:
        return False
