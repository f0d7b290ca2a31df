"""What our hub keeps, from rows to records. See `syndicate.store.hub`."""

from datetime import datetime, timedelta

from syndicate.model.hub import HubMode, HubRequest, Subscriber, SubscriberKind, SubscriberStatus
from syndicate.store.rows import Row, time_or_none


def request_of(row: Row, token: str) -> HubRequest:
    """Return the request of a row of `hub_requests`, which was claimed under a token."""
    return HubRequest(
        id=row["id"],
        mode=HubMode(row["mode"]),
        topic=row["topic"],
        callback=row["callback"],
        host=row["host"],
        secret=row["secret"],
        lease=timedelta(seconds=row["lease_seconds"]),
        reason=row["reason"],
        digest=row["digest"],
        tries=row["tries"],
        token=token,
    )


def subscriber_of(row: Row, token: str, lease_until: datetime) -> Subscriber:
    """Return the subscriber of a row of `hub_subscribers`, which was claimed until then."""
    return Subscriber(
        id=row["id"],
        kind=SubscriberKind(row["kind"]),
        topic=row["topic"],
        callback=row["callback"],
        secret=row["secret"],
        failures=row["failures"],
        was_slow=bool(row["was_slow"]),
        token=token,
        lease_until=lease_until,
    )


def status_of(row: Row) -> SubscriberStatus:
    """Return how the subscriber of a row of `hub_subscribers` is."""
    return SubscriberStatus(
        kind=SubscriberKind(row["kind"]),
        topic=row["topic"],
        host=row["host"],
        expires_at=time_or_none(row["expires_at"]),
        is_signed=row["secret"] is not None,
        lacks_newest=row["next_try_at"] is not None,
        told=row["told"],
        last_told_at=time_or_none(row["told_at"]),
        failures=row["failures"],
        next_try_at=time_or_none(row["next_try_at"]),
        error=row["error"],
    )
