"""The units of work of the pages about what goes out and about the machine, which only look.

See `syndicate.store.protocol`. Each is fast however much is stored: only what waits, is held or is dead is
counted, and that by an index.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from syndicate.model import DeliveryState
from syndicate.model.overview import Depths, Hour, Latency, ListedDelivery, ShownDelivery, Size

SUBJECTS_LISTED = 3  # of each delivery, in a list
SUBJECTS_SHOWN = 50  # of one delivery
TRIES_SHOWN = 50
MEASURED = 1_000  # deliveries that a latency is taken from
HOURS_KEPT = 24 * 31


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """Which deliveries to show; what is None does not restrict."""

    endpoint: str | None = None
    state: DeliveryState | None = None
    before: int | None = None  # the number of the last one of the page before
    limit: int = 30


class OverviewStore(Protocol):
    """What a database must do for the pages about what goes out and about the machine."""

    def listed_deliveries(self, which: Sent) -> list[ListedDelivery]:
        """Return deliveries with the first SUBJECTS_LISTED of their alerts, newest first."""

    def shown_delivery(self, identity: str) -> ShownDelivery | None:
        """Return a delivery, its first SUBJECTS_SHOWN alerts and last TRIES_SHOWN attempts; None: no such."""

    def deliveries_made(self, endpoint: str, state: DeliveryState | None, since: datetime) -> list[str]:
        """Return the ids of all deliveries to an endpoint made since then, oldest first."""

    def endpoints_sent_to(self) -> list[str]:
        """Return all endpoints that a delivery was ever made for, by their ids."""

    def dead_since(self, since: datetime, most: int) -> int:
        """Return how many deliveries made since then were given up; `most` if they are more."""

    def depths(self) -> Depths:
        """Return how much is still to be done."""

    def applied_rules(self) -> Mapping[str, str | None]:
        """Return the version of each configured rule that was applied to what is stored; None: none was."""

    def hours(self, since: datetime) -> list[Hour]:
        """Return the hours from that of this time on in which anything was done, oldest first.

        They are kept for HOURS_KEPT.
        """

    def latency(self, since: datetime) -> Latency:
        """Return how long the news of the last deliveries made since then took, at most MEASURED of them.

        Of matches, delivered and not replayed, to endpoints without a pace. Of an item whose date of
        publication is unknown, or was in the future when it was seen, only the time since then counts.
        """

    def size(self) -> Size:
        """Return how much room the database takes."""
