"""Times in header fields. Pure; what can't be read says nothing.

Callers have bounds of their own for what they let themselves be asked.
"""

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

LONGEST = timedelta(seconds=999_999_999)  # of what is read, more than thirty years


def asked_wait(retry_after: str | None, now: datetime) -> timedelta | None:
    """Return how long Retry-After asks to wait (RFC 9110 10.2.3), None if it says nothing we can read.

    Never less than nothing: a date that has passed asks for no wait.
    """
    text = retry_after or ""
    seconds = delta_seconds(text)
    if seconds is not None:
        return seconds
    date = http_date(text)
    return None if date is None else max(date - now, timedelta())


def delta_seconds(text: str) -> timedelta | None:
    """Return a number of seconds (RFC 9111 1.2.2), None if it is none; of too many digits the first nine."""
    text = text.strip()
    if not (text.isascii() and text.isdigit()):
        return None
    return min(timedelta(seconds=int(text[:10])), LONGEST)


def http_date(text: str) -> datetime | None:
    """Return a date (RFC 9110 5.6.7), its old forms and those of e-mail included; None if it is none."""
    try:
        date = parsedate_to_datetime(text.strip())
    except (ValueError, OverflowError, IndexError):
        return None
    return date if date.tzinfo else date.replace(tzinfo=UTC)
