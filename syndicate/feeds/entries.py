"""What an entry of a published feed says, in every format: Atom, JSON Feed and RSS are written from this.

All texts are legal in XML, all addresses are http(s), and nothing that a format requires is missing, so that
no item of any source keeps the others from being published.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from syndicate.feeds.direction import Direction, direction_of
from syndicate.feeds.explain import Passage, Reason, Term, explanation, paragraphs, reported
from syndicate.feeds.select import Selected
from syndicate.feeds.xml import legal, line, web_iri
from syndicate.model import Enclosure as StoredEnclosure
from syndicate.model import Hit, Item, StoredMatch
from syndicate.model.feeds import FullText

RULE_SCHEME = (
    "urn:uuid:5b7bb3e5-1d5c-4b66-9d7c-8a3d1a6f0c52"  # of the categories that name rules; never changes
)
SUMMARY_LENGTH = 300
TITLE_LENGTH = 80  # of one made from the text

_LANGUAGE = re.compile(r"[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*")
_MEDIA_TYPE = re.compile(r"[\w!#$&^.+-]+/[\w!#$&^.+-]+", re.ASCII)
_UNSAFE_IN_TOKEN = re.compile(r"[^A-Za-z0-9._-]")
_EXTENSION = re.compile(r"\.([A-Za-z0-9]{2,4})(?:[?#].*)?$")
_TYPE_BY_EXTENSION = {
    "avif": "image/avif", "gif": "image/gif", "jpeg": "image/jpeg", "jpg": "image/jpeg", "png": "image/png",
    "svg": "image/svg+xml", "webp": "image/webp", "m4a": "audio/mp4", "mp3": "audio/mpeg", "ogg": "audio/ogg",
    "mp4": "video/mp4", "webm": "video/webm", "pdf": "application/pdf",
}  # fmt: skip
_UNKNOWN_TYPE = "application/octet-stream"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlet:
    """A source as readers of a feed see it."""

    title: str
    feed_url: str  # empty: not known
    link: str | None = None  # its site
    id: str | None = None  # its feed's own; None: it has none


@dataclass(frozen=True, slots=True, kw_only=True)
class EntrySettings:
    """How a feed's entries are written."""

    full_text: FullText = FullText.YES
    explain: bool = True  # a block below the article says why it is here
    rule_titles: Mapping[str, str] = field(default_factory=dict)  # by id, which stands for one missing
    outlets: Mapping[str, Outlet] = field(default_factory=dict)  # by source id, which stands for one missing


@dataclass(frozen=True, slots=True, kw_only=True)
class Category:
    """What an entry is about."""

    term: str
    scheme: str | None = None  # None: the publisher's own word
    label: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EntrySource:
    """The feed that an entry is from (RFC 4287 4.2.11)."""

    id: str
    title: str
    feed_url: str | None
    link: str | None  # its site


