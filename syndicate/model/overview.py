"""What the pages show of what goes out, and of the machine."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from syndicate.model.deliver import AttemptStatus, DeliveryState


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What an alert of a delivery tells of, in short."""

    kind: str  # match, escalation, source, endpoint, spike
    text: str  # the item's title; what is the matter; of a spike, how many stories there are
    rule: str | None = None  # None: no rule is behind it
    source: str | None = None  # of the item, or that something is the matter with; None: neither
    endpoint: str | None = None  # that something is the matter with
    item: int | None = None  # None: it is about no item
    language: str | None = None  # of the text


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedDelivery:
    """A delivery as a list shows it."""

    number: int  # later ones are higher
    id: str
    endpoint: str
    state: DeliveryState
    is_under_way: bool  # whether some process has it at this moment, to send it
    created_at: datetime
    attempts: int
    next_attempt_at: datetime | None
    last_status: int | None
    last_error: str | None
    alerts: int  # that it tells of
    subjects: tuple[Subject, ...]  # the first of those


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownDelivery:
    """A delivery with what it says and what was answered."""

    listed: ListedDelivery
    body: bytes | None  # that every attempt sends; None: there was no attempt yet
    tries: tuple[AttemptStatus, ...]  # the last ones, the last of them first


@dataclass(frozen=True, slots=True, kw_only=True)
class Depths:
    """How much is still to be done, in numbers."""

    sources_due: int  # and not being polled
    polls: int  # under way
    waiting: int  # deliveries
    under_way: int  # of those
    held: int
    dead: int
    stale_feeds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Hour:
    """What was done within an hour, in numbers."""

    begins: datetime
    polls: int
    failed: int  # of those
    items: int  # new ones
    matches: int  # new ones
    attempts: int
    taken: int  # of those
    database_bytes: int  # when something was done last


@dataclass(frozen=True, slots=True, kw_only=True)
class Delay:
    """How long something takes, over a number of cases."""

    cases: int
    median: timedelta
    p95: timedelta  # that 95 of 100 take at most


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """How long news takes to arrive. None: there was no case."""

    published_to_seen: Delay | None
    seen_to_delivered: Delay | None
    published_to_delivered: Delay | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much room the database takes."""

    database_bytes: int
    disk_free_bytes: int | None  # None: it is not on a disk of ours
