"""What the command `hub` says: who is told what is new in feeds. Prints nothing."""

from datetime import datetime

from syndicate.model.hub import SubscriberKind, SubscriberStatus
from syndicate.report_words import Values, ago, ahead, time_json

TITLES = ("feed", "told", "by", "state")


def subscriber_json(status: SubscriberStatus) -> Values:
    """Return a subscriber as `hub --json` prints it."""
    return {
        "topic": status.topic,
        "kind": status.kind,
        "host": status.host,
        "signed": status.is_signed,
        "expires_at": time_json(status.expires_at),
        "told": status.told,
        "last_told_at": time_json(status.last_told_at),
        "up_to_date": not status.lacks_newest,
        "failures": status.failures,
        "next_try_at": time_json(status.next_try_at),
        "error": status.error,
    }


def subscriber_row(status: SubscriberStatus, now: datetime) -> tuple[str, ...]:
    """Return a subscriber as a row of `hub`, under TITLES."""
    how = "a form" if status.kind is SubscriberKind.HUB else "the document"
    if status.is_signed:
        how += ", signed"
    return (status.topic.rpartition("/feeds/")[2], status.host, how, _state(status, now))


def _state(status: SubscriberStatus, now: datetime) -> str:
    told = f"told {ago(status.last_told_at, now)}" if status.last_told_at else "not told of anything yet"
    if status.error is None:
        lease = f"; its lease ends {ahead(status.expires_at, now)}" if status.expires_at else ""
        return told + lease
    again = (
        f"tried again {ahead(status.next_try_at, now)}" if status.next_try_at else "told of the next change"
    )
    return f"{told}; {status.error}; {again}"