@dataclass(frozen=True, slots=True, kw_only=True)
class Enclosure:
    """A file beside an entry."""

    url: str
    type: str | None  # as the publisher said; None: not said
    length_bytes: int | None

    @property
    def likely_type(self) -> str:
        """The media type as said, else as the address looks: some formats require one."""
        if self.type:
            return self.type
        extension = _EXTENSION.search(self.url)
        return _TYPE_BY_EXTENSION.get(extension[1].lower(), _UNKNOWN_TYPE) if extension else _UNKNOWN_TYPE

    @property
    def is_image(self) -> bool:
        return self.likely_type.startswith("image/")


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What another outlet has on the same story."""

    outlet: str
    title: str
    link: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedEntry:
    """An entry of a feed."""

    id: str  # absolute IRI, the same in every feed, which never changes
    title: str  # never empty
    link: str | None
    published: datetime | None  # None: the publisher does not say
    updated: datetime
    author: str  # never empty
    categories: tuple[Category, ...]  # the rules', then the publisher's
    language: str | None  # BCP 47
    direction: Direction | None  # of its writing; None: cannot be told
    summary: str  # plain, one line; empty: none
    content_html: str  # never empty
    enclosures: tuple[Enclosure, ...]
    source: EntrySource
    story: int
    reasons: tuple[Reason, ...]  # the rules that hold
    reports: tuple[Report, ...]  # by other outlets; empty unless the feed has an entry for each story
    is_explained: bool  # whether readers are told more of the reasons than the rules' names

    @property
    def image(self) -> str | None:
        """The first picture."""
        return next((enclosure.url for enclosure in self.enclosures if enclosure.is_image), None)


def describe(selected: Selected, settings: EntrySettings) -> FeedEntry:
    """Return the entry for an item."""
    item = selected.item
    title, language = _title(item), _language(item)
    direction = direction_of(language, title)
    source = _source(item, settings)
    reasons = tuple(_reason(match, settings) for match in selected.matches)
    reports = tuple(_report(other, settings) for other in selected.others)
    blocks = [_article(item, settings.full_text, language, direction)]
    if settings.explain:
        blocks += [explanation(reasons), reported([(report.outlet, report.link) for report in reports])]
    return FeedEntry(
        id=legal(item.entry_id),
        title=title,
        link=web_iri(item.link),
        published=whole_seconds(item.order) if item.published else None,
        updated=whole_seconds(item.noticed_at),
        author=line(item.author) or source.title,
        categories=(*(_of_rule(reason) for reason in reasons), *_own_categories(item)),
        language=language,
        direction=direction,
        summary="" if settings.full_text is FullText.NONE else _summary(item),
        content_html=_joined(blocks) or paragraphs(title),
        enclosures=tuple(found for each in item.enclosures if (found := _enclosure(each))),
        source=source,
        story=item.story,
        reasons=reasons,
        reports=reports,
        is_explained=settings.explain,
    )


def whole_seconds(instant: datetime) -> datetime:
    """Return the instant in UTC, without fractions of a second."""
    return instant.astimezone(UTC).replace(microsecond=0)


# --------------------------------------------------------------------------- the outlet's words


def _title(item: Item) -> str:
    """Return a title in every case: some outlets have none, and Atom requires one."""
    text = item.summary or item.body
    return line(item.title) or _beginning(text, TITLE_LENGTH) or web_iri(item.link) or "Untitled"


def _language(item: Item) -> str | None:
    return item.language if item.language and _LANGUAGE.fullmatch(item.language) else None


def _summary(item: Item) -> str:
    return _beginning(item.summary or item.body, SUMMARY_LENGTH)


def _beginning(text: str, length: int) -> str:
    """Return the text's beginning as one line, cut between words where it can be."""
    is_long = len(text) > 8 * length
    text = line(text[: 8 * length])
    if len(text) <= length and not is_long:
        return text
    start, space, _ = text[:length].rpartition(" ")
    return (start if space and len(start) > length // 2 else text[: length - 1]) + "…"


def _article(item: Item, full_text: FullText, language: str | None, direction: Direction | None) -> str:
    match full_text:
        case FullText.YES:
            article = item.content_html or paragraphs(item.body)
        case FullText.SUMMARY:
            article = paragraphs(_summary(item))
        case FullText.NONE:
            article = ""
    article = legal(article)
    if "\r" in article:  # XML would have it read as a line feed
        article = article.replace("\r\n", "\n").replace("\r", "\n")
    if direction is not Direction.RTL or not article.strip():
        return article
    lang = f' lang="{language}"' if language else ""
    return f'<div dir="rtl"{lang}>{article}</div>'


def _joined(blocks: Sequence[str]) -> str:
    """Return blocks of HTML below each other; what is ours stands apart from the article by a line."""
    article, ours = blocks[0], "\n".join(block for block in blocks[1:] if block)
    if not ours:
        return article if article.strip() else ""
    return f"{article}\n<hr>\n{ours}" if article.strip() else ours


def _own_categories(item: Item) -> list[Category]:
    return [Category(term=term) for term in dict.fromkeys(filter(None, map(line, item.categories)))]


def _enclosure(enclosure: StoredEnclosure) -> Enclosure | None:
    url = web_iri(enclosure.url)
    if url is None:
        return None
    length = enclosure.length_bytes
    return Enclosure(
        url=url,
        type=enclosure.type if enclosure.type and _MEDIA_TYPE.fullmatch(enclosure.type) else None,
        length_bytes=length if length is not None and length >= 0 else None,
    )


def _outlet(source: str, settings: EntrySettings) -> Outlet:
    return settings.outlets.get(source) or Outlet(title=source, feed_url="")


def _source(item: Item, settings: EntrySettings) -> EntrySource:
    outlet = _outlet(item.source, settings)
    feed_url, link = web_iri(outlet.feed_url), web_iri(outlet.link)
    return EntrySource(
        id=legal(outlet.id or "")
        or feed_url
        or link
        or f"{RULE_SCHEME}#{_UNSAFE_IN_TOKEN.sub('_', item.source)}",
        title=line(outlet.title) or item.source,
        feed_url=feed_url,
        link=link,
    )


# --------------------------------------------------------------------------- ours


def _reason(match: StoredMatch, settings: EntrySettings) -> Reason:
    rule = match.match.rule
    return Reason(
        rule=rule,
        title=line(settings.rule_titles.get(rule, "")) or rule,
        terms=_terms(match.match.hits),
        passage=Passage.of(match.match.snippet),
        score=match.match.score,
    )


def _terms(hits: Sequence[Hit]) -> tuple[Term, ...]:
    """Return each term once, with the fields it is in."""
    fields_by_term: dict[str, dict[str, None]] = {}
    for hit in hits:
        fields_by_term.setdefault(hit.term, {})[hit.field] = None
    return tuple(Term(text=line(term), fields=tuple(fields)) for term, fields in fields_by_term.items())


def _of_rule(reason: Reason) -> Category:
    return Category(term=reason.rule, scheme=RULE_SCHEME, label=reason.title)


def _report(item: Item, settings: EntrySettings) -> Report:
    outlet = _outlet(item.source, settings)
    return Report(outlet=line(outlet.title) or item.source, title=_title(item), link=web_iri(item.link))
