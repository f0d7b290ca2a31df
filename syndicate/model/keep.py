"""What is stored, and how it is shown."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from syndicate.model.learn import Gap, Trouble
from syndicate.model.match import Match
from syndicate.model.parse import Enclosure
from syndicate.model.push import SubscriptionStatus
from syndicate.model.retrieve import BadAnswer, Spent


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
    noticed_at: datetime  # when it last changed in a way that readers should notice (`syndicate.edits`)
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
class SearchedItem:
    """What rules ask about an item, and no more of it: many are read to find some."""

    id: int
    source: str
    revision: int
    story: int
    link: str | None
    title: str
    body: str
    summary: str  # its beginning
    author: str
    categories: tuple[str, ...]
    language: str | None
    published: datetime | None
    changed_at: datetime
    order: datetime  # as Item.order


class JoinedBy(StrEnum):
    """By what an item is one with others of its story."""

    LINK = "link"  # the same one
    TEXT = "text"  # the same one
    ALIKE = "alike"  # texts that tell the same


@dataclass(frozen=True, slots=True, kw_only=True)
class Joined:
    """How an item came to a story that others had begun."""

    by: JoinedBy
    other: int | None = None  # the item that it is alike to
    evidence: str | None = None  # how alike, in words


@dataclass(frozen=True, slots=True, kw_only=True)
class StoryStatus:
    """A story, as one of its items sees it, for people."""

    id: int
    items: tuple[tuple[int, str], ...]  # (item, source), in the order in which they came
    joined: Joined | None  # None: that item began it, or came before this was written down


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceStatus:
    """How a source is, for people."""

    id: str
    title: str
    urls: tuple[str, ...]
    enabled: bool
    state: str  # new, ok, fallback, failing, gone, paused, disabled, removed
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
    subscription: SubscriptionStatus | None = None  # at its hub; None: it names none, or none can reach us


@dataclass(frozen=True, slots=True, kw_only=True)
class PollDay:
    """What became of a source's polls on one day, in UTC."""

    day: date
    good: int  # polls that were answered as they should be, and what hubs have pushed
    failed: int
    items: int  # that were new


@dataclass(frozen=True, slots=True, kw_only=True)
class LastFailure:
    """The last poll of a source that failed."""

    at: datetime
    url: str  # the address, as configured
    error: str
    answer: BadAnswer | None  # None: there was none


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceHead:
    """A source as an overview of all has it."""

    id: str
    state: str  # as SourceStatus.state
    needs_somebody: bool  # it fails, is gone, or has been silent for far too long


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
