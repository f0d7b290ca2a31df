"""What whoever runs the service is told of it in a feed."""

from dataclasses import dataclass, field
from datetime import datetime

from syndicate.model.deliver import DeliveryStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthNotice:
    """That something is the matter with a source or an endpoint, or is over: noted once."""

    id: int
    noticed_at: datetime
    source: str | None  # None: it is about an endpoint
    endpoint: str | None  # None: it is about a source
    text: str  # in words
    is_over: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """A delivery that is tried no more."""

    delivery: DeliveryStatus
    died_at: datetime  # its last attempt


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthReport:
    """What the feed of health shows, the newest first."""

    token: str = field(repr=False)  # the secret part of its address, minted once
    feed_id: str  # absolute IRI, minted once
    created_at: datetime
    changes: int  # one more with each change
    notices: tuple[HealthNotice, ...]
    dead: tuple[DeadLetter, ...]
