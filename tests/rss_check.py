"""A validator of RSS 2.0: what its specification and the RSS Advisory Board's profile ask, as far as a
machine can tell (https://www.rssboard.org/rss-specification, https://www.rssboard.org/rss-profile).
"""

import re
from collections import Counter
from collections.abc import Iterator
from email.utils import parsedate_to_datetime

from lxml import etree

from tests.atom_check import ATOM, DISCOURAGED, IRI, LANGUAGE, MEDIA_TYPE

CONTENT = "{http://purl.org/rss/1.0/modules/content/}encoded"
CREATOR = "{http://purl.org/dc/elements/1.1/}creator"
DC_LANGUAGE = "{http://purl.org/dc/elements/1.1/}language"
MEDIA = "{http://search.yahoo.com/mrss/}content"
ARCHIVE = "{http://purl.org/syndication/history/1.0}archive"
CHANNEL = {
    *("title", "link", "description", "language", "copyright", "managingEditor", "webMaster", "pubDate"),
    *("lastBuildDate", "category", "generator", "docs", "cloud", "ttl", "image", "rating", "textInput"),
    *("skipHours", "skipDays", "item"),
}
ITEM = {
    *("title", "link", "description", "author", "category", "comments", "enclosure", "guid", "pubDate"),
    "source",
}
OTHERS = {ATOM + "id", ATOM + "link", ATOM + "updated", CONTENT, CREATOR, DC_LANGUAGE, MEDIA, ARCHIVE}
REPEATED = {"category", "item"}
DATE = re.compile(
    r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4}"
    r" \d\d:\d\d:\d\d (GMT|[+-]\d{4})"
)


def problems(document: bytes) -> list[str]:
    """Return what is wrong with an RSS document, in words; empty when nothing is."""
    try:
        root = etree.fromstring(document, etree.XMLParser(resolve_entities=False))
    except etree.XMLSyntaxError as error:
        return [f"not well-formed: {error}"]
    if root.tag != "rss" or dict(root.attrib) != {"version": "2.0"}:
        return [f"the root is {root.tag} {dict(root.attrib)}"]
    if [child.tag for child in root] != ["channel"]:
        return ["the root has not one channel alone"]
    return [*_channel(root[0]), *_everywhere(root)]


def _channel(channel: etree._Element) -> Iterator[str]:
    yield from _children(channel, CHANNEL, ("title", "link", "description"))
    links = [link.get("rel") for link in channel.iterfind(ATOM + "link")]
    if links.count("self") != 1:
        yield "channel: not one atom:link of the relation self (profile, 5.1)"
    if channel.find(ARCHIVE) is not None and "current" not in links:
        yield "channel: an archive that does not name its head (RFC 5005 4)"
    guids = Counter(item.findtext("guid") for item in channel.iterfind("item"))
    yield from (f"guid {guid} occurs {count} times" for guid, count in guids.items() if guid and count > 1)
    for item in channel.iterfind("item"):
        yield from _item(item)


def _item(item: etree._Element) -> Iterator[str]:
    yield from _children(item, ITEM, ())
    if item.find("title") is None and item.find("description") is None:
        yield "item: neither title nor description"
    names = [str(child.tag) for child in item]
    if CONTENT in names and "description" in names and names.index(CONTENT) < names.index("description"):
        yield "item: content:encoded before the description (profile, 5.2)"
    if "author" in names and CREATOR in names:
        yield "item: both author and dc:creator"
    guid = item.find("guid")
    if guid is not None and guid.get("isPermaLink", "true") != "false" and not _is_web(guid.text):
        yield f"guid {guid.text!r} is no permanent link"
    for enclosure in item.iterfind("enclosure"):
        yield from _enclosure(enclosure)
    source = item.find("source")
    if source is not None and not _is_web(source.get("url")):
        yield "source: no url"


def _enclosure(enclosure: etree._Element) -> Iterator[str]:
    if set(enclosure.attrib) != {"url", "length", "type"}:
        yield f"enclosure: attributes {sorted(map(str, enclosure.attrib))}"
    if not _is_web(enclosure.get("url")):
        yield f"enclosure: url {enclosure.get('url')!r}"
    if not (enclosure.get("length") or "").isdecimal():
        yield f"enclosure: length {enclosure.get('length')!r}"
    if not MEDIA_TYPE.fullmatch(enclosure.get("type") or ""):
        yield f"enclosure: type {enclosure.get('type')!r}"


def _children(place: etree._Element, known: set[str], required: tuple[str, ...]) -> Iterator[str]:
    names = Counter(str(child.tag) for child in place)
    yield from (f"{place.tag} contains {name}" for name in names if name not in known | OTHERS)
    yield from (f"{place.tag}: no {name}" for name in required if not place.findtext(name))
    once = known - REPEATED | {CONTENT, CREATOR}
    yield from (f"{place.tag}: {names[name]} {name}" for name in once if names[name] > 1)


def _everywhere(root: etree._Element) -> Iterator[str]:
    for element in root.iter("*"):
        name, text = str(element.tag), element.text or ""
        if any(DISCOURAGED.search(value) for value in (text, *map(str, element.attrib.values()))):
            yield f"{name}: characters that XML discourages"
        if len(element) and name not in ("rss", "channel", "item"):
            yield f"{name}: markup inside"
        if not _is_right(name, text, element):
            yield f"{name}: {text!r} {element.items()}"


def _is_right(name: str, text: str, element: etree._Element) -> bool:
    match name:
        case "pubDate" | "lastBuildDate":
            return _is_date(text)
        case "link" | "docs" | "comments":
            return _is_web(text)
        case "title" | "guid" | "category":
            return bool(text.strip())
        case _ if name == ATOM + "link":
            return bool(IRI.fullmatch(element.get("href", "")))
        case _ if name == CREATOR:
            return bool(text.strip())
        case _ if name == DC_LANGUAGE:
            return bool(LANGUAGE.fullmatch(text))
    return True


def _is_web(text: str | None) -> bool:
    return bool(text and IRI.fullmatch(text) and text.lower().startswith(("http://", "https://")))


def _is_date(text: str) -> bool:
    try:
        return bool(DATE.fullmatch(text)) and parsedate_to_datetime(text).strftime("%a") == text[:3]
    except ValueError:
        return False
