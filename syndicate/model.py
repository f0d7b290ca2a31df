"""The records that flow from configuration to attempts. Frozen, without I/O; times are aware and UTC.

Where a stage adds something, it has a record of its own:

    Source -> Claim -> Entry (in a Document) -> Change (in a Poll) -> Item -> Match
           -> Alert -> Delivery -> Attempt
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from statistics import median_low

# --------------------------------------------------------------------------- configuration


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceSettings:
    """`[service]`; paths are absolute."""

    database: Path
    rules: Path
    feeds: Path
    base_url: str = "http://127.0.0.1:8080"  # without a trailing slash
    host: str = "127.0.0.1"  # `listen`, taken apart
    port: int = 8080
    title: str = "Syndicate"
    notify: tuple[str, ...] = ()  # ids of endpoints that are told when something is the matter with a source


class Scope(StrEnum):
    """Who waits when a server asks for less (429, 503, Retry-After)."""

    HOST = "host"  # everybody who asks that host
    SOURCE = "source"  # the source that was answered so


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkSettings:
    """`[network]`: how we behave towards others, and what we refuse."""

    allow_private: tuple[IPv4Network | IPv6Network, ...] = ()
    host_interval: timedelta = timedelta(seconds=1)  # between the starts of two requests to a host
    host_concurrency: int = 2
    concurrency: int = 64
    timeout: timedelta = timedelta(seconds=30)  # a whole request, redirects included
    max_bytes: int = 15 * 1024 * 1024  # of a body after decompression
    user_agent: str = ""
    retry_after: Scope = Scope.HOST


class Kind(StrEnum):
    """What an address answers with."""

    FEED = "feed"  # RSS, RDF, Atom
    JSON = "json"  # JSON Feed
    SITEMAP = "sitemap"  # a list of addresses, with titles for news; or an index of such lists
    PAGE = "page"  # a web page with links to articles


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """One of the addresses of a source, and how what it answers is read. Selectors are CSS."""

    url: str
    kind: Kind | None = None  # None: as the answer looks
    item: str | None = None  # each article's part of a page; None: what holds one link to an article
    title: str | None = None  # within that, as the others; None: its heading, else its link's text
    link: str | None = None  # None: the link of its title, else its first
    date: str | None = None  # None: a <time>, else what looks like a date
    link_pattern: str | None = None  # that links of articles have, with *; None: all that look alike

    @property
    def is_page(self) -> bool:
        """Whether it was said to be a web page, by its kind or by selectors."""
        selectors = (self.item, self.title, self.link, self.date)
        return self.kind is Kind.PAGE or any(selector is not None for selector in selectors)


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What we poll, as configured."""

    id: str
    title: str
    urls: tuple[str, ...]  # tried in order
    addresses: tuple[Address, ...] = ()  # those of the urls of which more is said than where they are
    interval: timedelta = timedelta(minutes=60)  # the longest wait from one poll to the next
    adaptive: bool = True  # it is asked more often where it publishes more often; False: at that interval
    language: str | None = None  # BCP 47; None: as the document says, or as it looks
    tags: tuple[str, ...] = ()
    full_text: bool = False
    prune: tuple[str, ...] = ()  # CSS selectors of what is no part of an article, on its page
    enabled: bool = True
    baseline: bool = True  # the first valid document raises no alerts

    def address(self, url: str) -> Address:
        """Return what is said of one of the urls."""
        return next((each for each in self.addresses if each.url == url), Address(url=url))


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where alerts go, as configured."""

    id: str
    url: str
    secret: str | None = field(default=None, repr=False)  # whsec_...; None: unsigned
    format: str = "standard"
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A text that a rule must match, or must not; `line` is where its file says so."""

    title: str = ""
    body: str
    language: str | None = None
    source: str | None = None
    line: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A text in a file, and where in the file it stands."""

    text: str
    places: tuple[tuple[int, int], ...]  # of each of its lines: the file's line, how much stands before it


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightedTerm:
    """One of the terms of `[score]`."""

    query: Written
    weight: float  # below 0: counts against


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreText:
    """`[score]`: the rule holds where the weights of the terms that hold add up to the threshold."""

    threshold: float
    terms: tuple[WeightedTerm, ...]
    line: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleText:
    """A rule as its file has it, before it is compiled. It asks by one of keywords, query and score."""

    id: str
    title: str
    file: str
    line: int  # of the table's head; 1 for the one rule of a file
    keywords: tuple[str, ...] = ()
    keyword_lines: tuple[int, ...] = ()  # where each keyword stands in the file
    query: Written | None = None
    score: ScoreText | None = None
    fold: bool = False  # diacritics make no difference
    sources: tuple[str, ...] = ()  # ids, patterns with *, tag:name; empty: all
    languages: tuple[str, ...] = ()  # of items, BCP 47; empty: all
    since: timedelta | None = None  # only items published within so long before they are matched
    notify: tuple[str, ...] = ()  # endpoint ids
    feed: bool = True
    match: tuple[Example, ...] = ()
    no_match: tuple[Example, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Everything a person configured, valid on its own; rules are compiled later."""

    path: Path
    service: ServiceSettings
    network: NetworkSettings
    sources: tuple[Source, ...]
    endpoints: tuple[Endpoint, ...]
    rules: tuple[RuleText, ...]


