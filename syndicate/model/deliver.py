"""What is on its way to endpoints."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from syndicate.model.keep import StoredMatch
from syndicate.model.learn import Notice
from syndicate.model.match import Suppressed
from syndicate.model.spike import Headline, Spike


class DeliveryState(StrEnum):
    """Where a delivery stands."""

    HELD = "held"  # until the pace of its endpoint lets it go; what it tells may move to another one by then
    WAITING = "waiting"
    DELIVERED = "delivered"
    DEAD = "dead"


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """Something told to an endpoint once for a (rule, story)."""

    kind: str  # match, escalation
    rule: str
    created_at: datetime
    stored: StoredMatch  # as it stands now; a match that an edit has ended keeps its last evidence
    sources: tuple[str, ...] = ()  # of an escalation: those that carry the story, the first one first


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceAlert:
    """Something about a source told to an endpoint."""

    kind: str  # source
    source: str
    created_at: datetime
    notice: Notice


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointNotice:
    """That an endpoint is sent nothing any more, or takes what it is sent again."""

    endpoint: str
    since: datetime  # it was disabled
    is_over: bool
    text: str  # a sentence that begins with "it"


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointAlert:
    """Something about an endpoint told to another one."""

    kind: str  # endpoint
    created_at: datetime
    notice: EndpointNotice


@dataclass(frozen=True, slots=True, kw_only=True)
class SpikeAlert:
    """A spike of a rule, told to an endpoint once."""

    kind: str  # spike
    rule: str
    created_at: datetime
    spike: Spike
    headlines: tuple[Headline, ...]  # some of its stories, the newest first


AnyAlert = Alert | SourceAlert | EndpointAlert | SpikeAlert


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One or more alerts on their way to one endpoint, claimed by us."""

    id: str  # the webhook-id, for all attempts
    endpoint: str
    token: str  # of our lease
    body: bytes | None  # None until the first attempt freezes it
    created_at: datetime
    attempts: int  # made before
    tries: int  # those of them that count: made since it was replayed last
    lease_until: datetime
    alerts: tuple[AnyAlert, ...]  # in the order in which they came up
    left_out: int = 0  # further alerts, too many to be told in full


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One try, and what follows from it."""

    delivery: str
    endpoint: str
    token: str
    started_at: datetime
    duration: timedelta
    status: int | None  # HTTP status; None when no complete answer came
    error: str | None
    answer: str  # the first 1 kB
    state: DeliveryState  # of the delivery after this
    next_attempt_at: datetime | None  # when WAITING
    is_last: bool = False  # the endpoint wants nothing at all any more, this delivery included


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptStatus:
    """An attempt that was made, for people."""

    started_at: datetime
    duration: timedelta
    status: int | None  # None when no complete answer came
    error: str | None  # None: it was taken
    answer: str  # the first 1 kB


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryStatus:
    """A delivery, for people."""

    id: str
    endpoint: str
    alerts: tuple[tuple[str, int], ...]  # (rule, item)
    sources: tuple[str, ...]  # that it is about, instead
    endpoints: tuple[str, ...]  # that it is about, instead
    spikes: tuple[str, ...]  # rules whose spikes it is about, instead
    state: DeliveryState
    attempts: int
    created_at: datetime
    next_attempt_at: datetime | None
    last_status: int | None
    last_error: str | None


class EndpointState(StrEnum):
    """How an endpoint is."""

    NEW = "new"  # nothing was ever sent to it
    OK = "ok"  # it took what it was sent last
    FAILING = "failing"  # it did not
    DISABLED = "disabled"  # nothing is sent to it until a person enables it


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointStatus:
    """An endpoint, for people. Shares and times are those of its last attempts."""

    id: str
    state: EndpointState
    since: datetime | None  # when FAILING or DISABLED
    reason: str | None  # when DISABLED
    last_error: str | None  # of its last attempt that failed, when FAILING
    attempts: int  # that were looked at, at most 1,000
    taken: int  # of those
    median: timedelta | None  # that an attempt lasts; None without any
    p95: timedelta | None  # that 95 of 100 attempts last at most
    held: int  # deliveries that its pace, or a look at silences, holds back
    waiting: int  # deliveries
    due: int  # of those, that are not being tried
    oldest_waiting_at: datetime | None  # when it was made; None when nothing waits
    dead: int  # deliveries


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertStatus:
    """An alert in the ledger, for people."""

    kind: str  # match, escalation
    story: int
    item: int  # of that story, that it tells of or would have told of
    endpoint: str
    state: str  # alerted, suppressed
    reason: Suppressed | None  # None when it was alerted
    created_at: datetime
    delivery: str | None  # None when it was suppressed
    delivery_state: DeliveryState | None
    silence: int | None = None  # that suppressed it; None: none did
    sources: tuple[str, ...] = ()  # of an escalation: those that carried the story then
