"""When to poll again. Pure: the time and the jitter are arguments."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

LONGEST_WAIT = timedelta(hours=24)
LARGEST_JITTER = 0.05
_MAX_AGE = re.compile(r'(?:^|[\s,])max-age\s*=\s*"?(\d+)', re.IGNORECASE)


def next_poll(
    now: datetime, interval: timedelta, failures: int, asked: timedelta | None, jitter: float
) -> datetime:
    """Return the earliest time to poll a source again.

    The interval doubles with each failure in a row after the first, up to a day. A server may ask for more
    time (Retry-After, RFC 9110 10.2.3; max-age, RFC 9111 5.2.2.1), never for less, never for more than a day.

    Args:
        now: when the poll ended.
        interval: the source's own.
        failures: failed polls in a row; 0 after a success.
        asked: what the server asked for, None if nothing.
        jitter: 0..1, how much of the largest jitter is added, so that sources spread out.
    """
    doublings = min(max(failures - 1, 0), 17)  # a second becomes more than a day
    wait = min(interval * (1 << doublings), max(LONGEST_WAIT, interval))
    if asked is not None:
        wait = max(wait, min(asked, LONGEST_WAIT))
    return now + wait * (1 + LARGEST_JITTER * jitter)


def retry_after(value: str | None, now: datetime) -> timedelta | None:
    """Return how long Retry-After asks to wait (RFC 9110 10.2.3), None if it says nothing we can read."""
    if value is None:
        return None
    value = value.strip()
    if value.isascii() and value.isdigit():
        return min(timedelta(seconds=int(value[:9])), LONGEST_WAIT)
    try:
        date = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    wait = (date if date.tzinfo else date.replace(tzinfo=UTC)) - now
    return min(max(wait, timedelta()), LONGEST_WAIT)


def freshness(headers: Mapping[str, str]) -> timedelta | None:
    """Return how long a response stays fresh (max-age, RFC 9111 5.2.2.1), None if it does not say."""
    found = _MAX_AGE.search(headers.get("cache-control", ""))
    return min(timedelta(seconds=int(found[1][:9])), LONGEST_WAIT) if found else None
