"""What follows from an attempt to deliver. Pure.

A delivery is tried again and again over three days; what fails then is a dead letter, kept and shown.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from syndicate.http.times import asked_wait

WAITS = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
TRIES = 1 + len(WAITS)
SPREAD = 0.2  # of each wait, to either side
SHORTEST_ASKED = timedelta(seconds=1)
LONGEST_ASKED = timedelta(hours=24)
# An endpoint that always answers "try again in a second" would use up all its tries while it restarts.
# It may shorten the first waits only.
SHORTENED_WAITS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """The endpoint has it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryAt:
    """It is tried again then."""

    at: datetime
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Dead:
    """It is not tried again."""

    reason: str


Consequence = Delivered | RetryAt | Dead


def after_attempt(  # noqa: PLR0913  all that bears on it
    *,
    attempts_before: int,
    status: int | None,
    error: str | None,
    retry_after: str | None,
    now: datetime,
    jitter: float,
) -> Consequence:
    """Return what follows: only a complete answer of 2xx is success, and 410 is final.

    Args:
        attempts_before: attempts made before this one.
        status: of the answer, None when no complete one came.
        error: why none came, None if one did.
        retry_after: the answer's Retry-After, as sent.
        now: when the attempt ended.
        jitter: 0..1; 0 is the shortest wait, 1 the longest.
    """
    if error is None and status is not None and 200 <= status < 300:
        return Delivered()
    reason = error or _meaning(status)
    if status == 410:
        return Dead(reason=reason)
    if attempts_before >= len(WAITS):
        return Dead(reason=f"{reason}; given up after {attempts_before + 1} tries")
    wait = WAITS[attempts_before] * (1 - SPREAD + 2 * SPREAD * jitter)
    asked = asked_wait(retry_after, now)
    if asked is not None:
        asked = min(max(asked, SHORTEST_ASKED), LONGEST_ASKED)
        wait = asked if attempts_before < SHORTENED_WAITS else max(wait, asked)
    return RetryAt(at=now + wait, reason=reason)


def _meaning(status: int | None) -> str:
    if status is None:
        return "no answer came"
    if status == 410:
        return "the endpoint answered 410: it wants no more deliveries"
    if 300 <= status < 400:
        return f"the endpoint answered {status}, and redirects are not followed: configure where it leads"
    return f"the endpoint answered {status}"
