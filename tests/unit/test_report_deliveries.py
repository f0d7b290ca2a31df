"""What `deliveries` and `endpoints` say."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from syndicate.model import DeliveryState, DeliveryStatus, EndpointState, EndpointStatus
from syndicate.report_deliveries import delivery_lines, delivery_row, endpoint_json

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("length", "ms"),
    [(None, None), (timedelta(0), 0), (timedelta(microseconds=400), 0), (timedelta(seconds=1.2), 1200)],
)
def test_how_long_attempts_last_is_a_number_however_short(length, ms):
    status = EndpointStatus(
        id="desk",
        state=EndpointState.OK,
        since=None,
        reason=None,
        last_error=None,
        attempts=0 if length is None else 3,
        taken=0,
        median=length,
        p95=length,
        held=0,
        waiting=0,
        due=0,
        oldest_waiting_at=None,
        dead=0,
    )
    said = json.loads(json.dumps(endpoint_json(status, None)))
    assert (said["median_ms"], said["p95_ms"]) == (ms, ms)


def held(alerts: int, minutes: int) -> DeliveryStatus:
    return DeliveryStatus(
        id="msg_1",
        endpoint="desk",
        alerts=tuple(("eu", item) for item in range(1, alerts + 1)),
        sources=(),
        endpoints=(),
        spikes=(),
        state=DeliveryState.HELD,
        attempts=0,
        created_at=NOW,
        next_attempt_at=NOW + timedelta(minutes=minutes),
        last_status=None,
        last_error=None,
    )


def test_what_is_held_says_that_no_attempt_comes_before_another_look():
    assert [line.text for line in delivery_lines(held(1, 20), (), None, NOW)] == [
        "msg_1 to desk: held",
        "made 0 s ago, about eu: 1",
        "held back by the pace of desk, or by a silence",
        "looked at again: in 20 min",
        "no attempt was made yet",
    ]


@pytest.mark.parametrize(
    ("alerts", "told"),
    [
        (1, "eu: 1"),
        (3, "eu: 1, eu: 2, eu: 3"),
        (4, "eu: 1, eu: 2, eu: 3 and 1 more"),
        (40, "eu: 1, eu: 2, eu: 3 and 37 more"),
    ],
)
def test_a_row_names_the_first_alerts_of_many(alerts, told):
    assert delivery_row(held(alerts, 20), NOW, {})[3:7] == (told, "held", "0", "in 20 min")
