"""What follows from an attempt to deliver. Pure.

A delivery is tried again and again over three days; what fails then is a dead letter, kept and shown.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import assert_never

from syndicate.alerts.outcome import Closed, Later, Outcome, Refused, Taken

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Disabled:
    """Nothing is sent to its endpoint until a person has enabled that again; it is due from then on."""

    at: datetime
    reason: str


Consequence = Delivered | RetryAt | Dead | Disabled


def after_attempt(*, attempts_before: int, outcome: Outcome, now: datetime, jitter: float) -> Consequence:
    """Return what follows.

    Args:
        attempts_before: attempts made before this one.
        outcome: what the answer means, or that there was none.
        now: when the attempt ended.
        jitter: 0..1; 0 is the shortest wait, 1 the longest.
    """
    match outcome:
        case Taken():
            return Delivered()
        case Refused():
            return Dead(reason=outcome.reason)
        case Closed():
            return Disabled(at=now, reason=outcome.reason)
        case Later():
            return _again(attempts_before, outcome, now, jitter)
        case _:
            assert_never(outcome)


def _again(attempts_before: int, outcome: Later, now: datetime, jitter: float) -> Consequence:
    if attempts_before >= len(WAITS):
        return Dead(reason=f"{outcome.reason}; given up after {attempts_before + 1} tries")
    wait = WAITS[attempts_before] * (1 - SPREAD + 2 * SPREAD * jitter)
    if outcome.wait is not None:
        asked = min(max(outcome.wait, SHORTEST_ASKED), LONGEST_ASKED)
        wait = asked if attempts_before < SHORTENED_WAITS else max(wait, asked)
    return RetryAt(at=now + wait, reason=outcome.reason)
