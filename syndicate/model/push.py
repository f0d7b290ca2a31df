"""What hubs push, and subscriptions to that (WebSub)."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class SubscriptionState(StrEnum):
    """How far a subscription at a hub is (WebSub)."""

    ASKED = "asked"  # the hub has not made sure yet that it was us who asked, or is not asked yet
    ACTIVE = "active"  # the hub pushes, until its lease ends
    DENIED = "denied"  # the hub does not want to push; asked again, but seldom
    ENDING = "ending"  # it is not wanted any more, and the hub is to be told
    ENDED = "ended"  # the hub knows that


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """That a hub is to push what is new at a topic, to a callback that only it knows."""

    id: int
    source: str
    hub: str
    topic: str
    callback: str = field(repr=False)  # whoever knows it may push
    secret: str = field(repr=False)  # that pushes are signed with, if the hub can be told
    state: SubscriptionState
    asked_at: datetime | None = None  # when the hub was last asked; None: never
    next_ask_at: datetime | None = None
    since: datetime | None = None  # the hub has pushed without a break since; None: it never did
    expires_at: datetime | None = None  # when the lease ends
    failures: int = 0  # requests to the hub in a row that came to nothing
    token: str | None = None  # names our claim to ask the hub; None: it was not claimed


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What came of asking a hub."""

    subscription: Subscription
    error: str | None  # in words; None: it will make sure that it was us, and tell
    next_ask_at: datetime
    is_over: bool = False  # there is nothing more to ask: the subscription is dropped


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmed:
    """What a hub and we agree upon."""

    subscription: Subscription
    state: SubscriptionState  # active, denied, or ended
    next_ask_at: datetime
    expires_at: datetime | None = None
    since: datetime | None = None
    reason: str | None = None  # why it was denied, as far as the hub says


class Kept(StrEnum):
    """What became of something that a hub has sent."""

    KEPT = "kept"  # it is in the database, to be read
    POLLED = "polled"  # nothing proves who sent it, so the source is polled instead
    FULL = "full"  # too much is waiting to be read
    UNWANTED = "unwanted"  # the subscription was given up


@dataclass(frozen=True, slots=True, kw_only=True)
class Push:
    """What a hub has sent, signed, and is kept until it is read."""

    id: int
    topic: str
    received_at: datetime
    content_type: str
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pushing:
    """Whether a hub tells what is new of a source."""

    since: datetime | None = None  # without a break; None: no hub does
    until: datetime | None = None  # when its lease ends
    doubts: int = 1  # pushes with news that must come before it is relied upon
    last_poll_at: datetime | None = None  # when the source itself was last asked

    def is_relied_upon(self, now: datetime) -> bool:
        """Whether polling is only for safety."""
        return self.since is not None and self.until is not None and now < self.until and not self.doubts


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionStatus:
    """How a subscription is, for people."""

    hub: str
    topic: str
    state: SubscriptionState
    asked_at: datetime | None  # None: the hub was not asked yet
    expires_at: datetime | None  # None: it was never active
    next_ask_at: datetime | None
    error: str | None
    pushes: int  # that were taken
    last_push_at: datetime | None
    rejected: int  # that were not signed, or wrongly
    last_rejected_at: datetime | None
    is_relied_upon: bool
