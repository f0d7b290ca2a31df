"""What the documents of a source teach of it: how it publishes, what is the matter with it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from statistics import median_low


@dataclass(frozen=True, slots=True, kw_only=True)
class Hints:
    """What a document says of when to ask for it again, and where older entries are. Plain values only."""

    ttl_seconds: int | None = None  # RSS <ttl>
    update_seconds: int | None = None  # sy:updatePeriod divided by sy:updateFrequency
    update_phase_seconds: int | None = None  # sy:updateBase, from 1970 on, modulo that
    skip_hours: tuple[int, ...] = ()  # of the day in UTC, 0..23
    skip_days: tuple[int, ...] = ()  # of the week in UTC, Monday is 0
    older: str | None = None  # the address of older entries: RFC 5005 prev-archive, else next
    hubs: tuple[str, ...] = ()  # that push what is new (WebSub), the one to ask first
    topic: str | None = None  # what they call the document; None: it does not say


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
