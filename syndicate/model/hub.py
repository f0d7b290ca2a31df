"""What our hub is asked, and whom it tells of what is new (WebSub)."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum


class HubMode(StrEnum):
    """What a callback is told by a GET."""

    SUBSCRIBE = "subscribe"  # that somebody wants it to be pushed to: is that so?
    UNSUBSCRIBE = "unsubscribe"  # that somebody wants it not to be: is that so?
    DENIED = "denied"  # that it is not pushed to, or not any more


class SubscriberKind(StrEnum):
    """Who is told."""

    CALLBACK = "callback"  # a subscriber of our hub, which is sent the whole document
    HUB = "hub"  # a hub of others, which is told that a topic has changed, and fetches it


INTERVAL = timedelta(seconds=1)  # between two requests to one host that ask, or deny


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much is kept for others, so that nobody can use it up."""

    per_topic: int = 1_000  # subscribers and requests to become one
    per_host: int = 500
    in_all: int = 5_000
    asked_per_host: int = 100  # requests that wait to be verified
    asked_in_all: int = 1_000
    interval: timedelta = INTERVAL


class Room(StrEnum):
    """Whether there is room for a request."""

    TAKEN = "taken"  # it is kept, and answered later
    TOPIC_FULL = "topic full"
    HOST_FULL = "host full"
    FULL = "full"
    BUSY = "busy"  # too many wait to be verified


@dataclass(frozen=True, slots=True, kw_only=True)
class HubRequest:
    """A request that was taken, and is to be verified at its callback; or a denial to be told there."""

    id: int = 0  # 0: not kept yet
    mode: HubMode
    topic: str
    callback: str = field(repr=False)  # whoever knows it may push
    host: str  # of the callback, name:port
    secret: str | None = field(default=None, repr=False)  # None: what is pushed is not signed
    lease: timedelta = timedelta()
    reason: str = ""  # of a denial
    digest: str | None = None  # of the topic's document when it was asked; None: unknown
    tries: int = 0  # made before
    token: str | None = None  # names our claim to ask the callback; None: it was not claimed


@dataclass(frozen=True, slots=True, kw_only=True)
class HubAnswer:
    """What came of asking a callback."""

    request: HubRequest
    is_confirmed: bool  # what was asked holds from now on
    next_try_at: datetime | None  # None: it is settled


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscriber:
    """Who lacks the newest document of a topic, claimed by us."""

    id: int
    kind: SubscriberKind
    topic: str
    callback: str = field(repr=False)  # of a hub: its address
    secret: str | None = field(repr=False)
    failures: int  # tries in a row that came to nothing
    was_slow: bool  # to answer the last time
    token: str  # of our lease
    lease_until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What came of one try to tell a subscriber."""

    subscriber: Subscriber
    digest: str | None  # of the document that it has now; None: it does not have it
    at: datetime
    status: int | None  # None: there was no complete answer
    error: str | None  # None: it has it
    next_try_at: datetime | None  # None: not until there is something newer
    was_slow: bool = False
    is_over: bool = False  # it is told nothing any more


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriberStatus:
    """A subscriber, for people."""

    kind: SubscriberKind
    topic: str
    host: str
    expires_at: datetime | None  # None: never
    is_signed: bool
    lacks_newest: bool
    told: int  # times that it took what it was sent
    last_told_at: datetime | None
    failures: int
    next_try_at: datetime | None  # None: it has the newest document
    error: str | None
