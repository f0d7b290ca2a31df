"""Atom (RFC 4287) for a rule's matches. The only module that knows feedgen.

feedgen raises on texts and entries that XML or Atom cannot hold; here everything is made to fit beforehand,
so that no item of any source keeps the others from being published.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from html import escape

from feedgen.entry import FeedEntry
from feedgen.feed import FeedGenerator
from lxml import etree

from syndicate.feeds.xml import legal, line, web_iri
from syndicate.model import Enclosure, Hit, Item, Match, Score, Snippet, StoredMatch

MEDIA_TYPE = "application/atom+xml"
RULE_SCHEME = (
    "urn:uuid:5b7bb3e5-1d5c-4b66-9d7c-8a3d1a6f0c52"  # of the categories that name rules; never changes
)
SUMMARY_LENGTH = 300
XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"

_LANGUAGE = re.compile(r"[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*")
_MEDIA_TYPE = re.compile(r"[\w!#$&^.+-]+/[\w!#$&^.+-]+", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlet:
    """A source as readers of a feed see it."""

    title: str
    feed_url: str
    link: str | None = None  # its site


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedDocument:
    """What is said about a feed as a whole."""

    feed_id: str  # absolute IRI, minted once
    title: str
    self_url: str  # where the document is served
    alternate_url: str  # a page for people
    rule: str
    rule_title: str
    version: str  # of Syndicate
    outlets: Mapping[str, Outlet]  # by source id; a source that is missing is shown by its id
    updated_when_empty: datetime  # stands in for the newest entry's while there is none


def render(feed: FeedDocument, matches: Sequence[StoredMatch]) -> bytes:
    """Return the feed as a valid Atom document, newest entry first. The same input gives the same bytes."""
    newest_first = sorted(matches, key=lambda match: (match.item.order, match.item.id), reverse=True)
    updates = [updated(match.item) for match in newest_first]
    document = _head(feed, updates)
    for match, instant in zip(newest_first, updates, strict=True):
        document.add_entry(_entry(feed, match, instant), order="append")
    rendered: bytes = document.atom_str(pretty=True)
    return rendered


def updated(item: Item) -> datetime:
    """Return when the item last changed in a way that readers should notice (RFC 4287 4.2.15).

    A first revision has the publisher's word for it, as far as that is neither before its publication nor
    after we recorded it. A later revision has the instant we recorded it: publishers seldom move their date
    along with an edit, and sometimes move it back. So it never decreases from revision to revision, and
    is never later than `changed_at`.
    """
    if item.revision > 1:
        return _whole_seconds(item.changed_at)
    claimed = item.updated or item.published or item.first_seen
    not_before = item.order if item.published else claimed
    return _whole_seconds(min(max(claimed, not_before), item.changed_at))


def _head(feed: FeedDocument, updates: Sequence[datetime]) -> FeedGenerator:
    head = FeedGenerator()
    head.id(feed.feed_id)
    head.title(line(feed.title) or feed.rule)
    head.subtitle(f"News that matches the rule {line(feed.rule_title) or feed.rule}")
    head.updated(max(updates, default=_whole_seconds(feed.updated_when_empty)))
    head.author(name="Syndicate")  # for entries without one, which Atom would have invalid
    head.link(href=feed.self_url, rel="self", type=MEDIA_TYPE)
    head.link(href=feed.alternate_url, rel="alternate", type="text/html")
    head.generator("Syndicate", version=feed.version)
    return head


def _entry(feed: FeedDocument, match: StoredMatch, instant: datetime) -> FeedEntry:
    item = match.item
    outlet = feed.outlets.get(item.source) or Outlet(title=item.source, feed_url="")
    entry = FeedEntry()
    entry.id(legal(item.entry_id))
    entry.title(_title(item))
    entry.updated(instant)
    if item.published:
        entry.published(_whole_seconds(item.order))
    entry.author(name=line(item.author) or line(outlet.title) or item.source)
    for category in _categories(feed, item):
        entry.category(category)
    if summary := _summary(item):
        entry.summary(summary, type="text")
    entry.content(_content(feed, match), type="html")
    entry.register_extension("syndicate", partial(_Additions, item, outlet, instant))
    return entry


@dataclass(frozen=True, slots=True)
class _Additions:
    """An extension of feedgen: what it cannot write into an entry, or (links) writes without attributes."""

    item: Item
    outlet: Outlet
    updated: datetime

    def extend_ns(self) -> dict[str, str]:
        return {}

    def extend_atom(self, entry: etree._Element) -> None:
        if self.item.language and _LANGUAGE.fullmatch(self.item.language):
            entry.set(XML_LANG, self.item.language)
        for link in _links(self.item):
            etree.SubElement(entry, "link", link)
        self._add_source(entry)

    def _add_source(self, entry: etree._Element) -> None:
        source = etree.SubElement(entry, "source")
        feed_url, site = web_iri(self.outlet.feed_url), web_iri(self.outlet.link)
        etree.SubElement(source, "id").text = feed_url or site or f"{RULE_SCHEME}#{_token(self.item.source)}"
        etree.SubElement(source, "title").text = line(self.outlet.title) or self.item.source
        etree.SubElement(source, "updated").text = self.updated.isoformat()
        if feed_url:
            etree.SubElement(source, "link", rel="self", href=feed_url)
        if site:
            etree.SubElement(source, "link", rel="alternate", href=site)


def _title(item: Item) -> str:
    """Return a title in every case: some outlets have none, and Atom requires one."""
    return line(item.title) or _passage(item.summary or item.body, 80) or web_iri(item.link) or "Untitled"


def _links(item: Item) -> list[dict[str, str]]:
    alternate = web_iri(item.link)
    links = [{"rel": "alternate", "href": alternate}] if alternate else []
    return links + [link for enclosure in item.enclosures if (link := _enclosure(enclosure))]


def _enclosure(enclosure: Enclosure) -> dict[str, str] | None:
    href = web_iri(enclosure.url)
    if href is None:
        return None
    link = {"rel": "enclosure", "href": href}
    if enclosure.type and _MEDIA_TYPE.fullmatch(enclosure.type):
        link["type"] = enclosure.type
    if enclosure.length_bytes is not None and enclosure.length_bytes >= 0:
        link["length"] = str(enclosure.length_bytes)
    return link


def _categories(feed: FeedDocument, item: Item) -> list[dict[str, str]]:
    terms = dict.fromkeys(filter(None, map(line, item.categories)))
    rule = {"term": feed.rule, "scheme": RULE_SCHEME, "label": line(feed.rule_title) or feed.rule}
    return [rule, *({"term": term} for term in terms)]


def _summary(item: Item) -> str:
    return _passage(item.summary or item.body, SUMMARY_LENGTH)


def _passage(text: str, length: int) -> str:
    """Return the text's beginning as one line, cut between words where it can be."""
    text = line(text)
    if len(text) <= length:
        return text
    start, space, _ = text[:length].rpartition(" ")
    return (start if space and len(start) > length // 2 else text[: length - 1]) + "…"


def _content(feed: FeedDocument, match: StoredMatch) -> str:
    article = match.item.content_html or _paragraphs(match.item.body)
    return legal(article + _explanation(feed, match.match))


def _paragraphs(text: str) -> str:
    return "".join(f"<p>{escape(part.strip())}</p>\n" for part in text.split("\n") if part.strip())


def _explanation(feed: FeedDocument, match: Match) -> str:
    """Return why the entry is here, as HTML that stands apart from the article's own."""
    rule = escape(line(feed.rule_title) or feed.rule)
    why = _terms(match.hits) + _score(match.score)
    return (
        f'\n<hr>\n<p lang="en">Matched by the rule <b>{rule}</b>{why}</p>\n'
        f'<blockquote dir="auto">{marked(match.snippet)}</blockquote>'
    )


def _terms(hits: Sequence[Hit]) -> str:
    """Return each term once, with the fields it is in: `: “EU” in title and body`."""
    fields_by_term: dict[str, dict[str, None]] = {}
    for hit in hits:
        fields_by_term.setdefault(hit.term, {})[hit.field] = None
    parts = [f"“{escape(line(term))}” in {' and '.join(fields)}" for term, fields in fields_by_term.items()]
    return f": {', '.join(parts)}." if parts else "."


_SCORE_PARTS = 20


def _score(score: Score | None) -> str:
    """Return how a weighted rule came to hold: ` Score: “EU” 3, “water” 2: 5, where 4 is enough.`"""
    if score is None:
        return ""
    parts = ", ".join(f"“{escape(line(term))}” {weight:g}" for term, weight in score.parts[:_SCORE_PARTS])
    return f" Score: {parts}: {score.total:g}, where {score.threshold:g} is enough."


def marked(snippet: Snippet) -> str:
    """Return the passage as HTML, with its terms in `<mark>`."""
    pieces, position = [], 0
    for start, end in sorted(snippet.marks):
        start = max(start, position)
        if start < end <= len(snippet.text):
            pieces += [
                escape(snippet.text[position:start]),
                f"<mark>{escape(snippet.text[start:end])}</mark>",
            ]
            position = end
    return "".join([*pieces, escape(snippet.text[position:])])


def _whole_seconds(instant: datetime) -> datetime:
    return instant.astimezone(UTC).replace(microsecond=0)


def _token(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]", "_", text)
