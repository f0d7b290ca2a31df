"""What is to be published."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class StaleFeed:
    """A published feed whose file lacks what is stored; `generation` closes the race with new matches."""

    rule: str
    feed_id: str  # absolute IRI, minted once
    created_at: datetime
    generation: int
