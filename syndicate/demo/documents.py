"""The outlets' feeds, each in its own format, as such sites write them. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from io import BytesIO
from typing import assert_never, cast

from lxml import etree

from syndicate.demo.newsroom import Format, Outlet, Shown

ATOM = "http://www.w3.org/2005/Atom"
CONTENT = "http://purl.org/rss/1.0/modules/content/"
DC = "http://purl.org/dc/elements/1.1/"
RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
RSS1 = "http://purl.org/rss/1.0/"
XML = "http://www.w3.org/XML/1998/namespace"

ENCODINGS = {"ru": "windows-1251"}  # as at many an old Russian site; the others use UTF-8
NAMES = {Format.RSS: "rss.xml", Format.ATOM: "feed.atom", Format.RDF: "index.rdf"}
MEDIA_TYPES = {
    Format.RSS: "application/rss+xml",
    Format.ATOM: "application/atom+xml",
    Format.RDF: "application/rdf+xml",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Where an outlet is."""

    outlet: Outlet
    url: str  # of its front page, with a slash at the end

    @property
    def feed_url(self) -> str:
        """Return where its feed is."""
        return self.url + NAMES[self.outlet.format]

    @property
    def encoding(self) -> str:
        """Return how its feed is encoded."""
        return ENCODINGS.get(self.outlet.language, "utf-8")

    def article_url(self, shown: Shown) -> str:
        """Return where an article's page is."""
        return f"{self.url}articles/{shown.article.slug}"


def feed(site: Site, shown: Sequence[Shown]) -> bytes:
    """Return an outlet's feed with these articles, newest first. The same input gives the same bytes."""
    match site.outlet.format:
        case Format.RSS:
            root = _rss(site, shown)
        case Format.ATOM:
            root = _atom(site, shown)
        case Format.RDF:
            root = _rdf(site, shown)
        case _:
            assert_never(site.outlet.format)
    document = BytesIO()
    etree.ElementTree(root).write(document, encoding=site.encoding, xml_declaration=True, pretty_print=True)
    return document.getvalue()


def changed(shown: Sequence[Shown]) -> datetime:
    """Return when a feed with these articles became what it is."""
    return max(each.changed for each in shown)


def _rss(site: Site, shown: Sequence[Shown]) -> etree._Element:
    root = etree.Element("rss", nsmap={"atom": ATOM, "content": CONTENT, "dc": DC}, version="2.0")
    channel = etree.SubElement(root, "channel")
    _add(channel, "title", site.outlet.title)
    _add(channel, "link", site.url)
    _add(channel, "description", site.outlet.description)
    _add(channel, "language", site.outlet.language)
    _add(channel, "lastBuildDate", format_datetime(changed(shown)))
    media_type = MEDIA_TYPES[Format.RSS]
    etree.SubElement(channel, f"{{{ATOM}}}link", href=site.feed_url, rel="self", type=media_type)
    for each in shown:
        _rss_item(etree.SubElement(channel, "item"), site.article_url(each), each)
    return root


def _rss_item(item: etree._Element, url: str, shown: Shown) -> None:
    article = shown.article
    _add(item, "title", article.title)
    _add(item, "link", url)
    if article.guid:
        _add(item, "guid", article.guid).set("isPermaLink", "false")
    if article.author:
        _add(item, f"{{{DC}}}creator", article.author)
    _add(item, "pubDate", format_datetime(shown.published))
    for category in article.categories:
        _add(item, "category", category)
    _add(item, "description", article.summary)
    _add_cdata(item, f"{{{CONTENT}}}encoded", article.body)


def _atom(site: Site, shown: Sequence[Shown]) -> etree._Element:
    root = etree.Element(f"{{{ATOM}}}feed", {f"{{{XML}}}lang": site.outlet.language}, nsmap=_default(ATOM))
    _add_atom(root, "id", site.url)
    _add_atom(root, "title", site.outlet.title)
    _add_atom(root, "subtitle", site.outlet.description)
    _add_atom(root, "updated", changed(shown).isoformat())
    _add_atom(root, "link", href=site.feed_url, rel="self", type=MEDIA_TYPES[Format.ATOM])
    _add_atom(root, "link", href=site.url, rel="alternate", type="text/html")
    _add_atom(_add_atom(root, "author"), "name", site.outlet.title)
    for each in shown:
        _atom_entry(_add_atom(root, "entry"), site.article_url(each), each)
    return root


def _atom_entry(entry: etree._Element, url: str, shown: Shown) -> None:
    article = shown.article
    _add_atom(entry, "id", article.guid or url)  # required, RFC 4287 4.1.2
    _add_atom(entry, "title", article.title)
    _add_atom(entry, "link", href=url, rel="alternate", type="text/html")
    _add_atom(entry, "published", shown.published.isoformat())
    _add_atom(entry, "updated", shown.changed.isoformat())
    if article.author:
        _add_atom(_add_atom(entry, "author"), "name", article.author)
    for category in article.categories:
        _add_atom(entry, "category", term=category)
    _add_atom(entry, "summary", article.summary)
    _add_atom(entry, "content", article.body, type="html")


def _rdf(site: Site, shown: Sequence[Shown]) -> etree._Element:
    root = etree.Element(f"{{{RDF}}}RDF", nsmap=_default(RSS1) | {"rdf": RDF, "dc": DC, "content": CONTENT})
    about = f"{{{RDF}}}about"
    channel = etree.SubElement(root, f"{{{RSS1}}}channel", {about: site.feed_url})
    _add(channel, f"{{{RSS1}}}title", site.outlet.title)
    _add(channel, f"{{{RSS1}}}link", site.url)
    _add(channel, f"{{{RSS1}}}description", site.outlet.description)
    _add(channel, f"{{{DC}}}language", site.outlet.language)
    _add(channel, f"{{{DC}}}date", changed(shown).isoformat())
    sequence = etree.SubElement(etree.SubElement(channel, f"{{{RSS1}}}items"), f"{{{RDF}}}Seq")
    for each in shown:
        url = site.article_url(each)
        name = each.article.guid or url
        etree.SubElement(sequence, f"{{{RDF}}}li", {f"{{{RDF}}}resource": name})
        _rdf_item(etree.SubElement(root, f"{{{RSS1}}}item", {about: name}), url, each)
    return root


def _rdf_item(item: etree._Element, url: str, shown: Shown) -> None:
    article = shown.article
    _add(item, f"{{{RSS1}}}title", article.title)
    _add(item, f"{{{RSS1}}}link", url)
    _add(item, f"{{{RSS1}}}description", article.summary)
    if article.author:
        _add(item, f"{{{DC}}}creator", article.author)
    _add(item, f"{{{DC}}}date", shown.published.isoformat())
    for category in article.categories:
        _add(item, f"{{{DC}}}subject", category)
    _add_cdata(item, f"{{{CONTENT}}}encoded", article.body)


def _default(namespace: str) -> dict[str, str]:
    """Return the map that makes a namespace the default one, in a form that lxml's types know."""
    return cast("dict[str, str]", {None: namespace})


def _add(parent: etree._Element, tag: str, text: str) -> etree._Element:
    element = etree.SubElement(parent, tag)
    element.text = text
    return element


def _add_atom(parent: etree._Element, name: str, text: str = "", **attributes: str) -> etree._Element:
    element = etree.SubElement(parent, f"{{{ATOM}}}{name}", attributes)
    element.text = text or None
    return element


def _add_cdata(parent: etree._Element, tag: str, html: str) -> None:
    etree.SubElement(parent, tag).text = etree.CDATA(html)
