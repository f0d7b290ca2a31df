"""The units of work of the JSON API, which only look. See `syndicate.store.protocol`.

Each is fast however much is stored: it reads what it returns, and little else.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from syndicate.model import DeliveryState, DeliveryStatus, FoundItem, StoredMatch
from syndicate.store.pages import Shown

ARRIVALS_AT_ONCE = 20_000  # matches that a filter may leave out, in one go


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchFilter:
    """Which matches to list, newest first; what is None does not restrict."""

    rule: str | None = None
    since: datetime | None = None  # by Item.order
    before: tuple[datetime, int, str] | None = None  # (order, item, rule) of the last one of the page before
    limit: int = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrivals:
    """Matches that began to hold after another one did, in that order."""

    matches: tuple[StoredMatch, ...]
    last: int  # the number up to which they are all
    is_more: bool  # whether there are more by now


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryFilter:
    """Which deliveries to list, newest first; what is None does not restrict."""

    endpoint: str | None = None
    state: DeliveryState | None = None
    since: datetime | None = None  # by when they were made
    before: str | None = None  # the id of the last one of the page before
    limit: int = 50


class ApiStore(Protocol):
    """What a database must do for the JSON API."""

    def items(self, which: Shown) -> list[FoundItem]:
        """Return items, newest first."""

    def matches(self, which: MatchFilter) -> list[StoredMatch]:
        """Return matches that hold, of configured rules, by when their items count as published."""

    def last_arrival(self) -> int:
        """Return the number of the match that began to hold last, 0 if none ever did."""

    def arrivals(self, after: int, rule: str | None, limit: int) -> Arrivals:
        """Return matches that began to hold after one, the first of them first, and hold now.

        Numbers follow the order in which matches become visible, so whoever goes on from `last` misses none,
        however late an item came, and whatever its publisher says of its time.

        Args:
            after: the number of that one, 0 for all.
            rule: only its matches; None: of all configured rules.
        """

    def deliveries(self, which: DeliveryFilter) -> list[DeliveryStatus]:
        """Return deliveries, those made last first."""