# --------------------------------------------------------------------------- learn


@dataclass(frozen=True, slots=True, kw_only=True)
class Hints:
    """What a document says of when to ask for it again, and where older entries are. Plain values only."""

    ttl_seconds: int | None = None  # RSS <ttl>
    update_seconds: int | None = None  # sy:updatePeriod divided by sy:updateFrequency
    update_phase_seconds: int | None = None  # sy:updateBase, from 1970 on, modulo that
    skip_hours: tuple[int, ...] = ()  # of the day in UTC, 0..23
    skip_days: tuple[int, ...] = ()  # of the week in UTC, Monday is 0
    older: str | None = None  # the address of older entries: RFC 5005 prev-archive, else next


@dataclass(frozen=True, slots=True, kw_only=True)
class Habit:
    """How a source publishes, as its documents have shown."""

    since: datetime | None = None  # when it was first read; None: never
    depth: int = 0  # entries of its last document
    arrivals: tuple[datetime, ...] = ()  # when its newest items came, newest first
    silences: tuple[tuple[int, timedelta], ...] = ()  # the longest of each of the last weeks, by number
    delays: tuple[timedelta, ...] = ()  # from publication until it was seen, of the last items
    hurry: timedelta | None = None  # the longest wait after a gap, None: waiting less would not help
    hurry_until: datetime | None = None  # None: there was no gap lately

    @property
    def median_delay(self) -> timedelta | None:
        """How long it usually takes from publication until an item is seen; None when no item tells."""
        return median_low(self.delays) if self.delays else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """When a source is polled next, and why then, in words."""

    at: datetime
    why: str


