"""What a subscriber is sent, and what follows from its answer. Pure.

https://www.w3.org/TR/websub/, whose sections are named here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import assert_never
from urllib.parse import urlencode

from syndicate.alerts.outcome import Closed, Later, Outcome, Taken
from syndicate.alerts.retry import Dead, Delivered, Disabled, RetryAt, after_attempt
from syndicate.http.times import asked_wait
from syndicate.hub.topics import Document, Topic
from syndicate.model.hub import Subscriber, SubscriberKind, Told
from syndicate.sources.websub import signed

METHOD = "sha256"
SLOW = timedelta(seconds=2)  # an answer that takes longer


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """What is posted."""

    body: bytes
    headers: Mapping[str, str]


def links(hub: str, topic: str) -> str:
    """Return the value of the Link header of a topic (4, 7)."""
    return f'<{hub}>; rel="hub", <{topic}>; rel="self"'


def notice(subscriber: Subscriber, topic: Topic, document: Document, hub: str) -> Notice:
    """Return what a subscriber is sent: the whole document (7), signed if it wants that (7.1).

    A hub of others is told only that there is something to fetch, in the words of PubSubHubbub 0.4 7.1, which
    the Recommendation leaves to hubs (6).
    """
    match subscriber.kind:
        case SubscriberKind.CALLBACK:
            headers = {"content-type": topic.content_type, "link": links(hub, topic.url)}
            if subscriber.secret is not None:
                signature = signed(subscriber.secret, document.body, METHOD)
                headers["x-hub-signature"] = f"{METHOD}={signature}"
            return Notice(body=document.body, headers=headers)
        case SubscriberKind.HUB:
            form = {"hub.mode": "publish", "hub.topic": topic.url, "hub.url": topic.url}
            return Notice(
                body=urlencode(form).encode(), headers={"content-type": "application/x-www-form-urlencoded"}
            )
        case _:
            assert_never(subscriber.kind)


def outcome(subscriber: Subscriber, status: int, retry_after: str | None, now: datetime) -> Outcome:
    """Return what a complete answer means: 2xx is success, and a subscriber's 410 is final (7)."""
    if 200 <= status < 300:
        return Taken()
    if status == 410 and subscriber.kind is SubscriberKind.CALLBACK:
        return Closed(reason="it answered 410")
    reason = f"it answered {status}"
    if 300 <= status < 400:
        reason += ", and redirects are not followed"
    return Later(reason=reason, wait=asked_wait(retry_after, now))


def after_telling(  # noqa: PLR0913  what one try is
    subscriber: Subscriber,
    result: Outcome,
    *,
    digest: str,
    status: int | None,
    took: timedelta,
    now: datetime,
    jitter: float,
) -> Told:
    """Return what follows from having told a subscriber, by the schedule of all deliveries.

    A subscription ends when its subscriber says so, or has not taken anything for all tries (7); a hub of
    others is told again of what is new next.

    Args:
        digest: of the document.
        jitter: 0..1.
    """
    consequence = after_attempt(attempts_before=subscriber.failures, outcome=result, now=now, jitter=jitter)
    is_taken = isinstance(consequence, Delivered)
    return Told(
        subscriber=subscriber,
        digest=digest if is_taken else None,
        at=now,
        status=status,
        error=None if isinstance(consequence, Delivered) else consequence.reason,
        next_try_at=consequence.at if isinstance(consequence, RetryAt) else None,
        was_slow=took > SLOW,
        is_over=isinstance(consequence, Dead | Disabled) and subscriber.kind is SubscriberKind.CALLBACK,
    )
