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
class SpikeAlert:
    """A spike of a rule, told to an endpoint once."""

    kind: str  # spike
    rule: str
    created_at: datetime
    spike: Spike
    headlines: tuple[Headline, ...]  # some of its stories, the newest first


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One or more alerts on their way to one endpoint, claimed by us."""

    id: str  # the webhook-id, for all attempts
    endpoint: str
    token: str  # of our lease
    body: bytes | None  # None until the first attempt freezes it
    created_at: datetime
    attempts: int  # made before
    alerts: tuple[Alert | SourceAlert | SpikeAlert, ...]


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
    spikes: tuple[str, ...]  # rules whose spikes it is about, instead
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
