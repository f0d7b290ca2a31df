"""How endpoints are, judged by their attempts. Pure.

An endpoint that says that it wants nothing more, or has failed for five days without taking anything, is
disabled: nothing is sent to it until a person enables it. What waits for it goes on waiting.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from syndicate.model import Attempt, DeliveryState, EndpointNotice

FAILING_FOR = timedelta(days=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """How an endpoint is."""

    endpoint: str
    failing_since: datetime | None = None  # None: it took what it was sent last
    disabled_at: datetime | None = None
    troubled_since: datetime | None = None  # its owner was told then, and is to be told when it is over
    reason: str | None = None  # why it is disabled

    @property
    def is_plain(self) -> bool:
        """Whether there is nothing to say of it."""
        return self == Health(endpoint=self.endpoint)

    @property
    def is_closed(self) -> bool:
        """Whether it is disabled since it said that it wants no more, and not since it failed for so long."""
        if self.disabled_at is None or self.failing_since is None:
            return False
        return self.disabled_at - self.failing_since < FAILING_FOR


def after_attempts(health: Health, attempts: Iterable[Attempt]) -> tuple[Health, tuple[EndpointNotice, ...]]:
    """Return how an endpoint is after these attempts, in their order, and what its owner is to be told."""
    notices: list[EndpointNotice] = []
    for attempt in attempts:
        health, notice = _after(health, attempt)
        notices += [notice] if notice else []
    return health, tuple(notices)


def enabled(health: Health) -> Health:
    """Return how an endpoint is that a person has enabled; it has yet to show that it takes anything."""
    return Health(endpoint=health.endpoint, troubled_since=health.troubled_since)


def _after(health: Health, attempt: Attempt) -> tuple[Health, EndpointNotice | None]:
    ended_at = attempt.started_at + attempt.duration
    if attempt.state is DeliveryState.DELIVERED:
        if health.is_closed:  # it took what was under way when it said so
            return health, None
        return Health(endpoint=health.endpoint), _recovery(health)
    health = replace(health, failing_since=health.failing_since or attempt.started_at)
    reason = _reason_to_disable(health, attempt, ended_at)
    if reason is None or health.disabled_at:
        return health, None
    disabled = replace(health, disabled_at=ended_at, troubled_since=ended_at, reason=reason)
    text = f"it is sent nothing any more: {reason}. What waits for it is kept until it is enabled again"
    return disabled, EndpointNotice(endpoint=health.endpoint, since=ended_at, is_over=False, text=text)


def _recovery(health: Health) -> EndpointNotice | None:
    if health.troubled_since is None:
        return None
    return EndpointNotice(
        endpoint=health.endpoint,
        since=health.troubled_since,
        is_over=True,
        text="it takes what it is sent again",
    )


def _reason_to_disable(health: Health, attempt: Attempt, ended_at: datetime) -> str | None:
    if attempt.is_last:
        return attempt.error
    if health.failing_since and ended_at - health.failing_since >= FAILING_FOR:
        return f"it has taken nothing for {FAILING_FOR.days} days, and the last time {attempt.error}"
    return None
