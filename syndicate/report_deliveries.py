"""What the commands about deliveries and endpoints say. Prints nothing."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from syndicate.model import (
    AttemptStatus,
    DeliveryState,
    DeliveryStatus,
    Endpoint,
    EndpointState,
    EndpointStatus,
)
from syndicate.report_words import Line, Values, ago, ahead, counted, length_words, time_json

DELIVERY_TITLES = ("id", "endpoint", "made", "alerts", "state", "attempts", "next attempt", "remarks")
SUBJECTS_SHOWN = 3
ENDPOINT_TITLES = (
    "id",
    "format",
    "signed",
    "state",
    "taken",
    "median",
    "95 of 100",
    "held",
    "waiting",
    "oldest",
    "dead",
    "remarks",
)


def delivery_json(delivery: DeliveryStatus) -> Values:
    """Return a delivery as `deliveries --json` prints it; its id is the webhook-id."""
    return {
        "id": delivery.id,
        "endpoint": delivery.endpoint,
        "alerts": [{"rule": rule, "item": item} for rule, item in delivery.alerts],
        "state": delivery.state.value,
        "attempts": delivery.attempts,
        "next_attempt_at": time_json(delivery.next_attempt_at),
        "created_at": time_json(delivery.created_at),
        "last_status": delivery.last_status,
        "last_error": delivery.last_error,
        "sources": list(delivery.sources),
        "endpoints": list(delivery.endpoints),
        "spikes": list(delivery.spikes),
    }


def delivery_row(
    delivery: DeliveryStatus, now: datetime, held_up_by_endpoint: Mapping[str, str]
) -> tuple[str, ...]:
    """Return a delivery as a row of `deliveries`, under DELIVERY_TITLES.

    Args:
        held_up_by_endpoint: why nothing is sent to those to which nothing is.
    """
    is_held_up = delivery.next_attempt_at is not None and delivery.endpoint in held_up_by_endpoint
    return (
        delivery.id,
        delivery.endpoint,
        ago(delivery.created_at, now),
        _first(_subjects(delivery)),
        delivery.state.value,
        str(delivery.attempts),
        "" if is_held_up else ahead(delivery.next_attempt_at, now),
        held_up_by_endpoint[delivery.endpoint] if is_held_up else delivery.last_error or "",
    )


def attempt_json(attempt: AttemptStatus) -> Values:
    """Return an attempt as `deliveries show --json` prints it."""
    return {
        "started_at": time_json(attempt.started_at),
        "ms": _milliseconds(attempt.duration),
        "status": attempt.status,
        "error": attempt.error,
        "answer": attempt.answer,
    }


def delivery_lines(
    delivery: DeliveryStatus, attempts: Sequence[AttemptStatus], held_up: str | None, now: datetime
) -> Iterator[Line]:
    """Yield all that is known of a delivery: what became of it, and each attempt with what was answered.

    Args:
        held_up: why nothing is sent to its endpoint, None if it is.
    """
    yield Line(f"{delivery.id} to {delivery.endpoint}: {delivery.state.value}")
    yield Line(f"made {ago(delivery.created_at, now)}, about {', '.join(_subjects(delivery))}", indent=2)
    if delivery.state is DeliveryState.HELD:
        looked_at = ahead(delivery.next_attempt_at, now)
        yield Line(f"held back by the pace of {delivery.endpoint}, or by a silence", indent=2)
        yield Line(f"looked at again: {looked_at}", indent=2)
    elif delivery.next_attempt_at is not None:
        yield Line(held_up or f"next attempt: {ahead(delivery.next_attempt_at, now)}", indent=2)
    if not attempts:
        yield Line("no attempt was made yet", indent=2)
    for number, attempt in enumerate(attempts, 1):
        when = f"{attempt.started_at.astimezone():%Y-%m-%d %H:%M:%S}"
        status = "no answer" if attempt.status is None else f"answered {attempt.status}"
        how = f"attempt {number}, {when}: {status} after {_milliseconds(attempt.duration)} ms"
        yield Line(how + (f": {attempt.error}" if attempt.error else ""), indent=2)
        for line in attempt.answer.splitlines():
            yield Line(line, indent=4)


def endpoint_json(status: EndpointStatus, endpoint: Endpoint | None) -> Values:
    """Return an endpoint without its secrets; its address is one, as many services put a token in it.

    Args:
        endpoint: as configured, None if it is not any more.
    """
    return {
        "id": status.id,
        "format": endpoint and endpoint.format,
        "signed": bool(endpoint and endpoint.secrets),
        "state": status.state.value if endpoint else "removed",
        "since": time_json(status.since),
        "reason": status.reason,
        "last_error": status.last_error,
        "attempts": status.attempts,
        "taken": status.taken,
        "median_ms": None if status.median is None else _milliseconds(status.median),
        "p95_ms": None if status.p95 is None else _milliseconds(status.p95),
        "held": status.held,
        "waiting": status.waiting,
        "oldest_waiting_at": time_json(status.oldest_waiting_at),
        "dead": status.dead,
    }


def endpoint_row(status: EndpointStatus, endpoint: Endpoint | None, now: datetime) -> tuple[str, ...]:
    """Return an endpoint as a row of `endpoints`, under ENDPOINT_TITLES."""
    return (
        status.id,
        endpoint.format if endpoint else "",
        "yes" if endpoint and endpoint.secrets else "no",
        _state_words(status, now) if endpoint else "removed",
        f"{status.taken} of {status.attempts}" if status.attempts else "",
        "" if status.median is None else f"{_milliseconds(status.median)} ms",
        "" if status.p95 is None else f"{_milliseconds(status.p95)} ms",
        str(status.held) if status.held else "",
        str(status.waiting) if status.waiting else "",
        ago(status.oldest_waiting_at, now) if status.oldest_waiting_at else "",
        str(status.dead) if status.dead else "",
        _remark(status, endpoint),
    )


def _remark(status: EndpointStatus, endpoint: Endpoint | None) -> str:
    if endpoint is None:
        return "what is for it waits until it is configured"
    if status.reason:
        return f"{status.reason}: `endpoints enable {status.id}`"
    return status.last_error or ""


def replayed_lines(due: int, under_way: int, held: int, waiting_for: Sequence[str]) -> Iterator[str]:
    """Yield what became of a replay.

    Args:
        due: deliveries that are sent again now.
        under_way: those that are being sent at this moment.
        held: those that the pace of their endpoint, or a silence, holds back.
        waiting_for: why those to an endpoint are not sent now, a text for each such endpoint.
    """
    if not due and not under_way and not held:
        yield "There is nothing to replay."
        return
    yield f"{counted(due, 'delivery is', 'deliveries are')} due now."
    if under_way:
        yield f"{counted(under_way, 'is', 'are')} under way at this moment, and left alone."
    if held:
        yield f"{counted(held, 'is', 'are')} held back by a pace or a silence, and left alone."
    yield from waiting_for


def held_up(status: EndpointStatus, *, is_configured: bool) -> str | None:
    """Return why nothing is sent to an endpoint, None if it is."""
    if not is_configured:
        return f"{status.id} is not in the configuration: what is for it waits until it is."
    if status.state is EndpointState.DISABLED:
        return f"{status.id} is disabled: what is for it waits until `endpoints enable {status.id}`."
    return None


def _subjects(delivery: DeliveryStatus) -> tuple[str, ...]:
    alerts = (f"{rule}: {item}" for rule, item in delivery.alerts)
    spikes = (f"{rule}: spike" for rule in delivery.spikes)
    return (*alerts, *delivery.sources, *delivery.endpoints, *spikes)


def _first(subjects: Sequence[str]) -> str:
    """Return what a row of a table has room for; `show` has all."""
    more = len(subjects) - SUBJECTS_SHOWN
    return ", ".join(subjects[:SUBJECTS_SHOWN]) + (f" and {more} more" if more > 0 else "")


def _state_words(status: EndpointStatus, now: datetime) -> str:
    if status.since is None:
        return status.state.value
    return f"{status.state.value} for {length_words(now - status.since)}"


def _milliseconds(length: timedelta) -> int:
    return round(length.total_seconds() * 1000)