class TroubleKind(StrEnum):
    """What may be the matter with a source."""

    SILENT = "silent"  # it has published nothing for much longer than is its habit
    EMPTY = "empty"  # its document has no entries any more
    UNREADABLE = "unreadable"  # it answers with something that we can't read
    FORMAT = "format"  # its document is of another format than before
    FAILING = "failing"  # it doesn't answer, or with errors, for longer than a hiccup takes
    GONE = "gone"  # 410
    CERTIFICATE = "certificate"  # which expires soon


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """Something that is the matter with a source, or may turn out to be."""

    kind: TroubleKind
    since: datetime
    text: str  # in words, as it was when it began
    polls: int = 1  # that have seen it, in a row
    is_told: bool = False  # it is no hiccup: whoever wants to hear of it was told


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """That a trouble of a source has begun, or is over: told once."""

    kind: TroubleKind
    since: datetime  # when it began
    text: str  # in words, of how it is now
    is_over: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Learned:
    """What a source's documents have taught; nothing of one that was never read."""

    habit: Habit = Habit()
    hints: Hints = Hints()
    listed: tuple[int, ...] = ()  # items of the last document that had any: the newer half of them
    troubles: tuple[Trouble, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """Whether what an address says of not having changed can be believed."""

    unchanged_since: datetime | None = None  # when its 304s in a row began; None: the last answer was none
    checked_at: datetime | None = None  # when it was last asked without conditions, to see
    strikes: int = 0  # how sure it is that it lied; see `syndicate.sources.trust`
    without_etag: bool = False  # it lied when asked with one
    without_last_modified: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Between two documents that share no item: what stood in neither is not known to us."""

    begins: datetime  # when the earlier one was last seen
    ends: datetime  # the oldest date in the later one, else when that was seen
    found_at: datetime
    filled: int = 0  # items found in archives
    is_closed: bool = False  # the archives led back to a known item: nothing is missing


# --------------------------------------------------------------------------- retrieve


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """What asking took of others."""

    requests: int = 0  # redirects included
    received_bytes: int = 0  # of bodies, as they came over the network

    def __add__(self, other: "Spent") -> "Spent":
        """Return what both took together."""
        return Spent(
            requests=self.requests + other.requests, received_bytes=self.received_bytes + other.received_bytes
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """When the certificate of a server is valid."""

    host: str
    begins: datetime
    ends: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Validators:
    """What a server gave to ask again with: opaque bytes, sent back as they came (RFC 9110 8.8)."""

    etag: bytes | None = None
    last_modified: bytes | None = None
    url: str | None = None  # who gave them, after redirects; None: the address that was asked


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One of the documents that an index of sitemaps names."""

    url: str
    modified: str | None = None  # when, as the index has it; None: it does not say
    validators: Validators = Validators()
    body_hash: str | None = None  # of what we have read; None: nothing yet


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A source that is ours to poll until `lease_until`, and what we knew of it when we took it."""

    source: Source
    token: str  # names this claim; a poll recorded under an older one changes nothing
    url: str  # the configured address to try now
    address: str  # where that address is really asked: itself, or its adopted permanent redirect
    is_last_address: bool  # no other configured address is left that may be tried after this one
    validators: Validators
    body_hash: str | None  # sha256 of the last body read from this address
    failures: int  # failed polls in a row
    last_success_at: datetime | None
    last_success_url: str | None
    has_baseline: bool  # a valid document was recorded before
    moved_to: str | None  # where a permanent redirect led lately, not adopted yet
    moved_count: int  # how many answers in a row led there
    due_at: datetime  # when it fell due
    read_at: datetime | None = None  # when this address last had a valid answer; None: never
    format: str = ""  # of the last document read from this address
    parts: tuple[Part, ...] = ()  # read from the index at this address
    is_only_address: bool = False  # all others, if there are any, have said 410
    learned: Learned = Learned()
    trust: Trust = Trust()
    others_answered_at: datetime | None = None  # when any source last had an answer; None: none ever
    brought_at: datetime | None = None  # when this address last listed what it had not before; None: never
    stale_until: datetime | None = None  # it had nothing new for long: see `takeover`; None: it is not stale
    is_look: bool = False  # the address before it works, but is stale: is this one ahead?


# --------------------------------------------------------------------------- parse


@dataclass(frozen=True, slots=True, kw_only=True)
class Enclosure:
    """A file beside an entry; http(s) only."""

    url: str
    type: str | None
    length_bytes: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry of a document: clean, bounded, not yet compared with what is stored.

    Plain texts are NFC, without control characters or markup; `content_html` is sanitised.
    """

    guid: str | None  # as the publisher wrote it
    link: str | None  # absolute, http(s)
    title: str
    body: str  # plain text of the content, else of the summary
    summary: str = ""  # plain text
    content_html: str = ""
    author: str = ""
    categories: tuple[str, ...] = ()
    language: str | None = None  # the entry's own xml:lang
    published: datetime | None = None
    published_raw: str | None = None
    updated: datetime | None = None
    updated_raw: str | None = None
    enclosures: tuple[Enclosure, ...] = ()
    is_listed: bool = (
        False  # from a sitemap or a page, which only name it: no text, author or guid of its own
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One retrieved representation of a source."""

    format: str  # rss20, atom10, ... as feedparser names them; json10, json11, sitemap, page
    title: str = ""
    link: str | None = None
    language: str | None = None
    entries: tuple[Entry, ...] = ()
    problems: tuple[str, ...] = ()  # what was repaired, cut or left out, in words
    parts: tuple[Part, ...] = ()  # of an index, which has no entries of its own: where those are
    hints: Hints = Hints()


# --------------------------------------------------------------------------- full text


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A line of a page as it is compared with those of other pages."""

    hash: str  # of its words, in lower case
    length: int  # characters
    is_link: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """The page of an article as it was read; without lines it is too old to be used again."""

    key: str  # the same for all spellings of its address
    reading: str  # the same for all that leave out the same parts of it
    host: str
    fetched_at: datetime
    lines: tuple[str, ...] = ()  # of its article, as it was found
    links: tuple[int, ...] = ()  # which of them are links, by their place
    blocks: tuple[Block, ...] = ()  # each once


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptArticle:
    """What is known of the article of a stored item."""

    told: str  # hash of what its publisher said when the page was asked for
    has_text: bool  # the item's body is the article
    body: str  # of the item
    content_html: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AwaitedArticle:
    """A stored item whose article is to be asked for again."""

    item: int
    content_hash: str
    entry: Entry  # as stored, but for the language
    language: str | None  # of the item
    told: str
    has_text: bool  # of an earlier version
    tries: int
    since: datetime
    suppressed: "Suppressed | None"  # as for what its poll found


FULL_TEXT = "full text of "  # how a problem of a poll begins that is one with articles


@dataclass(frozen=True, slots=True, kw_only=True)
class ArticleNote:
    """What became of the page of an item."""

    item: int | str  # a new one by its first key
    told: str
    has_text: bool
    tries: int
    since: datetime  # when it was first wanted
    next_try_at: datetime | None  # None: it is not asked for again
    suppressed: "Suppressed | None" = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LateArticle:
    """A stored item whose article came later, and the item with it."""

    awaited: AwaitedArticle
    entry: Entry


# --------------------------------------------------------------------------- match


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """One place where a term of a rule holds; offsets are code points into the named field's plain text."""

    term: str  # as the rule has it
    field: str  # title, body
    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Snippet:
    """Up to 240 characters around the best place, with the terms' places in it as (start, end)."""

    text: str
    field: str
    marks: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """What the terms of a weighted rule that hold add up to."""

    threshold: float
    total: float
    parts: tuple[tuple[str, float], ...]  # each term that holds and its weight, in the rule's order


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """A rule that holds for an item, and why."""

    rule: str
    rule_version: str  # content hash of the rule
    hits: tuple[Hit, ...]
    snippet: Snippet
    score: Score | None = None  # of a weighted rule


# --------------------------------------------------------------------------- decide


class Suppressed(StrEnum):
    """Why a match raises no alert."""

    BASELINE = "baseline"  # in the first document of its source
    BACKFILL = "backfill"  # a new or edited rule over stored items
    FALLBACK = "fallback"  # another address took over, and the item may be older than the switch


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertDraft:
    """Something to tell an endpoint, unless the ledger already has it."""

    rule: str
    endpoint: str
    suppressed: Suppressed | None = None  # None: due now
    is_asked_for: bool = False  # by a person, who is told what was suppressed as well


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownItem:
    """What the store holds under a key: enough to see whether an entry is new, changed or the same."""

    id: int
    content_hash: str
    revision: int
    guid: str | None = None
    title: str = ""
    first_seen: datetime | None = None  # None: it makes no difference


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A new item, or a new revision of a known one, with everything that follows from it."""

    item: int | None  # None: new
    entry: Entry
    keys: tuple[str, ...]  # identity, strongest first
    story_keys: tuple[str, ...]
    content_hash: str
    language: str | None
    words: Mapping[str, str]  # "words" and "stems", each separated by spaces, for the full-text index
    words_version: int  # of the ways by which those were found
    matches: tuple[Match, ...]
    alerts: tuple[AlertDraft, ...]


class PollState(StrEnum):
    """How a poll ended."""

    OK = "ok"  # a valid document was read
    UNCHANGED = "unchanged"  # 304, or the same bytes as before
    FAILED = "failed"  # no complete response, an error status, or nothing we can read
    GONE = "gone"  # 410: not asked again until the configuration changes


@dataclass(frozen=True, slots=True, kw_only=True)
class Poll:
    """One finished poll, decided: what the store writes as a whole or not at all."""

    claim: Claim
    ended_at: datetime
    state: PollState
    next_poll_at: datetime
    duration: timedelta = timedelta()
    status: int | None = None  # HTTP status; None when no complete response came
    error: str | None = None  # in words, for FAILED and GONE
    host_backoff_until: datetime | None = None  # 429, 503: nobody asks this host before then
    host_backoff_url: str | None = None  # of that host, after redirects; None: the claim's address
    try_next_address: bool = False
    validators: Validators = Validators()
    body_hash: str | None = None
    length_bytes: int = 0  # of the body, decompressed
    moved_to: str | None = None
    moved_count: int = 0
    adopted: str | None = None  # a permanent redirect that holds from now on; None: the configured address
    document_title: str = ""
    document_link: str | None = None
    problems: tuple[str, ...] = ()
    changes: tuple[Change, ...] = ()
    new_keys: tuple[tuple[str, int], ...] = ()  # (key, item) learned for items that did not change
    next_poll_why: str = ""  # in words
    spent: Spent = Spent()
    held_until: datetime | None = None  # before then, its address is asked only if there is no other
    trust: Trust = Trust()
    learned: Learned | None = None  # None: as before; its `listed` is not looked at
    # The newer half of the document's items, new ones by their first key; None: as before.
    listed: tuple[int | str, ...] | None = None
    gap: Gap | None = None  # between the document before and this one
    notices: tuple[Notice, ...] = ()
    notify: tuple[str, ...] = ()  # endpoints that the notices go to
    format: str = ""  # of the document; of the one before, when there is nothing new
    parts: tuple[Part, ...] = ()  # of the index
    is_in_charge: bool = True  # False: it says nothing of how the source is, whose other addresses count
    has_news: bool = False  # its address lists something that it did not before
    stale_until: datetime | None = None  # None: its address is not stale
    articles: tuple[ArticleNote, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """What recording one poll did."""

    source: str
    was_stale: bool = False  # the claim had expired and someone else holds it: nothing was written
    error: str | None = None  # why it could not be written
    new: int = 0  # items; of a backfill, matches
    changed: int = 0
    matched: int = 0
    ended: int = 0  # matches that no longer hold
    alerts: int = 0  # due now
    suppressed: int = 0


# --------------------------------------------------------------------------- keep


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One entry of a document, as stored."""

    id: int
    source: str
    entry_id: str  # absolute IRI, minted once, the id in every feed that we publish
    revision: int  # from 1
    story: int
    guid: str | None
    link: str | None
    title: str
    body: str
    summary: str
    content_html: str
    author: str
    categories: tuple[str, ...]
    language: str | None
    published: datetime | None
    updated: datetime | None
    first_seen: datetime
    changed_at: datetime  # when this revision was recorded
    enclosures: tuple[Enclosure, ...] = ()

    @property
    def order(self) -> datetime:
        """When it counts as published: a date in the future pins nothing on top."""
        return min(self.published, self.first_seen) if self.published else self.first_seen


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredMatch:
    """A match as the store holds it."""

    item: Item
    match: Match
    revision: int  # of the item, that the offsets are of
    matched_at: datetime
    ended_at: datetime | None = None  # None: it holds


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundItem:
    """An item in a listing, with the ids of the rules that hold for it."""

    item: Item
    rules: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleStatus:
    """How a rule is, for people."""

    id: str
    title: str
    keywords: tuple[str, ...]
    has_feed: bool
    matches: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceStatus:
    """How a source is, for people."""

    id: str
    title: str
    urls: tuple[str, ...]
    enabled: bool
    state: str  # new, ok, fallback, failing, gone, disabled, removed
    next_poll_at: datetime | None  # None when it is not polled
    last_polled_at: datetime | None
    last_success_at: datetime | None
    last_status: int | None
    last_error: str | None
    problems: tuple[str, ...]  # repaired or cut in the last document; addresses failing while another works
    failures: int
    items: int
    next_poll_why: str = ""  # in words
    troubles: tuple[Trouble, ...] = ()  # that are no hiccups
    items_per_day: float | None = None  # lately; None: nothing is known
    median_delay: timedelta | None = None  # from publication until an item is seen; None: not known
    gaps: int = 0
    last_gap: Gap | None = None
    spent: Spent = Spent()  # by all polls


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressStatus:
    """How one address of a source is, for people."""

    url: str  # as configured
    state: str  # ok, stale, failing, gone, untried
    format: str = ""  # of the last document read from it
    error: str | None = None
    adopted: str | None = None  # the permanent redirect that is asked instead
    moved_to: str | None = None  # where a permanent redirect led lately
    moved_count: int = 0  # how many answers in a row led there
    etag: str | None = None  # Latin-1, as it came
    last_modified: str | None = None
    brought_at: datetime | None = None  # when it last had something new; None: never


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Words that follow one another in an item, to be looked up in the full-text index."""

    column: str  # words, stems
    words: tuple[str, ...]
    is_beginning: bool = False  # whether the last one may go on


# --------------------------------------------------------------------------- publish


@dataclass(frozen=True, slots=True, kw_only=True)
class StaleFeed:
    """A published feed whose file lacks what is stored; `generation` closes the race with new matches."""

    rule: str
    feed_id: str  # absolute IRI, minted once
    created_at: datetime
    generation: int


# --------------------------------------------------------------------------- deliver


class DeliveryState(StrEnum):
    """Where a delivery stands."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    DEAD = "dead"


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """Something told to an endpoint once for a (rule, story)."""

    kind: str  # match
    rule: str
    created_at: datetime
    stored: StoredMatch  # as it stands now; a match that an edit has ended keeps its last evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceAlert:
    """Something about a source told to an endpoint."""

    kind: str  # source
    source: str
    created_at: datetime
    notice: Notice


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One or more alerts on their way to one endpoint, claimed by us."""

    id: str  # the webhook-id, for all attempts
    endpoint: str
    token: str  # of our lease
    body: bytes | None  # None until the first attempt freezes it
    created_at: datetime
    attempts: int  # made before
    alerts: tuple[Alert | SourceAlert, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One try, and what follows from it."""

    delivery: str
    token: str
    started_at: datetime
    duration: timedelta
    status: int | None  # HTTP status; None when no complete answer came
    error: str | None
    answer: str  # the first 1 kB
    state: DeliveryState  # of the delivery after this
    next_attempt_at: datetime | None  # when WAITING


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryStatus:
    """A delivery, for people."""

    id: str
    endpoint: str
    alerts: tuple[tuple[str, int], ...]  # (rule, item)
    sources: tuple[str, ...]  # that it is about, instead
    state: DeliveryState
    attempts: int
    created_at: datetime
    next_attempt_at: datetime | None
    last_status: int | None
    last_error: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertStatus:
    """An alert in the ledger, for people."""

    story: int
    item: int  # of that story, that it tells of or would have told of
    endpoint: str
    state: str  # alerted, suppressed
    reason: Suppressed | None  # None when it was alerted
    created_at: datetime
    delivery: str | None  # None when it was suppressed
    delivery_state: DeliveryState | None
