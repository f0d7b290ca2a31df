"""The units of work of our hub (WebSub): whom it asks, and whom it tells. See `syndicate.store.protocol`."""

from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from typing import Protocol

from syndicate.model.hub import HubAnswer, HubRequest, Limits, Room, Subscriber, SubscriberStatus, Told


class HubStore(Protocol):
    """What a database must do for a hub."""

    def take_request(self, request: HubRequest, limits: Limits) -> Room:
        """Keep a request until it is verified, in place of an earlier one of its callback and topic.

        Requests to one host are verified `limits.interval` apart. Whoever renews is let in, however full.
        """

    def claim_requests(self, *, limit: int, lease: timedelta) -> list[HubRequest]:
        """Return requests whose callback is to be asked, or told, now, leased to us; oldest first."""

    def record_answers(self, answers: Sequence[HubAnswer]) -> None:
        """Have what was confirmed hold, and forget what is settled; nothing under a stale token."""

    def settle(self, topics: Collection[str], hub: str | None, reason: str) -> int:
        """Have these topics be pushed, and no others; return how many changed.

        Subscribers of others are dropped, and told so by a denial.

        Args:
            hub: of others, which is told of all these topics; None: none is.
            reason: of denials.
        """

    def topics_told(self) -> Collection[str]:
        """Return the topics that anybody is to be told of, or asks for."""

    def note_documents(self, digest_by_topic: Mapping[str, str]) -> int:
        """Have whoever lacks these documents be told; return how many subscribers are made due."""

    def claim_subscribers(
        self, *, limit: int, doubtful: int, per_host: int, lease: timedelta
    ) -> list[Subscriber]:
        """Return who is to be told now, leased to us; first those that took at once what they were sent last.

        Args:
            limit: how many.
            doubtful: how many of those may have failed, or been slow, the last time.
            per_host: how many of a host may be leased at once, to whomever.
        """

    def record_told(self, told: Sequence[Told]) -> None:
        """Write what came of telling; nothing under a stale token. What is newer meanwhile is due at once."""

    def release_claimed(self, requests: Sequence[HubRequest], subscribers: Sequence[Subscriber]) -> None:
        """Give back what was not tried, or not to its end; it is due as before."""

    def subscribers(self) -> list[SubscriberStatus]:
        """Return who is told, by topic."""
